"""Members of a JSON body, checked one by one so that an answer names every wrong one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Check = Callable[[Any], Any]

_LONGEST_NAME = 50  # characters of an unknown member's name that are repeated in an answer

# Control characters hide in lists and logs and are refused; a text of several lines may have tabs
# and line ends.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
CONTROL_IN_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Half of a surrogate pair is no character: it cannot be written as UTF-8, and DynamoDB refuses it.
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Refused(Exception):
    """A member's value is wrong; the text goes on from the member's name: "must be text"."""


def read(
    body: Mapping[str, Any], checks: Mapping[str, Check], required: Iterable[str], *, noun: str
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The members that passed their checks, and the errors of a Problem: unknown members first,
    then wrong ones, then missing ones. `noun` completes "is not a member of".
    """
    errors = [
        {"pointer": _pointer(name), "detail": f"is not a member of {noun}"}
        for name in body
        if name not in checks
    ]
    values: dict[str, Any] = {}
    for name, check in checks.items():
        try:
            if name in body:
                values[name] = check(body[name])
        except Refused as refused:
            errors.append({"pointer": f"/{name}", "detail": str(refused)})
    missing = [name for name in required if name not in body]
    errors += [{"pointer": f"/{name}", "detail": "is required"} for name in missing]
    return values, errors


def text(
    value: object, *, longest: int, control: re.Pattern[str] = CONTROL, blank: bool = False
) -> str:
    """A text as it was sent, nothing trimmed. `longest` counts Unicode characters, as JSON Schema
    does.

    Raises Refused for anything else, for characters of `control`, for half of a surrogate pair
    and, unless `blank` is allowed, for a text of spaces.
    """
    if not isinstance(value, str):
        raise Refused("must be text")
    if len(value) > longest:
        raise Refused(f"must have at most {longest} characters")
    if not blank and not value.strip():
        raise Refused("must not be blank")
    if control.search(value):
        raise Refused("must not contain control characters")
    if _SURROGATE.search(value):
        raise Refused("must be valid Unicode")
    return value


def _pointer(name: str) -> str:
    shown = name[:_LONGEST_NAME].encode(errors="replace").decode()
    return "/" + shown.replace("~", "~0").replace("/", "~1")
