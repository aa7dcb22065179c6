"""Classic balancers that somebody left behind: lesson 15 has them migrated, or finds out why not.

Each function looks at what is there and makes what is missing. Reading on tells what is awkward.
Sources: Elastic Load Balancing API, version 2012-06-01; Classic Load Balancer guide.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Any

from labs.loadbalancing.balancers import CLASSIC_HEALTH_CHECK
from labs.loadbalancing.fleet import Network

Listener = dict[str, Any]
DAY_SECONDS = 86_400
#: Full name of what a lesson makes, from a short one: `aws.name`.
Named = Callable[[str], str]


def old_settings(elb: Any, name: str, *, cookie_days: int, tls: str) -> None:
    """What a balancer of 2016 has: a health check, a cookie at port 80, a TLS policy at port 443.

    tls: the name of a policy that AWS has predefined.
    """
    elb.configure_health_check(LoadBalancerName=name, HealthCheck=CLASSIC_HEALTH_CHECK)
    elb.create_lb_cookie_stickiness_policy(
        LoadBalancerName=name, PolicyName="sticky", CookieExpirationPeriod=cookie_days * DAY_SECONDS
    )
    elb.create_load_balancer_policy(
        LoadBalancerName=name,
        PolicyName="tls",
        PolicyTypeName="SSLNegotiationPolicyType",
        PolicyAttributes=[{"AttributeName": "Reference-Security-Policy", "AttributeValue": tls}],
    )
    use_policy(elb, name, 80, "sticky")
    use_policy(elb, name, 443, "tls")


def three(elb: Any, named: Named, where: Network, certificate_arn: str) -> list[str]:
    """The balancers `games`, `intranet` and `vault`; their full names."""
    games, intranet, vault = (named(name) for name in ("games", "intranet", "vault"))
    if make(elb, games, where, [listener("HTTP", 80), listener("TCP", 7000)]):
        check_health(elb, games, "HTTP:80/health")
    if make(elb, intranet, where, [listener("HTTP", 80)], subnets=where.subnets[:1]):
        check_health(elb, intranet, "TCP:80")
    secure = listener("HTTPS", 443) | {"SSLCertificateId": certificate_arn}
    if make(elb, vault, where, [secure]):
        check_health(elb, vault, "HTTPS:443/health")
        know_back_ends(elb, vault, 443)
    return [games, intranet, vault]


def three_more(elb: Any, named: Named, where: Network) -> list[str]:
    """The balancers `accounts`, `catalogue` and `reports`; their full names."""
    accounts, catalogue, reports = (named(name) for name in ("accounts", "catalogue", "reports"))
    if make(elb, accounts, where, [listener("HTTP", 80)]):
        check_health(elb, accounts, "HTTP:80/health")
        elb.create_app_cookie_stickiness_policy(
            LoadBalancerName=accounts, PolicyName="one-hour", CookieName="SESSION"
        )
        use_policy(elb, accounts, 80, "one-hour")
    if make(elb, catalogue, where, [listener("HTTP", 80)]):
        check_health(elb, catalogue, "HTTP:80/health")
        elb.create_lb_cookie_stickiness_policy(
            LoadBalancerName=catalogue,
            PolicyName="app-session",
            CookieExpirationPeriod=30 * DAY_SECONDS,
        )
        use_policy(elb, catalogue, 80, "app-session")
    if make(elb, reports, where, [listener("HTTP", 80)]):
        check_health(elb, reports, "HTTP:80/TCPstatus")
    return [accounts, catalogue, reports]


def use_policy(elb: Any, name: str, port: int, policy: str) -> None:
    """Let the balancer's listener at this port have this policy, and no other."""
    elb.set_load_balancer_policies_of_listener(
        LoadBalancerName=name, LoadBalancerPort=port, PolicyNames=[policy]
    )


def listener(protocol: str, port: int) -> Listener:
    """One that sends on by the same protocol, to the same port."""
    return {
        "Protocol": protocol,
        "LoadBalancerPort": port,
        "InstanceProtocol": protocol,
        "InstancePort": port,
    }


def make(
    elb: Any,
    name: str,
    where: Network,
    listeners: Sequence[Listener],
    subnets: Sequence[str] | None = None,
) -> bool:
    """A Classic balancer; False for one that was there. subnets: others than the network's."""
    try:
        elb.describe_load_balancers(LoadBalancerNames=[name])
    except elb.exceptions.AccessPointNotFoundException:
        elb.create_load_balancer(
            LoadBalancerName=name,
            Listeners=list(listeners),
            Subnets=list(subnets or where.subnets),
            SecurityGroups=[where.balancers],
        )
        return True
    return False


def check_health(elb: Any, name: str, target: str) -> None:
    """Let the balancer ask its instances in this way, every 30 s."""
    elb.configure_health_check(
        LoadBalancerName=name,
        HealthCheck={
            "Target": target,
            "Interval": 30,
            "Timeout": 5,
            "HealthyThreshold": 2,
            "UnhealthyThreshold": 2,
        },
    )


def know_back_ends(elb: Any, name: str, port: int) -> None:
    """Let the balancer talk to servers of one key only, at this port of theirs."""
    kinds = {"PublicKey": "PublicKeyPolicyType"}
    kinds["PublicKeyPolicyName"] = "BackendServerAuthenticationPolicyType"
    for policy, key, value in (
        ("server-key", "PublicKey", public_key()),
        ("known-servers", "PublicKeyPolicyName", "server-key"),
    ):
        elb.create_load_balancer_policy(
            LoadBalancerName=name,
            PolicyName=policy,
            PolicyTypeName=kinds[key],
            PolicyAttributes=[{"AttributeName": key, "AttributeValue": value}],
        )
    elb.set_load_balancer_policies_for_backend_server(
        LoadBalancerName=name, InstancePort=port, PolicyNames=["known-servers"]
    )


def public_key() -> str:
    """A fresh one, in base64, as a policy takes it: without the lines around it."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048).public_key()
    return base64.b64encode(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode()
