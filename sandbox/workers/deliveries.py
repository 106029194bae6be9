"""What a service hands on to a function, queue or topic: whether it may, and where it goes where it may not.

MiniStack starts a function for anyone, once, and drops what fails. On AWS a service needs a permission of the target's own
policy, starts a function asynchronously (so that the function's retries and destinations hold), and sends what cannot be
delivered to the dead-letter queue of the subscription, rule or schedule.
"""

import logging
import uuid
from collections.abc import Mapping
from typing import Any

logger = logging.getLogger("sandbox.workers")
Record = dict[str, Any]
Attributes = Mapping[str, str]


class Undeliverable(Exception):
    """Why a target did not get something: EventBridge's code (`NO_PERMISSIONS`) and a text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def start(arn: str, event: Any, service: str, source: str) -> None:
    """Start a function asynchronously on behalf of `source`. Raises Undeliverable."""
    from ministack.services import lambda_svc

    record = function(arn, service, source)
    lambda_svc.invoke_async_with_retry(record, event)


def function(arn: str, service: str, source: str) -> Record:
    """The record to execute of a function that the service may invoke for `source`. Raises Undeliverable."""
    from ministack.services import lambda_svc

    found, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not found or not config:
        raise Undeliverable("NO_RESOURCE", f"there is no function {name}")
    # A version's record keeps the policy of the moment it was published; what is allowed since stands with the function.
    base, _, _ = lambda_svc._get_base_func_record_for_ref(arn)
    if not _lets((base or {}).get("policy"), "lambda:InvokeFunction", arn, service, source):
        raise Undeliverable("NO_PERMISSIONS", f"{service} may not invoke {arn} for {source}")
    return dict(lambda_svc._execution_record_for_config(found, config))


def check_queue(arn: str, service: str, source: str) -> None:
    """Raise Undeliverable where there is no such queue, or its policy does not let the service in for `source`."""
    from ministack.services import sqs

    if sqs._queue_by_arn(arn) is None:
        raise Undeliverable("NO_RESOURCE", f"there is no queue {arn}")
    if not sqs.queue_policy_allows(arn, service, source, source.split(":")[4]):
        raise Undeliverable("NO_PERMISSIONS", f"{service} may not send to {arn} for {source}")


def check_topic(arn: str, service: str, source: str) -> None:
    """Raise Undeliverable where there is no such topic, or its policy does not let the service in for `source`."""
    from ministack.services import sns

    if sns._topic_by_arn_any_scope(arn) is None:
        raise Undeliverable("NO_RESOURCE", f"there is no topic {arn}")
    if not sns.topic_policy_allows(arn, service, source, source.split(":")[4]):
        raise Undeliverable("NO_PERMISSIONS", f"{service} may not publish to {arn} for {source}")


def publish(arn: str, message: str, subject: str) -> None:
    """Publish to a topic as a service does, without a caller's rights."""
    from ministack.services import sns

    sns._fanout(arn, str(uuid.uuid4()), message, subject)


def put(arn: str, body: str, attributes: Attributes | None = None) -> None:
    """Send a message to a standard queue as a service does, without a caller's rights."""
    from ministack.services import sqs

    given = {
        name: {"DataType": "String", "StringValue": text or "-"}
        for name, text in (attributes or {}).items()
    }
    queue = sqs._queue_by_arn(arn)
    if queue is None:
        raise Undeliverable("NO_RESOURCE", f"there is no queue {arn}")
    url = sqs._queue_url_for_account(arn.split(":")[4], arn.rpartition(":")[2])
    sqs._act_send_message({"QueueUrl": url, "MessageBody": body, "MessageAttributes": given}, url)


def bury(
    letters: str | None, body: str, attributes: Attributes, *, service: str, source: str
) -> None:
    """Send what could not be delivered to a dead-letter queue; without one, or where that refuses too, it is lost."""
    why = attributes.get("ERROR_MESSAGE") or attributes.get("ErrorMessage", "")
    if not letters:
        logger.warning("%s: dropped, it has no dead-letter queue: %s", source, why)
        return
    try:
        check_queue(letters, service, source)
        put(letters, body, attributes)
    except Exception as error:
        logger.warning(
            "%s: lost (%s), its dead-letter queue did not take it: %s", source, why, error
        )


def _lets(policy: Any, action: str, arn: str, service: str, source: str) -> bool:
    """Whether a resource's own policy lets a service act for `source`."""
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy

    # An S3 bucket's ARN has no account: it is the one of the sandbox.
    account = source.split(":")[4] or arn.split(":")[4]
    context = EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=arn,
        region=arn.split(":")[3],
        service_context={"aws:sourcearn": source, "aws:sourceaccount": account},
    )
    return bool(evaluate_resource_policy(policy, context, service=service).decision == "Allow")
