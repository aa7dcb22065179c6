"""What AWS refuses of load balancers and moto takes: `hooking.install(refusals.HOOKS, None)`.

One file for each subject: `refusals_balancers`, `refusals_listeners` (and rules, with the pure
checks in `refusals_actions` and `refusals_conditions`), `refusals_targets`, `refusals_attributes`,
`refusals_classic`.
"""

from labs.cloud.mock.balancing.refusals_attributes import ATTRIBUTE_HOOKS
from labs.cloud.mock.balancing.refusals_balancers import BALANCER_HOOKS
from labs.cloud.mock.balancing.refusals_classic import CLASSIC_HOOKS
from labs.cloud.mock.balancing.refusals_listeners import LISTENER_HOOKS
from labs.cloud.mock.balancing.refusals_targets import TARGET_HOOKS
from labs.cloud.mock.hooking import Use

HOOKS = (*BALANCER_HOOKS, *LISTENER_HOOKS, *TARGET_HOOKS, *ATTRIBUTE_HOOKS, *CLASSIC_HOOKS)

USES = (
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
        "health_check_timeout_seconds ip_address_type name port protocol target_type targets "
        "vpc_id",
    ),
    Use("moto.elb.models:ELBBackend", "account_id load_balancers region_name"),
    Use("moto.elb.models:FakeHealthCheck", "", "timeout, thresholds, interval, target"),
    Use(
        "moto.elb.models:FakeListener",
        "instance_port load_balancer_port policy_names protocol ssl_certificate_id",
    ),
    Use(
        "moto.elb.models:LoadBalancer",
        "account_id attributes availability_zones backends dns_name health_check instance_ids "
        "instances listeners name policies scheme subnets vpc_id",
    ),
    Use("moto.elb.policies:Policy", "policy_name policy_type_name"),
)
