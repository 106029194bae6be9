"""Folders and archives that a stack file names: are they there, and would Lambda take them?"""

import math
from pathlib import Path
from typing import Final

from builders import BuildError, zips
from settings.text import refused

_MEGABYTE: Final = 1 << 20

ZIPPED: Final = zips.ZIPPED_LIMIT // _MEGABYTE
"""Megabytes of an archive that Lambda takes directly."""

UNZIPPED: Final = zips.UNZIPPED_LIMIT // _MEGABYTE
"""Megabytes of an archive once unzipped, its layers included."""


def wrong_archive(root: Path, name: str) -> str:
    """Return what is wrong with a ready .zip below the project's folder, or nothing."""
    path = root / name
    if Path(name).is_absolute() or not path.is_file():
        return refused("must be a file, by its path from the project's folder", name)
    try:
        found = zips.sizes(path)
    except BuildError:
        return refused("must be a .zip archive", name)
    if found.zipped > zips.ZIPPED_LIMIT:
        remedy = "upload it to S3 and name s3_bucket and s3_key"
        return refused(f"must be at most {ZIPPED} MB", _megabytes(found.zipped), remedy)
    if found.unzipped > zips.UNZIPPED_LIMIT:
        return refused(f"must be at most {UNZIPPED} MB unzipped", _megabytes(found.unzipped))
    return "" if found.unzipped else refused("must be an archive that holds code", name)


def _megabytes(size: int) -> float:
    """Return a size in MB, rounded up: what is over a limit must not look as if it met it."""
    return math.ceil(size / _MEGABYTE * 100) / 100


def wrong_folder(root: Path, name: str, marker: str) -> str:
    """Return what is wrong with a folder of code, or nothing; one that holds a `marker` is not built yet."""
    path = root / name
    if Path(name).is_absolute() or not path.is_dir():
        return refused("must be a folder, by its path from the project's folder", name)
    if marker and any(path.glob(marker)):
        return refused("must be a folder of built code, not of its sources", name, "build it first")
    return "" if any(path.iterdir()) else refused("must be a folder that holds code", name)
