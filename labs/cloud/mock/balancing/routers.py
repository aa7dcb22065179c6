"""Where a request goes: the routers of Application and Classic Load Balancers.

Sources: Application Load Balancer guide, "Listener rules", "Sticky sessions", "Troubleshoot your
Application Load Balancers" (503 without targets); Classic Load Balancer guide, "Configure sticky
sessions", "Troubleshoot a Classic Load Balancer: HTTP errors" (503 without instances in service).
"""

import json
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from labs.cloud.mock.balancing import functions_as_targets, stickiness
from labs.cloud.mock.balancing.pools import Member, Pool, target_of
from labs.cloud.mock.balancing.shapes import Listener
from labs.loadbalancing import rules
from labs.loadbalancing.layer7.contract import (
    Answer,
    Call,
    Decision,
    Forward,
    Headers,
    Request,
    Settings,
)

log = logging.getLogger("labs.mock.balancing")
#: Invokes a function: (its ARN, the group's ARN, event) -> its result. Raises FunctionFailed.
Invoke = Callable[[str, str, bytes], Awaitable[bytes]]


class FunctionFailed(Exception):
    """The function was not run, or ended with an error. The client gets 502."""


def page(status: int, reason: str) -> Answer:
    """What a balancer answers itself."""
    text = f"<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n"
    text += f"<center><h1>{status} {reason}</h1></center>\r\n</body>\r\n</html>\r\n"
    return Answer(status, (("Content-Type", "text/html"),), text.encode())


UNAVAILABLE = page(503, "Service Temporarily Unavailable")
BAD_GATEWAY = page(502, "Bad Gateway")


class Sticky:
    """How one group binds clients to its targets.

    cookie:  the balancer's cookie: AWSALB, AWSALBAPP, AWSELB.
    follows: the application's cookie that it goes with; None: it goes by itself.
    seconds: how long it counts; None: as long as the browser runs.
    renews:  an ALB sets the cookie with every response, a Classic balancer once.
    """

    def __init__(
        self, cookie: str, follows: str | None, seconds: float | None, renews: bool
    ) -> None:
        self.cookie, self.follows, self.seconds, self.renews = cookie, follows, seconds, renews

    def find(self, secret: bytes, request: Request, pool: Pool) -> Member | None:
        """The target that the client comes back for, if it is well enough to get requests."""
        value = stickiness.sent(request, self.cookie)
        if not value or (self.follows and not stickiness.sent(request, self.follows)):
            return None
        bound = {f"{pool.name} {member.key}": member for member in pool.candidates}
        limit = self.seconds if self.renews else None  # a Classic one does not look at its age
        found = stickiness.read(secret, value, bound, time.time(), limit)
        return bound[found] if found else None

    def headers(
        self, secret: bytes, request: Request, pool: Pool, member: Member, response: Headers
    ) -> Headers:
        """What the response to this client sets."""
        now = time.time()
        back = self.find(secret, request, pool) is member
        expires = now + self.seconds if self.seconds else None
        if self.follows:
            set_now = stickiness.sets(response, self.follows)
            if not set_now and not (back and self.renews):
                return ()
            if self.renews:
                expires = now + stickiness.APPLICATION_COOKIE_SECONDS
        elif back and not self.renews:
            return ()
        value = stickiness.write(secret, f"{pool.name} {member.key}", now)
        headers = stickiness.headers(self.cookie, value, request.scheme, expires)
        return headers[:1] if self.follows and self.renews else headers


def sticky_of(attributes: Mapping[str, str]) -> Sticky | None:
    """From a target group's attributes. AWSALBAPP has no twin for other origins."""
    if attributes.get("stickiness.enabled") != "true":
        return None
    if attributes.get("stickiness.type") == "app_cookie":
        name = attributes.get("stickiness.app_cookie.cookie_name")
        seconds = float(attributes.get("stickiness.app_cookie.duration_seconds", 86_400))
        return Sticky(stickiness.APPLICATION_COOKIE, name, seconds, renews=True)
    seconds = float(attributes.get("stickiness.lb_cookie.duration_seconds", 86_400))
    return Sticky(stickiness.DURATION_COOKIE, None, seconds, renews=True)


def sticky_of_policy(policy: Mapping[str, Any] | None) -> Sticky | None:
    """From a Classic listener's stickiness policy."""
    if policy is None:
        return None
    return Sticky(stickiness.CLASSIC_COOKIE, policy["cookie"], policy["seconds"], renews=False)


def forward(
    pool: Pool,
    request: Request,
    sticky: Sticky | None,
    secret: bytes,
    now: float,
    port: int | None = None,
) -> Forward | None:
    """To the target that the client is bound to, else to the one whose turn it is; None without."""
    member = sticky.find(secret, request, pool) if sticky else None
    member = member or pool.pick(now)
    if member is None:
        return None
    member.in_flight += 1
    found = member

    def finished(_status: int | None) -> None:
        found.release()

    decision = Forward(target_of(pool, member, port), finished=finished)
    if sticky is None:
        return decision

    def added(_status: int, response: Headers) -> Headers:
        return sticky.headers(secret, request, pool, found, response)

    return decision._replace(added=added)


class ApplicationRouter:
    """The rules of an ALB's listener, over pools."""

    def __init__(
        self,
        pools: Mapping[str, Pool],
        invoke: Invoke,
        clock: Callable[[], float],
    ) -> None:
        self._pools, self._invoke, self._clock = pools, invoke, clock
        self._given: list[dict[str, Any]] | None = None
        self._random = random.Random()
        self._secret = b""

    def update(self, listener: Listener, settings: Settings, secret: bytes) -> None:
        """Follow the rules of this snapshot from now on."""
        self._settings, self._secret = settings, secret
        if listener["rules"] != self._given:
            self._rules = rules.compile_rules(listener["rules"])
            self._given = listener["rules"]

    def __call__(self, request: Request) -> Decision:
        rule = self._rules.match(request)
        if (own := rules.answer(rule, request)) is not None:
            return own
        cookie = stickiness.sent(request, rules.GROUP_COOKIE)
        arn = rules.choose_group(rule.action, self._random, cookie)
        pool = self._pools.get(arn) if arn else None
        if pool is None:
            return UNAVAILABLE
        try:
            url, host = rules.rewrite(rule.transforms, request)
        except rules.RewriteFailed as wrong:
            log.info("a transform failed: %s", wrong)
            return page(500, "Internal Server Error")
        if pool.group["kind"] == "lambda":
            return self._call(pool, url, host)
        sticky = sticky_of(pool.group["attributes"])
        decision = forward(pool, request, sticky, self._secret, self._clock())
        if decision is None:
            return UNAVAILABLE
        if url or host:
            decision = decision._replace(url=url, host=host)
        return self._remember_group(decision, rule.action, pool.name)

    @staticmethod
    def _remember_group(decision: Forward, action: dict[str, Any], arn: str) -> Forward:
        if not rules.group_cookies(action, arn, 0.0):
            return decision
        own = decision.added

        def added(status: int, response: Headers) -> Headers:
            return (*own(status, response), *rules.group_cookies(action, arn, time.time()))

        return decision._replace(added=added)

    def _call(self, pool: Pool, url: str | None, host: str | None) -> Decision:
        member = pool.pick(self._clock())
        if member is None:
            return UNAVAILABLE
        multi_value = pool.group["attributes"].get("lambda.multi_value_headers.enabled") == "true"

        async def function(request: Request, body: bytes) -> Answer:
            if request.header("upgrade"):
                return page(400, "Bad Request")  # the guide: WebSockets are not supported
            request = request._replace(url=url) if url else request
            headers = functions_as_targets.with_balancers(request, self._settings)
            event = functions_as_targets.event(
                pool.name, request, with_host(headers, host), body, multi_value
            )
            try:
                result = await self._invoke(member.id, pool.name, json.dumps(event).encode())
                return functions_as_targets.answer(result, multi_value)
            except (FunctionFailed, functions_as_targets.BadResponse) as wrong:
                log.info("%s: 502: %s", member.id, wrong)
                return BAD_GATEWAY

        return Call(function, limit=functions_as_targets.MOST_BYTES)


def with_host(headers: Headers, host: str | None) -> Headers:
    """The headers with another Host; None leaves it."""
    if host is None:
        return headers
    return tuple((name, host if name.lower() == "host" else value) for name, value in headers)


class ClassicRouter:
    """An HTTP or HTTPS listener of a Classic balancer: one pool, at the instance port.

    Does not fail open: without an instance in service it answers 503.
    """

    def __init__(self, pools: Mapping[str, Pool], clock: Callable[[], float]) -> None:
        self._pools, self._clock = pools, clock

    def update(self, listener: Listener, _settings: Settings, secret: bytes) -> None:
        """Follow this snapshot from now on."""
        self._listener, self._secret = listener, secret
        self._sticky = sticky_of_policy(listener["sticky"])

    def __call__(self, request: Request) -> Decision:
        pool = self._pools[self._listener["group"]]
        if not any(member.well for member in pool.candidates):
            return UNAVAILABLE
        decision = forward(
            pool,
            request,
            self._sticky,
            self._secret,
            self._clock(),
            self._listener["target_port"],
        )
        return decision or UNAVAILABLE
