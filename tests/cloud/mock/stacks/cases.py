"""One case for each resource type that the mock makes: made, changed in place, replaced.

Of each: `properties`, then `changed` (an update in place), then `replaced`, where there is one.
`others` are resources that it needs. In them {"Ref": ...} and so on are CloudFormation's own.
"""

from dataclasses import dataclass, field
from typing import Any


def ref(name):
    return {"Ref": name}


def att(name, attribute):
    return {"Fn::GetAtt": [name, attribute]}


def policy(action, resource="*", **more):
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust(service):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


@dataclass(frozen=True)
class Case:
    type: str
    properties: dict[str, Any]
    changed: dict[str, Any] | None = None
    replaced: dict[str, Any] | None = None
    others: dict[str, Any] = field(default_factory=dict)
    #: Attributes that Fn::GetAtt must tell.
    attributes: str = ""
    label: str = ""
    #: Logical ids that it does not refer to, and needs all the same.
    depends: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.type.removeprefix("AWS::") + self.label


def resource(kind, **properties):
    return {"Type": kind, "Properties": properties}


TAGS = [{"Key": "team", "Value": "blue"}, {"Key": "cost", "Value": "7"}]
OTHER_TAGS = [{"Key": "team", "Value": "red"}]
QUEUE = {"Queue": resource("AWS::SQS::Queue")}
TOPIC = {"Topic": resource("AWS::SNS::Topic")}
BUCKET = {"Bucket": resource("AWS::S3::Bucket")}
ROLE = {
    "Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument=trust("lambda")),
}
CODE = "def handler(event, context):\n    return {}\n"
FUNCTION = {
    **ROLE,
    "Function": resource(
        "AWS::Lambda::Function",
        Code={"ZipFile": CODE.format(1)},
        Handler="index.handler",
        Runtime="python3.13",
        Role=att("Role", "Arn"),
    ),
}
VERSION = {**FUNCTION, "Version": resource("AWS::Lambda::Version", FunctionName=ref("Function"))}
SECOND = {**VERSION, "Second": resource("AWS::Lambda::Version", FunctionName=ref("Function"))}

MESSAGING = [
    Case(
        "AWS::SQS::Queue",
        {
            "VisibilityTimeout": 40,
            "DelaySeconds": "5",
            "MessageRetentionPeriod": 600,
            "ReceiveMessageWaitTimeSeconds": 3,
            "RedrivePolicy": {
                "deadLetterTargetArn": att("Dead", "Arn"),
                "maxReceiveCount": 3,
            },
            "Tags": TAGS,
        },
        {"VisibilityTimeout": 50, "Tags": OTHER_TAGS},
        {"QueueName": "another"},
        {"Dead": resource("AWS::SQS::Queue")},
        "Arn QueueName QueueUrl",
    ),
    Case(
        "AWS::SQS::Queue",
        {"FifoQueue": True, "ContentBasedDeduplication": True},
        {"FifoQueue": True, "ContentBasedDeduplication": False},
        label="-fifo",
    ),
    Case(
        "AWS::SQS::QueuePolicy",
        {
            "Queues": [ref("Queue")],
            "PolicyDocument": policy("sqs:SendMessage", att("Queue", "Arn"), Principal="*"),
        },
        {
            "Queues": [ref("Queue")],
            "PolicyDocument": policy("sqs:ReceiveMessage", att("Queue", "Arn"), Principal="*"),
        },
        others=QUEUE,
    ),
    Case(
        "AWS::SNS::Topic",
        {
            "DisplayName": "news",
            "Subscription": [{"Protocol": "sqs", "Endpoint": att("Queue", "Arn")}],
            "Tags": TAGS,
        },
        {"DisplayName": "olds", "Tags": OTHER_TAGS},
        {"TopicName": "another"},
        QUEUE,
        "TopicArn TopicName",
    ),
    Case(
        "AWS::SNS::Subscription",
        {
            "TopicArn": ref("Topic"),
            "Protocol": "sqs",
            "Endpoint": att("Queue", "Arn"),
            "RawMessageDelivery": True,
            "FilterPolicy": {"kind": ["a"]},
        },
        {
            "TopicArn": ref("Topic"),
            "Protocol": "sqs",
            "Endpoint": att("Queue", "Arn"),
            "RawMessageDelivery": False,
        },
        {"TopicArn": ref("Topic"), "Protocol": "email", "Endpoint": "ada@example.com"},
        {**QUEUE, **TOPIC},
    ),
    Case(
        "AWS::SNS::TopicPolicy",
        {
            "Topics": [ref("Topic")],
            "PolicyDocument": policy("sns:Publish", ref("Topic"), Principal="*"),
        },
        {
            "Topics": [ref("Topic")],
            "PolicyDocument": policy("sns:Subscribe", ref("Topic"), Principal="*"),
        },
        others=TOPIC,
    ),
]

STORAGE = [
    Case(
        "AWS::S3::Bucket",
        {
            "VersioningConfiguration": {"Status": "Enabled"},
            "Tags": TAGS,
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                ]
            },
            "CorsConfiguration": {
                "CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAge": 60}]
            },
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "old",
                        "Status": "Enabled",
                        "Prefix": "logs/",
                        "ExpirationInDays": 30,
                    }
                ]
            },
            "WebsiteConfiguration": {"IndexDocument": "index.html", "ErrorDocument": "e.html"},
            "NotificationConfiguration": {
                "QueueConfigurations": [
                    {
                        "Event": "s3:ObjectCreated:*",
                        "Queue": att("Queue", "Arn"),
                        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}]}},
                    }
                ]
            },
        },
        {"VersioningConfiguration": {"Status": "Suspended"}, "Tags": OTHER_TAGS},
        {"BucketName": "another-bucket-of-mine"},
        QUEUE,
        "Arn DomainName RegionalDomainName WebsiteURL",
    ),
    Case(
        "AWS::S3::BucketPolicy",
        {
            "Bucket": ref("Bucket"),
            "PolicyDocument": policy(
                "s3:GetObject", {"Fn::Sub": "arn:aws:s3:::${Bucket}/*"}, Principal="*"
            ),
        },
        {
            "Bucket": ref("Bucket"),
            "PolicyDocument": policy(
                "s3:PutObject", {"Fn::Sub": "arn:aws:s3:::${Bucket}/*"}, Principal="*"
            ),
        },
        others=BUCKET,
    ),
    Case(
        "AWS::DynamoDB::Table",
        {
            "AttributeDefinitions": [
                {"AttributeName": "word", "AttributeType": "S"},
                {"AttributeName": "team", "AttributeType": "S"},
            ],
            "KeySchema": [{"AttributeName": "word", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "by-team",
                    "KeySchema": [{"AttributeName": "team", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
            "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "SSESpecification": {"SSEEnabled": True},
            "Tags": TAGS,
        },
        {
            "AttributeDefinitions": [
                {"AttributeName": "word", "AttributeType": "S"},
            ],
            "KeySchema": [{"AttributeName": "word", "KeyType": "HASH"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 3},
            "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
            "SSESpecification": {"SSEEnabled": True},
            "Tags": OTHER_TAGS,
        },
        {
            "AttributeDefinitions": [{"AttributeName": "name", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
        attributes="Arn StreamArn",
    ),
    Case(
        "AWS::SSM::Parameter",
        {"Type": "String", "Value": "one", "Description": "d", "Tags": {"team": "blue"}},
        {"Type": "String", "Value": "two", "Tags": {"team": "red"}},
        {"Type": "String", "Value": "two", "Name": "/another"},
        attributes="Type Value",
    ),
]

PERMISSIONS = [
    Case(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": trust("lambda"),
            "Description": "for tests",
            "MaxSessionDuration": 7200,
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AmazonSQSFullAccess"],
            "Policies": [
                {"PolicyName": "one", "PolicyDocument": policy("sqs:SendMessage")},
                {"PolicyName": "two", "PolicyDocument": policy("sns:Publish")},
            ],
            "Tags": TAGS,
        },
        {
            "AssumeRolePolicyDocument": trust("ec2"),
            "Policies": [
                {"PolicyName": "two", "PolicyDocument": policy("sns:Subscribe")},
            ],
            "Tags": OTHER_TAGS,
        },
        {"AssumeRolePolicyDocument": trust("ec2"), "Path": "/elsewhere/"},
        attributes="Arn RoleId",
    ),
    Case(
        "AWS::IAM::Policy",
        {"PolicyName": "p", "PolicyDocument": policy("sqs:*"), "Roles": [ref("Role")]},
        {"PolicyName": "q", "PolicyDocument": policy("sns:*"), "Roles": [ref("Role")]},
        others=ROLE,
    ),
    Case(
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": policy("sqs:*"), "Roles": [ref("Role")], "Path": "/a/"},
        {"PolicyDocument": policy("sns:*"), "Path": "/a/"},
        {"PolicyDocument": policy("sns:*"), "Path": "/b/"},
        ROLE,
    ),
    Case(
        "AWS::IAM::InstanceProfile",
        {"Roles": [ref("Role")]},
        {"Roles": [ref("Other")]},
        {"Roles": [ref("Other")], "Path": "/b/"},
        {**ROLE, "Other": ROLE["Role"]},
        "Arn",
    ),
]

FUNCTIONS = [
    Case(
        "AWS::Lambda::Function",
        {
            "Code": {"ZipFile": "def handler(event, context): return 1"},
            "Handler": "index.handler",
            "Runtime": "python3.13",
            "Role": att("Role", "Arn"),
            "Environment": {"Variables": {"COLOUR": "blue"}},
            "MemorySize": 256,
            "Timeout": 9,
            "Description": "d",
            "DeadLetterConfig": {"TargetArn": att("Queue", "Arn")},
            "ReservedConcurrentExecutions": 1,
            "Tags": TAGS,
        },
        {
            "Code": {"ZipFile": "def handler(event, context): return 2"},
            "Handler": "index.handler",
            "Runtime": "python3.13",
            "Role": att("Role", "Arn"),
            "Timeout": 7,
            "Tags": OTHER_TAGS,
        },
        {
            "FunctionName": "another",
            "Code": {"ZipFile": "def handler(event, context): return 2"},
            "Handler": "index.handler",
            "Runtime": "python3.13",
            "Role": att("Role", "Arn"),
        },
        {**ROLE, **QUEUE},
        "Arn",
    ),
    Case(
        "AWS::Lambda::Permission",
        {
            "FunctionName": ref("Function"),
            "Action": "lambda:InvokeFunction",
            "Principal": "sns.amazonaws.com",
            "SourceArn": ref("Topic"),
        },
        None,
        {
            "FunctionName": att("Function", "Arn"),
            "Action": "lambda:InvokeFunction",
            "Principal": "s3.amazonaws.com",
            "SourceAccount": ref("AWS::AccountId"),
        },
        {**FUNCTION, **TOPIC},
    ),
    Case(
        "AWS::Lambda::Version",
        {"FunctionName": ref("Function"), "Description": "first"},
        others=FUNCTION,
        attributes="Version",
    ),
    Case(
        "AWS::Lambda::Alias",
        {
            "FunctionName": ref("Function"),
            "FunctionVersion": att("Version", "Version"),
            "Name": "live",
            "Description": "d",
        },
        {"FunctionName": ref("Function"), "FunctionVersion": "$LATEST", "Name": "live"},
        {"FunctionName": ref("Function"), "FunctionVersion": "$LATEST", "Name": "next"},
        VERSION,
    ),
    Case(
        "AWS::Lambda::EventInvokeConfig",
        {
            "FunctionName": ref("Function"),
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": 1,
            "MaximumEventAgeInSeconds": 60,
        },
        {"FunctionName": ref("Function"), "Qualifier": "$LATEST", "MaximumRetryAttempts": 0},
        others=FUNCTION,
    ),
    Case(
        "AWS::Lambda::EventSourceMapping",
        {"FunctionName": ref("Function"), "EventSourceArn": att("Queue", "Arn"), "BatchSize": 4},
        {
            "FunctionName": ref("Function"),
            "EventSourceArn": att("Queue", "Arn"),
            "BatchSize": 5,
            "Enabled": False,
        },
        None,
        {**FUNCTION, **QUEUE},
        "Id",
    ),
]

WATCHING = [
    Case(
        "AWS::Logs::LogGroup",
        {"RetentionInDays": 7, "Tags": TAGS},
        {"RetentionInDays": 14, "Tags": OTHER_TAGS},
        {"LogGroupName": "/another"},
        attributes="Arn",
    ),
    Case(
        "AWS::CloudWatch::Alarm",
        {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": att("Queue", "QueueName")}],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 5,
            "ComparisonOperator": "GreaterThanThreshold",
            "AlarmActions": [ref("Topic")],
            "TreatMissingData": "notBreaching",
        },
        {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": att("Queue", "QueueName")}],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 2,
            "Threshold": 6.5,
            "ComparisonOperator": "GreaterThanThreshold",
        },
        None,
        {**QUEUE, **TOPIC},
        "Arn",
    ),
    Case(
        "AWS::Events::Rule",
        {
            "EventPattern": {"source": ["aws.s3"]},
            "State": "ENABLED",
            "Targets": [{"Arn": att("Queue", "Arn"), "Id": "queue"}],
        },
        {
            "ScheduleExpression": "rate(5 minutes)",
            "Description": "d",
            "State": "DISABLED",
            "Targets": [{"Arn": ref("Topic"), "Id": "topic", "Input": '{"a": 1}'}],
        },
        {"ScheduleExpression": "rate(5 minutes)", "Name": "another"},
        {**QUEUE, **TOPIC},
        "Arn",
    ),
]

API = {"Api": resource("AWS::ApiGateway::RestApi", Name="api")}
METHOD = {
    "Type": "AWS::ApiGateway::Method",
    "Properties": {
        "RestApiId": ref("Api"),
        "ResourceId": att("Api", "RootResourceId"),
        "HttpMethod": "GET",
        "AuthorizationType": "NONE",
        "Integration": {"Type": "MOCK", "RequestTemplates": {"application/json": "{}"}},
    },
}
DEPLOYMENT = {
    **API,
    "Get": METHOD,
    "Deployment": {
        **resource("AWS::ApiGateway::Deployment", RestApiId=ref("Api")),
        "DependsOn": "Get",
    },
}
HTTP_API = {
    "Api": resource("AWS::ApiGatewayV2::Api", Name="api", ProtocolType="HTTP"),
    "Integration": resource(
        "AWS::ApiGatewayV2::Integration",
        ApiId=ref("Api"),
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="GET",
        IntegrationUri="https://example.com",
        PayloadFormatVersion="1.0",
    ),
}
LAMBDA_URI = {
    "Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
    "${Function.Arn}/invocations"
}

APIS = [
    Case(
        "AWS::ApiGateway::RestApi",
        {"Name": "one", "Description": "d", "BinaryMediaTypes": ["image/png"], "Tags": TAGS},
        {"Name": "two", "Tags": TAGS},
        attributes="RestApiId RootResourceId",
    ),
    Case(
        "AWS::ApiGateway::Resource",
        {"RestApiId": ref("Api"), "ParentId": att("Api", "RootResourceId"), "PathPart": "a"},
        None,
        {"RestApiId": ref("Api"), "ParentId": att("Api", "RootResourceId"), "PathPart": "b"},
        API,
        "ResourceId",
    ),
    Case(
        "AWS::ApiGateway::Method",
        {
            "RestApiId": ref("Api"),
            "ResourceId": att("Api", "RootResourceId"),
            "HttpMethod": "POST",
            "AuthorizationType": "NONE",
            "RequestParameters": {"method.request.querystring.q": True},
            "MethodResponses": [{"StatusCode": "200"}],
            "Integration": {
                "Type": "AWS_PROXY",
                "IntegrationHttpMethod": "POST",
                "Uri": LAMBDA_URI,
            },
        },
        {
            "RestApiId": ref("Api"),
            "ResourceId": att("Api", "RootResourceId"),
            "HttpMethod": "POST",
            "AuthorizationType": "NONE",
            "ApiKeyRequired": True,
            "MethodResponses": [{"StatusCode": "201"}],
            "Integration": {
                "Type": "MOCK",
                "RequestTemplates": {"application/json": "{}"},
                "IntegrationResponses": [{"StatusCode": "201"}],
            },
        },
        None,
        {**API, **FUNCTION},
    ),
    Case(
        "AWS::ApiGateway::Deployment",
        {"RestApiId": ref("Api"), "Description": "one"},
        None,
        {"RestApiId": ref("Api"), "StageName": "prod"},
        DEPLOYMENT,
        "DeploymentId",
        depends=("Get",),
    ),
    Case(
        "AWS::ApiGateway::Stage",
        {
            "RestApiId": ref("Api"),
            "DeploymentId": ref("Deployment"),
            "StageName": "prod",
            "Variables": {"colour": "blue"},
            "Tags": TAGS,
        },
        {
            "RestApiId": ref("Api"),
            "DeploymentId": ref("Deployment"),
            "StageName": "prod",
            "Variables": {"shade": "dark"},
            "Description": "d",
            "Tags": OTHER_TAGS,
        },
        {
            "RestApiId": ref("Api"),
            "DeploymentId": ref("Deployment"),
            "StageName": "test",
        },
        DEPLOYMENT,
    ),
    Case(
        "AWS::ApiGatewayV2::Api",
        {
            "Name": "one",
            "ProtocolType": "HTTP",
            "CorsConfiguration": {"AllowOrigins": ["*"], "AllowMethods": ["GET"]},
            "Tags": {"team": "blue"},
        },
        {
            "Name": "two",
            "ProtocolType": "HTTP",
            "Description": "d",
            "Tags": {"team": "red"},
        },
        attributes="ApiId ApiEndpoint",
    ),
    Case(
        "AWS::ApiGatewayV2::Integration",
        {
            "ApiId": ref("Api"),
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": att("Function", "Arn"),
            "PayloadFormatVersion": "2.0",
            "TimeoutInMillis": 3000,
        },
        {
            "ApiId": ref("Api"),
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": att("Function", "Arn"),
            "PayloadFormatVersion": "1.0",
            "TimeoutInMillis": 4000,
        },
        None,
        {**HTTP_API, **FUNCTION},
    ),
    Case(
        "AWS::ApiGatewayV2::Route",
        {
            "ApiId": ref("Api"),
            "RouteKey": "GET /a",
            "Target": {"Fn::Sub": "integrations/${Integration}"},
        },
        {
            "ApiId": ref("Api"),
            "RouteKey": "GET /b",
            "Target": {"Fn::Sub": "integrations/${Integration}"},
        },
        None,
        HTTP_API,
    ),
    Case(
        "AWS::ApiGatewayV2::Stage",
        {
            "ApiId": ref("Api"),
            "StageName": "$default",
            "AutoDeploy": True,
            "StageVariables": {"colour": "blue"},
        },
        {"ApiId": ref("Api"), "StageName": "$default", "AutoDeploy": True, "Description": "d"},
        {"ApiId": ref("Api"), "StageName": "prod"},
        HTTP_API,
    ),
]

VPC = {"Vpc": resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16")}
ZONE = {"Fn::Select": [0, {"Fn::GetAZs": ""}]}
SECOND_ZONE = {"Fn::Select": [1, {"Fn::GetAZs": ""}]}
SUBNETS = {
    **VPC,
    "One": resource(
        "AWS::EC2::Subnet", VpcId=ref("Vpc"), CidrBlock="10.0.1.0/24", AvailabilityZone=ZONE
    ),
    "Two": resource(
        "AWS::EC2::Subnet",
        VpcId=ref("Vpc"),
        CidrBlock={"Fn::Select": [2, {"Fn::Cidr": [att("Vpc", "CidrBlock"), 3, 8]}]},
        AvailabilityZone=SECOND_ZONE,
    ),
}
GATEWAY = {"Gateway": resource("AWS::EC2::InternetGateway")}
ATTACHED = {
    **VPC,
    **GATEWAY,
    "Attachment": resource(
        "AWS::EC2::VPCGatewayAttachment", VpcId=ref("Vpc"), InternetGatewayId=ref("Gateway")
    ),
}
TABLE = {"Table": resource("AWS::EC2::RouteTable", VpcId=ref("Vpc"))}
GROUP = {
    "Group": resource("AWS::EC2::SecurityGroup", GroupDescription="g", VpcId=ref("Vpc")),
}
OTHER_GROUP = {"Other": GROUP["Group"]}

NETWORK = [
    Case(
        "AWS::EC2::VPC",
        {
            "CidrBlock": "10.0.0.0/16",
            "EnableDnsHostnames": True,
            "EnableDnsSupport": True,
            "Tags": TAGS,
        },
        {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": False, "Tags": OTHER_TAGS},
        {"CidrBlock": "10.1.0.0/16"},
        attributes="VpcId CidrBlock DefaultSecurityGroup",
    ),
    Case(
        "AWS::EC2::Subnet",
        {
            "VpcId": ref("Vpc"),
            "CidrBlock": "10.0.1.0/24",
            "AvailabilityZone": ZONE,
            "MapPublicIpOnLaunch": True,
            "Tags": TAGS,
        },
        {
            "VpcId": ref("Vpc"),
            "CidrBlock": "10.0.1.0/24",
            "AvailabilityZone": ZONE,
            "Tags": OTHER_TAGS,
        },
        {"VpcId": ref("Vpc"), "CidrBlock": "10.0.2.0/24"},
        VPC,
        "SubnetId AvailabilityZone VpcId",
    ),
    Case("AWS::EC2::InternetGateway", {"Tags": TAGS}, {"Tags": OTHER_TAGS}),
    Case(
        "AWS::EC2::VPCGatewayAttachment",
        {"VpcId": ref("Vpc"), "InternetGatewayId": ref("Gateway")},
        others={**VPC, **GATEWAY},
    ),
    Case(
        "AWS::EC2::RouteTable",
        {"VpcId": ref("Vpc"), "Tags": TAGS},
        {"VpcId": ref("Vpc"), "Tags": OTHER_TAGS},
        others=VPC,
        attributes="RouteTableId",
    ),
    Case(
        "AWS::EC2::Route",
        {
            "RouteTableId": ref("Table"),
            "DestinationCidrBlock": "0.0.0.0/0",
            "GatewayId": ref("Gateway"),
        },
        None,
        {
            "RouteTableId": ref("Table"),
            "DestinationCidrBlock": "192.0.2.0/24",
            "GatewayId": ref("Gateway"),
        },
        {**ATTACHED, **TABLE},
    ),
    Case(
        "AWS::EC2::SubnetRouteTableAssociation",
        {"RouteTableId": ref("Table"), "SubnetId": ref("One")},
        None,
        {"RouteTableId": ref("Table"), "SubnetId": ref("Two")},
        {**SUBNETS, **TABLE},
    ),
    Case(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "g",
            "VpcId": ref("Vpc"),
            "SecurityGroupIngress": [
                {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"},
                {
                    "IpProtocol": "tcp",
                    "FromPort": 22,
                    "ToPort": 22,
                    "SourceSecurityGroupId": ref("Other"),
                    "Description": "from inside",
                },
            ],
            "SecurityGroupEgress": [{"IpProtocol": "-1", "CidrIp": "10.0.0.0/16"}],
            "Tags": TAGS,
        },
        {
            "GroupDescription": "g",
            "VpcId": ref("Vpc"),
            "SecurityGroupIngress": [
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"},
            ],
            "Tags": OTHER_TAGS,
        },
        {"GroupDescription": "another", "VpcId": ref("Vpc")},
        {**VPC, **OTHER_GROUP},
        "GroupId VpcId",
    ),
    Case(
        "AWS::EC2::SecurityGroupIngress",
        {
            "GroupId": ref("Group"),
            "IpProtocol": "tcp",
            "FromPort": 80,
            "ToPort": 80,
            "SourceSecurityGroupId": ref("Other"),
        },
        None,
        {
            "GroupId": ref("Group"),
            "IpProtocol": "tcp",
            "FromPort": 81,
            "ToPort": 82,
            "CidrIp": "10.0.0.0/8",
        },
        {**VPC, **GROUP, **OTHER_GROUP},
    ),
    Case(
        "AWS::EC2::SecurityGroupEgress",
        {
            "GroupId": ref("Group"),
            "IpProtocol": "udp",
            "FromPort": 53,
            "ToPort": 53,
            "CidrIp": "10.0.0.0/8",
        },
        None,
        {
            "GroupId": ref("Group"),
            "IpProtocol": "udp",
            "FromPort": 53,
            "ToPort": 53,
            "DestinationSecurityGroupId": ref("Other"),
        },
        {**VPC, **GROUP, **OTHER_GROUP},
    ),
    Case(
        "AWS::EC2::Instance",
        {
            "ImageId": "ami-12c6146b",
            "InstanceType": "t3.micro",
            "SubnetId": ref("One"),
            "SecurityGroupIds": [ref("Group")],
            "UserData": {"Fn::Base64": "#!/bin/sh\necho hello\n"},
            "Tags": TAGS,
        },
        {
            "ImageId": "ami-12c6146b",
            "InstanceType": "t3.small",
            "SubnetId": ref("One"),
            "SecurityGroupIds": [ref("Other")],
            "UserData": {"Fn::Base64": "#!/bin/sh\necho hello\n"},
            "Tags": OTHER_TAGS,
        },
        {"ImageId": "ami-12c6146b", "SubnetId": ref("Two")},
        {**SUBNETS, **GROUP, **OTHER_GROUP},
        "AvailabilityZone PrivateIp",
    ),
    Case(
        "AWS::EC2::LaunchTemplate",
        {"LaunchTemplateData": {"ImageId": "ami-12c6146b", "InstanceType": "t3.micro"}},
        {"LaunchTemplateData": {"ImageId": "ami-12c6146b", "InstanceType": "t3.small"}},
        {"LaunchTemplateName": "another", "LaunchTemplateData": {"ImageId": "ami-12c6146b"}},
        attributes="LatestVersionNumber DefaultVersionNumber",
    ),
]

PUBLIC = {
    **SUBNETS,
    **{name: ATTACHED[name] for name in ("Gateway", "Attachment")},
    **GROUP,
}
LOAD_BALANCER = {
    **PUBLIC,
    "Balancer": {
        **resource(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            Subnets=[ref("One"), ref("Two")],
            SecurityGroups=[ref("Group")],
        ),
        "DependsOn": "Attachment",
    },
}
TARGETS = {
    "Targets": resource(
        "AWS::ElasticLoadBalancingV2::TargetGroup", Port=80, Protocol="HTTP", VpcId=ref("Vpc")
    ),
}
FORWARD = {"Type": "forward", "TargetGroupArn": ref("Targets")}
FIXED = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "no"},
}
LISTENER = {
    "Listener": resource(
        "AWS::ElasticLoadBalancingV2::Listener",
        LoadBalancerArn=ref("Balancer"),
        Port=80,
        Protocol="HTTP",
        DefaultActions=[FIXED],
    ),
}
INSTANCE = {
    "Instance": resource("AWS::EC2::Instance", ImageId="ami-12c6146b", SubnetId=ref("One")),
}

BALANCING = [
    Case(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        {
            "Subnets": [ref("One"), ref("Two")],
            "SecurityGroups": [ref("Group")],
            "Scheme": "internet-facing",
            "LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "30"}],
            "Tags": TAGS,
        },
        {
            "Subnets": [ref("One"), ref("Two")],
            "SecurityGroups": [ref("Other")],
            "Scheme": "internet-facing",
            "LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "40"}],
            "Tags": OTHER_TAGS,
        },
        {"Subnets": [ref("One"), ref("Two")], "Scheme": "internal"},
        {**PUBLIC, **OTHER_GROUP},
        "DNSName CanonicalHostedZoneID LoadBalancerFullName LoadBalancerName",
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        {
            "Port": 80,
            "Protocol": "HTTP",
            "VpcId": ref("Vpc"),
            "HealthCheckPath": "/health",
            "HealthCheckIntervalSeconds": 10,
            "HealthyThresholdCount": 2,
            "Matcher": {"HttpCode": "200-299"},
            "TargetGroupAttributes": [
                {"Key": "deregistration_delay.timeout_seconds", "Value": "30"}
            ],
            "Targets": [{"Id": ref("Instance"), "Port": 8080}],
            "Tags": TAGS,
        },
        {
            "Port": 80,
            "Protocol": "HTTP",
            "VpcId": ref("Vpc"),
            "HealthCheckPath": "/alive",
            "TargetGroupAttributes": [
                {"Key": "deregistration_delay.timeout_seconds", "Value": "0"}
            ],
            "Targets": [{"Id": ref("Instance")}],
            "Tags": OTHER_TAGS,
        },
        {"Port": 81, "Protocol": "HTTP", "VpcId": ref("Vpc")},
        {**SUBNETS, **INSTANCE},
        "TargetGroupFullName TargetGroupName",
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::Listener",
        {
            "LoadBalancerArn": ref("Balancer"),
            "Port": 80,
            "Protocol": "HTTP",
            "DefaultActions": [FORWARD],
        },
        {
            "LoadBalancerArn": ref("Balancer"),
            "Port": 8080,
            "Protocol": "HTTP",
            "DefaultActions": [FIXED],
        },
        None,
        {**LOAD_BALANCER, **TARGETS},
        "ListenerArn",
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        {
            "ListenerArn": ref("Listener"),
            "Priority": 10,
            "Conditions": [{"Field": "path-pattern", "Values": ["/a/*"]}],
            "Actions": [FORWARD],
        },
        {
            "ListenerArn": ref("Listener"),
            "Priority": 20,
            "Conditions": [
                {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example.com"]}}
            ],
            "Actions": [
                {
                    "Type": "redirect",
                    "RedirectConfig": {"StatusCode": "HTTP_301", "Path": "/b", "Port": "81"},
                }
            ],
        },
        None,
        {**LOAD_BALANCER, **TARGETS, **LISTENER},
        "RuleArn",
    ),
    Case(
        "AWS::ElasticLoadBalancing::LoadBalancer",
        {
            "Subnets": [ref("One")],
            "SecurityGroups": [ref("Group")],
            "Listeners": [
                {"LoadBalancerPort": "80", "InstancePort": "8080", "Protocol": "HTTP"},
                {
                    "LoadBalancerPort": "81",
                    "InstancePort": "81",
                    "Protocol": "TCP",
                    "InstanceProtocol": "TCP",
                },
            ],
            "HealthCheck": {
                "Target": "HTTP:8080/",
                "Interval": "10",
                "Timeout": "5",
                "HealthyThreshold": "2",
                "UnhealthyThreshold": "3",
            },
            "Instances": [ref("Instance")],
            "CrossZone": True,
            "ConnectionDrainingPolicy": {"Enabled": True, "Timeout": 20},
            "Tags": TAGS,
        },
        {
            "Subnets": [ref("One")],
            "SecurityGroups": [ref("Other")],
            "Listeners": [
                {"LoadBalancerPort": "80", "InstancePort": "8081", "Protocol": "HTTP"},
            ],
            "HealthCheck": {
                "Target": "HTTP:8081/",
                "Interval": "20",
                "Timeout": "5",
                "HealthyThreshold": "2",
                "UnhealthyThreshold": "3",
            },
            "ConnectionSettings": {"IdleTimeout": 30},
            "Tags": OTHER_TAGS,
        },
        {
            "Subnets": [ref("One")],
            "Scheme": "internal",
            "Listeners": [{"LoadBalancerPort": "80", "InstancePort": "80", "Protocol": "HTTP"}],
        },
        {**PUBLIC, **OTHER_GROUP, **INSTANCE},
        "DNSName SourceSecurityGroup.GroupName",
    ),
    Case(
        "AWS::AutoScaling::AutoScalingGroup",
        {
            "MinSize": "0",
            "MaxSize": "2",
            "DesiredCapacity": "1",
            "LaunchTemplate": {
                "LaunchTemplateId": ref("Template"),
                "Version": att("Template", "LatestVersionNumber"),
            },
            "VPCZoneIdentifier": [ref("One"), ref("Two")],
            "TargetGroupARNs": [ref("Targets")],
            "HealthCheckType": "ELB",
            "HealthCheckGracePeriod": 60,
            "Tags": [{"Key": "team", "Value": "blue", "PropagateAtLaunch": True}],
        },
        {
            "MinSize": "0",
            "MaxSize": "3",
            "DesiredCapacity": "0",
            "LaunchTemplate": {
                "LaunchTemplateId": ref("Template"),
                "Version": att("Template", "LatestVersionNumber"),
            },
            "VPCZoneIdentifier": [ref("One")],
            "Tags": [{"Key": "team", "Value": "red", "PropagateAtLaunch": False}],
        },
        None,
        {
            **SUBNETS,
            **TARGETS,
            "Template": resource(
                "AWS::EC2::LaunchTemplate",
                LaunchTemplateData={"ImageId": "ami-12c6146b", "InstanceType": "t3.micro"},
            ),
        },
    ),
]

ZONES = [
    Case(
        "AWS::Route53::HostedZone",
        {
            "Name": "example.com",
            "HostedZoneConfig": {"Comment": "one"},
            "HostedZoneTags": TAGS,
        },
        {
            "Name": "example.com",
            "HostedZoneConfig": {"Comment": "two"},
            "HostedZoneTags": OTHER_TAGS,
        },
        {"Name": "example.org"},
        attributes="Id",
    ),
    Case(
        "AWS::Route53::RecordSet",
        {
            "HostedZoneId": ref("Zone"),
            "Name": "www.example.com",
            "Type": "A",
            "TTL": "60",
            "ResourceRecords": ["192.0.2.1", "192.0.2.2"],
        },
        {
            "HostedZoneId": ref("Zone"),
            "Name": "www.example.com",
            "Type": "A",
            "TTL": "300",
            "ResourceRecords": ["192.0.2.3"],
        },
        {
            "HostedZoneName": "example.com.",
            "Name": "app.example.com.",
            "Type": "A",
            "AliasTarget": {
                "DNSName": att("Balancer", "DNSName"),
                "HostedZoneId": att("Balancer", "CanonicalHostedZoneID"),
            },
        },
        {**LOAD_BALANCER, "Zone": resource("AWS::Route53::HostedZone", Name="example.com")},
        depends=("Zone",),
    ),
]

CASES = [
    *MESSAGING,
    *STORAGE,
    *PERMISSIONS,
    *FUNCTIONS,
    *WATCHING,
    *APIS,
    *NETWORK,
    *BALANCING,
    *ZONES,
]
