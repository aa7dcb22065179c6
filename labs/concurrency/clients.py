"""A client like another: a process and an event loop cannot use the one that they are given."""

from typing import Any

import boto3
from botocore.config import Config


def settings(s3: Any) -> dict[str, Any]:
    """Where this client goes and how it waits, as plain data that a process can be handed.

    Not its keys: they are found anew as by every program, in environment, profile or role.
    """
    config = s3.meta.config
    return {
        "region_name": s3.meta.region_name,
        "endpoint_url": s3.meta.endpoint_url,
        "config": {
            "max_pool_connections": config.max_pool_connections,
            "retries": config.retries,
        },
    }


def client(settings: dict[str, Any]) -> Any:
    """An S3 client of boto3's with these settings."""
    return boto3.session.Session().client(
        "s3", **settings | {"config": Config(**settings["config"])}
    )
