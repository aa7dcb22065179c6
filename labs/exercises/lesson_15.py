"""Lesson 15, migrate a Classic Load Balancer: checks, hints, solutions, wrong answers.

Sources: ELB user guide, "Migrate your Classic Load Balancer"; Route 53 developer guide, "Weighted
routing"; Application Load Balancer guide, "Delete an Application Load Balancer".
"""

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labs.exercises import Exercise, NotTried, NotYet
from labs.loadbalancing import fleet, migration, traffic, weights
from labs.loadbalancing.staging import moving

if TYPE_CHECKING:
    from pandas import DataFrame

NEEDS = {
    "15.2": ("network", "certificate"),
    "15.3": ("network", "classic"),
    "15.4": ("network", "classic", "new", "group_arns"),
}


# 15.1: which of three is refused, and why

BALANCERS = ("accounts", "catalogue", "reports")
REASONS = ("listeners", "subnets", "health check", "cookie", "server keys")
REFUSED, BECAUSE = "accounts", "cookie"
#: Why somebody thinks so, by balancer and reason, and what is the case.
MISTAKEN = {
    ("reports", "health check"): "its check asks for the page /TCPstatus, and by HTTP",
    ("catalogue", "cookie"): "its cookie is the balancer's own, which becomes shorter and goes",
}
LISTEN = "the three look alike there: HTTP at port 80, to port 80 of the servers"
NOT_SO = {
    "listeners": LISTEN,
    "subnets": "all three stand in two zones",
    "server keys": "none of the three asks its servers for a key",
    "health check": "all three check by HTTP",
}


def check_refused(aws: Any, refused: Any, reason: Any) -> None:
    """Compare with what the three balancers are."""
    if any(answer is None or answer is ... for answer in (refused, reason)):
        raise NotYet(
            found="one of the two questions has no answer",
            expected="`refused` and `reason`",
            look_at="the exercise cell: which of them still holds three dots?",
        )
    short = {aws.name(name): name for name in BALANCERS} | {name: name for name in BALANCERS}
    name, because = short.get(as_text(refused)), as_text(reason).lower()
    if name is None:
        raise NotYet(
            found=f"`refused` is {refused!r:.60}",
            expected=f"the name of one balancer, as a text: {', '.join(map(repr, BALANCERS))}",
            look_at="the exercise cell.",
        )
    if because not in REASONS:
        raise NotYet(
            found=f"`reason` is {reason!r:.60}",
            expected=f"one of {', '.join(map(repr, REASONS))}",
            look_at="the list above the exercise cell.",
        )
    if name != REFUSED:
        raise NotYet(
            found=f"you have {name} refused, for its {because}: "
            + MISTAKEN.get((name, because), NOT_SO.get(because, "it binds nobody by a cookie")),
            expected="the one that asks for something that a new balancer has to be told by you",
            look_at="the health checks, and the type of each policy, not its name.",
        )
    if because != BECAUSE:
        raise NotYet(
            found=f"you have {name} refused for its {because}: {NOT_SO[because]}",
            expected="what the other two do not have",
            look_at="the policies of the three, in what the cell above printed.",
        )


def as_text(answer: Any) -> str:
    """An answer as text; "" for what is none."""
    return answer.strip() if isinstance(answer, str) else ""


def refused_answer(refused: str, reason: str) -> str:
    """An exercise cell with these answers."""
    return f"refused = {refused}\nreason = {reason}\n"


REFUSED_SOLUTION = """\
# Its policy is of the type AppCookieStickinessPolicyType: it follows the application's cookie for
# as long as that lives, and a target group wants a number of seconds. The name does not matter.
""" + refused_answer('"accounts"', '"cookie"')

REFUSED_BY_PLAN = """\
clients = migration.Clients.of(aws)
plans = [migration.plan(migration.read(clients, name)) for name in more]
refused = next(plan.name for plan in plans if plan.problems)
reason = "cookie"
"""


# 15.2: make one migratable

INTRANET = "intranet"
ASKS = "HTTP:80/"  # what the listener speaks to the servers


def check_intranet(aws: Any) -> None:
    """Plan the migration of the balancer `intranet`, as it is now."""
    name = aws.name(INTRANET)
    clients = migration.Clients.of(aws)
    try:
        classic = migration.read(clients, name)
    except migration.NotFound:
        raise NotYet(
            found=f"there is no Classic balancer {name}",
            expected="the one that was there, changed so that it can be migrated",
            look_at="whether the cell that calls `awkward.three` has run; it makes it again.",
        ) from None
    listeners = {(listener.protocol, listener.port) for listener in classic.listeners}
    if is_as_left(classic, listeners):
        raise NotTried
    if ("HTTP", 80) not in listeners:
        raise NotYet(
            found=f"{name} listens with {in_words(listeners)}",
            expected="a listener that speaks HTTP at port 80, as before: its clients need it",
            look_at="the listeners: what is refused is not one of them.",
        )
    problems = migration.plan(alone(classic)).problems
    if problems:
        raise NotYet(
            found=f"the plan still has {len(problems)} problem{'s' * (len(problems) > 1)}: "
            + " ".join(problem.found for problem in problems),
            expected="a plan without problems",
            look_at="what `problem.do` says of each: it names a command of `aws elb`, and boto3"
            " has a method of that name.",
        )
    if not classic.health_check.target.startswith(ASKS):
        raise NotYet(
            found=f"the plan has no problem, and the health check is {classic.health_check.target}",
            expected=f"one that begins with {ASKS}: there the servers answer, and a server that"
            " does not answer its check gets no requests",
            look_at="the listener: by which protocol, and at which port, does it ask the servers?",
        )


def is_as_left(classic: Any, listeners: set[tuple[str, int]]) -> bool:
    """Is it as `awkward.three` left it?"""
    one_subnet = len(classic.subnets) == 1
    return one_subnet and classic.health_check.target == "TCP:80" and listeners == {("HTTP", 80)}


def in_words(listeners: set[tuple[str, int]]) -> str:
    """Listeners as they can stand in a sentence."""
    found = ", ".join(f"{protocol} at port {port}" for protocol, port in sorted(listeners))
    return found or "nothing: it has no listener"


def alone(classic: Any) -> Any:
    """The same, where nobody else has its name: who has migrated it already is done."""
    others = {name: kind for name, kind in classic.room.balancers.items() if name != classic.name}
    return replace(classic, room=classic.room._replace(balancers=others))


ANEW = """\
elb.delete_load_balancer(LoadBalancerName=aws.name("intranet"))  # as it was, for another try
awkward.three(elb, aws.name, network, certificate)
"""
SECOND_SUBNET = """\
elb.attach_load_balancer_to_subnets(
    LoadBalancerName=aws.name("intranet"), Subnets=[network.subnets[1]]
)
"""


def health_check(target: str) -> str:
    """A call that has the balancer check in this way."""
    return f"""\
elb.configure_health_check(
    LoadBalancerName=aws.name("intranet"),
    HealthCheck={{
        "Target": "{target}",
        "Interval": 30,
        "Timeout": 5,
        "HealthyThreshold": 2,
        "UnhealthyThreshold": 2,
    }},
)
"""


INTRANET_SOLUTION = (
    "# An Application Load Balancer needs two zones, and asks for a page instead of a connection.\n"
    + SECOND_SUBNET
    + health_check("HTTP:80/health")
)
INTRANET_BY_CLI = """\
name = aws.name("intranet")
!aws elb attach-load-balancer-to-subnets --load-balancer-name {name} --subnets {network.subnets[1]}
page = "Target=HTTP:80/,Interval=10,Timeout=5,HealthyThreshold=2,UnhealthyThreshold=2"
!aws elb configure-health-check --load-balancer-name {name} --health-check {page}
"""
INTRANET_ANEW = """\
elb.delete_load_balancer(LoadBalancerName=aws.name("intranet"))
awkward.make(elb, aws.name("intranet"), network, [awkward.listener("HTTP", 80)])
""" + health_check("HTTP:80/health")

INTRANET_WRONG = {
    # Begin anew, and forget to.
    'elb.delete_load_balancer(LoadBalancerName=aws.name("intranet"))\n': "no Classic balancer",
    # Without HTTP there are no problems: an NLB takes one subnet, and a TCP check.
    ANEW
    + """\
name = aws.name("intranet")
elb.delete_load_balancer_listeners(LoadBalancerName=name, LoadBalancerPorts=[80])
tcp = awkward.listener("TCP", 80)
elb.create_load_balancer_listeners(LoadBalancerName=name, Listeners=[tcp])
""": "TCP at port 80",
    # The first problem is mended, and nobody looks at the rest.
    ANEW + SECOND_SUBNET: "TCP:80",
    ANEW + health_check("HTTP:80/"): "subnet",
    # More secure than TCP: still no question that a new balancer asks.
    ANEW + SECOND_SUBNET + health_check("SSL:80"): "SSL:80",
    # A page, and the plan is content; but nobody answers at that port.
    ANEW + SECOND_SUBNET + health_check("HTTP:8080/health"): "HTTP:8080/health",
    ANEW + SECOND_SUBNET + health_check("HTTPS:443/health"): "HTTPS:443/health",
    # A subnet more, of the same zone as the first: AWS does not take it.
    ANEW + health_check("HTTP:80/") + SECOND_SUBNET.replace("subnets[1]", "subnets[0]"): "subnet",
}


# 15.3: shift all traffic without a failed request

TEA, SERVERS, NETWORK = "tea", "servers", "web"
PAGE = "/slow/300"
RATE = 20  # requests a second: six of them are always under way
AT_LEAST = 20  # requests before `move` begins, and after it ended
LONGEST_SECONDS = 900


def check_move(aws: Any, move: Any) -> None:
    """Run the learner's function while a client asks, and look at the client's record."""
    if is_empty(move):
        raise NotTried
    if not callable(move):
        raise NotYet(
            found=f"`move` is no function, but of the type {type(move).__name__}",
            expected="a function that takes the half-migrated site",
            look_at="the exercise cell: it defines `move` with `def`.",
        )
    clients, half = prepare(aws)
    with traffic.start(
        half.site.url + PAGE,
        rate=RATE,
        seconds=LONGEST_SECONDS,
        seed=None,
        keep_alive=False,
        target_header="Set-Cookie",
    ) as load:
        moving.wait_for(load, more=AT_LEAST)
        began = load.elapsed
        wrong = error_of(move, half)
        ended = load.elapsed
        moving.wait_for(load, more=AT_LEAST)
    record = load.frame()
    if wrong:
        raise NotYet(
            found=f"`move` stopped with {wrong}",
            expected="that it runs to its end",
            look_at="the call that this is about: run it in a cell of its own, with `tea`.",
        )
    judge_record(record, began, ended)
    judge_state(clients, half)
    judge_end(record, ended)


def prepare(aws: Any) -> tuple[moving.Clients, moving.Half]:
    """The tea shop as the colleague left it. Raises NotYet without the servers of section 1."""
    clients = moving.Clients.of(aws)
    name = aws.name(SERVERS)
    groups = clients.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    if not groups["AutoScalingGroups"]:
        raise NotYet(
            found=f"there is no Auto Scaling group {name}",
            expected="the servers of section 1, which serve the tea shop, too",
            look_at="section 1: run its cells again.",
        )
    network = fleet.network(aws.client("ec2"), aws.name(NETWORK))
    return clients, moving.half_migrated(clients, aws.name(TEA), network, name)


def is_empty(function: Any) -> bool:
    """Has the function nothing in it but a docstring, dots or `pass`?"""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return function is None or function is ...
    body = tree.body[0].body if isinstance(tree.body[0], ast.FunctionDef) else [tree.body[0]]
    return all(
        isinstance(line, ast.Pass)
        or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        for line in body
    )


def error_of(function: Callable[[moving.Half], Any], half: moving.Half) -> str:
    """What a learner's function raised, in words; "" when it came to its end."""
    try:
        function(half)
    except KeyboardInterrupt:
        raise
    except BaseException as wrong:  # SystemExit, too
        return f"{type(wrong).__name__}: {wrong!s:.400}"
    return ""


def judge_record(record: "DataFrame", began: float, ended: float) -> None:
    """Raises NotYet when a request failed."""
    failed = record[moving.answered_by(record) == "failed"]
    if failed.empty:
        return
    began_to_fail = failed.time.min()
    when = (
        "after it ended" if began_to_fail > ended else f"{max(began_to_fail - began, 0):.1f} s in"
    )
    status = int(failed.status.mode()[0])
    error = str(failed[failed.status == status].error.iloc[0])
    raise NotYet(
        found=f"{len(failed)} of {len(record)} requests failed while `move` ran or later, the first"
        f" {when}; most of them: {what_failed(status, error)}",
        expected="that every request is answered, before, during and after",
        look_at=ADVICE.get(status, ADVICE[502]),
    )


def what_failed(status: int, error: str) -> str:
    """A failure in words: a balancer's answer, or none."""
    if status == 503:
        return "503, a balancer that had no server to send it to"
    if status == 502:
        return "502, a balancer that lost the server, or stopped, before the answer was there"
    return f"status {status}" if status else f"no answer ({error[:160] or 'nothing came'})"


ADVICE = {
    0: "where the name still leads when the old balancer goes: a record with weight, or none at"
    " all for a moment, and whether its last requests had been answered.",
    502: "what was still under way at the old balancer when you took it away: the page takes"
    " 300 ms, and requests that it has begun need that time.",
    503: "`elbv2.describe_target_health` of `tea.group_arn` before the first weight: who is there"
    " to answer? And at the old balancer: who still sends requests to it?",
}


def judge_state(clients: moving.Clients, half: moving.Half) -> None:
    """Raises NotYet unless the old balancer is gone, and the name leads to the new one only."""
    old = weights.weight_of(clients.route53, half.site, "old")
    new = weights.weight_of(clients.route53, half.site, "new")
    if old or not new:
        raise NotYet(
            found=f"the name leads to the old balancer with weight {old}, to the new one with"
            f" weight {new}",
            expected="all of it at the new one",
            look_at="`route53.list_resource_record_sets`, and how two weights make a share.",
        )
    if is_there(clients.elb, half.classic):
        raise NotYet(
            found=f"no request failed, and the old balancer {half.classic} is still there",
            expected="that it is gone: it costs as much as before",
            look_at="`elb.describe_load_balancers`.",
        )


def is_there(elb: Any, name: str) -> bool:
    """Is there a Classic balancer of this name?"""
    try:
        elb.describe_load_balancers(LoadBalancerNames=[name])
    except elb.exceptions.AccessPointNotFoundException:
        return False
    return True


def judge_end(record: "DataFrame", ended: float) -> None:
    """Raises NotYet unless the new balancer answered what came when all was done."""
    after = moving.answered_by(record)[record.time > ended]
    if after.empty or (after != "new").any():
        raise NotYet(
            found=f"of {len(after)} requests after `move` had ended, the new balancer answered"
            f" {int((after == 'new').sum())}",
            expected="all of them",
            look_at="which balancer the name leads to now, and whether a cookie of the kind AWSALB"
            " still comes with its answers.",
        )


ATTACH = """\
    autoscaling.attach_load_balancer_target_groups(
        AutoScalingGroupName=tea.scaling_group, TargetGroupARNs=[tea.group_arn]
    )
"""
HEALTHY = "    balancers.wait_until_healthy(elbv2, [tea.group_arn])\n"
SHIFT = """\
    for percent in (10, 50, 100):
        set_weights(tea.site, old=100 - percent, new=percent)
"""
DRAINING = """\
    draining = {"ConnectionDraining": {"Enabled": True, "Timeout": 60}}
    elb.modify_load_balancer_attributes(
        LoadBalancerName=tea.classic, LoadBalancerAttributes=draining
    )
"""
DETACH = """\
    autoscaling.detach_load_balancers(
        AutoScalingGroupName=tea.scaling_group, LoadBalancerNames=[tea.classic]
    )
    moving.wait_until_detached(autoscaling, tea.scaling_group, tea.classic)
"""
WAIT = """\
    import time

    time.sleep(2)  # longer than the longest answer
"""
DELETE = "    elb.delete_load_balancer(LoadBalancerName=tea.classic)\n"


def move_answer(*parts: str) -> str:
    """An exercise cell whose function does this, in order."""
    return "def move(tea):\n" + "".join(parts)


MOVE_SOLUTION = """\
# Servers first, then weight. What the old balancer has begun, it finishes: draining sees to that.
# Here nobody keeps a name; on AWS, two minutes have to pass before the servers leave it.
""" + move_answer(ATTACH, HEALTHY, SHIFT, DRAINING, DETACH, DELETE)

BY_HAND = """\
    described = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[tea.scaling_group])
    instances = described["AutoScalingGroups"][0]["Instances"]
    targets = [{"Id": instance["InstanceId"]} for instance in instances]
    elbv2.register_targets(TargetGroupArn=tea.group_arn, Targets=targets)
"""
ONE_CHANGE = """\
    def change(action, which, weight):
        record = {"Name": tea.site.host, "Type": "A", "SetIdentifier": which, "Weight": weight}
        record["AliasTarget"] = getattr(tea.site, which)
        return {"Action": action, "ResourceRecordSet": record}

    changes = [change("UPSERT", "new", 255), change("DELETE", "old", 100)]
    route53.change_resource_record_sets(
        HostedZoneId=tea.site.zone_id, ChangeBatch={"Changes": changes}
    )
"""
TWO_CHANGES = """\
    def change(action, which, weight):
        record = {"Name": tea.site.host, "Type": "A", "SetIdentifier": which, "Weight": weight}
        record["AliasTarget"] = getattr(tea.site, which)
        change = {"Action": action, "ResourceRecordSet": record}
        route53.change_resource_record_sets(
            HostedZoneId=tea.site.zone_id, ChangeBatch={"Changes": [change]}
        )

    change("DELETE", "old", 100)
    change("DELETE", "new", 0)
    import time

    time.sleep(0.5)
    change("CREATE", "new", 100)
"""
SOME_TIME = WAIT.replace("sleep(2)  # longer than the longest answer", "sleep(1)")

MOVE_WRONG = {
    # The colleague has made the new balancer, so weight can go there.
    move_answer(SHIFT, WAIT, DELETE): "503",
    # Half is on the new one: does it matter what happens to the rest?
    move_answer(
        ATTACH, HEALTHY, "    set_weights(tea.site, old=50, new=50)\n", SOME_TIME, DELETE, SOME_TIME
    ): "no answer",
    # The weights say that nobody asks the old one any more; somebody has just asked.
    move_answer(ATTACH, HEALTHY, "    set_weights(tea.site, old=0, new=100)\n", DELETE): (
        "when you took it away"
    ),
    # The servers leave, and what they were about to answer is cut off.
    move_answer(ATTACH, HEALTHY, "    set_weights(tea.site, old=0, new=100)\n", DETACH, DELETE): (
        "502"
    ),
    # The servers leave the old balancer first, for the new one.
    move_answer(DRAINING, DETACH, ATTACH, HEALTHY, SHIFT, DELETE): "503",
    # One record goes before the other comes.
    move_answer(ATTACH, HEALTHY, TWO_CHANGES, WAIT, DELETE): "none at all for a moment",
    # Moved, and the old one forgotten.
    move_answer(ATTACH, HEALTHY, SHIFT, WAIT): "still there",
    # A weight of 1 is next to nothing, not nothing.
    move_answer(
        ATTACH, HEALTHY, "    set_weights(tea.site, old=1, new=255)\n", SOME_TIME
    ): "with weight 1",
    "def move(tea):\n    elb.delete_load_balancer(LoadBalancerName=tea.old)\n": "AttributeError",
    "move = 100\n": "a function",
}


EXERCISES = (
    Exercise(
        id="15.1",
        title="say which of three is refused, and why",
        kind="explain",
        check=check_refused,
        hints=(
            "What can a Classic balancer do by itself that a new one has to be told in numbers?",
            "A health check's protocol stands before the colon. A policy does what its type says;"
            " its name is only a name.",
            "Two of the three bind clients by a cookie. One cookie is the balancer's, with a"
            " number of seconds; the other is the application's.",
        ),
        solution=REFUSED_SOLUTION,
        also=(REFUSED_BY_PLAN, refused_answer('aws.name("accounts")', '"Cookie"')),
        wrong={
            # The path reads like a protocol: so did the utility of 2016.
            refused_answer('"reports"', '"health check"'): "by HTTP",
            # The name of the policy begins with "app".
            refused_answer('"catalogue"', '"cookie"'): "the balancer's own",
            refused_answer('"accounts"', '"health check"'): "all three check by HTTP",
            refused_answer('"accounts"', '"listeners"'): "the three look alike",
            refused_answer('"reports"', '"cookie"'): "binds nobody",
            refused_answer('"accounts"', '"its policy"'): "one of 'listeners'",
            refused_answer('"intranet"', '"subnets"'): "the name of one balancer",
            refused_answer('"accounts"', "..."): "has no answer",
        },
    ),
    Exercise(
        id="15.2",
        title="make a balancer migratable",
        kind="build",
        check=check_intranet,
        hints=(
            "How many problems does the plan have? What does each say that you can do?",
            "`problem.do` names commands of `aws elb`; methods of `elb` are called the same, with"
            " underscores. `network.subnets` has a subnet in each of two zones.",
            "`elb.attach_load_balancer_to_subnets` for the second subnet, and"
            " `elb.configure_health_check` with a target that begins with HTTP, names port 80 and"
            " then a page of `whoami`.",
        ),
        solution=INTRANET_SOLUTION,
        also=(INTRANET_BY_CLI, INTRANET_ANEW),
        wrong=INTRANET_WRONG,
    ),
    Exercise(
        id="15.3",
        title="shift all traffic without a failed request",
        kind="build",
        check=check_move,
        hints=(
            "What does the new balancer need before it gets its first request? And the old one,"
            " between its last request and its end?",
            "Attach the target group to the Auto Scaling group, and wait until its targets are"
            " healthy. Only then weights. Before you delete the old one, nothing may be under way"
            " there.",
            "In order: `autoscaling.attach_load_balancer_target_groups`,"
            " `balancers.wait_until_healthy`, `set_weights` until old has 0, then what the cell"
            " does that removes the shop's old balancer.",
        ),
        solution=MOVE_SOLUTION,
        also=(
            move_answer(BY_HAND, HEALTHY, ONE_CHANGE, WAIT, DELETE),
            move_answer(ATTACH, HEALTHY, "    set_weights(tea.site, old=0, new=1)\n", WAIT, DELETE),
        ),
        wrong=MOVE_WRONG,
    ),
)
