"""SQS: queues and their policies."""

from __future__ import annotations

from typing import Final

from sandbox.resources import AGAIN, Outputs, Resource, RestartNeeded, resource
from sandbox.services.shared import REGION, dropped, physical_name, remove, tags

_ATTRIBUTES: Final = {
    "contentBasedDeduplication": ("ContentBasedDeduplication", "false"),
    "deduplicationScope": ("DeduplicationScope", "queue"),
    "delaySeconds": ("DelaySeconds", "0"),
    "fifoThroughputLimit": ("FifoThroughputLimit", "perQueue"),
    "kmsDataKeyReusePeriodSeconds": ("KmsDataKeyReusePeriodSeconds", "300"),
    "kmsMasterKeyId": ("KmsMasterKeyId", ""),
    "maxMessageSize": ("MaximumMessageSize", "1048576"),
    "messageRetentionSeconds": ("MessageRetentionPeriod", "345600"),
    "policy": ("Policy", ""),
    "receiveWaitTimeSeconds": ("ReceiveMessageWaitTimeSeconds", "0"),
    "redriveAllowPolicy": ("RedriveAllowPolicy", ""),
    "redrivePolicy": ("RedrivePolicy", ""),
    "sqsManagedSseEnabled": ("SqsManagedSseEnabled", "true"),
    "visibilityTimeoutSeconds": ("VisibilityTimeout", "30"),
}
"""Input to API attribute and the value AWS falls back to when the input is taken away."""

_FIFO_ONLY: Final = {"contentBasedDeduplication", "deduplicationScope", "fifoThroughputLimit"}


@resource("aws:sqs/queue:Queue", ignored=REGION)
def queue(r: Resource) -> Outputs:
    fifo = bool(r.take("fifoQueue"))
    name = physical_name(r, limit=80, suffix=".fifo" if fifo else "")
    attributes = _attributes(r, fifo=fifo)
    if fifo:
        attributes["FifoQueue"] = "true"
    wanted = tags(r)
    url = r.call("sqs", "create_queue", QueueName=name, Attributes=attributes, tags=wanted)[
        "QueueUrl"
    ]
    arn = f"arn:aws:sqs:{r.aws.region}:{r.aws.account}:{name}"
    return {"id": url, "url": url, "arn": arn, "name": name, "fifoQueue": fifo, "tagsAll": wanted}


@queue.updates
def update_queue(r: Resource) -> Outputs:
    if moved := r.changed & {"name", "namePrefix", "fifoQueue"}:
        raise RestartNeeded(f"{min(moved)} of a queue cannot change while it holds messages")
    old = dict(r.old or {})
    fifo = bool(r.take("fifoQueue"))
    physical_name(r, limit=80, suffix=".fifo" if fifo else "")
    attributes = _attributes(r, fifo=fifo)
    gone = {_ATTRIBUTES[key] for key in r.changed & set(_ATTRIBUTES) if r.inputs.get(key) is None}
    attributes |= dict(gone)
    r.call("sqs", "set_queue_attributes", QueueUrl=old["url"], Attributes=attributes)
    wanted = tags(r)
    if extra := dropped(r, wanted):
        r.call("sqs", "untag_queue", QueueUrl=old["url"], TagKeys=extra)
    if wanted:
        r.call("sqs", "tag_queue", QueueUrl=old["url"], Tags=wanted)
    return {**old, "tagsAll": wanted}


@queue.deletes
def delete_queue(r: Resource) -> None:
    remove(r, "sqs", "delete_queue", QueueUrl=(r.old or {})["url"])


def _attributes(r: Resource, *, fifo: bool) -> dict[str, str]:
    """Attributes for the inputs that are set; AWS refuses FIFO's own on a standard queue, even false."""
    found = {}
    for key, (name, _) in _ATTRIBUTES.items():
        value = r.take(key)
        if value is None or (key in _FIFO_ONLY and not fifo and not value):
            continue
        found[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


@resource("aws:sqs/queuePolicy:QueuePolicy", update=AGAIN, ignored=REGION)
def queue_policy(r: Resource) -> Outputs:
    url = r.take("queueUrl")
    r.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": r.take("policy")})
    return {"id": url, "queueUrl": url}


@queue_policy.deletes
def delete_queue_policy(r: Resource) -> None:
    remove(
        r, "sqs", "set_queue_attributes", QueueUrl=(r.old or {})["id"], Attributes={"Policy": ""}
    )
