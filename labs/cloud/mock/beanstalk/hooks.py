"""Where the mock reaches into moto's Beanstalk. See `hooking`.

moto has 8 of 47 operations, of which CreateEnvironment forgets the version and the platform and
DescribeEnvironments its filters. All of ours take their places; there are more of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.elasticbeanstalk.responses import EBResponse

from labs.cloud.mock import hooking
from labs.cloud.mock.beanstalk.api import OPERATIONS
from labs.cloud.mock.beanstalk.api.calls import method
from labs.cloud.mock.beanstalk.motor import Beanstalk
from labs.cloud.mock.hooking import Hook, Use

#: What moto has, of OPERATIONS.
MOTOS = (
    "create_application",
    "describe_applications",
    "create_environment",
    "describe_environments",
    "list_available_solution_stacks",
    "update_tags_for_resource",
    "list_tags_for_resource",
    "delete_application",
)


def install(motor: Beanstalk) -> None:
    """Put all operations in place. Once in a process, before Beanstalk answers its first call."""
    hooking.install(HOOKS, motor)
    for name in OPERATIONS.keys() - set(MOTOS):
        setattr(EBResponse, name, method(OPERATIONS[name], motor))


def _replaced(name: str) -> Hook:
    def make(_original: Callable, motor: Any) -> Callable:
        return method(OPERATIONS[name], motor)

    target = f"moto.elasticbeanstalk.responses:EBResponse.{name}"
    return Hook(target, ("self",), "answers from our records", make)


HOOKS = tuple(map(_replaced, MOTOS))

USES = (
    Use("moto.core.responses:ActionResult"),
    Use("moto.core.responses:EmptyResult"),
    Use("moto.elasticbeanstalk.exceptions:ElasticBeanstalkException", "", "code and message"),
    Use(
        "moto.elasticbeanstalk.models:Application",
        "application_name arn environments",
        "gets description, created, updated and labs_tags",
    ),
    Use("moto.elasticbeanstalk.models:EBBackend", "applications create_application"),
    Use("moto.elasticbeanstalk.models:eb_backends", "", "by account and region"),
    Use(
        "moto.elasticbeanstalk.responses:EBResponse",
        "access_key current_account elasticbeanstalk_backend params region",
        "gets the operations that moto has not",
    ),
    Use("moto.elasticbeanstalk.responses:SOLUTION_STACK_DETAILS", "", "names of platforms"),
    Use("moto.autoscaling.models:autoscaling_backends", "", "in sys.modules"),
    Use("moto.autoscaling.models:FakeAutoScalingGroup", "active_instances"),
)
