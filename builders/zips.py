"""Zip files for Lambda, the same bytes on every machine.

Entries are sorted, dated 1980 (the earliest that a zip file can say) and readable by everyone, as Lambda demands. The
container is written here and not by `zipfile`, because what comes compressed from a wheel is taken over as it is. The
rest is stored: zlib's output differs between its builds, and with it the hash of the archive.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from builders import fingerprint
from builders.errors import BuildError

ZIPPED_LIMIT: Final = 52_428_800
"""Bytes of an archive that is uploaded with the call itself (AWS: Lambda quotas, 50 MB)."""

UNZIPPED_LIMIT: Final = 262_144_000
"""Bytes of a function's code and all its layers together, unzipped (AWS: Lambda quotas, 250 MB)."""

FILE: Final = 0o644
PROGRAM: Final = 0o755

_MEGABYTE: Final = 1_048_576
_DATE: Final = (1 << 5) | 1
"""1 January 1980 as a zip file writes it: day 1, month 1, no years; its time of day is 0."""

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_STORED, _DEFLATED = 0, 8
_VERSION: Final = 20
_UNIX: Final = 3 << 8
_REGULAR: Final = 0o100000
_UTF8: Final = 1 << 11


class Deflated(NamedTuple):
    """Content as a raw deflate stream, with what a zip file says of it."""

    stream: bytes
    crc: int
    size: int


class File(NamedTuple):
    """A file of an archive: its content, and 0o644 or 0o755 where it is to be executed."""

    data: bytes | Deflated
    mode: int = FILE


class Sizes(NamedTuple):
    """Bytes of an archive, zipped and unzipped."""

    zipped: int
    unzipped: int


def write(archive: Path, files: Mapping[str, File]) -> None:
    """Write a zip file: beside its place first, then moved there in one step, so that nobody reads half of it.

    What `fingerprint.outdated` finds beside it goes. Raises BuildError for a name that would leave the archive or that
    is a file and a folder at once, and naming limit, size and remedy where Lambda would not take it in a direct upload.
    """
    content = pack(files)
    _refuse_larger(archive.name, Sizes(len(content), sum(_size(file) for file in files.values())))
    archive.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=archive.parent, prefix=f".{archive.name}-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        Path(draft).chmod(FILE)
        Path(draft).replace(archive)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    for old in fingerprint.outdated(archive):
        old.unlink(missing_ok=True)


def pack(files: Mapping[str, File]) -> bytes:
    """The zip file's bytes. Raises BuildError as `write` does, and for more than the format can count."""
    _refuse_wrong_names(files)
    try:
        return _packed(files)
    except struct.error:
        raise BuildError(
            "a zip file holds at most 65,535 files and 4 GB; take a dependency out"
        ) from None


def _packed(files: Mapping[str, File]) -> bytes:
    body, directory = bytearray(), bytearray()
    for encoded, file in sorted((name.encode(), file) for name, file in files.items()):
        stream, method, crc, size = _described(file.data)
        flags = 0 if encoded.isascii() else _UTF8
        shared = (flags, method, 0, _DATE, crc, len(stream), size, len(encoded), 0)
        central = (b"PK\x01\x02", _UNIX | _VERSION, _VERSION, *shared, 0, 0, 0)
        directory += _CENTRAL.pack(*central, (_REGULAR | file.mode) << 16, len(body)) + encoded
        body += _LOCAL.pack(b"PK\x03\x04", _VERSION, *shared) + encoded + stream
    count = len(files)
    end = _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)


def _described(data: bytes | Deflated) -> tuple[bytes, int, int, int]:
    """What stands in the zip file, by which method, its checksum, and its size unzipped."""
    if isinstance(data, Deflated):
        return data.stream, _DEFLATED, data.crc, data.size
    return data, _STORED, zlib.crc32(data), len(data)


def _refuse_wrong_names(files: Mapping[str, File]) -> None:
    for name in files:
        refuse_outside(name)
        for folder in _folders(name):
            if folder in files:
                raise BuildError(f"{folder}: is a file, and a folder of {name}")


def _folders(name: str) -> Iterator[str]:
    parts = name.split("/")
    for length in range(1, len(parts)):
        yield "/".join(parts[:length])


def refuse_outside(name: str) -> None:
    """Refuse a name that could lead out of the folder it is unpacked in. Raises BuildError."""
    parts = name.split("/")
    if not name or {"", ".", ".."} & set(parts) or any(c in name for c in "\\\0:\r\n"):
        raise BuildError(f"{name!r}: not a file's name inside of an archive")


def read(archive: Path) -> Iterator[tuple[zipfile.ZipInfo, bytes | Deflated]]:
    """Every file of a zip file, as its own compressed stream where it has one; no decompression.

    Raises BuildError for what is no zip file or holds a link.
    """
    try:
        with zipfile.ZipFile(archive) as source, archive.open("rb") as raw:
            for entry in source.infolist():
                if (entry.external_attr >> 28) == 0o12:
                    raise BuildError(f"{archive.name}: {entry.filename}: is a link")
                if not entry.is_dir():
                    yield entry, _stream(entry, raw.fileno()) or source.read(entry)
    except zipfile.BadZipFile:
        raise BuildError(f"{archive.name}: not a zip file") from None


def _stream(entry: zipfile.ZipInfo, handle: int) -> Deflated | None:
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        return None
    os.lseek(handle, entry.header_offset, os.SEEK_SET)
    header = _LOCAL.unpack(os.read(handle, _LOCAL.size))
    os.lseek(handle, header[-2] + header[-1], os.SEEK_CUR)
    return Deflated(os.read(handle, entry.compress_size), entry.CRC, entry.file_size)


def sizes(archive: Path) -> Sizes:
    """Bytes of a zip file, zipped and unzipped. Raises BuildError where it cannot be read."""
    try:
        with zipfile.ZipFile(archive) as source:
            unzipped = sum(entry.file_size for entry in source.infolist())
        return Sizes(archive.stat().st_size, unzipped)
    except (OSError, zipfile.BadZipFile) as error:
        raise BuildError(f"{archive}: not a zip file that can be read ({error})") from None


def _refuse_larger(name: str, found: Sizes) -> None:
    if found.unzipped > UNZIPPED_LIMIT:
        raise BuildError(
            f"{name}: must be at most {megabytes(UNZIPPED_LIMIT)} unzipped, with all layers (got "
            f"{megabytes(found.unzipped)}); take a dependency out, or deploy the function as an image (image_uri)"
        )
    if found.zipped > ZIPPED_LIMIT:
        raise BuildError(
            f"{name}: must be at most {megabytes(ZIPPED_LIMIT)} to be uploaded directly (got "
            f"{megabytes(found.zipped)}); take a dependency out, or upload through S3: a function's s3_bucket and "
            "s3_key, a layer's ARN in layers"
        )


def _size(file: File) -> int:
    return file.data.size if isinstance(file.data, Deflated) else len(file.data)


def megabytes(size: int) -> str:
    """A number of bytes as messages say it, e.g. "50.05 MB"; Lambda's megabyte is 1,048,576 bytes."""
    return f"{size / _MEGABYTE:.4g} MB"
