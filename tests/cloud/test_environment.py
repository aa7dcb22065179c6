"""What mock mode sets and removes, and whose folder a process uses."""

import os
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from labs.cloud import environment, names

FOLDER = Path("/a folder/of ours")
URL = "http://127.0.0.1:4000"
CHECKOUT = Path(__file__).parents[2]


def clean(**more):
    """This machine's environment without a setting of ours or of AWS's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("AWS_", "LABS_", "BOTO"))
    }
    return {**kept, "PYTHONPATH": str(CHECKOUT), **more}


def python(code, environ):
    result = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_variables_aim_everything_at_the_folder_and_the_endpoint():
    ours = environment.variables(FOLDER, URL, {})
    assert ours["AWS_ENDPOINT_URL"] == URL
    assert ours["AWS_REGION"] == ours["AWS_DEFAULT_REGION"] == "us-east-1"
    assert (ours["AWS_RETRY_MODE"], ours["AWS_MAX_ATTEMPTS"]) == ("standard", "3")
    assert ours["LABS_ADDRESS_BOOK"] == str(FOLDER / "book.json")
    assert {ours[name] for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")} == {
        str(FOLDER / "bundle.pem")
    }


def test_no_proxy_and_python_path_keep_what_was_theirs_and_are_stable():
    theirs = {
        "NO_PROXY": "intranet.example, .corp",
        "no_proxy": "other.example",
        "PYTHONPATH": os.pathsep.join(["mine", "yours"]),
    }
    ours = environment.variables(FOLDER, URL, theirs)
    hosts = ours["NO_PROXY"].split(",")
    assert hosts[:3] == ["intranet.example", ".corp", "other.example"]
    assert {"localhost", "127.0.0.1", "amazonaws.com", "169.254.169.254"} <= set(hosts)
    assert ours["PYTHONPATH"].split(os.pathsep) == [str(names.FOLDER), "mine", "yours"]
    assert environment.variables(FOLDER, URL, {**theirs, **ours}) == ours


def test_a_no_proxy_for_everything_stays_alone():
    """Clients know a lone * only."""
    assert environment.variables(FOLDER, URL, {"no_proxy": "*"})["NO_PROXY"] == "*"


@pytest.mark.parametrize("client", ["requests", "urllib", "httpx"])
def test_a_companys_proxy_is_not_asked_for_aws(client, monkeypatch):
    for name, value in environment.variables(FOLDER, URL, {"NO_PROXY": "corp.example"}).items():
        if name.lower() == "no_proxy":
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp.example:3128")
    hosts = ["sts.us-east-1.amazonaws.com", "127.0.0.1", "www.corp.example", "example.com"]
    assert [bypasses(client, host) for host in hosts] == [True, True, True, False]


def bypasses(client: str, host: str) -> bool:
    if client == "requests":
        import requests.utils

        return not requests.utils.get_environ_proxies(f"https://{host}/")
    if client == "urllib":
        import urllib.request

        return bool(urllib.request.proxy_bypass_environment(host))
    import httpx

    with httpx.Client(verify=False) as session:  # the CA variables are not part of this test
        return session._transport_for_url(httpx.URL(f"https://{host}/")) is session._transport


def test_foreign_names_all_that_could_lead_to_an_account():
    theirs = {
        "AWS_PROFILE": "prod",
        "AWS_SESSION_TOKEN": "x",
        "AWS_ENDPOINT_URL_S3": "https://s3.example",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_ROLE_ARN": "x",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "x",
        "BOTO_CONFIG": "x",
        "ECS_CONTAINER_METADATA_URI_V4": "x",
    }
    harmless = {"PATH": "x", "AWSX": "x", "AWS_REGION": "eu-west-1", "LABS_SIZE": "small"}
    assert environment.foreign({**theirs, **harmless}) == sorted(theirs)


def test_a_lab_is_scrubbed_and_dead_but_has_no_mock():
    theirs = {
        "PATH": "x",
        "AWS_PROFILE": "prod",
        "AWS_SECRET_ACCESS_KEY": "real",
        "SSL_CERT_FILE": "theirs.pem",
        "PYTHONPATH": "mine",
    }
    lab = environment.lab_variables(FOLDER, URL, theirs)
    assert lab["AWS_ENDPOINT_URL"] == URL
    assert "AWS_PROFILE" not in lab
    assert lab["AWS_SECRET_ACCESS_KEY"] == environment.SECRET_ACCESS_KEY
    assert (lab["SSL_CERT_FILE"], lab["PYTHONPATH"]) == ("theirs.pem", "mine")
    assert lab["PATH"].split(os.pathsep) == [sysconfig.get_path("scripts"), "x"]
    assert not {"LABS_ADDRESS_BOOK", "CURL_HOME"} & set(lab)


def test_joining_drops_what_defeats_the_endpoint_and_keeps_a_functions_own():
    environ = {
        "AWS_PROFILE": "prod",
        "AWS_ENDPOINT_URL_S3": "https://s3.example",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_ENDPOINT_URL": URL,
        "AWS_ACCESS_KEY_ID": "ASIAROLE",
        "AWS_LAMBDA_FUNCTION_NAME": "word_counter",
    }
    environment.join(FOLDER, environ)
    assert environ == {
        "AWS_ENDPOINT_URL": URL,
        "AWS_ACCESS_KEY_ID": "ASIAROLE",
        "AWS_LAMBDA_FUNCTION_NAME": "word_counter",
    }


ENTER = """
import os, sys
from labs.cloud import environment
folder = environment.enter()
assert folder == environment.enter() == environment.folder()
"""


def test_enter_makes_a_private_folder_that_goes_with_its_process():
    code = ENTER + (
        "print(folder, oct(folder.stat().st_mode)[-3:], oct((folder/'ca.key').stat().st_mode)[-3:])"
        "\nprint(*sorted(path.name for path in folder.iterdir()))"
    )
    first, files = python(code, clean()).splitlines()
    folder, *modes = first.rsplit(" ", 2)
    if sys.platform != "win32":
        assert modes == ["700", "600"]
    assert files.split() == [
        *(".curlrc", "aws-config", "aws-credentials", "book.json", "bundle.pem", "ca.key", "ca.pem")
    ]
    assert not Path(folder).exists()


def test_the_endpoint_is_dead_at_once_until_it_is_aimed():
    code = ENTER + (
        "import boto3, botocore.exceptions, time\n"
        "start = time.monotonic()\n"
        "try: boto3.client('sts', config=boto3.session.Config(retries={'total_max_attempts': 1}))"
        ".get_caller_identity()\n"
        "except botocore.exceptions.EndpointConnectionError: print('dead')\n"
        "environment.aim_at('http://127.0.0.1:1')\n"
        "print(os.environ['AWS_ENDPOINT_URL'], environment.owns_folder())"
    )
    assert python(code, clean()).splitlines() == ["dead", "http://127.0.0.1:1 True"]


def test_a_plain_child_joins_and_leaves_the_folder_alone():
    code = ENTER + (
        "import subprocess\n"
        "environment.aim_at('http://127.0.0.1:1')\n"
        "child = 'from labs.cloud import environment as e; import os; print(e.enter(), "
        'os.environ["AWS_ENDPOINT_URL"], e.owns_folder())\'\n'
        "answer = subprocess.check_output([sys.executable, '-c', child], text=True).strip()\n"
        "print(answer == f'{folder} http://127.0.0.1:1 False', folder.is_dir())"
    )
    assert python(code, clean()) == "True True"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_that_exits_leaves_the_folder_alone():
    code = ENTER + (
        "pid = os.fork()\n"
        "if pid == 0: sys.exit(0)\n"  # runs the exit handlers that it inherited
        "os.waitpid(pid, 0)\n"
        "print(folder.is_dir())"
    )
    assert python(code, clean()) == "True"


def test_a_child_whose_parents_folder_is_gone_makes_its_own(tmp_path):
    book = tmp_path / "gone" / "book.json"
    code = ENTER + "print(os.environ['LABS_ADDRESS_BOOK'] == str(folder / 'book.json'))"
    assert python(code, clean(LABS_ADDRESS_BOOK=str(book), AWS_ENDPOINT_URL="x")) == "True"


def test_a_kernel_started_from_inside_another_gets_a_folder_of_its_own(tmp_path):
    from jupyter_client.manager import start_new_kernel

    (tmp_path / "book.json").touch()
    environ = clean(LABS_ADDRESS_BOOK=str(tmp_path / "book.json"), AWS_PROFILE="prod")
    manager, client = start_new_kernel(env=environ, startup_timeout=60)
    try:
        output = []
        code = ENTER + (
            "import socket, subprocess\n"
            "ask = 'import labs_names; print(labs_names._path)'\n"
            "path = subprocess.check_output([sys.executable, '-c', ask], text=True).strip()\n"
            "print(folder, path == str(folder / 'book.json'), os.environ.get('AWS_PROFILE'),"
            " socket.getaddrinfo.__module__)"
        )
        reply = client.execute_interactive(
            code, timeout=60, output_hook=lambda message: output.append(message["content"])
        )
        assert reply["content"]["status"] == "ok", output
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    folder, *rest = "".join(part.get("text", "") for part in output).strip().rsplit(" ", 3)
    assert rest[:2] == ["True", "None"]
    assert rest[2].endswith("labs_names")  # the kernel process itself is wrapped
    assert Path(folder) != tmp_path
    assert not Path(folder).exists()


def test_original_is_what_the_shell_gave():
    code = ENTER + "print(environment.original()['AWS_PROFILE'], os.environ.get('AWS_PROFILE'))"
    assert python(code, clean(AWS_PROFILE="prod")) == "prod None"


def test_furnish_makes_empty_private_files(tmp_path):
    environment.furnish(tmp_path)
    for name in ("aws-config", "aws-credentials"):
        assert (tmp_path / name).read_bytes() == b""
        if sys.platform != "win32":
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o077 == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell reads these lines")
def test_a_terminal_that_reads_the_shell_lines_joins_this_mock():
    code = ENTER + (
        "import subprocess\n"
        "environment.aim_at('http://127.0.0.1:1')\n"
        "child = 'from labs.cloud import environment as e; import os; print(e.enter(), "
        'os.environ["AWS_ENDPOINT_URL"], os.environ.get("AWS_ENDPOINT_URL_S3"))\'\n'
        "script = '\\n'.join([*environment.shell_lines(), 'exec \"$0\" -c \"$1\"'])\n"
        "terminal = {**environment.original(), 'AWS_ENDPOINT_URL_S3': 'x'}\n"
        "run = ['sh', '-c', script, sys.executable, child]\n"
        "answer = subprocess.check_output(run, text=True, env=terminal).strip()\n"
        "print(answer == f'{folder} http://127.0.0.1:1 None', environment.is_mock())"
    )
    assert python(code, clean(AWS_ENDPOINT_URL_S3="x", AWS_PROFILE="it's prod")) == "True True"
