"""Lambda function: `sns_multiplier`, in front of something slow. To see what a slow consumer does.

Packed together with sns_multiplier.py, whose environment it needs, and PAUSE_SECONDS: how long
the slow thing takes for a message.
"""

import os
import time

import sns_multiplier


def handler(event: dict, context: object) -> None:
    """Pause, then add 10 for each word of each record. Raises what sns_multiplier raises."""
    time.sleep(float(os.environ["PAUSE_SECONDS"]))
    sns_multiplier.handler(event, context)
