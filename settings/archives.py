"""Folders and archives that a stack file names: are they there, and would Lambda take them?"""

import math
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from builders import BuildError, files, zips
from settings.text import refused

_MEGABYTE: Final = 1 << 20

ZIPPED: Final = zips.ZIPPED_LIMIT // _MEGABYTE
"""Megabytes of an archive that Lambda takes directly."""

UNZIPPED: Final = zips.UNZIPPED_LIMIT // _MEGABYTE
"""Megabytes of an archive once unzipped, its layers included."""

BUILT: Final = ".build"
"""The one hidden folder that code may come from: what is built for the project lies there."""

_BY_S3: Final = "upload it to S3 and name s3_bucket and s3_key"


def wrong_archive(root: Path, name: str) -> str:
    """Return what is wrong with a ready .zip below the project's folder, or nothing."""
    path = root / name
    if not _within(root, path) or not path.is_file():
        return refused("must be a file of the project, by its path from the project's folder", name)
    try:
        found = zips.sizes(path)
    except BuildError:
        return refused("must be a .zip archive", name)
    if found.zipped > zips.ZIPPED_LIMIT:
        return refused(f"must be at most {ZIPPED} MB", _megabytes(found.zipped), _BY_S3)
    if found.unzipped > zips.UNZIPPED_LIMIT:
        return refused(f"must be at most {UNZIPPED} MB unzipped", _megabytes(found.unzipped))
    return "" if found.unzipped else refused("must be an archive that holds code", name)


def wrong_folder(root: Path, name: str, marker: str) -> str:
    """Return what is wrong with a folder of code, or nothing; one that holds a `marker` is not built yet."""
    path = root / name
    if not _within(root, path) or not path.is_dir():
        what = "must be a folder of the project, by its path from the project's folder"
        return refused(what, name)
    hidden = [part for part in _resolved(path).relative_to(_resolved(root)).parts if part[0] == "."]
    if hidden not in ([], [BUILT]):
        what = f"must be a folder that is not hidden, or within {BUILT}"
        return refused(what, name, "what is hidden is not deployed")
    if marker and any(path.glob(marker)):
        return refused("must be a folder of built code, not of its sources", name, "build it first")
    found = files.visible(path)
    return _too_large(found) if found else refused("must be a folder that holds code", name)


def _within(root: Path, path: Path) -> bool:
    """Tell whether a path, its links followed, leads into the project; the project itself is no code of a function."""
    home = _resolved(root)
    try:
        inside = _resolved(path)
    except ValueError:  # no file can have such a name
        return False
    return inside != home and inside.is_relative_to(home)


def _resolved(path: Path) -> Path:
    """Return a path, its links followed; unlike `resolve`, this bears links that lead nowhere or in a circle."""
    return Path(os.path.realpath(path))


def holds(root: Path, name: str, module: str, endings: Sequence[str]) -> bool:
    """Tell whether a folder or a .zip archive of the project has a file in which Lambda would look for a handler.

    `module` is that file's path without one of the endings. What is no such folder or archive is not judged here.
    """
    source = root / name
    if _within(root, source) and source.is_dir():
        held = [file.relative_to(source).as_posix() for file in files.visible(source)]
    elif _within(root, source) and zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            held = archive.namelist()
    else:
        return True
    wanted = {module + ending for ending in endings}
    # The name of a binary module says besides which Python it is for.
    binary = tuple(ending for ending in endings if ending == ".so")
    return any(
        name in wanted or (name.startswith(f"{module}.") and name.endswith(binary)) for name in held
    )


def _too_large(found: Sequence[Path]) -> str:
    """Return what is wrong with the size of files that are packed together, or nothing.

    Only what may be too large is compressed, and in haste: it comes out some hundredths larger than what is uploaded.
    """
    unzipped = sum(file.stat().st_size for file in found)
    if unzipped > zips.UNZIPPED_LIMIT:
        return refused(f"must be at most {UNZIPPED} MB unzipped", _megabytes(unzipped))
    if unzipped <= zips.ZIPPED_LIMIT:
        return ""
    zipped = sum(len(zlib.compress(file.read_bytes(), 1)) for file in found)
    if zipped <= zips.ZIPPED_LIMIT:
        return ""
    return refused(f"must be at most {ZIPPED} MB zipped", _megabytes(zipped), f"zip it, {_BY_S3}")


def _megabytes(size: int) -> float:
    """Return a size in MB, rounded up: what is over a limit must not look as if it met it."""
    return math.ceil(size / _MEGABYTE * 100) / 100
