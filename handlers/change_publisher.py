"""DynamoDB stream of the items table -> everyone who subscribed to `items` over the WebSocket.

A change arrives at least once, and may be pushed again: subscribers tell by the item's version.
Pushes that fail are logged, not repeated by the stream: that would push the others again.
"""

from __future__ import annotations

import json
from typing import Any

from common import (
    aws,
    connections,
    correlation,
    ids,
    items,
    logs,
    metrics,
    push,
    records,
    tracing,
    warming,
)
from common.deadline import Deadline

EVENTS = {"INSERT": "created", "MODIFY": "updated", "REMOVE": "deleted"}

aws.prepare("dynamodb")
push.prepare()


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The record to start again at, for ReportBatchItemFailures: the first one when the subscribers
    cannot be found, else none.
    """
    logs.begin(context, event)
    deadline = Deadline(context)
    batch = records.of(event, "aws:dynamodb")
    messages = [message for record in correlation.each(batch) if (message := _message(record))]
    if not messages:
        return records.outcome(event)
    try:
        subscribers = connections.subscribers(connections.ITEMS)
    except Exception as error:
        logs.error("subscribers not found", cause=error, records=len(batch))
        return records.outcome(event, batch[0]["dynamodb"]["SequenceNumber"])
    with tracing.step("push changes", changes=len(messages), subscribers=len(subscribers)):
        outcome = push.broadcast(subscribers, messages, deadline)
    if outcome.sent:
        metrics.count("PushesSent", outcome.sent * len(messages))
    connections.forget(outcome.gone, connections.ITEMS, deadline)
    logs.info(
        "changes pushed",
        changes=len(messages),
        subscribers=len(subscribers),
        sent=outcome.sent,
        gone=len(outcome.gone),
        failed=outcome.failed,
        left=outcome.left,
    )
    return records.outcome(event)


def _message(record: dict[str, Any]) -> bytes | None:
    """What subscribers get: the item as GET /items/{id} answers it, of a deleted one its last
    state. None for a row that is no item, which another attempt would not mend.
    """
    try:
        change = record["dynamodb"]
        if ids.is_request(change["Keys"]["id"]["S"]):
            return None  # what an Idempotency-Key was used for is nobody's news
        row = change.get("NewImage") or change["OldImage"]
        kind, item = EVENTS[record["eventName"]], items.from_row(row)
    except Exception as error:
        logs.error("change not understood", cause=error, eventId=str(record.get("eventID", "")))
        return None
    logs.info("change to be pushed", itemId=item["id"], event=kind)
    body = {"topic": connections.ITEMS, "event": kind, "item": item}
    return json.dumps(body, ensure_ascii=False).encode()
