"""What a migration makes, compared with what AWS's documentation says should come out.

Each test writes down what the pages named here say, and knows nothing of how it is brought about:
- "wizard": ELB user guide, "Migrate your Classic Load Balancer" (docs.aws.amazon.com,
  elasticloadbalancing/latest/userguide/migrate-classic-load-balancer.html): kinds, subnets, tags,
  security policies; its older text: the same scheme, subnets, security groups, health check.
- "API": reference of elbv2 (2015-12-01): CreateTargetGroup, CreateLoadBalancer, CreateListener,
  TargetGroupAttribute, LoadBalancerAttribute, ListenerAttribute, with ranges and protocols.
- "utility": the README of application-load-balancer-copy-utility: what it refuses.
- Classic guide: "Configure sticky sessions", "Configure connection draining", "Configure Proxy
  Protocol support", "Create an HTTPS load balancer".
- ALB guide: "Cross-zone load balancing for target groups"; NLB guide: "Update the TCP idle
  timeout", "Target groups" (TLS listeners with TCP or TLS groups).
"""

import re
import subprocess
import sys

import pytest

from labs.loadbalancing.migration import NotFound, Refused, carry_out, plan, read
from tests.loadbalancing.migration.classics import SESSION_COOKIE, WEEK, Balancer, World, listener

REFERENCE = "Reference-Security-Policy"
#: Today's and earlier defaults: of the API, and of the console, which the wizard is part of.
DEFAULT_TLS_POLICIES = {
    "ELBSecurityPolicy-2016-08",
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
}
CHECK = ("HTTP", 80, "/ping", 30, 5, 10, 2)


def migrated(world: World, name: str, **options) -> Balancer:
    """The new balancer, after a plan without problems; instances are registered."""
    made = plan(read(world.clients, name), register_targets=True, **options)
    assert made.problems == ()
    outcome = carry_out(world.clients, made)
    found = world.balancer(name)
    assert set(outcome.target_group_arns) == set(found.groups)
    assert len(outcome.listener_arns) == len(found.listeners)
    return found


def problems(world: World, name: str, **options) -> str:
    """What a plan refuses, as text; carrying it out raises, and writes nothing."""
    made = plan(read(world.clients, name), register_targets=True, **options)
    written = world.calls()
    with pytest.raises(Refused):
        carry_out(world.clients, made)
    assert written == []
    assert world.elbv2.describe_load_balancers()["LoadBalancers"] == []
    for problem in made.problems:
        assert problem.found, problem
        assert problem.do, problem
    return "\n".join(map(str, made.problems))


def adjustments(world: World, name: str, **options) -> str:
    made = plan(read(world.clients, name), register_targets=True, **options)
    return "\n".join(map(str, made.adjustments))


def behind(found: Balancer, number: int):
    """The group that a listener forwards to."""
    return found.groups[found.listeners[number].group]


def shape(found: Balancer) -> dict[int, tuple]:
    """Of each listener: what it speaks, and protocol and port of the group that it leads to."""
    return {
        number: (one.protocol, behind(found, number).protocol, behind(found, number).port)
        for number, one in found.listeners.items()
    }


def at(world: World, port: int) -> frozenset:
    return frozenset((instance, port) for instance in world.instances)


def same_place(world: World, found: Balancer, kind: str) -> None:
    """Wizard: same scheme, subnets and security groups; groups in the VPC, of legal names."""
    assert (found.kind, found.scheme) == (kind, "internet-facing")
    assert found.subnets == set(world.subnets)
    assert found.security_groups == {world.security_group}
    names = [group.name for group in found.groups.values()]
    assert len(set(names)) == len(names)
    for group in found.groups.values():
        assert group.vpc == world.vpc
        assert re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?", group.name)


# --- Application Load Balancers -----------------------------------------------------------------


def test_plain(world):
    world.classic("plain", listener("HTTP", 80, "HTTP", 80))
    found = migrated(world, "plain")
    same_place(world, found, "application")
    assert shape(found) == {80: ("HTTP", "HTTP", 80)}
    assert (found.listeners[80].certificate, found.listeners[80].policy) == (None, None)
    group = behind(found, 80)
    assert group.check == CHECK
    assert group.targets == at(world, 80)
    assert found.attributes["idle_timeout.timeout_seconds"] == "60"
    assert found.attributes["routing.http.desync_mitigation_mode"] == "defensive"
    assert found.attributes["access_logs.s3.enabled"] == "false"
    assert group.attributes["deregistration_delay.timeout_seconds"] == "0"  # it does not drain
    assert group.attributes["stickiness.enabled"] == "false"
    assert group.attributes["load_balancing.cross_zone.enabled"] == "false"  # nor cross zones
    assert (found.tags, group.tags) == ({}, {})


def test_https_to_http(world):
    """One group for both listeners: TLS ends at the balancer. (API, CreateListener)"""
    certificate = world.certificate
    world.classic(
        "shop",
        listener("HTTP", 80, "HTTP", 8080),
        listener("HTTPS", 443, "HTTP", 8080, certificate),
    )
    found = migrated(world, "shop")
    same_place(world, found, "application")
    assert shape(found) == {80: ("HTTP", "HTTP", 8080), 443: ("HTTPS", "HTTP", 8080)}
    assert len(found.groups) == 1
    assert found.listeners[443].certificate == certificate
    assert found.listeners[443].policy == "ELBSecurityPolicy-2016-08"  # what it has today
    assert behind(found, 443).check == CHECK  # the port of the check stays 80
    assert behind(found, 443).targets == at(world, 8080)


def test_many_listeners_to_instance_ports_of_their_own(world):
    """Twelve, more than the utility took. Each instance is in each group, at its port."""
    numbers = range(8001, 8013)
    world.classic("many", *(listener("HTTP", n, "HTTP", n + 1000) for n in numbers))
    found = migrated(world, "many")
    same_place(world, found, "application")
    assert shape(found) == {n: ("HTTP", "HTTP", n + 1000) for n in numbers}
    for n in numbers:
        assert behind(found, n).targets == at(world, n + 1000)
        assert behind(found, n).check == CHECK


def test_https_to_https(world):
    secure = listener("HTTPS", 443, "HTTPS", 8443, world.certificate)
    world.classic("sealed", secure, check=("HTTPS:8443/ok?deep=1", 10, 4, 3, 4))
    found = migrated(world, "sealed")
    assert shape(found) == {443: ("HTTPS", "HTTPS", 8443)}
    assert behind(found, 443).check == ("HTTPS", 8443, "/ok?deep=1", 10, 4, 3, 4)


def test_fast_health_checks(world):
    """Today's least interval is 5 s, time-out and thresholds 2, as Classic's. (API)

    A path that holds the word TCP is still a path.
    """
    world.classic("fast", listener("HTTP", 80, "HTTP", 80), check=("HTTP:80/TCPstatus", 5, 2, 2, 2))
    assert behind(migrated(world, "fast"), 80).check == ("HTTP", 80, "/TCPstatus", 5, 2, 2, 2)


def test_slow_health_checks(world):
    world.classic("slow", listener("HTTP", 80, "HTTP", 80), check=("HTTP:81/", 300, 60, 10, 10))
    assert behind(migrated(world, "slow"), 80).check == ("HTTP", 81, "/", 300, 60, 10, 10)


@pytest.mark.parametrize(("period", "kept"), [(60, 60), (WEEK, WEEK), (WEEK + 1, WEEK)])
def test_a_cookie_of_the_balancer(world, period, kept):
    """API: 1 second to 1 week. Utility: longer ones become a week, and it says so."""
    world.classic("sticky", listener("HTTP", 80, "HTTP", 80), listener("HTTP", 81, "HTTP", 80))
    world.duration_cookie("sticky", 80, period)
    told = adjustments(world, "sticky")
    assert ("604,800" in told or "604800" in told) == (period != kept)
    found = migrated(world, "sticky")
    assert shape(found) == {80: ("HTTP", "HTTP", 80), 81: ("HTTP", "HTTP", 80)}
    assert len(found.groups) == 2  # stickiness is a group's, and only one listener has it
    attributes = behind(found, 80).attributes
    assert attributes["stickiness.enabled"] == "true"
    assert attributes["stickiness.type"] == "lb_cookie"
    assert attributes["stickiness.lb_cookie.duration_seconds"] == str(kept)
    # ALB guide: stickiness is not supported when cross-zone load balancing is off.
    assert attributes["load_balancing.cross_zone.enabled"] != "false"
    assert behind(found, 81).attributes["stickiness.enabled"] == "false"


def test_a_cookie_of_the_browsers_session(world):
    """An ALB's cookie needs a duration (API), so this must be told whatever it becomes."""
    world.classic("browser", listener("HTTP", 80, "HTTP", 80))
    world.duration_cookie("browser", 80, SESSION_COOKIE)
    assert "browser" in adjustments(world, "browser").lower().replace("browser load", "")
    attributes = behind(migrated(world, "browser"), 80).attributes
    assert attributes["stickiness.enabled"] == "true"
    assert 86_400 <= int(attributes["stickiness.lb_cookie.duration_seconds"]) <= WEEK


def test_an_applications_cookie_needs_a_duration(world):
    """Classic: as long as the application's cookie. ALB: app_cookie with a duration. (API)

    Known by the policy's type, not by its name.
    """
    world.classic("app", listener("HTTP", 80, "HTTP", 80))
    world.policy("app", "plain", "AppCookieStickinessPolicyType", {"CookieName": "SID"})
    world.listener_policies("app", 80, "plain")
    assert "SID" in problems(world, "app")
    found = migrated(world, "app", application_cookie_seconds=900)
    attributes = behind(found, 80).attributes
    assert attributes["stickiness.enabled"] == "true"
    assert attributes["stickiness.type"] == "app_cookie"
    assert attributes["stickiness.app_cookie.cookie_name"] == "SID"
    assert attributes["stickiness.app_cookie.duration_seconds"] == "900"
    assert attributes["load_balancing.cross_zone.enabled"] != "false"


def test_a_policy_that_no_listener_has_does_not_matter(world):
    world.classic("unused", listener("HTTP", 80, "HTTP", 80))
    world.policy("unused", "a", "AppCookieStickinessPolicyType", {"CookieName": "SID"})
    world.policy("unused", "key", "PublicKeyPolicyType", {"PublicKey": "MIIB"})
    world.policy(
        "unused", "trust", "BackendServerAuthenticationPolicyType", {"PublicKeyPolicyName": "key"}
    )
    found = migrated(world, "unused")
    assert behind(found, 80).attributes["stickiness.enabled"] == "false"


@pytest.mark.parametrize(
    "name",
    ["ab-" * 10 + "ab", "a-" * 15 + "ab", "abc-" * 7 + "abcd", "x" * 32, "0-0", "Q"],
)
def test_odd_names(world, name):
    """API: at most 32 letters, digits and hyphens, none at an end; groups have names, too.

    Wherever a name is cut, in one of these a dash stands there.
    """
    world.classic(name, listener("HTTP", 80, "HTTP", 80), listener("HTTP", 8080, "HTTP", 8080))
    found = migrated(world, name)
    same_place(world, found, "application")
    assert len(found.groups) == 2


def test_a_name_whose_groups_name_is_taken(world):
    """Whatever name the groups get: an existing group is neither used nor touched."""
    world.classic("taken", listener("HTTP", 80, "HTTP", 80))
    first = migrated(world, "taken")
    [group] = first.groups.values()
    [balancer] = world.elbv2.describe_load_balancers()["LoadBalancers"]
    world.elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    before = world.elbv2.describe_target_groups()["TargetGroups"]
    made = plan(read(world.clients, "taken"))
    if made.problems:
        assert group.name in "\n".join(map(str, made.problems))
    else:
        carry_out(world.clients, made)
        assert group.name not in [one.name for one in world.balancer("taken").groups.values()]
    left = world.elbv2.describe_target_groups(Names=[group.name])["TargetGroups"]
    assert [one["TargetGroupArn"] for one in left] == [before[0]["TargetGroupArn"]]


def test_attributes(world):
    world.classic("tuned", listener("HTTP", 80, "HTTP", 80))
    world.aws.client("s3").create_bucket(Bucket="logs-of-tuned")
    world.attributes(
        "tuned",
        CrossZoneLoadBalancing={"Enabled": True},
        ConnectionDraining={"Enabled": True, "Timeout": 120},
        ConnectionSettings={"IdleTimeout": 300},
        AccessLog={
            "Enabled": True,
            "S3BucketName": "logs-of-tuned",
            "S3BucketPrefix": "web",
            "EmitInterval": 60,
        },
        AdditionalAttributes=[{"Key": "elb.http.desyncmitigationmode", "Value": "strictest"}],
    )
    told = adjustments(world, "tuned").lower()
    assert "minutes" in told  # an ALB has no interval to choose
    found = migrated(world, "tuned")
    attributes = found.attributes
    assert attributes["idle_timeout.timeout_seconds"] == "300"
    assert attributes["routing.http.desync_mitigation_mode"] == "strictest"
    assert attributes["access_logs.s3.enabled"] == "true"
    assert attributes["access_logs.s3.bucket"] == "logs-of-tuned"
    assert attributes["access_logs.s3.prefix"] == "web"
    assert attributes["load_balancing.cross_zone.enabled"] == "true"
    group = behind(found, 80).attributes
    assert group["deregistration_delay.timeout_seconds"] == "120"
    assert group["load_balancing.cross_zone.enabled"] in ("true", "use_load_balancer_configuration")


def test_tags(world):
    """Wizard: those that begin with aws: are not migrated. CloudFormation gives such ones."""
    tags = {"team": "web", "empty": "", "cost centre": "47/11", "awsome": "yes"}
    given = [{"Key": key, "Value": value} for key, value in tags.items()]
    world.classic("tagged", listener("HTTP", 80, "HTTP", 80), Tags=given)

    def of_a_stack(parsed, **_):
        for one in parsed.get("TagDescriptions", ()):
            one["Tags"].append({"Key": "aws:cloudformation:stack-name", "Value": "shop"})

    world.elb.meta.events.register("after-call.elastic-load-balancing.DescribeTags", of_a_stack)
    assert "aws:cloudformation:stack-name" in adjustments(world, "tagged")
    found = migrated(world, "tagged")
    assert found.tags == tags
    assert [group.tags for group in found.groups.values()] == [tags]


def test_security_policies(world):
    """Wizard: a custom or unsupported one is replaced by the default, a known one stays."""
    certificate = world.certificate
    numbers = (443, 444, 445)
    world.classic("tls", *(listener("HTTPS", n, "HTTP", 80, certificate) for n in numbers))
    kept = "ELBSecurityPolicy-TLS-1-2-2017-01"
    kind = "SSLNegotiationPolicyType"
    world.policy("tls", "strict", kind, {REFERENCE: kept})
    custom = {"Protocol-TLSv1.2": "true", "AES128-SHA256": "true"}
    world.policy("tls", "custom", kind, custom)
    world.policy("tls", "old", kind, {REFERENCE: "ELBSecurityPolicy-2011-08"})
    for number, policy in zip(numbers, ("strict", "custom", "old"), strict=True):
        world.listener_policies("tls", number, policy)
    told = adjustments(world, "tls")
    assert "custom" in told
    assert "ELBSecurityPolicy-2011-08" in told
    found = migrated(world, "tls")
    assert found.listeners[443].policy == kept
    assert found.listeners[444].policy in DEFAULT_TLS_POLICIES
    assert found.listeners[445].policy in DEFAULT_TLS_POLICIES
    assert {one.certificate for one in found.listeners.values()} == {certificate}


def test_an_internal_balancer_stays_internal(world):
    world.classic("inside", listener("HTTP", 80, "HTTP", 80), Scheme="internal")
    found = migrated(world, "inside")
    assert found.scheme == "internal"


def test_an_auto_scaling_group_gets_the_target_groups(world):
    """Wizard's older text: attach them to the group, which registers the instances."""
    world.classic("scaled", listener("HTTP", 80, "HTTP", 80), listener("HTTP", 81, "HTTP", 8080))
    scaled = world.scaling_group("fleet", "scaled")
    found = migrated(world, "scaled")
    [group] = world.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert set(group["TargetGroupARNs"]) == set(found.groups)
    assert group["LoadBalancerNames"] == ["scaled"]
    for number, port in ((80, 80), (81, 8080)):
        everyone = {(one, port) for one in [*world.instances, *scaled]}
        assert behind(found, number).targets == everyone


def test_without_registration_the_groups_are_empty(world):
    world.classic("bare", listener("HTTP", 80, "HTTP", 80))
    world.scaling_group("fleet", "bare")
    carry_out(world.clients, plan(read(world.clients, "bare")))
    assert behind(world.balancer("bare"), 80).targets == frozenset()
    [group] = world.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["TargetGroupARNs"] == []


# --- Network Load Balancers ---------------------------------------------------------------------


def test_tcp(world):
    """Wizard: a Network Load Balancer. Its cross-zone setting is the balancer's own. (API)"""
    check = ("TCP:5432", 20, 5, 3, 3)
    world.classic("db", listener("TCP", 5432, "TCP", 5432), check=check)
    world.attributes(
        "db",
        CrossZoneLoadBalancing={"Enabled": True},
        ConnectionSettings={"IdleTimeout": 900},
        ConnectionDraining={"Enabled": True, "Timeout": 40},
    )
    found = migrated(world, "db")
    same_place(world, found, "network")
    assert shape(found) == {5432: ("TCP", "TCP", 5432)}
    group = behind(found, 5432)
    assert group.check == ("TCP", 5432, None, 20, 5, 3, 3)
    assert group.targets == at(world, 5432)
    assert group.attributes["deregistration_delay.timeout_seconds"] == "40"
    assert group.attributes["stickiness.enabled"] == "false"
    assert found.attributes["load_balancing.cross_zone.enabled"] == "true"
    assert found.listeners[5432].attributes["tcp.idle_timeout.seconds"] == "900"


def test_short_idle_time_outs_of_tcp(world):
    """NLB guide: 60 to 6,000 s."""
    world.classic("short", listener("TCP", 25, "TCP", 25), check=("TCP:25", 30, 5, 10, 2))
    world.attributes("short", ConnectionSettings={"IdleTimeout": 30})
    assert "60" in adjustments(world, "short")
    found = migrated(world, "short")
    assert found.listeners[25].attributes["tcp.idle_timeout.seconds"] == "60"
    assert found.attributes["load_balancing.cross_zone.enabled"] == "false"


def test_ssl(world):
    """TLS listeners lead to groups of TCP or TLS (NLB guide); SSL checks are none (API)."""
    certificate = world.certificate
    world.classic(
        "mail",
        listener("SSL", 465, "TCP", 25, certificate),
        listener("SSL", 993, "SSL", 993, certificate),
        listener("TCP", 25, "TCP", 25),
        check=("SSL:993", 30, 10, 5, 5),
    )
    told = adjustments(world, "mail")
    assert "SSL:993" in told
    assert "350" in told  # a TLS listener's idle time-out, which cannot be modified
    found = migrated(world, "mail")
    same_place(world, found, "network")
    assert shape(found) == {
        465: ("TLS", "TCP", 25),
        993: ("TLS", "TLS", 993),
        25: ("TCP", "TCP", 25),
    }
    for number in (465, 993):
        assert found.listeners[number].certificate == certificate
        assert found.listeners[number].policy == "ELBSecurityPolicy-2016-08"
    assert (found.listeners[25].certificate, found.listeners[25].policy) == (None, None)
    for number, port in ((465, 25), (993, 993), (25, 25)):
        assert behind(found, number).targets == at(world, port)
        assert behind(found, number).check == ("TCP", 993, None, 30, 10, 5, 5)


def test_one_subnet_is_enough_for_a_network_load_balancer(world):
    settings = {"Subnets": world.subnets[:1], "check": ("HTTP:80/ping", 30, 5, 10, 2)}
    world.classic("single", listener("TCP", 80, "TCP", 80), **settings)
    found = migrated(world, "single")
    assert (found.kind, found.subnets) == ("network", set(world.subnets[:1]))
    assert behind(found, 80).check == CHECK


def test_the_proxy_protocol_changes_its_version(world):
    """Classic sends version 1, an NLB version 2, "otherwise they might fail" (NLB guide).

    Instances have to change, so either a person is asked first, or it is on and told.
    """
    world.classic("spoken", listener("TCP", 80, "TCP", 80), check=("TCP:80", 30, 5, 10, 2))
    world.policy("spoken", "proxy", "ProxyProtocolPolicyType", {"ProxyProtocol": "true"})
    world.back_end_policies("spoken", 80, "proxy")
    made = plan(read(world.clients, "spoken"))
    if made.problems:
        assert "PROXY" in problems(world, "spoken").upper()
        return
    assert "PROXY" in adjustments(world, "spoken").upper()
    attributes = behind(migrated(world, "spoken"), 80).attributes
    assert attributes["proxy_protocol_v2.enabled"] == "true"


# --- Refusals -----------------------------------------------------------------------------------


def test_tcp_and_http_together_are_refused(world):
    """Utility. An ALB has no TCP, an NLB no HTTP (API, CreateListener)."""
    world.classic("mixed", listener("HTTP", 80, "HTTP", 80), listener("TCP", 25, "TCP", 25))
    told = problems(world, "mixed")
    assert "TCP:25" in told


def test_one_subnet_is_refused(world):
    """Wizard, utility: an Application Load Balancer needs a second one."""
    world.classic("lonely", listener("HTTP", 80, "HTTP", 80), Subnets=world.subnets[:1])
    told = problems(world, "lonely")
    assert "subnet" in told


@pytest.mark.parametrize("target", ["TCP:80", "SSL:80"])
def test_a_check_by_tcp_or_ssl_is_refused_for_an_application_load_balancer(world, target):
    """Utility. API: no TCP checks where the group's protocol is HTTP."""
    world.classic("checked", listener("HTTP", 80, "HTTP", 80), check=(target, 30, 5, 10, 2))
    assert target in problems(world, "checked")


def test_back_end_authentication_is_refused(world):
    """Utility. ALB guide: the certificates of targets are not validated."""
    secure = listener("HTTPS", 443, "HTTPS", 443, world.certificate)
    world.classic("trusting", secure, check=("HTTPS:443/", 30, 5, 10, 2))
    world.policy("trusting", "key", "PublicKeyPolicyType", {"PublicKey": "MIIB"})
    world.policy(
        "trusting", "trust", "BackendServerAuthenticationPolicyType", {"PublicKeyPolicyName": "key"}
    )
    world.back_end_policies("trusting", 443, "trust")
    assert "trust" in problems(world, "trusting")


def test_more_listeners_than_the_account_may_have_are_refused(world):
    """ALB guide, quotas: 50 listeners; a Classic balancer may have 100."""
    world.classic("huge", *(listener("HTTP", n, "HTTP", 80) for n in range(8000, 8051)))
    assert "50" in problems(world, "huge")


def test_a_name_that_elbv2_does_not_take_is_refused(world):
    """API, CreateLoadBalancer: it must not begin with "internal-"."""
    world.classic("internal-tools", listener("HTTP", 80, "HTTP", 80))
    assert "internal-" in problems(world, "internal-tools")


def test_a_name_that_is_there_already_is_refused(world):
    """Utility. API: names are unique among Application and Network Load Balancers."""
    world.classic("twin", listener("HTTP", 80, "HTTP", 80))
    world.elbv2.create_load_balancer(Name="twin", Type="network", Subnets=world.subnets)
    made = plan(read(world.clients, "twin"))
    assert "twin" in "\n".join(map(str, made.problems))


def test_all_problems_are_told_at_once(world):
    certificate = world.certificate
    world.classic(
        "awkward",
        listener("HTTP", 80, "HTTP", 80),
        listener("HTTPS", 443, "HTTPS", 443, certificate),
        Subnets=world.subnets[:1],
        check=("TCP:80", 30, 5, 10, 2),
    )
    world.policy("awkward", "a", "AppCookieStickinessPolicyType", {"CookieName": "SID"})
    world.listener_policies("awkward", 80, "a")
    world.policy("awkward", "key", "PublicKeyPolicyType", {"PublicKey": "MIIB"})
    world.policy(
        "awkward", "trust", "BackendServerAuthenticationPolicyType", {"PublicKeyPolicyName": "key"}
    )
    world.back_end_policies("awkward", 443, "trust")
    told = problems(world, "awkward")
    for words in ("subnet", "TCP:80", "SID", "trust"):
        assert words in told


def test_an_unknown_name_or_another_region_is_not_found(world):
    world.classic("here", listener("HTTP", 80, "HTTP", 80))
    with pytest.raises(NotFound, match="us-east-1"):
        read(world.clients, "there")
    far = type(world.clients)(
        *(world.aws.client(name, region_name="eu-west-1") for name in world.clients._fields)
    )
    with pytest.raises(NotFound, match="eu-west-1"):
        read(far, "here")


# --- From a shell -------------------------------------------------------------------------------


def command(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "labs.loadbalancing.migration", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_makes_what_is_documented(world):
    world.classic(
        "shop",
        listener("HTTP", 80, "HTTP", 80),
        listener("HTTPS", 443, "HTTP", 80, world.certificate),
    )
    here = ("--name", "shop", "--region", "us-east-1", "--register-targets")
    before = world.everything(["shop"])
    tried = command(*here, "--dry-run")
    assert (tried.returncode, tried.stderr) == (0, "")
    assert world.everything(["shop"]) == before
    done = command(*here)
    assert (done.returncode, done.stderr) == (0, "")
    found = world.balancer("shop")
    assert shape(found) == {80: ("HTTP", "HTTP", 80), 443: ("HTTPS", "HTTP", 80)}
    _, _, listed = done.stdout.partition("Target group ARNs:")
    assert all(arn in listed for arn in found.groups)
    assert behind(found, 80).targets == at(world, 80)


def test_the_command_says_no_with_its_exit_status(world):
    world.classic("mixed", listener("HTTP", 80, "HTTP", 80), listener("TCP", 25, "TCP", 25))
    for more in ((), ("--dry-run",)):
        refused = command("--name", "mixed", "--region", "us-east-1", *more)
        assert refused.returncode == 1
        assert "TCP:25" in refused.stdout + refused.stderr
    wrong = command("--name", "mixed", "--region", "eu-west-1")
    assert wrong.returncode == 1
    assert "eu-west-1" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert command("--name", "mixed").returncode == 2
    assert world.elbv2.describe_load_balancers()["LoadBalancers"] == []
