"""Deployment packages: Pulumi archives as zip files that are the same bytes for the same content.

Neither the order in which files were named, nor their times, nor their modes, nor where they lie matters: entries are
sorted, dated 1980 (the earliest a zip can say) and readable by everyone, as Lambda demands.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pulumi

_DATE: Final = (1980, 1, 1, 0, 0, 0)
_FILE_MODE: Final = 0o100644 << 16
_SCRIPT_MODE: Final = 0o100755 << 16
_UNIX: Final = 3

_turns: dict[str, threading.Lock] = {}
"""One lock for each archive of a cache: resources are made in many threads."""

Files = Mapping[str, bytes]
"""Names with forward slashes, relative, to content."""


def built_once(kept: Path, build: Callable[[Path], None]) -> bytes:
    """The archive `kept` of a cache, made by `build` where it is not there yet; its outdated namesakes go."""
    from builders import fingerprint

    with _turns.setdefault(str(kept), threading.Lock()):
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            # Two sandboxes may build the same archive side by side: each puts its own whole file in place.
            with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
                draft = Path(scratch) / kept.name
                build(draft)
                draft.replace(kept)
            for old in fingerprint.outdated(kept):
                old.unlink(missing_ok=True)
        return kept.read_bytes()


def zip_bytes(archive: Any) -> bytes:
    """The zip file of a Pulumi archive; a ready zip file is passed on as it is.

    Raises ValueError for an archive that lies elsewhere than on this machine, FileNotFoundError with its path.
    """
    if isinstance(archive, pulumi.FileArchive) and zipfile.is_zipfile(archive.path):
        return Path(archive.path).read_bytes()
    return make_zip(files_of(archive))


def content_hash(archive: Any) -> str:
    """SHA-256 (hex) over names and content: equal for archives that would run alike."""
    total = hashlib.sha256()
    for name, content in sorted(files_of(archive).items()):
        total.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()


def make_zip(files: Files) -> bytes:
    """A zip file of `files`, by the rules of this module."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = _UNIX
            # An archive of Pulumi's keeps no modes: what starts with `#!` would not start without this one.
            entry.external_attr = _SCRIPT_MODE if content.startswith(b"#!") else _FILE_MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return held.getvalue()


def files_of(asset: Any) -> dict[str, bytes]:
    """Every file of an archive by its name inside."""
    return dict(_files(asset, ""))


def _files(asset: Any, prefix: str) -> Iterator[tuple[str, bytes]]:
    if isinstance(asset, pulumi.AssetArchive):
        for name, inner in asset.assets.items():
            yield from _files(inner, f"{prefix}/{name}" if prefix else name)
    elif isinstance(asset, pulumi.StringAsset):
        yield prefix, asset.text.encode()
    elif isinstance(asset, pulumi.FileAsset):
        yield prefix, Path(asset.path).read_bytes()
    elif isinstance(asset, pulumi.FileArchive):
        yield from _packed(Path(asset.path), prefix)
    else:
        place = getattr(asset, "uri", asset)
        raise ValueError(f"a sandbox reads code from this machine only, not from {place}")  # noqa: TRY004 - the user's


def _packed(path: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    """What a folder, a zip or a tar file holds."""
    start = f"{prefix}/" if prefix else ""
    read = _folder if path.is_dir() else _zip if zipfile.is_zipfile(path) else _tar
    for name, content in read(path):
        yield start + name, content


def _folder(path: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(path.rglob("*")):
        if file.is_file():
            yield file.relative_to(path).as_posix(), file.read_bytes()


def _zip(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as source:
        for name in source.namelist():
            if not name.endswith("/"):
                yield name, source.read(name)


def _tar(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as source:
        for member in source.getmembers():
            if (held := source.extractfile(member)) is not None:
                yield PurePosixPath(member.name).as_posix(), held.read()
