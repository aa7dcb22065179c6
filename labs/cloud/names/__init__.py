"""Names resolve: AWS's names and the mock's addresses lead to loopback, and nowhere else.

The work is done by `labs_names.py`, a file that any Python can load without this package. A process
that got it from `sitecustomize` keeps that copy: both names mean one module, wrapped once.
Put FOLDER first on a child's PYTHONPATH and the book's path in LABS_ADDRESS_BOOK, and the child
follows; `environment.variables` does both.
"""

import sys
from pathlib import Path

if "labs_names" in sys.modules:
    sys.modules[f"{__name__}.labs_names"] = sys.modules["labs_names"]
from labs.cloud.names import labs_names
from labs.cloud.names.labs_names import (
    API_ADDRESS,
    AWS_DOMAINS,
    DOCUMENTATION,
    LEARNER,
    METADATA,
    address_of,
    caller_of,
    find,
    install,
    is_aws,
    is_foreign,
    lead,
    literal,
    may_reach,
    reaches,
    refusing_port,
    resolve,
    seen_at,
    text,
)

sys.modules["labs_names"] = labs_names

FOLDER = Path(__file__).parent

__all__ = [
    "API_ADDRESS",
    "AWS_DOMAINS",
    "DOCUMENTATION",
    "FOLDER",
    "LEARNER",
    "METADATA",
    "address_of",
    "caller_of",
    "find",
    "install",
    "is_aws",
    "is_foreign",
    "lead",
    "literal",
    "may_reach",
    "reaches",
    "refusing_port",
    "resolve",
    "seen_at",
    "text",
]
