"""Run, stop, start, reboot, terminate; what the console says; and nothing is left behind."""

import base64
import gzip
import json
import os
import signal
import sys

import botocore.exceptions
import psutil
import pytest

from tests.cloud.mock.instances.conftest import IMAGE, SEES, Instance
from tests.cloud.processes import ended, left, python, wait_until

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def test_stop_ends_the_script_and_start_runs_it_again_with_its_files(cloud):
    instance = cloud.run(
        """
        import pathlib, time
        boots = pathlib.Path.home() / "boots"
        boots.open("a").write("x")
        print(f"boot {boots.stat().st_size} in {pathlib.Path.cwd() == pathlib.Path.home()}")
        time.sleep(600)
        """
    ).says("boot 1 in True")
    running = instance.processes()
    assert running
    cloud.ec2.stop_instances(InstanceIds=[instance.id])
    assert left(running) == []
    assert instance.record["State"]["Name"] == "stopped"
    cloud.ec2.start_instances(InstanceIds=[instance.id])
    instance.says("boot 2")
    running = instance.processes()
    cloud.ec2.reboot_instances(InstanceIds=[instance.id])
    instance.says("boot 3")
    assert left(running) == []


def test_a_stopped_instance_is_silent_and_a_terminated_one_gone(cloud):
    instance = cloud.run(SEES).listens()
    address, private = instance.public, instance.private
    code = f"""
    import socket
    try:
        socket.create_connection(({address!r}, 80), 0.3)
    except OSError as error:
        print(type(error).__name__)
    """
    cloud.ec2.stop_instances(InstanceIds=[instance.id])
    assert instance.ports() == {}
    assert private in cloud.instances.hosts({})
    assert address not in cloud.instances.hosts({})  # AWS takes it back, too
    cloud.ec2.start_instances(InstanceIds=[instance.id])
    instance.listens()
    cloud.ec2.terminate_instances(InstanceIds=[instance.id])
    assert instance.ports() == {}
    assert private not in cloud.instances.hosts({})
    assert cloud.python(code) == "ConnectionRefusedError"


@posix
def test_a_script_that_will_not_end_is_ended_with_all_its_children(cloud):
    instance = cloud.run(
        """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, lambda *_: print("asked to end"))
        deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up')"
        subprocess.Popen([sys.executable, "-c", deaf + "; time.sleep(600)"])
        while True:
            time.sleep(600)
        """
    ).says("up")
    running = instance.processes()
    assert len(running) == 2
    cloud.ec2.terminate_instances(InstanceIds=[instance.id])
    assert left(running) == []
    instance.says("asked to end")


def test_children_that_outlive_the_script_end_with_the_instance(cloud):
    instance = cloud.run(
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; print(\"up\"); time.sleep(600)'])"
    ).says("up")
    assert wait_until(lambda: len(instance.processes()) == 1)
    running = instance.processes()
    cloud.ec2.stop_instances(InstanceIds=[instance.id])
    assert left(running) == []


@posix
def test_a_daemon_that_left_the_scripts_group_ends_with_the_instance(cloud):
    instance = cloud.run(
        """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                print("daemon")
                time.sleep(600)
        """
    ).says("daemon")
    assert wait_until(lambda: len(instance.processes()) == 1)
    running = instance.processes()
    cloud.ec2.terminate_instances(InstanceIds=[instance.id])
    assert left(running) == []


def test_files_go_with_the_instance(cloud):
    instance = cloud.run(
        "import os, tempfile\nprint(os.getcwd())\nprint(tempfile.mkdtemp())\nprint('there')"
    ).says("there")
    folders = instance.console.splitlines()[:2]
    assert all(map(os.path.isdir, folders))
    cloud.ec2.terminate_instances(InstanceIds=[instance.id])
    assert wait_until(lambda: not any(map(os.path.exists, folders)))


def test_the_environment_is_the_instances_and_not_this_machines(cloud, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_LEARNER", "1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "1")
    instance = cloud.run("import json, os\nprint(json.dumps(sorted(os.environ)))\nprint('end')")
    names = json.loads(instance.says("end").console.splitlines()[0])
    assert not [
        name for name in names if name.startswith("SECRET") or name == "AWS_SECRET_ACCESS_KEY"
    ]
    assert {"HOME", "PATH", "LABS_CALLER", "LABS_ADDRESS_BOOK"} <= set(names)


CONSOLES = {
    "#!/bin/bash\nyum install httpd\n": "asks for /bin/bash",
    "#cloud-config\npackages: [httpd]\n": "#cloud-config",
    "#!/usr/bin/env python3\nprint(1\n": "SyntaxError: '(' was never closed",
    "#!/usr/bin/env python3\nraise ValueError('no')\n": "ValueError: no",
    "#!/usr/bin/env python3\nprint('ready')\n": "ready",
}


@pytest.mark.parametrize(("script", "text"), CONSOLES.items())
def test_the_console_says_what_became_of_the_user_data(cloud, script, text):
    instance = cloud.run(script).says(text)
    output = cloud.ec2.get_console_output(InstanceId=instance.id)["Output"]
    assert text in output
    assert instance.record["State"]["Name"] == "running"


def test_user_data_that_is_no_text_and_none_at_all(cloud):
    packed = gzip.compress(b"#!/usr/bin/env python3\n")
    for more, text in (({"UserData": packed}, "gzip"), ({}, "no user data")):
        record = cloud.ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, **more)
        Instance(cloud, record["Instances"][0]["InstanceId"]).says(text)


def test_sixteen_kilobytes_are_taken_and_one_more_byte_is_not(cloud):
    head = "#!/usr/bin/env python3\nprint('ran')\n#"
    cloud.run(head + "x" * (16_384 - len(head))).says("ran")
    with pytest.raises(botocore.exceptions.ClientError, match="limited to 16384 bytes") as refused:
        cloud.run(head + "x" * (16_385 - len(head)))
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_the_console_keeps_the_latest_64_kilobytes(cloud):
    instance = cloud.run("for n in range(20_000): print(n)").says("exit code 0")
    assert len(instance.console) == 65_536
    assert "\n19999\n" in instance.console


def test_instances_without_a_subnet_are_in_the_default_one(cloud):
    record = cloud.run(SEES).record
    subnet = cloud.ec2.describe_subnets(SubnetIds=[record["SubnetId"]])["Subnets"][0]
    assert subnet["DefaultForAz"]
    assert record["PrivateIpAddress"].startswith("172.31.")
    assert record["MetadataOptions"]["HttpTokens"] == "required"


def test_public_addresses_are_for_documentation_and_each_is_one_instances(cloud):
    records = cloud.ec2.run_instances(ImageId=IMAGE, MinCount=8, MaxCount=8)["Instances"]
    found = cloud.ec2.describe_instances(InstanceIds=[r["InstanceId"] for r in records])
    elastic = [cloud.ec2.allocate_address(Domain="vpc")["PublicIp"] for _ in range(3)]
    public = [i["PublicIpAddress"] for r in found["Reservations"] for i in r["Instances"]]
    assert len({*public, *elastic}) == 11
    assert all(address.startswith("203.0.113.") for address in (*public, *elastic))


def test_many_start_at_once_and_a_reset_ends_them_all(cloud):
    script = "#!/usr/bin/env python3\n" + SEES
    records = cloud.ec2.run_instances(ImageId=IMAGE, MinCount=6, MaxCount=6, UserData=script)
    instances = [Instance(cloud, record["InstanceId"]) for record in records["Instances"]]
    running = [process for instance in instances for process in instance.listens().processes()]
    cloud.instances.reset()
    assert all(map(ended, running))
    assert cloud.instances.listening() == {}
    assert set(cloud.instances.callers()) == {"learner", "function"}


OWNER = """
import sys
from tests.cloud.mock.instances.conftest import Cloud, SEES
from moto import mock_aws
from pathlib import Path
with mock_aws():
    cloud = Cloud(Path(sys.argv[1]))
    cloud.begin()
    child = "import subprocess, sys\\nsubprocess.Popen([sys.executable, '-c', {!r}])".format(SEES)
    instances = [cloud.run(SEES).listens(), cloud.run(child).listens()]
    print(*(process.pid for one in instances for process in one.processes()), flush=True)
    sys.stdin.read()
"""


@posix
def test_a_killed_mock_takes_its_instances_along(tmp_path):
    from tests.cloud.names.conftest import CHECKOUT

    code = OWNER.replace("sys.argv[1]", repr(str(tmp_path)))
    with python(code, cwd=CHECKOUT) as owner:
        running = [psutil.Process(int(pid)) for pid in owner.stdout.readline().split()]
        assert len(running) >= 2
        os.kill(owner.pid, signal.SIGKILL)
        assert left(running) == []


def test_base64_of_base64_is_explained(cloud):
    script = base64.b64encode(b"#!/usr/bin/env python3\nprint(1)\n").decode()
    record = cloud.ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, UserData=script)
    Instance(cloud, record["Instances"][0]["InstanceId"]).says("Base64 of Base64")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C reaches groups")
def test_an_interrupt_of_the_kernel_does_not_reach_instances(cloud):
    instance = cloud.run("import time\nprint('up')\ntime.sleep(600)").says("up")
    [process] = instance.processes()
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    assert os.getsid(process.pid) != os.getsid(0)
