"""GET /items: items in the order of their creation, page by page."""

from __future__ import annotations

import os
import re
from typing import Any

from common import aws, cursor, http, ids, items, secrets

_LIMIT = re.compile(r"[1-9][0-9]?|100")
_DEFAULT_LIMIT = 20
_INDEX = "by-collection"

aws.prepare("dynamodb", "secretsmanager")


@http.endpoint
def handler(request: http.Request) -> http.Answer:
    """200 with `items` and `nextCursor` (null on the last page); 400 for a bad limit or a forged
    cursor.
    """
    limit = _limit(request.query("limit"))
    after = _after(request.query("cursor"))
    rows = _rows(after, limit + 1)
    page = [items.from_row(row) for row in rows[:limit]]
    next_cursor = cursor.seal(page[-1]["id"], _key()) if len(rows) > limit else None
    return http.answer(200, {"items": page, "nextCursor": next_cursor})


def _limit(text: str | None) -> int:
    if text is None:
        return _DEFAULT_LIMIT
    if not _LIMIT.fullmatch(text):
        raise http.Problem(400, "The query parameter limit must be 1 to 100.")
    return int(text)


def _key() -> str:
    return secrets.get(os.environ["CURSOR_KEY_SECRET_ARN"])


def _after(text: str | None) -> str | None:
    if text is None:
        return None
    key: str | None = _key()
    while key is not None:
        try:
            item_id = cursor.unseal(text, key)
        except cursor.Forged:
            # Another environment may have signed it with a key that is newer than the one cached
            # here.
            key = secrets.refetch(os.environ["CURSOR_KEY_SECRET_ARN"])
        else:
            if ids.is_key(item_id):
                return item_id
            break
    raise http.Problem(400, "The query parameter cursor was not given out by this API.")


def _rows(after: str | None, wanted: int) -> list[dict[str, Any]]:
    """Up to `wanted` rows: one more than the page shows whether there is a next one, so no page is
    ever empty but the first.

    A query also ends after 1 MB, which 100 items may exceed: it is continued.
    """
    rows: list[dict[str, Any]] = []
    query: dict[str, Any] = {
        "TableName": os.environ["ITEMS_TABLE"],
        "IndexName": _INDEX,
        "KeyConditionExpression": "#collection = :collection",
        "ExpressionAttributeNames": {"#collection": "collection"},
        "ExpressionAttributeValues": {":collection": {"S": items.COLLECTION}},
    }
    if after is not None:
        query["ExclusiveStartKey"] = {"id": {"S": after}, "collection": {"S": items.COLLECTION}}
    while len(rows) < wanted:
        answer = aws.client("dynamodb").query(**query, Limit=wanted - len(rows))
        rows += answer["Items"]
        if not answer.get("LastEvaluatedKey"):
            break
        query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    return rows
