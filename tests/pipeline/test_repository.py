"""A repository whose pushes are released, with a real git."""

import io
import json
import shlex
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs import cloud
from labs.pipeline import releasing, repository

ZERO, NEW = "0" * 40, "a" * 40


@pytest.fixture(scope="module")
def mock_process():
    with cloud.connect(lesson="test") as aws:
        yield aws


@pytest.fixture
def s3(mock_process, tmp_path, monkeypatch):
    """An empty account with a bucket, and no settings of this machine's user."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    s3 = cloud.connect(lesson="test").client("s3")
    s3.create_bucket(Bucket="sources")
    s3.put_bucket_versioning(Bucket="sources", VersioningConfiguration={"Status": "Enabled"})
    return s3


def released(s3):
    """(files, summary) of what is in the bucket."""
    answer = s3.get_object(Bucket="sources", Key="app.zip")
    with zipfile.ZipFile(io.BytesIO(answer["Body"].read())) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    return files, answer["Metadata"][releasing.SUMMARY]


def test_a_push_releases_the_commit(s3, tmp_path):
    made = repository.create(tmp_path / 'it\'s "mine"' / "app.git", "sources", "app.zip")
    copy = repository.clone(made, tmp_path / "copy")
    (copy / "app.py").write_text("one\n", newline="\n")
    (copy / "text.txt").write_text("ä\r\n", "utf-8", newline="")
    said = repository.push(copy, "First: Grüße\n\nand more")
    commit = repository.git(copy, "rev-parse", "--short", "HEAD")
    files, summary = released(s3)
    assert files == {"app.py": "one\n", "text.txt": "ä\r\n"}
    assert summary == f"{commit} First: Gr??e"
    assert f"remote: Released {commit} First: Gr??e to s3://sources/app.zip" in said
    (copy / "text.txt").unlink()
    repository.push(copy, "Second")
    files, summary = released(s3)
    assert list(files) == ["app.py"]
    assert summary.endswith("Second")


def test_a_push_starts_the_pipeline(s3, mock_process, tmp_path):
    made = repository.create(tmp_path / "app.git", "sources", "app.zip", "release")
    copy = repository.clone(made, tmp_path / "copy")
    (copy / "app.py").write_text("1")
    assert "There is no pipeline release yet" in repository.push(copy, "one")
    definition(mock_process)
    (copy / "app.py").write_text("2")
    said = repository.push(copy, "two")
    executions = mock_process.client("codepipeline").list_pipeline_executions(
        pipelineName="release"
    )["pipelineExecutionSummaries"]
    assert len(executions) == 2
    assert f"Started release: execution {executions[0]['pipelineExecutionId']}" in said


def definition(aws):
    trust = {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}}
    role = aws.client("iam").create_role(
        RoleName="pipeline",
        AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}),
    )["Role"]["Arn"]
    source = {
        "name": "Source",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {
            "S3Bucket": "sources",
            "S3ObjectKey": "app.zip",
            "PollForSourceChanges": "false",
        },
        "outputArtifacts": [{"name": "App"}],
    }
    approval = {
        "name": "Approve",
        "actionTypeId": {
            "category": "Approval",
            "owner": "AWS",
            "provider": "Manual",
            "version": "1",
        },
    }
    aws.client("codepipeline").create_pipeline(
        pipeline={
            "name": "release",
            "roleArn": role,
            "artifactStore": {"type": "S3", "location": "artifacts"},
            "stages": [
                {"name": "Source", "actions": [source]},
                {"name": "Ask", "actions": [approval]},
            ],
        }
    )


def test_a_hook_that_fails_says_so_and_keeps_the_commit(s3, tmp_path):
    made = repository.create(tmp_path / "app.git", "no-such-bucket", "app.zip")
    copy = repository.clone(made, tmp_path / "copy")
    (copy / "app.py").write_text("1")
    said = repository.push(copy, "one")
    assert "remote: NOT RELEASED. The commit" in said
    assert "NoSuchBucket" in said
    commit = repository.git(copy, "rev-parse", "HEAD")
    assert repository.git(made, "rev-parse", "main") == commit


def test_other_branches_are_not_released(s3, tmp_path):
    made = repository.create(tmp_path / "app.git", "sources", "app.zip")
    copy = repository.clone(made, tmp_path / "copy")
    (copy / "app.py").write_text("1")
    repository.git(copy, "switch", "--quiet", "--create", "try")
    assert "Nothing was released: only branch main is" in repository.push(copy, "one")
    assert "Contents" not in s3.list_objects_v2(Bucket="sources")
    repository.git(copy, "push", "--quiet", "origin", "HEAD:main")
    assert released(s3)[0] == {"app.py": "1"}
    said = repository.git(copy, "push", "--quiet", "origin", ":try")
    assert "Nothing was released" in said


def test_settings_of_the_user_do_not_matter(s3, tmp_path):
    (tmp_path / "gitconfig").write_text(
        f"[core]\n hooksPath = {(tmp_path / 'none').as_posix()}\n autocrlf = true\n"
        "[commit]\n gpgSign = true\n[init]\n defaultBranch = trunk\n"
    )
    made = repository.create(tmp_path / "app.git", "sources", "app.zip")
    copy = repository.clone(made, tmp_path / "copy")
    (copy / "a.txt").write_text("1\n", newline="\n")
    assert "Released" in repository.push(copy, "one")
    assert released(s3)[0] == {"a.txt": "1\n"}


def test_what_git_refuses_is_an_error(s3, tmp_path):
    made = repository.create(tmp_path / "app.git", "sources", "app.zip")
    with pytest.raises(FileExistsError, match="is there already"):
        repository.create(made, "sources", "app.zip")
    copy = repository.clone(made, tmp_path / "copy")
    with pytest.raises(repository.GitFailed, match="git commit failed"):
        repository.push(copy, "nothing")
    with pytest.raises(repository.GitFailed, match="git clone failed"):
        repository.clone(tmp_path / "nowhere", tmp_path / "other")


def test_the_commit_that_a_branch_is_at():
    lines = [f"{ZERO} {NEW} refs/heads/try\n", f"{ZERO} {'b' * 40} refs/heads/main\n"]
    assert releasing.pushed(lines, "main") == "b" * 40
    assert releasing.pushed(lines[:1], "main") is None
    assert releasing.pushed([f"{NEW} {ZERO} refs/heads/main\n"], "main") is None
    assert releasing.pushed([], "main") is None


@given(st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"])))
def test_words_are_quoted_for_sh(word):
    assert shlex.split(repository.quoted(word)) == [word]
