"""The order: the message that places it, its row in the table, and what is told of it.

Money is a Decimal from the first byte to the last; the total is rounded to cents, half a cent up,
as POST /orders answers it.
"""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from common import aws, correlation, fields, ids
from common.queues import Poison

if TYPE_CHECKING:
    from collections.abc import Mapping

    Row = dict[str, dict[str, Any]]

MOST_ITEMS = 100
MOST_OF_ONE = 1000
LONGEST_ITEM_ID = 100  # characters
LONGEST_EMAIL = 320
HIGHEST_PRICE = Decimal(1_000_000_000)  # and below it; at most 4 decimals
LONGEST = 262_144  # characters of a message

SOURCE = "sandpiper.orders"  # of the events on the bus
PLACED = "placed"
# An order's states, each of which stands against those before it. What is told late or twice then
# changes nothing, and however events are mixed up, the last state is the same: goods that were
# shipped in spite of a cancellation are shipped.
STATES = (PLACED, "paid", "cancelled", "shipped", "delivered")
PENDING = "pending"  # the confirmation, before it is sent or known to be impossible

CHANGES = {f"order.{state}": state for state in STATES[1:]}  # types of events, and where they lead
LONGEST_EVENT_ID = 128
LONGEST_INSTANT = 40

_STEP = Decimal("0.0001")
_CENT = Decimal("0.01")


class Item(NamedTuple):
    """A line of an order."""

    id: str
    quantity: int
    price: Decimal


class Order(NamedTuple):
    """What a message asks for; equal when everything is."""

    id: str
    email: str
    items: tuple[Item, ...]

    @property
    def total(self) -> Decimal:
        """What it costs, in whole cents."""
        exact = sum((item.price * item.quantity for item in self.items), Decimal(0))
        return exact.quantize(_CENT, ROUND_HALF_UP)


def parse(text: str) -> Order:
    """The order of a message, {"orderId", "customerEmail", "items": [{"id", "quantity", "price"}]};
    other members are left alone. A price is a number or decimal text.

    Raises Poison that names the first wrong member.
    """
    content = _json_object(text)
    order_id = _order_id(content)
    email = _text(content.get("customerEmail"), "customerEmail", longest=LONGEST_EMAIL)
    items = content.get("items")
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_ITEMS:
        raise Poison(f"items must be a list of 1 to {MOST_ITEMS}")
    listed = tuple(_item(item, f"items/{position}") for position, item in enumerate(items))
    return Order(order_id, email, listed)


def _order_id(content: Mapping[str, Any]) -> str:
    order_id = content.get("orderId")
    if not isinstance(order_id, str) or not ids.is_key(order_id):
        raise Poison("orderId must be 1 to 64 of A-Z a-z 0-9 - and _")
    return order_id


def _item(value: object, place: str) -> Item:
    if not isinstance(value, dict):
        raise Poison(f"{place} must be an object")
    return Item(
        _text(value.get("id"), f"{place}/id", longest=LONGEST_ITEM_ID),
        _quantity(value.get("quantity"), f"{place}/quantity"),
        _price(value.get("price"), f"{place}/price"),
    )


def _quantity(value: object, place: str) -> int:
    # 2.0 is a whole number to JSON.
    if isinstance(value, Decimal) and 1 <= value <= MOST_OF_ONE and value == int(value):
        return int(value)
    raise Poison(f"{place} must be a whole number of 1 to {MOST_OF_ONE}")


def _price(value: object, place: str) -> Decimal:
    refused = Poison(f"{place} must be 0 to 999999999.9999 with at most 4 decimals")
    if isinstance(value, str):
        # Decimal("1_0"), Decimal(" 1 ") and digits of other scripts are none of ours.
        plain = value.replace(".", "", 1)
        if not (plain.isascii() and plain.isdigit() and value[0] != "." and value[-1] != "."):
            raise refused
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise refused
    if not 0 <= value < HIGHEST_PRICE or value.quantize(_STEP) != value:
        raise refused
    return value.quantize(_STEP).copy_abs()


def _text(value: object, place: str, *, longest: int) -> str:
    try:
        return fields.text(value, longest=longest)
    except fields.Refused as refused:
        raise Poison(f"{place} {refused}") from None


def _json_object(text: str) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise Poison(f"the message is longer than {LONGEST} characters")
    try:
        value = json.loads(
            text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        # The parser's own exception carries the whole text.
        raise Poison("the message is not JSON") from None
    if not isinstance(value, dict):
        raise Poison("the message is not a JSON object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def key(order_id: str) -> Row:
    """The table's key of an order."""
    return {"orderId": {"S": order_id}}


def row(order: Order) -> Row:
    """A new order as the table holds it, with the correlation id for who reads it."""
    return {
        **key(order.id),
        "customerEmail": {"S": order.email},
        "items": {"L": [{"M": _item_row(item)} for item in order.items]},
        "total": {"N": str(order.total)},
        "state": {"S": PLACED},
        "confirmation": {"S": PENDING},
        "placedAt": {"S": ids.instant()},
        "version": {"N": "1"},
        **correlation.row(),
    }


def _item_row(item: Item) -> Row:
    return {
        "id": {"S": item.id},
        "quantity": {"N": str(item.quantity)},
        "price": {"N": format(item.price, "f")},
    }


def is_of(order: Order, there: Row) -> bool:
    """Whether a row was made of the same order. Numbers are compared by value: DynamoDB writes
    19.90 as 19.9.
    """
    plain = aws.plain({name: there[name] for name in ("customerEmail", "items")})
    items = tuple(
        Item(item["id"], int(item["quantity"]), Decimal(item["price"])) for item in plain["items"]
    )
    return (order.email, order.items) == (plain["customerEmail"], items)


class Change(NamedTuple):
    """What happened to an order: the id of the event, the new state, when it happened."""

    event: str
    order: str
    state: str
    at: str


def parse_change(text: str) -> Change:
    """The change of a message, {"id", "orderId", "type": "order.paid", "occurredAt"}; other members
    are left alone. Raises Poison that names the first wrong member.
    """
    content = _json_object(text)
    order_id, kind = _order_id(content), content.get("type")
    if not isinstance(kind, str) or kind not in CHANGES:
        raise Poison(f"type must be one of {', '.join(CHANGES)}")
    return Change(
        _text(content.get("id"), "id", longest=LONGEST_EVENT_ID),
        order_id,
        CHANGES[kind],
        _text(content.get("occurredAt"), "occurredAt", longest=LONGEST_INSTANT),
    )


def told(row: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What is told of an order: orderId, state, total (a Decimal) and placedAt. Whose it is stays
    in the table.
    """
    return {
        "orderId": row["orderId"]["S"],
        "state": row["state"]["S"],
        "total": Decimal(row["total"]["N"]),
        "placedAt": row["placedAt"]["S"],
    }


def receipt(order: Order) -> str:
    """The text of the confirmation: what was ordered and what it costs."""
    lines = [
        f"{item.quantity} x {item.id}: {item.price * item.quantity:,.2f}" for item in order.items
    ]
    return "\n".join(
        ["Thank you for your order.", "", *lines, "", f"Total: {order.total:,.2f}", ""]
    )
