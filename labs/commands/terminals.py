"""Terminals in JupyterLab stay in the mock's environment.

A terminal reads the user's start-up files, and those may export `AWS_PROFILE` or keys again after
`labs lab` removed them. So each shell is started with a file of ours that reads the user's own and
then puts the course's variables back.
"""

import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

RESTORE = """\
for name in $(env | sed -n 's/^\\(AWS_[A-Za-z0-9_]*\\)=.*/\\1/p'); do unset "$name"; done
"""


def shell_command(folder: Path, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The command of a terminal, with its start-up file written into `folder`.

    `before` is the user's environment, `after` the course's. bash, zsh and sh are covered; a user
    of another shell gets one of these. PowerShell is started without its profile.
    """
    if os.name == "nt":
        return ["powershell.exe", "-NoProfile"]
    name = Path(before.get("SHELL", "")).name
    path = shutil.which(name) if name in ("bash", "zsh") else shutil.which("bash")
    if path and path.endswith("zsh"):
        write(folder / ".zshrc", '[ -f "$HOME/.zshrc" ] && . "$HOME/.zshrc"', before, after)
        return ["/usr/bin/env", f"ZDOTDIR={folder}", path]
    if path:
        write(folder / "bashrc", '[ -f "$HOME/.bashrc" ] && . "$HOME/.bashrc"', before, after)
        return [path, "--rcfile", str(folder / "bashrc")]
    write(folder / "shrc", ":", before, after)
    return ["/usr/bin/env", f"ENV={folder / 'shrc'}", "/bin/sh"]


def write(file: Path, first: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Write a start-up file: the user's own `first`, then the course's variables."""
    gone = sorted(set(before) - set(after))
    ours = sorted(
        name for name in after if name.startswith("AWS_") or before.get(name) != after[name]
    )
    lines = [first, RESTORE.rstrip()]
    lines += [f"unset {name}" for name in gone]
    lines += [f"export {name}={shlex.quote(after[name])}" for name in ours]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
