"""Old definitions with a GitHub source, and connections: read from a repository on disk."""

import pytest

from labs.cloud.inside import Inside, NotRun
from labs.cloud.repositories import Repositories
from labs.pipeline import repository
from tests.cloud.mock.lambda_account import until
from tests.cloud.mock.pipelines.declared import action, approval, pipeline, unzipped


@pytest.fixture
def copy(delivery, tmp_path, monkeypatch):
    """A working copy of octo/site with one commit, of which the mock knows."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    made = repository.create(tmp_path / "site.git", "sources", "unused.zip")
    copy = repository.clone(made, tmp_path / "copy")
    commit(copy, "one")
    assert delivery.aws.repositories("octo/site", made) == {"octo/site": str(made)}
    return copy


def commit(copy, message):
    (copy / "page.html").write_text(message)
    repository.push(copy, message)
    return repository.git(copy, "rev-parse", "HEAD")


def github(poll="false", **more):
    configuration = {
        "Owner": "Octo",
        "Repo": "site",
        "Branch": "main",
        "OAuthToken": "s3cret",
        "PollForSourceChanges": poll,
        **more,
    }
    return action(
        "Git",
        "Source",
        "GitHub",
        configuration,
        owner="ThirdParty",
        gives=["App"],
        namespace="Src",
    )


def connection():
    configuration = {
        "ConnectionArn": "arn:aws:codeconnections:us-east-1:123456789012:connection/x",
        "FullRepositoryId": "octo/site",
        "BranchName": "main",
        "DetectChanges": "false",
    }
    return action(
        "Git", "Source", "CodeStarSourceConnection", configuration, gives=["App"], namespace="Src"
    )


def of(source):
    made = pipeline(("Ask", approval(configuration={"CustomData": "#{Src.CommitId}"})))
    made["stages"][0]["actions"] = [source]
    return made


def git_action(delivery, execution):
    return (
        until(lambda: delivery.actions(execution).get("Git", {}).get("status") == "Succeeded")
        and (delivery.actions(execution)["Git"])
    )


@pytest.mark.parametrize("source", [github(), connection()], ids=["OAuth", "connection"])
def test_a_commit_becomes_an_artifact_and_variables(delivery, copy, source):
    head = repository.git(copy, "rev-parse", "HEAD")
    found = git_action(delivery, delivery.create(of(source)))
    [artifact] = found["output"]["outputArtifacts"]
    assert unzipped(delivery.object(artifact)) == {"page.html": "one"}
    variables = found["output"]["outputVariables"]
    assert (variables["CommitId"], variables["CommitMessage"]) == (head, "one")
    assert variables["BranchName"] == "main"
    assert found["output"]["executionResult"]["externalExecutionUrl"].endswith(f"commit/{head}")
    [revision] = delivery.execution(delivery.newest())["artifactRevisions"]
    assert (revision["revisionId"], revision["revisionSummary"]) == (head, "one")


def test_the_token_is_never_shown(delivery, copy):
    execution = delivery.create(of(github()))
    run = git_action(delivery, execution)
    shown = delivery.api.get_pipeline(name="release")["pipeline"]
    assert shown["stages"][0]["actions"][0]["configuration"]["OAuthToken"] == "****"
    assert "s3cret" not in str(run)
    delivery.api.update_pipeline(pipeline=shown)  # as one does it: read, change, write
    git_action(delivery, delivery.start())


def test_a_commit_starts_a_pipeline_that_polls(delivery, copy):
    delivery.create(of(github("true")))
    delivery.token()
    head = commit(copy, "two")
    until(lambda: len(delivery.executions()) == 2)
    run = git_action(delivery, delivery.newest())
    assert run["output"]["outputVariables"]["CommitId"] == head
    assert delivery.executions()[0]["trigger"]["triggerType"] == "PollForSourceChanges"


def test_an_old_commit_can_be_released_again(delivery, copy):
    old = repository.git(copy, "rev-parse", "HEAD")
    commit(copy, "two")
    delivery.create(of(github()))
    override = {"actionName": "Git", "revisionType": "COMMIT_ID", "revisionValue": old}
    run = git_action(delivery, delivery.start(sourceRevisions=[override]))
    assert run["output"]["outputVariables"]["CommitMessage"] == "one"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (github(Repo="other"), "aws.repositories('Octo/other', folder) tells where it is"),
        (github(Branch="none"), "branch none"),
    ],
)
def test_repositories_that_cannot_be_read(delivery, copy, source, said):
    code, message = delivery.failure(delivery.create(of(source)), "Git")
    assert code == "ConfigurationError"
    assert message.startswith("Could not access the GitHub repository Octo/")
    assert said in message


def test_a_reset_forgets_repositories(delivery, copy, tmp_path):
    delivery.aws.cleanup(confirm=True)
    with pytest.raises(ValueError, match="is no Git repository"):
        delivery.aws.repositories("octo/site", tmp_path / "nothing")
    with pytest.raises(ValueError, match="OWNER/REPO"):
        delivery.aws.repositories("site", tmp_path)
    again = type(delivery)(type(delivery.account)(delivery.aws))
    code, _ = again.failure(again.create(of(github())), "Git")
    assert code == "ConfigurationError"


def test_live_there_is_nothing_to_tell():
    with pytest.raises(NotRun, match="AWS cannot be told"):
        Repositories(Inside(None))("octo/site", ".")
