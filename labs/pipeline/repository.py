"""A Git repository on disk whose pushed commits are released: to S3, and through a pipeline.

S3 is a source that CodePipeline reads anywhere, in the mock and in an account. The repository is
bare, like those on a server. Git runs its hook `post-receive` when commits have arrived there; the
hook runs `releasing.py` beside this file, under the AWS settings of whoever pushes.
Source: githooks(5), "post-receive".
"""

import os
import subprocess
import sys
from pathlib import Path

BRANCH = "main"
RELEASING = Path(__file__).with_name("releasing.py")


class GitFailed(RuntimeError):
    """Git said no; the message is Git's."""


def create(
    folder: str | os.PathLike[str],
    bucket: str,
    key: str,
    pipeline: str | None = None,
    branch: str = BRANCH,
) -> Path:
    """Make a bare repository in a new folder. What is pushed to `branch` becomes s3://bucket/key.

    pipeline: the name of one to start then; None where the pipeline polls, or there is none.
    Raises FileExistsError, GitFailed.
    """
    repository = Path(folder).absolute()
    if repository.exists():
        raise FileExistsError(
            f"{repository} is there already. Choose another folder, or remove it."
        )
    repository.mkdir(parents=True)
    git(repository, "init", "--quiet", "--bare")
    git(repository, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    hooks = repository / "hooks"
    git(repository, "config", "core.hooksPath", hooks.as_posix())  # whatever the user has set
    git(repository, "config", "core.autocrlf", "false")  # what is released is what was written
    hook = hooks / "post-receive"
    hook.write_text(hook_script(bucket, key, pipeline, branch), "utf-8", newline="\n")
    hook.chmod(0o755)
    return repository


def hook_script(bucket: str, key: str, pipeline: str | None, branch: str) -> str:
    """The hook: sh, which Git for Windows brings along, and the Python that runs now."""
    command = [
        Path(sys.executable).as_posix(),
        RELEASING.as_posix(),
        *("--bucket", bucket, "--key", key, "--branch", branch),
        *(("--pipeline", pipeline) if pipeline else ()),
    ]
    return f"#!/bin/sh\nexec {' '.join(map(quoted, command))}\n"


def quoted(word: str) -> str:
    """A word that sh takes as it is.

    >>> print(quoted("it's"))
    'it'"'"'s'
    """
    return "'" + word.replace("'", "'\"'\"'") + "'"


def clone(repository: str | os.PathLike[str], folder: str | os.PathLike[str]) -> Path:
    """A working copy of a repository, in a new folder, ready to commit in. Raises GitFailed."""
    copy = Path(folder).absolute()
    copy.parent.mkdir(parents=True, exist_ok=True)
    git(copy.parent, "clone", "--quiet", str(Path(repository).absolute()), str(copy))
    settings = {
        "user.name": "Learner",
        "user.email": "learner@example.com",
        "commit.gpgsign": "false",
        "core.autocrlf": "false",
    }
    for name, value in settings.items():
        git(copy, "config", name, value)
    return copy


def push(copy: str | os.PathLike[str], message: str) -> str:
    """Commit all that has changed in a working copy, and push it. What the other side said.

    Raises GitFailed, also when there is nothing to commit.
    """
    git(copy, "add", "--all")
    git(copy, "commit", "--quiet", "--message", message)
    return git(copy, "push", "--quiet", "origin", "HEAD")


def git(folder: str | os.PathLike[str], *arguments: str) -> str:
    """Run git in a folder; what it wrote. Raises GitFailed."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError as missing:
        raise GitFailed("There is no program `git`. Install Git, then try again.") from missing
    if done.returncode:
        raise GitFailed(f"git {arguments[0]} failed: {done.stdout.strip()}")
    return done.stdout.strip()
