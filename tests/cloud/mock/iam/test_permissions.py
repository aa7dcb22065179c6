"""What calls need. Source: Service Authorization Reference, and as noted in the code."""

import pytest

from labs.cloud.mock.iam.permissions import Permission, needed
from labs.cloud.mock.operations import Operation

HERE = "eu-west-1:123456789012"


def of(service: str, name: str, /, **parameters) -> list[tuple[str, str]]:
    operation = Operation(service, name, parameters, region="eu-west-1")
    return [(p.action, p.resource) for p in needed(operation, "123456789012")]


@pytest.mark.parametrize(
    ("call", "action", "resource"),
    [
        # s3
        (("s3", "GetObject", {"Bucket": "b", "Key": "a/k"}), "s3:GetObject", "arn:aws:s3:::b/a/k"),
        (
            ("s3", "GetObject", {"Bucket": "b", "Key": "k", "VersionId": "v"}),
            "s3:GetObjectVersion",
            "arn:aws:s3:::b/k",
        ),
        (("s3", "HeadObject", {"Bucket": "b", "Key": "k"}), "s3:GetObject", "arn:aws:s3:::b/k"),
        (("s3", "ListObjectsV2", {"Bucket": "b"}), "s3:ListBucket", "arn:aws:s3:::b"),
        (("s3", "HeadBucket", {"Bucket": "b"}), "s3:ListBucket", "arn:aws:s3:::b"),
        (("s3", "UploadPart", {"Bucket": "b", "Key": "k"}), "s3:PutObject", "arn:aws:s3:::b/k"),
        (("s3", "ListBuckets", {}), "s3:ListAllMyBuckets", "*"),
        (("s3", "CreateBucket", {"Bucket": "b"}), "s3:CreateBucket", "arn:aws:s3:::b"),
        # dynamodb
        (
            ("dynamodb", "UpdateItem", {"TableName": "t"}),
            "dynamodb:UpdateItem",
            f"arn:aws:dynamodb:{HERE}:table/t",
        ),
        (
            ("dynamodb", "Query", {"TableName": "t", "IndexName": "i"}),
            "dynamodb:Query",
            f"arn:aws:dynamodb:{HERE}:table/t/index/i",
        ),
        (
            ("dynamodb", "GetItem", {"TableName": "arn:aws:dynamodb:x:1:table/t"}),
            "dynamodb:GetItem",
            "arn:aws:dynamodb:x:1:table/t",
        ),
        (("dynamodb", "ListTables", {}), "dynamodb:ListTables", "*"),
        # sns, sqs
        (("sns", "Publish", {"TopicArn": "arn:t"}), "sns:Publish", "arn:t"),
        (("sns", "PublishBatch", {"TopicArn": "arn:t"}), "sns:Publish", "arn:t"),
        (("sns", "Publish", {"PhoneNumber": "+1"}), "sns:Publish", "*"),
        (("sns", "CreateTopic", {"Name": "t"}), "sns:CreateTopic", f"arn:aws:sns:{HERE}:t"),
        (
            ("sqs", "SendMessageBatch", {"QueueUrl": "http://127.0.0.1:5/999999999999/q"}),
            "sqs:SendMessage",
            "arn:aws:sqs:eu-west-1:999999999999:q",
        ),
        (("sqs", "GetQueueUrl", {"QueueName": "q"}), "sqs:GetQueueUrl", f"arn:aws:sqs:{HERE}:q"),
        # lambda
        (
            ("lambda", "Invoke", {"FunctionName": "f"}),
            "lambda:InvokeFunction",
            f"arn:aws:lambda:{HERE}:function:f",
        ),
        (
            ("lambda", "Invoke", {"FunctionName": "f", "Qualifier": "live"}),
            "lambda:InvokeFunction",
            f"arn:aws:lambda:{HERE}:function:f:live",
        ),
        (
            ("lambda", "Invoke", {"FunctionName": f"arn:aws:lambda:{HERE}:function:f:1"}),
            "lambda:InvokeFunction",
            f"arn:aws:lambda:{HERE}:function:f:1",
        ),
        (
            ("lambda", "GetFunction", {"FunctionName": "123456789012:function:f"}),
            "lambda:GetFunction",
            f"arn:aws:lambda:{HERE}:function:f",
        ),
        (("lambda", "ListFunctions", {}), "lambda:ListFunctions", "*"),
        # logs
        (
            ("logs", "PutLogEvents", {"logGroupName": "/aws/lambda/f", "logStreamName": "s"}),
            "logs:PutLogEvents",
            f"arn:aws:logs:{HERE}:log-group:/aws/lambda/f:log-stream:s",
        ),
        (
            ("logs", "CreateLogGroup", {"logGroupName": "g"}),
            "logs:CreateLogGroup",
            f"arn:aws:logs:{HERE}:log-group:g:log-stream:",
        ),
        # the rest
        (("iam", "GetRole", {"RoleName": "r"}), "iam:GetRole", "arn:aws:iam::123456789012:role/r"),
        (
            ("iam", "AttachRolePolicy", {"RoleName": "r", "PolicyArn": "arn:p"}),
            "iam:AttachRolePolicy",
            "arn:aws:iam::123456789012:role/r",
        ),
        (("sts", "AssumeRole", {"RoleArn": "arn:r"}), "sts:AssumeRole", "arn:r"),
        (
            ("apigateway", "GetResources", {"restApiId": "abc"}),
            "apigateway:GET",
            "arn:aws:apigateway:eu-west-1::/restapis/abc/resources",
        ),
        (
            ("apigatewayv2", "CreateApi", {}),
            "apigateway:POST",
            "arn:aws:apigateway:eu-west-1::/apis",
        ),
        (
            ("ec2", "StopInstances", {"InstanceIds": ["i-1"]}),
            "ec2:StopInstances",
            f"arn:aws:ec2:{HERE}:instance/i-1",
        ),
        (("ec2", "DescribeInstances", {"InstanceIds": ["i-1"]}), "ec2:DescribeInstances", "*"),
        (
            ("elb", "DeleteLoadBalancer", {"LoadBalancerName": "lb"}),
            "elasticloadbalancing:DeleteLoadBalancer",
            f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/lb",
        ),
        (
            ("elbv2", "DescribeTargetHealth", {"TargetGroupArn": "arn:tg"}),
            "elasticloadbalancing:DescribeTargetHealth",
            "*",
        ),
        (
            ("cloudformation", "CreateStack", {"StackName": "s"}),
            "cloudformation:CreateStack",
            f"arn:aws:cloudformation:{HERE}:stack/s/*",
        ),
        (
            ("codepipeline", "PutApprovalResult", {"pipelineName": "p", "stageName": "s"}),
            "codepipeline:PutApprovalResult",
            f"arn:aws:codepipeline:{HERE}:p/s",
        ),
        (
            ("codepipeline", "PutJobSuccessResult", {"jobId": "1"}),
            "codepipeline:PutJobSuccessResult",
            "*",
        ),
        (("cloudwatch", "PutMetricData", {"Namespace": "n"}), "cloudwatch:PutMetricData", "*"),
        (
            ("elasticbeanstalk", "UpdateEnvironment", {"EnvironmentName": "e"}),
            "elasticbeanstalk:UpdateEnvironment",
            f"arn:aws:elasticbeanstalk:{HERE}:environment/*/e",
        ),
        (
            ("stepfunctions", "StartExecution", {"stateMachineArn": "arn:m"}),
            "states:StartExecution",
            "arn:m",
        ),
        (
            ("acm", "DescribeCertificate", {"CertificateArn": "arn:c"}),
            "acm:DescribeCertificate",
            "arn:c",
        ),
        (("kinesis", "ListStreams", {}), "kinesis:ListStreams", "*"),
        (
            ("ssm", "GetParameter", {"Name": "/a/b"}),
            "ssm:GetParameter",
            f"arn:aws:ssm:{HERE}:parameter/a/b",
        ),
    ],
)
def test_one_action_on_one_resource(call, action, resource) -> None:
    service, name, parameters = call

    assert of(service, name, **parameters) == [(action, resource)]


def test_copying_reads_the_source_and_writes_the_destination() -> None:
    expected = [("s3:GetObject", "arn:aws:s3:::from/a b"), ("s3:PutObject", "arn:aws:s3:::to/k")]

    assert of("s3", "CopyObject", Bucket="to", Key="k", CopySource="/from/a%20b") == expected
    assert of("s3", "CopyObject", Bucket="to", Key="k", CopySource="from/a?versionId=1")[0] == (
        "s3:GetObjectVersion",
        "arn:aws:s3:::from/a",
    )


def test_a_batch_needs_every_table_key_and_item() -> None:
    assert of("dynamodb", "BatchGetItem", RequestItems={"a": {}, "b": {}}) == [
        ("dynamodb:BatchGetItem", f"arn:aws:dynamodb:{HERE}:table/a"),
        ("dynamodb:BatchGetItem", f"arn:aws:dynamodb:{HERE}:table/b"),
    ]
    assert of(
        "dynamodb",
        "TransactWriteItems",
        TransactItems=[{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}],
    ) == [
        ("dynamodb:PutItem", f"arn:aws:dynamodb:{HERE}:table/a"),
        ("dynamodb:ConditionCheckItem", f"arn:aws:dynamodb:{HERE}:table/b"),
    ]
    assert of(
        "s3", "DeleteObjects", Bucket="b", Delete={"Objects": [{"Key": "1"}, {"Key": "2"}]}
    ) == [("s3:DeleteObject", "arn:aws:s3:::b/1"), ("s3:DeleteObject", "arn:aws:s3:::b/2")]
    assert len(of("ec2", "StopInstances", InstanceIds=["i-1", "i-2"])) == 2


def test_giving_a_role_to_a_service_needs_pass_role() -> None:
    role = "arn:aws:iam::123456789012:role/r"

    assert of("lambda", "CreateFunction", FunctionName="f", Role=role)[-1] == ("iam:PassRole", role)
    assert of("codepipeline", "CreatePipeline", pipeline={"name": "p", "roleArn": role})[-1] == (
        "iam:PassRole",
        role,
    )


@pytest.mark.parametrize("wrong", [None, 5, "text", ["list"], {"a": "map"}, {"a": {"b": []}}, [{}]])
def test_parameters_of_the_wrong_shape_need_everything(wrong) -> None:
    names = {
        "s3": ("DeleteObjects", "Delete", {"Bucket": "b"}),
        "dynamodb": ("TransactWriteItems", "TransactItems", {}),
        "sqs": ("SendMessage", "QueueUrl", {}),
        "lambda": ("Invoke", "FunctionName", {}),
        "logs": ("PutLogEvents", "logGroupName", {}),
        "codepipeline": ("CreatePipeline", "pipeline", {}),
    }
    for service, (name, parameter, more) in names.items():
        operation = Operation(service, name, {parameter: wrong} | more, region="eu-west-1")

        assert all(isinstance(p, Permission) for p in needed(operation, "123456789012"))
        assert needed(operation, "123456789012")
