"""DELETE /items/{id}: removes an item."""

from __future__ import annotations

import os

from common import aws, http, ids, metrics

aws.prepare("dynamodb")


@http.endpoint
def handler(request: http.Request) -> http.Answer:
    """204, whether or not there was one: afterwards there is none."""
    item_id = request.path_parameter("id")
    if ids.is_key(item_id):
        gone = aws.client("dynamodb").delete_item(
            TableName=os.environ["ITEMS_TABLE"],
            Key={"id": {"S": item_id}},
            ReturnValues="ALL_OLD",
        )
        if gone.get("Attributes"):
            metrics.count("ItemsDeleted")
    return http.answer(204)
