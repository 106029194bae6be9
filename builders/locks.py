"""Lock files of Python packages: exact versions with hashes, and what of them one target needs."""

from __future__ import annotations

import ast
import operator
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from builders.errors import BuildError

_PIN: Final = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[\w,. -]*\])?==(?P<version>[\w.+!]+)\s*"
    r"(?:;(?P<marker>.*?))?(?P<hashes>(?:\s*--hash=sha256:[0-9a-f]{64})*)"
)
_HASH: Final = re.compile(r"--hash=(\S+)")


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


def read(requirements: Path, target: Mapping[str, str]) -> list[Pin]:
    """The pins of a lock whose markers hold for a target (PEP 508 variables to values)."""
    try:
        text = requirements.read_text(encoding="utf-8")
    except OSError as error:
        raise BuildError(f"{shown(requirements)}: {error.strerror}") from None
    pins: list[Pin] = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        content = line.split(" #")[0].strip()
        if not content or content.startswith("#"):
            continue
        found = _PIN.fullmatch(content)
        if found is None or not found["hashes"]:
            raise BuildError(
                f"{shown(requirements)}: {content.split(' --')[0]}: must be name==version with hashes; `make lock` "
                "writes them"
            )
        if holds(found["marker"] or "", target, requirements):
            hashes = tuple(_HASH.findall(found["hashes"]))
            pins.append(Pin(found["name"], found["version"], hashes))
    return pins


def shown(requirements: Path) -> str:
    """A lock as messages name it: layers/<name>/requirements.txt."""
    return "/".join(requirements.absolute().parts[-3:])


def holds(marker: str, target: Mapping[str, str], requirements: Path) -> bool:
    """Whether a marker is true for a target. Raises BuildError for one that cannot be read.

    PEP 508's markers are Python's expressions but for `~=` and `===`, which locks do not have.
    """
    if not marker.strip():
        return True
    try:
        return _holds(ast.parse(marker.strip(), mode="eval").body, target)
    except (SyntaxError, KeyError, TypeError, ValueError):
        raise BuildError(
            f"{shown(requirements)}: the marker {marker.strip()!r} cannot be judged for Lambda"
        ) from None


def _holds(node: ast.expr, target: Mapping[str, str]) -> bool:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_holds(value, target) for value in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_holds(value, target) for value in values)
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            one, other = _value(left, target), _value(right, target)
            if {"python_version", "python_full_version"} & {_name(left), _name(right)}:
                return _ORDERS[type(sign)](*_versions(one, other))
            return _SIGNS[type(sign)](one, other)
        case _:
            raise ValueError


_Comparison = Callable[[Any, Any], bool]

_ORDERS: Final[dict[type[ast.cmpop], _Comparison]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_SIGNS: Final[dict[type[ast.cmpop], _Comparison]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda part, whole: part in whole,
    ast.NotIn: lambda part, whole: part not in whole,
}


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _value(node: ast.expr, target: Mapping[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return target[name]
        case ast.Constant(value=str(text)):
            return text
        case _:
            raise ValueError


def _versions(one: str, other: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of two versions, equally many of them; `3.13.*` makes both as short as it is."""
    if other.endswith(".*"):
        wanted = _numbers(other.removesuffix(".*"))
        return _numbers(one)[: len(wanted)], wanted
    first, second = _numbers(one), _numbers(other)
    size = max(len(first), len(second))
    return first + (0,) * (size - len(first)), second + (0,) * (size - len(second))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def this_machine() -> dict[str, str]:
    """The target that this Python is."""
    major, minor, patch = sys.version_info[:3]
    return {
        "python_version": f"{major}.{minor}",
        "python_full_version": f"{major}.{minor}.{patch}",
        "sys_platform": sys.platform,
        "platform_system": platform.system(),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "implementation_name": sys.implementation.name,
        "platform_python_implementation": platform.python_implementation(),
    }
