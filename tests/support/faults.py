"""Where a fault meets a source: one way to cause an effect, to see it, and to count it, for each kind of source."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from tests.support.effects import Effects, eventually, item_row, order

Act = Callable[[Effects, str], Any]
AT = "2026-11-01T10:00:30Z"


@dataclass(frozen=True)
class Source:
    """What starts a function, named by a mark that each of its writes holds.

    `first`, `last`: the first and the last of its calls that change something, as `(call, what its parameters hold)`;
    MARK stands for the mark. `patience`: seconds until a failed one has been tried again, and has had its effect.
    """

    function: str
    cause: Act
    count: Act
    """How often the effect is there."""
    first: tuple[str, str]
    last: tuple[str, str]
    patience: float = 25.0
    prepare: Act = lambda _effects, _mark: None


def _picture(effects: Effects, mark: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (300, 300), (200, 40, 40)).save(out, "PNG")
    effects.box.send_s3(out.getvalue(), key=f"uploads/{mark}.png")


def _described(effects: Effects, mark: str) -> int:
    """1 when everything is there that is made of a picture, without anything half done."""
    names = [f"{kind}/{mark}.png" for kind in ("thumbnails", "optimised", "watermarked")]
    there = [effects.stored("imagesBucket", name) for name in names]
    told = effects.stored("imagesBucket", f"metadata/{mark}.png.json")
    return int(bool(told) and all(there))


def _file(effects: Effects, mark: str) -> None:
    body = f"name,price\n{mark},1.50\n".encode()
    effects.box.send_s3(body, key=f"incoming/{mark}.csv")


def _imported(effects: Effects, mark: str) -> int:
    text = effects.stored("reportsBucket", f"imports/{mark}.csv.json")
    done = bool(text) and json.loads(text).get("state") == "done"
    return len(effects.rows("itemsTable", "name", mark)) if done else 0


def _row(effects: Effects, mark: str) -> None:
    """An item, written past the API."""
    effects.box.client("dynamodb").put_item(
        TableName=effects.box.outputs["itemsTable"], Item=item_row(mark)
    )


def _measure(effects: Effects, mark: str) -> None:
    effects.box.send_kinesis({"device": mark, "metric": "t", "value": 7, "at": AT}, key=mark)


def _measured(effects: Effects, mark: str) -> int:
    rows = effects.rows("stateTable", "id", f"telemetry#{mark}#")
    return int(rows[0]["count"]["N"]) if rows else 0


def _place(effects: Effects, mark: str) -> None:
    effects.box.send_sqs("orders", order(mark, email=f"{mark}@example.com"))


def _placed(effects: Effects, mark: str) -> int:
    """How many mails confirm the order that is placed."""
    return len(effects.mails(f"{mark}@example.com")) if effects.placed(mark) else 0


def _be_placed(effects: Effects, mark: str) -> None:
    _place(effects, mark)
    eventually(lambda: _placed(effects, mark))


def _pay(effects: Effects, mark: str) -> None:
    change = {"id": f"e-{mark}", "type": "order.paid", "orderId": mark, "occurredAt": AT}
    effects.box.send_sqs("order-events", change, group=mark, dedup=f"e-{mark}")


def _paid(effects: Effects, mark: str) -> int:
    """How often the order has changed, when the bus has told that it is paid."""
    row = effects.row("ordersTable", orderId=mark) or {}
    told = [e for e in effects.audited(f"order#{mark}") if e["action"]["S"] == "Order Changed"]
    return int(row["version"]["N"]) - 1 if told and row["state"]["S"] == "paid" else 0


def _announce(effects: Effects, mark: str) -> None:
    effects.box.send_events("Order Placed", {"orderId": mark}, source="sandpiper.orders")


MARK = "MARK"
SOURCES = {
    "SQS": Source(
        "order-processor",
        _place,
        _placed,
        ("dynamodb:PutItem", MARK),
        ("ses:SendEmail", MARK),
    ),
    "SQS FIFO": Source(
        "order-tracker",
        _pay,
        _paid,
        ("dynamodb:UpdateItem", MARK),
        ("events:PutEvents", MARK),
        prepare=_be_placed,
    ),
    "DynamoDB stream": Source(
        "data-transformer",
        _row,
        lambda effects, mark: len(effects.audited(mark)),
        ("dynamodb:PutItem", MARK),
        ("events:PutEvents", MARK),
    ),
    "Kinesis": Source(
        "telemetry-aggregator",
        _measure,
        _measured,
        ("dynamodb:PutItem", MARK),
        ("dynamodb:PutItem", MARK),
    ),
    "S3": Source(
        "image-processor",
        _picture,
        _described,
        ("s3:PutObject", MARK),
        ("s3:PutObject", f"metadata/{MARK}"),
    ),
    "S3 by EventBridge": Source(
        "content-router",
        _file,
        _imported,
        ("dynamodb:TransactWriteItems", MARK),
        ("s3:PutObject", f"imports/{MARK}"),
    ),
    "EventBridge": Source(
        "audit-writer",
        _announce,
        lambda effects, mark: len(effects.audited(f"order#{mark}")),
        ("dynamodb:PutItem", MARK),
        ("dynamodb:PutItem", MARK),
    ),
}
