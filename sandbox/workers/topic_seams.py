"""SNS: how a message reaches a function, and where it goes when a subscriber cannot be reached.

MiniStack calls a function once and waits, lets every topic call it, drops what a queue's policy refuses, and posts to
addresses beyond this machine. Sources: SNS developer guide, "Fanout to Lambda functions", "Amazon SNS dead-letter queues"
(client-side errors go to the queue of the subscription's redrive policy at once), "Message delivery retries".
"""

import json
import urllib.parse
import uuid
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from sandbox.workers import borders, deliveries, queue_metrics
from sandbox.workers.seams import Seam

SNS: Final = "ministack.services.sns"
_SERVICE: Final = "sns.amazonaws.com"
_DELIVERED: Final = "NumberOfNotificationsDelivered"
Record = dict[str, Any]


def seams() -> list[Seam]:
    """Return the seams of topics."""
    return [
        Seam(
            SNS,
            "_deliver_to_lambda",
            _TO_FUNCTION,
            "a function is called once for a message, by any topic, and a failure is dropped",
            _to_function,
            needs=("_find_subscription",),
        ),
        Seam(
            SNS,
            "_deliver_to_sqs",
            _TO_QUEUE,
            "what a queue refuses of a topic is dropped",
            _to_queue,
            needs=("_topic_by_arn_any_scope",),
        ),
        Seam(
            SNS,
            "_http_post_sync",
            ("endpoint", "payload", "sns_message_type"),
            "subscriptions over HTTP reach addresses beyond this machine",
            _over_http,
        ),
    ]


_TO_FUNCTION: Final = (
    *("endpoint", "envelope", "topic_arn", "sub_arn", "msg_id", "raw_message"),
    "message_attributes",
)
_TO_QUEUE: Final = (
    *("endpoint", "envelope", "raw", "raw_message", "message_group_id", "message_dedup_id"),
    *("message_attributes", "topic_arn"),
)


def _to_function(module: ModuleType, _original: Callable[..., None]) -> Callable[..., None]:
    def deliver(endpoint: str, envelope: str, topic_arn: str, sub_arn: str, *_rest: Any) -> None:
        envelope = _addressed(envelope, sub_arn)
        try:
            event = {"Records": [_record(envelope, sub_arn)]}
            deliveries.start(endpoint, event, _SERVICE, topic_arn)
            queue_metrics.of_topic(topic_arn, _DELIVERED)
        except deliveries.Undeliverable as error:
            subscription = module._find_subscription(topic_arn, sub_arn)
            _bury(subscription, envelope, topic_arn, error)

    return deliver


def _addressed(envelope: str, sub_arn: str) -> str:
    """The message with its own subscription in the address to end it: MiniStack names the same one in all."""
    told = json.loads(envelope)
    address, named, _ = str(told.get("UnsubscribeURL", "")).partition("SubscriptionArn=")
    told["UnsubscribeURL"] = f"{address}{named}{sub_arn}" if named else address
    return json.dumps(told)


def _record(envelope: str, sub_arn: str) -> Record:
    """A message as a function gets it: every field there, and two spelt otherwise than in a queue."""
    told = json.loads(envelope)
    told["SigningCertUrl"] = told.pop("SigningCertURL", "")
    told["UnsubscribeUrl"] = told.pop("UnsubscribeURL", "")
    message = {"Subject": None, "MessageAttributes": {}, **told}
    return {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": sub_arn,
        "Sns": message,
    }


def _to_queue(module: ModuleType, original: Callable[..., None]) -> Callable[..., None]:
    def deliver(
        endpoint: str,
        envelope: str,
        raw: bool,  # noqa: FBT001 as it is called
        raw_message: str,
        message_group_id: str = "",
        message_dedup_id: str = "",
        message_attributes: Record | None = None,
        topic_arn: str = "",
    ) -> None:
        try:
            deliveries.check_queue(endpoint, _SERVICE, topic_arn)
        except deliveries.Undeliverable as error:
            topic = module._topic_by_arn_any_scope(topic_arn) or {}
            of_queue = [s for s in topic.get("subscriptions", []) if s["endpoint"] == endpoint]
            subscription = next(iter(of_queue), None)
            arn = str((subscription or {}).get("arn", ""))
            body = raw_message if raw else _addressed(envelope, arn)
            return _bury(subscription, body, topic_arn, error)
        queue_metrics.of_topic(topic_arn, _DELIVERED)
        queue_metrics.sent(endpoint.rpartition(":")[2], raw_message if raw else envelope)
        return original(
            endpoint,
            envelope,
            raw,
            raw_message,
            message_group_id,
            message_dedup_id,
            message_attributes,
            topic_arn,
        )

    return deliver


def _bury(
    subscription: Record | None, body: str, topic_arn: str, error: deliveries.Undeliverable
) -> None:
    queue_metrics.of_topic(topic_arn, "NumberOfNotificationsFailed")
    policy = ((subscription or {}).get("attributes") or {}).get("RedrivePolicy") or "{}"
    attributes = {
        "RequestID": str(uuid.uuid4()),
        "ErrorCode": "404" if error.code == "NO_RESOURCE" else "403",
        "ErrorMessage": str(error),
    }
    letters = json.loads(policy).get("deadLetterTargetArn")
    deliveries.bury(letters, body, attributes, service=_SERVICE, source=topic_arn)


def _over_http(_module: ModuleType, original: Callable[..., int]) -> Callable[..., int]:
    def post(endpoint: str, payload: str, sns_message_type: str) -> int:
        host = urllib.parse.urlsplit(endpoint).hostname or ""
        if not borders.is_open() and not borders.is_here(host):
            raise ConnectionRefusedError(f"{host} is another machine: nothing is sent there")
        return original(endpoint, payload, sns_message_type)

    return post
