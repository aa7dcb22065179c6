"""Lambda function: nothing can be reached at a port.

Parameters: Host, a name or an address; Port. A refusal and silence both count. A name that does
not resolve does not: then nothing has been tested.
"""

from .ports import OPEN, knock, those
from .reporting import Failed, Parameters, acceptance_test, port, wanted


@acceptance_test
def handler(given: Parameters) -> str:
    """No address of the host may take a connection."""
    host, number = wanted(given, "Host"), port(given)
    results = knock(host, number)
    if reached := those(results, OPEN):
        raise Failed(f"Port {number} of {host} is open, at {', '.join(reached)}: close it.")
    outcomes = ", ".join(sorted({outcome for _, outcome in results}))
    return f"Port {number} of {host} is closed ({outcomes})."
