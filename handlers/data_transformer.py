"""DynamoDB stream of the items table -> audit table and event bus: a row per change, with the item
before and after it, then an event that says what changed.

A change arrives at least once, and each time writes the same row and sends the same event:
consumers tell by id, type and version. The images stay DynamoDB's own notation in the table, so
that no number is converted on the way.
"""

from __future__ import annotations

import base64
import os
from typing import Any

from common import aws, bus, diff, ids, logs, records, warming
from common.deadline import Deadline

SOURCE = "sandpiper.items"
TYPES = {"INSERT": "Item Created", "MODIFY": "Item Changed", "REMOVE": "Item Removed"}

# Sequence numbers have 21 to 40 digits; of equal length they sort as text as they do as numbers.
_SEQUENCE_DIGITS = 40

aws.prepare("dynamodb", "events")


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The record to start again at, if any, for ReportBatchItemFailures.

    A shard is in order, and so are an item's audit rows and events: everything after a failure is
    left for the next attempt. So is what cannot be done in time, for a timeout would do all of the
    batch again.
    """
    logs.begin(context)
    batch = records.of(event, "aws:dynamodb")
    deadline = Deadline(context)
    for start in range(0, len(batch), bus.MOST):
        group = batch[start : start + bus.MOST]
        done = _transform(group, deadline, begun=start > 0)
        if done < len(group):
            # Without a sequence number there is nothing to name: the exception then fails the whole
            # batch.
            failed = group[done]["dynamodb"]["SequenceNumber"]
            logs.info("batch stopped", recorded=start + done, records=len(batch))
            return records.outcome(event, failed)
    logs.info("batch recorded", recorded=len(batch))
    return records.outcome(event)


def _transform(group: list[dict[str, Any]], deadline: Deadline, *, begun: bool) -> int:
    """Write the rows, then send the events of those that were written, in one call. How many
    records are done with, up to the first that is not.
    """
    written = 0
    events: list[bus.Entry] = []
    positions: list[int] = []  # of the events' records
    for record in group:
        try:
            if begun or written:
                deadline.check()
            if not _is_request(record):
                entry = domain_event(record)
                _write(record)
                events.append(entry)
                positions.append(written)
        except Exception as error:
            logs.error("change not recorded", cause=error, eventId=str(record.get("eventID", "")))
            break
        written += 1
    sent = _sent(events)
    return written if sent == len(events) else positions[sent]


def _sent(events: list[bus.Entry]) -> int:
    try:
        sent = bus.send(events)
    except Exception as error:
        logs.error("changes not sent", cause=error, events=len(events))
        return 0
    if sent < len(events):
        logs.warning("the bus did not take all changes", sent=sent, events=len(events))
    return sent


def _is_request(record: dict[str, Any]) -> bool:
    """Whether the changed row is no item but what an Idempotency-Key was used for."""
    return ids.is_request(record["dynamodb"]["Keys"]["id"]["S"])


def _write(record: dict[str, Any]) -> None:
    row = audit_row(record)
    aws.client("dynamodb").put_item(TableName=os.environ["AUDIT_TABLE"], Item=row)


def domain_event(record: dict[str, Any]) -> bus.Entry:
    """The event of a stream record: {"id", "version", "changes": {field: {"old", "new"}}}, null for
    a field that was or is not there; numbers are text, as DynamoDB has them. Raises KeyError for
    what is not a record of the items stream.

    Changes that are more than an event may hold are sent by name only: {field: {}}.
    """
    change = record["dynamodb"]
    changes = _changes(change)
    detail: dict[str, Any] = {
        "id": change["Keys"]["id"]["S"],
        "version": _version(change),
        "changes": {field: aws.plain(sides) for field, sides in changes.items()},
    }
    kind, moment = TYPES[record["eventName"]], change["ApproximateCreationDateTime"]
    made = bus.entry(SOURCE, kind, detail, time=moment)
    if bus.size(made) <= bus.LARGEST:
        return made
    names: dict[str, Any] = {field: {} for field in changes}
    return bus.entry(SOURCE, kind, {**detail, "changes": names}, time=moment)


def audit_row(record: dict[str, Any]) -> dict[str, Any]:
    """The audit row of a stream record, as DynamoDB attributes. Raises KeyError for what is not a
    record of the items stream.

    A removal by time to live looks like any other: its record has no new image.
    """
    change = record["dynamodb"]
    row: dict[str, Any] = {
        "itemId": change["Keys"]["id"],
        "sequence": {"S": change["SequenceNumber"].zfill(_SEQUENCE_DIGITS)},
        "eventId": {"S": record["eventID"]},
        "action": {"S": record["eventName"]},
        "changedAt": {"S": ids.instant(change["ApproximateCreationDateTime"])},
        "changes": _decoded(
            {"M": {name: {"M": sides} for name, sides in _changes(change).items()}}
        ),
    }
    version = _version(change)
    if version is not None:
        row["version"] = {"N": str(version)}
    for column, image in (("before", "OldImage"), ("after", "NewImage")):
        if change.get(image):
            row[column] = _decoded({"M": change[image]})
    return row


def _changes(change: dict[str, Any]) -> dict[str, diff.Change]:
    return diff.between(change.get("OldImage") or {}, change.get("NewImage") or {})


def _version(change: dict[str, Any]) -> int | None:
    """The version that the change made, of a removal the last one; None for a row without."""
    image = change.get("NewImage") or change.get("OldImage") or {}
    number = image.get("version", {}).get("N")
    return None if number is None else int(number)


def _decoded(attribute: dict[str, Any]) -> dict[str, Any]:
    """The attribute with its binary values as bytes: an event holds them in base64, and boto3 would
    encode them once more.
    """
    kind, content = next(iter(attribute.items()))
    if kind == "B":
        return {kind: base64.b64decode(content)}
    if kind == "BS":
        return {kind: [base64.b64decode(member) for member in content]}
    if kind == "L":
        return {kind: [_decoded(member) for member in content]}
    if kind == "M":
        return {kind: {name: _decoded(member) for name, member in content.items()}}
    return attribute
