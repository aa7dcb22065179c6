"""Where a template comes from: the request itself, or an object of S3."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.exceptions import ClientError

from labs.cloud.mock.stacks.errors import Refused

#: Bytes. Source: User Guide, "CloudFormation quotas".
LONGEST_BODY, LONGEST_OBJECT = 51_200, 1_048_576

_VIRTUAL = re.compile(r"(?P<bucket>.+)\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?")
_PATH = re.compile(r"s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?")


def body(
    given: Mapping[str, Any], s3: Callable[[], Any], endpoint: str, previous: str | None = None
) -> str:
    """The template of a request. s3: makes the client that may read it. Raises Refused.

    endpoint: of the mock; a URL of an object there is as good as one of AWS.
    """
    sources = [name for name in ("TemplateBody", "TemplateURL") if given.get(name)]
    if given.get("UsePreviousTemplate"):
        if sources:
            raise Refused(
                "You cannot specify both usePreviousTemplate and Template Body/Template URL."
            )
        if previous is None:
            raise Refused("There is no previous template to use.")
        return previous
    if len(sources) != 1:
        raise Refused("Either Template URL or Template Body must be specified.")
    if text := given.get("TemplateBody"):
        if len(text.encode()) > LONGEST_BODY:
            raise Refused(
                "1 validation error detected: Value at 'templateBody' failed to satisfy "
                f"constraint: Member must have length less than or equal to {LONGEST_BODY}"
            )
        return text
    return fetch(given["TemplateURL"], s3, endpoint)


def fetch(url: str, s3: Callable[[], Any], endpoint: str) -> str:
    """What an S3 URL leads to. Raises Refused."""
    bucket, key = location(url, endpoint)
    try:
        content = s3().get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as wrong:
        raise Refused(
            f"S3 error: {wrong.response['Error'].get('Message', '')}\nFor more information check "
            "http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
        ) from None
    if len(content) > LONGEST_OBJECT:
        raise Refused(f"Template may not exceed {LONGEST_OBJECT} bytes in size.")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Refused("Template format error: unsupported structure.") from None


def location(url: str, endpoint: str) -> tuple[str, str]:
    """(bucket, key). Raises Refused."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _unsupported() from None
    host, path = parts.netloc.lower(), unquote(parts.path).lstrip("/")
    if host and (_PATH.fullmatch(host) or host == urlsplit(endpoint).netloc):
        bucket, _, key = path.partition("/")
    elif found := _VIRTUAL.fullmatch(host):
        bucket, key = found["bucket"], path
    else:
        raise _unsupported()
    if not bucket or not key or parts.scheme not in ("https", "http"):
        raise _unsupported()
    return bucket, key


def _unsupported() -> Refused:
    return Refused("TemplateURL must be a supported URL.")
