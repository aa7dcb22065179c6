"""Refusals for the policies of Classic balancers, and what moto gets wrong about them.

Sources: ELB API (2012-06-01), the policy operations; Classic Load Balancer guide, "Update the SSL
negotiation configuration" (the default policy, reserved names), "Configure sticky sessions" (an
HTTPS listener that is given a cookie policy alone keeps a security policy), "Configure Proxy
Protocol support", "Create an HTTPS load balancer" (back-end instance authentication).
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

from moto.core.responses import ActionResult
from moto.elb.models import ELBBackend, FakeBackend, FakeListener, LoadBalancer
from moto.elb.policies import (
    AppCookieStickinessPolicy,
    LbCookieStickinessPolicy,
    OtherPolicy,
    Policy,
)

from labs.cloud.mock.balancing import classic_policies as policies
from labs.cloud.mock.balancing.refusals.checks import before, invalid
from labs.cloud.mock.balancing.refusals.classic_checks import (
    SECURE,
    find_listener,
    hook,
    refuse,
    refuse_configuration,
)
from labs.cloud.mock.hooking import Hook


def type_of(policy: Policy) -> str:
    """The type as AWS names it; moto has names of its own for the two cookie policies."""
    if isinstance(policy, AppCookieStickinessPolicy):
        return policies.APP_COOKIE
    if isinstance(policy, LbCookieStickinessPolicy):
        return policies.LB_COOKIE
    return policy.policy_type_name


def attributes_of(policy: Policy) -> list[tuple[str, str]]:
    """(name, value) pairs. A cookie without a period has 0, the default that the API tells."""
    if isinstance(policy, AppCookieStickinessPolicy):
        return [("CookieName", policy.cookie_name)]
    if isinstance(policy, LbCookieStickinessPolicy):
        return [("CookieExpirationPeriod", str(policy.cookie_expiration_period or 0))]
    given = [
        (one["AttributeName"], one.get("AttributeValue", ""))
        for one in policy.policy_attribute_descriptions
    ]
    reference = dict(given).get(policies.REFERENCE)
    return policies.predefined(reference) if reference in policies.PREDEFINED else given


# --- Making policies ----------------------------------------------------------------------------


def check_new_policy(
    self: ELBBackend, load_balancer_name: str, policy_name: str, *_rest: Any, **_named: Any
) -> None:
    if not re.fullmatch(r"[A-Za-z0-9-]+", policy_name):
        invalid(f"The policy name '{policy_name}' must consist of letters, digits and dashes")
    if policy_name in by_name(self.get_load_balancer(load_balancer_name)):
        refuse(
            "DuplicatePolicyName",
            f"The policy '{policy_name}' already exists for load balancer '{load_balancer_name}'",
        )


def by_name(balancer: LoadBalancer) -> dict[str, Policy]:
    return {policy.policy_name: policy for policy in balancer.policies}


def create_policy(original: Callable, _motor: Any) -> Callable:
    """A policy of a cookie is one however it was made: it shows, and acts, as such."""

    @functools.wraps(original)
    def create(
        self: ELBBackend,
        load_balancer_name: str,
        policy_name: str,
        policy_type_name: str,
        policy_attrs: list[dict[str, str]],
    ) -> LoadBalancer:
        check_new_policy(self, load_balancer_name, policy_name)
        if policy_type_name not in policies.TYPES:
            refuse("PolicyTypeNotFound", f"There is no policy type named '{policy_type_name}'")
        balancer = self.get_load_balancer(load_balancer_name)
        given = [
            (one["AttributeName"], one.get("AttributeValue", "")) for one in policy_attrs or ()
        ]
        check_attributes(policy_type_name, given)
        values = dict(given)
        if policy_type_name == policies.APP_COOKIE:
            name = values["CookieName"]
            return self.create_app_cookie_stickiness_policy(load_balancer_name, policy_name, name)
        if policy_type_name == policies.LB_COOKIE:
            seconds = int(values.get("CookieExpirationPeriod") or 0) or None
            return self.create_lb_cookie_stickiness_policy(load_balancer_name, policy_name, seconds)
        if policy_type_name == policies.SSL_NEGOTIATION:
            check_negotiation(policy_name, values)
        if policy_type_name == policies.BACKEND_AUTHENTICATION:
            check_keys(balancer, [value for _, value in given])
        return original(self, load_balancer_name, policy_name, policy_type_name, policy_attrs)

    return create


def check_attributes(type_name: str, given: Sequence[tuple[str, str]]) -> None:
    """Attributes that the type has, as many as it takes, of the kind that it takes."""
    known = policies.TYPES[type_name].attributes
    for name, value in given:
        if name not in known:
            refuse_configuration(f"'{name}' is not an attribute of policy type '{type_name}'")
        if known[name].type == "Boolean" and value not in ("true", "false"):
            refuse_configuration(f"Attribute '{name}' must be true or false, not '{value}'")
        if known[name].type == "Long" and not value.isdecimal():
            refuse_configuration(f"Attribute '{name}' must be a number, not '{value}'")
    names = [name for name, _ in given]
    for attribute in known.values():
        count = names.count(attribute.name)
        if count == 0 and attribute.cardinality.startswith("ONE"):
            refuse_configuration(f"Policy type '{type_name}' needs attribute '{attribute.name}'")
        if count > 1 and attribute.cardinality.endswith("ONE"):
            refuse_configuration(f"Attribute '{attribute.name}' can have one value only")


def check_negotiation(policy_name: str, values: Mapping[str, str]) -> None:
    """One of AWS's policies, or at least one protocol and one cipher under a name of one's own."""
    reference = values.get(policies.REFERENCE)
    if reference is not None:
        if reference not in policies.PREDEFINED:
            refuse("PolicyNotFound", f"There is no policy with name {reference}")
        return
    if policy_name.startswith(policies.RESERVED_PREFIXES):
        refuse_configuration(f"The name '{policy_name}' is reserved for predefined policies")
    enabled = {name for name, value in values.items() if value == "true"}
    ciphers = enabled - {*policies.PROTOCOLS, *policies.OLD_PROTOCOLS, policies.SERVER_ORDER}
    if not ciphers or not enabled & {*policies.PROTOCOLS, *policies.OLD_PROTOCOLS}:
        refuse_configuration("A security policy must enable at least one protocol and one cipher")


def check_keys(balancer: LoadBalancer, names: Iterable[str]) -> None:
    known = by_name(balancer)
    for name in names:
        if name not in known:
            refuse_policy(balancer, name)
        if type_of(known[name]) != policies.PUBLIC_KEY:
            refuse_configuration(f"The policy '{name}' is not of type {policies.PUBLIC_KEY}")


def refuse_policy(balancer: LoadBalancer, name: str) -> NoReturn:
    refuse(
        "PolicyNotFound", f"There is no policy with name {name} for load balancer {balancer.name}"
    )


# --- Giving them to listeners and instances -----------------------------------------------------


def set_listener_policies(original: Callable, _motor: Any) -> Callable:
    """SetLoadBalancerPoliciesOfListener: a listener and policies that are there, and that fit."""

    @functools.wraps(original)
    def set_policies(self: Any) -> ActionResult:
        balancer = self.elb_backend.get_load_balancer(self._get_param("LoadBalancerName"))
        listener = find_listener(balancer, self._get_param("LoadBalancerPort"))
        wanted = self._get_param("PolicyNames", []) or []
        for policy in found(balancer, wanted):
            check_fit(policy, listener.protocol, policies.LISTENER_PROTOCOLS, "listener")
        answer = original(self)
        secure(balancer, listener)
        return answer

    return set_policies


def set_server_policies(original: Callable, _motor: Any) -> Callable:
    """SetLoadBalancerPoliciesForBackendServer: for the instance port of a listener."""

    @functools.wraps(original)
    def set_policies(self: Any) -> ActionResult:
        balancer = self.elb_backend.get_load_balancer(self._get_param("LoadBalancerName"))
        port, wanted = int(self._get_param("InstancePort")), self._get_param("PolicyNames", [])
        listeners = [one for one in balancer.listeners if int(one.instance_port) == port]
        chosen = found(balancer, wanted or ())
        if not listeners:
            refuse_configuration(f"There is no listener with instance port {port}")
        for policy in chosen:
            protocol = listeners[0].instance_protocol
            check_fit(policy, protocol, policies.INSTANCE_PROTOCOLS, "instance port")
        give_backends(balancer)
        return original(self)

    return set_policies


def found(balancer: LoadBalancer, names: Iterable[str]) -> list[Policy]:
    known = by_name(balancer)
    for name in names:
        if name not in known:
            refuse_policy(balancer, name)
    return [known[name] for name in names]


def check_fit(
    policy: Policy, protocol: str, fitting: Mapping[str, Sequence[str]], what: str
) -> None:
    kind = type_of(policy)
    if kind not in fitting:
        refuse_configuration(f"A policy of type {kind} cannot be set for a {what}")
    if protocol not in fitting[kind]:
        refuse_configuration(
            f"The policy '{policy.policy_name}' of type {kind} can only be set for "
            f"{' and '.join(fitting[kind])}, and this {what} is {protocol}"
        )


def give_backends(balancer: LoadBalancer) -> None:
    """One record for each instance port; moto has two for two listeners, none for later ones."""
    known = {int(backend.instance_port): backend for backend in reversed(balancer.backends)}
    ports = dict.fromkeys(int(listener.instance_port) for listener in balancer.listeners)
    balancer.backends = [known.get(port) or FakeBackend(port) for port in ports]


def secure(balancer: LoadBalancer, listener: FakeListener) -> None:
    """An HTTPS or SSL listener without security policy has the default one."""
    if listener.protocol not in SECURE:
        return
    known, default = by_name(balancer), policies.DEFAULT_SECURITY_POLICY
    kinds = [type_of(known[name]) for name in listener.policy_names if name in known]
    if policies.SSL_NEGOTIATION in kinds:
        return
    if default not in known:
        reference = {"AttributeName": policies.REFERENCE, "AttributeValue": default}
        balancer.policies.append(OtherPolicy(default, policies.SSL_NEGOTIATION, [reference]))
    listener.policy_names = [*listener.policy_names, default]


def check_deleted_policy(self: ELBBackend, lb_name: str, policy_name: str) -> None:
    balancer = self.get_load_balancer(lb_name)
    for user in (*balancer.listeners, *balancer.backends):
        if policy_name in user.policy_names:
            refuse_configuration(
                f"The policy '{policy_name}' is in use by load balancer '{lb_name}'"
            )
    for policy in balancer.policies:
        if ("PublicKeyPolicyName", policy_name) in attributes_of(policy):
            refuse_configuration(
                f"The policy '{policy_name}' is part of the policy '{policy.policy_name}'"
            )


# --- Describing them ----------------------------------------------------------------------------


def describe_policies(_original: Callable, _motor: Any) -> Callable:
    """With a balancer its policies, without one those of AWS."""

    def describe_load_balancer_policies(self: Any) -> ActionResult:
        name, wanted = self._get_param("LoadBalancerName"), self._get_param("PolicyNames", [])
        if name:
            balancer = self.elb_backend.get_load_balancer(name)
            chosen = found(balancer, wanted) if wanted else balancer.policies
            items = [
                policies.described(one.policy_name, type_of(one), attributes_of(one))
                for one in chosen
            ]
        else:
            for policy in wanted or ():
                if policy not in policies.PREDEFINED:
                    refuse("PolicyNotFound", f"There is no policy with name {policy}")
            items = [
                policies.described(one, policies.SSL_NEGOTIATION, policies.predefined(one))
                for one in wanted or policies.PREDEFINED
            ]
        return ActionResult({"PolicyDescriptions": items})

    return describe_load_balancer_policies


def describe_policy_types(self: Any) -> ActionResult:
    """DescribeLoadBalancerPolicyTypes, which moto does not have."""
    wanted = self._get_param("PolicyTypeNames", []) or list(policies.TYPES)
    for name in wanted:
        if name not in policies.TYPES:
            refuse("PolicyTypeNotFound", f"There is no policy type named '{name}'")
    return ActionResult({"PolicyTypeDescriptions": list(map(policies.described_type, wanted))})


POLICY_HOOKS: Sequence[Hook] = (
    hook(
        "models:ELBBackend.create_load_balancer_policy",
        "self load_balancer_name policy_name policy_type_name policy_attrs",
        "takes any type and attributes, ignores a second of a name, hides cookies",
        create_policy,
    ),
    hook(
        "models:ELBBackend.create_app_cookie_stickiness_policy",
        "self load_balancer_name policy_name cookie_name",
        "takes a second of a name",
        before(check_new_policy),
    ),
    hook(
        "models:ELBBackend.create_lb_cookie_stickiness_policy",
        "self load_balancer_name policy_name cookie_expiration_period",
        "takes a second of a name",
        before(check_new_policy),
    ),
    hook(
        "responses:ELBResponse.set_load_balancer_policies_of_listener",
        "self",
        "takes policies that are not there, knows no default security policy",
        set_listener_policies,
    ),
    hook(
        "responses:ELBResponse.set_load_balancer_policies_for_backend_server",
        "self",
        "takes policies that are not there, ignores ports of later listeners",
        set_server_policies,
    ),
    hook(
        "responses:ELBResponse.describe_load_balancer_policies",
        "self",
        "has wrong types and no attributes for cookies, and none of AWS's policies",
        describe_policies,
    ),
    hook(
        "models:ELBBackend.delete_load_balancer_policy",
        "self lb_name policy_name",
        "deletes policies in use",
        before(check_deleted_policy),
    ),
)
