"""Function URL -> order events queue: what payment and shipping tell of orders.

Who calls cannot sign for IAM, so the URL is open and the signature is the door: Standard Webhooks,
with the text of WEBHOOK_SECRET_ARN as the key. The event is in the queue before it is answered, and
its id is kept after it is in the queue. Where that last step is lost the sender tries again, and the
queue itself drops what it got twice within five minutes; later ones the order's state drops.
"""

from __future__ import annotations

import functools
import json
import os
import time
from typing import TYPE_CHECKING, Any

from common import (
    aws,
    bodies,
    conditions,
    correlation,
    http,
    ids,
    logs,
    metrics,
    orders,
    secrets,
    webhooks,
)
from common.http import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.http import Answer, Request

_KEPT = 7 * 86_400  # seconds; senders try for days, and sign each try anew
_TOLERANCE = "300"  # seconds

aws.prepare("secretsmanager", "dynamodb", "sqs")


@http.endpoint
def handler(request: Request) -> Answer:
    """202 once the event is in the queue, 200 {"duplicate": true} when it was before; 401 for what
    is not signed or not of now, 400 for what is signed and makes no sense.
    """
    stamp = webhooks.Stamp(
        request.header("webhook-id") or "",
        request.header("webhook-timestamp") or "",
        request.header("webhook-signature") or "",
    )
    body = request.body()
    _check(stamp, body.encode(errors="surrogatepass"))
    message = _message(stamp, bodies.parse(body))
    if _is_known(stamp.id):
        return http.answer(200, {"duplicate": True})
    aws.client("sqs").send_message(
        QueueUrl=os.environ["ORDER_EVENTS_QUEUE_URL"],
        MessageBody=json.dumps(message),
        MessageGroupId=message["orderId"],
        MessageDeduplicationId=stamp.id,
        MessageAttributes=correlation.attributes(),
    )
    if not _keep(stamp.id):
        return http.answer(200, {"duplicate": True})
    metrics.count("WebhooksAccepted")
    return http.answer(202, {"accepted": True})


def _check(stamp: webhooks.Stamp, body: bytes) -> None:
    """Raises Problem 401 when nobody signed this, or not now."""
    signed = functools.partial(webhooks.is_signed, stamp, body)
    arn = os.environ["WEBHOOK_SECRET_ARN"]
    try:
        webhooks.check_age(
            stamp, tolerance=int(os.environ.get("WEBHOOK_TOLERANCE_SECONDS", _TOLERANCE))
        )
    except webhooks.Forged as forged:
        raise Problem(401, str(forged)) from None
    if signed(key=secrets.get(arn)):
        return
    # The secret may have been changed a moment ago.
    fresh = secrets.refetch(arn)
    if fresh is None or not signed(key=fresh):
        raise Problem(401, "webhook-signature is not the body's.")


def _message(stamp: webhooks.Stamp, content: Mapping[str, Any]) -> dict[str, str]:
    """What goes into the queue: {"id", "type", "orderId", "occurredAt"}. Raises Problem 400 that
    names every wrong member; members that are not known are left alone.
    """
    errors: list[dict[str, str]] = []
    kind, happened = content.get("type"), content.get("timestamp", ids.instant(stamp.seconds))
    if not isinstance(kind, str) or kind not in orders.CHANGES:
        known = ", ".join(orders.CHANGES)
        errors.append({"pointer": "/type", "detail": f"must be one of {known}"})
    order = http.member(content, "data").get("orderId")
    if not isinstance(order, str) or not ids.is_key(order):
        detail = "must be 1 to 64 of A-Z a-z 0-9 - and _"
        errors.append({"pointer": "/data/orderId", "detail": detail})
    if not isinstance(happened, str) or not 0 < len(happened) <= orders.LONGEST_INSTANT:
        errors.append({"pointer": "/timestamp", "detail": "must be an instant as text"})
    if errors:
        raise Problem(400, "The event is not valid.", errors=errors)
    return {"id": stamp.id, "type": str(kind), "orderId": str(order), "occurredAt": str(happened)}


def _key(event_id: str) -> dict[str, Any]:
    return {"id": {"S": f"delivery#{event_id}"}}


def _is_known(event_id: str) -> bool:
    found = aws.client("dynamodb").get_item(
        TableName=os.environ["STATE_TABLE"], Key=_key(event_id), ConsistentRead=True
    )
    return "Item" in found and int(found["Item"]["expiresAt"]["N"]) > time.time()


def _keep(event_id: str) -> bool:
    """Keep the id; False when it came twice at the same time, and the other one kept it."""
    now = int(time.time())
    try:
        aws.client("dynamodb").put_item(
            TableName=os.environ["STATE_TABLE"],
            Item={**_key(event_id), "expiresAt": {"N": str(now + _KEPT)}},
            ConditionExpression="attribute_not_exists(id) OR expiresAt <= :now",
            ExpressionAttributeValues={":now": {"N": str(now)}},
        )
    except Exception as error:
        if not conditions.failed(error):
            raise
        logs.info("event came twice at the same time", webhookId=event_id)
        return False
    return True
