"""What CloudFormation refuses before it makes anything, in its words."""

import json

import pytest

from tests.cloud.mock.stacks.cases import att, policy, ref, resource, trust

QUEUE = resource("AWS::SQS::Queue")
ROLE = resource("AWS::IAM::Role", AssumeRolePolicyDocument=trust("lambda"))


def template(**sections):
    return {"Resources": {"Jobs": QUEUE}, **sections}


def of(**resources):
    return {"Resources": resources}


def parameter(**settings):
    return template(Parameters={"P": {"Type": "String", **settings}})


BODIES = [
    (" ", "Template format error: unsupported structure."),
    ("- a\n- b\n", "Template format error: unsupported structure."),
    ("just words", "Template format error: unsupported structure."),
    ('{"Resources": ', "Template format error: JSON not well-formed. (line 1, column 15)"),
    (
        "Resources:\n  A: {Type: [}\n",
        "Template format error: YAML not well-formed. (line 2, column 14)",
    ),
    (
        "Resources: {A: &a {Type: AWS::SQS::Queue}, B: *a}",
        "Template error: YAML aliases are not allowed in CloudFormation templates",
    ),
    (
        {"Resources": {}},
        "Template format error: At least one Resources member must be defined.",
    ),
    (template(Resource={}), "Invalid template property or properties [Resource]"),
    (
        template(AWSTemplateFormatVersion="2010-09-10"),
        "Template format error: Unsupported template version: 2010-09-10",
    ),
    (
        of(**{"my-queue": QUEUE}),
        "Template format error: Resource name my-queue is non alphanumeric.",
    ),
    (
        of(Jobs={"Properties": {}}),
        "Template format error: [/Resources/Jobs] Every Resources object must contain a Type "
        "member.",
    ),
    (of(Jobs={**QUEUE, "Depends": "x"}), "Invalid template resource property 'Depends'"),
    (
        of(Jobs=resource("AWS::SQS::Queue", DelaySeconds=None)),
        "Template format error: [/Resources/Jobs/Properties/DelaySeconds] 'null' values are not "
        "allowed in templates",
    ),
    (
        template(Outputs={"A": {"Description": "no value"}}),
        "Template format error: Every Outputs member must contain a Value object",
    ),
    (
        of(Jobs=resource("AWS::SQS::Queues"), Other=resource("AWS::Nope::Nope")),
        "Template format error: Unrecognized resource types: [AWS::Nope::Nope, AWS::SQS::Queues]",
    ),
    (
        of(Jobs=resource("AWS::RDS::DBInstance")),
        "This mock has no resources of these types; AWS has: [AWS::RDS::DBInstance]",
    ),
    (
        of(Jobs=resource("AWS::SQS::Queue", QueueName=ref("Name"))),
        "Template format error: Unresolved resource dependencies [Name] in the Resources block of "
        "the template",
    ),
    (
        of(Jobs={**QUEUE, "DependsOn": ["Other", "Jobs2"]}),
        "Template format error: Unresolved resource dependencies [Jobs2, Other] in the Resources "
        "block of the template",
    ),
    (
        of(Jobs=resource("AWS::SQS::Queue", QueueName={"Fn::Sub": "${A.Arn}-${AWS::Region}"})),
        "Template format error: Unresolved resource dependencies [A] in the Resources block of "
        "the template",
    ),
    (
        template(Outputs={"A": {"Value": ref("Nope")}}),
        "Template format error: Unresolved resource dependencies [Nope] in the Outputs block of "
        "the template",
    ),
    (
        template(Outputs={"A": {"Value": att("Jobs", "Colour")}}),
        "Template error: resource Jobs does not support attribute type Colour in Fn::GetAtt",
    ),
    (
        of(
            A=resource("AWS::SQS::Queue", QueueName=att("B", "QueueName")),
            B={**QUEUE, "DependsOn": "A"},
            C=QUEUE,
        ),
        "Circular dependency between resources: [A, B]",
    ),
    (
        of(Jobs=resource("AWS::SQS::Queue", QueueName={"Fn::Upper": "a"})),
        "Template error: Encountered unsupported function: Fn::Upper Supported functions are: [",
    ),
    (
        of(Jobs={**QUEUE, "Condition": "Nope"}),
        "Template format error: Unresolved condition dependency Nope in the Resources block of "
        "the template",
    ),
    (
        template(Conditions={"Big": {"Fn::Equals": [ref("Jobs"), "a"]}}),
        "Template format error: Unresolved dependencies [Jobs]. Cannot reference resources in the "
        "Conditions block of the template",
    ),
    (
        template(Conditions={"A": {"Condition": "B"}, "B": {"Fn::Not": [{"Condition": "A"}]}}),
        "Template format error: Found circular condition dependency between [A, B]",
    ),
    (
        of(Jobs=resource("AWS::SQS::Queue", QueueName={"Fn::If": ["Nope", "a", "b"]})),
        "Template error: unresolved condition dependency Nope in Fn::If",
    ),
    (
        {
            "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
            "Resources": {
                "A": {**QUEUE, "Condition": "Never"},
                "B": resource("AWS::SQS::Queue", QueueName=att("A", "QueueName")),
            },
        },
        "Template format error: Unresolved resource dependencies [A] in the Resources block of "
        "the template",
    ),
    (parameter(), "Parameters: [P] must have values"),
    (
        parameter(Default="c", AllowedValues=["a", "b"]),
        "Parameter 'P' must be one of AllowedValues",
    ),
    (parameter(Default="A1", AllowedPattern="[a-z]+"), "Parameter 'P' must match pattern [a-z]+"),
    (
        parameter(Default="A1", AllowedPattern="[a-z]+", ConstraintDescription="small letters."),
        "Parameter P failed to satisfy constraint: small letters.",
    ),
    (parameter(Default="ab", MinLength=3), "Parameter 'P' must contain at least 3 characters"),
    (parameter(Default="ab", MaxLength="1"), "Parameter 'P' must contain at most 1 characters"),
    (parameter(Type="Number", Default="x"), "Parameter 'P' must be a number."),
    (
        parameter(Type="Number", Default=5, MinValue=6),
        "Parameter 'P' must be a number not less than 6",
    ),
    (
        parameter(Type="List<Number>", Default="1, 7", MaxValue=6),
        "Parameter 'P' must be a number not greater than 6",
    ),
    (
        parameter(Type="AWS::EC2::VPC::Id", Default="vpc-1"),
        "Parameter validation failed: parameter value vpc-1 for parameter name P does not exist",
    ),
    (
        parameter(Type="AWS::SSM::Parameter::Value<String>", Default="/nope"),
        "Unable to fetch parameters [/nope] from parameter store for this account.",
    ),
    (
        parameter(Type="Text", Default="x"),
        "Template format error: Unrecognized parameter type: Text [/Parameters/P]",
    ),
    (template(Transform="AWS::Serverless-2016-10-31"), "This mock has no Transform in templates"),
    (
        of(Jobs={**QUEUE, "DeletionPolicy": "Snapshot"}),
        "Template error: resource type AWS::SQS::Queue does not support deletion policy Snapshot",
    ),
]


@pytest.mark.parametrize(("body", "message"), BODIES, ids=range(len(BODIES)))
def test_a_template_is_refused(deployed, body, message):
    text = body if isinstance(body, str) else json.dumps(body)
    code, said = deployed.refused("create_stack", StackName="shop", TemplateBody=text)
    assert code == "ValidationError"
    assert said.startswith(message), said
    assert deployed.api.list_stacks()["StackSummaries"] == []


def test_capabilities_have_to_be_given(deployed):
    def refusal(body, *given):
        return deployed.refused(
            "create_stack",
            StackName="shop",
            TemplateBody=json.dumps(body),
            Capabilities=list(given),
        )

    named = {**ROLE, "Properties": {**ROLE["Properties"], "RoleName": "r"}}
    code = "InsufficientCapabilitiesException"
    assert refusal(of(Role=ROLE)) == (code, "Requires capabilities : [CAPABILITY_IAM]")
    assert refusal(of(Role=named)) == (code, "Requires capabilities : [CAPABILITY_NAMED_IAM]")
    assert refusal(of(Role=named), "CAPABILITY_IAM") == (
        code,
        "Requires capabilities : [CAPABILITY_NAMED_IAM]",
    )
    made = deployed.create("shop", of(Role=ROLE), Capabilities=["CAPABILITY_NAMED_IAM"])
    assert made["StackStatus"] == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Parameters": [{"ParameterKey": "No", "ParameterValue": "1"}]}, "do not exist in the"),
        ({"Parameters": [{"ParameterKey": "No", "UsePreviousValue": True}]}, "usePreviousValue"),
        ({"StackName": "1st"}, "at 'stackName' failed to satisfy constraint"),
        ({"OnFailure": "DELETE", "DisableRollback": True}, "but not both"),
        ({"Capabilities": ["CAPABILITY_X"]}, "at 'capabilities' failed to satisfy constraint"),
        ({"RoleARN": "arn:aws:iam::123456789012:role/nope"}, "is invalid or cannot be assumed"),
        ({"Tags": [{"Key": "aws:x", "Value": "1"}]}, "aws:"),
    ],
)
def test_a_request_is_refused(deployed, given, message):
    settings = {"StackName": "shop", "TemplateBody": json.dumps(template()), **given}
    code, said = deployed.refused("create_stack", **settings)
    assert code == "ValidationError"
    assert message in said


def test_a_body_that_is_too_long_is_refused(deployed):
    body = json.dumps(template(Description="x" * 51_200))
    _, said = deployed.refused("create_stack", StackName="shop", TemplateBody=body)
    assert "Member must have length less than or equal to 51200" in said


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (resource("AWS::SQS::Queue", Colour="blue"), "#: extraneous key [Colour] is not permitted"),
        (resource("AWS::SQS::Queue", Arn="x"), "#: extraneous key [Arn] is not permitted"),
        (resource("AWS::SNS::Subscription"), "#: required key [TopicArn] not found"),
        (
            resource("AWS::SQS::Queue", Tags={"a": "b"}),
            "#/Tags: expected type: JSONArray, found: JSONObject",
        ),
        (
            resource("AWS::S3::Bucket", VersioningConfiguration={"Status": "On"}),
            "#/VersioningConfiguration/Status: On is not a valid enum value",
        ),
        (
            resource("AWS::SQS::Queue", DelaySeconds=901),
            "#/DelaySeconds: failed validation constraint for keyword [maximum]",
        ),
    ],
)
def test_a_resource_with_wrong_properties_fails(deployed, definition, message):
    made = deployed.create("shop", of(Bad=definition))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = deployed.reason("shop", "Bad", "CREATE_FAILED")
    assert reason.startswith("Properties validation failed for resource Bad with message:\n")
    assert message in reason


def test_a_property_that_only_the_mock_lacks_is_marked_as_such(deployed):
    body = of(
        Bad=resource("AWS::S3::Bucket", AccelerateConfiguration={"AccelerationStatus": "Enabled"})
    )
    deployed.create("shop", body)
    assert deployed.reason("shop", "Bad", "CREATE_FAILED") == (
        "This mock does not have the properties [AccelerateConfiguration] of AWS::S3::Bucket; "
        "AWS has"
    )


def test_validate_template_says_what_a_template_needs(deployed):
    body = {
        "Description": "d",
        "Parameters": {
            "Name": {"Type": "String", "Default": 7, "Description": "n"},
            "Secret": {"Type": "String", "NoEcho": "true"},
        },
        "Resources": {"Role": ROLE, "Db": resource("AWS::RDS::DBInstance")},
    }
    found = deployed.api.validate_template(TemplateBody=json.dumps(body))
    assert found["Description"] == "d"
    assert found["Capabilities"] == ["CAPABILITY_IAM"]
    assert found["CapabilitiesReason"] == (
        "The following resource(s) require capabilities: [AWS::IAM::Role]"
    )
    assert found["Parameters"] == [
        {"ParameterKey": "Name", "DefaultValue": "7", "NoEcho": False, "Description": "n"},
        {"ParameterKey": "Secret", "NoEcho": True},
    ]
    code, message = deployed.refused("validate_template", TemplateBody="{}")
    assert message == "Template format error: At least one Resources member must be defined."
    assert code == "ValidationError"


def test_a_summary_tells_of_a_template_and_of_a_stack(deployed):
    body = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Metadata": {"a": 1},
        "Parameters": {"Size": {"Type": "String", "Default": "s", "AllowedValues": ["s", "m"]}},
        "Resources": {"Jobs": QUEUE, "Role": ROLE},
    }
    from_body = deployed.api.get_template_summary(TemplateBody=json.dumps(body))
    deployed.create("shop", body)
    from_stack = deployed.api.get_template_summary(StackName="shop")
    for found in (from_body, from_stack):
        assert found["ResourceTypes"] == ["AWS::IAM::Role", "AWS::SQS::Queue"]
        assert found["Version"] == "2010-09-09"
        assert json.loads(found["Metadata"]) == {"a": 1}
        [parameter_] = found["Parameters"]
        assert parameter_["ParameterType"] == "String"
        assert parameter_["ParameterConstraints"] == {"AllowedValues": ["s", "m"]}


def test_policies_of_a_stack_are_kept(deployed):
    deployed.create("shop", template())
    document = json.dumps(policy("Update:*"))
    deployed.api.set_stack_policy(StackName="shop", StackPolicyBody=document)
    assert deployed.api.get_stack_policy(StackName="shop")["StackPolicyBody"] == document
