"""DynamoDB stream of the items table -> audit table: one row per change, with the item before and
after it.

A change arrives at least once and writes the same row each time. The images stay DynamoDB's own
notation, so that no number is converted on the way.
"""

from __future__ import annotations

import base64
import os
from typing import Any

from common import aws, ids, logs, warming
from common.deadline import Deadline

# Sequence numbers have 21 to 40 digits; of equal length they sort as text as they do as numbers.
_SEQUENCE_DIGITS = 40

aws.prepare("dynamodb")


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The record to start again at, if any, for ReportBatchItemFailures.

    A shard is in order, and so are an item's audit rows: everything after a failure is left for the
    next attempt. So is what cannot be done in time, for a timeout would do all of the batch again.
    """
    logs.begin(context)
    records = event["Records"]
    deadline = Deadline(context)
    for done, record in enumerate(records):
        try:
            if done:
                _check(deadline)
            if not _is_request(record):
                _write(record)
        except Exception as error:
            logs.error("change not recorded", cause=error, eventId=str(record.get("eventID", "")))
            # Without a sequence number there is nothing to name: the exception then fails the whole
            # batch.
            failed = record["dynamodb"]["SequenceNumber"]
            logs.info("batch stopped", recorded=done, records=len(records))
            return {"batchItemFailures": [{"itemIdentifier": failed}]}
    logs.info("batch recorded", recorded=len(records))
    return {"batchItemFailures": []}


def _check(deadline: Deadline) -> None:
    if deadline.is_near():
        raise TimeoutError("out of time, the rest is left for the next attempt")


def _is_request(record: dict[str, Any]) -> bool:
    """Whether the changed row is no item but what an Idempotency-Key was used for."""
    return ids.is_request(record["dynamodb"]["Keys"]["id"]["S"])


def _write(record: dict[str, Any]) -> None:
    row = audit_row(record)
    aws.client("dynamodb").put_item(TableName=os.environ["AUDIT_TABLE"], Item=row)


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
    }
    for column, image in (("before", "OldImage"), ("after", "NewImage")):
        if change.get(image):
            row[column] = _decoded({"M": change[image]})
    return row


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
