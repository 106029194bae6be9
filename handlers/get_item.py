"""GET /items/{id}: one item."""

from __future__ import annotations

import os

from common import aws, http, ids, items

aws.prepare("dynamodb")


@http.endpoint
def handler(request: http.Request) -> http.Answer:
    """200 with the item and its ETag, or 404."""
    item_id = request.path_parameter("id")
    row = None
    if ids.is_key(item_id):
        # Consistent, so that a client finds what it was just told has been stored.
        found = aws.client("dynamodb").get_item(
            TableName=os.environ["ITEMS_TABLE"], Key={"id": {"S": item_id}}, ConsistentRead=True
        )
        row = found.get("Item")
    if not row:
        raise http.Problem(404, "There is no such item.")
    item = items.from_row(row)
    return http.answer(200, item, {"ETag": items.etag(item)})
