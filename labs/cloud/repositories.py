"""`aws.repositories`: tell the mock which folder a repository on GitHub is."""

import os
from pathlib import Path

from labs.cloud.inside import Inside

WHAT = "told that GitHub is a folder"


class Repositories:
    """Where pipelines with a GitHub source read from. Mock only; `connect` forgets them.

    aws.repositories("octo/site", "site.git")
    """

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    def __call__(self, name: str, folder: str | os.PathLike[str]) -> dict[str, str]:
        """OWNER/REPO is the Git repository in this folder; all that the mock knows, by name.

        Raises ValueError for a folder that is no repository, NotRun in live mode.
        """
        settings = {"folder": str(Path(folder).absolute())}
        return self._inside.ask("PUT", f"repositories/{name}", WHAT, json=settings)

    def __repr__(self) -> str:
        return '<aws.repositories: aws.repositories("owner/repo", folder) tells where one is>'
