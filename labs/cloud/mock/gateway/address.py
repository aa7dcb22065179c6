"""Which API a request is for: by its Host, or by a path on the mock's own port."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from .messages import raw_path

_HOST = re.compile(
    r"(?P<api>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?(:\d+)?",
    re.IGNORECASE,
)
_PATHS = (
    re.compile(r"/restapis/(?P<api>[^/]+)/(?P<stage>[^/]+)/_user_request_(?P<rest>/.*)?"),
    re.compile(r"/_aws/execute-api/(?P<api>[^/]+)/(?P<stage>[^/]+)(?P<rest>/.*)?"),
)


@dataclass(frozen=True)
class Address:
    """The API asked for, and the path below its host name, stage included, still encoded."""

    api_id: str
    path: str


def find_address(environ: Mapping[str, Any]) -> Address | None:
    """The API that this request is for, or None when it is not for the gateway.

    `https://ID.execute-api.REGION.amazonaws.com/STAGE/...` is AWS's own form (API Gateway
    guide, "Invoke REST APIs"). The two path forms are the mock's, for programs that
    cannot be told where the name is; their stage may be `$default`, which AWS's form leaves out.
    """
    path = raw_path(environ)
    if host := _HOST.fullmatch(environ.get("HTTP_HOST", "")):
        return Address(host["api"].lower(), path)
    for form in _PATHS:
        if found := form.fullmatch(path):
            stage, rest = unquote(found["stage"]), found["rest"]
            if stage == "$default":
                return Address(found["api"], rest or "/")
            return Address(found["api"], f"/{found['stage']}{rest or ''}")
    return None


def host_name(api_id: str, region: str) -> str:
    """The name under which AWS serves this API."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{api_id}.execute-api.{region}.{suffix}"
