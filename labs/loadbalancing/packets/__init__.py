"""Packets: record a conversation, take it apart layer by layer.

`record` relays connections and writes the bytes that cross it to a capture; `dissect` reads it, or
one of tcpdump's.
"""

from labs.loadbalancing.packets.dissection import NotACapture, dissect, dissect_frame
from labs.loadbalancing.packets.packet import Layer, Packet
from labs.loadbalancing.packets.recording import record
from labs.loadbalancing.packets.tap import Speaker, Tap

__all__ = [
    "Layer",
    "NotACapture",
    "Packet",
    "Speaker",
    "Tap",
    "dissect",
    "dissect_frame",
    "record",
]
