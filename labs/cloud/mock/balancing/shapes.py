"""What the mock tells the plane: plain data that goes through JSON. Times are AWS's seconds."""

from typing import Any, TypedDict

#: A security group's rules: [from_port, to_port, [CIDR or group id, ...]], see `labs_names`.
Open = list[list[Any]]


class Instance(TypedDict):
    """address, public: its IP addresses; `public` may be None. state: EC2's, "running".

    groups: ids of its security groups; open: their rules. ports: the loopback port behind each
    port that its script listens on, by the port as text.
    """

    address: str
    public: str | None
    state: str
    zone: str
    groups: list[str]
    open: Open
    ports: dict[str, int]


class Certificate(TypedDict):
    """chain, key: PEM. names: DNS names that it is for. key_type: "RSA" or "EC"."""

    chain: str
    key: str
    names: list[str]
    key_type: str


class Listener(TypedDict, total=False):
    """protocol: HTTP, HTTPS, TCP, TLS; Classic's SSL is TLS here.

    rules:    of an ALB or NLB: as describe_rules gives them.
    group, target_port, target_protocol, sticky, proxy_v1: of a Classic balancer; `sticky` is its
              stickiness policy: {"cookie": name or None, "seconds": expiration or None}, or None;
              `proxy_v1` whether instances get a line of the PROXY protocol, on layer 4.
    """

    protocol: str
    port: int
    certificates: list[Certificate]
    rules: list[dict[str, Any]]
    idle_seconds: float
    group: str
    target_port: int
    target_protocol: str
    sticky: dict[str, Any] | None
    proxy_v1: bool


class Balancer(TypedDict):
    """kind: "application", "network" or "classic". open: None without security groups.

    private, public: its addresses by Availability Zone; an internal one has no public ones.
    attributes: as describe_load_balancer_attributes has them, values as text.
    """

    kind: str
    dns_name: str
    vpc: str
    internal: bool
    private: dict[str, str]
    public: dict[str, str]
    groups: list[str]
    open: Open | None
    attributes: dict[str, str]
    listeners: dict[str, Listener]


class Check(TypedDict):
    """port: None is the port that gets the traffic. codes: a matcher, "200-299,301".

    first: how many successes a fresh target needs.
    """

    enabled: bool
    protocol: str
    port: int | None
    path: str
    codes: str
    interval: float
    timeout: float
    first: int
    healthy: int
    unhealthy: int


class Target(TypedDict):
    """id: of an instance, an IP address, an ARN. port: None for functions and in Classic groups."""

    id: str
    port: int | None


class Group(TypedDict):
    """A target group, or the instances of a Classic balancer.

    kind:  of the targets: instance, ip, lambda, alb. users: the balancers that forward to it.
    layer: "application", "network" or "classic": whose rules of health and draining apply.
    """

    kind: str
    layer: str
    protocol: str
    attributes: dict[str, str]
    check: Check
    targets: list[Target]
    users: list[str]


class Snapshot(TypedDict):
    """callers: who connects from where, as the address book has them. balancers: by ARN, a
    Classic one by "classic/ACCOUNT/REGION/NAME"; groups likewise. secret: hex, for cookies."""

    callers: dict[str, dict[str, Any]]
    instances: dict[str, Instance]
    balancers: dict[str, Balancer]
    groups: dict[str, Group]
    secret: str


#: Group -> target ("i-0abc:80") -> [state, reason, description], as describe_target_health.
HealthTable = dict[str, dict[str, list[str | None]]]


def target_key(target_id: str, port: int | str | None) -> str:
    """How a target of a group is named between the mock and the plane."""
    return target_id if port is None else f"{target_id}:{port}"
