"""All parts of the mock, put together: made once, reset often, ended with all they started."""

from __future__ import annotations

import logging
import os
import secrets
import sys
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import LambdaFunction

from labs.cloud import environment, names, trust
from labs.cloud.mock import faults, hooks, log_groups, trace
from labs.cloud.mock.app import MockApp
from labs.cloud.mock.book import Book
from labs.cloud.mock.curl_proxy import CurlProxy
from labs.cloud.mock.functions.motor import Motor
from labs.cloud.mock.functions.service import LambdaService
from labs.cloud.mock.functions.starters import Spawner, Starter, Zygote
from labs.cloud.mock.gateway import Gateway
from labs.cloud.mock.iam import guard, principals
from labs.cloud.mock.server import Front
from labs.cloud.mock.zones import records
from labs.cloud.settings import Size

if TYPE_CHECKING:
    from labs.cloud.mock.balancing.service import Balancing
    from labs.cloud.mock.scaling.motor import Scaling

#: Services whose calls may concern instances and load balancers. Moto's backend of EC2 alone takes
#: 100 MB and half a second, so who uses none of these does not load it.
NETWORKED = frozenset({"autoscaling", "cloudformation", "ec2", "elb", "elbv2"})
#: The service of hosted zones: its hooks load moto's Route 53, which nobody else needs.
ZONED = "route53"
#: Those that may change what a listener shows, once there is one: certificates, too. Functions
#: that are targets are looked up when they are called.
OBSERVED = NETWORKED | {"acm", "iam"}

log = logging.getLogger("labs.mock")


class World:
    """A running mock. `port`: the AWS API in the clear, `tls_port`: the same and invoke URLs.

    Raises OSError when the wanted port is taken.
    """

    def __init__(self, folder: Path, port: int, size: Size) -> None:
        self.token = secrets.token_hex(16)
        self._starter = make_starter()
        self._lambda = LambdaService(
            Motor(
                starter=self._starter,
                spawner=Spawner(),
                account_limit=size.concurrency,
                role_environment=self._role_environment,
                write_log=write_function_log,
            )
        )
        hooks.install(self._lambda)
        self._gateway = Gateway(
            self._lambda.invoke_as_service, lookup=look_up, workers=size.concurrency + 32
        )
        app = MockApp(self._gateway, self.token, self._prepare, self._changed, self._reset)
        context = trust.server_context(trust.load_ca(folder))
        # An invocation holds a thread while its function calls back: twice the limit, and some.
        self._http = Front(app, port, threads=2 * size.concurrency + 32)
        self._https = Front(app, 0, threads=size.concurrency + 8, context=context)
        self._proxy = CurlProxy()
        self._book = Book(folder, self._proxy.start())
        self._publishing = threading.Lock()
        self._published: dict[str, Any] = {}
        self._network: dict[str, Any] = {}
        self._role_variables = environment.variables(folder, self.endpoint_url, os.environ)
        self._folder, self._size = folder, size
        self._balancing: Balancing | None = None
        self._scaling: Scaling | None = None
        self._has_zones = False
        self._preparing = threading.Lock()

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._http.port}"

    def start(self) -> None:
        """Serve. Returns at once; sandboxes warm up meanwhile."""
        self._publish()
        self._http.start()
        self._https.start()
        threading.Thread(target=self._starter.warm_up, name="warm-up", daemon=True).start()

    def stop(self) -> None:
        """End every process and file of this world. Its threads end with its own process."""
        if self._scaling:
            self._scaling.close()
        if self._balancing:
            self._balancing.close()
        self._gateway.close()
        self._lambda.close()
        self._proxy.stop()

    def _prepare(self, service: str) -> None:
        """Have motors before the first call that may be about them."""
        if not self._has_zones and service == ZONED:
            with self._preparing:
                if not self._has_zones:
                    self._make_zones()
        if self._balancing is None and service in NETWORKED:
            with self._preparing:
                if self._balancing is None:
                    self._balancing = self._make_balancing()

    def _make_zones(self) -> None:
        from labs.cloud.mock.zones import hooks as zone_hooks  # see ZONED

        zone_hooks.install()
        self._has_zones = True

    def _make_balancing(self) -> Balancing:
        from labs.cloud.mock.balancing.service import Balancing  # see NETWORKED
        from labs.cloud.mock.scaling import hooks as scaling_hooks
        from labs.cloud.mock.scaling.motor import Scaling

        balancing = Balancing(
            self._folder,
            self._role_variables,
            self._lambda,
            changed=self._publish_network,
            workers=self._size.concurrency,
        )
        self._scaling = Scaling(balancing.health, changed=partial(self._changed, "autoscaling"))
        scaling_hooks.install(self._scaling)
        return balancing

    def _changed(self, service: str | None) -> None:
        if self._balancing and (service is None or service in OBSERVED):
            try:
                self._balancing.follow()
            except Exception:
                log.exception("the data plane could not follow %s", service)
            self._publish_network()
        else:
            self._publish()

    def _reset(self) -> None:
        if self._balancing:
            self._balancing.reset()
        self._lambda.reset()
        self._gateway.reset()
        principals.reset()
        faults.clear()
        trace.reset()

    def _publish(self) -> None:
        """Write the address book as it is now, if it does not say so already."""
        with self._publishing:
            self._write_book()

    def _publish_network(self) -> None:
        """The same, after load balancers and instances have changed."""
        with self._publishing:
            self._network = self._balancing.book()
            self._write_book()

    def _write_book(self) -> None:
        ports = {"443": self._https.port}
        apis = {name: {"ports": ports} for name in self._gateway.host_names()}
        content = {
            **self._network,
            "endpoints": {"80": self._http.port, **ports},
            "hosts": {**apis, **self._network.get("hosts", {})},
            "zones": records.book(),
        }
        if content != self._published:
            self._book.replace(**content)
            self._published = content

    def _role_environment(self, function: LambdaFunction) -> Mapping[str, str]:
        """What a sandbox finds in its environment: this world, seen with its role's keys."""
        keys = principals.credentials_for(function.role, function.function_name)
        kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")
        return {
            **{variable: os.environ[variable] for variable in kept if variable in os.environ},
            **self._role_variables,
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.session_token,
            "LABS_CALLER": "function",
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "LANG": "en_US.UTF-8",
        }


def make_starter() -> Starter:
    """The zygote where processes can fork, unless LABS_SANDBOX says spawn."""
    if os.environ.get("LABS_SANDBOX") == "spawn" or sys.platform == "win32":
        return Spawner()
    return Zygote()


def look_up(name: str, port: int) -> tuple[str, int] | None:
    """Where a name of the mock's address book is served, for integrations that proxy to it."""
    entry = names.find(names.resolve(name)[0])
    loopback_port = entry and entry["ports"].get(str(port))
    return ("127.0.0.1", loopback_port) if loopback_port else None


def write_function_log(function: LambdaFunction, stream: str, lines: list[str]) -> None:
    """Into /aws/lambda/NAME, if the role lets the function write there; on AWS it needs to."""
    group = f"arn:aws:logs:{function.region}:{function.account_id}:log-group:"
    stream_arn = f"{group}{function.logs_group_name}:log-stream:{stream}"
    principal = principals.Principal(function.role, function.function_name)
    if guard.is_allowed(principal, "logs:PutLogEvents", stream_arn):
        log_groups.write(
            function.account_id, function.region, function.logs_group_name, stream, lines
        )
