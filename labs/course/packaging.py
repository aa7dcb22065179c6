"""Pack Python files into the zip that Lambda takes."""

import io
import os
import zipfile
from collections.abc import Iterable, Iterator
from keyword import iskeyword
from pathlib import Path

LEFT_OUT = {"__pycache__"}


def package(paths: str | os.PathLike | Iterable[str | os.PathLike]) -> bytes:
    """The zip of one file, of several, or of what is in a folder, for `Code={"ZipFile": ...}`.

    A file goes to the top of the zip, a folder's content keeps its place below the folder. Hidden
    files and __pycache__ stay out. The same files give the same bytes, on every machine and day,
    so that Lambda's CodeSha256 changes only when the code does.

    Raises FileNotFoundError for a path that is not there, ValueError for a syntax error in a .py
    file, a .py file that Lambda could not import by its name, or two files of one name.
    Source: Lambda guide, "Working with .zip file archives for Python Lambda functions".
    """
    single = isinstance(paths, str | os.PathLike)
    files: dict[str, bytes] = {}
    for path in [Path(paths)] if single else map(Path, paths):
        for name, file in _files(path):
            if name in files:
                raise ValueError(f"Two files would be {name} in the zip. Rename or drop one.")
            files[name] = file.read_bytes()
    if not files:
        raise ValueError(f"There is no file to pack in {paths}. Give a Python file, or a folder.")
    for name, content in files.items():
        if name.endswith(".py"):
            _check_name(name)
            _check_syntax(name, content)
    return _zip(files)


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """(name in the zip, file) for a file, or for each file below a folder."""
    if path.is_file():
        yield path.name, path
    elif path.is_dir():
        for file in path.rglob("*"):
            place = file.relative_to(path)
            hidden = any(part.startswith(".") or part in LEFT_OUT for part in place.parts)
            if file.is_file() and not hidden:
                yield place.as_posix(), file
    else:
        raise FileNotFoundError(
            f"There is no {path} in {Path.cwd()}. Run the cell that writes it, or mend the path."
        )


def _check_name(name: str) -> None:
    """Raise ValueError if a file at the top of the zip cannot be imported."""
    stem = name.removesuffix(".py")
    if "/" not in name and (not stem.isidentifier() or iskeyword(stem)):
        raise ValueError(
            f"Lambda cannot import {name}: a handler is named module.function, and {stem!r} is no"
            f" name for a module. Rename the file; letters, digits and _ are safe."
        )


def _check_syntax(name: str, source: bytes) -> None:
    """Raise ValueError that shows the line of the first syntax error."""
    try:
        compile(source, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        line = (error.text or "").rstrip("\n")
        pointer = " " * (max(error.offset or 1, 1) - 1) + "^"
        shown = f"\n    {line}\n    {pointer}" if line else ""
        raise ValueError(
            f"{name}, line {error.lineno}: {error.msg}.{shown}\nMend this line, then pack again."
        ) from None
    except ValueError as error:  # a NUL in the source, before Python 3.12
        raise ValueError(f"{name} is no Python source: {error}. Write it anew.") from None


def _zip(files: dict[str, bytes]) -> bytes:
    """A zip that depends on names and contents alone."""
    buffer = io.BytesIO()
    # Stored, not deflated: zlib's output differs from version to version.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, on Windows too, or the mode below is lost
            entry.external_attr = 0o100644 << 16  # a file that everybody may read
            archive.writestr(entry, files[name])
    return buffer.getvalue()
