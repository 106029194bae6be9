"""What the functions around orders touch, in memory: tables, topic, bus, mail and queues."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.handlers.fake_dynamodb import Tables
from tests.handlers.fakes import Aws, AwsError

ENVIRONMENT = {
    "ORDERS_TABLE": "orders",
    "STATE_TABLE": "state",
    "ORDERS_TOPIC_ARN": "arn:aws:sns:us-west-2:123456789012:orders",
    "EVENTS_BUS_NAME": "events",
    "MAIL_FROM_ADDRESS": "shop@example.com",
    "ORDERS_QUEUE_URL": "https://sqs.us-west-2.amazonaws.com/123456789012/orders",
    "ORDER_EVENTS_QUEUE_URL": "https://sqs.us-west-2.amazonaws.com/123456789012/order-events.fifo",
    "NOTIFICATIONS_QUEUE_URL": "https://sqs.us-west-2.amazonaws.com/123456789012/notifications",
}


class World:
    """Everything told is kept: `published` and `events` as (attributes or type, content), `mails`
    as (address, text), `postponed` as (receipt, seconds), `sent` as the calls.
    """

    def __init__(self) -> None:
        self.aws = Aws()
        self.tables = Tables(self.aws, orders="orderId", state="id")
        self.published: list[tuple[dict[str, Any], Any]] = []
        self.events: list[tuple[str, Any]] = []
        self.mails: list[tuple[str, str]] = []
        self.postponed: list[tuple[str, int]] = []
        self.sent: list[dict[str, Any]] = []
        for name in ("PublishBatch", "Publish", "PutEvents", "SendEmail", "SendMessage"):
            self.aws.on(name, getattr(self, f"_{re.sub('(?<!^)(?=[A-Z])', '_', name).lower()}"))
        self.aws.on("ChangeMessageVisibilityBatch", self._postpone)

    @property
    def orders(self) -> dict[str, Any]:
        return self.tables.rows["orders"]

    def _publish_batch(self, call: dict[str, Any]) -> dict[str, Any]:
        entries = call["PublishBatchRequestEntries"]
        assert 1 <= len(entries) <= 10
        for entry in entries:
            self.published.append((entry["MessageAttributes"], json.loads(entry["Message"])))
        return {"Successful": [{"Id": entry["Id"]} for entry in entries], "Failed": []}

    def _publish(self, call: dict[str, Any]) -> dict[str, Any]:
        self.published.append((call["MessageAttributes"], call))
        return {"MessageId": "m"}

    def _put_events(self, call: dict[str, Any]) -> dict[str, Any]:
        assert 1 <= len(call["Entries"]) <= 10
        for entry in call["Entries"]:
            assert entry["EventBusName"] == "events"
            assert entry["Source"] == "sandpiper.orders"
            self.events.append((entry["DetailType"], json.loads(entry["Detail"])))
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in call["Entries"]]}

    def _send_email(self, call: dict[str, Any]) -> dict[str, Any]:
        (address,) = call["Destination"]["ToAddresses"]
        if address.startswith("refused"):
            raise AwsError("MessageRejected")
        self.mails.append((address, call["Message"]["Body"]["Text"]["Data"]))
        return {"MessageId": "m"}

    def _send_message(self, call: dict[str, Any]) -> dict[str, Any]:
        self.sent.append(call)
        return {"MessageId": "m"}

    def _postpone(self, call: dict[str, Any]) -> dict[str, Any]:
        assert 1 <= len(call["Entries"]) <= 10
        for entry in call["Entries"]:
            assert 0 <= entry["VisibilityTimeout"] <= 43_200
            self.postponed.append((entry["ReceiptHandle"], entry["VisibilityTimeout"]))
        return {"Successful": [], "Failed": []}


def order(order_id: str = "o-1", **members: Any) -> dict[str, Any]:
    items = [
        {"id": "lamp", "quantity": 2, "price": "19.90"},
        {"id": "cord", "quantity": 7, "price": 0.145},
    ]
    return {"orderId": order_id, "customerEmail": "a@example.com", "items": items} | members


def message(body: Any, *, number: int = 1, receives: int = 1, group: str = "") -> dict[str, Any]:
    """A record as a queue's event has it; with a group, of a FIFO queue."""
    text = body if isinstance(body, str) else json.dumps(body)
    fifo = {"MessageGroupId": group, "MessageDeduplicationId": f"d{number}"} if group else {}
    return {
        "messageId": f"m{number}",
        "receiptHandle": f"r{number}",
        "body": text,
        "attributes": {"ApproximateReceiveCount": str(receives), **fifo},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-west-2:123456789012:q{'.fifo' if group else ''}",
    }


def event(*bodies: Any, **options: Any) -> dict[str, Any]:
    """An event of these bodies: m1, m2 ..."""
    return {"Records": [message(b, number=n, **options) for n, b in enumerate(bodies, 1)]}


def failed(answer: dict[str, Any]) -> list[str]:
    return [entry["itemIdentifier"] for entry in answer["batchItemFailures"]]
