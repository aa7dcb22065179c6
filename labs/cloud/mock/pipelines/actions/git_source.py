"""GitHub sources: the old OAuth action, and connections, both read from a repository on disk.

Which folder OWNER/REPO is, the mock's address book says (see `repositories`). The token and the
connection are not looked at. Source: User Guide, "GitHub (via OAuth app) source action reference",
"CodeStarSourceConnection ... reference" (output variables).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labs.cloud.mock.pipelines import repositories
from labs.cloud.mock.pipelines.definition import Action
from labs.cloud.mock.pipelines.model import Pipeline, Revision
from labs.cloud.mock.pipelines.repositories import Commit
from labs.cloud.mock.pipelines.work import CONFIGURATION, ActionFailed, Done, Work

if TYPE_CHECKING:
    from labs.cloud.mock.pipelines.motor import Pipelines


def perform(work: Work) -> Done:
    name, branch = _repository(work.configuration)
    kind, wanted = work.execution.overrides.get(work.run.name, ("", ""))
    try:
        folder = repositories.find(name)
        commit_id = wanted if kind == "COMMIT_ID" else repositories.head(folder, branch)
        commit = repositories.commit(folder, commit_id)
        content = repositories.archive(folder, commit.id)
    except repositories.NotReadable as wrong:
        raise ActionFailed(
            CONFIGURATION,
            f"Could not access the GitHub repository {name}, branch {branch}: {wrong}",
        ) from None
    work.found(commit.id)
    [output] = work.run.outputs
    work.write(output, content)
    url = f"https://github.com/{name}/commit/{commit.id}"
    return Done(
        summary=commit.message,
        external_id=commit.id,
        url=url,
        variables=_variables(work.configuration, name, branch, commit, url),
        revision=Revision(work.run.name, output.name, commit.id, commit.message, url),
    )


def newest(motor: Pipelines, pipeline: Pipeline, action: Action) -> str:
    """The id of the branch's newest commit. Raises ActionFailed."""
    name, branch = _repository(action["configuration"])
    try:
        return repositories.head(repositories.find(name), branch)
    except repositories.NotReadable as wrong:
        raise ActionFailed(CONFIGURATION, str(wrong)) from None


def _repository(configuration: dict[str, str]) -> tuple[str, str]:
    """(OWNER/REPO, branch)."""
    if "FullRepositoryId" in configuration:
        return configuration["FullRepositoryId"], configuration["BranchName"]
    return f"{configuration['Owner']}/{configuration['Repo']}", configuration["Branch"]


def _variables(
    configuration: dict[str, str], name: str, branch: str, commit: Commit, url: str
) -> dict[str, str]:
    common = {"BranchName": branch, "CommitId": commit.id, "CommitMessage": commit.message}
    if "FullRepositoryId" in configuration:
        return {
            **common,
            "AuthorDate": commit.authored,
            "ConnectionArn": configuration["ConnectionArn"],
            "FullRepositoryName": name,
        }
    return {
        **common,
        "AuthorDate": commit.authored,
        "CommitterDate": commit.committed,
        "CommitUrl": url,
        "RepositoryName": configuration["Repo"],
    }
