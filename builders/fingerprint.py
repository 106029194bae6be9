"""A mark of contents: equal for equal sources, wherever and whenever they are read."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from builders.errors import BuildError


def of(files: Iterable[Path], *words: str) -> str:
    """16 hex digits over the files' contents, their names below their common folder, and `words`.

    Folders above them, dates, modes and the order of `files` do not enter. The builders' own code does: what another
    version of them has built is not taken for this one's work. Raises BuildError for a file that cannot be read.
    """
    paths = [file.absolute() for file in files]
    common = os.path.commonpath([path.parent for path in paths]) if paths else ""
    total = hashlib.sha256(_builders().encode())
    for word in words:
        total.update(f"word {word}\0".encode())
    for name, path in sorted((path.relative_to(common).as_posix(), path) for path in paths):
        total.update(f"file {name}\0{_digest(path)}\0".encode())
    return total.hexdigest()[:16]


@functools.cache
def _builders() -> str:
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return " ".join(f"{module.name} {_digest(module)}" for module in modules)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BuildError(f"{path}: cannot be read ({error.strerror or error})") from None
