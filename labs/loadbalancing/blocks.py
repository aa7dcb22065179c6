"""The way of a request through an Application Load Balancer, as the account has it.

Balancer, listener, rule, target group, instance and port: `show` asks elbv2 for each, and draws
what is there and what is missing. Sources: ELB API (2015-12-01), DescribeListeners, DescribeRules,
DescribeTargetHealth.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from labs.course import figures
from labs.course.figures import BLUE, GREY, INK, ORANGE, PAPER

COLUMNS = ("balancer", "listener", "rule", "target group", "instance : port")
WIDTH, HEIGHT, GAP = 1.0, 0.66, 0.22  # of a box and between two, in columns and in rows
CONDITIONS = {"path-pattern": "path", "host-header": "host", "http-request-method": "method"}


class Block(NamedTuple):
    """One block and those that it leads to.

    kind:    what it is, in words; "" where the text says so.
    text:    up to two lines.
    is_well: False for what is missing, and for a target that is not healthy.
    """

    kind: str
    text: str
    is_well: bool = True
    leads_to: tuple["Block", ...] = ()


def show(elbv2: Any, balancer_arn: str) -> None:
    """Show the blocks behind a balancer, below the cell."""
    tree = read(elbv2, balancer_arn)
    figures.show(draw(tree), alt=f"Boxes joined by arrows. {' '.join(ways(tree))}")


def read(elbv2: Any, balancer_arn: str) -> Block:
    """What elbv2 says of the balancer and of all behind it."""
    balancer = elbv2.describe_load_balancers(LoadBalancerArns=[balancer_arn])["LoadBalancers"][0]
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer_arn)["Listeners"]
    return Block(
        "balancer",
        f"{balancer['LoadBalancerName']}\n{balancer['State']['Code']}",
        leads_to=tuple(listener(elbv2, each) for each in listeners) or missing("no listener"),
    )


def missing(what: str) -> tuple[Block, ...]:
    """A place where a block could be."""
    return (Block("", what, is_well=False),)


def listener(elbv2: Any, described: dict[str, Any]) -> Block:
    """A listener, its rules in the order in which they are tried."""
    rules = elbv2.describe_rules(ListenerArn=described["ListenerArn"])["Rules"]
    return Block(
        "listener",
        f"{described['Protocol']}\nport {described['Port']}",
        leads_to=tuple(rule(elbv2, each) for each in sorted(rules, key=turn)),
    )


def turn(rule: dict[str, Any]) -> float:
    """When a rule is tried: by its priority, the default one last."""
    return float("inf") if rule["IsDefault"] else int(rule["Priority"])


def rule(elbv2: Any, described: dict[str, Any]) -> Block:
    """A rule, and the groups that it forwards to; an answer of the balancer's own is a block."""
    action = described["Actions"][-1]
    leads_to: tuple[Block, ...] = (Block("", f"{action['Type']}\nby the balancer"),)
    if action["Type"] == "forward":
        groups = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
        leads_to = tuple(group(elbv2, each["TargetGroupArn"]) for each in groups)
    name = "default" if described["IsDefault"] else f"priority {described['Priority']}"
    return Block("rule", f"{name}\n{when(described)}", leads_to=leads_to)


def when(described: dict[str, Any]) -> str:
    """A rule's conditions in a few letters."""
    said = [
        f"{CONDITIONS.get(each['Field'], each['Field'])} {', '.join(each.get('Values') or ['…'])}"
        for each in described["Conditions"]
    ]
    return " and ".join(said) or "everything else"


def group(elbv2: Any, arn: str) -> Block:
    """A target group and its targets."""
    described = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    health = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return Block(
        "target group",
        f"{described['TargetGroupName']}\n{described['Protocol']} {described['Port']}",
        leads_to=tuple(map(target, health)) or missing("no target"),
    )


def target(described: dict[str, Any]) -> Block:
    """A target: where it is, and how it is."""
    known, state = described["Target"], described["TargetHealth"]["State"]
    where = f"{short(known['Id'])} : {known.get('Port', '')}"
    return Block("target", f"{where}\n{state}", is_well=state == "healthy")


def short(name: str) -> str:
    """An id that fits into a box.

    >>> short("i-71a1b728121106e10")
    'i-71a1…6e10'
    """
    return name if len(name) <= 15 else f"{name[:6]}…{name[-4:]}"


def ways(tree: Block) -> list[str]:
    """Every way through the blocks, a sentence each, for who cannot see them."""
    return [f"{' → '.join(way)}." for way in through(tree)]


def through(block: Block) -> Iterator[list[str]]:
    """The ways that begin at a block: its own words, then those of all that come after it."""
    here = f"{block.kind} {block.text}".strip().replace("\n", ", ")
    if not block.leads_to:
        yield [here]
    for following in block.leads_to:
        for rest in through(following):
            yield [here, *rest]


def rows(block: Block) -> int:
    """How many rows a block and what it leads to take."""
    return sum(map(rows, block.leads_to)) or 1


@rc_context(figures.STYLE)
def draw(tree: Block) -> Figure:
    """A column for each kind of block; what is missing or not well has a dashed orange frame."""
    figure = Figure(figsize=(9.6, 0.7 + 0.62 * max(rows(tree), 2)), layout="constrained")
    axes = figure.subplots()
    for column, name in enumerate(COLUMNS):
        axes.text(column * (WIDTH + GAP), -0.8, name, color=GREY, ha="center", fontsize=11)
    place(axes, tree, 0, 0.0)
    axes.set(
        xlim=(-0.55 * WIDTH, 4 * (WIDTH + GAP) + 0.55 * WIDTH),
        ylim=(max(rows(tree), 2) - 0.5, -1.1),
    )
    axes.set_axis_off()
    return figure


def place(axes: Axes, block: Block, column: int, top: float) -> float:
    """Draw a block and all that it leads to; its height in the figure, in rows."""
    middle = top + (rows(block) - 1) / 2
    x = column * (WIDTH + GAP)
    corner = (x - WIDTH / 2, middle - HEIGHT / 2)
    edge, line = (BLUE, "-") if block.is_well else (ORANGE, "--")
    frame = {"facecolor": PAPER, "edgecolor": edge, "linestyle": line, "linewidth": 1.4}
    axes.add_patch(Rectangle(corner, WIDTH, HEIGHT, **frame))
    axes.text(x, middle, block.text, color=INK, ha="center", va="center", fontsize=9.5)
    for following in block.leads_to:
        there = place(axes, following, column + 1, top)
        axes.annotate(
            "",
            xy=(x + WIDTH / 2 + GAP, there),
            xytext=(x + WIDTH / 2, middle),
            arrowprops={"arrowstyle": "->", "color": GREY},
        )
        top += rows(following)
    return middle
