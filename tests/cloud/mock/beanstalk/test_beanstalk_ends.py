"""Every process and thread of an environment has an end: with a reset, and with the mock."""

import contextlib

import psutil

from labs import cloud
from tests.cloud.mock.beanstalk.shop import ROLLING, SINGLE, Shop, get, traffic
from tests.cloud.processes import left, python, wait_until


def processes_of(shop):
    """Those of the instances of "test-env": the host, and the application's."""
    instances = shop.instances()
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("LABS_CALLER") in instances:
                found.append(process)
    return found


def test_a_reset_ends_what_runs_and_what_is_under_way(shop):
    environment = shop.launch(version=shop.version("v1"), **ROLLING)
    shop.version("v2")
    running = processes_of(shop)
    assert len(running) == 4  # a host and a server on each of two instances
    with traffic(f"http://{environment['CNAME']}/"):
        shop.api.update_environment(EnvironmentName="test-env", VersionLabel="v2")
        aws = cloud.connect(lesson="test")
    assert left(running) == []
    assert aws.client("elasticbeanstalk").describe_environments()["Environments"] == []
    again = Shop(aws)
    assert again.launch(version=again.version("v3"), **SINGLE)["Health"] == "Green"
    assert again.get() == (200, "v3")


def test_a_deployment_to_an_instance_whose_host_was_killed_ends_in_a_stated_failure(shop):
    environment = shop.launch(version=shop.version("v1"), SystemType="enhanced", **ROLLING)
    shop.version("v2")
    [first, second] = shop.instances()
    for process in processes_of(shop):
        with contextlib.suppress(psutil.Error):
            if process.environ().get("LABS_CALLER") == first:
                process.kill()
    after = shop.deploy("v2")
    assert (after["Status"], after["VersionLabel"], after["Health"]) == ("Ready", "v1", "Red")
    assert "Failed to deploy application." in shop.events(Severity="ERROR")
    assert get(f"http://{environment['CNAME']}/")[1].startswith("v1")
    shop.ec2.terminate_instances(InstanceIds=[first])
    assert wait_until(lambda: first not in shop.instances() and len(shop.instances()) == 2, 30)
    after = shop.deploy("v2")
    assert (after["VersionLabel"], after["HealthStatus"]) == ("v2", "Ok")
    assert second in shop.instances()


SCRIPT = """
from labs import cloud
from tests.cloud.mock.beanstalk.shop import SINGLE, Shop
from tests.cloud.mock.beanstalk.test_beanstalk_ends import processes_of

with cloud.connect(lesson="ends") as aws:
    shop = Shop(aws)
    shop.launch(version=shop.version("v1"), **SINGLE)
    shop.create("late-env", **SINGLE)
    print(*(process.pid for process in processes_of(shop)), flush=True)
    input()
"""


def test_nothing_outlives_the_mock():
    with python(SCRIPT) as kernel:
        pids = [int(word) for word in kernel.stdout.readline().split()]
        running = [psutil.Process(pid) for pid in pids]
        assert len(running) == 2
        kernel.stdin.write("\n")
        kernel.stdin.flush()
        assert kernel.wait(60) == 0
    assert left(running) == []


def test_nothing_outlives_a_kernel_that_is_killed():
    with python(SCRIPT) as kernel:
        pids = [int(word) for word in kernel.stdout.readline().split()]
        running = [psutil.Process(pid) for pid in pids]
        kernel.kill()
        assert wait_until(lambda: left(running, 0) == [], 30)
