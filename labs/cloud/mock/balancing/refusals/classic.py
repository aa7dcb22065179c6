"""Refusals for Classic Load Balancers, and what moto's records of them get wrong.

Sources: ELB API (2012-06-01), CreateLoadBalancer, Listener, HealthCheck, AddTags,
RegisterInstancesWithLoadBalancer; Classic Load Balancer guide, "Listeners", "Health checks", "Tag
your Classic Load Balancer". Policies and attributes have files of their own.
"""

import functools
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidSubnetIdError
from moto.elb.models import ELBBackend, FakeHealthCheck, FakeListener, LoadBalancer
from moto.elbv2.models import elbv2_backends

from labs.cloud.mock.balancing.refusals.checks import before, in_range, invalid
from labs.cloud.mock.balancing.refusals.classic_attributes import (
    balancer_with_defaults,
    modify_attributes,
)
from labs.cloud.mock.balancing.refusals.classic_checks import (
    SECURE,
    find_listener,
    hook,
    refuse,
    refuse_configuration,
    refuse_name,
)
from labs.cloud.mock.balancing.refusals.policies import POLICY_HOOKS, give_backends, secure
from labs.cloud.mock.hooking import Hook
from labs.loadbalancing.rules import LIMITS

#: Front-end protocols: those that the back end may then speak.
LAYERS = {
    "HTTP": ("HTTP", "HTTPS"),
    "HTTPS": ("HTTP", "HTTPS"),
    "TCP": ("TCP", "SSL"),
    "SSL": ("TCP", "SSL"),
}
MOST_TAGS = 10


# --- Balancers ----------------------------------------------------------------------------------


def check_name(name: str) -> None:
    """At most 32 letters, digits and hyphens; no hyphen at an end."""
    if len(name) > LIMITS["length of a name"].number:
        invalid("LoadBalancer name cannot be longer than 32 characters")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        invalid(
            "LoadBalancer name cannot contain characters that are not letters, or digits or the "
            "dash."
        )
    if name.startswith("-") or name.endswith("-"):
        invalid("LoadBalancer name cannot begin or end with a dash")


def check_request(self: Any) -> None:
    """CreateLoadBalancer as it came. (CloudFormation's names and subnets take another way.)"""
    check_name(self._get_param("LoadBalancerName"))
    check_tags(self, None, self._get_param("Tags", []))
    zones, subnets = self._get_param("AvailabilityZones", []), self._get_param("Subnets", [])
    if not zones and not subnets:
        invalid("Either AvailabilityZones or SubnetIds must be specified")
    if zones and subnets:
        invalid("Only one of SubnetIds or AvailabilityZones parameter may be specified")


def create_load_balancer(original: Callable, _motor: Any) -> Callable:
    """Adds to moto's record: the zones of its subnets, each listener's InstanceProtocol, AWS's
    first health check (TCP to the first listener's instance port), a DNS name of its region.
    """

    @functools.wraps(original)
    def create(
        self: ELBBackend,
        name: str,
        zones: list[str],
        ports: list[dict[str, Any]],
        scheme: str | None = "internet-facing",
        subnets: list[str] | None = None,
        security_groups: list[str] | None = None,
    ) -> LoadBalancer:
        for place, port in enumerate(ports):
            check_listener(self, port)
            check_neighbours(port, [instance_side(other) for other in ports[:place]])
        numbers = [str(port["LoadBalancerPort"]) for port in ports]
        for number in numbers:
            if numbers.count(number) > 1:
                refuse_listener(name, number)
        known = find_zones(self, zones, subnets or ())
        if len(self.load_balancers) >= LIMITS["classic balancers in a region"].number:
            refuse("TooManyLoadBalancers", "The maximum number of load balancers has been reached")
        balancer = original(self, name, zones, ports, scheme, subnets, security_groups)
        balancer.availability_zones = known
        set_instance_protocols(balancer, ports)
        balancer.health_check = default_health_check(ports[0]["InstancePort"])
        balancer.dns_name = dns_name(balancer, self.region_name)
        balancer.canonical_hosted_zone_name_id = "Z2P70J7EXAMPLE"  # as moto has it for elbv2
        first = ec2_of(self).get_security_group_from_id(balancer.security_groups[0])
        balancer.source_group_name = first.name
        give_backends(balancer)
        for listener in balancer.listeners:
            secure(balancer, listener)
        return balancer

    return create


def find_zones(backend: ELBBackend, zones: Sequence[str], subnets: Sequence[str]) -> list[str]:
    """The Availability Zones of a balancer: those asked for, or those of its subnets."""
    ec2 = ec2_of(backend)
    if not subnets:
        for zone in zones:
            if zone not in ec2.get_default_subnets():
                invalid(f"Found the Availability Zone '{zone}', which has no default subnet")
        return sorted(zones)
    try:
        found = [ec2.get_subnet(subnet).availability_zone for subnet in subnets]
    except InvalidSubnetIdError:
        refuse("SubnetNotFound", "One or more of the specified subnets do not exist")
    if len(set(found)) < len(found):
        refuse(
            "InvalidConfigurationRequest",
            "ELB cannot be attached to multiple subnets in the same AZ.",
        )
    return sorted(found)


def ec2_of(backend: ELBBackend) -> Any:
    return elbv2_backends[backend.account_id][backend.region_name].ec2_backend


def default_health_check(port: Any) -> FakeHealthCheck:
    """Every 30 s, 5 s time-out, unhealthy after 2, healthy after 10. Source: "Health checks"."""
    return FakeHealthCheck("5", "10", "2", "30", f"TCP:{port}")


def dns_name(balancer: LoadBalancer, region: str) -> str:
    """name-NUMBER.REGION.elb.amazonaws.com; moto writes us-east-1 whatever the region."""
    number = zlib.crc32(f"{balancer.account_id} {region} {balancer.name}".encode())
    internal = "internal-" if balancer.scheme == "internal" else ""
    return f"{internal}{balancer.name}-{number}.{region}.elb.amazonaws.com"


def require_load_balancer(original: Callable, _motor: Any) -> Callable:
    """Operations on a balancer that is not there: LoadBalancerNotFound, where moto breaks."""

    @functools.wraps(original)
    def get_load_balancer(self: ELBBackend, load_balancer_name: str) -> LoadBalancer:
        return original(self, load_balancer_name) or refuse_name(load_balancer_name)

    return get_load_balancer


def check_names(self: ELBBackend, names: list[str]) -> None:
    for name in names or ():
        if name not in self.load_balancers:
            refuse_name(name)


def check_tags(_self: Any, elb: LoadBalancer | None, tags: Sequence[Mapping[str, str]]) -> None:
    """No key that AWS keeps for itself, and no more tags than moto takes.

    elb: None for one that is to be made. The API's reference says 10 tags, the guide ("Tag your
    Classic Load Balancer") 50.
    """
    for tag in tags:
        if tag["Key"].lower().startswith("aws:"):
            invalid(f"The prefix 'aws:' of tag key '{tag['Key']}' is reserved for AWS use")
    if len({*(elb.tags if elb else ()), *(tag["Key"] for tag in tags)}) > MOST_TAGS:
        refuse("TooManyTags", f"A load balancer can have at most {MOST_TAGS} tags")


def attach_subnets(original: Callable, _motor: Any) -> Callable:
    """The zones follow the subnets; a second subnet in a zone is refused."""

    @functools.wraps(original)
    def attach(self: ELBBackend, load_balancer_name: str, subnets: list[str]) -> list[str]:
        balancer = self.get_load_balancer(load_balancer_name)
        zones = find_zones(self, (), list(dict.fromkeys([*balancer.subnets, *subnets])))
        attached = original(self, load_balancer_name, subnets)
        balancer.availability_zones = zones
        return attached

    return attach


def detach_subnets(original: Callable, _motor: Any) -> Callable:
    """The zones follow the subnets."""

    @functools.wraps(original)
    def detach(self: ELBBackend, load_balancer_name: str, subnets: list[str]) -> list[str]:
        left = original(self, load_balancer_name, subnets)
        self.get_load_balancer(load_balancer_name).availability_zones = find_zones(self, (), left)
        return left

    return detach


# --- Listeners ----------------------------------------------------------------------------------


def listener_with_protocol(original: type[FakeListener], _motor: Any) -> type[FakeListener]:
    """A listener that knows what its instances speak; moto's gives the front-end protocol."""

    class Listener(original):
        instance_protocol = ""

        def __init__(
            self,
            load_balancer_port: str,
            instance_port: str,
            protocol: str,
            ssl_certificate_id: str | None,
        ) -> None:
            super().__init__(load_balancer_port, instance_port, protocol, ssl_certificate_id)
            self.instance_protocol = self.protocol

    return Listener


def instance_protocol(port: Mapping[str, Any]) -> str:
    """Without one, the front-end protocol, as moto has it; AWS's API does not say."""
    return (port.get("InstanceProtocol") or port["Protocol"]).upper()


def set_instance_protocols(balancer: LoadBalancer, ports: Iterable[Mapping[str, Any]]) -> None:
    for port in ports:
        for listener in balancer.listeners:
            if str(listener.load_balancer_port) == str(port["LoadBalancerPort"]):
                listener.instance_protocol = instance_protocol(port)


def check_listener(backend: ELBBackend, port: Mapping[str, Any]) -> None:
    """port: as the API has it, {"Protocol": ..., "LoadBalancerPort": ..., "InstancePort": ...}."""
    protocol, behind = port["Protocol"].upper(), instance_protocol(port)
    if protocol not in LAYERS or behind not in ("HTTP", "HTTPS", "TCP", "SSL"):
        wrong = protocol if protocol not in LAYERS else behind
        refuse("UnsupportedProtocol", f"Protocol '{wrong}' must be HTTP, HTTPS, TCP or SSL")
    if behind not in LAYERS[protocol]:
        invalid(f"Instance protocol '{behind}' and protocol '{protocol}' must be of one layer")
    in_range("loadBalancerPort", port["LoadBalancerPort"], 1, 65535)
    in_range("instancePort", port["InstancePort"], 1, 65535)
    if protocol in SECURE:
        check_certificate(backend, port.get("SSLCertificateId"))


def instance_side(port: Mapping[str, Any]) -> tuple[int, str]:
    return int(port["InstancePort"]), instance_protocol(port)


def check_neighbours(port: Mapping[str, Any], others: Iterable[tuple[int, str]]) -> None:
    """All listeners that lead to one instance port agree whether it is secure (API, Listener)."""
    number, protocol = instance_side(port)
    for other_number, other in others:
        if other_number == number and (other in SECURE) != (protocol in SECURE):
            refuse_configuration(
                f"Instance port {number} cannot have protocol {protocol}: another listener has "
                f"{other} there, and both must be secure or both not"
            )


def check_certificate(backend: ELBBackend, arn: str | None) -> None:
    if not arn:
        invalid("Secure Listeners need to specify a SSLCertificateId")
    if not elbv2_backends[backend.account_id][backend.region_name]._certificate_exists(arn):
        refuse("CertificateNotFound", f"Server Certificate not found for the key: {arn}")


def create_listeners(original: Callable, _motor: Any) -> Callable:
    """The same listener again succeeds, another one on its port does not."""

    @functools.wraps(original)
    def create(self: ELBBackend, name: str, ports: list[dict[str, Any]]) -> LoadBalancer:
        balancer = self.get_load_balancer(name)
        for port in ports:
            check_listener(self, port)
            for listener in balancer.listeners:
                if str(listener.load_balancer_port) == str(port["LoadBalancerPort"]) and (
                    listener.instance_protocol != instance_protocol(port)
                ):
                    refuse_listener(name, str(port["LoadBalancerPort"]))
            check_neighbours(
                port,
                [(int(one.instance_port), one.instance_protocol) for one in balancer.listeners],
            )
        original(self, name, ports)
        set_instance_protocols(balancer, ports)
        give_backends(balancer)
        for listener in balancer.listeners:
            secure(balancer, listener)
        return balancer

    return create


def refuse_listener(name: str, port: str) -> NoReturn:
    refuse(
        "DuplicateListener",
        f"A listener already exists for {name} with LoadBalancerPort {port}, but with a different "
        "InstancePort, Protocol, or SSLCertificateId",
    )


def delete_listeners(original: Callable, _motor: Any) -> Callable:
    """moto keeps what it should delete when there are two ports."""

    @functools.wraps(original)
    def delete(self: ELBBackend, name: str, ports: list[int]) -> LoadBalancer:
        balancer = self.get_load_balancer(name)
        gone = {str(port) for port in ports}
        balancer.listeners = [
            listener
            for listener in balancer.listeners
            if str(listener.load_balancer_port) not in gone
        ]
        return balancer

    return delete


def check_new_certificate(
    self: ELBBackend, name: str, lb_port: Any, ssl_certificate_id: str
) -> None:
    listener = find_listener(self.get_load_balancer(name), lb_port)
    if listener.protocol not in SECURE:
        refuse(
            "InvalidConfigurationRequest",
            f"The listener on port {lb_port} is {listener.protocol}, which has no certificate",
        )
    check_certificate(self, ssl_certificate_id)


# --- Health checks and instances ----------------------------------------------------------------


def check_health_check(
    self: ELBBackend,
    load_balancer_name: str,
    timeout: Any,
    healthy_threshold: Any,
    unhealthy_threshold: Any,
    interval: Any,
    target: str,
) -> None:
    self.get_load_balancer(load_balancer_name)
    in_range("healthCheck.interval", interval, 5, 300)
    in_range("healthCheck.timeout", timeout, 2, 60)
    in_range("healthCheck.healthyThreshold", healthy_threshold, 2, 10)
    in_range("healthCheck.unhealthyThreshold", unhealthy_threshold, 2, 10)
    if int(timeout) >= int(interval):
        invalid(f"HealthCheck timeout {timeout} must be less than the interval {interval}")
    check_target(target)


def check_target(target: str) -> None:
    """TCP:port, SSL:port, HTTP:port/path, HTTPS:port/path."""
    found = re.fullmatch(r"(TCP|SSL|HTTP|HTTPS):(\d{1,5})(/.*)?", target)
    if not found:
        invalid(f"HealthCheck Target '{target}' must be like TCP:80, SSL:443 or HTTP:80/ping")
    protocol, port, path = found.groups()
    if not 1 <= int(port) <= 65535:
        invalid(f"HealthCheck Target '{target}' must have a port from 1 to 65535")
    if protocol in ("HTTP", "HTTPS") and not path:
        invalid(
            f"HealthCheck {protocol} Target must specify a port followed by a path that begins "
            "with a slash. e.g. HTTP:80/ping/this/path"
        )
    if protocol in ("TCP", "SSL") and path:
        invalid(f"HealthCheck {protocol} Target must specify a port and no path")
    if len(path or "") > 1024:
        invalid("HealthCheck Target path can have at most 1024 characters")


def register_instances(original: Callable, _motor: Any) -> Callable:
    """Instances that exist, in the balancer's VPC, each once however often it is registered."""

    @functools.wraps(original)
    def register(
        self: ELBBackend,
        load_balancer_name: str,
        instance_ids: Iterable[str],
        from_autoscaling: bool = False,
    ) -> LoadBalancer:
        balancer = self.get_load_balancer(load_balancer_name)
        ids = list(dict.fromkeys(instance_ids))
        for instance_id in ids:
            check_instance(ec2_of(self).get_instance_by_id(instance_id), instance_id, balancer)
        new = [instance_id for instance_id in ids if instance_id not in balancer.instance_ids]
        return original(self, load_balancer_name, new, from_autoscaling)

    return register


def deregistered_instances(_original: Callable, _motor: Any) -> Callable:
    """DeregisterInstancesFromLoadBalancer answers with the instances that stay."""

    def deregister(self: Any) -> ActionResult:
        balancer = self.elb_backend.deregister_instances(
            self._get_param("LoadBalancerName"),
            [instance["InstanceId"] for instance in self._get_param("Instances", [])],
        )
        return ActionResult({"Instances": balancer.instances})

    return deregister


def check_instance(instance: Any, instance_id: str, balancer: LoadBalancer) -> None:
    if instance is None or instance.state in ("shutting-down", "terminated"):
        refuse("InvalidInstance", f"Could not find EC2 instance {instance_id}.")
    if instance.vpc_id and balancer.vpc_id and instance.vpc_id != balancer.vpc_id:
        refuse("InvalidInstance", f"EC2 instance {instance_id} is not in the same VPC as ELB.")


def registered_instances(_original: Callable, _motor: Any) -> Callable:
    """RegisterInstancesWithLoadBalancer answers with the balancer's instances; moto with none."""

    def register(self: Any) -> ActionResult:
        balancer = self.elb_backend.register_instances(
            self._get_param("LoadBalancerName"),
            [instance["InstanceId"] for instance in self._get_param("Instances", [])],
        )
        return ActionResult({"Instances": balancer.instances})

    return register


CLASSIC_HOOKS: Sequence[Hook] = (
    hook(
        "responses:ELBResponse.create_load_balancer",
        "self",
        "takes bad names, no zones and no subnets",
        before(check_request),
    ),
    hook(
        "models:ELBBackend.create_load_balancer",
        "self name zones ports scheme subnets security_groups",
        "takes any listeners, forgets zones and InstanceProtocol, has no health check",
        create_load_balancer,
    ),
    hook(
        "models:ELBBackend.get_load_balancer",
        "self load_balancer_name",
        "gives None, on which operations break",
        require_load_balancer,
    ),
    hook(
        "models:ELBBackend.attach_load_balancer_to_subnets",
        "self load_balancer_name subnets",
        "leaves the zones as they were",
        attach_subnets,
    ),
    hook(
        "models:ELBBackend.detach_load_balancer_from_subnets",
        "self load_balancer_name subnets",
        "leaves the zones as they were",
        detach_subnets,
    ),
    hook(
        "responses:ELBResponse.modify_load_balancer_attributes",
        "self",
        "takes any values, forgets defaults, tells all",
        modify_attributes,
    ),
    hook(
        "models:LoadBalancer",
        "account_id name zones ports scheme vpc_id subnets security_groups",
        "has other defaults, and the wrong source security group",
        balancer_with_defaults,
    ),
    hook(
        "models:FakeListener",
        "load_balancer_port instance_port protocol ssl_certificate_id",
        "has the front-end protocol for InstanceProtocol",
        listener_with_protocol,
    ),
    hook(
        "models:ELBBackend.create_load_balancer_listeners",
        "self name ports",
        "takes secure listeners without certificate, forgets InstanceProtocol",
        create_listeners,
    ),
    hook(
        "models:ELBBackend.delete_load_balancer_listeners",
        "self name ports",
        "keeps listeners when two are deleted",
        delete_listeners,
    ),
    hook(
        "models:ELBBackend.set_load_balancer_listener_ssl_certificate",
        "self name lb_port ssl_certificate_id",
        "takes any certificate for any listener",
        before(check_new_certificate),
    ),
    hook(
        "models:ELBBackend.configure_health_check",
        "self load_balancer_name timeout healthy_threshold unhealthy_threshold interval target",
        "takes any settings",
        before(check_health_check),
    ),
    hook(
        "models:ELBBackend.register_instances",
        "self load_balancer_name instance_ids from_autoscaling",
        "takes any instances, the same twice",
        register_instances,
    ),
    hook(
        "responses:ELBResponse.register_instances_with_load_balancer",
        "self",
        "answers without instances",
        registered_instances,
    ),
    hook(
        "responses:ELBResponse.deregister_instances_from_load_balancer",
        "self",
        "answers with an empty list for each instance that stays",
        deregistered_instances,
    ),
    hook(
        "models:ELBBackend.describe_load_balancers",
        "self names",
        "names the wrong one when one is not there",
        before(check_names),
    ),
    hook(
        "responses:ELBResponse._add_tags",
        "self elb tags",
        "takes the prefix aws:, has the wrong code for too many",
        before(check_tags),
    ),
    *POLICY_HOOKS,
)
