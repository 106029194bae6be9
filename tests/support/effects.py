"""What a running stack has done, as tests look at it: rows, objects, messages that lie in queues, mails.

Nothing here receives or changes anything, so that tests of one sandbox do not take each other's messages.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.box import Box
from sandbox.operations import peeking
from sandbox.operations.letters import Letter
from sandbox.operations.mails import Mail

Row = dict[str, Any]
POLL_SECONDS = 0.05


def eventually(check: Callable[[], Any], seconds: float = 15.0) -> Any:
    """The first true value of `check`, asked every 50 ms; fails with its last value after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s; last seen: {found!r}")
        time.sleep(POLL_SECONDS)


def unique(prefix: str = "t") -> str:
    """A name that nothing else has."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def order(order_id: str, *, price: str = "1.50", email: str = "ann@example.com") -> dict[str, Any]:
    """The message that places an order."""
    items = [{"id": "lamp", "quantity": 1, "price": price}]
    return {"orderId": order_id, "customerEmail": email, "items": items}


def item_row(item_id: str, *, version: int = 1) -> dict[str, dict[str, Any]]:
    """A whole row of an item, as the API writes it: whoever lists the items meets it too."""
    now = "2026-11-21T00:00:00.000Z"
    return {
        "id": {"S": item_id},
        "collection": {"S": "items"},
        "name": {"S": "written past the API"},
        "price": {"N": "1.50"},
        "tags": {"L": []},
        "version": {"N": str(version)},
        "createdAt": {"S": now},
        "updatedAt": {"S": now},
    }


class Effects:
    """Looks at one box."""

    def __init__(self, box: Box) -> None:
        self.box = box

    def stored(self, bucket: str, key: str) -> bytes | None:
        """An object of the bucket that is exported as `bucket`, None where there is none."""
        s3 = self.box.client("s3")
        try:
            body = s3.get_object(Bucket=self.box.outputs[bucket], Key=key)["Body"]
        except s3.exceptions.NoSuchKey:
            return None
        return bytes(body.read())

    def row(self, table: str, **key: str) -> Row | None:
        """A row of the table that is exported as `table`, in DynamoDB's notation."""
        found = self.box.client("dynamodb").get_item(
            TableName=self.box.outputs[table],
            Key={name: {"S": value} for name, value in key.items()},
            ConsistentRead=True,
        )
        return found.get("Item")

    def rows(self, table: str, key: str, prefix: str) -> list[Row]:
        """The rows whose `key` begins with `prefix`."""
        pages = (
            self.box.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=self.box.outputs[table],
                FilterExpression="begins_with(#key, :prefix)",
                ExpressionAttributeNames={"#key": key},
                ExpressionAttributeValues={":prefix": {"S": prefix}},
                ConsistentRead=True,
            )
        )
        return [row for page in pages for row in page["Items"]]

    def audited(self, item_id: str) -> list[Row]:
        """The audit rows of an item, or of `order#ID`, in order."""
        return self.box.client("dynamodb").query(
            TableName=self.box.outputs["auditTable"],
            KeyConditionExpression="itemId = :i",
            ExpressionAttributeValues={":i": {"S": item_id}},
        )["Items"]

    def placed(self, order_id: str, confirmation: str = "sent") -> Row | None:
        """An order's row, once its confirmation has come that far."""
        found = self.row("ordersTable", orderId=order_id)
        return found if found and found["confirmation"]["S"] == confirmation else None

    def peek(self, url: str) -> list[str]:
        """The bodies of all messages that a queue holds, in flight or not."""
        found = peeking.messages(self.box.endpoint, "sqs", QueueUrl=url)
        queues = [queue for regions in found.values() for queue in regions.values()]
        return [
            message["Body"]
            for queue in queues
            for messages in queue.values()
            for message in messages
        ]

    def mails(self, address: str) -> list[Mail]:
        """The mails that went to an address, oldest first."""
        return [mail for mail in self.box.mails() if address in mail.to]

    def letters(self, queue: str, marker: str) -> list[Letter]:
        """The letters in a dead-letter queue that hold a text."""
        return [letter for letter in self.box.dead_letters(queue) if marker in letter.body]

    def lines(self, function: str, marker: str) -> list[str]:
        """What a function logged that holds a text."""
        said = [json.dumps(line, ensure_ascii=False) for line in self.box.logs(function)]
        return [line for line in said if marker in line]

    def inbox(self, topic: str, **attributes: Any) -> str:
        """The URL of a new queue that gets what a topic of that name or ARN tells, as it is told."""
        arn = topic if topic.startswith("arn:") else self.box.outputs["topics"][topic]
        url, own = self._queue("sns.amazonaws.com", arn)
        self.box.client("sns").subscribe(
            TopicArn=arn,
            Protocol="sqs",
            Endpoint=own,
            Attributes={"RawMessageDelivery": "true", **attributes},
        )
        return url

    def listening(self, pattern: dict[str, Any], *, bus: str = "") -> str:
        """The URL of a new queue that gets the events that match a pattern, of the stack's own bus unless it is named."""
        events, name = self.box.client("events"), unique("rule")
        bus = bus or self.box.outputs["eventBusName"]
        rule = events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
        url, own = self._queue("events.amazonaws.com", rule["RuleArn"])
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": own}])
        return url

    def _queue(self, service: str, source: str) -> tuple[str, str]:
        """URL and ARN of a new queue that takes from one source: as on AWS, its policy must say so."""
        sqs = self.box.client("sqs")
        url = sqs.create_queue(QueueName=unique("inbox"))["QueueUrl"]
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        own = asked["Attributes"]["QueueArn"]
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sqs:SendMessage",
            "Resource": own,
            "Condition": {"ArnEquals": {"aws:SourceArn": source}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return url, own
