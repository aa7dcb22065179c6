"""What a lesson has made, found by the prefix of its names."""

from collections.abc import Callable
from typing import Any


def name_of_instance(reservation: Any) -> str:
    """The Name tag of the instance of a reservation; "" without one, and for one that is gone."""
    for instance in reservation["Instances"]:
        if instance["State"]["Name"] != "terminated":
            for tag in instance.get("Tags", ()):
                if tag["Key"] == "Name":
                    return tag["Value"]
    return ""


#: Service, operation, and how to read a name from what each page holds.
LISTINGS: tuple[tuple[str, str, str, Callable[[Any], str]], ...] = (
    ("apigateway", "get_rest_apis", "items", lambda api: api["name"]),
    ("apigatewayv2", "get_apis", "Items", lambda api: api["Name"]),
    ("dynamodb", "list_tables", "TableNames", str),
    ("ec2", "describe_instances", "Reservations", name_of_instance),
    ("ec2", "describe_security_groups", "SecurityGroups", lambda group: group["GroupName"]),
    (
        "elb",
        "describe_load_balancers",
        "LoadBalancerDescriptions",
        lambda balancer: balancer["LoadBalancerName"],
    ),
    (
        "elbv2",
        "describe_load_balancers",
        "LoadBalancers",
        lambda balancer: balancer["LoadBalancerName"],
    ),
    ("elbv2", "describe_target_groups", "TargetGroups", lambda group: group["TargetGroupName"]),
    ("iam", "list_roles", "Roles", lambda role: role["RoleName"]),
    ("lambda", "list_functions", "Functions", lambda function: function["FunctionName"]),
    ("logs", "describe_log_groups", "logGroups", lambda group: group["logGroupName"]),
    ("s3", "list_buckets", "Buckets", lambda bucket: bucket["Name"]),
    ("sns", "list_topics", "Topics", lambda topic: topic["TopicArn"].rpartition(":")[2]),
    ("sqs", "list_queues", "QueueUrls", lambda url: url.rpartition("/")[2]),
)


def find(client: Callable[[str], Any], prefix: str) -> list[str]:
    """Lines of "service name" for everything whose name begins with the prefix.

    Log groups count too: theirs is the last part of the path that begins with it.
    """
    found = []
    for service, operation, key, name_of in LISTINGS:
        api = client(service)
        pages = (
            api.get_paginator(operation).paginate()
            if api.can_paginate(operation)
            else [getattr(api, operation)()]
        )
        names = [name_of(entry) for page in pages for entry in page.get(key, [])]
        found += [
            f"{service} {name}" for name in names if name.rpartition("/")[2].startswith(prefix)
        ]
    return sorted(found)
