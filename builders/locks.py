"""Lock files of Python packages: exact versions with hashes, and what of them one target needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.markers import Marker, UndefinedComparison
from packaging.requirements import Requirement

from builders.errors import BuildError

_HASH: Final = re.compile(r"\s--hash=(sha256:[0-9a-f]{64})(?!\S)")


@dataclass(frozen=True)
class Pin:
    """A package in one version; `hashes` as pip writes them, `sha256:...`."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def for_lambda(requirements: Path, *, runtime: str, architecture: str) -> list[Pin]:
    """What Lambda's Python needs of a lock. Raises BuildError for a line that is no pin with hashes.

    Markers are judged here because pip judges them for the Python that runs it, whatever target it is given.
    """
    minor = runtime.removeprefix("python")
    target = {
        "python_version": minor,
        # Lambda keeps to the latest patch, whose number is not known here.
        "python_full_version": f"{minor}.99",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": {"arm64": "aarch64"}.get(architecture, architecture),
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    return read(requirements, target)


def read(requirements: Path, target: Mapping[str, str] | None = None) -> list[Pin]:
    """The pins of a lock whose markers hold for a target (PEP 508 variables to values), else for this Python."""
    try:
        text = requirements.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BuildError(f"{shown(requirements)}: {reason}") from None
    lines = (line.split(" #")[0].strip() for line in re.sub(r"\\\n", " ", text).splitlines())
    found = (_pin(line, requirements) for line in lines if line and not line.startswith("#"))
    return [pin for pin, marker in found if _holds(marker, target, requirements)]


def shown(requirements: Path) -> str:
    """A lock as messages name it: layers/<name>/requirements.txt."""
    return "/".join(requirements.absolute().parts[-3:])


def _pin(line: str, requirements: Path) -> tuple[Pin, Marker | None]:
    hashes = tuple(_HASH.findall(line))
    try:
        wanted = Requirement(_HASH.sub("", line))
        (exact,) = wanted.specifier
    except ValueError:
        exact = wanted = None
    if exact and wanted and hashes and exact.operator == "==" and "*" not in exact.version:
        return Pin(wanted.name, exact.version, hashes), wanted.marker
    raise BuildError(
        f"{shown(requirements)}: {line.partition(' --')[0]}: must be name==version with hashes; `make lock` writes them"
    )


def _holds(marker: Marker | None, target: Mapping[str, str] | None, requirements: Path) -> bool:
    try:
        return marker is None or marker.evaluate(dict(target or {}))
    except UndefinedComparison:
        raise BuildError(
            f"{shown(requirements)}: the marker '{marker}' cannot be judged for Lambda"
        ) from None
