"""Kinesis: streams and the consumers that read them with a throughput of their own."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, dropped, physical_name, remove, tags

_DAY: Final = 24
"""Hours that a stream keeps its records where nothing is said."""


@resource("aws:kinesis/stream:Stream", ignored=REGION)
def stream(r: Resource) -> Outputs:
    name, wanted = physical_name(r, limit=128), tags(r)
    mode = _mode(r)
    shards = int(r.take("shardCount") or 1)
    given: dict[str, Any] = {"StreamModeDetails": {"StreamMode": mode}, "Tags": wanted or None}
    r.call("kinesis", "create_stream", StreamName=name, ShardCount=shards, **given)
    _settle(r, name, hours=_DAY)
    if wanted:
        r.call("kinesis", "add_tags_to_stream", StreamName=name, Tags=wanted)
    return _outputs(r, name, wanted)


@stream.updates
def update_stream(r: Resource) -> Outputs:
    """Another name is another stream; all else changes in place, and the records stay but for another shard count."""
    if r.changed & {"name", "namePrefix"}:
        delete_stream(r)
        return stream.create(r)
    old = dict(r.old or {})
    name, wanted = physical_name(r, limit=128), tags(r)
    _mode(r)
    shards = r.take("shardCount")
    if shards and "shardCount" in r.changed:
        r.note("its records went when its shards were counted anew: the emulator does not split")
        r.call(
            "kinesis",
            "update_shard_count",
            StreamName=name,
            TargetShardCount=int(shards),
            ScalingType="UNIFORM_SCALING",
        )
    found = r.call("kinesis", "describe_stream_summary", StreamName=name)
    _settle(r, name, hours=found["StreamDescriptionSummary"]["RetentionPeriodHours"])
    if extra := dropped(r, wanted):
        r.call("kinesis", "remove_tags_from_stream", StreamName=name, TagKeys=extra)
    if wanted:
        r.call("kinesis", "add_tags_to_stream", StreamName=name, Tags=wanted)
    return {**old, **_outputs(r, name, wanted)}


@stream.deletes
def delete_stream(r: Resource) -> None:
    remove(
        r,
        "kinesis",
        "delete_stream",
        StreamName=(r.old or {})["name"],
        EnforceConsumerDeletion=True,
    )


def _mode(r: Resource) -> str:
    return str(r.block("streamModeDetails").take("streamMode") or "PROVISIONED")


def _settle(r: Resource, name: str, *, hours: int) -> None:
    """What the API has calls of its own for: retention (`hours` is what holds now), encryption, metrics by shard."""
    wanted = int(r.take("retentionPeriod") or _DAY)
    if wanted != hours:
        direction = "increase" if wanted > hours else "decrease"
        operation = f"{direction}_stream_retention_period"
        r.call("kinesis", operation, StreamName=name, RetentionPeriodHours=wanted)
    key, kind = r.take("kmsKeyId"), r.take("encryptionType")
    if kind == "KMS":
        r.call(
            "kinesis",
            "start_stream_encryption",
            StreamName=name,
            EncryptionType="KMS",
            KeyId=key or "alias/aws/kinesis",
        )
    elif r.changed & {"encryptionType", "kmsKeyId"}:
        before = key or "alias/aws/kinesis"
        r.call(
            "kinesis",
            "stop_stream_encryption",
            StreamName=name,
            EncryptionType="KMS",
            KeyId=before,
        )
    if metrics := r.take("shardLevelMetrics"):
        r.call("kinesis", "enable_enhanced_monitoring", StreamName=name, ShardLevelMetrics=metrics)
    for key in ("maxRecordSizeInKib", "warmThroughputMibPs"):
        if r.take(key):
            r.note(f"its {key} is recorded: the emulator takes records of any rate")


def _outputs(r: Resource, name: str, wanted: dict[str, str]) -> Outputs:
    arn = f"arn:aws:kinesis:{r.aws.region}:{r.aws.account}:stream/{name}"
    r.take("enforceConsumerDeletion")
    return {"id": arn, "arn": arn, "name": name, "tagsAll": wanted}


@resource("aws:kinesis/streamConsumer:StreamConsumer", ignored=REGION)
def stream_consumer(r: Resource) -> Outputs:
    name, wanted = physical_name(r, limit=128), tags(r)
    made = r.call(
        "kinesis", "register_stream_consumer", StreamARN=r.take("streamArn"), ConsumerName=name
    )["Consumer"]
    return {
        "id": made["ConsumerARN"],
        "arn": made["ConsumerARN"],
        "name": name,
        "creationTimestamp": made["ConsumerCreationTimestamp"].isoformat(),
        "tagsAll": wanted,
    }


@stream_consumer.updates
def update_stream_consumer(r: Resource) -> Outputs:
    """Only its tags change; the emulator keeps none."""
    if r.changed & {"name", "namePrefix", "streamArn"}:
        delete_stream_consumer(r)
        return stream_consumer.create(r)
    physical_name(r, limit=128)
    r.take("streamArn")
    return {**(r.old or {}), "tagsAll": tags(r)}


@stream_consumer.deletes
def delete_stream_consumer(r: Resource) -> None:
    remove(r, "kinesis", "deregister_stream_consumer", ConsumerARN=(r.old or {})["arn"])
