"""Events of orders -> audit table: a row per event, beside the rows of items.

The rule's input transformer sends `{"id", "time", "source", "type", "detail"}`. The same event is
the same row, however often it arrives.
"""

from __future__ import annotations

import os
from typing import Any

from common import attributes, aws, correlation, logs, warming
from common.records import ForeignEventError, kind

SOURCE = "sandpiper.orders"
_MEMBERS = {"id", "time", "source", "type", "detail"}

aws.prepare("dynamodb")


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """The key of the row that was written. Raises ForeignEventError for what the rule does not
    send, and ValueError for an event that names no order.
    """
    logs.begin(context, event)
    row = audit_row(event)
    aws.client("dynamodb").put_item(TableName=os.environ["AUDIT_TABLE"], Item=row)
    key = {"itemId": row["itemId"]["S"], "sequence": row["sequence"]["S"]}
    logs.info("event recorded", **key, action=event["type"])
    return key


def audit_row(event: object) -> dict[str, Any]:
    """The row of an event, as DynamoDB attributes: `order#ID`, in order of time. What the event
    belongs to is no part of its detail.
    """
    if not isinstance(event, dict) or event.keys() != _MEMBERS or event["source"] != SOURCE:
        raise ForeignEventError(f"this function takes transformed events, not {kind(event)}")
    identity, time, type_ = (_text(event, name) for name in ("id", "time", "type"))
    given = event["detail"] if isinstance(event["detail"], dict) else {}
    detail = {name: value for name, value in given.items() if name != correlation.NAME}
    brought = correlation.of_event(event)
    return attributes.row(
        {
            **({correlation.NAME: brought} if brought else {}),
            "itemId": f"order#{_text(detail, 'orderId')}",
            "sequence": f"{time}#{identity}",
            "eventId": identity,
            "action": type_,
            "changedAt": time,
            "source": SOURCE,
            "detail": detail,
        }
    )


def _text(mapping: dict[str, Any], name: str) -> str:
    value = mapping.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is not a text")
    return value
