"""What AWS refuses of load balancers and moto takes: `refusals.install()`.

One file for each subject: `balancers`, `listeners` (and rules, with the pure
checks in `actions` and `conditions`), `targets`, `attributes`,
`classic` (and `classic_attributes`, `policies`).
"""

from moto.elb.responses import ELBResponse

from labs.cloud.mock import hooking
from labs.cloud.mock.balancing.refusals.attributes import ATTRIBUTE_HOOKS
from labs.cloud.mock.balancing.refusals.balancers import BALANCER_HOOKS
from labs.cloud.mock.balancing.refusals.classic import CLASSIC_HOOKS
from labs.cloud.mock.balancing.refusals.classic_attributes import describe_account_limits
from labs.cloud.mock.balancing.refusals.listeners import LISTENER_HOOKS
from labs.cloud.mock.balancing.refusals.policies import describe_policy_types
from labs.cloud.mock.balancing.refusals.targets import TARGET_HOOKS
from labs.cloud.mock.hooking import Use

HOOKS = (*BALANCER_HOOKS, *LISTENER_HOOKS, *TARGET_HOOKS, *ATTRIBUTE_HOOKS, *CLASSIC_HOOKS)
#: Operations of `elb` that moto does not have.
OPERATIONS = {
    "describe_account_limits": describe_account_limits,
    "describe_load_balancer_policy_types": describe_policy_types,
}


def install() -> None:
    """Put them in place. Once in a process: there is no way back, and no need for one."""
    hooking.install(HOOKS, None)
    for name, operation in OPERATIONS.items():
        setattr(ELBResponse, name, operation)


USES = (
    Use("moto.elb.responses:ELBResponse", "elb_backend _get_param", "gets two operations more"),
    Use("moto.elb.exceptions:ELBClientError", "", "an AWS error, by code and message"),
    Use("moto.elbv2.exceptions:ELBClientError", "", "an AWS error, by code and message"),
    Use("moto.core.responses:ActionResult", "result", "what an operation answers"),
    Use("moto.ec2.exceptions:InvalidSubnetIdError"),
    Use("moto.ec2.exceptions:InvalidVPCIdError"),
    Use("moto.ec2.models.instances:Instance", "id vpc_id"),
    Use("moto.ec2.models.subnets:Subnet", "availability_zone id vpc_id"),
    Use("moto.ec2.models.vpcs:VPC", "cidr_block get_cidr_block_association_set"),
    Use(
        "moto.elbv2.models:ELBv2Backend",
        "ec2_backend load_balancers target_groups _certificate_exists _validate_port_and_protocol",
    ),
    Use("moto.elbv2.models:elbv2_backends", "", "by account and region"),
    Use("moto.elbv2.ssl_policies:SSL_POLICIES", "", "names of the security policies"),
    Use("moto.elbv2.models:ELBv2Backend.describe_listeners", "load_balancer_arn listener_arns"),
    Use("moto.elbv2.models:FakeAction", "data type"),
    Use("moto.elbv2.models:FakeRule", "actions arn is_default listener_arn priority"),
    Use(
        "moto.elbv2.models:FakeListener",
        "certificate certificates default_actions load_balancer_arn port protocol rules",
    ),
    Use(
        "moto.elbv2.models:FakeLoadBalancer",
        "arn attrs ip_address_type listeners name scheme security_groups subnets type vpc_id",
    ),
    Use(
        "moto.elbv2.models:FakeTargetGroup",
        "arn attributes health_check_enabled health_check_interval_seconds "
        "health_check_timeout_seconds ip_address_type load_balancer_arns name port protocol "
        "target_type targets vpc_id",
    ),
    Use("moto.elb.models:ELBBackend", "account_id load_balancers region_name"),
    Use("moto.elb.models:FakeHealthCheck", "", "timeout, thresholds, interval, target"),
    Use("moto.elb.models:FakeBackend", "instance_port policy_names"),
    Use(
        "moto.elb.models:FakeListener",
        "instance_port load_balancer_port policy_names protocol ssl_certificate_id",
    ),
    Use(
        "moto.elb.models:LoadBalancer",
        "account_id attributes availability_zones backends dns_name health_check instance_ids "
        "instances listeners name policies scheme security_groups subnets tags vpc_id",
    ),
    Use("moto.elb.policies:Policy", "policy_name policy_type_name"),
    Use("moto.elb.policies:OtherPolicy", "policy_attribute_descriptions policy_name"),
)
