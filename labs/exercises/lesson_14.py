"""Lesson 14, routing: checks, hints, solutions, wrong answers."""

import http.client
from collections.abc import Iterable
from typing import Any, NamedTuple

from labs.exercises import Exercise, NotTried, NotYet
from labs.loadbalancing import rulebook, traffic
from labs.loadbalancing.balancers import find
from labs.loadbalancing.staging import help_desk

MADE = ("elbv2", "network", "balancer", "dns", "url", "groups", "listener", "path", "to_group")
NEEDS = {
    "14.2": MADE,
    "14.3": MADE,
    "14.4": (*MADE, "weighted"),  # for the experiment below it
}

PATIENCE_SECONDS = 5
PORT = 80


class Got(NamedTuple):
    """An answer: its status (0 without one), the server that gave it ("" unknown), its text."""

    status: int
    server: str
    text: str

    def __str__(self) -> str:
        if self.status == 0:
            return f"not answered ({self.text})"
        if self.status == 200 and self.server:
            return f"answered by the server {self.server}"
        said = f'answered by the balancer: {self.status}, "{self.text.strip()[:40]}"'
        return said if not self.server else f"answered by {self.server} with status {self.status}"


def ask(dns_name: str, path: str, host: str | None = None) -> Got:
    """One request to a balancer, redirects not followed. host: what it asks for, in `Host`."""
    connection = http.client.HTTPConnection(dns_name, PORT, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": host or dns_name})
        answer = connection.getresponse()
        text = answer.read(10_000).decode(errors="replace")
        return Got(answer.status, answer.headers.get(traffic.WHOAMI, ""), text)
    except (OSError, http.client.HTTPException) as error:
        return Got(0, "", str(error) or type(error).__name__)
    finally:
        connection.close()


def lessons_balancer(aws: Any) -> tuple[Any, str, str]:
    """A client of elbv2, the balancer's DNS name, the ARN of its listener at port 80.

    Raises NotTried before the lesson has made them.
    """
    elbv2 = aws.client("elbv2")
    balancer = find(elbv2, aws.name("tea"))
    if balancer is None:
        raise NotTried
    found = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    for listener in found:
        if listener["Port"] == PORT:
            return elbv2, balancer["DNSName"], listener["ListenerArn"]
    raise NotYet(
        found=f"{balancer['LoadBalancerName']} does not listen at port {PORT} any more",
        expected="the listener that the lesson made",
        look_at="the set-up cell: run it, and those after it.",
    )


# 14.1: a rule by host and path


PARTNER = "partner.tea.example"
#: The lesson's own rules, by priority. Any other is the learner's.
LESSONS = {100, 110, 120, 200, 300, 310, 400, 410, 500}
#: Enough that a canary of 14.2 does not answer all of them by chance: 0.1 to the power 12.
TIMES = 12


class Place(NamedTuple):
    """Where a request is to go. who: asks, in words."""

    host: str | None
    path: str
    who: str


FOR_NEW = (
    Place(PARTNER, "/stock/7", "the partner"),
    Place(
        PARTNER.upper(), "/stock/green/7?page=2", "the partner, who writes the host in capitals,"
    ),
)
FOR_STOCK = (
    Place("tea.example", "/stock/7", "somebody else"),
    Place("www.tea.example", "/stock/7", "somebody else"),
    Place(None, "/stock/7", "somebody who knows the balancer's own name"),
)
AS_BEFORE = (
    Place(PARTNER, "/", "the partner"),
    Place(PARTNER, "/stockings", "the partner"),
    Place(PARTNER, "/find?in=/stock/7", "the partner"),
    Place("tea.example", "/", "somebody else"),
)


def check_partner(aws: Any) -> None:
    """Ask as the partner and as others, for the stock and for other things."""
    elbv2, dns_name, listener = lessons_balancer(aws)
    check_places(dns_name, elbv2, listener, FOR_NEW, "new")
    check_places(dns_name, elbv2, listener, FOR_STOCK, "stock")
    for place in AS_BEFORE:
        got = [ask(dns_name, place.path, place.host) for _ in range(TIMES)]
        bad = next((each for each in got if each.status != 200), None)
        if bad or {each.server for each in got} in ({"new"}, {"stock"}):
            raise NotYet(
                found=f"{in_words(place)} is {'' if bad else 'always '}{bad or got[0]}",
                expected="an answer of the shop, as before: your rule is not for this request",
                look_at="`rulebook.table(elbv2, listener)`: which rule takes it? What do all"
                " conditions of a rule have to do, and what all values of a condition?",
            )


def check_places(
    dns_name: str, elbv2: Any, listener: str, places: Iterable[Place], wanted: str
) -> None:
    """Raises NotYet for the first of these that another server answers; NotTried without a rule."""
    for place in places:
        got = ask(dns_name, place.path, place.host)
        if (got.status, got.server) == (200, wanted):
            continue
        rules = rulebook.every(elbv2, listener)
        if not any(is_learners(rule) for rule in rules):
            raise NotTried
        raise NotYet(
            found=f"{in_words(place)} is {got}",
            expected=f"an answer of the server {wanted}",
            look_at="`rulebook.table(elbv2, listener)`, from the top: which rule is the first whose"
            " conditions all hold for this request? Does a pattern match the whole path?",
        )


def is_learners(rule: rulebook.Rule) -> bool:
    """Is this a rule that the lesson has not made?"""
    return not rule["IsDefault"] and int(rule["Priority"]) not in LESSONS


def in_words(place: Place) -> str:
    """
    >>> in_words(Place("tea.example", "/", "somebody else"))
    'what somebody else asks for, tea.example/,'
    """
    return f"what {place.who} asks for, {place.host or '(the balancer)'}{place.path},"


def partner_answer(priority: Any, conditions: str) -> str:
    """An exercise cell with these."""
    return PARTNER_CELL.format(priority=priority, conditions=conditions)


#: `create_rule`, not `rulebook.put`: a number that is taken is refused, not overwritten.
PARTNER_CELL = """\
rulebook.clear(elbv2, listener, {{*range(1, 200)}} - {{100, 110, 120}})  # an earlier try's
rule = {{"Priority": {priority}, "Conditions": {conditions}}}
if ... not in rule.values():
    elbv2.create_rule(ListenerArn=listener, Actions=to_group("new"), **rule)
"""
HOST = '{"Field": "host-header", "Values": ["partner.tea.example"]}'
STOCK = '{"Field": "path-pattern", "Values": ["/stock/*"]}'

PARTNER_SOLUTION = """\
# All conditions of a rule have to hold: host and path are two conditions of one rule. The path
# alone has a rule at 100 already, so this one has to be tried before.
""" + partner_answer(50, f"[{HOST}, {STOCK}]")

PARTNER_BY_REGEX = """\
rulebook.clear(elbv2, listener, {*range(1, 200)} - {100, 110, 120})
elbv2.create_rule(
    ListenerArn=listener,
    Priority=99,
    Conditions=[
        {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/stock/"]}},
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["PARTNER.tea.example"]}},
    ],
    Actions=[{"Type": "forward", "TargetGroupArn": groups["new"]}],
)
"""

PARTNER_BY_CLI = """\
rulebook.clear(elbv2, listener, {*range(1, 200)} - {100, 110, 120})
new, host = groups["new"], "partner.tea.example"
!aws elbv2 create-rule --listener-arn {listener} --priority 7 --query Rules[0].Priority \\
    --conditions Field=host-header,Values={host} "Field=path-pattern,Values=/stock/*" \\
    --actions Type=forward,TargetGroupArn={new}
"""

PARTNER_WRONG = {
    # Right, and never reached: the path alone comes first.
    partner_answer(155, f"[{HOST}, {STOCK}]"): "is answered by the server stock",
    # All that the partner asks for.
    partner_answer(50, f"[{HOST}]"): "your rule is not for this request",
    # Whoever asks for the stock.
    partner_answer(50, f"[{STOCK}]"): "what somebody else asks for",
    # Two rules: one or the other.
    partner_answer(50, f"[{HOST}]")
    + f'rulebook.put(elbv2, listener, 51, [{STOCK}], to_group("new"))\n': "what somebody else asks",
    # A path that stands for those below it, as a folder does.
    partner_answer(50, f"[{HOST}, {STOCK}]".replace("/stock/*", "/stock/")): "the whole path",
    # A host is a part of the address, and so of the path?
    partner_answer(50, f"[{STOCK}]".replace("/stock", "partner.tea.example/stock")): "the partner",
    # Every host of the shop.
    partner_answer(50, f"[{HOST}, {STOCK}]".replace("partner.", "*")): "what somebody else asks",
    # Begins with the same letters.
    partner_answer(50, f"[{HOST}, {STOCK}]".replace("stock/*", "stock*")): "/stockings",
}


# 14.2: a canary


REQUESTS, CLIENTS = 1000, 8
SHARE, NEAR = 0.10, 0.03


def check_canary(aws: Any) -> None:
    """Send requests without cookies, and count those that the new version answered.

    Each request is drawn by itself, so of a thousand the share of a right answer has a deviation
    of 0.95 points, and is off by more than three once in 740 times (binomial). Then a second
    thousand is sent, and the share of both counts: that misses, too, once in 200,000 times.
    """
    elbv2, dns_name, listener = lessons_balancer(aws)
    new = sent = 0
    for _ in range(2):
        new += count_new(dns_name)
        sent += REQUESTS
        if abs(new / sent - SHARE) <= NEAR:
            return
    if new == 0 and is_as_made(elbv2, listener):
        raise NotTried
    raise NotYet(
        found=f"of {sent:,} requests for / without cookies, the new version answered {new:,}:"
        f" {new / sent:.1%}",
        expected=f"{SHARE:.0%} of them, give or take {NEAR * 100:.0f} points",
        look_at="what `elbv2.describe_listeners` says of the listener's default actions: which"
        " groups, and what part of the sum of all weights has each?",
    )


def count_new(dns_name: str) -> int:
    """How many of a thousand requests the new version answered. Raises NotYet when one failed."""
    frame = traffic.closed_loop(
        f"http://{dns_name}/", requests=REQUESTS // CLIENTS, clients=CLIENTS
    )
    failed = frame[frame.status != 200]
    if len(failed):
        first = failed.iloc[0]
        status = f"status {first.status}" if first.status else first.error
        raise NotYet(
            found=f"{len(failed):,} of {len(frame):,} requests for / failed, one with {status}",
            expected="every request answered, by one version or the other",
            look_at="whether each target group that the default action names has a healthy target:"
            " `elbv2.describe_target_health`.",
        )
    return int((frame.target == "new").sum())


def is_as_made(elbv2: Any, listener: str) -> bool:
    """Does the default action still name one group, as the lesson left it?"""
    action = elbv2.describe_listeners(ListenerArns=[listener])["Listeners"][0]["DefaultActions"][-1]
    listed = (action.get("ForwardConfig") or {}).get("TargetGroups") or [action]
    return action["Type"] == "forward" and len(listed) == 1


CANARY_CELL = """\
weights = {weights}
if ... not in weights.values():
    actions = weighted(weights)
    elbv2.modify_listener(ListenerArn=listener, DefaultActions=actions)
"""


def canary_answer(weights: str) -> str:
    """An exercise cell with these weights."""
    return CANARY_CELL.format(weights=weights)


CANARY_SOLUTION = """\
# A weight is a part of the sum of all weights: 9 and 1 would do as well as 90 and 10.
""" + canary_answer('{"shop": 90, "new": 10}')

CANARY_BY_HAND = """\
parts = [
    {"TargetGroupArn": groups["shop"], "Weight": 900},
    {"TargetGroupArn": groups["new"], "Weight": 100},
]
elbv2.modify_listener(
    ListenerArn=listener,
    DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": parts}}],
)
"""

CANARY_BY_RULE = """\
elbv2.modify_listener(ListenerArn=listener, DefaultActions=to_group("shop"))
rulebook.put(elbv2, listener, 900, path("/*"), weighted({"shop": 9, "new": 1}))
"""

CANARY_WRONG = {
    # The new one first, the greater number first.
    canary_answer('{"shop": 10, "new": 90}'): "of 2,000 requests",
    # A weight for the new one, and what AWS takes for the other: 1.
    canary_answer('{"shop": 1, "new": 10}'): "the new version answered",
    # As the article's week: all at once.
    canary_answer('{"new": 100}'): "100.0%",
    # No part of the sum: ten less than the other.
    canary_answer('{"shop": 100, "new": 90}'): "what part of the sum",
    # The wrong ten.
    canary_answer('{"shop": 90, "stock": 10}'): "the new version answered 0",
    # A server of the new version among the old ones: each in its turn.
    canary_answer('{"shop": 2, "new": 1}'): "10% of them",
}


# 14.3: a rule that is never reached


def check_help(aws: Any) -> None:
    """Ask for help about the stock, and for other help."""
    elbv2, dns_name, listener = lessons_balancer(aws)
    for path in ("/help/stock/7", "/help/stock/green/7"):
        got = ask(dns_name, path)
        if (got.status, got.server) == (200, "stock"):
            continue
        if not help_desk.about_help(elbv2, listener) or help_desk.are_untouched(elbv2, listener):
            raise NotTried
        raise NotYet(
            found=f"{path} is {got}",
            expected="an answer of the server stock",
            look_at="`rulebook.table(elbv2, listener)`, from the top: which is the first rule whose"
            " condition this path fulfils?",
        )
    for path in ("/help/", "/help/me", "/help/stockings", "/help/me/stock/7"):
        got = ask(dns_name, path)
        if got.server or got.text != help_desk.SENTENCE:
            raise NotYet(
                found=f"{path} is {got}",
                expected="the sentence that help is closed, as before",
                look_at="what both rules said before you changed them. Help is still closed, except"
                " for the stock.",
            )
    for path, servers in (("/stock/7", ("stock",)), ("/", ("one", "two", "new"))):
        got = ask(dns_name, path)
        if got.status != 200 or got.server not in servers:
            raise NotYet(
                found=f"{path} is {got}",
                expected=f"an answer of the server {' or '.join(servers)}, as before: the rules"
                " about help are not for it",
                look_at="`rulebook.table(elbv2, listener)`: which rule takes it? If one of the"
                " lesson's own is gone, run the cell that made it again.",
            )


HELP_CELL = """\
help_desk.help_rules(elbv2, listener, groups["stock"])  # as your colleague left them
{change}rulebook.table(elbv2, listener)
"""
LOOK_UP = """\
rules = {rule["Priority"]: rule["RuleArn"] for rule in rulebook.every(elbv2, listener)}
"""


def help_answer(change: str) -> str:
    """An exercise cell that changes something; `rules` has the ARNs by priority."""
    return HELP_CELL.format(change=LOOK_UP + change)


def priorities(**to: int) -> str:
    """A call that gives rules other priorities: `p400=420` moves the one at 400 to 420."""
    pairs = ", ".join(
        f'{{"RuleArn": rules["{name[1:]}"], "Priority": {number}}}' for name, number in to.items()
    )
    return f"elbv2.set_rule_priorities(RulePriorities=[{pairs}])\n"


HELP_SOLUTION = (
    "# The first rule that holds decides, and /help/* holds for all that /help/stock/* does. So\n"
    "# the narrow rule has to be tried before the wide one. Neither needs another condition.\n"
    + help_answer(priorities(p410=390))
)

HELP_WRONG = {
    # Out of the way, and with it the sentence.
    help_answer('elbv2.delete_rule(RuleArn=rules["400"])\n'): "/help/ is answered by the server",
    # A lower priority is a lesser one?
    help_answer(priorities(p410=450)): "/help/stock/7 is answered by the balancer",
    # Nearer to the front, and still behind.
    help_answer(priorities(p410=405)): "which is the first rule",
    # The wide one made narrow: only the page itself is closed.
    help_answer('elbv2.modify_rule(RuleArn=rules["400"], Conditions=path("/help/"))\n'): (
        "/help/me is answered by the server"
    ),
    # The narrow one made wide, and before the other.
    help_answer(
        priorities(p410=390)
        + 'elbv2.modify_rule(RuleArn=rules["410"], Conditions=path("/help/*"))\n'
    ): "/help/ is answered by the server stock",
    # All help by the stock's servers.
    help_answer('elbv2.modify_rule(RuleArn=rules["400"], Actions=to_group("stock"))\n'): (
        "/help/ is answered by the server stock"
    ),
    # A pattern that ends where it begins.
    help_answer('rulebook.put(elbv2, listener, 390, path("/help/*stock*"), to_group("stock"))\n'): (
        "/help/stockings is answered"
    ),
}


EXERCISES = (
    Exercise(
        id="14.1",
        title="send the partner's stock requests to the new version",
        kind="build",
        check=check_partner,
        hints=(
            "Two things have to be true of a request at once. Where do you say so: in two rules, in"
            " two conditions of one rule, or in two values of one condition?",
            "Everybody's /stock/ has a rule already. Is yours tried before it, or after?",
            'The conditions are a list of two dictionaries: "Field" is "host-header" in one and'
            ' "path-pattern" in the other, and "Values" is a list with one text. The priority is a'
            " number below 100.",
        ),
        solution=PARTNER_SOLUTION,
        also=(PARTNER_BY_REGEX, PARTNER_BY_CLI),
        wrong=PARTNER_WRONG,
    ),
    Exercise(
        id="14.2",
        title="give the new version a tenth",
        kind="build",
        check=check_canary,
        hints=(
            "Of what is a weight a part: of 100, or of something else?",
            "Add up both weights. What part of the sum has the new version?",
            "The group of the old version is `shop`, that of the new one `new`; the first has to"
            " get nine times as much as the second.",
        ),
        solution=CANARY_SOLUTION,
        also=(canary_answer('{"new": 1, "shop": 9}'), CANARY_BY_HAND, CANARY_BY_RULE),
        wrong=CANARY_WRONG,
    ),
    Exercise(
        id="14.3",
        title="find out why a rule is never reached",
        kind="repair",
        check=check_help,
        hints=(
            "Go through the table from the top as the balancer does, with /help/stock/7. Where do"
            " you stop?",
            "Both rules hold for this path. Which of them should be tried first, the wide one or"
            " the narrow one?",
            "`elbv2.set_rule_priorities` takes a list of dictionaries with `RuleArn` and"
            " `Priority`. `rulebook.every(elbv2, listener)` has the ARNs, and no two rules may"
            " share a number.",
        ),
        solution=HELP_SOLUTION,
        also=(
            help_answer(priorities(p400=420)),
            help_answer(priorities(p400=410, p410=400)),
            HELP_CELL.format(
                change='rulebook.put(elbv2, listener, 395, path("/help/stock/*"),'
                ' to_group("stock"))\n'
            ),
        ),
        wrong=HELP_WRONG,
    ),
)
