"""Lesson 12, balance at layer 4 and at layer 7: checks, hints, solutions, wrong answers."""

import json
import math
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any, NamedTuple

from labs.exercises import Exercise, NotTried, NotYet
from labs.loadbalancing.balancers import find

NEEDS = {
    "12.2": ("network", "servers", "urls"),
    "12.3": ("network", "servers", "urls", "listeners"),
    "12.4": ("network", "servers", "urls"),
}


# 12.1: how requests spread


APPS = (900, 60, 30, 12)  # requests, each app on a connection of its own
SERVERS = 6
EACH = sum(APPS) // SERVERS


def check_spread(_aws: Any, layer4: Any, layer7: Any, closing: Any) -> None:
    """Compare with what a balancer deals out that gives each server its turn."""
    if any(answer is None or answer is ... for answer in (layer4, layer7, closing)):
        raise NotYet(
            found="not every question has an answer",
            expected="`at_layer4`, `at_layer7` and `closing`",
            look_at="the exercise cell: which of them still holds three dots?",
        )
    if counts_of(layer4, "at_layer4") != [*APPS, 0, 0]:
        raise NotYet(
            found=f"at layer 4, you let the servers get {in_words(layer4)} requests",
            expected=f"a number for each of the {SERVERS} servers: what comes by the connections"
            " that it was given",
            look_at="the left half of the figure. How many connections are there, how many servers"
            " that take turns, and can a connection change its server?",
        )
    if any(abs(count - EACH) > 1 for count in counts_of(layer7, "at_layer7")):
        raise NotYet(
            found=f"at layer 7, you let the servers get {in_words(layer7)} requests",
            expected=f"all {sum(APPS)} requests, dealt out one by one",
            look_at="the right half of the figure. Does it matter there by which connection a"
            " request comes?",
        )
    most = number_of(closing)
    if most is None or abs(most - EACH) > 1:
        raise NotYet(
            found=f"with a connection for each request, you let the busiest server get"
            f" {in_words(closing)} requests",
            expected="one number: what a server gets when every connection carries one request",
            look_at="how many connections come to the balancer now, and how many of them each"
            " server gets.",
        )


def counts_of(answer: Any, name: str) -> list[float]:
    """A list of as many numbers as there are servers, the largest first. Raises NotYet."""
    numbers = None
    if isinstance(answer, list | tuple) and len(answer) <= 100:
        numbers = [number_of(item) for item in answer]
    if numbers is None or None in numbers:
        raise NotYet(
            found=f"`{name}` is {in_words(answer)}",
            expected=f"a list of {SERVERS} numbers, such as [1, 2, 3, 4, 5, 6]",
            look_at="the exercise cell.",
        )
    if len(numbers) != SERVERS:
        raise NotYet(
            found=f"`{name}` has {len(numbers)} numbers: {in_words(answer)}",
            expected=f"{SERVERS}: one for each server, also for one that gets nothing",
            look_at="how many servers the exercise has, and how many apps.",
        )
    return sorted(numbers, reverse=True)


def number_of(answer: Any) -> float | None:
    """An answer as a number; None for what is none."""
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return None
    return answer if math.isfinite(answer) else None


def in_words(answer: Any) -> str:
    """An answer as it can stand in a sentence."""
    if isinstance(answer, list | tuple) and len(answer) <= 10:
        return f"[{', '.join(map(in_words, answer))}]"
    if number_of(answer) is not None and abs(answer) < 1e9:
        return f"{answer:g}"
    return f'"{answer[:60]}"' if isinstance(answer, str) else f"a {type(answer).__name__}"


def spread_answer(layer4: str, layer7: str, closing: str) -> str:
    """An exercise cell with these answers."""
    return f"at_layer4 = {layer4}\nat_layer7 = {layer7}\nclosing = {closing}\n"


SPREAD_SOLUTION = """\
# Four connections go to four servers and stay there; two servers have nothing to do. At layer 7,
# and where each request has a connection of its own, 1002 turns are taken by six: 167 each.
""" + spread_answer("[900, 60, 30, 12, 0, 0]", "[167] * 6", "167")


# 12.2: a balancer for each need


class Need(NamedTuple):
    """What a team asks for.

    kind, protocols: what answers it. port: of the listener.
    asked: in words. not_by: kind or protocol -> why it does not do; "" for any other.
    """

    kind: str
    protocols: frozenset[str]
    port: int
    asked: str
    not_by: dict[str, str]


UDP_NEEDS_LAYER_4 = "UDP carries no requests that it could read"
NEEDS_OF_TEAMS = {
    "shop": Need(
        "application",
        frozenset({"HTTP", "HTTPS"}),
        80,
        "requests go to one group of servers or another by their path",
        {"network": "it looks at addresses and ports, never at a path"},
    ),
    "chat": Need(
        "application",
        frozenset({"HTTP", "HTTPS"}),
        80,
        "a WebSocket's opening request is sent on by the host name that it asks for",
        {"network": "it would carry a WebSocket, and cannot read for which host it is"},
    ),
    "game": Need(
        "network",
        frozenset({"UDP", "TCP_UDP"}),
        3074,
        "what players send by UDP reaches the servers",
        {
            "application": UDP_NEEDS_LAYER_4,
            "TCP": "a TCP listener hears nothing that comes by UDP",
        },
    ),
    "bank": Need(
        "network",
        frozenset({"TCP", "TCP_UDP"}),
        443,
        "TLS goes through unopened, and ends at the servers",
        {
            "application": "it ends TLS itself, and reads every request",
            "TLS": "a TLS listener decrypts: it needs your certificate in order to",
        },
    ),
    "partner": Need(
        "network",
        frozenset({"TCP", "TLS", "TCP_UDP"}),
        80,
        "two addresses stay the same for as long as the balancer lives",
        {"application": "its addresses come and go with its load"},
    ),
}


def check_choice(aws: Any) -> None:
    """Look at the balancers that bear the teams' names, and at their listeners."""
    elbv2 = aws.client("elbv2")
    teams = {aws.name(team): team for team in NEEDS_OF_TEAMS}
    pages = elbv2.get_paginator("describe_load_balancers").paginate()
    found = {
        teams[balancer["LoadBalancerName"]]: balancer
        for page in pages
        for balancer in page["LoadBalancers"]
        if balancer["LoadBalancerName"] in teams
    }
    if not found:
        raise NotTried
    for team, need in NEEDS_OF_TEAMS.items():
        check_team(elbv2, team, need, found.get(team))


def check_team(elbv2: Any, team: str, need: Need, balancer: dict[str, Any] | None) -> None:
    """Raises NotYet when this balancer does not do what the team asks for."""
    if balancer is None:
        raise NotYet(
            found=f"there is no balancer for {team}, by elbv2",
            expected=f"one: {need.asked}",
            look_at="whether your choice for it is complete, and what the cell printed.",
        )
    kind = balancer["Type"]
    if kind != need.kind:
        raise NotYet(
            found=f"the balancer for {team} is of the kind {kind}: "
            + need.not_by.get(kind, "it does not do this"),
            expected=need.asked,
            look_at="the table above this exercise.",
        )
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    protocols = {listener["Port"]: listener.get("Protocol") for listener in listeners}
    if need.port not in protocols:
        raise NotYet(
            found=f"the balancer for {team} does not listen at port {need.port}",
            expected="a listener there",
            look_at="what the cell printed: AWS says why it refuses a pair of kind and protocol.",
        )
    protocol = protocols[need.port]
    if protocol not in need.protocols:
        raise NotYet(
            found=f"the listener for {team} speaks {protocol}: "
            + need.not_by.get(protocol, "this is not what its clients speak"),
            expected=need.asked,
            look_at="the row *takes* of the table above this exercise.",
        )


CHOICE_CELL = """\
choice = {{
    "shop": ({shop}, 80),
    "chat": ({chat}, 80),
    "game": ({game}, 3074),
    "bank": ({bank}, 443),
    "partner": ({partner}, 80),
}}
for team, (kind, protocol, port) in choice.items():
    if ... not in (kind, protocol):
        try:
            balancers.front(elbv2, aws.name(team), network, kind, protocol, port)
        except elbv2.exceptions.ClientError as refused:
            print(team, refused)
"""
RIGHT_CHOICE = {
    "shop": '"application", "HTTP"',
    "chat": '"application", "HTTP"',
    "game": '"network", "UDP"',
    "bank": '"network", "TCP"',
    "partner": '"network", "TCP"',
}


def choice_answer(**other: str) -> str:
    """An exercise cell with the right choice, but for these teams."""
    return CHOICE_CELL.format(**RIGHT_CHOICE | other)


CHOICE_SOLUTION = """\
# Paths, hosts and opening requests are HTTP: layer 7. UDP, TLS that nobody may open, and addresses
# that never change are what an NLB is for; its TCP listener passes on bytes that it cannot read.
""" + choice_answer()

CHOICE_BY_HAND = """\
def team(name, kind, protocol, port):
    group = elbv2.create_target_group(
        Name=aws.name(f"{name}-g"), Protocol=protocol, Port=port, VpcId=network.vpc_id
    )["TargetGroups"][0]["TargetGroupArn"]
    made = elbv2.create_load_balancer(
        Name=aws.name(name), Type=kind, Subnets=list(network.subnets)
    )["LoadBalancers"][0]["LoadBalancerArn"]
    to = {"Type": "forward", "TargetGroupArn": group}
    elbv2.create_listener(LoadBalancerArn=made, Protocol=protocol, Port=port, DefaultActions=[to])


team("shop", "application", "HTTP", 80)
team("chat", "application", "HTTP", 80)
team("game", "network", "TCP_UDP", 3074)
team("bank", "network", "TCP", 443)
team("partner", "network", "TCP", 80)
"""

CHOICE_WRONG = {
    # It carries anything, so it carries a shop.
    choice_answer(shop='"network", "TCP"'): "never at a path",
    # A WebSocket is a connection, so layer 4.
    choice_answer(chat='"network", "TCP"'): "cannot read for which host",
    # A kind that does not speak the protocol: AWS refuses, and the cell says so.
    choice_answer(game='"application", "UDP"'): "the balancer for game is of the kind application",
    # Players connect, don't they?
    choice_answer(game='"network", "TCP"'): "hears nothing that comes by UDP",
    # HTTPS by its name: ends at the balancer.
    choice_answer(bank='"application", "HTTPS"'): "it ends TLS itself",
    # Secure by its name: refused without a certificate, and would end TLS with one.
    choice_answer(bank='"network", "TLS"'): "does not listen at port 443",
    # The partner speaks HTTP, so the balancer of HTTP.
    choice_answer(partner='"application", "HTTP"'): "its addresses come and go",
}


# 12.3: the client's true address


PATIENCE_SECONDS = 5
HIDDEN = "preserve_client_ip.enabled"


def check_client(aws: Any) -> None:
    """Ask a server through the colleague's balancer, and an ALB, whom they see."""
    elbv2 = aws.client("elbv2")
    balancer = find(elbv2, aws.name("colleague"))
    if balancer is None:
        raise NotTried
    seen = ask(balancer)
    if seen is None:
        raise NotYet(
            found="behind the colleague's balancer, nobody answers a plain HTTP request any more",
            expected="the answer of whoami",
            look_at="whether the balancer still listens at port 80, whether its targets are"
            " healthy, and what else reaches them now, before the request, that their program"
            " does not know.",
        )
    application = find(elbv2, aws.name("application"))
    if application is None or (told := ask(application)) is None:
        raise NotYet(
            found="the Application Load Balancer of section 2 does not answer",
            expected="it tells the check your true address",
            look_at="section 2: run its cells again.",
        )
    true = told["headers"].get("X-Forwarded-For", "").rpartition(",")[2].strip()
    if seen["client"] == true:
        return
    if is_untouched(elbv2, aws.name("colleague"), balancer):
        raise NotTried
    raise NotYet(
        found=f"the servers still see {seen['client']}: the balancer's own address",
        expected="your address, as the Network Load Balancer of section 2 shows it",
        look_at="what the two balancers' listeners forward to, and all that"
        " `elbv2.describe_target_group_attributes` tells of both groups.",
    )


def ask(balancer: dict[str, Any]) -> dict[str, Any] | None:
    """What a server behind a balancer says of the request; None without such an answer."""
    url = f"http://{balancer['DNSName']}/"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
            said = json.load(answer)
    except (OSError, HTTPException, ValueError):
        return None
    return said if isinstance(said, dict) and "client" in said else None


def is_untouched(elbv2: Any, name: str, balancer: dict[str, Any]) -> bool:
    """Is the balancer as the colleague left it? In its group, one attribute was changed."""
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    used = {action.get("TargetGroupArn") for each in listeners for action in each["DefaultActions"]}
    try:
        left = elbv2.describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"]
    except elbv2.exceptions.TargetGroupNotFoundException:
        return False
    return used == {left} and is_default(
        elbv2.describe_target_group_attributes(TargetGroupArn=left)["Attributes"]
    )


def is_default(attributes: Iterable[dict[str, str]]) -> bool:
    """Has nobody switched anything on that is off in a new group?"""
    values = {each["Key"]: each["Value"] for each in attributes}
    switches = (HIDDEN, "proxy_protocol_v2.enabled", "stickiness.enabled")
    return all(values.get(switch, "false") == "false" for switch in switches)


LOOK = """\
balancer = balancers.find(elbv2, aws.name("colleague"))
listener = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"][0]
group = listener["DefaultActions"][0]["TargetGroupArn"]
"""


def with_attributes(**values: str) -> str:
    """An exercise cell that sets attributes of the group; _ in a name stands for a dot."""
    attributes = [{"Key": key.replace("__", "."), "Value": value} for key, value in values.items()]
    return (
        LOOK + f"attributes = {attributes!r}\n"
        "elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)\n"
    )


CLIENT_SOLUTION = (
    "# The group's attribute says whose address its targets see. Packets then carry the client's,\n"
    "# and the servers' program needs to know nothing of the balancer.\n"
    + with_attributes(preserve_client_ip__enabled="true")
)

CLIENT_BY_CLI = (
    LOOK
    + """\
!aws elbv2 modify-target-group-attributes --target-group-arn {group} \\
    --attributes Key=preserve_client_ip.enabled,Value=true
"""
)

NEW_GROUP = """\
group = balancers.target_group(elbv2, aws.name("again"), network, servers, protocol="TCP")
elbv2.modify_listener(
    ListenerArn=listener["ListenerArn"],
    DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
)
balancers.wait_until_healthy(elbv2, [group])
"""

BY_ADDRESS = """\
group = elbv2.create_target_group(
    Name=aws.name("by-address"), Protocol="TCP", Port=80, VpcId=network.vpc_id, TargetType="ip",
    HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
)["TargetGroups"][0]["TargetGroupArn"]
found = ec2.describe_instances(InstanceIds=[server.instance_id for server in servers])
elbv2.register_targets(
    TargetGroupArn=group,
    Targets=[
        {"Id": instance["PrivateIpAddress"]}
        for reservation in found["Reservations"]
        for instance in reservation["Instances"]
    ],
)
elbv2.modify_listener(
    ListenerArn=listener["ListenerArn"],
    DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
)
balancers.wait_until_healthy(elbv2, [group])
"""

CLIENT_WRONG = {
    # A client that comes back to its server is known there, isn't it?
    with_attributes(stickiness__enabled="true", stickiness__type="source_ip"): "still see",
    # The header tells; whoami does not know it, and takes it for a request.
    with_attributes(proxy_protocol_v2__enabled="true"): "nobody answers",
    # Servers by their addresses instead of instances: there, the default is off.
    LOOK + BY_ADDRESS: "still see",
}


EXERCISES = (
    Exercise(
        id="12.1",
        title="foresee how requests spread",
        kind="explain",
        check=check_spread,
        hints=(
            "What is it that a balancer deals out at layer 4, and what at layer 7?",
            "At layer 4, count connections: four of them, for six servers. Each takes all its"
            " requests along.",
            "Where each request is dealt out by itself, or has a connection of its own, add up"
            " all requests and divide them by the servers.",
        ),
        solution=SPREAD_SOLUTION,
        also=(
            spread_answer("[0, 0, 12, 30, 60, 900]", "[1002 / 6] * 6", "1002 / 6"),
            spread_answer("(60, 900, 12, 30, 0, 0)", "(167, 167, 167, 167, 167, 167)", "168"),
        ),
        wrong={
            # Fair at every layer.
            spread_answer("[167] * 6", "[167] * 6", "167"): "can a connection change its server",
            # The idle servers forgotten.
            spread_answer("[900, 60, 30, 12]", "[167] * 6", "167"): "also for one that gets",
            # The busy connection cut in pieces.
            spread_answer("[300, 300, 300, 60, 30, 12]", "[167] * 6", "167"): "at layer 4",
            # Layer 7 as layer 4.
            spread_answer("[900, 60, 30, 12, 0, 0]", "[900, 60, 30, 12, 0, 0]", "167"): (
                "dealt out one by one"
            ),
            # A connection of its own for each request, and still all to one server.
            spread_answer("[900, 60, 30, 12, 0, 0]", "[167] * 6", "900"): "busiest server",
            spread_answer("[900, 60, 30, 12, 0, 0]", "[167] * 6", "..."): "not every question",
            spread_answer("900", "167", "167"): "a list of 6 numbers",
        },
    ),
    Exercise(
        id="12.2",
        title="give each team its balancer",
        kind="build",
        check=check_choice,
        hints=(
            "For each team: must the balancer read a request in order to do what is asked? May it?",
            "Path and host stand in an HTTP request: only what reads HTTP knows them. What has to"
            " stay closed, or is no HTTP at all, is for the other kind.",
            'A "network" balancer listens for TCP, TLS or UDP; with TLS it decrypts, with TCP it'
            ' passes on. An "application" balancer listens for HTTP here. The table says whose'
            " addresses stay.",
        ),
        solution=CHOICE_SOLUTION,
        also=(CHOICE_BY_HAND,),
        wrong=CHOICE_WRONG,
    ),
    Exercise(
        id="12.3",
        title="get the client's true address",
        kind="repair",
        check=check_client,
        hints=(
            "Two balancers of the same kind, the same servers, and another client's address: what"
            " is set differently?",
            "The address that targets see is no matter of the balancer or of its listener, but of"
            " the target group. Compare what `elbv2.describe_target_group_attributes` says of the"
            " two groups.",
            f"`elbv2.modify_target_group_attributes` sets `{HIDDEN}`, with the text"
            ' "true" or "false" as its value.',
        ),
        solution=CLIENT_SOLUTION,
        also=(CLIENT_BY_CLI, LOOK + NEW_GROUP),
        wrong=CLIENT_WRONG,
    ),
)
