"""The parts that need no mock: health, options, requirements, platforms."""

from importlib import metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.mock.beanstalk import health, options, platforms
from labs.cloud.mock.beanstalk.bundles import Broken, target
from labs.cloud.mock.beanstalk.health import Expected, Report
from labs.cloud.mock.beanstalk.options import COMMAND, LAUNCH, Invalid, Settings
from labs.cloud.mock.beanstalk.requirements import NotInstallable, packages

EXPECTED = Expected(label="v1", number=1, minimum=2)


def report(name="i-1", **more):
    given = {
        "answers": True,
        "runs": True,
        "number": 1,
        "label": "v1",
        "requests": [],
        "target": "healthy",
    }
    return Report(instance=name, **{**given, **more})


@pytest.mark.parametrize(
    ("second", "status", "colour", "cause"),
    [
        ({}, "Ok", "Green", None),
        ({"runs": False}, "Degraded", "Red", "Impaired services on 1 out of 2 instances."),
        (
            {"number": 2, "label": "v2"},
            "Degraded",
            "Red",
            'Incorrect application version found on 1 out of 2 instances. Expected version "v1" '
            "(deployment 1).",
        ),
        (
            {"target": "unhealthy"},
            "Degraded",
            "Red",
            "ELB processes are not healthy on 1 out of 2 instances.",
        ),
        ({"target": "initial"}, "Ok", "Green", None),
        (
            {"requests": [(200, 0.1)] * 98 + [(500, 0.1)] * 2},
            "Warning",
            "Yellow",
            "2.0 % of the requests are failing with HTTP 5xx.",
        ),
        ({"requests": [(404, 0.1)] * 9}, "Ok", "Green", None),
    ],
)
def test_an_environment_is_as_well_as_its_instances(second, status, colour, cause):
    found = health.of_environment([report(), report("i-2", **second)], EXPECTED)
    assert (found.status, found.colour) == (status, colour)
    assert found.causes == ((cause,) if cause else ())


def test_what_is_wrong_everywhere_is_severe():
    stopped = [report(name, runs=False) for name in ("i-1", "i-2")]
    found = health.of_environment(stopped, EXPECTED)
    assert (found.status, found.causes) == ("Severe", ("Impaired services on all instances.",))
    silent = [report(name, answers=False) for name in ("i-1", "i-2")]
    assert health.of_environment(silent, EXPECTED).status == "Severe"
    assert health.of_environment([], EXPECTED).colour == "Grey"
    alone = health.of_environment([report()], EXPECTED)
    assert alone.causes == ("1 instance online is below Auto Scaling group minimum size 2.",)


def test_basic_health_does_not_look_at_requests():
    failing = health.of_environment([report(requests=[(500, 0.1)])] * 2, EXPECTED)
    assert (failing.status, health.basic(failing)) == ("Severe", "Green")
    stopped = health.of_environment([report(runs=False)] * 2, EXPECTED)
    assert health.basic(stopped) == "Red"


@given(
    instances=st.integers(1, 100),
    size=st.integers(1, 200),
    kind=st.sampled_from(["Fixed", "Percentage"]),
)
def test_a_batch_has_at_least_one_instance_and_at_most_all(instances, size, kind):
    settings = Settings({(COMMAND, "BatchSize"): str(size), (COMMAND, "BatchSizeType"): kind})
    assert 1 <= settings.batch(instances) <= instances


def test_without_settings_all_of_aws_defaults_hold():
    settings = Settings({})
    assert settings.is_balanced
    assert settings.sizes == (1, 4)
    assert settings.batch(4) == 4
    assert settings.health_path == "/"
    assert settings.ssh_sources == []
    assert not settings.is_enhanced


def test_port_22_is_open_with_a_key_pair_or_to_whom_the_restriction_names():
    keyed = Settings({(LAUNCH, "EC2KeyName"): "mine"})
    assert keyed.ssh_sources == ["0.0.0.0/0"]
    restricted = {(LAUNCH, "SSHSourceRestriction"): "tcp, 22, 22, 192.0.2.0/24"}
    assert Settings({**keyed.values, **restricted}).ssh_sources == ["192.0.2.0/24"]


@pytest.mark.parametrize(
    ("namespace", "name", "value", "why"),
    [
        ("aws:autoscaling:asg", "MinSize", "many", "not a whole number from 1 to 10000"),
        ("aws:autoscaling:asg", "Minimum", "1", "Unknown configuration setting."),
        (COMMAND, "DeploymentPolicy", "Slow", "not one of the allowed values: [AllAtOnce,"),
    ],
)
def test_options_that_aws_refuses(namespace, name, value, why):
    one = {"Namespace": namespace, "OptionName": name, "Value": value}
    with pytest.raises(Invalid) as raised:
        options.read([one])
    assert why in str(raised.value)
    assert f"(Namespace: '{namespace}', OptionName: '{name}')" in str(raised.value)


def test_packages_come_with_what_they_need():
    found = packages("# the web\nrequests >= 2  # for the sake of it\n\n")
    assert {"requests", "urllib3", "certifi"} <= set(found)
    assert "boto3" not in found
    version = metadata.version("requests")
    assert packages(f"requests=={version}") == found
    assert packages("gunicorn==23.0.0") == []
    assert packages("") == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("requests==0.0.1", "No matching distribution found for requests==0.0.1"),
        ("nothing-of-the-kind", "not installed here"),
        ("-r others.txt", "Invalid requirement"),
        ("https://example.com/a.whl", "Invalid requirement"),
    ],
)
def test_packages_that_cannot_be_had(line, why):
    with pytest.raises(NotInstallable) as raised:
        packages(line)
    assert why in str(raised.value)


@pytest.mark.parametrize(
    ("path", "procfile", "found"),
    [
        ("application", None, ("application", "application")),
        ("shop.wsgi:app", None, ("shop.wsgi", "app")),
        ("shop/wsgi.py", None, ("shop.wsgi", "application")),
        ("application", "web: gunicorn --bind :8000 --workers 3 shop:app", ("shop", "app")),
        ("application", "web: gunicorn shop\n", ("shop", "application")),
    ],
)
def test_where_the_application_is(path, procfile, found):
    assert target(path, procfile) == found


def test_other_programs_are_not_run():
    with pytest.raises(Broken):
        target("application", "web: node server.js")


def test_a_platform_has_two_names():
    for stack in filter(platforms.runs, platforms.STACKS):
        assert platforms.stack_of(platforms.arn_of(stack, "us-east-1")) == stack
    assert platforms.stack_of("arn:aws:elasticbeanstalk:us-east-1::platform/Toaster/1") is None
    assert any("Python 3.13" in stack for stack in platforms.STACKS)
