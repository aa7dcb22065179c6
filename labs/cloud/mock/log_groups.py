"""Lines into CloudWatch Logs, straight into moto's backend."""

import threading

from moto.core.utils import unix_time_millis
from moto.logs.models import logs_backends

_lock = threading.Lock()  # moto's streams are plain lists


def write(account: str, region: str, group: str, stream: str, lines: list[str]) -> None:
    """Append lines, each an event, making group and stream if they are missing."""
    now = int(unix_time_millis())
    backend = logs_backends[account][region]
    with _lock:
        backend.ensure_log_group(group)
        backend.ensure_log_stream(group, stream)
        backend.groups[group].put_log_events(
            stream, [{"timestamp": now, "message": line} for line in lines]
        )
