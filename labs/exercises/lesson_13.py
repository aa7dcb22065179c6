"""Lesson 13, an Application Load Balancer block by block: checks, hints, solutions, wrong answers.

Sources: ELB API (2015-12-01), TargetHealth; Application Load Balancer guide, "Check the health of
your targets", "Deregistration delay"; EC2 API, DescribeSecurityGroups.
"""

import time
from collections.abc import Callable, Collection, Mapping
from ipaddress import ip_network
from types import FunctionType
from typing import Any, NamedTuple

from labs.exercises import Exercise, NotTried, NotYet

NEEDS = {
    "13.2": ("vpc", "subnets", "front", "back", "launch", "ask", "one", "two"),
    "13.3": ("vpc", "subnets", "arn", "url", "listener", "group", "ask", "states"),
    "13.4": ("subnets", "launch", "url", "group", "states"),
}

HTTP_PORT = 80
PAUSE_SECONDS = 0.1
#: States of a target that checks have decided, or do not decide: all but `initial`.
SETTLED = ("healthy", "unhealthy", "unused", "draining", "unavailable")


def group_of(aws: Any, name: str) -> dict[str, Any] | None:
    """The lesson's target group of this name as the API describes it, if it is there."""
    elbv2 = aws.client("elbv2")
    try:
        return elbv2.describe_target_groups(Names=[aws.name(name)])["TargetGroups"][0]
    except elbv2.exceptions.TargetGroupNotFoundException:
        return None


def health_of(aws: Any, group: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The health of the group's targets, as the API describes it."""
    arn = group["TargetGroupArn"]
    found = aws.client("elbv2").describe_target_health(TargetGroupArn=arn)
    return found["TargetHealthDescriptions"]


def settled(
    aws: Any, group: Mapping[str, Any], ended: Collection[str], seconds: float
) -> list[dict[str, Any]]:
    """Its targets' health once each is in one of the states, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found = health_of(aws, group)
        done = all(each["TargetHealth"]["State"] in ended for each in found)
        if done or time.monotonic() > deadline:
            return found
        time.sleep(PAUSE_SECONDS)


def in_words(described: Mapping[str, Any]) -> str:
    """A target's state as it can stand in a sentence."""
    health = described["TargetHealth"]
    reason = f", reason {health['Reason']}" if "Reason" in health else ""
    return f"target {described['Target']['Id']} is {health['State']}{reason}"


# 13.1: a target group with two healthy targets

TEA = "tea"
EVERY_PATH = {"*", "/*"}
CHECKS_SECONDS = 10.0

ADVICE = {
    "Target.NotInUse": "the picture of your blocks: does any way lead to the group? A balancer"
    " checks only what it can send requests to.",
    "Target.Timeout": "the group's port, and who may talk to which port of the servers:"
    " `ec2.describe_security_groups` tells.",
    "Target.FailedHealthChecks": "the group's protocol and port: the servers speak HTTP, and"
    " nothing else.",
    "Target.ResponseCodeMismatch": "what the check wants to hear, and what the servers say:"
    " `elbv2.describe_target_groups` has `HealthCheckPath` and `Matcher`.",
    "Target.InvalidState": "`ec2.describe_instances`: does the instance run?",
}
OTHERWISE = "what `elbv2.describe_target_health` says of the group; ask again in some seconds."


def check_group(aws: Any) -> None:
    """Look at the health of the group `tea`."""
    group = group_of(aws, TEA)
    if group is None:
        raise NotTried
    if takes_everything(aws, group["TargetGroupArn"]):
        raise NotYet(
            found=f"every request at port 80 may now go to the group {group['TargetGroupName']}",
            expected="all requests but those for tea go where they went before",
            look_at="the picture of your blocks: which condition does the rule have that leads to"
            " the new group? The exercise's first line puts the default rule right again.",
        )
    found = settled(aws, group, SETTLED, CHECKS_SECONDS)
    for described in found:
        if described["TargetHealth"]["State"] != "healthy":
            reason = described["TargetHealth"].get("Reason", "")
            raise NotYet(
                found=f"in the group {group['TargetGroupName']}, {in_words(described)}",
                expected="every target in it healthy",
                look_at=ADVICE.get(reason, OTHERWISE),
            )
    servers = {described["Target"]["Id"] for described in found}
    if len(servers) != 2:
        raise NotYet(
            found=f"the group {group['TargetGroupName']} has {len(servers)} of your servers in it",
            expected="both of them, `one` and `two`",
            look_at="the call that registers targets, and what it takes for `Targets`.",
        )


def takes_everything(aws: Any, group_arn: str) -> bool:
    """Does the listener of section 2 have a rule that leads requests for anything to the group?"""
    from labs.loadbalancing.staging import again

    elbv2 = aws.client("elbv2")
    try:
        found = elbv2.describe_load_balancers(Names=[aws.name(MAIN)])["LoadBalancers"]
    except elbv2.exceptions.LoadBalancerNotFoundException:
        return False
    listeners = elbv2.describe_listeners(LoadBalancerArn=found[0]["LoadBalancerArn"])["Listeners"]
    return any(
        takes_any_path(rule) and group_arn in again.groups_of(rule)
        for listener in listeners
        if listener["Port"] == HTTP_PORT
        for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    )


def takes_any_path(rule: Mapping[str, Any]) -> bool:
    """Is it the default rule, or one for every path?"""
    return rule["IsDefault"] or any(
        each["Field"] == "path-pattern" and EVERY_PATH & set(each.get("Values", ()))
        for each in rule["Conditions"]
    )


ANEW = """\
again.forget_group(elbv2, aws.name("tea"), listener, group)  # an earlier try: begin anew
"""
NEW_GROUP = """\
tea = elbv2.create_target_group(
    Name=aws.name("tea"), Protocol="HTTP", Port=80, VpcId=vpc
)["TargetGroups"][0]["TargetGroupArn"]
"""
REGISTER = """\
elbv2.register_targets(TargetGroupArn=tea, Targets=[{"Id": one}, {"Id": two}])
"""
RULE = """\
elbv2.create_rule(
    ListenerArn=listener,
    Priority=20,
    Conditions=[{"Field": "path-pattern", "Values": ["/tea", "/tea/*"]}],
    Actions=[{"Type": "forward", "TargetGroupArn": tea}],
)
"""
GROUP_SOLUTION = (
    ANEW + "# A balancer checks only what it can send requests to: without the rule, both targets\n"
    "# would stay unused. The port is the servers', and is open to the balancer already.\n"
    + NEW_GROUP
    + REGISTER
    + RULE
)

GROUP_BY_CLI = (
    ANEW
    + """\
made = !aws elbv2 create-target-group --name {aws.name("tea")} --protocol HTTP --port 8080 \\
    --vpc-id {vpc} --query "TargetGroups[0].TargetGroupArn" --output text
tea = made[0]
!aws elbv2 register-targets --target-group-arn {tea} --targets Id={one},Port=80 Id={two},Port=80
"""
    + RULE
)

OWN_LISTENER = (
    ANEW
    + NEW_GROUP
    + REGISTER
    + """\
elbv2.create_listener(
    LoadBalancerArn=arn, Protocol="HTTP", Port=8080,
    DefaultActions=[{"Type": "forward", "TargetGroupArn": tea}],
)
"""
)

DEFAULT_CHANGED = """\
elbv2.modify_listener(
    ListenerArn=listener, DefaultActions=[{"Type": "forward", "TargetGroupArn": tea}]
)
"""

GROUP_WRONG = {
    # Group and targets are there: what else could be missing?
    ANEW + NEW_GROUP + REGISTER: "Target.NotInUse",
    # A port of its own for the new service; the servers know nothing of it.
    ANEW + NEW_GROUP.replace("80", "8080") + REGISTER + RULE: "Target.Timeout",
    # Secure is better.
    ANEW + NEW_GROUP.replace('"HTTP"', '"HTTPS"') + REGISTER + RULE: "Target.FailedHealthChecks",
    # The first server, at two ports: two targets.
    ANEW
    + NEW_GROUP
    + "elbv2.register_targets(TargetGroupArn=tea, Targets=[{'Id': one}])\n"
    + RULE: "has 1 of your servers",
    # The group alone.
    ANEW + NEW_GROUP + RULE: "has 0 of your servers",
    # A check that wants to hear of something created.
    ANEW
    + NEW_GROUP.replace("VpcId=vpc", 'VpcId=vpc, Matcher={"HttpCode": "201"}')
    + REGISTER
    + RULE: "Target.ResponseCodeMismatch",
    # The listener that is there has an action already.
    ANEW + NEW_GROUP + REGISTER + DEFAULT_CHANGED: "every request at port 80",
    # A rule for whatever comes.
    ANEW + NEW_GROUP + REGISTER + RULE.replace('"/tea", "/tea/*"', '"/*"'): (
        "every request at port 80"
    ),
}


# 13.2: a server that its balancer does not reach

COLLEAGUE = "colleague"
MENDED_SECONDS = 4.0
PRIVATE = tuple(
    map(
        ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    )
)


def check_reached(aws: Any) -> None:
    """Look at the health of the colleague's server, and at who may talk to it."""
    group = group_of(aws, COLLEAGUE)
    if group is None:
        raise NotTried
    ec2 = aws.client("ec2")
    instance = instance_named(ec2, aws.name(COLLEAGUE))
    if instance is None:
        raise NotYet(
            found="your colleague's server does not run any more",
            expected="the server that was there, reached by the balancer",
            look_at="the cell that calls `shut_out.server`: it starts the server again.",
        )
    if is_untouched(aws, group, instance):
        raise NotTried
    found = settled(aws, group, ("healthy",), MENDED_SECONDS)
    own = [
        each
        for each in found
        if each["Target"]["Id"] in addresses_of(instance)
        and each["TargetHealth"]["State"] != "draining"
    ]
    if not own:
        raise NotYet(
            found="your colleague's server is not in its target group any more",
            expected=f"it is a healthy target of {group['TargetGroupName']}",
            look_at="`elbv2.describe_target_health`, and the instance's id above the exercise.",
        )
    for described in own:
        if described["TargetHealth"]["State"] != "healthy":
            raise NotYet(
                found=f"the health check still does not get through: {in_words(described)}",
                expected="a healthy target",
                look_at="who may talk to port 80 of this instance, and who the balancer is."
                " `ec2.describe_security_groups` tells.",
            )
    guards = [each["GroupId"] for each in instance["SecurityGroups"]]
    for opening in sorted(openings(ec2, guards), key=lambda each: each.source):
        if is_too_wide(opening):
            raise NotYet(
                found=f"the target is healthy, and {opening.source} may talk to the server, too",
                expected="the balancer reaches the server, and the world does not",
                look_at="the rules of the security groups that the instance has now:"
                " whom do they let in?",
            )


class Opening(NamedTuple):
    """What one rule of a security group lets in.

    protocol: "tcp"; "-1" for every one. ports: all of them where the rule names none.
    source:   addresses (CIDR), or the id of a security group.
    """

    protocol: str
    ports: range
    source: str


def instance_named(ec2: Any, name: str) -> dict[str, Any] | None:
    """The running instance of this name, the youngest if there are several."""
    filters = [
        {"Name": "tag:Name", "Values": [name]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    found = ec2.describe_instances(Filters=filters)["Reservations"]
    instances = [instance for reservation in found for instance in reservation["Instances"]]
    return max(instances, key=lambda each: each["LaunchTime"], default=None)


def addresses_of(instance: Mapping[str, Any]) -> set[str]:
    """What it can be called as a target."""
    return {instance["InstanceId"], instance["PrivateIpAddress"]}


def openings(ec2: Any, group_ids: Collection[str]) -> set[Opening]:
    """All that the inbound rules of these security groups let in."""
    groups = ec2.describe_security_groups(GroupIds=list(group_ids))["SecurityGroups"]
    return {
        Opening(each["IpProtocol"], ports_of(each), source)
        for group in groups
        for each in group["IpPermissions"]
        for source in (
            *(source["CidrIp"] for source in each.get("IpRanges", ())),
            *(source["CidrIpv6"] for source in each.get("Ipv6Ranges", ())),
            *(source["GroupId"] for source in each.get("UserIdGroupPairs", ())),
        )
    }


def ports_of(permission: Mapping[str, Any]) -> range:
    """The ports of a rule, as EC2 describes it."""
    return range(permission.get("FromPort", 0), permission.get("ToPort", 65535) + 1)


def is_too_wide(opening: Opening) -> bool:
    """Does it let strangers in at the HTTP port: addresses that are in no private network?"""
    at_port = opening.protocol in ("tcp", "6", "-1") and HTTP_PORT in opening.ports
    return at_port and not opening.source.startswith("sg-") and not is_private(opening.source)


def is_private(range_: str) -> bool:
    """Are these addresses such as a VPC may have? Sources: RFC 1918, RFC 4193, RFC 6598."""
    network = ip_network(range_, strict=False)
    return any(network.version == block.version and network.subnet_of(block) for block in PRIVATE)


def is_untouched(aws: Any, group: Mapping[str, Any], instance: Mapping[str, Any]) -> bool:
    """Is all as the colleague left it: instance, group, and what security groups let in?"""
    ec2 = aws.client("ec2")
    own = [each["GroupId"] for each in instance["SecurityGroups"]]
    named = [{"Name": "group-name", "Values": [aws.name("front")]}]
    front = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
    ports = range(HTTP_PORT, HTTP_PORT + 1)
    return (
        [each["GroupName"] for each in instance["SecurityGroups"]] == [aws.name(COLLEAGUE)]
        and openings(ec2, own) == {Opening("tcp", ports, own[0])}
        and all(
            openings(ec2, [each["GroupId"]]) == {Opening("tcp", ports, "0.0.0.0/0")}
            for each in front
        )
        and {each["Target"]["Id"] for each in health_of(aws, group)} == {instance["InstanceId"]}
        and group["HealthCheckPort"] == "traffic-port"
        and group["HealthCheckTimeoutSeconds"] == 2
    )


LOOK = """\
named = [{"Name": "tag:Name", "Values": [aws.name("colleague")]}]
lost = ec2.describe_instances(Filters=named)["Reservations"][0]["Instances"][0]
guard = lost["SecurityGroups"][0]["GroupId"]
"""
FROM_BALANCER = '{"UserIdGroupPairs": [{"GroupId": front}]}'


def let_in(source: str, group: str = "guard", port: int = HTTP_PORT) -> str:
    """An exercise cell that opens a port of a security group."""
    return (
        LOOK
        + f"""\
rule = {{"IpProtocol": "tcp", "FromPort": {port}, "ToPort": {port}}}
ec2.authorize_security_group_ingress(GroupId={group}, IpPermissions=[rule | {source}])
"""
    )


REACHED_SOLUTION = (
    LOOK
    + """\
# The instance's own security group lets in only its own members, and the balancer is none. `back`
# lets in whoever has `front`: the balancer, and not the world.
ec2.modify_instance_attribute(InstanceId=lost["InstanceId"], Groups=[back])
"""
)

REACHED_WRONG = {
    # The balancer cannot get through, so the balancer's group needs opening.
    let_in('{"UserIdGroupPairs": [{"GroupId": guard}]}', group="front"): "does not get through",
    # The right source, at a port where nobody listens.
    let_in(FROM_BALANCER, port=443): "does not get through",
    # A time-out: give it more time.
    "elbv2.modify_target_group(TargetGroupArn=colleague, HealthCheckTimeoutSeconds=4)\n": (
        "Target.Timeout"
    ),
    # The balancer's own group lets everybody in, so the server is in the world, too.
    LOOK
    + 'ec2.modify_instance_attribute(InstanceId=lost["InstanceId"], Groups=[guard, front])\n': (
        "0.0.0.0/0 may talk to the server"
    ),
    # Healthy at last.
    let_in('{"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}'): "0.0.0.0/0 may talk to the server",
}


# 13.3: take a server out under load

MAIN = "web"
WORK_MILLISECONDS = 800  # of each request: there are always some under way
RATE = 20.0  # requests a second
DELAY_SECONDS = 30  # for draining: more than a request takes, in a mock that is 25 times faster
STARTING_SECONDS, STARTED_SECONDS, LOADED_SECONDS = 5.0, 300.0, 30.0
GONE = ("shutting-down", "terminated")


def check_retiring(aws: Any, retire: Any) -> None:
    """Put one more server into the group, have it retired under load, and count what failed."""
    if retire is None or retire is ...:
        raise NotTried
    if not isinstance(retire, FunctionType):
        raise NotYet(
            found="`retire` is no function",
            expected="a function that takes the id of an instance",
            look_at="the exercise cell.",
        )
    if not retire.__code__.co_names:  # it calls nothing, so it does nothing
        raise NotTried
    group = group_of(aws, MAIN)
    healthy = [] if group is None else working(aws, group, STARTING_SECONDS)
    if not healthy:
        raise NotYet(
            found="the group of section 2 has no healthy target",
            expected="at least one server that goes on working",
            look_at="sections 2 and 3: run their cells again.",
        )
    leaver = beside(aws, group, healthy[0])
    try:
        seen = retired_under_load(aws, group, leaver, retire)
    finally:
        put_back(aws, group, healthy, leaver)
    judge(seen, healthy, DELAY_SECONDS)


class Seen(NamedTuple):
    """What came of a retirement.

    sent:    requests. failed: how many of them. first: status and error of the first failed one.
    state:   of the instance when the function had returned. registered: is it still a target?
    stayed:  instances that are healthy targets then.
    """

    sent: int
    failed: int
    first: str
    state: str
    registered: bool
    stayed: tuple[str, ...]


def working(aws: Any, group: Mapping[str, Any], seconds: float = 0.0) -> list[str]:
    """The ids of the group's healthy instances. seconds: to wait for those that are `initial`."""
    return [
        each["Target"]["Id"]
        for each in settled(aws, group, SETTLED, seconds)
        if each["TargetHealth"]["State"] == "healthy"
    ]


def beside(aws: Any, group: Mapping[str, Any], other: str) -> str:
    """A new instance, set up as another is, healthy in the group; its id. Raises NotYet."""
    from labs.loadbalancing import fleet

    ec2, elbv2 = aws.client("ec2"), aws.client("elbv2")
    arn = group["TargetGroupArn"]
    elbv2.modify_target_group_attributes(
        TargetGroupArn=arn,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": str(DELAY_SECONDS)}],
    )
    model = ec2.describe_instances(InstanceIds=[other])["Reservations"][0]["Instances"][0]
    leaver = fleet.launch(
        ec2,
        aws.name("leaver"),
        fleet.user_data("leaver"),
        model["SubnetId"],
        model["SecurityGroups"][0]["GroupId"],
    )
    running = ec2.get_waiter("instance_running")
    running.wait(InstanceIds=[leaver], WaiterConfig={"Delay": 1, "MaxAttempts": 300})
    elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": leaver}])
    deadline = time.monotonic() + STARTED_SECONDS
    while leaver not in working(aws, group):
        if time.monotonic() > deadline:
            raise NotYet(
                found="a server that the check has put into the group does not become healthy",
                expected="your group and security group let a new server work",
                look_at="`elbv2.describe_target_health` for the group of section 2.",
            )
        time.sleep(PAUSE_SECONDS)
    return leaver


def retired_under_load(
    aws: Any, group: Mapping[str, Any], leaver: str, retire: Callable[[str], Any]
) -> Seen:
    """Call the learner's function while requests are under way. Raises NotYet if it fails."""
    from labs.loadbalancing import traffic

    url = f"http://{name_of_balancer(aws, group)}/slow/{WORK_MILLISECONDS}"
    with traffic.start(url, rate=RATE, seconds=600, seed=None) as load:
        deadline = time.monotonic() + LOADED_SECONDS
        while "leaver" not in set(load.frame().target) and time.monotonic() < deadline:
            time.sleep(PAUSE_SECONDS)
        try:
            retire(leaver)
        except Exception as wrong:
            raise NotYet(
                found=f"`retire` ended with {type(wrong).__name__}: {str(wrong)[:200]}",
                expected="it takes the server out, terminates it, and returns",
                look_at="what the call that failed wants. Call `retire` yourself, with the id of"
                " an instance that you have launched for it.",
            ) from wrong
        found = aws.client("ec2").describe_instances(InstanceIds=[leaver])
        state = found["Reservations"][0]["Instances"][0]["State"]["Name"]
        known = {each["Target"]["Id"] for each in health_of(aws, group)}
        stayed = tuple(working(aws, group))
        rows = load.stop()
    failed = rows[rows.status != 200]
    first = "" if failed.empty else f"{failed.status.iloc[0]} {failed.error.iloc[0]}".strip()
    return Seen(len(rows), len(failed), first, state, leaver in known, stayed)


def put_back(aws: Any, group: Mapping[str, Any], healthy: list[str], leaver: str) -> None:
    """The group as it was before, whatever the learner's function did."""
    elbv2, arn = aws.client("elbv2"), group["TargetGroupArn"]
    aws.client("ec2").terminate_instances(InstanceIds=[leaver])
    elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": leaver}])
    elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": each} for each in healthy])


def name_of_balancer(aws: Any, group: Mapping[str, Any]) -> str:
    """The DNS name of the balancer that uses the group. Raises NotYet without one."""
    arns = group["LoadBalancerArns"]
    if not arns:
        raise NotYet(
            found="no balancer forwards to the group of section 2 any more",
            expected="the listener of section 2",
            look_at="section 2: run its cells again.",
        )
    found = aws.client("elbv2").describe_load_balancers(LoadBalancerArns=arns[:1])
    return found["LoadBalancers"][0]["DNSName"]


def judge(seen: Seen, healthy: Collection[str], delay: int) -> None:
    """Raises NotYet unless the server is gone, the others are not, and no request failed."""
    if missing := set(healthy) - set(seen.stayed):
        raise NotYet(
            found=f"{len(missing)} other servers are not healthy in the group any more",
            expected="only the server that the function was given leaves",
            look_at="the list of targets in your calls.",
        )
    if seen.failed:
        raise NotYet(
            found=f"{seen.failed} of {seen.sent} requests failed, the first with {seen.first}",
            expected="no failed request",
            look_at=f"what the server was still doing when it ended. A request takes"
            f" {WORK_MILLISECONDS / 1000} s, and a target may drain for {delay} s (of the mock's):"
            " how does your function learn that it is done?",
        )
    if seen.registered:
        raise NotYet(
            found="when `retire` returns, the group still lists the server",
            expected="a server that is gone is no target any more",
            look_at="`elbv2.describe_target_health` after your calls.",
        )
    if seen.state not in GONE:
        raise NotYet(
            found=f"when `retire` returns, the server is {seen.state}, and would be paid for",
            expected="it is terminated",
            look_at="the last step of the exercise.",
        )


def retiring(*steps: str) -> str:
    """An exercise cell with these steps, given as lines, in the function."""
    body = "".join(f"    {line}\n" for step in steps for line in step.splitlines())
    return "def retire(instance_id):\n" + body


TARGET = 'target = [{"Id": instance_id}]'
DEREGISTER = "elbv2.deregister_targets(TargetGroupArn=group, Targets=target)"
TERMINATE = "ec2.terminate_instances(InstanceIds=[instance_id])"
DRAINED = """\
gone = elbv2.get_waiter("target_deregistered")
gone.wait(TargetGroupArn=group, Targets=target, WaiterConfig={"Delay": 1, "MaxAttempts": 600})"""
POLLED = """\
while instance_id in states(group):
    time.sleep(0.2)"""
NO_DELAY = """\
none = [{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}]
elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=none)"""
EVERYBODY = 'target = [{"Id": each} for each in states(group)]'

RETIRE_SOLUTION = (
    "# Deregistering is an order, not an end: the server gets nothing new, and finishes what it\n"
    "# has. Only when the balancer lists it no more, nobody waits for an answer of its.\n"
    + retiring(TARGET, DEREGISTER, DRAINED, TERMINATE)
)

RETIRE_WRONG = {
    # The balancer will notice that it is gone.
    retiring(TERMINATE): "requests failed",
    # It is out of the group, so it has nothing to do any more.
    retiring(TARGET, DEREGISTER, TERMINATE): "requests failed",
    # A moment should do.
    retiring(TARGET, DEREGISTER, "time.sleep(0.3)", TERMINATE): "requests failed",
    # Draining takes so long: do without.
    retiring(TARGET, NO_DELAY, DEREGISTER, DRAINED, TERMINATE): "requests failed",
    # Out of the group, and forgotten.
    retiring(TARGET, DEREGISTER, DRAINED): "would be paid for",
    # The whole group drains.
    retiring(EVERYBODY, DEREGISTER, TERMINATE): "other servers are not healthy",
    "retire = elbv2.deregister_targets\n": "is no function",
    retiring("ec2.terminate_instance(instance_id)"): "ended with AttributeError",
}


EXERCISES = (
    Exercise(
        id="13.1",
        title="build a target group with two healthy targets",
        kind="build",
        check=check_group,
        hints=(
            "Which blocks stand between a listener's port and a server's port? Which of them have"
            " you made for `tea`?",
            "Look at the state of the new targets: `unused` is neither ill nor well. What would"
            " make a balancer use them?",
            "`elbv2.create_rule`, for the listener that is there, with the condition"
            " `path-pattern` and an action of the type `forward`, leads to the group.",
        ),
        solution=GROUP_SOLUTION,
        also=(GROUP_BY_CLI, OWN_LISTENER),
        wrong=GROUP_WRONG,
    ),
    Exercise(
        id="13.2",
        title="let the health check in",
        kind="repair",
        check=check_reached,
        hints=(
            "The reason is a time-out. What answers with silence: a program that has ended, or"
            " something in front of it?",
            "Compare the instance's security group with the one that servers `one` and `two` have:"
            " whom does each let in?",
            "The source of the rule has to be the balancer's security group, `front`. A rule can"
            " be added, or the instance can be given a group that has it.",
        ),
        solution=REACHED_SOLUTION,
        also=(
            let_in(FROM_BALANCER),
            let_in('{"IpRanges": [{"CidrIp": "172.31.0.0/16"}]}'),
        ),
        wrong=REACHED_WRONG,
    ),
    Exercise(
        id="13.3",
        title="retire a server under load",
        kind="build",
        check=check_retiring,
        hints=(
            "What does a server still have to do in the moment in which it gets nothing new?",
            "A target that has been deregistered stays in the list for a while, as `draining`."
            " How could a function wait for the end of that?",
            'boto3 has a waiter for it, `elbv2.get_waiter("target_deregistered")`, which asks'
            ' every 15 s unless `WaiterConfig={"Delay": 1}` says otherwise. Then terminate.',
        ),
        solution=RETIRE_SOLUTION,
        also=(retiring(TARGET, DEREGISTER, POLLED, TERMINATE),),
        wrong=RETIRE_WRONG,
    ),
)
