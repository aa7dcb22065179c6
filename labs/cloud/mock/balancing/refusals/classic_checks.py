"""What the refusals of Classic balancers share."""

from collections.abc import Callable
from typing import Any, NoReturn

from moto.elb.exceptions import ELBClientError
from moto.elb.models import FakeListener, LoadBalancer

from labs.cloud.mock.hooking import Hook

SECURE = ("HTTPS", "SSL")


def refuse(code: str, message: str) -> NoReturn:
    """An error of this API: moto takes its HTTP status from the API that an exception is of."""
    raise ELBClientError(code, message)


def refuse_name(name: str) -> NoReturn:
    refuse("LoadBalancerNotFound", f"There is no ACTIVE Load Balancer named '{name}'")


def refuse_configuration(message: str) -> NoReturn:
    refuse("InvalidConfigurationRequest", message)


def find_listener(balancer: LoadBalancer, port: Any) -> FakeListener:
    """The listener on a port, or ListenerNotFound."""
    for listener in balancer.listeners:
        if str(listener.load_balancer_port) == str(port):
            return listener
    refuse(
        "ListenerNotFound", f"The load balancer '{balancer.name}' has no listener on port {port}"
    )


def hook(target: str, parameters: str, why: str, make: Callable[..., Any]) -> Hook:
    """A hook into `moto.elb`."""
    return Hook(f"moto.elb.{target}", tuple(parameters.split()), why, make)
