"""Uploaded zips, unpacked once each into a folder that all sandboxes of that code share."""

import io
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
        self._lock = threading.Lock()

    def folder(self, sha256: str, code: bytes) -> Path:
        """Where this code lies, unpacked. Raises zipfile.BadZipFile."""
        with self._lock:
            if sha256 not in self._folders:
                target = self._home / str(len(self._folders))
                unpack(code, target)
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
    """Extract a zip; `extractall` keeps names inside the target but forgets permissions."""
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        archive.extractall(target)
        for member in archive.infolist():
            if mode := stat.S_IMODE(member.external_attr >> 16):
                (target / member.filename).chmod(mode | stat.S_IRUSR | stat.S_IWUSR)


def brings_own_sdk(folder: Path) -> bool:
    """Whether the zip packs boto3 or botocore: then a preloaded zygote has the wrong one."""
    return any((folder / name).exists() for name in ("boto3", "botocore"))
