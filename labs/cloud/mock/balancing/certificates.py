"""Certificates of ACM and IAM as the plane needs them: PEM, names, kind of key."""

import functools
import sys
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from moto.utilities.utils import get_partition

from labs.cloud.mock.balancing.shapes import Certificate

#: Issues a chain and a key (PEM) that the learner's processes trust, for these names.
Issue = Callable[[tuple[str, ...]], tuple[str, str]]


def find(arn: str, account: str, region: str, issue: Issue) -> Certificate | None:
    """The certificate of this ARN, or None.

    What Amazon issues (`request_certificate`) is trusted everywhere; so the mock's authority
    issues it. Imported ones are served as they are.
    """
    if ":iam:" in arn:
        return _of_iam(arn, account, region)
    return _of_acm(arn, account, region, issue)


def _of_acm(arn: str, account: str, region: str, issue: Issue) -> Certificate | None:
    module = sys.modules.get("moto.acm.models")
    bundle = module and module.acm_backends[account][region]._certificates.get(arn)
    if not bundle:
        return None
    if bundle.type == "AMAZON_ISSUED":
        names = tuple(dict.fromkeys([bundle.common_name, *bundle.sans]))
        return parse(*issue(names))
    chain = bundle.cert + b"\n" + (bundle.chain or b"")
    return parse(chain.decode(), bundle.key.decode())


def _of_iam(arn: str, account: str, region: str) -> Certificate | None:
    module = sys.modules.get("moto.iam.models")
    backends = module and module.iam_backends[account]
    found = backends and backends[get_partition(region)].get_certificate_by_arn(arn)
    if not found:
        return None
    chain = f"{found.cert_body}\n{found.cert_chain or ''}"
    return parse(chain, found.private_key)


@functools.lru_cache(256)
def parse(chain: str, key: str) -> Certificate:
    """Names and kind of key of the first certificate. Raises ValueError for what is no PEM."""
    certificate = x509.load_pem_x509_certificates(chain.encode())[0]
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        names = [str(name.value) for name in common]
    is_ec = isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    return Certificate(
        chain=chain,
        key=key,
        names=[name.lower() for name in names],
        key_type="EC" if is_ec else "RSA",
    )
