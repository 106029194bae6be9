"""A mark of contents: equal for equal sources, wherever and whenever they are read."""

from __future__ import annotations

import hashlib
import inspect
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Final

from builders.errors import BuildError

_MARKED: Final = re.compile(r"(.+)-[0-9a-f]{16}\.zip")
_DAYS: Final = 30


def of(files: Iterable[Path], *words: str, by: Iterable[ModuleType] = ()) -> str:
    """16 hex digits over the files' contents, their names below their common folder, `words`, and the code of `by`.

    `by` are the modules that decide over the archive's bytes: what another version of them has built is not taken for
    this one's work. Folders above the files, dates, modes and the order of `files` do not enter. Raises BuildError for
    a file that cannot be read.
    """
    paths = [file.absolute() for file in files]
    common = os.path.commonpath([path.parent for path in paths]) if paths else ""
    parts = [f"by {_digest(Path(inspect.getfile(module)))}" for module in by]
    parts += [f"word {word}" for word in words]
    named = sorted((path.relative_to(common).as_posix(), path) for path in paths)
    parts += [f"file {name}\0{_digest(path)}" for name, path in named]
    return hashlib.sha256("\0".join([*parts, ""]).encode()).hexdigest()[:16]


def outdated(archive: Path) -> list[Path]:
    """Archives beside `<name>-<mark>.zip` with another mark, older than 30 days; none for one without a mark."""
    named = _MARKED.fullmatch(archive.name)
    if named is None:
        return []
    oldest = time.time() - _DAYS * 86_400
    found = ((file, _MARKED.fullmatch(file.name)) for file in archive.parent.iterdir())
    return [
        file
        for file, other in found
        if other and other[1] == named[1] and file != archive and file.stat().st_mtime < oldest
    ]


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BuildError(f"{path}: cannot be read ({error.strerror or error})") from None
