"""Requests that are done once, however often they arrive (the header Idempotency-Key, as in the
IETF's draft-ietf-httpapi-idempotency-key-header).

What a key was used for is a row beside the item, written in one transaction with it: both are
there, or neither. The row says which id the item got, when, and a hash of what was asked for, which
is all that answering again takes: the rest is in the repeated request. So an answer stays the same
when the item has been changed or deleted meanwhile, and a late duplicate brings nothing back.

The row's id is none that an item may have, it has no collection, so that no list shows it, and the
table's time to live removes it.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING, Any

from common import aws, ids, logs
from common.http import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.http import Request

    Row = dict[str, dict[str, Any]]

KEPT = 86_400  # seconds that a key is known

# 1 to 128 printable ASCII characters; HTTP strips the spaces around a header's value.
_KEY = re.compile(r"[!-~](?:[ -~]{0,126}[!-~])?")
_PAUSES = (0.05, 0.1)  # seconds; the transaction in the way takes some milliseconds


def key(request: Request) -> str | None:
    """The request's Idempotency-Key, None without one. Raises Problem 400 for what is no key, and
    when nobody knows who asks: keys of strangers would be one.
    """
    given = request.header("Idempotency-Key")
    if given is None:
        return None
    text = given.strip(" \t")
    if not _KEY.fullmatch(text):
        raise Problem(400, "Idempotency-Key must be 1 to 128 printable ASCII characters.")
    if not request.caller:
        raise Problem(400, "Idempotency-Key works for callers who are known only.")
    return text


def put_once(row: Row, content: Mapping[str, Any], *, caller: str, key: str) -> Row:
    """Put a new row of the items table, and answer with it; when the caller has used the key for
    the same content before, put nothing and answer with the row as it was put then.

    `content` is what the caller asked for, as JSON can write it. Raises Problem 422 when the key
    was used for another.
    """
    asked = _hash(content)
    used = {
        "id": {"S": f"{ids.REQUEST}{_hash([caller, key])}"},
        "asked": {"S": asked},
        "itemId": row["id"],
        "createdAt": row["createdAt"],
        "expiresAt": {"N": str(int(time.time()) + KEPT)},
    }
    before = _transact(row, used)
    if before is None:
        return row
    if before["asked"]["S"] != asked:
        raise Problem(422, "This Idempotency-Key was used for another request.")
    logs.info("request repeated", itemId=before["itemId"]["S"])
    first = before["createdAt"]
    return {**row, "id": before["itemId"], "createdAt": first, "updatedAt": first}


def _transact(row: Row, used: Row) -> Row | None:
    """Put both rows; where the key is in use, put none and answer with its row."""
    table = os.environ["ITEMS_TABLE"]
    claim = {
        "TableName": table,
        "Item": used,
        # Time to live removes a row up to days after its moment.
        "ConditionExpression": "attribute_not_exists(#id) OR #expiresAt < :now",
        "ExpressionAttributeNames": {"#id": "id", "#expiresAt": "expiresAt"},
        "ExpressionAttributeValues": {":now": {"N": str(int(time.time()))}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    puts = [{"Put": claim}, {"Put": {"TableName": table, "Item": row}}]
    for pause in _PAUSES:
        try:
            return _attempt(puts)
        except Exception as error:
            # The same request may be under way elsewhere: then its row is there in a moment.
            if aws.CONFLICT not in [reason.get("Code") for reason in aws.cancellations(error)]:
                raise
        time.sleep(pause)
    return _attempt(puts)


def _attempt(puts: list[dict[str, Any]]) -> Row | None:
    try:
        aws.client("dynamodb").transact_write_items(TransactItems=puts)
    except Exception as error:
        for reason in aws.cancellations(error):
            if reason.get("Item"):
                return reason["Item"]
        raise
    return None


def _hash(value: object) -> str:
    import hashlib  # botocore has it loaded; without a key nobody pays for it

    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
