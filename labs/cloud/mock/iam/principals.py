"""Who calls: the credentials of roles, by access key.

A function's sandbox gets credentials of its role, made by moto's STS as if it had called
AssumeRole, so that GetCallerIdentity, the account of the key and the role's last use all agree.
Whoever assumes a role through STS, a function or the learner, is that role from then on, as on AWS.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from moto.sts.models import AssumedRole, sts_backends


@dataclass(frozen=True)
class Credentials:
    """What AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN want."""

    access_key: str
    secret_key: str
    session_token: str


@dataclass(frozen=True)
class Principal:
    """A session of a role.

    session_policy: the document given to AssumeRole, which narrows what the role may do; or None.
    """

    role_arn: str
    session_name: str
    session_policy: str | None = None

    @property
    def partition(self) -> str:
        return self.role_arn.split(":")[1]

    @property
    def account(self) -> str:
        return self.role_arn.split(":")[4]

    @property
    def role_name(self) -> str:
        """Without its path: role/service-role/counter is the role counter."""
        return self.role_arn.rsplit("/", 1)[-1]

    @property
    def arn(self) -> str:
        """arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION. Source: IAM User Guide, "IAM ARNs"."""
        return (
            f"arn:{self.partition}:sts::{self.account}:assumed-role/"
            f"{self.role_name}/{self.session_name}"
        )


_lock = threading.Lock()
_issued: dict[tuple[str, str], Credentials] = {}
_known: dict[str, Principal] = {}


def credentials_for(role_arn: str, session_name: str) -> Credentials:
    """Credentials of a role for a sandbox; the same ones for the same role and session.

    The role need not exist: its calls are then denied, with a message that says so. They do not
    expire before `reset()`.

    Raises ValueError when `role_arn` is not the ARN of a role.
    """
    parts = role_arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise ValueError(
            f"{role_arn!r} is not the ARN of a role: expected arn:aws:iam::ACCOUNT:role/NAME."
        )
    with _lock:
        if (role_arn, session_name) not in _issued:
            session = sts_backends[parts[4]][parts[1]].assume_role(
                region_name="us-east-1",  # chooses the partition only
                role_session_name=session_name,
                role_arn=role_arn,
                policy=None,
                duration=3600,
                external_id=None,
            )
            _known[session.access_key_id] = _principal(session)
            _issued[role_arn, session_name] = Credentials(
                session.access_key_id, session.secret_access_key, session.session_token
            )
        return _issued[role_arn, session_name]


def principal_of(access_key: str | None) -> Principal | None:
    """The role behind an access key; None for the learner, whose calls are not checked.

    Knows the sandboxes' credentials and every session that moto's STS has made.
    """
    if not access_key or not access_key.startswith("ASIA"):  # what STS's keys begin with
        return None
    if access_key not in _known and (session := _assumed_through_sts(access_key)):
        _known[access_key] = _principal(session)
    return _known.get(access_key)


def reset() -> None:
    """Forget every session. Call it with moto's own reset, which forgets its half."""
    with _lock:
        _issued.clear()
        _known.clear()


def _principal(session: AssumedRole) -> Principal:
    return Principal(session.role_arn, session.session_name, session.policy or None)


def _assumed_through_sts(access_key: str) -> AssumedRole | None:
    for account in list(sts_backends.values()):
        for backend in list(account.values()):
            if session := backend.get_assumed_role_from_access_key(access_key):
                return session
    return None
