"""Notifications queue -> notifications topic.

A message is a JSON object. Its `message` is published under its `subject`; without a `message` the
whole object is published. A message that cannot be published fails alone: the queue delivers it
again and, after its receives, to the dead-letter queue.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

from common import aws, logs, warming
from common.deadline import Deadline

_BLANKS = (
    " \t\n\r\f\v"  # what the schema of POST /notifications calls blank; SNS publishes other spaces
)
_LONGEST_SUBJECT = 100  # characters, a limit of SNS
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]+")

aws.prepare("sns")


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The messages that were not published, for ReportBatchItemFailures."""
    logs.begin(context)
    failures: list[dict[str, str]] = []
    deadline = Deadline(context)
    for position, record in enumerate(event["Records"]):
        # What is not begun in time goes back unpublished; running into the timeout would send the
        # published ones back too, and publish them twice.
        if position and deadline.is_near():
            left = event["Records"][position:]
            logs.warning("out of time, messages go back to the queue", messages=len(left))
            failures += [{"itemIdentifier": late["messageId"]} for late in left]
            break
        try:
            _publish(record)
        except Exception as error:
            logs.error("message not published", cause=error, messageId=record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    logs.info("batch published", messages=len(event["Records"]), failures=len(failures))
    return {"batchItemFailures": failures}


def _publish(record: dict[str, Any]) -> None:
    published: dict[str, Any] = {
        "TopicArn": os.environ["NOTIFICATIONS_TOPIC_ARN"],
        **publication(record["body"]),
        # A queue delivers at least once: a subscriber can tell by this that it has seen a message
        # before.
        "MessageAttributes": {
            "messageId": {"DataType": "String", "StringValue": record["messageId"]}
        },
    }
    aws.client("sns").publish(**published)


def publication(body: str) -> dict[str, str]:
    """`Message` and, where there is one, `Subject` for a queue message's body.

    Raises ValueError for anything but a JSON object with something in it.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        # The parser's own exception carries the whole text.
        raise ValueError("the message is not JSON") from None
    if not isinstance(content, dict) or not content:
        raise ValueError("the message is not a JSON object with members")
    message = content.get("message")
    if not isinstance(message, str):
        message = json.dumps(content, ensure_ascii=False)
    if not message.strip(_BLANKS):
        raise ValueError("the message is blank")
    message.encode()  # half of a surrogate pair raises UnicodeEncodeError, a ValueError
    subject = _subject(content.get("subject"))
    return {"Message": message} | ({"Subject": subject} if subject else {})


def _subject(value: object) -> str:
    """A subject within SNS's limits: printable ASCII without line breaks, at most 100 characters;
    "" when nothing is left.
    """
    if not isinstance(value, str):
        return ""
    return _UNPRINTABLE.sub(" ", value).strip()[:_LONGEST_SUBJECT].rstrip()
