"""YAML as Pulumi's engine reads it (Go's yaml.v3), which differs from PyYAML where it hurts.

`yes` is a text, `0o17` is 15, `12:30` is a text, a key given twice is refused, and an unquoted date reaches the program
as `2026-01-01 00:00:00 +0000 UTC`, Go's way of printing a time.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
from typing import Any, ClassVar, Final

import yaml

from sandbox.errors import Mistake

_NULL: Final = {"", "~", "null", "Null", "NULL"}
_BOOL: Final = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_SPECIAL: Final = {
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGERS: Final = (
    (re.compile(r"[-+]?0[xX][0-9a-fA-F]+"), 16),
    (re.compile(r"[-+]?0[bB][01]+"), 2),
    (re.compile(r"[-+]?0[oO]?[0-7]+"), 8),
    (re.compile(r"[-+]?(0|[1-9][0-9]*)"), 10),
)
_TIME: Final = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:(?:([Tt])|[ ])(\d\d?):(\d\d?):(\d\d?)(?:\.(\d{1,9})\d*)?(Z|[-+]\d\d:\d\d)?)?"
)
_UNTAGGED: Final = "untagged"
_Parser: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class _Loader(_Parser):  # type: ignore[misc, valid-type]
    """Guesses no type: an untagged scalar keeps its text and style, so that `resolve` decides."""

    DEFAULT_SCALAR_TAG = _UNTAGGED
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


def load(text: str, name: str) -> Any:
    """The document in `text`; an empty one is None.

    Raises `Mistake` with `name` and the line for what is no YAML, a duplicate key or a second document.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}" if mark else ""
        raise Mistake(f"{name}{where}: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise Mistake(f"{name}: {str(error).splitlines()[0]}") from None
    return None if node is None else _node(node, name)


def _node(node: Any, name: str) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_node(inner, name) for inner in node.value]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, name)
    return _scalar(node)


def _mapping(node: Any, name: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if key_node.value == "<<" and not key_node.style:
            for inner in (
                value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            ):
                merged = {**_node(inner, name), **merged}
            continue
        if not isinstance(key_node, yaml.ScalarNode):
            raise Mistake(f"{name}:{line}: a key must be a text")
        key = text(_scalar(key_node))
        if key in made:
            raise Mistake(
                f"{name}:{line}: mapping key '{key}' already defined at line {lines[key]}"
            )
        made[key], lines[key] = _node(value_node, name), line
    return {**merged, **made}


def _scalar(node: Any) -> Any:
    """A quoted, block or `!!`-tagged text stays one, other tags are read like plain text."""
    if node.style or node.tag in ("!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:binary"):
        return node.value
    return resolve(node.value)


def resolve(value: str) -> Any:
    """What an unquoted scalar means to yaml.v3; times already in Go's print."""
    if value in _NULL:
        return None
    if value in _BOOL:
        return _BOOL[value]
    if value in _SPECIAL:
        return _SPECIAL[value]
    if value[0] not in "+-.0123456789":
        return value
    if (time := _time(value)) is not None:
        return time
    digits = value.replace("_", "")
    for pattern, base in _INTEGERS:
        if pattern.fullmatch(digits):
            return _integer(digits, base)
    return float(digits) if _FLOAT.fullmatch(digits) else value


def _integer(digits: str, base: int) -> int | float:
    sign = -1 if digits[0] == "-" else 1
    bare = digits.lstrip("+-")
    if base != 10:
        bare = bare[2:] if bare[1:2].lower() in ("x", "b", "o") else bare
    number = sign * int(bare or "0", base)
    return number if -(2**63) <= number < 2**64 else float(number)


def _time(value: str) -> str | None:
    match = _TIME.fullmatch(value)
    if match is None:
        return None
    year, month, day, mark, hour, minute, second, fraction, zone = match.groups()
    if hour is not None and bool(mark) != bool(zone):
        return None  # with a T a zone is needed, without one none is allowed
    try:
        date = dt.datetime(
            *(int(x or 0) for x in (year, month, day, hour, minute, second)), tzinfo=dt.UTC
        )
    except ValueError:
        return None
    offset = (
        "+0000 UTC"
        if zone in (None, "Z", "+00:00")
        else f"{zone.replace(':', '')} {zone.replace(':', '')}"
    )
    parts = f".{fraction.rstrip('0')}" if fraction and fraction.strip("0") else ""
    return f"{date:%Y-%m-%d %H:%M:%S}{parts} {offset}"


def text(value: Any) -> str:
    """A scalar as the engine hands it to the program: `true`, `256`, `1e+06` for a million written as a float."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    return str(value)


def _float(value: float) -> str:
    """Go's `strconv.FormatFloat(value, 'g', -1, 64)`: an exponent from a million on and below 0.0001."""
    if math.isnan(value) or math.isinf(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    sign, digits, shift = decimal.Decimal(repr(value)).normalize().as_tuple()
    exponent = len(digits) + int(shift) - 1 if value else 0
    minus, figures = "-" * sign, "".join(map(str, digits))
    if -4 <= exponent < 6:
        return minus + f"{decimal.Decimal((0, digits, shift)):f}"
    point = f".{figures[1:]}" if figures[1:] else ""
    return f"{minus}{figures[0]}{point}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"
