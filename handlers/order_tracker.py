"""Order events queue (FIFO) -> the order's state -> event bus.

A change is one conditional write: it holds against the states before it only, so an event that
comes late, twice or out of order changes nothing. The row keeps the id of the event that changed it
last: when that very event comes again, its news may have been lost in a crash, and is told again.
"""

from __future__ import annotations

import os
from typing import Any

from common import aws, bus, conditions, logs, metrics, orders, queues, warming

aws.prepare("dynamodb", "events")


class UnknownOrderError(Exception):
    """There is no such order, or not yet."""


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The messages that failed, for ReportBatchItemFailures."""
    logs.begin(context, event)
    queue_url = os.environ.get("ORDER_EVENTS_QUEUE_URL")
    return queues.each(event, context, _follow, queue_url=queue_url)


def _follow(record: dict[str, Any]) -> None:
    change = orders.parse_change(record["body"])
    row = _move(change)
    if row is None:
        logs.info("event is older than the order", orderId=change.order, state=change.state)
        return
    _tell(row)
    logs.info("order changed", orderId=change.order, state=change.state)


def _move(change: orders.Change) -> orders.Row | None:
    """The row as this event changed it, now or when it came before; None where the order has gone
    further. Raises UnknownOrderError where there is no order.
    """
    earlier = orders.STATES[: orders.STATES.index(change.state)]
    states = {f":{state}": {"S": state} for state in (*earlier, change.state)}
    try:
        row = aws.client("dynamodb").update_item(
            TableName=os.environ["ORDERS_TABLE"],
            Key=orders.key(change.order),
            UpdateExpression=f"SET #state = :{change.state}, version = version + :one, "
            "changedAt = :at, changedBy = :event",
            ConditionExpression=f"#state IN ({', '.join(f':{state}' for state in earlier)})",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={
                **states,
                ":one": {"N": "1"},
                ":at": {"S": change.at},
                ":event": {"S": change.event},
            },
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )["Attributes"]
    except Exception as error:
        there = conditions.row_of(error)
    else:
        metrics.count("Orders", State=change.state)
        return row
    if not there:
        raise UnknownOrderError(f"there is no order {change.order}")
    return there if there.get("changedBy") == {"S": change.event} else None


def _tell(row: orders.Row) -> None:
    """Tell the event bus: "Order Changed", which version the order is and when it became so."""
    detail = {
        **orders.told(row),
        "version": int(row["version"]["N"]),
        "changedAt": row["changedAt"]["S"],
    }
    (code,) = bus.put([bus.entry(orders.SOURCE, "Order Changed", detail)])
    if code:
        raise queues.EntryError(code)
