"""Uploaded zips, unpacked once each into a folder that all sandboxes of that code share."""

import io
import itertools
import shutil
import stat
import tempfile
import threading
import zipfile
from pathlib import Path


class CodeStore:
    """Folders by the zip's SHA-256. Threadsafe."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="labs-code-"))
        self._folders: dict[str, Path] = {}
        self._numbers = itertools.count()  # no name twice: Windows may not remove one in use
        self._lock = threading.Lock()

    def folder(self, sha256: str, code: bytes) -> Path:
        """Where this code lies, unpacked. Raises zipfile.BadZipFile, OSError."""
        with self._lock:
            if sha256 not in self._folders:
                target = self._home / str(next(self._numbers))
                try:
                    unpack(code, target)
                except BaseException:
                    shutil.rmtree(target, ignore_errors=True)
                    raise
                self._folders[sha256] = target
            return self._folders[sha256]

    def clear(self) -> None:
        with self._lock:
            for folder in self._folders.values():
                shutil.rmtree(folder, ignore_errors=True)
            self._folders.clear()

    def close(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)


def unpack(code: bytes, target: Path) -> None:
    """Extract a zip. `extract` keeps each file inside the target but forgets its permissions."""
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        for member in archive.infolist():
            path = Path(archive.extract(member, target))  # not always where its name says
            mode = stat.S_IMODE(member.external_attr >> 16)
            if mode and path.is_file():
                path.chmod(mode | stat.S_IRUSR | stat.S_IWUSR)


def brings_own_sdk(folder: Path) -> bool:
    """Whether the zip packs boto3 or botocore: then a preloaded zygote has the wrong one."""
    return any((folder / name).exists() for name in ("boto3", "botocore"))
