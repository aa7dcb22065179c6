"""The lines of a log and AWS's error objects."""

import json
import signal

import pytest

from labs.cloud.mock.functions import report


def lines(printed="", init_ms=None):
    return report.lines("rid", "$LATEST", printed, 12.345, 128, 50 << 20, init_ms)


def test_a_cold_run():
    assert lines("one\ntwo\n", init_ms=100.5) == [
        "START RequestId: rid Version: $LATEST",
        "one",
        "two",
        "END RequestId: rid",
        "REPORT RequestId: rid\tDuration: 12.35 ms\tBilled Duration: 113 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 50 MB\tInit Duration: 100.50 ms\t",
    ]


def test_a_warm_run_says_nothing_of_init():
    assert "Init" not in lines()[-1]
    assert "Billed Duration: 13 ms" in lines()[-1]


def test_carriage_returns_are_breaks_inside_one_event():
    assert lines("[ERROR] a\r  File b\nnext\n")[1:3] == ["[ERROR] a\n  File b", "next"]


@pytest.mark.parametrize(
    ("milliseconds", "init", "whole"), [(1.0, None, 1), (1.01, None, 2), (1.2, 1.9, 4)]
)
def test_billed_in_whole_milliseconds(milliseconds, init, whole):
    assert report.billed(milliseconds, init) == whole


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (0, "exited without providing a reason"),
        (None, "exited without providing a reason"),
        (3, "exited with error: exit status 3"),
        (-signal.SIGTERM, "exited with error: signal: terminated"),
        (-signal.SIGSEGV, "exited with error: signal: segmentation fault"),
        (-999, "exited with error: signal: 999"),
    ],
)
def test_how_a_runtime_exited(code, how):
    assert report.exited("rid", code) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: rid Error: Runtime {how}",
    }


def test_a_signals_name_on_macos(monkeypatch):
    monkeypatch.setattr(signal, "strsignal", lambda _: "Killed: 9")
    assert report.signal_name(9) == "killed"


def test_last_words():
    words = report.last_words(report.timed_out("rid", 3))
    stamp, rest = words.split(" ", 1)
    assert stamp.endswith("Z")
    assert rest == "rid Task timed out after 3.00 seconds"
    assert report.last_words(report.exited("rid", 1)) == (
        "RequestId: rid Error: Runtime exited with error: exit status 1\rRuntime.ExitError"
    )


def test_errors_are_json():
    for error in (report.timed_out("r", 1), report.exited("r", 1), report.too_large(7 << 20)):
        assert json.loads(json.dumps(error)) == error
        assert set(error) == {"errorType", "errorMessage"}
