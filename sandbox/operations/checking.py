"""What services refuse of what is sent to them, where the emulator takes it: one line each, and exit code 2.

Sources: SQS developer guide, "Amazon SQS message metadata"; SNS API reference of Publish; EventBridge API reference of
PutEvents.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sandbox.errors import Mistake

_NAME: Final = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
_RESERVED: Final = ("aws.", "amazon.")
_TYPES: Final = ("String", "Number", "Binary")
_OF_A_TOPIC: Final = "String.Array"
_MOST_OF_A_MESSAGE: Final = 10
_MOST_DIGITS: Final = 38
_LONGEST_SUBJECT: Final = 100


def attributes(given: Mapping[str, str], *, topic: bool = False) -> dict[str, dict[str, Any]]:
    """Message attributes as the services take them: `{"total:Number": "5"}` is a number, without a type it is text.

    `Binary` is written in Base64; a topic also takes `String.Array`. Raises `Mistake`.
    """
    made: dict[str, dict[str, Any]] = {}
    for written, value in given.items():
        name, _, kind = written.partition(":")
        if not _NAME.fullmatch(name) or name.lower().startswith(_RESERVED):
            raise Mistake(
                f"--attribute {written}: a name has 1 to 256 of A-Z a-z 0-9 _ - and single points inside, "
                "and does not begin with AWS. or Amazon.",
                code=2,
            )
        made[name] = _typed(written, kind or "String", value, topic=topic)
    if not topic and len(made) > _MOST_OF_A_MESSAGE:
        raise Mistake(
            f"--attribute: a message has {_MOST_OF_A_MESSAGE} at most (got {len(made)})", code=2
        )
    return made


def _typed(written: str, kind: str, value: str, *, topic: bool) -> dict[str, Any]:
    plain = kind.partition(".")[0]
    if plain not in _TYPES or kind.endswith("."):
        known = ", ".join((*_TYPES, *((_OF_A_TOPIC,) if topic else ())))
        raise Mistake(f"--attribute {written}: no type '{kind}'; there are: {known}", code=2)
    if not value:
        raise Mistake(f"--attribute {written}: its value is empty", code=2)
    if plain == "Binary":
        try:
            return {"DataType": kind, "BinaryValue": base64.b64decode(value, validate=True)}
        except ValueError:
            raise Mistake(
                f"--attribute {written}: its value is no Base64 (got {value})", code=2
            ) from None
    if plain == "Number" and not _is_number(value):
        raise Mistake(
            f"--attribute {written}: its value is no number of {_MOST_DIGITS} digits at most (got {value})",
            code=2,
        )
    if topic and kind == _OF_A_TOPIC and not _is(list, value):
        raise Mistake(f"--attribute {written}: its value is no JSON array (got {value})", code=2)
    return {"DataType": kind, "StringValue": value}


def _is_number(value: str) -> bool:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    return number.is_finite() and len(number.as_tuple().digits) <= _MOST_DIGITS


def _is(kind: type, text: str) -> bool:
    try:
        return isinstance(json.loads(text), kind)
    except ValueError:
        return False


def body(text: str, what: str) -> str:
    """A message that is not empty."""
    if not text:
        raise Mistake(f"{what}: is empty, which is refused", code=2)
    return text


def subject(text: str) -> str:
    """What may be the subject of a message of a topic."""
    if len(text) > _LONGEST_SUBJECT:
        raise Mistake(f"--subject: has {len(text)} characters, {_LONGEST_SUBJECT} at most", code=2)
    if not text.isprintable() or text != text.lstrip():
        raise Mistake("--subject: takes no line breaks, control signs and leading spaces", code=2)
    return text


def event(detail_type: str, detail: str, source: str) -> None:
    """An event as a bus takes it: a type, a source, and an object of details."""
    for what, text in (("DETAIL_TYPE", detail_type), ("--source", source)):
        body(text, what)
    if not _is(dict, detail):
        raise Mistake(f"JSON: the detail of an event is an object (got {detail[:60]})", code=2)
