"""A thousand updates of one item by callers who hold its ETag: as many happen as were answered 200, and none is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

from sandbox.box import Box
from tests.application.conftest import eventually

UPDATES, CALLERS = 1000, 8


def test_of_a_thousand_updates_none_is_lost(
    box: Box, new_item: Callable[..., dict[str, Any]]
) -> None:
    """Each caller adds one to the price that it has read, and reads again where somebody was faster."""
    token = box.token()
    item_id = new_item(name="counter", price="0")["id"]
    path = f"/items/{item_id}"

    def add(count: int) -> Counter[int]:
        seen: Counter[int] = Counter()
        read = box.http.get(path, token=token)
        for _ in range(count):
            body = {"name": "counter", "price": str(Decimal(read.json()["price"]) + 1)}
            etag = {"If-Match": str(read.headers["ETag"])}
            answer = box.http.put(path, token=token, json=body, headers=etag)
            seen[answer.status] += 1
            # An update's answer is what a read would be; a refused one says nothing of the item.
            read = answer if answer.status == 200 else box.http.get(path, token=token)
        return seen

    shares = [UPDATES // CALLERS + (n < UPDATES % CALLERS) for n in range(CALLERS)]
    with ThreadPoolExecutor(CALLERS) as pool:
        statuses = sum(pool.map(add, shares), Counter[int]())
    assert statuses.total() == UPDATES
    assert statuses.keys() == {200, 412}
    done = statuses[200]
    item = box.http.get(path, token=token).json()
    assert (item["version"], Decimal(item["price"])) == (done + 1, done)
    # And each of them is written down, once.
    prices = eventually(lambda: _all_of(box, item_id, done + 1), seconds=60)
    assert prices == [Decimal(number) for number in range(done + 1)]


def _all_of(box: Box, item_id: str, count: int) -> list[Decimal]:
    """The prices of an item in the order of its changes, as the audit has them; [] as long as it has fewer."""
    pages = (
        box.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=box.outputs["auditTable"],
            KeyConditionExpression="itemId = :id",
            ExpressionAttributeValues={":id": {"S": item_id}},
        )
    )
    rows = [row for page in pages for row in page["Items"]]
    return [Decimal(row["after"]["M"]["price"]["N"]) for row in rows] if len(rows) >= count else []
