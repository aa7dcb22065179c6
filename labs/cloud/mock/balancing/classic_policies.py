"""The policies of Classic Load Balancers: which types there are, and what a policy says.

Sources: ELB API (2012-06-01), DescribeLoadBalancerPolicyTypes, DescribeLoadBalancerPolicies,
PolicyAttributeTypeDescription; the AWS CLI's examples of both; Classic Load Balancer guide, "SSL
negotiation configurations" (ciphers), "Predefined SSL security policies" (the table below).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

REFERENCE = "Reference-Security-Policy"
SERVER_ORDER = "Server-Defined-Cipher-Order"
DEFAULT_SECURITY_POLICY = "ELBSecurityPolicy-2016-08"
#: Names of policies that begin so are AWS's own.
RESERVED_PREFIXES = ("ELBSecurityPolicy-", "ELBSample-")

APP_COOKIE = "AppCookieStickinessPolicyType"
LB_COOKIE = "LBCookieStickinessPolicyType"
BACKEND_AUTHENTICATION = "BackendServerAuthenticationPolicyType"
PROXY_PROTOCOL = "ProxyProtocolPolicyType"
PUBLIC_KEY = "PublicKeyPolicyType"
SSL_NEGOTIATION = "SSLNegotiationPolicyType"
#: Policies that are for a listener, or for instances, and the protocols that it, or they, speak.
#: The PROXY protocol's has no effect on HTTP, but the CLI's example sets it there.
LISTENER_PROTOCOLS: Mapping[str, Sequence[str]] = {
    APP_COOKIE: ("HTTP", "HTTPS"),
    LB_COOKIE: ("HTTP", "HTTPS"),
    SSL_NEGOTIATION: ("HTTPS", "SSL"),
}
INSTANCE_PROTOCOLS: Mapping[str, Sequence[str]] = {
    BACKEND_AUTHENTICATION: ("HTTPS", "SSL"),
    PROXY_PROTOCOL: ("HTTP", "HTTPS", "TCP", "SSL"),
}

PROTOCOLS = ("Protocol-TLSv1", "Protocol-TLSv1.1", "Protocol-TLSv1.2")
OLD_PROTOCOLS = ("Protocol-SSLv2", "Protocol-SSLv3")
#: The ciphers of the default policy, in its order.
_CIPHERS = """
    ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES128-SHA256
    ECDHE-RSA-AES128-SHA256 ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA
    ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-AES256-SHA384
    ECDHE-RSA-AES256-SHA384 ECDHE-RSA-AES256-SHA ECDHE-ECDSA-AES256-SHA AES128-GCM-SHA256
    AES128-SHA256 AES128-SHA AES256-GCM-SHA384 AES256-SHA256 AES256-SHA
"""
#: The others that a custom policy may name.
_OLD_CIPHERS = """
    DHE-RSA-AES128-SHA DHE-DSS-AES128-SHA CAMELLIA128-SHA EDH-RSA-DES-CBC3-SHA DES-CBC3-SHA
    ECDHE-RSA-RC4-SHA RC4-SHA ECDHE-ECDSA-RC4-SHA DHE-DSS-AES256-GCM-SHA384
    DHE-RSA-AES256-GCM-SHA384 DHE-RSA-AES256-SHA256 DHE-DSS-AES256-SHA256 DHE-RSA-AES256-SHA
    DHE-DSS-AES256-SHA DHE-RSA-CAMELLIA256-SHA DHE-DSS-CAMELLIA256-SHA CAMELLIA256-SHA
    EDH-DSS-DES-CBC3-SHA DHE-DSS-AES128-GCM-SHA256 DHE-RSA-AES128-GCM-SHA256
    DHE-RSA-AES128-SHA256 DHE-DSS-AES128-SHA256 DHE-RSA-CAMELLIA128-SHA DHE-DSS-CAMELLIA128-SHA
    ADH-AES128-GCM-SHA256 ADH-AES128-SHA ADH-AES128-SHA256 ADH-AES256-GCM-SHA384 ADH-AES256-SHA
    ADH-AES256-SHA256 ADH-CAMELLIA128-SHA ADH-CAMELLIA256-SHA ADH-DES-CBC3-SHA ADH-DES-CBC-SHA
    ADH-RC4-MD5 ADH-SEED-SHA DES-CBC-SHA DHE-DSS-SEED-SHA DHE-RSA-SEED-SHA EDH-DSS-DES-CBC-SHA
    EDH-RSA-DES-CBC-SHA IDEA-CBC-SHA RC4-MD5 SEED-SHA DES-CBC3-MD5 DES-CBC-MD5 RC2-CBC-MD5
    PSK-AES256-CBC-SHA PSK-3DES-EDE-CBC-SHA KRB5-DES-CBC3-SHA KRB5-DES-CBC3-MD5
    PSK-AES128-CBC-SHA PSK-RC4-SHA KRB5-RC4-SHA KRB5-RC4-MD5 KRB5-DES-CBC-SHA KRB5-DES-CBC-MD5
    EXP-EDH-RSA-DES-CBC-SHA EXP-EDH-DSS-DES-CBC-SHA EXP-ADH-DES-CBC-SHA EXP-DES-CBC-SHA
    EXP-RC2-CBC-MD5 EXP-KRB5-RC2-CBC-SHA EXP-KRB5-DES-CBC-SHA EXP-KRB5-RC2-CBC-MD5
    EXP-KRB5-DES-CBC-MD5 EXP-ADH-RC4-MD5 EXP-RC4-MD5 EXP-KRB5-RC4-SHA EXP-KRB5-RC4-MD5
"""
CIPHERS, OLD_CIPHERS = tuple(_CIPHERS.split()), tuple(_OLD_CIPHERS.split())
#: Ciphers that TLS 1.2 brought: all that ELBSecurityPolicy-TLS-1-2-2017-01 leaves.
MODERN = tuple(name for name in CIPHERS if name.endswith(("SHA256", "SHA384")))
_DHE = ("DHE-RSA-AES128-SHA", "DHE-DSS-AES128-SHA")

#: AWS's own policies and what each enables, besides the server's order. None: the guide names the
#: policy and does not say.
PREDEFINED: Mapping[str, Sequence[str] | None] = {
    DEFAULT_SECURITY_POLICY: (*PROTOCOLS, *CIPHERS),
    "ELBSecurityPolicy-TLS-1-2-2017-01": (PROTOCOLS[2], *MODERN),
    "ELBSecurityPolicy-TLS-1-1-2017-01": (*PROTOCOLS[1:], *CIPHERS),
    "ELBSecurityPolicy-2015-05": (*PROTOCOLS, *CIPHERS, "DES-CBC3-SHA"),
    "ELBSecurityPolicy-2015-03": (*PROTOCOLS, *CIPHERS, *_DHE, "DES-CBC3-SHA"),
    "ELBSecurityPolicy-2015-02": (*PROTOCOLS, *CIPHERS, *_DHE),
    "ELBSecurityPolicy-2014-10": None,
    "ELBSecurityPolicy-2014-01": None,
    "ELBSecurityPolicy-2011-08": None,
    "ELBSample-ELBDefaultCipherPolicy": None,
    "ELBSample-OpenSSLDefaultCipherPolicy": None,
}


class Attribute(NamedTuple):
    """An attribute that a policy of some type has. cardinality: ONE, ZERO_OR_ONE, ONE_OR_MORE."""

    name: str
    type: str
    cardinality: str


class Type(NamedTuple):
    """A type of policy. attributes: by name."""

    description: str
    attributes: Mapping[str, Attribute]


def _type(description: str, *attributes: Attribute) -> Type:
    return Type(description, {attribute.name: attribute for attribute in attributes})


#: In the order of the CLI's example, which leaves out the attributes of SSLNegotiationPolicyType:
#: those here are the ones that the guide names, their cardinality is ours.
TYPES: Mapping[str, Type] = {
    PROXY_PROTOCOL: _type(
        "Policy that controls whether to include the IP address and port of the originating "
        "request for TCP messages. This policy operates on TCP/SSL listeners only",
        Attribute("ProxyProtocol", "Boolean", "ONE"),
    ),
    PUBLIC_KEY: _type(
        "Policy containing a list of public keys to accept when authenticating the back-end "
        "server(s). This policy cannot be applied directly to back-end servers or listeners but "
        "must be part of a BackendServerAuthenticationPolicyType.",
        Attribute("PublicKey", "String", "ONE"),
    ),
    APP_COOKIE: _type(
        "Stickiness policy with session lifetimes controlled by the lifetime of the "
        "application-generated cookie. This policy can be associated only with HTTP/HTTPS "
        "listeners.",
        Attribute("CookieName", "String", "ONE"),
    ),
    LB_COOKIE: _type(
        "Stickiness policy with session lifetimes controlled by the browser (user-agent) or a "
        "specified expiration period. This policy can be associated only with HTTP/HTTPS "
        "listeners.",
        Attribute("CookieExpirationPeriod", "Long", "ZERO_OR_ONE"),
    ),
    SSL_NEGOTIATION: _type(
        "Listener policy that defines the ciphers and protocols that will be accepted by the "
        "load balancer. This policy can be associated only with HTTPS/SSL listeners.",
        Attribute(REFERENCE, "String", "ZERO_OR_ONE"),
        *(
            Attribute(name, "Boolean", "ZERO_OR_ONE")
            for name in (*PROTOCOLS, *OLD_PROTOCOLS, SERVER_ORDER, *CIPHERS, *OLD_CIPHERS)
        ),
    ),
    BACKEND_AUTHENTICATION: _type(
        "Policy that controls authentication to back-end server(s) and contains one or more "
        "policies, such as an instance of a PublicKeyPolicyType. This policy can be associated "
        "only with back-end servers that are using HTTPS/SSL.",
        Attribute("PublicKeyPolicyName", "PolicyName", "ONE_OR_MORE"),
    ),
}


def described_type(name: str) -> dict[str, Any]:
    """One item of DescribeLoadBalancerPolicyTypes."""
    return {
        "PolicyTypeName": name,
        "Description": TYPES[name].description,
        "PolicyAttributeTypeDescriptions": [
            {
                "AttributeName": attribute.name,
                "AttributeType": attribute.type,
                "Cardinality": attribute.cardinality,
            }
            for attribute in TYPES[name].attributes.values()
        ],
    }


def described(name: str, type_name: str, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """One item of DescribeLoadBalancerPolicies."""
    return {
        "PolicyName": name,
        "PolicyTypeName": type_name,
        "PolicyAttributeDescriptions": [
            {"AttributeName": key, "AttributeValue": value} for key, value in pairs
        ],
    }


def predefined(reference: str) -> list[tuple[str, str]]:
    """The attributes of a policy that refers to one of AWS's: the reference, and what it means."""
    enabled = PREDEFINED[reference]
    meaning = [] if enabled is None else [*enabled, SERVER_ORDER]
    return [(REFERENCE, reference), *((name, "true") for name in meaning)]
