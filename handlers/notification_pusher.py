"""Notifications topic -> everyone who subscribed to `notifications` over the WebSocket.

A notification that SNS delivers again is pushed once. Pushes that fail are logged, not repeated:
that would push to the others again.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from common import (
    aws,
    connections,
    correlation,
    logs,
    metrics,
    once,
    push,
    records,
    tracing,
    warming,
)
from common.deadline import Deadline

aws.prepare("dynamodb")
once.prepare()
push.prepare()


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """How many notifications the event had. Raises when the subscribers cannot be found: Lambda
    then tries again, and at last the event goes to the failures queue.
    """
    logs.begin(context, event)
    batch = records.of(event, "aws:sns")
    for record in correlation.each(batch):
        notification = record["Sns"]
        work = functools.partial(_push, message(notification), Deadline(context))
        once.run(f"push#{notification['MessageId']}", work, context=context)
    return {"notifications": len(batch)}


def message(notification: dict[str, Any]) -> bytes:
    """What subscribers get: {"topic": "notifications", "message": ..., "subject": ...}, without a
    subject where there is none.
    """
    body = {"topic": connections.NOTIFICATIONS, "message": notification["Message"]}
    if notification.get("Subject"):
        body["subject"] = notification["Subject"]
    return json.dumps(body, ensure_ascii=False).encode()


def _push(body: bytes, deadline: Deadline) -> None:
    subscribers = connections.subscribers(connections.NOTIFICATIONS)
    with tracing.step("push notification", subscribers=len(subscribers)):
        outcome = push.broadcast(subscribers, [body], deadline)
    if outcome.sent:
        metrics.count("PushesSent", outcome.sent)
    connections.forget(outcome.gone, connections.NOTIFICATIONS, deadline)
    logs.info(
        "notification pushed",
        subscribers=len(subscribers),
        sent=outcome.sent,
        gone=len(outcome.gone),
        failed=outcome.failed,
        left=outcome.left,
    )
