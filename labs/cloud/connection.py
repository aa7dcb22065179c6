"""The one way in: `aws = cloud.connect(lesson=31)`, in front of the mock or of a live account."""

import getpass
import os
import re
from typing import Any

import boto3
import botocore.exceptions

from labs.cloud import browsing, environment, inventory, settings
from labs.cloud.faults import Faults
from labs.cloud.inside import Inside
from labs.cloud.launcher import MockProcess
from labs.cloud.trace import Trace

MODES = ("mock", "live")

_mock: MockProcess | None = None
_current: "Connection | None" = None


class LiveModeRefused(RuntimeError):
    """Live mode was not entered; the message says what is missing."""


class SessionAt(boto3.Session):
    """A session whose clients all go to one endpoint; None: wherever AWS is."""

    def __init__(self, endpoint_url: str | None, **kw: Any) -> None:
        super().__init__(**kw)
        self._endpoint_url = endpoint_url

    def client(self, *names: Any, **kw: Any) -> Any:
        kw["endpoint_url"] = kw.get("endpoint_url") or self._endpoint_url
        return super().client(*names, **kw)


class Connection:
    """What a lesson calls `aws`: boto3 clients, names of its own, and the end of it all.

    trace, faults: look inside the mock, and ask it for bad weather; NotRun in live mode.
    """

    def __init__(self, mode: str, session: boto3.Session, lesson: int | str | None) -> None:
        self.mode = mode
        self.session = session
        self.region: str = session.region_name
        self._lesson = lesson
        self._account_id: str | None = None
        inside = Inside(os.environ["AWS_ENDPOINT_URL"] if mode == "mock" else None)
        self.trace = Trace(inside)
        self.faults = Faults(inside)

    def client(self, name: str, **kw: Any) -> Any:
        """A boto3 client; further arguments are boto3's own."""
        return self.session.client(name, **kw)

    def resource(self, name: str, **kw: Any) -> Any:
        """A boto3 resource; further arguments are boto3's own."""
        return self.session.resource(name, **kw)

    @property
    def account_id(self) -> str:
        """Twelve digits, asked once."""
        if self._account_id is None:
            self._account_id = self.client("sts").get_caller_identity()["Account"]
        return self._account_id

    def name(self, base: str) -> str:
        """`base` with a prefix of learner and lesson: unique in a shared account, and findable."""
        return f"{prefix(learner(), self._lesson)}-{base}"

    def browse(self, url: str, *, verify: bool | str | os.PathLike[str] = True) -> browsing.Visit:
        """A page, fetched by this kernel and shown in a frame; arguments as in `browsing.browse`.

        Raises FileNotFoundError for a `verify` that is no file; nothing for what a server does.
        """
        return browsing.browse(url, verify=verify)

    def shell_env(self) -> None:
        """Print the lines that join a terminal to this kernel's mock."""
        print("\n".join(environment.shell_lines()))

    def cleanup(self, confirm: bool = False) -> list[str]:
        """What this lesson made, as a list of "service name"; `confirm=True` deletes it.

        Raises LiveModeRefused for a deletion in live mode, which does not exist yet.
        """
        found = inventory.find(self.client, prefix(learner(), self._lesson))
        if not confirm:
            return found
        if self.mode == "live":
            raise LiveModeRefused(
                "Deleting in a live account is not built yet. Delete by hand what "
                "aws.cleanup() lists."
            )
        if _mock is None:
            raise RuntimeError("The mock belongs to the parent process: clean up there.")
        _mock.reset()
        return inventory.find(self.client, prefix(learner(), self._lesson))

    def close(self) -> None:
        """End the mock. A live account is left as it is."""
        global _mock, _current
        if self.mode == "mock" and _mock is not None:
            _mock.stop()
            _mock = None
        if _current is self:
            _current = None

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<aws: {self.mode}, {self.region}>"


def connect(
    mode: str | None = None,
    *,
    lesson: int | str | None = None,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    consent: bool | None = None,
) -> Connection:
    """Begin a lesson: an empty mock, or a live account if that was asked for.

    mode:         "mock" or "live"; None: the environment variable LABS_MODE, else "mock".
    lesson:       number of the lesson; part of the names that `aws.name` gives.
    profile, endpoint_url, consent: live mode only. `consent=True` says that this code may
                  create resources that cost money; None: whether LABS_CONSENT is "yes".
    region:       None: us-east-1 in the mock, the profile's own in live mode.

    Raises ValueError for an unknown mode or LABS_SIZE, LiveModeRefused, MockFailed.
    """
    global _current
    mode = mode or os.environ.get("LABS_MODE") or "mock"
    if mode not in MODES:
        raise ValueError(f"There is no mode {mode!r}; choose one of {', '.join(MODES)}.")
    if mode == "live":
        _current = _connect_live(lesson, profile, region, endpoint_url, consent)
    else:
        _current = _connect_mock(lesson, region)
    return _current


def current() -> Connection:
    """The connection made last. Raises RuntimeError when there is none."""
    if _current is None:
        raise RuntimeError("Not connected. Run the set-up cell: aws = cloud.connect(lesson=...)")
    return _current


def _connect_mock(lesson: int | str | None, region: str | None) -> Connection:
    global _mock
    if not environment.owns_folder():  # a child process: the mock is its parent's
        return Connection("mock", boto3.Session(region_name=region), lesson)
    settings.size()  # an unknown LABS_SIZE is said here, not in the mock's log
    if _mock is not None and _mock.is_running():
        _mock.reset()
    else:
        _mock = MockProcess(environment.folder())
        environment.aim_at(_mock.endpoint_url)
    return Connection("mock", boto3.Session(region_name=region), lesson)


def _connect_live(
    lesson: int | str | None,
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    consent: bool | None,
) -> Connection:
    if environment.is_mock():
        raise LiveModeRefused(
            "This kernel is in mock mode and stays in it. Start JupyterLab with "
            "`python3 -m labs lab --live`, or set LABS_MODE=live before the kernel starts."
        )
    if consent is None:
        consent = os.environ.get("LABS_CONSENT") == "yes"
    if consent is not True:
        raise LiveModeRefused(
            "Live mode creates resources in an AWS account and may cost money. "
            "Say connect('live', consent=True), or set LABS_CONSENT=yes before the kernel starts, "
            "if you mean it."
        )
    session = SessionAt(endpoint_url, profile_name=profile, region_name=region)
    if session.region_name is None:
        raise LiveModeRefused("No region: say connect('live', region='us-east-1', ...).")
    connection = Connection("live", session, lesson)
    try:
        connection.account_id  # noqa: B018
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as wrong:
        raise LiveModeRefused(f"These credentials do not work: {wrong}") from None
    return connection


def learner() -> str:
    """Who is learning: LABS_LEARNER, else the name of the user."""
    return os.environ.get("LABS_LEARNER") or getpass.getuser()


def prefix(who: str, lesson: int | str | None) -> str:
    """At most 12 characters of lower-case letters, digits and single dashes.

    >>> prefix("Ada Lovelace", 31)
    'adalovel-31'
    """
    short = re.sub(r"[^a-z0-9]", "", who.lower())[:8] or "learner"
    part = re.sub(r"[^a-z0-9]", "", str(lesson if lesson is not None else "x").lower())[:8]
    return f"{short}-{part}"
