"""Environments: made, described, changed, ended; refused where AWS refuses."""

import socket

import pytest
from botocore.exceptions import ClientError

from tests.cloud.mock.balancing.plane_world import until
from tests.cloud.mock.beanstalk.shop import PROFILE, SINGLE, get, settings


def refusal(call, *arguments, **named):
    with pytest.raises(ClientError) as raised:
        call(*arguments, **named)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def reaches(host, port, seconds=1.0):
    try:
        socket.create_connection((host, port), seconds).close()
    except OSError:
        return False
    return True


def test_a_single_instance_serves_its_version_at_the_name_that_was_asked_for(shop):
    shop.version("v1")
    created = shop.create(
        version="v1", CNAMEPrefix="shop-test", COLOUR="red", Description="for tests", **SINGLE
    )
    assert (created["Status"], created["Health"]) == ("Launching", "Grey")
    assert created["CNAME"] == "shop-test.us-east-1.elasticbeanstalk.com"
    environment = shop.ready()
    assert (environment["Status"], environment["Health"]) == ("Ready", "Green")
    assert environment["VersionLabel"] == "v1"
    assert environment["SolutionStackName"] == shop.stack
    assert environment["Description"] == "for tests"
    assert environment["EnvironmentId"] == created["EnvironmentId"]
    words = get(f"http://{environment['CNAME']}/")[1].split()
    assert (words[0], words[2]) == ("v1", "red")
    assert get(f"http://{environment['EndpointURL']}/")[0] == 200
    messages = shop.events()
    assert messages[0] == "createEnvironment is starting."
    assert "Successfully launched environment: test-env" in messages
    assert "Environment health has been set to GREEN" in messages


def test_port_80_can_be_reached_and_port_22_only_if_the_options_say_so(shop):
    environment = shop.launch(version=shop.version("v1"), **SINGLE)
    host = environment["EndpointURL"]
    assert reaches(host, 80)
    assert not reaches(host, 22)
    shop.set(SSHSourceRestriction="tcp, 22, 22, 0.0.0.0/0")
    assert reaches(host, 22)
    with socket.create_connection((host, 22), 5) as ssh:
        assert ssh.recv(255).startswith(b"SSH-2.0-")
    shop.set(SSHSourceRestriction="tcp, 22, 22, 10.0.0.0/8")
    assert not reaches(host, 22)


def test_instances_behind_a_balancer_are_reached_through_it_alone(shop):
    environment = shop.launch(version=shop.version("v1"), MinSize=2)
    assert ".elb.amazonaws.com" in environment["EndpointURL"]
    pids = {get(f"http://{environment['CNAME']}/")[1].split()[1] for _ in range(8)}
    assert len(pids) == 2
    [one, _] = shop.instances()
    assert not reaches(shop.address(one), 80, 0.5)
    resources = shop.api.describe_environment_resources(EnvironmentName="test-env")
    kinds = resources["EnvironmentResources"]
    assert len(kinds["LoadBalancers"]) == len(kinds["AutoScalingGroups"]) == 1


def test_without_a_version_the_sample_application_runs(shop):
    environment = shop.launch(**SINGLE)
    assert environment["VersionLabel"] == "Sample Application"
    assert shop.get()[0] == 200


def test_an_environment_needs_an_instance_profile(shop):
    shop.api.create_environment(
        ApplicationName="shop", EnvironmentName="test-env", SolutionStackName=shop.stack
    )
    assert shop.ready()["Status"] == "Terminated"
    errors = shop.events(Severity="ERROR")
    assert errors == [
        "Environment must have instance profile associated with it.",
        "Failed to launch environment.",
    ]
    shop.create("other-env", IamInstanceProfile="nobody")
    assert shop.ready("other-env")["Status"] == "Terminated"
    assert "does not exist" in shop.events("other-env", Severity="ERROR")[0]


def test_a_terminated_environment_leaves_nothing_and_is_still_told_of(shop):
    before = groups_of(shop)
    environment = shop.launch(version=shop.version("v1"), MinSize=2)
    assert shop.api.terminate_environment(EnvironmentName="test-env")["Status"] == "Terminating"
    assert shop.ready()["Status"] == "Terminated"
    assert shop.api.describe_environments()["Environments"] == []
    deleted = shop.api.describe_environments(IncludeDeleted=True)["Environments"]
    assert [one["EnvironmentId"] for one in deleted] == [environment["EnvironmentId"]]
    assert shop.events()[-1] == "terminateEnvironment completed successfully."
    assert groups_of(shop) == before
    balancers = shop.aws.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert balancers == []
    with pytest.raises(OSError):
        get(f"http://{environment['CNAME']}/")
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    assert shop.ec2.describe_instances(Filters=running)["Reservations"] == []


def groups_of(shop):
    return {one["GroupId"] for one in shop.ec2.describe_security_groups()["SecurityGroups"]}


def test_one_that_is_being_launched_can_be_terminated(shop):
    shop.create(version=shop.version("v1", "import time; time.sleep(60)"), **SINGLE)
    shop.api.terminate_environment(EnvironmentName="test-env")
    assert shop.ready()["Status"] == "Terminated"


def test_environments_are_found_by_what_is_asked_for(shop):
    for label in ("v1", "v2"):
        shop.version(label)
        shop.create(f"{label}-env", label, **SINGLE)
    one, two = (shop.ready(f"{label}-env") for label in ("v1", "v2"))

    def names(**filters):
        found = shop.api.describe_environments(**filters)["Environments"]
        return [environment["EnvironmentName"] for environment in found]

    assert names(ApplicationName="shop") == ["v1-env", "v2-env"]
    assert names(ApplicationName="bar") == []
    assert names(VersionLabel="v2") == ["v2-env"]
    assert names(EnvironmentIds=[one["EnvironmentId"]]) == ["v1-env"]
    assert names(EnvironmentNames=["v2-env", "v3-env"]) == ["v2-env"]
    first = shop.api.describe_environments(MaxRecords=1)
    second = shop.api.describe_environments(MaxRecords=1, NextToken=first["NextToken"])
    assert [page["Environments"][0]["EnvironmentId"] for page in (first, second)] == [
        one["EnvironmentId"],
        two["EnvironmentId"],
    ]


def test_two_environments_swap_their_names(shop):
    for colour in ("blue", "green"):
        shop.create(f"{colour}-env", shop.version(colour), CNAMEPrefix=f"shop-{colour}", **SINGLE)
    blue, green = shop.ready("blue-env"), shop.ready("green-env")
    assert not shop.api.check_dns_availability(CNAMEPrefix="shop-blue")["Available"]
    assert shop.api.check_dns_availability(CNAMEPrefix="shop-red")["Available"]
    shop.api.swap_environment_cnames(
        SourceEnvironmentName="blue-env", DestinationEnvironmentName="green-env"
    )
    assert shop.describe("blue-env")["CNAME"] == green["CNAME"]
    assert get(f"http://{blue['CNAME']}/")[1].startswith("green")
    assert get(f"http://{green['CNAME']}/")[1].startswith("blue")
    assert any("Completed swapping CNAMEs" in one for one in shop.events("blue-env"))


def test_an_instance_that_is_lost_is_replaced_and_runs_the_same_version(shop):
    environment = shop.launch(version=shop.version("v1"), COLOUR="red", **SINGLE)
    [old] = shop.instances()
    shop.ec2.terminate_instances(InstanceIds=[old])
    until(lambda: old not in shop.instances() and shop.instances(), 30)

    until(lambda: answers(environment["CNAME"]).split()[::2] == ["v1", "red"], 30)
    assert any(message.startswith("Removed instance") for message in shop.events())


def answers(host):
    """The page of a host; "" while there is none."""
    try:
        status, page = get(f"http://{host}/", 2)
    except OSError:
        return ""
    return page if status == 200 else ""


def test_an_application_that_ends_is_started_again(shop):
    environment = shop.launch(version=shop.version("v1"), **SINGLE)
    before = shop.page().split()[1]
    with pytest.raises(OSError):
        get(f"http://{environment['CNAME']}/die")
    until(lambda: answers(environment["CNAME"]).startswith("v1"), 20)
    assert shop.page().split()[1] != before


def test_properties_change_without_a_new_version(shop):
    shop.launch(version=shop.version("v1"), COLOUR="red", **SINGLE)
    assert shop.set(COLOUR="blue")["VersionLabel"] == "v1"
    assert shop.page().split()[2] == "blue"
    assert "Successfully deployed new configuration to environment." in shop.events()
    shop.api.update_environment(
        EnvironmentName="test-env",
        OptionsToRemove=[
            {
                "Namespace": "aws:elasticbeanstalk:application:environment",
                "OptionName": "COLOUR",
            }
        ],
    )
    shop.ready()
    assert shop.page().split()[2] == "None"


def test_other_instances_take_over_when_the_options_ask_for_them(shop):
    environment = shop.launch(version=shop.version("v1"), **SINGLE)
    [old] = shop.instances()
    shop.set(InstanceType="t3.small")
    [new] = shop.instances()
    assert new != old
    found = shop.ec2.describe_instances(InstanceIds=[new])["Reservations"][0]["Instances"][0]
    assert found["InstanceType"] == "t3.small"
    assert found["PublicIpAddress"] == environment["EndpointURL"]
    assert shop.get() == (200, "v1")


def test_the_options_that_hold_are_listed(shop):
    shop.launch(version=shop.version("v1"), COLOUR="red", **SINGLE)
    found = shop.api.describe_configuration_settings(
        ApplicationName="shop", EnvironmentName="test-env"
    )["ConfigurationSettings"][0]["OptionSettings"]
    values = {one["OptionName"]: one["Value"] for one in found}
    assert values["COLOUR"] == "red"
    assert values["IamInstanceProfile"] == PROFILE
    assert values["DeploymentPolicy"] == "AllAtOnce"


def test_a_restart_starts_another_process(shop):
    shop.launch(version=shop.version("v1"), **SINGLE)
    before = shop.page()
    shop.api.restart_app_server(EnvironmentName="test-env")
    shop.ready()
    assert shop.page() != before


def test_the_logs_are_in_the_bucket_of_beanstalk(shop):
    shop.launch(version=shop.version("v1"), **SINGLE)
    shop.get("/tea")
    shop.api.request_environment_info(EnvironmentName="test-env", InfoType="tail")
    [info] = shop.api.retrieve_environment_info(EnvironmentName="test-env", InfoType="tail")[
        "EnvironmentInfo"
    ]
    assert info["Ec2InstanceId"] == shop.instances()[0]
    assert "asked for /tea" in get(info["Message"])[1]


def test_enhanced_health_tells_what_is_wrong(shop):
    shop.launch(version=shop.version("v1", app_failing()), SystemType="enhanced", **SINGLE)
    assert shop.describe()["HealthStatus"] == "Ok"
    for _ in range(4):
        assert shop.get()[0] == 500
    until(lambda: shop.describe()["HealthStatus"] == "Severe", 20)
    assert shop.describe()["Health"] == "Red"
    told = shop.api.describe_environment_health(EnvironmentName="test-env", AttributeNames=["All"])
    assert told["Causes"] == ["100.0 % of the requests are failing with HTTP 5xx."]
    assert told["ApplicationMetrics"]["StatusCodes"]["Status5xx"] >= 4
    assert told["InstancesHealth"]["Severe"] == 1
    [instance] = shop.api.describe_instances_health(
        EnvironmentName="test-env", AttributeNames=["All"]
    )["InstanceHealthList"]
    assert instance["Deployment"]["VersionLabel"] == "v1"
    assert any("from Ok to Severe" in message for message in shop.events(Severity="WARN"))


def app_failing():
    return """
def application(environ, start_response):
    raise RuntimeError("not today")
"""


def test_basic_health_has_no_status(shop):
    assert "HealthStatus" not in shop.launch(version=shop.version("v1"), **SINGLE)
    code, message = refusal(shop.api.describe_environment_health, EnvironmentName="test-env")
    assert (code, message) == (
        "InvalidRequestException",
        "DescribeEnvironmentHealth is not supported.",
    )


def test_events_are_found_by_what_is_asked_for(shop):
    shop.create(IamInstanceProfile="nobody", **SINGLE)
    environment = shop.ready()
    shop.create("other-env", **SINGLE)
    shop.ready("other-env")
    events = shop.api.describe_events
    assert len(shop.events(Severity="ERROR")) == 2
    newest = events(MaxRecords=1)["Events"][0]
    assert newest["EnvironmentName"] == "other-env"
    by_request = events(RequestId=newest["RequestId"])["Events"]
    assert {one["EnvironmentName"] for one in by_request} == {"other-env"}
    by_id = events(EnvironmentId=environment["EnvironmentId"])["Events"]
    assert {one["EnvironmentName"] for one in by_id} == {"test-env"}
    middle = by_id[0]["EventDate"]
    assert all(one["EventDate"] >= middle for one in events(StartTime=middle)["Events"])
    assert all(one["EventDate"] < middle for one in events(EndTime=middle)["Events"])


def test_what_is_refused(shop):
    create = shop.api.create_environment
    given = {"ApplicationName": "shop", "SolutionStackName": shop.stack}
    invalid = "InvalidParameterValue"
    assert refusal(create, **{**given, "ApplicationName": "bar"}, EnvironmentName="test-env") == (
        invalid,
        "No Application named 'bar' found.",
    )
    assert refusal(create, **given, EnvironmentName="test-env", VersionLabel="v9") == (
        invalid,
        "No Application Version named 'v9' found.",
    )
    assert refusal(create, ApplicationName="shop", EnvironmentName="test-env")[0] == invalid
    wrong = {"ApplicationName": "shop", "SolutionStackName": "64bit Toaster"}
    assert refusal(create, **wrong, EnvironmentName="test-env") == (
        invalid,
        "No Solution Stack named '64bit Toaster' found.",
    )
    assert "4 to 40 characters" in refusal(create, **given, EnvironmentName="-tea-")[1]
    code, message = refusal(
        create,
        **given,
        EnvironmentName="test-env",
        OptionSettings=[{"Namespace": "aws:none", "OptionName": "Tea", "Value": "green"}],
    )
    assert code == "ConfigurationValidationException"
    assert "(Namespace: 'aws:none', OptionName: 'Tea'): Unknown configuration setting." in message
    shop.create(CNAMEPrefix="shop-test", **SINGLE)
    assert refusal(create, **given, EnvironmentName="test-env") == (
        invalid,
        "Environment test-env already exists.",
    )
    assert (
        "is not available"
        in refusal(create, **given, EnvironmentName="other-env", CNAMEPrefix="shop-test")[1]
    )
    assert refusal(shop.api.update_environment, EnvironmentName="test-env", VersionLabel="v1") == (
        invalid,
        "Environment named test-env is in an invalid state for this operation. Must be Ready.",
    )
    assert refusal(shop.api.terminate_environment, EnvironmentName="nobody") == (
        invalid,
        "No Environment found for EnvironmentName = 'nobody'.",
    )
    shop.ready()
    moved = settings({"EnvironmentType": "LoadBalanced"})
    assert (
        refusal(shop.api.update_environment, EnvironmentName="test-env", OptionSettings=moved)[0]
        == invalid
    )


def test_a_saved_configuration_is_what_an_environment_begins_with(shop):
    shop.api.create_configuration_template(
        ApplicationName="shop",
        TemplateName="small",
        SolutionStackName=shop.stack,
        OptionSettings=settings({**SINGLE, "COLOUR": "red"}),
    )
    shop.launch(version=shop.version("v1"), TemplateName="small")
    assert shop.describe()["TemplateName"] == "small"
    assert shop.page().split()[2] == "red"
    shop.api.delete_configuration_template(ApplicationName="shop", TemplateName="small")
    assert shop.page().split()[2] == "red"


def test_tags_are_on_what_it_is_made_of(shop):
    tag = {"Key": "team", "Value": "tea"}
    environment = shop.launch(version=shop.version("v1"), Tags=[tag], **SINGLE)
    [instance] = shop.instances()
    found = shop.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert tag in found["Tags"]
    named = {"Key": "elasticbeanstalk:environment-name", "Value": "test-env"}
    assert named in found["Tags"]
    arn = environment["EnvironmentArn"]
    shop.api.update_tags_for_resource(ResourceArn=arn, TagsToRemove=["team"])
    assert shop.api.list_tags_for_resource(ResourceArn=arn)["ResourceTags"] == []
