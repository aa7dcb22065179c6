"""The attributes of fresh balancers and target groups of elbv2. moto names a few, some wrongly.

Source: ELB API (2015-12-01), LoadBalancerAttribute, TargetGroupAttribute; Network Load Balancer
guide, "Availability Zone DNS affinity" (any_availability_zone).
"""

from collections.abc import Mapping

ALL = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
#: An ALB's cross-zone load balancing is on and cannot be turned off, except for a target group.
APPLICATION = {
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
}
NETWORK = {
    "dns_record.client_routing_policy": "any_availability_zone",
    "load_balancing.cross_zone.enabled": "false",
}
OF_TYPE: Mapping[str, Mapping[str, str]] = {"application": APPLICATION, "network": NETWORK}


def balancer_defaults(kind: str, scheme: str) -> dict[str, str]:
    """kind: "application", "network", or "gateway", which has neither logs nor more."""
    if kind not in OF_TYPE:
        return {}
    internal = "true" if scheme == "internal" else "false"
    return {**ALL, "ipv6.deny_all_igw_traffic": internal, **OF_TYPE[kind]}


HEALTH = {
    f"target_group_health.{part}.minimum_healthy_targets.{unit}": value
    for part in ("dns_failover", "unhealthy_state_routing")
    for unit, value in (("count", "1"), ("percentage", "off"))
}
OF_ANY_GROUP = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "stickiness.enabled": "false",
    **HEALTH,
}
HTTP_GROUP = {
    **OF_ANY_GROUP,
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "slow_start.duration_seconds": "0",
    "stickiness.type": "lb_cookie",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.lb_cookie.duration_seconds": "86400",
}
FUNCTION_GROUP = {"lambda.multi_value_headers.enabled": "false"}


def group_defaults(kind: str, protocol: str | None) -> dict[str, str] | None:
    """kind: of the targets. None for groups of Gateway Load Balancers: as moto has them."""
    if kind == "lambda":
        return {**FUNCTION_GROUP}
    if protocol in ("HTTP", "HTTPS"):
        return {**HTTP_GROUP}
    if protocol == "GENEVE":
        return None
    udp = "UDP" in (protocol or "") or "QUIC" in (protocol or "")
    return {
        **OF_ANY_GROUP,
        "deregistration_delay.connection_termination.enabled": "true" if udp else "false",
        "preserve_client_ip.enabled": "false"
        if kind == "ip" and protocol in ("TCP", "TLS")
        else "true",
        "proxy_protocol_v2.enabled": "false",
        "stickiness.type": "source_ip",
        "target_health_state.unhealthy.connection_termination.enabled": "false" if udp else "true",
        "target_health_state.unhealthy.draining_interval_seconds": "0",
    }
