"""What runs on an environment's instances: the platform's host software, and its WSGI server.

The mock imports none of its files: an instance's user data runs `host.py` by its path, and that
starts `server.py`, a process for the application. `host.py` needs the standard library only.
"""

from pathlib import Path

HOST = Path(__file__).with_name("host.py")
#: The application that runs where no version is named.
SAMPLE = Path(__file__).with_name("sample.py")


def user_data(port: int, token: str) -> str:
    """The script of an environment's instances. port, token: of the motor, see `hosts.Hosts`."""
    return (
        "#!/usr/bin/env python3\n"
        "# Elastic Beanstalk's software for this instance. It waits for deployments.\n"
        "import runpy\n"
        f"host = runpy.run_path({str(HOST)!r})\n"
        f'host["main"]({port}, {token!r})\n'
    )
