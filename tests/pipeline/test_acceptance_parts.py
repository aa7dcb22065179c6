"""The acceptance tests without a mock: what they say, whatever they are given."""

import contextlib
import json
import socket
import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.pipeline.acceptance import (
    http_test,
    port_closed,
    port_open,
    ports,
    reporting,
    ssh_banner,
)
from labs.pipeline.acceptance.reporting import Failed, acceptance_test, outcome
from labs.pipeline.acceptance.ssh_banner import Identification, parse, read

# --- reporting ----------------------------------------------------------------------------------


def data(text=None, **more):
    configuration = {} if text is None else {"UserParameters": text}
    return {"actionConfiguration": {"configuration": configuration}, "inputArtifacts": [], **more}


def plenty():
    return 30_000


class Pipeline:
    """Keeps what is reported to it."""

    def __init__(self):
        self.reports = []

    def put_job_success_result(self, jobId, executionDetails):
        self.reports.append((jobId, True, executionDetails["summary"]))

    def put_job_failure_result(self, jobId, failureDetails):
        assert failureDetails["type"] == "JobFailed"
        self.reports.append((jobId, False, failureDetails["message"]))


@pytest.fixture
def pipeline(monkeypatch):
    pipeline = Pipeline()
    monkeypatch.setattr(reporting.boto3, "client", lambda name, **_: pipeline)
    return pipeline


def context(milliseconds=30_000):
    return SimpleNamespace(
        get_remaining_time_in_millis=lambda: milliseconds, aws_request_id="request-1"
    )


SECRET = "very-secret-key"


def event(text=None, **more):
    keys = {"accessKeyId": "AKIA", "secretAccessKey": SECRET, "sessionToken": SECRET}
    return {
        "CodePipeline.job": {
            "id": "job-1",
            "data": data(text, artifactCredentials=keys, **more),
        }
    }


@pytest.mark.parametrize(
    ("text", "passed", "message"),
    [
        ('{"Tea": "green"}', True, "green"),
        ("{", False, "UserParameters are no JSON"),
        ("[1]", False, "must be a JSON object"),
        (None, False, "The parameter Tea is missing (there are: none)."),
        ('{"Tea": {"deep": 1}}', False, "The parameter Tea is missing (there are: Tea)."),
    ],
)
def test_every_result_is_reported_and_no_secret_is_printed(pipeline, capsys, text, passed, message):
    acceptance_test(lambda given: reporting.wanted(given, "Tea"))(event(text), context())
    [(job, was, told)] = pipeline.reports
    assert (job, was) == ("job-1", passed)
    assert message in told
    assert SECRET not in capsys.readouterr().out + told


def test_a_check_that_raises_anything_is_a_failure(pipeline):
    def check(given):
        raise ZeroDivisionError("not by 0")

    acceptance_test(check)(event(), context())
    assert pipeline.reports == [
        ("job-1", False, "The test itself failed: ZeroDivisionError: not by 0")
    ]


def test_a_job_without_data_is_reported(pipeline):
    acceptance_test(lambda given: "fine")({"CodePipeline.job": {"id": "job-1"}}, context())
    assert [was for _, was, _ in pipeline.reports] == [False]


def test_an_artifact_that_is_missing_is_reported(monkeypatch):
    def broken(name, **_):
        def get_object(**_):
            raise OSError("no such key")

        return SimpleNamespace(get_object=get_object)

    monkeypatch.setattr(reporting.boto3, "client", broken)
    where = {"s3Location": {"bucketName": "b", "objectKey": "k"}}
    job = event(inputArtifacts=[{"location": where}])["CodePipeline.job"]
    passed, message = outcome(lambda given: "fine", job["data"], plenty)
    assert not passed
    assert message == "The input artifact has no outputs in outputs.json: no such key"


def test_a_check_is_given_up_before_the_functions_time_is_over():
    gate = threading.Event()
    try:
        passed, message = outcome(lambda given: gate.wait() and "late", data(), lambda: 1_600)
    finally:
        gate.set()
    assert (passed, message) == (False, "It took too long: the function's time is up.")


@given(st.text())
def test_no_user_parameters_make_it_raise(text):
    passed, message = outcome(
        lambda given: reporting.wanted(given, "Tea"), data(text), lambda: 30_000
    )
    assert isinstance(passed, bool)
    assert 0 < len(message) <= reporting.LONGEST


def test_an_event_that_is_no_jobs_raises():
    with pytest.raises(KeyError):
        acceptance_test(lambda given: "fine")({}, context())


# --- HTTP ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "page", "wrong"),
    [
        (200, "<p>Version 2</p>", ""),
        (200, "<p>Version 21</p>", "version 21 on the page, not version 2"),
        (200, "<p>Version 2.1</p>", "version 2.1 on the page, not version 2"),
        (200, "<p>hello</p>", "no version on the page"),
        (500, "<p>Version 2</p>", "answers 500, not 200"),
        (0, "refused", "no answer (refused)"),
    ],
)
def test_the_verdict_on_a_page(status, page, wrong):
    found = http_test.verdict(status, page, "2")
    assert wrong in found
    assert bool(found) == bool(wrong)


def test_a_host_is_asked_by_http():
    assert http_test.full("example.com") == "http://example.com/"
    assert http_test.full("https://example.com/a") == "https://example.com/a"
    with pytest.raises(Failed):
        http_test.full("file:///etc/passwd")


# --- ports --------------------------------------------------------------------------------------


@contextlib.contextmanager
def listener(*lines):
    """A port that says these lines to whoever connects."""

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"".join(lines))

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@pytest.fixture
def closed_port():
    with socket.socket() as sock:  # bound, and not listening
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


def tried(module, **given):
    return reporting.tried(module.handler.__wrapped__, data(json.dumps(given)))


def test_an_open_port_is_open_and_not_closed():
    with listener() as number:
        assert tried(port_open, Host="127.0.0.1", Port=number)[0]
        passed, message = tried(port_closed, Host="127.0.0.1", Port=str(number))
    assert not passed
    assert "is open, at 127.0.0.1: close it." in message


def test_a_port_that_refuses_is_closed_and_not_open(closed_port):
    assert tried(port_closed, Host="127.0.0.1", Port=closed_port) == (
        True,
        f"Port {closed_port} of 127.0.0.1 is closed (refused).",
    )
    passed, message = tried(port_open, Host="127.0.0.1", Port=closed_port)
    assert not passed
    assert "127.0.0.1 is refused" in message


def test_silence_is_closed_too(monkeypatch):
    monkeypatch.setattr(ports, "try_one", lambda *_: ports.SILENT)
    assert tried(port_closed, Host="127.0.0.1", Port=22)[0]
    assert not tried(port_open, Host="127.0.0.1", Port=22)[0]


@pytest.mark.parametrize("module", [port_open, port_closed])
def test_a_name_that_does_not_resolve_has_not_been_tested(module):
    passed, message = tried(module, Host="nobody.invalid", Port=22)
    assert not passed
    assert "nobody.invalid does not resolve" in message


@pytest.mark.parametrize("number", [0, 65_536, "ssh", -1, 2.5, None, True])
def test_what_is_no_port(number):
    assert not tried(port_closed, Host="127.0.0.1", Port=number)[0]


# --- SSH ----------------------------------------------------------------------------------------

printable = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="-"))
comments = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80)
identifications = st.builds(
    Identification,
    st.sampled_from(["2.0", "1.99"]),
    printable.filter(lambda text: 0 < len(text) < 80),
    comments,
)
before = st.lists(
    st.binary(max_size=60).filter(lambda line: b"\n" not in line and not line.startswith(b"SSH-")),
    max_size=4,
)


def line(found):
    comment = f" {found.comments}" if found.comments else ""
    return f"SSH-{found.protocol}-{found.software}{comment}\r\n".encode()


@given(identifications)
def test_what_rfc_4253_allows_is_read(found):
    assert parse(line(found)) == found


@given(identifications, before, st.binary(max_size=40))
def test_it_is_found_behind_other_lines_and_before_what_follows(found, lines, rest):
    said = b"".join(one + b"\r\n" for one in lines) + line(found)
    assert read(said + rest) == found
    for end in range(len(said)):  # however the bytes come
        assert read(said[:end]) is None


@given(st.binary(max_size=300))
def test_anything_else_is_refused_or_waited_for(said):
    with contextlib.suppress(ValueError):
        found = read(said)
        assert found is None or found.protocol in ("2.0", "1.99")


@pytest.mark.parametrize(
    "wrong",
    [
        b"SSH-2.0-OpenSSH_8.7\n",
        b"SSH-1.5-OpenSSH_1.2\r\n",
        b"SSH-2.0-\r\n",
        b"SSH-2.0-Open SSH\0\r\n",
        b"SSH-2.0-a-b\r\n",
        b"SSH-2.0-" + b"x" * 300 + b"\r\n",
        b"SSH-2.0-" + b"x" * 300,
        b"x" * 9_000,
        b"\n" * 9_000,
    ],
)
def test_what_rfc_4253_does_not_allow(wrong):
    with pytest.raises(ValueError):
        read(wrong)


def test_an_ssh_server_says_who_it_is():
    with listener(b"welcome\r\n", b"SSH-2.0-OpenSSH_8.7 for tests\r\n", b"\0\0") as number:
        assert tried(ssh_banner, Host="127.0.0.1", Port=number) == (
            True,
            f"Port {number} of 127.0.0.1 is OpenSSH_8.7, SSH 2.0.",
        )


def test_another_server_is_no_ssh_server(closed_port):
    with listener(b"220 mail.example ESMTP\r\n") as number:
        passed, message = tried(ssh_banner, Host="127.0.0.1", Port=number)
    assert not passed
    assert "no SSH server: it hung up after" in message
    assert not tried(ssh_banner, Host="127.0.0.1", Port=closed_port)[0]
