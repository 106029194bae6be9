"""SNS: topics, their policies, subscriptions."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import AGAIN, Outputs, Resource, RestartNeeded, resource
from sandbox.services.shared import (
    REGION,
    dropped,
    pairs,
    physical_name,
    remove,
    tags,
)

_ATTRIBUTES: Final = {
    "archivePolicy": "ArchivePolicy",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "fifoThroughputScope": "FifoThroughputScope",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
_FEEDBACK: Final = {
    f"{protocol}{part}": "delivery status logs are CloudWatch's; the emulator's own log tells deliveries"
    for protocol in ("application", "firehose", "http", "lambda", "sqs")
    for part in ("FailureFeedbackRoleArn", "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate")
}


@resource("aws:sns/topic:Topic", ignored={**REGION, **_FEEDBACK})
def topic(r: Resource) -> Outputs:
    fifo = bool(r.take("fifoTopic"))
    name = physical_name(r, limit=256, suffix=".fifo" if fifo else "")
    attributes = {_ATTRIBUTES[k]: v for k, v in _given(r).items()}
    if fifo:
        attributes["FifoTopic"] = "true"
    wanted = tags(r)
    arn = r.call("sns", "create_topic", Name=name, Attributes=attributes, Tags=pairs(wanted))[
        "TopicArn"
    ]
    return {
        "id": arn,
        "arn": arn,
        "name": name,
        "owner": r.aws.account,
        "fifoTopic": fifo,
        "tagsAll": wanted,
    }


@topic.updates
def update_topic(r: Resource) -> Outputs:
    if moved := r.changed & {"name", "namePrefix", "fifoTopic"}:
        raise RestartNeeded(f"{min(moved)} of a topic cannot change under its subscriptions")
    old = dict(r.old or {})
    fifo = bool(r.take("fifoTopic"))
    physical_name(r, limit=256, suffix=".fifo" if fifo else "")
    given = _given(r)
    for key in sorted(r.changed & set(_ATTRIBUTES)):
        _set(r, old["arn"], _ATTRIBUTES[key], given.get(key, ""))
    wanted = tags(r)
    if extra := dropped(r, wanted):
        r.call("sns", "untag_resource", ResourceArn=old["arn"], TagKeys=extra)
    if wanted:
        r.call("sns", "tag_resource", ResourceArn=old["arn"], Tags=pairs(wanted))
    return {**old, "tagsAll": wanted}


@topic.deletes
def delete_topic(r: Resource) -> None:
    remove(r, "sns", "delete_topic", TopicArn=(r.old or {})["arn"])


def _given(r: Resource) -> dict[str, str]:
    """The attributes that are set, as the API's texts."""
    found = {key: r.take(key) for key in _ATTRIBUTES}
    return {
        k: str(v).lower() if isinstance(v, bool) else str(v)
        for k, v in found.items()
        if v is not None
    }


def _set(r: Resource, arn: str, name: str, value: str) -> None:
    r.call("sns", "set_topic_attributes", TopicArn=arn, AttributeName=name, AttributeValue=value)


@resource("aws:sns/topicPolicy:TopicPolicy", update=AGAIN, ignored=REGION)
def topic_policy(r: Resource) -> Outputs:
    arn = r.take("arn")
    _set(r, arn, "Policy", r.take("policy"))
    return {"id": arn, "arn": arn, "owner": r.aws.account}


@topic_policy.deletes
def delete_topic_policy(r: Resource) -> None:
    remove(
        r,
        "sns",
        "set_topic_attributes",
        TopicArn=(r.old or {})["id"],
        AttributeName="Policy",
        AttributeValue="",
    )


_SUBSCRIPTION: Final = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}
_UNSENT: Final = {
    "application": "no push message leaves the sandbox",
    "email": "no e-mail leaves the sandbox",
    "email-json": "no e-mail leaves the sandbox",
    "firehose": "nothing is sent to a delivery stream",
    "sms": "no text message leaves the sandbox",
}


@resource(
    "aws:sns/topicSubscription:TopicSubscription",
    ignored={
        **REGION,
        "endpointAutoConfirms": "whether an endpoint confirms by itself shows when it is called",
        "confirmationTimeoutInMinutes": "a wait of the provider, not of SNS",
    },
)
def subscription(r: Resource) -> Outputs:
    topic_arn, protocol = r.take("topic"), r.take("protocol")
    answer = r.call(
        "sns",
        "subscribe",
        TopicArn=topic_arn,
        Protocol=protocol,
        Endpoint=r.take("endpoint"),
        Attributes=_subscription_attributes(r),
        ReturnSubscriptionArn=True,
    )
    _note_protocol(r, protocol)
    pending = "pending" in answer["SubscriptionArn"]
    return {
        "id": answer["SubscriptionArn"],
        "arn": answer["SubscriptionArn"],
        "ownerId": r.aws.account,
        "pendingConfirmation": pending,
        "confirmationWasAuthenticated": not pending,
    }


def _note_protocol(r: Resource, protocol: str) -> None:
    """Say what of a subscription's deliveries stays here."""
    if protocol in _UNSENT:
        r.note(_UNSENT[protocol])
    if protocol in ("http", "https"):
        r.note("nothing is sent to other machines, and what this one refuses is not tried again")


@subscription.updates
def update_subscription(r: Resource) -> Outputs:
    if r.changed & {"topic", "protocol", "endpoint"}:
        delete_subscription(r)
        return subscription.create(r)
    old = dict(r.old or {})
    for key in ("topic", "protocol", "endpoint"):
        r.take(key)
    _note_protocol(r, r.inputs["protocol"])
    given = _subscription_attributes(r)
    for key in sorted(r.changed & set(_SUBSCRIPTION)):
        name = _SUBSCRIPTION[key]
        value = given.get(name, "false" if name == "RawMessageDelivery" else "")
        r.call(
            "sns",
            "set_subscription_attributes",
            SubscriptionArn=old["arn"],
            AttributeName=name,
            AttributeValue=value,
        )
    return old


@subscription.deletes
def delete_subscription(r: Resource) -> None:
    remove(r, "sns", "unsubscribe", SubscriptionArn=(r.old or {})["arn"])


def _subscription_attributes(r: Resource) -> dict[str, Any]:
    given = {name: r.take(key) for key, name in _SUBSCRIPTION.items()}
    return {
        k: str(v).lower() if isinstance(v, bool) else v for k, v in given.items() if v is not None
    }
