"""Lambda function: something listens at a port, and can be reached from here.

Parameters: Host, a name or an address; Port.
"""

from .ports import OPEN, knock, those
from .reporting import Failed, Parameters, acceptance_test, port, wanted


@acceptance_test
def handler(given: Parameters) -> str:
    """All addresses of the host must take a connection."""
    host, number = wanted(given, "Host"), port(given)
    results = knock(host, number)
    if len(those(results, OPEN)) < len(results):
        found = ", ".join(f"{address} is {outcome}" for address, outcome in results)
        raise Failed(f"Port {number} of {host} should be open: {found}.")
    return f"Port {number} of {host} is open."
