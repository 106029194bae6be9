"""Which files of a folder are deployed."""

from __future__ import annotations

from pathlib import Path


def visible(folder: Path) -> list[Path]:
    """A folder's files in order, without hidden ones (`.env`, `.git` never leave the machine) and Python's caches.

    A cache in an archive would change its hash with every run of the tests.
    """
    found = ((file, file.relative_to(folder).parts) for file in folder.rglob("*") if file.is_file())
    return sorted(
        file
        for file, parts in found
        if not any(part == "__pycache__" or part.startswith(".") for part in parts)
    )
