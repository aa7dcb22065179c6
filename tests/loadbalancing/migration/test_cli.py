"""`python -m labs.loadbalancing.migration`: what it prints, and its exit status."""

import os
import subprocess
import sys

import pytest
from moto import mock_aws

from labs.loadbalancing.migration import __main__ as cli
from labs.loadbalancing.migration import removing
from labs.loadbalancing.migration.__main__ import main
from tests.loadbalancing.migration.account import Account, refusal

HERE = ["--name", "web", "--region", "us-east-1"]


@pytest.fixture
def account(monkeypatch):
    monkeypatch.setitem(removing.PATIENCE, "Delay", 0)
    with mock_aws():
        yield Account()


def test_a_dry_run_shows_the_plan_and_makes_nothing(account, capsys):
    before = account.left()
    assert main([*HERE, "--dry-run", "--register-targets"]) == 0
    printed = capsys.readouterr().out
    assert "-> Application Load Balancer" in printed
    assert "HTTP:8080 -> web-http-8080" in printed
    assert "Nothing was made or changed." in printed
    assert account.left() == before


def test_a_migration_prints_target_groups_and_the_new_name(account, capsys):
    assert main([*HERE, "--register-targets"]) == 0
    printed = capsys.readouterr().out
    left = account.left()
    _, _, end = printed.partition("Target group ARNs:\n")
    assert end.splitlines()[:2] == [group["TargetGroupArn"] for group in left["groups"]]
    assert f"DNS name: {left['balancers'][0]['DNSName']}" in end


def test_all_problems_are_printed_and_the_status_is_1(account, capsys):
    assert main(HERE) == 0
    account.follow_cookie("SID")
    capsys.readouterr()
    for more in ([], ["--dry-run"]):
        assert main([*HERE, *more]) == 1
        printed = capsys.readouterr().out
        assert "cannot be migrated as it is" in printed
        assert "1. An elbv2 balancer named 'web'" in printed
        assert "2. Listener HTTP:80 -> HTTP:80 follows the application's cookie 'SID'" in printed
        assert printed.count("What to do:") == 2
        assert "Dry run: it can" not in printed


def test_the_application_cookie_can_be_told_its_time(account, capsys):
    account.follow_cookie("SID")
    assert main([*HERE, "--dry-run", "--application-cookie-seconds", "600"]) == 0
    assert "app_cookie SID, 600 s" in capsys.readouterr().out


def test_the_wrong_region_is_named(account, capsys):
    assert main(["--name", "web", "--region", "eu-west-1", "--dry-run"]) == 1
    assert "named 'web' in eu-west-1" in capsys.readouterr().err


def test_a_failed_step_says_what_was_removed(account, capsys, monkeypatch):
    account.at("before-call", "CreateListener", refusal()("CreateListener"))
    monkeypatch.setattr(
        "labs.loadbalancing.migration.__main__.Clients.of", lambda _: account.clients
    )
    assert main(HERE) == 1
    printed = capsys.readouterr().err
    assert "Could not create listener HTTP:80" in printed
    assert "AccessDenied: You may not" in printed
    assert "Removed again: load balancer web" in printed
    assert "Traceback" not in printed


def test_no_credentials_is_one_line(capsys, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert main([*HERE, "--dry-run"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("AWS cannot be asked: Unable to locate credentials.")
    assert len(error.splitlines()) == 1
    assert main([*HERE, "--profile", "nobody"]) == 1
    error = capsys.readouterr().err
    assert "(nobody)" in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--name", "web"],
        ["--region", "us-east-1"],
        ["--name", "", "--region", "us-east-1"],
        ["--name", "web", "--region", ""],
        ["--name", os.fsdecode(b"\xff"), "--region", "us-east-1"],
        [*HERE, "--application-cookie-seconds", "0"],
        [*HERE, "--application-cookie-seconds", "604801"],
        [*HERE, "--application-cookie-seconds", "a week"],
    ],
)
def test_wrong_arguments_are_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_an_endpoint_that_is_none_is_one_line(capsys, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nowhere")
    assert main([*HERE, "--dry-run"]) == 1
    assert capsys.readouterr().err.startswith("AWS cannot be asked: Invalid endpoint: nowhere.")


class Unread:
    """A standard output whose reader leaves before it has read this."""

    def __init__(self, last_words):
        self.last_words = last_words

    def write(self, text):
        if self.last_words in text:
            raise BrokenPipeError("Broken pipe")

    def flush(self):
        pass


def test_what_nobody_reads_is_not_carried_out(account, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout", Unread("Making the new balancer"))
    assert main(HERE) == 1
    assert "Broken pipe. Nothing was made or changed." in capsys.readouterr().err
    assert not account.left()["balancers"]


def test_a_migration_is_done_whether_anybody_reads_of_it_or_not(account, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout", Unread("Target group ARNs"))
    assert main(HERE) == 0
    [balancer] = account.left()["balancers"]
    assert f"The new balancer is made: {balancer['DNSName']}" in capsys.readouterr().err


def test_ctrl_c_in_the_report_does_not_say_that_nothing_was_made(account, capsys, monkeypatch):
    def interrupted(_made):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "report", interrupted)
    assert main(HERE) == 0
    printed = capsys.readouterr().err
    assert "The new balancer is made" in printed
    assert "Nothing" not in printed


def test_ctrl_c_while_it_reads_makes_nothing(account, capsys, monkeypatch):
    def interrupted(_clients, _name):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "read", interrupted)
    assert main(HERE) == 1
    assert capsys.readouterr().err == "KeyboardInterrupt. Nothing was made or changed.\n"


#: A CLI that prints a letter that its encoding lacks, and has a reader that is gone by then.
IN_A_SHELL = """
import sys
from labs.loadbalancing.migration import __main__ as cli
cli.main = lambda: cli.say(sys.argv[1]) or 7
sys.exit(cli.in_a_shell())
"""


def test_what_a_terminal_cannot_show_is_escaped():
    words = [sys.executable, "-c", IN_A_SHELL, "\u65e5"]
    environ = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    ended = subprocess.run(words, capture_output=True, env=environ, timeout=60, check=False)
    assert (ended.returncode, ended.stdout.strip(), ended.stderr) == (7, b"\\u65e5", b"")


def test_the_status_stays_when_the_reader_is_gone_at_the_end():
    read, write = os.pipe()
    os.close(read)
    script = IN_A_SHELL.replace("cli.say(sys.argv[1])", "print(1)")
    environ = {**os.environ, "PYTHONUNBUFFERED": ""}
    ended = subprocess.run(
        [sys.executable, "-c", script],
        stdout=write, stderr=subprocess.PIPE, env=environ, timeout=60, check=False,
    )  # fmt: skip
    os.close(write)
    assert (ended.returncode, ended.stderr) == (7, b"")
