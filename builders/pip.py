"""Wheels from a package index, by pip: it knows indexes, mirrors, proxies and credentials."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from builders.errors import BuildError
from builders.locks import Pin

_MACHINES: Final = {"arm64": "aarch64", "x86_64": "x86_64"}

_GLIBC_MINORS: Final = (34, 31, 28, 27, 26, 24, 17)
"""Amazon Linux 2023 has glibc 2.34; pip takes each tag literally, so every older one is named too."""

_OLDER: Final = {"python3.11": 26}
"""Runtime -> minor of its glibc: up to Python 3.11 Lambda runs Amazon Linux 2 (Lambda developer guide, runtimes)."""

_SECONDS: Final = 600
"""Longest wait for pip; a large native wheel takes a minute over a slow line."""

_UNREACHABLE: Final = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Connection refused"
)


def target(runtime: str, architecture: str) -> list[str]:
    """The words by which pip finds wheels for Lambda's Python on one of its processors."""
    machine = _MACHINES[architecture]
    newest = _OLDER.get(runtime, _GLIBC_MINORS[0])
    minors = [minor for minor in _GLIBC_MINORS if minor <= newest]
    platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in minors]
    version = runtime.removeprefix("python")
    words = ["--implementation=cp", f"--python-version={version}", *platforms]
    return [*words, f"--platform=manylinux2014_{machine}"]


def download(pins: Iterable[Pin], folder: Path, words: Sequence[str], *, place: str) -> list[Path]:
    """Fetch each pin's wheel into `folder`, checked by hash; its files by name.

    Raises BuildError with one line, beginning with `place`, where pip is missing or does not succeed.
    """
    folder.mkdir(parents=True)
    lock = folder.with_suffix(".txt")
    lines = (f"{pin} " + " ".join(f"--hash={h}" for h in pin.hashes) for pin in pins)
    lock.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--require-hashes", "--only-binary=:all:", *words]
    command += [f"--dest={os.fspath(folder)}", f"--requirement={os.fspath(lock)}"]
    try:
        done = subprocess.run(  # noqa: S603 - pip, our own words
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"{place}: pip did not finish within {_SECONDS} s") from None
    if done.returncode:
        raise BuildError(f"{place}: {_reason(done.stderr)}")
    return sorted(folder.iterdir())


def _reason(said: str) -> str:
    """One line of what pip says in many."""
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if "ERROR: " in line]
    if "No module named pip" in said:
        return f"this Python has no pip; `{sys.executable} -m ensurepip` installs it"
    if "DO NOT MATCH THE HASHES" in said:
        named = re.search(r"^\s+(\S+==\S+)", said, re.MULTILINE)
        package = named[1] if named else "a package"
        return (
            f"{package}: the file's hash is none of the locked ones; someone may have changed it "
            "(`make lock` after a wanted change)"
        )
    if _UNREACHABLE.search(said):
        return (
            "the package index cannot be reached (a first build needs the network or PIP_INDEX_URL)"
        )
    missing = re.search(r"No matching distribution found for (\S+)", said)
    if missing:
        return f"{missing[1]}: no wheel for this runtime and architecture with a locked hash"
    return (errors or said.strip().splitlines() or ["pip failed without a word"])[0]
