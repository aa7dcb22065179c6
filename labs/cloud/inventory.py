"""What a lesson has made, found by the prefix of its names."""

from collections.abc import Callable, Iterator
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
    (
        "autoscaling",
        "describe_auto_scaling_groups",
        "AutoScalingGroups",
        lambda group: group["AutoScalingGroupName"],
    ),
    ("dynamodb", "list_tables", "TableNames", str),
    ("ec2", "describe_instances", "Reservations", name_of_instance),
    ("ec2", "describe_key_pairs", "KeyPairs", lambda pair: pair["KeyName"]),
    (
        "ec2",
        "describe_launch_templates",
        "LaunchTemplates",
        lambda template: template["LaunchTemplateName"],
    ),
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
    (
        "iam",
        "list_server_certificates",
        "ServerCertificateMetadataList",
        lambda certificate: certificate["ServerCertificateName"],
    ),
    ("lambda", "list_functions", "Functions", lambda function: function["FunctionName"]),
    ("logs", "describe_log_groups", "logGroups", lambda group: group["logGroupName"]),
    ("route53", "list_hosted_zones", "HostedZones", lambda zone: zone["Name"].rstrip(".")),
    ("s3", "list_buckets", "Buckets", lambda bucket: bucket["Name"]),
    ("sns", "list_topics", "Topics", lambda topic: topic["TopicArn"].rpartition(":")[2]),
    ("sqs", "list_queues", "QueueUrls", lambda url: url.rpartition("/")[2]),
)


def find(client: Callable[[str], Any], prefix: str) -> list[str]:
    """Lines of "service name" for everything whose name begins with the prefix.

    Log groups count too: theirs is the last part of the path that begins with it.
    """
    found = [
        (service, name_of(entry))
        for service, operation, key, name_of in LISTINGS
        for entry in listed(client(service), operation, key)
    ]
    found += [("acm", name) for name in certificate_names(client("acm"))]
    return sorted(
        f"{service} {name}" for service, name in found if name.rpartition("/")[2].startswith(prefix)
    )


def listed(api: Any, operation: str, key: str) -> Iterator[Any]:
    """What all pages of an operation hold."""
    if api.can_paginate(operation):
        pages = api.get_paginator(operation).paginate()
    else:
        pages = [getattr(api, operation)()]
    for page in pages:
        yield from page.get(key, [])


def certificate_names(acm: Any) -> Iterator[str]:
    """The Name tag of each certificate; without one, the name that it was made for."""
    for certificate in listed(acm, "list_certificates", "CertificateSummaryList"):
        arn = certificate["CertificateArn"]
        tags = acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]
        named = (tag.get("Value", "") for tag in tags if tag["Key"] == "Name")
        yield next(named, certificate.get("DomainName", ""))
