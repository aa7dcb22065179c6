"""No orphan and no mix-up, whatever ends a kernel: the mock lives and dies with it."""

import os
import signal
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import KernelManager

from tests.cloud.processes import descendants, ended, left, python, wait_until

#: A kernel with a mock, a zygote and a sandbox in which a handler runs for a minute.
BUSY = """
    import io, json, os, sys, time, zipfile
    from labs import cloud
    from labs.cloud import environment
    aws = cloud.connect(lesson="t")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("app.py", "import time\\ndef f(event, context):\\n    time.sleep(event)\\n")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole"}]}
    role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
    functions = aws.client("lambda")
    functions.create_function(FunctionName="f", Runtime="python3.13", Handler="app.f", Timeout=60,
                              Role=role["Role"]["Arn"], Code={"ZipFile": archive.getvalue()})
    functions.invoke(FunctionName="f", Payload="0")
    functions.invoke(FunctionName="f", InvocationType="Event", Payload="60")
    print(environment.folder(), flush=True)
"""
WAIT = "    sys.stdin.read()\n"

posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals and fork")


def start(kernel) -> tuple[Path, list[psutil.Process]]:
    folder = Path(kernel.stdout.readline().strip())
    assert wait_until(lambda: len(descendants(kernel.pid)) >= 3), "mock, zygote, sandbox"
    return folder, descendants(kernel.pid)


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_killed_kernel_leaves_nothing(end):
    with python(BUSY + WAIT) as kernel:
        folder, processes = start(kernel)
        getattr(kernel, end)()
        kernel.wait()
        assert left(processes) == []
        assert wait_until(lambda: not folder.exists())


def test_a_kernel_that_ends_by_itself_leaves_nothing():
    with python(BUSY + WAIT) as kernel:
        folder, processes = start(kernel)
        kernel.stdin.close()
        assert kernel.wait(30) == 0
        assert left(processes) == []
        assert not folder.exists()


@posix
def test_a_forked_child_that_holds_the_pipe_does_not_keep_the_mock():
    fork = "    if os.fork() == 0:\n        time.sleep(120)\n        os._exit(0)\n"
    with python(BUSY + fork + WAIT) as kernel:
        _, processes = start(kernel)

        def forked():
            children = psutil.Process(kernel.pid).children()
            return [child for child in children if "labs.cloud.mock" not in child.cmdline()]

        assert wait_until(forked), "it forks after it has told its folder"
        [child] = forked()
        others = [p for p in processes if p != child]
        kernel.kill()
        kernel.wait()
        try:
            assert left(others) == []
            assert not ended(child), "the child itself is none of our business"
        finally:
            child.kill()


def test_a_killed_mock_takes_its_sandboxes_along_and_is_replaced():
    again = """
    sys.stdin.readline()
    aws = cloud.connect(lesson="t")
    print(len(aws.client("lambda").list_functions()["Functions"]), flush=True)
    """
    with python(BUSY + again) as kernel:
        _, processes = start(kernel)
        mock = psutil.Process(kernel.pid).children()[0]
        mock.kill()
        assert left(processes) == []
        kernel.stdin.write("\n")
        kernel.stdin.flush()
        assert kernel.stdout.readline() == "0\n"


def test_two_kernels_never_meet():
    code = """
    import sys
    from labs import cloud
    aws = cloud.connect(lesson="t")
    print(aws.client("sts").meta.endpoint_url, flush=True)
    sys.stdin.readline()
    sns = aws.client("sns")
    sns.create_topic(Name=sys.argv[0][:1] + str(len(sns.list_topics()["Topics"])))
    print(len(sns.list_topics()["Topics"]), flush=True)
    """
    with python(code) as one, python(code) as two:
        assert one.stdout.readline() != two.stdout.readline()
        for kernel in one, two:
            kernel.stdin.write("\n")
            kernel.stdin.flush()
        assert (one.stdout.readline(), two.stdout.readline()) == ("1\n", "1\n")


@pytest.mark.timeout(400)
def test_fifty_starts_in_a_row_leave_nothing():
    code = """
    import psutil
    from labs import cloud
    ports = set()
    for _ in range(50):
        with cloud.connect(lesson="t") as aws:
            ports.add(aws.client("sts").meta.endpoint_url)
            assert aws.client("sts").get_caller_identity()
    print(len(ports), psutil.Process().children(recursive=True))
    """
    with python(code) as kernel:
        count, processes = kernel.communicate(timeout=380)[0].split(" ", 1)
        assert int(count) > 1
        assert processes == "[]\n"


def test_a_parent_that_has_gone_already_is_noticed():
    gone = "from labs.cloud.mock import __main__; __main__.find_parent('999999999:1.0')"
    with python(gone) as process:
        assert process.wait(30) == 0


def test_a_kernel_that_never_reads_the_first_line_and_is_killed_leaves_nothing():
    deaf = """
    import subprocess, sys
    import psutil
    from labs.cloud import environment
    me = psutil.Process()
    command = [sys.executable, "-m", "labs.cloud.mock", f"--parent={me.pid}:{me.create_time()}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    mock = subprocess.Popen(command, **pipes)
    mock.stdout.close()
    print(environment.folder(), flush=True)
    sys.stdin.read()
    """
    with python(deaf) as kernel:
        folder = Path(kernel.stdout.readline().strip())
        assert wait_until(lambda: len(descendants(kernel.pid)) >= 2), "mock, zygote"
        processes = descendants(kernel.pid)
        kernel.kill()
        kernel.wait()
        assert left(processes) == []
        assert wait_until(lambda: not folder.exists())


@posix
def test_jupyters_interrupt_does_not_reach_the_mock_and_its_restart_replaces_it():
    manager = KernelManager(transport="ipc")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()

    def run(code: str) -> str:
        printed = []

        def note(message: dict) -> None:
            if message["msg_type"] in ("stream", "error"):
                printed.append(str(message["content"].get("text") or message["content"]))

        client.execute_interactive(code, timeout=60, output_hook=note)
        return "".join(printed)

    pid_of_mock = "import psutil; print(psutil.Process().children()[0].pid)"
    try:
        client.wait_for_ready(timeout=60)
        run("from labs import cloud; aws = cloud.connect(lesson='t')")
        mock = psutil.Process(int(run(pid_of_mock)))
        client.execute("import time; print('asleep', flush=True); time.sleep(100)")
        while client.get_iopub_msg(timeout=20)["content"].get("text") != "asleep\n":
            continue
        manager.interrupt_kernel()
        assert client.get_shell_msg(timeout=20)["content"]["ename"] == "KeyboardInterrupt"
        # A kernel aborts what reaches it in the moment after an error.
        assert wait_until(lambda: run("print('here')") == "here\n")
        assert "MOCK" in run("print(aws.session.get_credentials().access_key)")
        assert run("print(aws.account_id)") == "123456789012\n"
        assert not ended(mock)
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=60)
        assert left([mock]) == []
        run("from labs import cloud; aws = cloud.connect(lesson='t')")
        assert run("print(aws.account_id)") == "123456789012\n"
        mock = psutil.Process(int(run(pid_of_mock)))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert left([mock]) == []


@posix
def test_a_control_c_at_the_terminal_does_not_reach_the_mock():
    code = """
    import os, signal, sys
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from labs import cloud
    aws = cloud.connect(lesson="t")
    print("ready", flush=True)
    sys.stdin.readline()
    print(aws.account_id, flush=True)
    """
    with python(code, start_new_session=True) as kernel:
        assert kernel.stdout.readline() == "ready\n"
        os.killpg(kernel.pid, signal.SIGINT)
        kernel.stdin.write("\n")
        kernel.stdin.flush()
        assert kernel.stdout.readline() == "123456789012\n"
