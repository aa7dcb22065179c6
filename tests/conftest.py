"""The suite runs away from this machine's AWS settings and from the user's own course data."""

import os
import shutil
import signal
import tempfile

from hypothesis import settings

#: LABS_ADDRESS_BOOK: a worker of xdist must not join the mock of the process that started it.
FOREIGN = ("AWS_", "BOTO", "LABS_ADDRESS_BOOK")


# When this file is imported, not when pytest is configured: by then another conftest may have
# brought the process into mock mode, and these would be the mock's.
for _name in [name for name in os.environ if name.upper().startswith(FOREIGN)]:
    del os.environ[_name]
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


# A first example may meet an import, and any example a busy machine: that is no finding.
settings.register_profile("course", deadline=None)
settings.load_profile("course")


# A shell's background job ignores Ctrl-C, and so would every process that a test starts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    if is_controller(config):
        os.environ["LABS_HOME"] = tempfile.mkdtemp(prefix="labs-tests-")  # workers inherit it


def pytest_unconfigure(config):
    if is_controller(config):
        shutil.rmtree(os.environ["LABS_HOME"], ignore_errors=True)


def is_controller(config) -> bool:
    return not hasattr(config, "workerinput")


def pytest_addoption(parser):
    parser.addoption(
        "--all", action="store_true", help="every restart point of a lesson, both themes"
    )
