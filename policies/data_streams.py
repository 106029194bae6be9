"""Kinesis: streams that are encrypted and end, readers of their own that are used."""

from __future__ import annotations

from collections.abc import Iterator

from policies import aws
from policies.encryption import key_of
from policies.model import Registered, Stack, rule

HOURS = (24, 8_760)
MOST_CONSUMERS = 20
"""Consumers with enhanced fan-out of one stream (Kinesis quotas)."""
MODES = frozenset({"PROVISIONED", "ON_DEMAND"})


@rule
def data_stream_is_private(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Encrypted with our key: the type and the key together, since one without the other means nothing."""
    for stream in stack.all(aws.DATA_STREAM):
        if stream.get("encryptionType") != "KMS":
            yield stream, "encryptionType must be KMS"
        if stack.at(key_of(stack, stream), aws.KEY) is None:
            yield stream, "set kmsKeyId to the data key"


@rule
def data_stream_has_a_size(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Shards are counted in advance, or by AWS, never both; records stay a day to a year."""
    for stream in stack.all(aws.DATA_STREAM):
        mode = stream.get("streamModeDetails.streamMode")
        shards = stream.get("shardCount")
        if mode not in MODES:
            yield stream, f"streamMode is {mode}; say PROVISIONED or ON_DEMAND"
        if mode == "PROVISIONED" and not shards:
            yield stream, "PROVISIONED needs a shardCount"
        if mode == "ON_DEMAND" and shards is not None:
            yield stream, "ON_DEMAND takes no shardCount"
        hours = stream.get("retentionPeriod")
        if not isinstance(hours, int) or not HOURS[0] <= hours <= HOURS[1]:
            yield stream, f"retentionPeriod is {hours}; say {HOURS[0]} to {HOURS[1]} hours"


@rule
def fan_out_is_used(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A reader with a pipe of its own is paid by the hour: one mapping reads it, and twenty fit a stream."""
    read = [m.get("eventSourceArn") for m in stack.all(aws.EVENT_SOURCE_MAPPING)]
    for consumer in stack.all(aws.STREAM_CONSUMER):
        if stack.at(str(consumer.get("streamArn")), aws.DATA_STREAM) is None:
            yield consumer, "its stream is not of this stack"
        if consumer.output("arn") not in read:
            yield consumer, "no event source mapping reads it"
    for stream in stack.all(aws.DATA_STREAM):
        mine = stack.having(aws.STREAM_CONSUMER, streamArn=stream.output("arn"))
        if len(mine) > MOST_CONSUMERS:
            yield stream, f"has {len(mine)} consumers; {MOST_CONSUMERS} are taken"


RULES = (data_stream_is_private, data_stream_has_a_size, fan_out_is_used)
