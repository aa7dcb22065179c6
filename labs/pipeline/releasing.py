"""What the hook of a repository runs: put a pushed commit into S3, and start the pipeline.

Git gives it a line "OLD NEW REF" for each branch on its standard input, in the repository's folder.
What it prints, the pusher reads after "remote:". The commit is in the repository by then, and
stays there whatever happens here. It needs no more than Git and botocore.
Source: githooks(5), "post-receive".
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

#: What Git shows of a branch that is not there (any more).
NOTHING = re.compile("0+")
#: The key of an object's metadata that CodePipeline shows as the summary of the revision.
#: Source: CodePipeline User Guide, "View pipeline executions".
SUMMARY = "codepipeline-artifact-revision-summary"


def pushed(lines: Iterable[str], branch: str) -> str | None:
    """The commit that a branch is at now; None when it did not move, or is gone."""
    for line in lines:
        _, new, ref = line.split()
        if ref == f"refs/heads/{branch}" and not NOTHING.fullmatch(new):
            return new
    return None


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], stdout=subprocess.PIPE, check=True).stdout


def store(s3: Any, bucket: str, key: str, commit: str) -> str:
    """Put the commit's files into the bucket, as a zip; the version of the object."""
    subject = git("show", "--no-patch", "--format=%h %s", commit).decode(errors="replace").strip()
    shown = subject.encode("ascii", "replace").decode()  # metadata is ASCII
    archive = git("archive", "--format=zip", commit)
    answer = s3.put_object(Bucket=bucket, Key=key, Body=archive, Metadata={SUMMARY: shown[:2000]})
    print(f"Released {shown} to s3://{bucket}/{key}")
    return answer.get("VersionId", "")


def start(codepipeline: Any, pipeline: str) -> None:
    """Start the pipeline; one that does not exist yet will begin by itself when it is made."""
    try:
        started = codepipeline.start_pipeline_execution(name=pipeline)
    except codepipeline.exceptions.PipelineNotFoundException:
        print(f"There is no pipeline {pipeline} yet: nothing was started")
        return
    print(f"Started {pipeline}: execution {started['pipelineExecutionId']}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--branch", required=True)
    parser.add_argument("--pipeline")
    wanted = parser.parse_args(arguments)
    commit = pushed(sys.stdin, wanted.branch)
    if commit is None:
        print(f"Nothing was released: only branch {wanted.branch} is")
        return 0
    try:
        # botocore is what boto3 is made of, and starts sooner. It is imported here, so that a
        # Python without it is told of in one line.
        import botocore.session

        aws = botocore.session.get_session()
        store(aws.create_client("s3"), wanted.bucket, wanted.key, commit)
        if wanted.pipeline:
            start(aws.create_client("codepipeline"), wanted.pipeline)
    except Exception as wrong:
        print(f"NOT RELEASED. The commit {commit[:7]} is in the repository, but: {wrong}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
