"""POST /items: stores a new item."""

from __future__ import annotations

import os

from common import aws, correlation, http, idempotency, ids, items, metrics
from common.bodies import json_object

aws.prepare("dynamodb")


@http.endpoint
def handler(request: http.Request) -> http.Answer:
    """201 with the item, its ETag and Location; 400 for a refused body.

    With an Idempotency-Key, the same request of the same caller is answered alike for a day and
    stored once; another one with that key is 422.
    """
    key = idempotency.key(request)
    content = items.attributes(items.parse(json_object(request)))
    now = ids.instant()
    row = {
        "id": {"S": ids.new()},
        "collection": {"S": items.COLLECTION},
        **content,
        "version": {"N": "1"},
        "createdAt": {"S": now},
        "updatedAt": {"S": now},
        **correlation.row(),
    }
    created = True
    if key is None:
        # No condition: the id is new, and a put that boto3 repeats after a lost answer must
        # succeed, not find itself.
        aws.client("dynamodb").put_item(TableName=os.environ["ITEMS_TABLE"], Item=row)
    else:
        put = idempotency.put_once(row, content, caller=request.caller, key=key)
        created, row = put is row, put
    if created:
        metrics.count("ItemsCreated")
    item = items.from_row(row)
    headers = {"Location": _location(request, item["id"]), "ETag": items.etag(item)}
    return http.answer(201, item, headers)


def _location(request: http.Request, item_id: str) -> str:
    """The item's place, relative to the request's own (RFC 9110, section 10.2.2).

    A function does not know every prefix that stands before its path: the stage, a custom domain's
    base path, a sandbox's. What follows the last slash of the request's path is all that a relative
    reference replaces, so it is right under each of them.
    """
    return f"./{item_id}" if request.path.endswith("/") else f"./items/{item_id}"
