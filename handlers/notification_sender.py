"""Notifications queue -> notifications topic and, for a message with an address, e-mail.

A message is a JSON object. Its `message` is published under its `subject`; without a `message` the
whole object is published, except for an order that was placed, which is put into words. With an
`email` it goes there as well. Both are done once for a message's `id`, or else its place in the
queue. What cannot be published fails alone: the queue delivers it again and, after its receives, to
the dead-letter queue.
"""

from __future__ import annotations

import functools
import json
import os
import re
from typing import Any

from common import aws, correlation, logs, mail, metrics, once, queues, warming
from common.queues import Poison

_BLANKS = (
    " \t\n\r\f\v"  # what the schema of POST /notifications calls blank; SNS publishes other spaces
)
_LONGEST_SUBJECT = 100  # characters, a limit of SNS
_LONGEST_ID = 128  # characters
_MOST = 1e15  # of money that floating point still has the cents of
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]+")
_NO_SUBJECT = "Notification"  # e-mail without one looks broken

aws.prepare("sns")
once.prepare()
mail.prepare()


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The messages that were not published, for ReportBatchItemFailures."""
    logs.begin(context, event)
    work = functools.partial(_send, context=context)
    return queues.each(event, context, work, queue_url=os.environ.get("NOTIFICATIONS_QUEUE_URL"))


def _send(record: dict[str, Any], *, context: Any) -> None:
    """Publish and mail. Each is done once by itself: where the second one fails, the first is not
    repeated.
    """
    content = _content(record["body"])
    told = publication(content)
    key = _id(content) or record["messageId"]
    publish = functools.partial(_publish, told, key)
    once.run(f"notice#{key}", publish, context=context)
    logs.info("notification done", id=key)  # now, or when the message came before
    address = content.get("email")
    if address is None:
        return
    if not isinstance(address, str):
        raise Poison("email must be text")
    if mail.is_on():
        once.run(f"mail#{key}", functools.partial(_mail, told, address, key), context=context)


def _publish(told: dict[str, str], key: str) -> None:
    # A topic delivers at least once: a subscriber can tell by this that it has seen a message
    # before.
    identity = {"DataType": "String", "StringValue": key}
    aws.client("sns").publish(
        TopicArn=os.environ["NOTIFICATIONS_TOPIC_ARN"],
        MessageAttributes={"messageId": identity, **correlation.attributes()},
        **told,
    )
    metrics.count("NotificationsSent")


def _mail(told: dict[str, str], address: str, key: str) -> None:
    subject = told.get("Subject", _NO_SUBJECT)
    try:
        mail.send(address, subject=subject, text=told["Message"])
    except mail.Refused as refused:
        # Others have got the notification; the address will not be better next time.
        logs.warning("e-mail refused", id=key, reason=str(refused))


def publication(content: dict[str, Any]) -> dict[str, str]:
    """`Message` and, where there is one, `Subject` for the object of a message. Raises Poison for
    one that says nothing.
    """
    content = _order(content) or content
    message = content.get("message")
    if not isinstance(message, str):
        message = json.dumps(content, ensure_ascii=False)
    if not message.strip(_BLANKS):
        raise Poison("the message is blank")
    try:
        message.encode()
    except UnicodeEncodeError:  # it would tell the whole text
        raise Poison("the message has half of a surrogate pair") from None
    subject = _subject(content.get("subject"))
    return {"Message": message} | ({"Subject": subject} if subject else {})


def _content(body: str) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        # The parser's own exception carries the whole text.
        raise Poison("the message is not JSON") from None
    if not isinstance(content, dict) or not content:
        raise Poison("the message is not a JSON object with members")
    return content


def _id(content: dict[str, Any]) -> str:
    """What a message calls itself, "" when it does not. An order is placed once."""
    given = content.get("id")
    if isinstance(given, str) and 0 < len(given) <= _LONGEST_ID and given.isprintable():
        return given
    return f"OrderPlaced#{content['orderId']}" if _order(content) else ""


def _order(content: dict[str, Any]) -> dict[str, str] | None:
    """Subject and message of an order that was placed, as the orders topic tells it; None for
    anything else.
    """
    order, total = content.get("orderId"), content.get("total")
    if content.get("event") != "OrderPlaced" or "message" in content:
        return None
    if not isinstance(order, str) or isinstance(total, bool) or not isinstance(total, int | float):
        return None
    if not 0 <= total < _MOST:
        return None
    return {"subject": f"Order of {total:,.2f}", "message": f"Order {order}: {total:,.2f} in all."}


def _subject(value: object) -> str:
    """A subject within SNS's limits: printable ASCII without line breaks, at most 100 characters;
    "" when nothing is left.
    """
    if not isinstance(value, str):
        return ""
    return _UNPRINTABLE.sub(" ", value).strip()[:_LONGEST_SUBJECT].rstrip()
