"""The item: what a client may send, the row in the table, and what a client gets back.

Money is a Decimal from the first byte to the last: text or a JSON number in, a DynamoDB number in
the table, text out.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from common import aws, fields
from common.http import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

COLLECTION = "items"  # every row's hash key in the index that lists them

LONGEST_NAME = 200  # characters, as are the next two
LONGEST_DESCRIPTION = 2000
LONGEST_TAG = 50
MOST_TAGS = 50
HIGHEST_PRICE = Decimal("999999999999.99")  # far below the 38 digits of a DynamoDB number

_PRICE = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,2})?")
_CENT = Decimal("0.01")
_ETAG = re.compile(r'"([1-9][0-9]{0,17})"')
_MOST_ETAGS = 50

Fields = dict[str, Any]


def parse(body: Mapping[str, Any]) -> Fields:
    """The four fields of a body: name, price (Decimal), description (text or None) and tags (list
    of text).

    Texts are kept as sent: nothing is trimmed, but a blank name or tag is refused. Lengths count
    Unicode characters, as JSON Schema does. Raises Problem 400 that names every wrong member,
    unknown ones included.
    """
    found, errors = fields.read(body, _CHECKS, ("name", "price"), noun="an item")
    if errors:
        raise Problem(400, "The item is not valid.", errors=errors)
    return {"description": None, "tags": [], **found}


def price(value: object) -> Decimal:
    """A price of 0 to 999999999999.99 with at most two decimals, from text (`"19.90"`) or a JSON
    number.

    A number counts by its value (1e2 is 100); a text must be written plainly, without sign,
    exponent or space, as the API's schema says.
    """
    if isinstance(value, str):
        if not _PRICE.fullmatch(value):
            raise fields.Refused("must be 0 to 999999999999.99 with at most 2 decimals")
        return Decimal(value).quantize(_CENT)
    if not isinstance(value, Decimal):
        raise fields.Refused("must be a number, or a number as text")
    # The bounds come first: of a number within them, however many digits it has, `quantize` keeps
    # 14.
    if not 0 <= value <= HIGHEST_PRICE or value.quantize(_CENT) != value:
        raise fields.Refused("must be 0 to 999999999999.99 with at most 2 decimals")
    return value.quantize(_CENT).copy_abs()


def _name(value: object) -> str:
    return fields.text(value, longest=LONGEST_NAME)


def _description(value: object) -> str | None:
    # Answers say null where there is none, so a client may send it back.
    if value is None:
        return None
    return fields.text(
        value, longest=LONGEST_DESCRIPTION, control=fields.CONTROL_IN_LINES, blank=True
    )


def _tags(value: object) -> list[str]:
    if not isinstance(value, list):
        raise fields.Refused("must be a list of texts")
    if len(value) > MOST_TAGS:
        raise fields.Refused(f"must have at most {MOST_TAGS} members")
    return [fields.text(tag, longest=LONGEST_TAG) for tag in value]


_CHECKS = {"name": _name, "price": price, "description": _description, "tags": _tags}


def attributes(item: Fields) -> dict[str, dict[str, Any]]:
    """The fields as DynamoDB attributes; a description that is None has none."""
    row: dict[str, dict[str, Any]] = {
        "name": {"S": item["name"]},
        "price": {"N": format(item["price"], "f")},
        "tags": {"L": [{"S": tag} for tag in item["tags"]]},
    }
    if item["description"] is not None:
        row["description"] = {"S": item["description"]}
    return row


def from_row(row: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A table row as the API answers it: price with two decimals, version a whole number."""
    item = aws.plain(row)
    return {
        "id": item["id"],
        "name": item["name"],
        "price": f"{Decimal(item['price']):.2f}",
        "description": item.get("description"),
        "tags": item.get("tags", []),
        "version": int(item["version"]),
        "createdAt": item["createdAt"],
        "updatedAt": item["updatedAt"],
    }


def etag(item: Mapping[str, Any]) -> str:
    """The strong entity tag of an item's answer: its version in quotes."""
    return f'"{item["version"]}"'


def expected_versions(if_match: str | None) -> list[int] | None:
    """The versions an If-Match header accepts, None for `*` (any).

    Weak tags and tags that are not ours match nothing (RFC 9110, section 13.1.1), which may leave
    the list empty. Raises Problem 428 without a header.
    """
    text = (if_match or "").strip()
    if not text:
        raise Problem(
            428, "Send If-Match with the ETag of the item that you have read, or * for any."
        )
    if text == "*":
        return None
    tags = [_ETAG.fullmatch(tag.strip()) for tag in text.split(",", _MOST_ETAGS)[:_MOST_ETAGS]]
    return [int(tag[1]) for tag in tags if tag]
