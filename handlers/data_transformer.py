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

from common import aws, bus, correlation, diff, ids, logs, records, warming
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
    logs.begin(context, event)
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
        with correlation.carried(_belongs_to(record)):
            try:
                if begun or written:
                    deadline.check()
                if not _is_request(record):
                    events.append(_recorded(record))
                    positions.append(written)
            except Exception as error:
                event_id = str(record.get("eventID", ""))
                logs.error("change not recorded", cause=error, eventId=event_id)
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


def _belongs_to(record: dict[str, Any]) -> str:
    """What the change belongs to: the request that wrote the row, else the change itself, so that
    it is the same however often the record comes.
    """
    return correlation.of_record(record) or str(record.get("eventID", ""))


def _recorded(record: dict[str, Any]) -> bus.Entry:
    """The event of a change whose row is written."""
    entry, row = domain_event(record), audit_row(record)
    aws.client("dynamodb").put_item(TableName=os.environ["AUDIT_TABLE"], Item=row)
    logs.info("change recorded", itemId=row["itemId"]["S"], action=row["action"]["S"])
    return entry


def _is_request(record: dict[str, Any]) -> bool:
    """Whether the changed row is no item but what an Idempotency-Key was used for."""
    return ids.is_request(record["dynamodb"]["Keys"]["id"]["S"])


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
    record of the items stream. The images are of the item: what its change belongs to is a column
    beside them.

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
    brought = correlation.of_record(record)
    if brought:
        row[correlation.NAME] = {"S": brought}
    version = _version(change)
    if version is not None:
        row["version"] = {"N": str(version)}
    for column, image in (("before", "OldImage"), ("after", "NewImage")):
        if item := _item(change, image):
            row[column] = _decoded({"M": item})
    return row


def _changes(change: dict[str, Any]) -> dict[str, diff.Change]:
    return diff.between(_item(change, "OldImage"), _item(change, "NewImage"))


def _item(change: dict[str, Any], image: str) -> dict[str, Any]:
    """An image without what the change belongs to; {} where there is none."""
    attributes: dict[str, Any] = change.get(image) or {}
    return {name: value for name, value in attributes.items() if name != correlation.NAME}


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
