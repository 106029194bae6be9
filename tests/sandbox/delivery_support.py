"""Functions that are started by something, and what they were handed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests.sandbox.functions_support import archive, role
from tests.sandbox.services_support import Made, clients, make

TOLD = 'import json\n\ndef handler(event, context):\n    print("told", json.dumps(event))\n'


def reader(name: str, source: str = TOLD, **more: Any) -> Made:
    """A function that may do everything and logs what it is handed."""
    rights = role(name, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    return make(
        "lambda/function:Function",
        name,
        code=archive(source),
        role=rights["arn"],
        runtime="python3.13",
        handler="main.handler",
        **more,
    )


def permit(function: Made, service: str, source: str, **more: Any) -> Made:
    """Let a service start a function for one source."""
    return make(
        "lambda/permission:Permission",
        f"{function.name}-{service.partition('.')[0]}",
        action="lambda:InvokeFunction",
        function=function["name"],
        principal=service,
        sourceArn=source,
        **more,
    )


def admit(queue: Made, service: str, source: str) -> Made:
    """Let a service send to a queue for one source."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": queue["arn"],
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    return make(
        "sqs/queuePolicy:QueuePolicy",
        queue.name,
        queueUrl=queue["url"],
        policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def logged(function: Made, word: str = "told ") -> list[str]:
    """The lines that a function logged behind a word."""
    logs = clients().client("logs")
    group = f"/aws/lambda/{function['name']}"
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        return []
    events = logs.filter_log_events(logGroupName=group)["events"]
    lines = [e["message"] for e in sorted(events, key=lambda e: e["timestamp"])]
    return [line.removeprefix(word).rstrip() for line in lines if line.startswith(word)]


def told(function: Made, count: int = 1, *, seconds: float = 8) -> list[Any]:
    """What a function was handed, once it was `count` times."""

    def enough() -> list[str]:
        lines = logged(function)
        return lines if len(lines) >= count else []

    return [json.loads(line) for line in until(enough, seconds)]


def until(look: Callable[[], Any], seconds: float = 8) -> Any:
    """The first answer that is true."""
    limit = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < limit, "it did not come"
        time.sleep(0.03)
    return found


def received(queue: Made, count: int = 1, *, seconds: float = 8) -> list[dict[str, Any]]:
    """Messages of a queue, once there are `count`; they are deleted."""
    sqs, found = clients().client("sqs"), list[dict[str, Any]]()
    limit = time.monotonic() + seconds
    while len(found) < count:
        assert time.monotonic() < limit, f"only {len(found)} came"
        got = sqs.receive_message(
            QueueUrl=queue["url"],
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        )
        for message in got.get("Messages", []):
            sqs.delete_message(QueueUrl=queue["url"], ReceiptHandle=message["ReceiptHandle"])
            found.append(message)
    return found


def texts(message: dict[str, Any]) -> dict[str, str]:
    """A message's attributes as texts."""
    return {k: v["StringValue"] for k, v in message.get("MessageAttributes", {}).items()}
