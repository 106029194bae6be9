"""A layer of Python packages: hashed wheels for Lambda's machines, taken apart into one zip file without Docker.

Wheels are zip files already. Their entries are taken over compressed as they are, so the layer is a function of the
locked hashes alone: no folder, umask, date or zlib of this machine can enter it, and nothing is compressed twice.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from builders import bytecode, elf, locks, pip, zips
from builders.errors import BuildError
from builders.locks import Pin
from builders.zips import Deflated, File

SHIPPED: Final = frozenset(
    ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "urllib3", "six")
)
"""What Lambda's Python has besides the standard library (AWS: "Runtime-included SDK versions")."""

_RECORDS: Final = {
    "RECORD",
    "RECORD.jws",
    "RECORD.p7s",
    "INSTALLER",
    "REQUESTED",
    "direct_url.json",
}
_FOLDER: Final = "python"
"""Where in a layer Python looks for packages; Lambda unpacks it to /opt/python."""


def build(
    requirements: Path,
    archive: Path,
    *,
    runtime: str,
    architecture: str,
    compile: bool = False,  # noqa: A002 - as the setting is called
) -> None:
    """Build a layer for a runtime, e.g. "python3.13", on "arm64" or "x86_64"; with `compile`, bytecode in it.

    Raises BuildError with one line where a pin has no hash, a wheel is missing, has another hash or is for another
    processor, two packages disagree about a file, the result is too large, or this Python cannot make the bytecode.
    """
    if compile:
        _refuse_another_python(requirements, runtime)
    pins = _needed(locks.for_lambda(requirements, runtime=runtime, architecture=architecture))
    with tempfile.TemporaryDirectory() as scratch:
        place = f"{locks.shown(requirements)} ({runtime}, {architecture})"
        words = pip.target(runtime, architecture)
        found = pip.download(pins, Path(scratch, "wheels"), words, place=place) if pins else []
        files = _files(found)
        for name, file in files.items():
            elf.check(f"{place}: {name}", _start(file), architecture)
    if compile:
        files.update(_bytecode(files))
    zips.write(archive, files)


def build_here(requirements: Path) -> bytes:
    """The same layer for the Python that runs here; not the same bytes everywhere, and without a limit of its size.

    Packages that this environment holds in the very version are copied: that takes neither network nor time. Raises
    BuildError with one line where pip is missing or does not succeed.
    """
    pins = _needed(locks.read(requirements))
    files = _present(pins)
    if files is None:
        with tempfile.TemporaryDirectory() as scratch:
            place = locks.shown(requirements)
            files = _files(pip.download(pins, Path(scratch, "wheels"), (), place=place))
    return zips.pack(
        {name: file._replace(data=_quickly(file.data)) for name, file in files.items()}
    )


def _quickly(data: bytes | Deflated) -> Deflated:
    if isinstance(data, Deflated):
        return data
    return Deflated(zlib.compress(data, level=1, wbits=-15), zlib.crc32(data), len(data))


def _needed(pins: Iterable[Pin]) -> list[Pin]:
    return [pin for pin in pins if canonicalize_name(pin.name) not in SHIPPED]


def _refuse_another_python(requirements: Path, runtime: str) -> None:
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if here != runtime:
        raise BuildError(
            f"{locks.shown(requirements)}: bytecode for {runtime} is made by Python {runtime.removeprefix('python')} "
            f"only, and this is {here}; run Pulumi in an environment of that version, or set packaging.compile: false"
        )


def _files(wheels: Iterable[Path]) -> dict[str, File]:
    """The files of all wheels as they lie in the layer; equal files of two wheels are one."""
    files: dict[str, File] = {}
    owners: dict[str, str] = {}
    for wheel in wheels:
        for name, file in _unpacked(wheel):
            if name in files and _content(files[name]) != _content(file):
                raise BuildError(
                    f"{name}: {owners[name]} and {wheel.name} hold different files of this name"
                )
            files[name], owners[name] = file, wheel.name
    return files


def _unpacked(wheel: Path) -> Iterator[tuple[str, File]]:
    """A wheel's files where pip would put them, but for those that Lambda has no use for."""
    for entry, data in zips.read(wheel):
        name = _installed(entry.filename)
        if name and _kept(name):
            zips.refuse_outside(name)
            mode = zips.PROGRAM if entry.external_attr >> 16 & 0o111 else zips.FILE
            yield f"{_FOLDER}/{name}", File(data, mode)


def _installed(name: str) -> str | None:
    """Where pip puts an entry: `<package>.data/` sorts its files by their use, scripts and headers among them."""
    top, _, rest = name.partition("/")
    if not top.endswith(".data"):
        return name
    use, _, inside = rest.partition("/")
    return inside if use in {"purelib", "platlib", "data"} else None


def _kept(name: str) -> bool:
    """Licences and METADATA stay, as do type stubs: some packages read theirs when they are imported."""
    *folders, file = name.split("/")
    if "tests" in folders or "__pycache__" in folders or folders[:1] == ["bin"]:
        return False
    return not (file.endswith(".pyc") or (file in _RECORDS and _is_record(folders)))


def _is_record(folders: list[str]) -> bool:
    return len(folders) == 1 and folders[0].endswith(".dist-info")


def _start(file: File) -> bytes:
    if isinstance(file.data, Deflated):
        return zlib.decompressobj(-15).decompress(file.data.stream, elf.HEADER)
    return file.data[: elf.HEADER]


def _content(file: File) -> bytes:
    return zlib.decompress(file.data.stream, -15) if isinstance(file.data, Deflated) else file.data


def _bytecode(files: dict[str, File]) -> dict[str, File]:
    sources = {name: _content(file) for name, file in files.items() if name.endswith(".py")}
    try:
        made = bytecode.compiled(sources, below="/opt")
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said: bytes = error.stderr or b"it did not finish"
        reason = said.decode(errors="replace").splitlines()[-1]
        raise BuildError(
            f"bytecode: Python cannot compile the packages ({reason}); packaging.compile: false does without"
        ) from None
    return {name: File(data) for name, data in made.items()}


def _present(pins: Iterable[Pin]) -> dict[str, File] | None:
    """The files of these packages where this environment holds every one in the very version; else None."""
    files: dict[str, File] = {}
    for pin in pins:
        found = next(iter(metadata.distributions(name=pin.name)), None)
        # Not `found.files`: newer versions of Python leave out of it what is missing.
        record = found.read_text("RECORD") if found else None
        if found is None or found.version != pin.version or not record:
            return None
        for name in (row[0] for row in csv.reader(record.splitlines()) if row):
            source = Path(str(found.locate_file(name)))
            if ".." in name.split("/") or not _kept(name):
                continue
            if not source.is_file():
                return None
            files[f"{_FOLDER}/{name}"] = File(source.read_bytes())
    return files
