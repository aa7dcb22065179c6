"""Where AWS comes from. Importing this puts the process into mock mode, unless LABS_MODE is live.

It is the first import of every set-up cell: what other libraries read when they are imported
(endpoint, credentials, certificates) is in place before them.
"""

import os

from labs.cloud import environment

if os.environ.get("LABS_MODE") != "live":
    environment.enter()

from labs.cloud.connection import Connection, LiveModeRefused, connect, current

__all__ = ["Connection", "LiveModeRefused", "connect", "current"]
