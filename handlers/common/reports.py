"""What reports are about: which rows of which table, in which columns."""

from __future__ import annotations

import csv
import io
import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from common import aws
from common.pdf import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from common.deadline import Deadline

Row = tuple[str, ...]

MOST_PDF_ROWS = 5000  # 130 pages: what has more is read as CSV

# What spreadsheets take for the beginning of a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Kind(NamedTuple):
    """A report: the environment variable that names its table, its columns by the attributes they
    show, and which rows it has: "name comparison value" from the first day of the report. With an
    index that is a query of it, else the table is read whole.
    """

    title: str
    table: str
    columns: Mapping[str, Column]
    condition: Callable[[str], tuple[str, str, str]]
    summary: Callable[[list[Row]], str]
    index: str = ""


def _orders(rows: list[Row]) -> str:
    kept = [row for row in rows if row[2] != "cancelled"]
    total = sum((Decimal(row[-1]) for row in kept), Decimal())
    return (
        f"{len(rows)} orders, {len(rows) - len(kept)} cancelled; total of the others {total:,.2f}"
    )


def _items(rows: list[Row]) -> str:
    return f"{len(rows)} items"


KINDS: Mapping[str, Kind] = {
    "orders": Kind(
        title="Orders of the week before",
        table="ORDERS_TABLE",
        columns={
            "orderId": Column("Order", 64),
            "placedAt": Column("Placed", 24),
            "state": Column("State", 10),
            "confirmation": Column("Confirmation", 12),
            "total": Column("Total", 18, right=True),
        },
        condition=lambda since: ("placedAt", ">=", since),
        summary=_orders,
    ),
    "items": Kind(
        title="Items",
        table="ITEMS_TABLE",
        columns={
            "id": Column("Item", 36),
            "name": Column("Name", 50),
            "updatedAt": Column("Changed", 24),
            "version": Column("Version", 8, right=True),
            "price": Column("Price", 18, right=True),
        },
        condition=lambda _: ("collection", "=", "items"),
        summary=_items,
        index="by-collection",
    ),
}
_MONEY = frozenset({"total", "price"})
_SECOND = 1  # rows are in the order of their second column, then of their first


def rows(kind: Kind, since: str, deadline: Deadline) -> list[Row]:
    """The texts of all rows of a report, in order; `since` is an instant. Raises TimeoutError when
    the table cannot be read in time.
    """
    found: list[Row] = []
    for page in _pages(kind, since):
        if deadline.is_near():
            raise TimeoutError("the table is too large for the time the function has")
        found += [_row(kind, aws.plain(item)) for item in page]
    return sorted(found, key=lambda row: (row[_SECOND], row))


def _pages(kind: Kind, since: str) -> Iterator[list[dict[str, Any]]]:
    attribute, comparison, value = kind.condition(since)
    names = {f"#{name}": name for name in {attribute, *kind.columns}}
    reading: dict[str, Any] = {"IndexName": kind.index} if kind.index else {}
    reading |= {
        "TableName": os.environ[kind.table],
        "KeyConditionExpression" if kind.index else "FilterExpression": (
            f"#{attribute} {comparison} :value"
        ),
        "ProjectionExpression": ", ".join(sorted(f"#{name}" for name in kind.columns)),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {":value": {"S": value}},
    }
    while True:
        client = aws.client("dynamodb")
        page = client.query(**reading) if kind.index else client.scan(**reading)
        yield page["Items"]
        if not page.get("LastEvaluatedKey"):
            return
        reading["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _row(kind: Kind, item: Mapping[str, Any]) -> Row:
    return tuple(_text(name, item.get(name)) for name in kind.columns)


def _text(name: str, value: object) -> str:
    if name in _MONEY:
        return f"{Decimal(str(value or 0)):.2f}"
    return "" if value is None else str(value)


def as_csv(kind: Kind, found: list[Row]) -> bytes:
    """The rows as CSV (RFC 4180) in UTF-8, beginning with the attributes' names and with the mark
    by which spreadsheets know the encoding. A text that a spreadsheet would take for a formula
    begins with an apostrophe.
    """
    output = io.StringIO(newline="")
    writer = csv.writer(output)
    writer.writerow(kind.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in found)
    return output.getvalue().encode("utf-8-sig", errors="replace")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    return cell.lstrip("-").replace(".", "", 1).isdecimal()


def as_pdf(kind: Kind, found: list[Row], date: str) -> bytes:
    """The rows as PDF, the first 5000 of them."""
    from common import pdf

    summary = kind.summary(found)
    left = len(found) - MOST_PDF_ROWS
    if left > 0:
        summary += f"; {left} rows more are in the CSV file only"
    title = f"{kind.title}, {date}: {summary}"
    return pdf.table(title, list(kind.columns.values()), found[:MOST_PDF_ROWS])
