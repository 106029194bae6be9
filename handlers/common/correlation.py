"""The correlation id: one name for a request and for all that it causes.

It comes with the event (a header, a message attribute, a member), is in every log line, and goes on
with whatever is sent or written. An event that brings none is the beginning: its own request id is
taken.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    Record = dict[str, Any]

HEADER = "X-Correlation-Id"
NAME = (
    "correlationId"  # of a message's attribute, a row's attribute, an event's or payload's member
)
METADATA = "correlation-id"  # of an S3 object

# What others send is believed only in this form: nothing in it can forge a log line or a header.
_VALID = re.compile(r"[A-Za-z0-9._:=-]{1,128}")

_invocation: dict[str, str] = {}
_carried: ContextVar[str] = ContextVar("carried", default="")


def begin(given: object, own: str) -> str:
    """Start an invocation: its id is the given one if that is valid, else its `own` request id."""
    _invocation["id"] = valid(given) or valid(own)
    return _invocation["id"]


def current() -> str:
    """The id of what is being worked on: of the record that is carried, else of the invocation;
    "" outside of both.
    """
    return _carried.get() or _invocation.get("id", "")


def valid(given: object) -> str:
    """The given id, "" for what is none: 1 to 128 of A-Z a-z 0-9 . _ : = -"""
    return given if isinstance(given, str) and _VALID.fullmatch(given) else ""


@contextmanager
def carried(given: object) -> Generator[None]:
    """Work on something of its own id; without a valid one the id stays as it is."""
    token = _carried.set(valid(given) or _carried.get())
    try:
        yield
    finally:
        _carried.reset(token)


def each(records: Iterable[Record]) -> Iterator[Record]:
    """The records of a batch, each of which is worked on under its own id."""
    for record in records:
        with carried(of_record(record)):
            yield record


def of_record(record: Mapping[str, Any]) -> str:
    """The id that a record of SQS, SNS or a DynamoDB stream brings. Of a message without one it is
    the message's own, the same at each delivery; of other records "".

    What a stream tells of a removed row has the id of the row's last writer.
    """
    source = record.get("eventSource") or record.get("EventSource")
    if source == "aws:sqs":
        brought = _attribute(record.get("messageAttributes"), "stringValue")
        return brought or _in_body(record.get("body")) or valid(record.get("messageId"))
    if source == "aws:sns":
        message = _member(record, "Sns")
        return _attribute(message.get("MessageAttributes"), "Value") or valid(
            message.get("MessageId")
        )
    change = _member(record, "dynamodb")
    return of_row(_member(change, "NewImage")) or of_row(_member(change, "OldImage"))


def of_row(row: Mapping[str, Any]) -> str:
    """The id of a DynamoDB row, "" without one."""
    return valid(_member(row, NAME).get("S"))


def of_event(event: object) -> str:
    """The id in an event's `detail` or in the event itself, as another function sends it; ""
    without one.
    """
    return valid(_member(event, "detail").get(NAME)) or (
        valid(event.get(NAME)) if isinstance(event, dict) else ""
    )


def of_metadata(metadata: Mapping[str, str] | None) -> str:
    """The id in an S3 object's metadata, "" without one."""
    return valid((metadata or {}).get(METADATA))


def attributes() -> dict[str, dict[str, str]]:
    """The id as a member of the message attributes of SQS and SNS; {} where there is none."""
    now = current()
    return {NAME: {"DataType": "String", "StringValue": now}} if now else {}


def row() -> dict[str, dict[str, str]]:
    """The id as a DynamoDB attribute; {} where there is none."""
    now = current()
    return {NAME: {"S": now}} if now else {}


def member() -> dict[str, str]:
    """The id as a member of a payload or of an event's detail; {} where there is none."""
    now = current()
    return {NAME: now} if now else {}


def metadata() -> dict[str, str]:
    """The id as metadata of an S3 object; {} where there is none."""
    now = current()
    return {METADATA: now} if now else {}


def _in_body(body: object) -> str:
    """The id that a message's body holds: SNS's envelope, an event of EventBridge, or a payload."""
    if not isinstance(body, str) or f'"{NAME}"' not in body:
        return ""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return _attribute(_member(content, "MessageAttributes"), "Value") or of_event(content)


def _attribute(attributes: object, value: str) -> str:
    return valid(_member(attributes, NAME).get(value))


def _member(mapping: object, name: str) -> dict[str, Any]:
    found = mapping.get(name) if isinstance(mapping, dict) else None
    return found if isinstance(found, dict) else {}
