"""Orders queue -> one row per order -> orders topic and event bus -> confirmation by e-mail.

The row comes first and is the claim: who puts it, or takes it over when its lease has run out,
tells of the order and confirms it. A lease ends with the invocation that holds it, so a message
that comes back after a crash finds it over and does what is missing. Where a step fails, the row
keeps which ones are done, and they are not done again; only a crash repeats the steps since the row
was written. Each says which order it is about, by which a receiver knows that it has seen it.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from common import (
    aws,
    bus,
    conditions,
    correlation,
    decimals,
    logs,
    mail,
    metrics,
    orders,
    queues,
    tracing,
    warming,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Record = dict[str, Any]
    Tell = Callable[[Sequence["_Placing"]], Sequence[Exception | None]]

_EVENT = "OrderPlaced"
_PUBLISHED, _ANNOUNCED = 1, 2  # steps after the row: the topic knows of it, the bus as well
_LEASE_MARGIN = 1_000  # milliseconds; the clocks of two environments differ
_MEASURED = {"sent": "confirmed", "unsent": "unsent"}  # how a confirmation ended, as a state
_TAKEN_OVER_PAUSE = 2  # seconds until a message comes back whose order another one has just claimed

aws.prepare("dynamodb", "sns", "events")
mail.prepare()


class _Placing:
    """An order on its way: the messages that bring it, what the first of them belongs to, its row
    once it is claimed, the steps that are done, and those that the row says are done.
    """

    def __init__(self, order: orders.Order, until: int, correlation_id: str) -> None:
        self.order = order
        self.correlation_id = correlation_id
        self.until = until  # when the lease ends, in milliseconds since 1970
        self.messages: list[Record] = []
        self.row: orders.Row = {}
        self.steps = 0
        self.kept = 0


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The messages that failed, for ReportBatchItemFailures."""
    logs.begin(context, event)
    batch = queues.Batch(event, context, queue_url=os.environ.get("ORDERS_QUEUE_URL"))
    until = int(time.time() * 1000) + context.get_remaining_time_in_millis() + _LEASE_MARGIN
    for chunk in batch.chunks():
        _place(batch, chunk, until)
    return batch.answer()


def _place(batch: queues.Batch, chunk: Sequence[Record], until: int) -> None:
    """Place up to ten orders: rows and mails side by side, topic and bus by one call for all."""
    with tracing.step("place orders", messages=len(chunk)):
        _place_all(batch, _read(batch, chunk, until))


def _place_all(batch: queues.Batch, found: list[_Placing]) -> None:
    claimed = _good(batch, found, queues.at_once(_claim, found))
    fresh = [placing for placing in claimed if placing.row]  # the others are confirmed already
    for step, tell in ((_PUBLISHED, _publish), (_ANNOUNCED, _put_events)):
        untold = [placing for placing in fresh if placing.steps < step]
        lost = set(untold) - set(_good(batch, untold, _told(tell, untold)))
        fresh = [placing for placing in fresh if placing not in lost]
    _good(batch, fresh, queues.at_once(_confirm, fresh))


def _read(batch: queues.Batch, chunk: Sequence[Record], until: int) -> list[_Placing]:
    """The orders of these messages. What is sent twice is one; which one is right of two that share
    nothing but the id, the table decides.
    """
    found: dict[orders.Order, _Placing] = {}
    for record in chunk:
        try:
            order = orders.parse(record["body"])
        except Exception as error:
            batch.fail(record, error)
            continue
        new = _Placing(order, until, correlation.of_record(record))
        placing = found.setdefault(order, new)
        placing.messages.append(record)
        if placing is not new:
            with correlation.carried(new.correlation_id):
                logs.info("order is placed by another message", orderId=order.id)
    return list(found.values())


def _good(
    batch: queues.Batch, placings: Sequence[_Placing], outcomes: Sequence[object]
) -> list[_Placing]:
    """Those whose outcome is no exception. The messages of the others fail, and their rows keep
    what is done.
    """
    good: list[_Placing] = []
    for placing, outcome in zip(placings, outcomes, strict=True):
        if not isinstance(outcome, Exception):
            good.append(placing)
            continue
        if placing.steps > placing.kept:
            with correlation.carried(placing.correlation_id):
                _keep(placing)
        for record in placing.messages:
            batch.fail(record, outcome)
    return good


def _claim(placing: _Placing) -> None:
    """Write the row, or take over one whose order nobody confirms any more. Raises Poison when the
    order's id is another one's, Later while somebody else is at it.
    """
    row = {**orders.row(placing.order), "claimedUntil": {"N": str(placing.until)}}
    try:
        aws.client("dynamodb").put_item(
            TableName=os.environ["ORDERS_TABLE"],
            Item=row,
            ConditionExpression="attribute_not_exists(orderId)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except Exception as error:
        _take_over(placing, conditions.row_of(error))
        return
    placing.row = row
    metrics.count("Orders", State=orders.PLACED)


def _take_over(placing: _Placing, there: orders.Row) -> None:
    if not orders.is_of(placing.order, there):
        raise queues.Poison("another order has this orderId")
    if there["confirmation"]["S"] != orders.PENDING:
        logs.info("order was placed before", orderId=placing.order.id)
        return
    left = int(there["claimedUntil"]["N"]) / 1000 - time.time()
    if left > 0:
        raise queues.Later("another message is placing this order", seconds=left)
    values = {
        ":until": {"N": str(placing.until)},
        ":seen": there["claimedUntil"],
        ":pending": {"S": orders.PENDING},
    }
    condition = "confirmation = :pending AND claimedUntil = :seen"
    if not _update(placing, "SET claimedUntil = :until", condition, values):
        raise queues.Later("another message took the order over", seconds=_TAKEN_OVER_PAUSE)
    placing.row = there
    placing.steps = placing.kept = int(there["steps"]["N"]) if "steps" in there else 0


def _publish(placings: Sequence[_Placing]) -> list[Exception | None]:
    """Tell the orders topic: {"event": "OrderPlaced", "orderId", "state", "total", "placedAt"}."""
    entries = [_topic_entry(placing, str(position)) for position, placing in enumerate(placings)]
    answer = aws.client("sns").publish_batch(
        TopicArn=os.environ["ORDERS_TOPIC_ARN"], PublishBatchRequestEntries=entries
    )
    failed = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", [])}
    return [_entry_error(failed.get(entry["Id"])) for entry in entries]


def _topic_entry(placing: _Placing, name: str) -> dict[str, Any]:
    event = {"event": {"DataType": "String", "StringValue": _EVENT}}
    with correlation.carried(placing.correlation_id):
        return {
            "Id": name,
            "Message": decimals.dumps({"event": _EVENT, **orders.told(placing.row)}),
            "MessageAttributes": {**event, **correlation.attributes()},
        }


def _put_events(placings: Sequence[_Placing]) -> list[Exception | None]:
    """Tell the event bus: "Order Placed", with the topic's members without `event`."""
    entries: list[bus.Entry] = []
    for placing in placings:
        with correlation.carried(placing.correlation_id):
            entries.append(bus.entry(orders.SOURCE, "Order Placed", orders.told(placing.row)))
    return [_entry_error(code) for code in bus.put(entries)]


def _entry_error(code: str | None) -> Exception | None:
    return queues.EntryError(code) if code else None


def _told(tell: Tell, placings: Sequence[_Placing]) -> Sequence[Exception | None]:
    """The outcomes of one call for these orders; each good one is a step that is done."""
    if not placings:
        return []
    try:
        outcomes = tell(placings)
    except Exception as error:
        return [error] * len(placings)
    for placing, outcome in zip(placings, outcomes, strict=True):
        placing.steps += outcome is None
    return outcomes


def _confirm(placing: _Placing) -> None:
    """Send the confirmation, and write down how that ended. An address that will never be reached
    leaves the order standing.
    """
    with tracing.step("confirm order", order=placing.order.id):
        _conclude(placing)


def _conclude(placing: _Placing) -> None:
    changes, values = "SET confirmation = :ended", {":pending": {"S": orders.PENDING}}
    try:
        ended = _send(placing.order) if mail.is_on() else "off"
    except mail.Refused as refused:
        logs.warning("confirmation refused", orderId=placing.order.id, reason=str(refused))
        ended = "unsent"
        changes += ", reason = :reason"
        values[":reason"] = {"S": str(refused)}
    values[":ended"] = {"S": ended}
    # Another one can have confirmed it only after this lease, which is to say hardly ever.
    done = f"{changes} REMOVE claimedUntil, steps"
    if _update(placing, done, "confirmation = :pending", values) and ended in _MEASURED:
        metrics.count("Orders", State=_MEASURED[ended])
    logs.info("order placed", orderId=placing.order.id, confirmation=ended)


def _send(order: orders.Order) -> str:
    mail.send(order.email, subject=f"Your order {order.id}", text=orders.receipt(order))
    return "sent"


def _keep(placing: _Placing) -> None:
    """Write down which steps are done, as long as the claim is this invocation's."""
    values = {":steps": {"N": str(placing.steps)}, ":until": {"N": str(placing.until)}}
    try:
        _update(placing, "SET steps = :steps", "claimedUntil = :until", values)
    except Exception as error:
        # They will be done once more.
        logs.warning("steps not kept", orderId=placing.order.id, code=aws.error_code(error))


def _update(placing: _Placing, changes: str, condition: str, values: orders.Row) -> bool:
    """Change the row; whether its condition held."""
    try:
        aws.client("dynamodb").update_item(
            TableName=os.environ["ORDERS_TABLE"],
            Key=orders.key(placing.order.id),
            UpdateExpression=changes,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
        )
    except Exception as error:
        if not conditions.failed(error):
            raise
        return False
    return True
