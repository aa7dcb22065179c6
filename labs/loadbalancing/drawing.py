"""A packet as nested boxes: each layer carries the next."""

from textwrap import shorten

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from labs.course import figures
from labs.course.figures import BLUE, GREY
from labs.loadbalancing.packets.packet import Layer, Packet, gist

WIDTH = 9.0  # inches, as all lengths here
TEXT, GAP = 0.62, 0.14  # two lines of text; between a box and the one around it
LETTERS = 88  # of the second line, that fit into the innermost box

SYNTHETIC = ("Ethernet", "IPv4", "TCP")  # what `packets.tap` makes up
PARTS = {"HTTP": ("head", "body"), "TLS": ("header", "content")}


def show_boxes(packet: Packet, caption: str = "") -> None:
    """Show a packet below the cell."""
    figures.show(boxes(packet), alt=in_words(packet), caption=caption)


def in_words(packet: Packet) -> str:
    """The boxes for who cannot see them."""
    said = "; ".join(
        ", ".join(filter(None, [label(packet, layer), sizes(layer), detail(layer)]))
        for layer in packet.layers
    )
    return f"Nested boxes, a packet of {len(packet.data)} bytes. From outside: {said}."


@rc_context(figures.STYLE)
def boxes(packet: Packet) -> Figure:
    """A box for each layer, inside that of the layer which carries it. Not to scale."""
    places = spans(packet.layers)
    height = places[0][2] if places else 0.0
    figure = Figure(figsize=(WIDTH, height + 0.6), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, WIDTH), ylim=(height + 0.02, -0.02))
    axes.set_title(f"A packet of {len(packet.data)} bytes, layer in layer")
    axes.axis("off")
    for layer, (depth, top, bottom) in zip(packet.layers, places, strict=True):
        left, right = GAP * depth + 0.02, WIDTH - GAP * depth - 0.02
        line = (
            {"edgecolor": GREY, "linestyle": "dashed"}
            if is_synthetic(packet, layer)
            else {"edgecolor": BLUE, "linestyle": "solid"}
        )
        axes.add_patch(
            Rectangle(
                (left, top), right - left, bottom - top, facecolor="none", linewidth=1.6, **line
            )
        )
        axes.text(left + 0.1, top + 0.2, label(packet, layer), weight="bold", va="center")
        axes.text(right - 0.1, top + 0.2, sizes(layer), ha="right", va="center")
        said = shorten(detail(layer), LETTERS, placeholder=" …")
        axes.text(left + 0.1, top + 0.47, said, va="center", fontsize=11, color=GREY)
    return figure


def spans(layers: tuple[Layer, ...]) -> list[tuple[int, float, float]]:
    """For each layer: how deep it stands, 0 outermost, and where its box begins and ends."""
    depths = [sum(carries(below, layer) for below in layers) for layer in layers]
    tops, bottoms = [], {}
    below = 0.0
    for index, depth in enumerate(depths):
        tops.append(below)
        below += TEXT
        if depth == max(depths):  # it carries nothing more
            bottoms[index] = below
            below += GAP
    for index in reversed(range(len(depths))):
        if index not in bottoms:
            bottoms[index] = below
            below += GAP
    return [(depth, tops[index], bottoms[index]) for index, depth in enumerate(depths)]


def carries(below: Layer, above: Layer) -> bool:
    """Whether one layer is in the payload of another."""
    begin = below.offset + below.header
    return above is not below and begin <= above.offset < begin + below.payload


def label(packet: Packet, layer: Layer) -> str:
    return f"{layer.name} (synthetic)" if is_synthetic(packet, layer) else layer.name


def is_synthetic(packet: Packet, layer: Layer) -> bool:
    return packet.synthetic and layer.name in SYNTHETIC


def detail(layer: Layer) -> str:
    """From where to where, and what it says."""
    match layer.fields:
        case {"source_port": source, "destination_port": destination}:
            return ", ".join(filter(None, [f"port {source} → port {destination}", gist(layer)]))
        case {"source": source, "destination": destination}:
            return f"{source} → {destination}"
    if layer.name == "data":
        return "goes on from an earlier packet, or is not known here"
    return gist(layer)


def sizes(layer: Layer) -> str:
    """How many bytes of what."""
    if not layer.header:
        return in_bytes(layer.payload)
    first, then = PARTS.get(layer.name, ("header", "payload"))
    return f"{first} {in_bytes(layer.header)}, {then} {in_bytes(layer.payload)}"


def in_bytes(number: int) -> str:
    return "1 byte" if number == 1 else f"{number} bytes"
