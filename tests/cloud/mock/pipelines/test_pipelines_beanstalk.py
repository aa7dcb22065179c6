"""Elastic Beanstalk actions: from a push to a page."""

import pytest

from tests.cloud.mock.beanstalk.shop import SINGLE, Shop, app, get
from tests.cloud.mock.pipelines.declared import action, pipeline


@pytest.fixture
def shop(delivery):
    """An environment that serves version v1."""
    shop = Shop(delivery.aws)
    shop.version("v1")
    shop.launch(version="v1", **SINGLE)
    return shop


def deploy(environment="test-env"):
    configuration = {"ApplicationName": "shop", "EnvironmentName": environment}
    return pipeline(
        ("Deploy", action("App", "Deploy", "ElasticBeanstalk", configuration, takes=["App"]))
    )


def page(shop):
    return get(f"http://{shop.describe()['CNAME']}/")


def test_an_artifact_is_served(delivery, shop):
    delivery.put(application__py=app("two"))
    run = delivery.end(delivery.create(deploy()))["App"]
    status, text = page(shop)
    assert (status, text.split()[0]) == (200, "two")
    label = shop.describe()["VersionLabel"]
    assert label == run["output"]["executionResult"]["externalExecutionId"]
    assert label.startswith("code-pipeline-")
    delivery.end(delivery.start())  # the same artifact once more
    assert shop.describe()["VersionLabel"] != label


def test_an_app_that_does_not_start_fails_the_action(delivery, shop):
    delivery.put(application__py="raise RuntimeError('no')")
    code, message = delivery.failure(delivery.create(deploy()), "App")
    assert code == "JobFailed"
    assert message.startswith("Deployment failed. ")
    assert "deploy" in message.removeprefix("Deployment failed. ")


def test_environments_and_roles_that_are_not_there(delivery, shop):
    delivery.put(application__py=app("two"))
    code, message = delivery.failure(delivery.create(deploy("nowhere")), "App")
    assert (code, message) == (
        "ConfigurationError",
        "No Environment found for EnvironmentName = 'nowhere'.",
    )
    delivery.allow("pipeline", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    delivery.api.update_pipeline(pipeline=deploy())
    code, message = delivery.failure(delivery.start(), "App")
    assert code == "PermissionError"
    assert "elasticbeanstalk:DescribeEnvironments" in message
