"""The capture of exercise 11.3 lies in one thing, and can be mended."""

import pytest

from labs.loadbalancing.packets import Tap, dissect
from labs.loadbalancing.staging import colleague


def test_colleagues_capture_lies_about_ports_and_nothing_else(tmp_path):
    colleague.write_capture(tmp_path / "colleague.pcap")
    lying = dissect(tmp_path / "colleague.pcap")
    assert {packet["TCP"].fields["destination_port"] for packet in lying} == {colleague.WEB}
    assert {packet["IPv4"].fields["source"] for packet in lying} == {
        colleague.CLIENT,
        colleague.SERVER,
    }
    true = colleague.true_frames()
    assert len(true) == len(lying)
    mended = [
        colleague.swapped(packet.data) if colleague.is_from_server(packet.data) else packet.data
        for packet in lying
    ]
    assert mended == true


def test_swapping_ports_leaves_the_checksum_right():
    """As the lesson says of it."""
    frame = next(filter(colleague.is_from_server, colleague.lying_frames()))
    length = len(frame) - 34
    pseudo = frame[26:34] + bytes([0, 6]) + length.to_bytes(2)
    total = sum(
        int.from_bytes((pseudo + frame[34:] + b"\0")[at : at + 2])
        for at in range(0, len(pseudo) + length, 2)
    )
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF


def test_rewriting_keeps_times_and_wants_bytes(tmp_path):
    source, target = tmp_path / "a capture.pcap", tmp_path / "mended.pcap"
    with Tap(source) as tap:
        tap.write(b"one")
        tap.write(b"two")
    colleague.rewrite(source, target, bytes.upper)
    times = [time for time, _ in colleague.read(source)]
    assert colleague.read(target) == list(zip(times, [b"ONE", b"TWO"], strict=True))
    with pytest.raises(TypeError, match="is of type NoneType; expected bytes"):
        colleague.rewrite(source, target, lambda frame: None)
    assert [frame for _, frame in colleague.read(target)] == [b"ONE", b"TWO"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [source.name, target.name]
