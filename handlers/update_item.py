"""PUT /items/{id}: replaces an item that the caller has read."""

from __future__ import annotations

import os
from typing import Any

from common import aws, correlation, http, ids, items, metrics
from common.bodies import json_object

# A version that no item has: an If-Match whose tags cannot match still has to tell a stale item
# (412) from none (404).
_NO_VERSION = 0

aws.prepare("dynamodb")


@http.endpoint
def handler(request: http.Request) -> http.Answer:
    """200 with the item and its new ETag; 404, 412 when stale, 428 without If-Match, 400 for a
    refused body.
    """
    item_id = request.path_parameter("id")
    versions = items.expected_versions(request.header("If-Match"))
    fields = items.parse(json_object(request))
    if not ids.is_key(item_id):
        raise http.Problem(404, "There is no such item.")
    item = items.from_row(_update(item_id, fields, versions))
    metrics.count("ItemsUpdated")
    return http.answer(200, item, {"ETag": items.etag(item)})


def _update(item_id: str, fields: items.Fields, versions: list[int] | None) -> dict[str, Any]:
    """Checks and writes in one call, so of two writers with the same ETag only one succeeds."""
    try:
        answer = aws.client("dynamodb").update_item(
            TableName=os.environ["ITEMS_TABLE"],
            Key={"id": {"S": item_id}},
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **_expressions(fields, versions),
        )
    except Exception as error:
        if aws.error_code(error) != "ConditionalCheckFailedException":
            raise
        # The failed call returns the row it looked at, so telling the two apart needs no right to
        # read.
        if getattr(error, "response", {}).get("Item"):
            raise http.Problem(412, "The item has changed since you read it.") from None
        raise http.Problem(404, "There is no such item.") from None
    return answer["Attributes"]


def _expressions(fields: items.Fields, versions: list[int] | None) -> dict[str, Any]:
    written = {
        **items.attributes(fields),
        "updatedAt": {"S": ids.instant()},
        **correlation.row(),
    }
    values = {f":{name}": value for name, value in written.items()} | {":one": {"N": "1"}}
    names = {f"#{name}": name for name in (*written, "id", "version")}
    update = "SET " + ", ".join(f"#{name} = :{name}" for name in written)
    update += ", #version = #version + :one"
    if "description" not in written:
        names["#description"] = "description"
        update += " REMOVE #description"
    condition = "attribute_exists(#id)"
    if versions is not None:
        expected = {f":v{i}": {"N": str(v)} for i, v in enumerate(versions or [_NO_VERSION])}
        values |= expected
        condition += f" AND #version IN ({', '.join(expected)})"
    return {
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
