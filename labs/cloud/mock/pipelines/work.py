"""What an action gets to do its work with: clients under its role, artifacts, waits.

Errors are AWS's failure types. Source: CodePipeline API, FailureDetails, ErrorDetails.
"""

from __future__ import annotations

import io
import secrets
import string
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from labs.cloud.mock.pipelines import roles
from labs.cloud.mock.pipelines.definition import Action
from labs.cloud.mock.pipelines.model import ActionRun, Artifact, Execution, Revision

if TYPE_CHECKING:
    from labs.cloud.mock.pipelines.flow import Journey
    from labs.cloud.mock.pipelines.motor import Pipelines

JOB_FAILED, CONFIGURATION, PERMISSION = "JobFailed", "ConfigurationError", "PermissionError"
TIMEOUT, INTERNAL = "TimeoutError", "InternalError"
SERVICE = "codepipeline"
#: Codes by which services say that a caller may not.
DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "UnauthorizedOperation",
    }
)
#: Seconds between two looks at what a service does: the first wait, and the longest.
SOON, LATE = 0.01, 0.1


class ActionFailed(Exception):
    """The action's work has failed. code, message: as errorDetails shows them."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Lost(Exception):
    """Nobody waits for the action any more: it was abandoned, or the mock was reset."""


@dataclass
class Done:
    """What a successful action leaves behind it."""

    summary: str = ""
    external_id: str = ""
    url: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    revision: Revision | None = None


class Work:
    """One run of one action. configuration: with variables resolved, and secrets."""

    def __init__(self, motor: Pipelines, journey: Journey, run: ActionRun) -> None:
        self.motor, self.run = motor, run
        self.configuration: dict[str, str] = {}
        self._journey = journey

    @property
    def execution(self) -> Execution:
        return self.run.execution

    @property
    def action(self) -> Action:
        return self.run.declaration

    def client(self, service: str) -> Any:
        """A client in the action's region, under the action's role or else the pipeline's."""
        return self.motor.inward.client(
            service,
            account=self.execution.pipeline.account,
            region=self.run.region,
            by=SERVICE,
            role=self.run.role,
        )

    def read(self, artifact: Artifact) -> bytes:
        """An input artifact. Raises ActionFailed when it is not there, or not to be read.

        The text is AWS's, seen in public, for both.
        """
        try:
            answer = self.client("s3").get_object(Bucket=artifact.bucket, Key=artifact.key)
            return answer["Body"].read()
        except ClientError as refused:
            raise ActionFailed(
                PERMISSION,
                f"Unable to access the artifact with Amazon S3 object key '{artifact.key}' located "
                f"in the Amazon S3 artifact bucket '{artifact.bucket}'. The provided role does not "
                f"have sufficient permissions. ({why(refused)})",
            ) from refused

    def input(self, name: str) -> Artifact:
        """Raises ActionFailed unless the action declares an input of this name."""
        for artifact in self.run.inputs:
            if artifact.name == name:
                return artifact
        raise ActionFailed(
            CONFIGURATION, f"Artifact [{name}] is not an input artifact of {self.run.name}"
        )

    def file(self, reference: str) -> bytes:
        """A file in an input artifact: "Artifact::path/in/it".

        Text of a missing file: AWS's, seen in public.
        """
        name, separator, path = reference.partition("::")
        if not separator or not path:
            raise ActionFailed(
                CONFIGURATION, f"'{reference}' does not name a file: expected Artifact::File"
            )
        artifact = self.input(name)
        with open_zip(self.read(artifact), artifact.key) as archive:
            try:
                return archive.read(path)
            except KeyError:
                raise ActionFailed(
                    CONFIGURATION, f"File [{path}] does not exist in artifact [{name}]"
                ) from None

    def write(self, artifact: Artifact, content: bytes) -> None:
        """An output artifact. Raises ActionFailed when it cannot be stored."""
        try:
            self.client("s3").put_object(Bucket=artifact.bucket, Key=artifact.key, Body=content)
        except ClientError as refused:
            code = PERMISSION if is_denial(refused) else CONFIGURATION
            raise ActionFailed(
                code,
                "The artifact could not be stored in the Amazon S3 artifact bucket "
                f"'{artifact.bucket}': {why(refused)}",
            ) from refused

    def found(self, revision: str) -> None:
        """A source action has read this revision: it is no news any more."""
        with self.motor.changed:
            if self.run.name not in self.execution.overrides:
                self.execution.pipeline.seen[self.run.name] = revision

    def check(self) -> None:
        """Raises Lost when nobody waits for this any more."""
        if self._is_lost():
            raise Lost

    def wait(self, is_true: Callable[[], Any], seconds: float) -> bool:
        """Until something is true that changes under the motor's lock; False when it is late."""
        changed = self.motor.changed
        with changed:
            changed.wait_for(lambda: self._is_lost() or is_true(), timeout=seconds)
            self.check()
            return bool(is_true())

    def look(self, look: Callable[[], Any], seconds: float) -> Any:
        """The first true value of `look()`, asked again and again, or its last after `seconds`."""
        deadline, pause = time.monotonic() + seconds, SOON
        while not (found := look()) and time.monotonic() < deadline:
            self.wait(lambda: False, pause)
            pause = min(pause * 1.5, LATE)
        self.check()
        return found

    def show(self, *, summary: str = "", external_id: str = "", url: str = "") -> None:
        """Let the state say what the action is at."""
        with self.motor.changed:
            self.run.summary = summary or self.run.summary
            self.run.external_id = external_id or self.run.external_id
            self.run.url = url or self.run.url

    def _is_lost(self) -> bool:
        return not self.run.in_progress or not self._journey.is_current


def check_role(run: ActionRun) -> None:
    """Raises ActionFailed unless the pipeline's role may take the action's.

    Source: User Guide, "Add a cross-account action" (sts:AssumeRole, and trust). The text is ours.
    """
    pipeline_role = run.execution.definition["roleArn"]
    if run.role != pipeline_role and not roles.may_assume(pipeline_role, run.role):
        raise ActionFailed(
            PERMISSION,
            f"The role {pipeline_role} of the pipeline is not authorized to perform AssumeRole on "
            f"the role {run.role} of the action. It needs sts:AssumeRole, and must be trusted",
        )


def new_key(pipeline: str, artifact: str, extension: str = "") -> str:
    """PIPELINE/ARTIFACT/RANDOM, as AWS shortens names: to 20 and 10 characters.

    Source: User Guide, "Pipeline artifact folder names appear to be truncated"; re:Post, "Code
    Pipeline truncates folder names"; keys that users show. Those of S3 and GitHub sources end in
    ".zip" (CloudFormation User Guide, Fn::GetArtifactAtt), others in nothing.
    """
    letters = string.ascii_letters + string.digits
    random = "".join(secrets.choice(letters) for _ in range(7))
    return f"{pipeline[:20]}/{artifact[:10]}/{random}{extension}"


def open_zip(content: bytes, name: str) -> zipfile.ZipFile:
    """Raises ActionFailed for what is no zip."""
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        raise ActionFailed(CONFIGURATION, f"The artifact {name} is not a ZIP file") from None


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def why(refused: ClientError) -> str:
    """A service's own words."""
    error = refused.response.get("Error", {})
    return f"{error.get('Code', '')}: {error.get('Message', '')}".strip(": ") or str(refused)


def code_of(refused: ClientError) -> str:
    return refused.response.get("Error", {}).get("Code", "")


def is_denial(refused: ClientError) -> bool:
    return code_of(refused) in DENIED


def as_failure(refused: ClientError) -> ActionFailed:
    """A service's refusal as an action shows it."""
    message = refused.response.get("Error", {}).get("Message") or str(refused)
    if is_denial(refused):
        return ActionFailed(PERMISSION, message)
    return ActionFailed(JOB_FAILED, f"{message} ({code_of(refused)})")
