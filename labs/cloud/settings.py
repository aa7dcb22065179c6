"""How big and how fast the mocked world is. Read once, when the module is imported."""

import os
from dataclasses import dataclass

import psutil

#: AWS's own waits (retry back-off, event age, health checks, provisioning) are divided by this in
#: the mock. Never a function's time-out, a handler's own sleep, or an idle time-out.
TIME_SCALE = 25.0


@dataclass(frozen=True)
class Size:
    """objects: in an experiment. concurrency: the account's Lambda limit. seconds: of traffic."""

    name: str
    objects: int
    concurrency: int
    seconds: int


SIZES = {
    "small": Size("small", objects=32, concurrency=8, seconds=2),
    "default": Size("default", objects=96, concurrency=25, seconds=5),
    "full": Size("full", objects=250, concurrency=100, seconds=10),
}


def choose_size(wanted: str | None, cores: float, memory_bytes: int) -> Size:
    """The size named by LABS_SIZE; without one, small on one core or under 1.5 GB.

    Raises ValueError for an unknown name.
    """
    if wanted:
        if wanted not in SIZES:
            raise ValueError(f"LABS_SIZE is {wanted!r}; choose one of {', '.join(SIZES)}.")
        return SIZES[wanted]
    return SIZES["small" if cores < 2 or memory_bytes < 1.5e9 else "default"]


def size() -> Size:
    """The size of this process's world."""
    return choose_size(os.environ.get("LABS_SIZE"), usable_cores(), usable_memory())


def usable_cores() -> float:
    """Cores this process may use. JupyterHub (and so Binder) names its limit in CPU_LIMIT."""
    try:
        cores = len(psutil.Process().cpu_affinity())
    except AttributeError:  # macOS has no affinity
        cores = os.cpu_count() or 1
    return min(cores, float(os.environ.get("CPU_LIMIT") or cores))


def usable_memory() -> int:
    """Bytes. A container's limit does not show in the machine's total: JupyterHub names it."""
    total = psutil.virtual_memory().total
    return min(total, int(os.environ.get("MEM_LIMIT") or total))
