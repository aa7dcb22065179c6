"""What is told of stacks, and where templates come from."""

import json

from tests.cloud.mock.stacks.cases import ref, resource
from tests.cloud.mock.stacks.parts import queue, template


def test_events_come_in_pages_the_newest_first(deployed):
    many = template(**{f"Queue{number:02}": queue() for number in range(40)})
    deployed.create("shop", many)
    first = deployed.api.describe_stack_events(StackName="shop")
    assert len(first["StackEvents"]) == 100
    assert first["StackEvents"][0]["ResourceStatus"] == "CREATE_COMPLETE"
    assert first["StackEvents"][0]["LogicalResourceId"] == "shop"
    second = deployed.api.describe_stack_events(StackName="shop", NextToken=first["NextToken"])
    assert len(second["StackEvents"]) == 22
    ids = {one["EventId"] for one in first["StackEvents"] + second["StackEvents"]}
    assert len(ids) == 122
    code, _ = deployed.refused("describe_stack_events", StackName="shop", NextToken="nonsense")
    assert code == "ValidationError"


def test_name_and_arn_are_the_same_stack(deployed):
    made = deployed.create("shop", template(Jobs=queue()))
    for name in ("shop", made["StackId"]):
        [found] = deployed.api.describe_stack_resources(StackName=name)["StackResources"]
        assert found["LogicalResourceId"] == "Jobs"
    physical = deployed.physical("shop", "Jobs")
    [found] = deployed.api.describe_stack_resources(PhysicalResourceId=physical)["StackResources"]
    assert found["StackName"] == "shop"
    _, message = deployed.refused(
        "describe_stack_resource", StackName="shop", LogicalResourceId="Nope"
    )
    assert message == "Resource Nope does not exist for stack shop"


def test_secrets_are_masked(deployed):
    body = {
        "Parameters": {"Password": {"Type": "String", "NoEcho": True}},
        "Resources": {
            "It": resource("AWS::SSM::Parameter", Type="String", Value=ref("Password")),
        },
    }
    made = deployed.create(
        "shop", body, Parameters=[{"ParameterKey": "Password", "ParameterValue": "hunter2"}]
    )
    assert made["Parameters"] == [{"ParameterKey": "Password", "ParameterValue": "****"}]
    change = deployed.api.create_change_set(
        StackName="shop",
        ChangeSetName="c",
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Password", "ParameterValue": "hunter3"}],
    )
    told = deployed.api.describe_change_set(ChangeSetName=change["Id"])
    assert told["Parameters"] == [{"ParameterKey": "Password", "ParameterValue": "****"}]


def test_dynamic_references_are_resolved_and_not_shown(deployed):
    deployed.client("ssm").put_parameter(Name="/secret", Value="hunter2", Type="String")
    body = template(
        It=resource("AWS::SSM::Parameter", Type="String", Value="a {{resolve:ssm:/secret}} b")
    )
    made = deployed.create("shop", body)
    assert made["StackStatus"] == "CREATE_COMPLETE", deployed.why("shop")
    found = deployed.client("ssm").get_parameter(Name=deployed.physical("shop", "It"))
    assert found["Parameter"]["Value"] == "a hunter2 b"
    assert "hunter2" not in json.dumps(
        deployed.api.describe_stack_events(StackName="shop")["StackEvents"], default=str
    )
    assert deployed.drift("shop")["It"] == ("IN_SYNC", [])


def test_a_template_comes_from_a_bucket_too(deployed):
    s3 = deployed.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(
        Bucket="templates", Key="a/t.json", Body=json.dumps(template(Jobs=queue())).encode()
    )
    for number, url in enumerate(
        (
            "https://templates.s3.amazonaws.com/a/t.json",
            "https://s3.us-east-1.amazonaws.com/templates/a/t.json",
            s3.generate_presigned_url("get_object", {"Bucket": "templates", "Key": "a/t.json"}),
        )
    ):
        stack_id = deployed.api.create_stack(StackName=f"s{number}", TemplateURL=url)["StackId"]
        assert deployed.settled(stack_id)["StackStatus"] == "CREATE_COMPLETE"
    _, message = deployed.refused(
        "create_stack", StackName="x", TemplateURL="https://templates.s3.amazonaws.com/nope"
    )
    assert message.startswith("S3 error: The specified key does not exist.")
    _, message = deployed.refused(
        "create_stack", StackName="x", TemplateURL="https://example.com/t.json"
    )
    assert message == "TemplateURL must be a supported URL."


def test_an_operation_that_is_not_modelled_says_so(deployed):
    code, message = deployed.refused("list_stack_sets")
    assert code == "NotImplemented"
    assert message == "The mock does not implement cloudformation ListStackSets."
