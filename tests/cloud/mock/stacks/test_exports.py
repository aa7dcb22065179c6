"""What stacks export to one another."""

from tests.cloud.mock.stacks.cases import ref, resource
from tests.cloud.mock.stacks.parts import queue, template


def exporting(name="url", value="Jobs"):
    return {
        **template(Jobs=queue(), Other=queue()),
        "Outputs": {"Url": {"Value": ref(value), "Export": {"Name": name}}},
    }


def importing(name="url"):
    return template(
        Jobs=resource("AWS::SSM::Parameter", Type="String", Value={"Fn::ImportValue": name})
    )


def test_what_a_stack_exports_another_imports(deployed):
    made = deployed.create("a", exporting())
    deployed.create("b", importing())
    url = deployed.physical("a", "Jobs")
    [export] = deployed.api.list_exports()["Exports"]
    assert export == {"ExportingStackId": made["StackId"], "Name": "url", "Value": url}
    assert deployed.api.list_imports(ExportName="url")["Imports"] == ["b"]
    found = deployed.client("ssm").get_parameter(Name=deployed.physical("b", "Jobs"))
    assert found["Parameter"]["Value"] == url


def test_an_export_in_use_can_be_neither_changed_nor_deleted(deployed):
    deployed.create("a", exporting())
    deployed.create("b", importing())
    deployed.update("a", exporting(value="Other"))
    assert (
        deployed.reason("a", "a", "UPDATE_ROLLBACK_IN_PROGRESS")
        == "Export url cannot be updated as it is in use by b"
    )
    deployed.update("a", exporting(name="another"))
    assert (
        deployed.reason("a", "a", "UPDATE_ROLLBACK_IN_PROGRESS")
        == "Export url cannot be deleted as it is in use by b"
    )
    kept = deployed.delete("a")
    assert kept["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert kept["StackStatusReason"] == (
        "Delete canceled. Cannot delete export url as it is in use by b"
    )
    deployed.delete("b")
    _, message = deployed.refused("list_imports", ExportName="url")
    assert message == "Export 'url' is not imported by any stack."
    assert deployed.delete("a")["StackStatus"] == "DELETE_COMPLETE"


def test_an_import_of_what_is_not_exported_fails(deployed):
    made = deployed.create("b", importing())
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert (
        deployed.reason("b", "b", "ROLLBACK_IN_PROGRESS")
        == "No export named url found. Rollback requested by user."
    )


def test_two_stacks_cannot_export_the_same_name(deployed):
    deployed.create("a", exporting())
    assert deployed.create("b", exporting())["StackStatus"] == "ROLLBACK_COMPLETE"
    assert deployed.reason("b", "b", "ROLLBACK_IN_PROGRESS") == (
        "Export with name url is already exported by stack a. Rollback requested by user."
    )
