"""What an archive under `.build/` is made from: the sandbox builds it anew, for this machine.

The program names `.build/functions/<folder>-...zip` and `.build/layers/<layer>-...zip`. Such a file may not exist, and
where it does, it holds code for Lambda's machines; the sources tell whether it has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LOCKS: Final = ("requirements.txt", "package-lock.json")


@dataclass(frozen=True)
class Source:
    """Where an archive comes from. `files` decide over its content; `root` is the checkout."""

    root: Path
    folder: Path
    files: Sequence[Path]


def of_function(archive: str | Path) -> Source | None:
    """The Go module behind `<root>/.build/functions/<name by builders.go.archive_name>`, or None."""
    found = _folder(Path(archive).absolute(), "functions", "handlers", "go.mod")
    if found is None:
        return None
    from builders import go

    return Source(found.parents[1], found, go.sources(found))


def of_layer(archive: str | Path) -> Source | None:
    """The lock behind `<root>/.build/layers/<layer>-...zip`, or None."""
    for lock in _LOCKS:
        found = _folder(Path(archive).absolute(), "layers", "layers", lock)
        if found is not None:
            return Source(found.parents[1], found, [found / lock])
    return None


def _folder(archive: Path, built: str, room: str, marker: str) -> Path | None:
    """The folder of `room` that a built archive is named after: the longest name that fits."""
    if archive.parts[-3:-1] != (".build", built):
        return None
    holder = archive.parents[2] / room
    stem = archive.stem
    names = (stem[:end] for end in range(len(stem) - 1, 0, -1) if stem[end] == "-")
    return next((holder / name for name in names if (holder / name / marker).is_file()), None)
