"""The doctor: what it says, what it advises, and when it fails."""

import socket
import subprocess

import pytest

from labs.commands import doctor, environment_setup, probes
from labs.commands.probes import Finding

GOOD = Finding("Ports", "answer")
BAD = Finding("Ports", "silent", False, True, "Allow it.")
LOW = Finding("Memory", "1 MB free", False, False, "Close something.")


@pytest.mark.parametrize(("findings", "code"), [([GOOD], 0), ([GOOD, LOW], 0), ([GOOD, BAD], 1)])
def test_only_something_essential_fails(findings, code):
    assert doctor.exit_code(findings) == code


def test_what_is_not_well_comes_with_advice():
    assert "Allow it." in doctor.line(BAD)
    assert "Close something." in doctor.line(LOW)
    assert "Ports" in doctor.verdict([GOOD, BAD])


def test_it_fits_one_screen_and_says_what_is_no_boundary(monkeypatch, capsys):
    monkeypatch.setattr(probes, "mock_call", lambda: GOOD)
    monkeypatch.setattr(probes, "PROBES_INSIDE", [probes.jupyterlab, probes.memory])
    monkeypatch.setattr(environment_setup, "ready", lambda environment: True)
    assert doctor.run(doctor.parse([])) == 0
    said = capsys.readouterr().out
    assert "not a security boundary" in said
    assert len(said.splitlines()) <= 24


def test_without_an_environment_it_says_how_to_make_one(monkeypatch, capsys):
    monkeypatch.setattr(environment_setup, "ready", lambda environment: False)
    assert doctor.run(doctor.parse([])) == 1
    said = capsys.readouterr().out
    assert "python3 -m labs lab makes it" in said
    assert "JupyterLab" not in said


def test_a_blocked_loopback_is_found(monkeypatch):
    def refuse(*_, **__):
        raise PermissionError("blocked")

    monkeypatch.setattr(socket, "create_connection", refuse)
    assert not probes.loopback().well


def test_a_forbidden_child_process_is_found(monkeypatch):
    monkeypatch.setattr(probes.sys, "executable", "/no/such/python")
    assert not probes.child_processes().well


def test_a_failing_call_is_told_by_its_last_words(monkeypatch):
    code = "import sys; sys.exit('Traceback...\\nValueError: the cause')"
    with pytest.raises(subprocess.CalledProcessError) as failed:
        probes.answer_of(code, seconds=30)
    assert probes.last_words(failed.value) == "ValueError: the cause"


def test_a_call_that_hangs_is_ended():
    with pytest.raises(subprocess.TimeoutExpired):
        probes.answer_of("import time; time.sleep(60)", seconds=0.5)


@pytest.mark.parametrize("probe", probes.PROBES, ids=lambda probe: probe.__name__)
def test_every_probe_that_finds_fault_has_advice(probe):
    finding = probe()
    assert finding.found
    assert finding.well or finding.advice
