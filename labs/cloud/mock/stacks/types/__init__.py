"""The resource types that this mock makes: each by calls of its own API.

`base` has what they share, the other modules the types of one service each. A module is loaded
when a template first names a type of it.
"""

from __future__ import annotations

import importlib
from functools import cache

from labs.cloud.mock.stacks.types.base import Type

#: Which module has which types, so that none is loaded for nothing. Tests hold it against them.
MODULES = {
    "apigateway": "ApiGateway",
    "apigatewayv2": "ApiGatewayV2",
    "autoscaling": "AutoScaling",
    "beanstalk": "ElasticBeanstalk",
    "cloudformation": "CloudFormation",
    "cloudwatch": "CloudWatch",
    "codepipeline": "CodePipeline",
    "dynamodb": "DynamoDB",
    "ec2": "EC2",
    "elb": "ElasticLoadBalancing",
    "elbv2": "ElasticLoadBalancingV2",
    "events": "Events",
    "functions": "Lambda",
    "iam": "IAM",
    "logs": "Logs",
    "route53": "Route53",
    "s3": "S3",
    "sns": "SNS",
    "sqs": "SQS",
    "ssm": "SSM",
}


class Supported:
    """`name in Supported()`: can the mock make this type?"""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and find(name) is not None


@cache
def find(name: str) -> type[Type] | None:
    """The class that makes this type; None when the mock has none."""
    if name.startswith("Custom::"):
        name = "AWS::CloudFormation::CustomResource"
    family = name.split("::")[1] if name.startswith("AWS::") else ""
    for module, its_family in MODULES.items():
        if its_family == family:
            return of(module).get(name)
    return None


def is_always_updated(name: str) -> bool:
    found = find(name)
    return found is not None and found.is_always_updated


def of(module: str) -> dict[str, type[Type]]:
    """The types of a module, by name."""
    loaded = importlib.import_module(f"{__name__}.{module}")
    return {
        found.name: found
        for found in vars(loaded).values()
        if isinstance(found, type) and issubclass(found, Type) and found.name
    }
