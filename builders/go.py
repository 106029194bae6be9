"""A function written in Go: one static program named `bootstrap`, the same bytes from every folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from builders import elf, files, fingerprint, zips
from builders.errors import BuildError

_MACHINES: Final = {"arm64": "arm64", "x86_64": "amd64"}
_TOOLCHAIN: Final = re.compile(r"^toolchain\s+(go[\w.]+)", re.MULTILINE)
_SECONDS: Final = 600
"""Longest wait for a build; the first one compiles Go's own library and fetches modules."""

_SETTINGS: Final = {
    "CGO_ENABLED": "0",
    "GOOS": "linux",
    # The oldest processor of each kind: Lambda does not say which one it has.
    "GOAMD64": "v1",
    "GOARM64": "v8.0",
    # What a developer's own settings would add to the program.
    "GOFLAGS": "",
    "GOEXPERIMENT": "",
    "GOWORK": "off",
    "GO111MODULE": "on",
}


def toolchain() -> str | None:
    """The version of Go on PATH, e.g. "go1.26.8"; None where there is none."""
    if shutil.which("go") is None:
        return None
    done = subprocess.run(["go", "version"], capture_output=True, text=True, check=False)  # noqa: S607
    found = re.search(r"go version (\S+)", done.stdout)
    return found[1] if found else None


def sources(source: Path) -> list[Path]:
    """What a module's program is made of: all files of its folder but tests, test data and hidden ones."""
    return [
        file
        for file in files.visible(source)
        if not file.name.endswith("_test.go") and "testdata" not in file.relative_to(source).parts
    ]


def archive_name(source: Path, architecture: str) -> str:
    """`<folder>-<architecture>-<mark>.zip`: another one when what the program is made of changes."""
    mark = fingerprint.of(sources(source), architecture, by=(sys.modules[__name__], files, zips))
    return f"{source.name}-{architecture}-{mark}.zip"


def build(source: Path, archive: Path, *, architecture: str, exact: bool = True) -> None:
    """Compile the module in `source` for Lambda's `provided.al2023` and zip it.

    A `toolchain` line in go.mod names the exact compiler: another version makes other bytes, so Go fetches that one
    unless GOTOOLCHAIN says otherwise. With `exact=False` the Go that is here will do, without a download. Raises
    BuildError where Go is missing or does not succeed.
    """
    place = f"{source.parent.name}/{source.name}"
    if shutil.which("go") is None:
        raise BuildError(
            f"{place}: Go is needed to build it and is not on PATH; install it (https://go.dev/dl), or switch the "
            f"function off: functions.{source.name.replace('_', '-')}.enabled: false"
        )
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch, "bootstrap")
        toolchain = _exact_toolchain(source) if exact else {"GOTOOLCHAIN": "local"}
        _compile(source, program, place, {**toolchain, "GOARCH": _MACHINES[architecture]})
        data = program.read_bytes()
    elf.check(f"{place}: bootstrap", data, architecture)
    zips.write(archive, {"bootstrap": zips.File(data, zips.PROGRAM)})


def _compile(source: Path, program: Path, place: str, target: Mapping[str, str]) -> None:
    command = ["go", "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc"]
    command += ["-ldflags=-s -w -buildid=", "-o", str(program), "."]
    environment = {**target, **os.environ, **_SETTINGS, "GOARCH": target["GOARCH"]}
    try:
        done = subprocess.run(  # noqa: S603 - Go, our own words
            command,
            cwd=source,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"{place}: Go did not finish within {_SECONDS} s") from None
    if done.returncode:
        # "# example.com/module" only says which package the next lines are about.
        lines = [line for line in done.stderr.splitlines() if line.strip() and line[0] != "#"]
        raise BuildError(f"{place}: {lines[0].strip() if lines else 'Go failed without a word'}")


def _exact_toolchain(source: Path) -> dict[str, str]:
    try:
        named = _TOOLCHAIN.search((source / "go.mod").read_text(encoding="utf-8"))
    except OSError:
        raise BuildError(f"{source.parent.name}/{source.name}: has no go.mod") from None
    return {"GOTOOLCHAIN": named[1]} if named else {}
