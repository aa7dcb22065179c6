"""What each provider's action does. A module has `perform(work) -> Done`; a source's also has
`newest(motor, pipeline, action)`, the id of the revision that is there now.
"""

from __future__ import annotations

from types import ModuleType

from labs.cloud.mock.pipelines.actions import (
    approval,
    beanstalk,
    cloudformation,
    git_source,
    invoke,
    s3_deploy,
    s3_source,
)
from labs.cloud.mock.pipelines.work import CONFIGURATION, ActionFailed, Done, Work

SOURCES: dict[str, ModuleType] = {
    "S3": s3_source,
    "GitHub": git_source,
    "CodeStarSourceConnection": git_source,
}
_OTHERS: dict[tuple[str, str], ModuleType] = {
    ("Approval", "Manual"): approval,
    ("Deploy", "CloudFormation"): cloudformation,
    ("Deploy", "ElasticBeanstalk"): beanstalk,
    ("Deploy", "S3"): s3_deploy,
    ("Invoke", "Lambda"): invoke,
}


def perform(work: Work) -> Done:
    """Do an action's work. Raises ActionFailed, Lost, and what the services raise."""
    identity = work.action["actionTypeId"]
    category, provider = identity["category"], identity["provider"]
    module = SOURCES.get(provider) if category == "Source" else _OTHERS.get((category, provider))
    if module is None:
        raise ActionFailed(
            CONFIGURATION,
            f"This mock does not run {category} actions of {provider}: only AWS can",
        )
    return module.perform(work)
