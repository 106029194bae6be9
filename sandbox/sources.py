"""What an archive under `.build/` is made from: the sandbox builds it anew, for this machine.

The program names `.build/functions/<folder>-arm64-<mark>.zip` and `.build/layers/<layer>-<mark>.zip`. Such a file may
not exist, and where it does, it holds code for Lambda's machines; the sources tell whether it has changed. Any other
name is a zip file of the user's own, which stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MARK: Final = "[0-9a-f]{16}"
_MACHINE: Final = "(?:arm64|x86_64)"
_FUNCTION: Final = re.compile(rf"(?P<folder>.+)-{_MACHINE}-{_MARK}\.zip")
_LAYERS: Final = {
    "requirements.txt": re.compile(rf"(?P<folder>.+)-python3\.[0-9]+-{_MACHINE}-{_MARK}\.zip"),
    "package-lock.json": re.compile(rf"(?P<folder>.+)-{_MARK}\.zip"),
}
"""The lock of a layer, and what its archives are called."""


@dataclass(frozen=True)
class Source:
    """Where an archive comes from. `files` decide over its content; `root` is the checkout."""

    root: Path
    folder: Path
    files: Sequence[Path]


def of_function(archive: str | Path) -> Source | None:
    """The Go module behind `<root>/.build/functions/<name by builders.go.archive_name>`, or None."""
    found = _folder(Path(archive).absolute(), "functions", "handlers", "go.mod", _FUNCTION)
    if found is None:
        return None
    from builders import go

    return Source(found.parents[1], found, go.sources(found))


def of_layer(archive: str | Path) -> Source | None:
    """The lock behind `<root>/.build/layers/<layer>[-<runtime>-<architecture>]-<mark>.zip`, or None."""
    for lock, name in _LAYERS.items():
        found = _folder(Path(archive).absolute(), "layers", "layers", lock, name)
        if found is not None:
            return Source(found.parents[1], found, [found / lock])
    return None


def _folder(
    archive: Path, built: str, room: str, marker: str, name: re.Pattern[str]
) -> Path | None:
    """The folder of `room` that a built archive is named after, where it holds the marker."""
    fits = name.fullmatch(archive.name)
    if fits is None or archive.parts[-3:-1] != (".build", built):
        return None
    folder = archive.parents[2] / room / fits["folder"]
    return folder if (folder / marker).is_file() else None
