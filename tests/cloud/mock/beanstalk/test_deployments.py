"""A new version's way to the instances: what serves meanwhile, and when it fails."""

import pytest

from tests.cloud.mock.beanstalk.shop import ROLLING, SINGLE, app, packed, traffic

BROKEN = "import nothing_of_the_kind"
SICK = app("sick", "500 Internal Server Error")


def test_a_version_replaces_the_other_on_the_same_instance(shop):
    shop.launch(version=shop.version("v1"), **SINGLE)
    instances = shop.instances()
    environment = shop.deploy(shop.version("v2"))
    assert (environment["VersionLabel"], environment["Health"]) == ("v2", "Green")
    assert shop.get() == (200, "v2")
    assert shop.instances() == instances
    messages = shop.events()
    first = messages.index("Environment update is starting.")
    assert [one for one in messages[first:] if "health" not in one] == [
        "Environment update is starting.",
        "Deploying new version to instance(s).",
        "Instance deployment completed successfully.",
        "New application version was deployed to running EC2 instances.",
        "Environment update completed successfully.",
    ]


@pytest.mark.parametrize("policy", ["Rolling", "RollingWithAdditionalBatch", "Immutable"])
def test_no_request_fails_while_a_version_is_deployed(shop, policy):
    environment = shop.launch(version=shop.version("v1"), **{**ROLLING, "DeploymentPolicy": policy})
    shop.version("v2")
    with traffic(f"http://{environment['CNAME']}/") as seen:
        assert shop.deploy("v2")["VersionLabel"] == "v2"
    assert {status for status, _ in seen} == {200}
    assert {version for _, version in seen} == {"v1", "v2"}
    assert len(shop.instances()) == 2
    assert shop.get() == (200, "v2")


@pytest.mark.parametrize("source", [BROKEN, SICK], ids=["does not start", "answers 500"])
@pytest.mark.parametrize("policy", ["Rolling", "RollingWithAdditionalBatch", "Immutable"])
def test_the_old_version_serves_on_when_the_new_one_fails(shop, policy, source):
    options = {**ROLLING, "DeploymentPolicy": policy}
    environment = shop.launch(version=shop.version("v1"), **options)
    shop.version("bad", source)
    with traffic(f"http://{environment['CNAME']}/") as seen:
        after = shop.deploy("bad")
    assert set(seen) == {(200, "v1")}
    assert (after["Status"], after["VersionLabel"]) == ("Ready", "v1")
    assert "Failed to deploy application." in shop.events(Severity="ERROR")
    # Rolling leaves the instance that failed; the others end what they launched.
    assert after["Health"] == ("Red" if policy == "Rolling" else "Green")
    assert len(shop.instances()) == 2


def test_a_version_that_works_mends_what_a_failed_one_left(shop):
    shop.launch(version=shop.version("v1"), SystemType="enhanced", **ROLLING)
    after = shop.deploy(shop.version("bad", BROKEN))
    assert (after["Health"], after["HealthStatus"]) == ("Red", "Degraded")
    told = shop.api.describe_environment_health(EnvironmentName="test-env", AttributeNames=["All"])
    assert (
        'Incorrect application version found on 1 out of 2 instances. Expected version "v1" '
        "(deployment 1)." in told["Causes"]
    )
    after = shop.deploy(shop.version("v2"))
    assert (after["VersionLabel"], after["HealthStatus"]) == ("v2", "Ok")


def test_all_at_once_the_old_version_has_gone_when_the_new_one_does_not_start(shop):
    shop.launch(version=shop.version("v1"), **SINGLE)
    after = shop.deploy(shop.version("bad", BROKEN))
    assert (after["VersionLabel"], after["Health"]) == ("v1", "Red")
    assert shop.get()[0] == 502
    assert "Unsuccessful command execution" in " ".join(shop.events(Severity="ERROR"))
    assert shop.deploy("v1")["Health"] == "Green"
    assert shop.get() == (200, "v1")


@pytest.mark.parametrize(
    "content",
    [
        b"this is no zip",
        packed(application__py=app("v2"), requirements__txt="nothing-of-the-kind==1.0\n"),
        packed(application__py=app("v2"), Procfile="web: node server.js\n"),
    ],
    ids=["no zip", "a package that is not here", "another program"],
)
def test_what_cannot_be_installed_changes_nothing(shop, content):
    shop.launch(version=shop.version("v1"), **SINGLE)
    before = shop.page()
    after = shop.deploy(shop.version_of("v2", content))
    assert (after["VersionLabel"], after["Health"]) == ("v1", "Red")
    assert shop.page() == before
    assert "Failed to deploy application." in shop.events(Severity="ERROR")


def test_a_bundle_that_has_gone_is_a_failed_deployment(shop):
    shop.launch(version=shop.version("v1"), **SINGLE)
    shop.version("v2")
    shop.s3.delete_object(Bucket="bundles", Key="v2.zip")
    assert shop.deploy("v2")["VersionLabel"] == "v1"
    assert "Unable to download from S3 location" in shop.events(Severity="ERROR")[0]
    assert shop.get() == (200, "v1")


def test_a_launch_whose_application_does_not_start_says_so(shop):
    environment = shop.launch(version=shop.version("bad", BROKEN), **SINGLE)
    assert (environment["Status"], environment["Health"]) == ("Ready", "Red")
    assert (
        "Create environment operation is complete, but with errors. For more information, see "
        "troubleshooting documentation." in shop.events(Severity="ERROR")
    )
    assert shop.deploy(shop.version("v1"))["Health"] == "Green"


def test_an_application_may_import_what_it_requires_and_nothing_else(shop):
    source = """
import importlib, requests

def found(name):
    try:
        importlib.import_module(name)
    except ImportError:
        return "no"
    return "yes"

def application(environ, start_response):
    names = ("requests", "urllib3", "boto3", "moto", "labs", "more_itertools", "server")
    start_response("200 OK", [])
    return ["-".join(map(found, names)).encode()]
"""
    shop.launch(version=shop.version("v1", source, requirements__txt="requests>=2\n"), **SINGLE)
    assert shop.get() == (200, "yes-yes-no-no-no-no-no")


def test_the_application_is_where_wsgi_path_or_procfile_say(shop):
    one = packed(shop__py=app("v1").replace("def application", "def app"))
    shop.launch(version=shop.version_of("v1", one), WSGIPath="shop:app", **SINGLE)
    assert shop.get() == (200, "v1")
    two = packed(web__py=app("v2"), Procfile="web: gunicorn --bind :8000 web:application\n")
    shop.deploy(shop.version_of("v2", two))
    assert shop.get() == (200, "v2")


def test_health_can_be_ignored(shop):
    shop.launch(
        version=shop.version("v1"), **ROLLING, IgnoreHealthCheck="true", HealthCheckPath="/"
    )
    assert shop.deploy(shop.version("sick", SICK))["VersionLabel"] == "sick"
    assert shop.get()[0] == 500
