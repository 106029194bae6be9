"""Folders and archives that a stack file names: are they there, and would Lambda take them?"""

import zipfile
from pathlib import Path
from typing import Final

from settings.text import refused

ZIPPED: Final = 52_428_800
"""Bytes of an archive that Lambda takes directly. Source: Lambda quotas."""

UNZIPPED: Final = 262_144_000
"""Bytes of an unpacked archive, its layers included. Source: Lambda quotas."""


def wrong_archive(root: Path, name: str) -> str:
    """Return what is wrong with a ready .zip below the project's folder, or nothing."""
    path = root / name
    if Path(name).is_absolute() or not path.is_file():
        return refused("must be a file, by its path from the project's folder", name)
    size = path.stat().st_size
    if size > ZIPPED:
        what = f"must be at most 50 MB, {ZIPPED} bytes"
        return refused(what, size, "upload it to S3 and name s3_bucket and s3_key")
    try:
        with zipfile.ZipFile(path) as archive:
            unzipped = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile:
        return refused("must be a .zip archive", name)
    if unzipped > UNZIPPED:
        return refused(f"must be at most 250 MB unpacked, {UNZIPPED} bytes", unzipped)
    return "" if unzipped else refused("must be an archive that holds code", name)


def wrong_folder(root: Path, name: str, marker: str) -> str:
    """Return what is wrong with a folder of code, or nothing; one that holds a `marker` is not built yet."""
    path = root / name
    if Path(name).is_absolute() or not path.is_dir():
        return refused("must be a folder, by its path from the project's folder", name)
    if marker and any(path.glob(marker)):
        return refused("must be a folder of built code, not of its sources", name, "build it first")
    return "" if any(path.iterdir()) else refused("must be a folder that holds code", name)
