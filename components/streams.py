"""Kinesis: a stream of records, as owner of the grants to it."""

from __future__ import annotations

from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from components.grants import Grant, Statement, variable_name
from components.keys import DataKey
from components.messaging import Queue
from components.place import Place
from components.service_roles import service_role
from settings import TelemetrySettings

KINESIS_RECORD_KIB = 1024
"""The largest record of a stream that nobody changed."""


class Source(NamedTuple):
    """What a mapping reads, and the rights that takes."""

    arn: pulumi.Output[str]
    rights: Grant


class DataStream(pulumi.ComponentResource):
    """An encrypted Kinesis stream; off, it is no resource at all and its `name` is an empty text.

    A shard costs about 11 USD a month, a stream on demand about 29, idle or not. With `iot_rule_enabled` messages of
    devices come in by an AWS IoT rule; `failures` takes those that do not fit.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: TelemetrySettings,
        failures: Queue,
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:DataStream", name, None, opts)
        self.component = name
        self._settings, self._encryption, self._place = settings, encryption, place
        self._variable = variable_name(name, "STREAM_NAME")
        self._child = pulumi.ResourceOptions(parent=self)
        self.enabled = settings.enabled
        self.name: pulumi.Output[str] = pulumi.Output.from_input("")
        self.arn: pulumi.Output[str] = self.name
        if settings.enabled:
            self.stream = self._create_stream()
            self.name, self.arn = self.stream.name, self.stream.arn
            if settings.iot_rule_enabled:
                self.iot_rule = self._listen_to_devices(failures)
        self.register_outputs({"name": self.name})

    def put(self) -> Grant:
        """Put records in, one at a time, as AWS IoT does."""
        return Grant(
            [
                Statement(["kinesis:PutRecord"], [self.arn]),
                self._encryption.use("kinesis", "GenerateDataKey"),
            ],
            {self._variable: self.name},
        )

    def source_for(self, reader: str) -> Source:
        """What a mapping for `reader` reads: the stream, or with enhanced fan-out a consumer of the reader's own."""
        reading = [
            Statement(
                [
                    "kinesis:DescribeStream",
                    "kinesis:DescribeStreamSummary",
                    "kinesis:GetRecords",
                    "kinesis:GetShardIterator",
                    "kinesis:ListShards",
                ],
                [self.arn],
            ),
            # ListStreams knows no resource: AWS offers nothing narrower than "*".
            Statement(["kinesis:ListStreams"], ["*"]),
            self._encryption.use("kinesis", "Decrypt"),
        ]
        if not self._settings.enhanced_fan_out:
            return Source(self.arn, Grant(reading))
        consumer = aws.kinesis.StreamConsumer(
            f"{self.component}-{reader}-consumer",
            aws.kinesis.StreamConsumerArgs(stream_arn=self.arn),
            self._child,
        )
        subscribing = Statement(["kinesis:SubscribeToShard"], [consumer.arn])
        return Source(consumer.arn, Grant([*reading, subscribing]))

    def _create_stream(self) -> aws.kinesis.Stream:
        s = self._settings
        provisioned = s.stream_mode == "PROVISIONED"
        return aws.kinesis.Stream(
            f"{self.component}-stream",
            aws.kinesis.StreamArgs(
                shard_count=s.shard_count if provisioned else None,
                retention_period=s.retention_period,
                # Kinesis's own size is left unsaid: only another one takes a call of its own.
                max_record_size_in_kib=s.max_record_size_in_kib
                if s.max_record_size_in_kib != KINESIS_RECORD_KIB
                else None,
                shard_level_metrics=list(s.shard_level_metrics) or None,
                stream_mode_details=aws.kinesis.StreamStreamModeDetailsArgs(
                    stream_mode=s.stream_mode
                ),
                encryption_type="KMS",
                kms_key_id=self._encryption.arn,
                # Else a stream that somebody reads cannot be destroyed.
                enforce_consumer_deletion=True,
            ),
            self._child,
        )

    def _listen_to_devices(self, failures: Queue) -> aws.iot.TopicRule:
        place, name = self._place, self.component
        # AWS IoT knows letters, digits and underscores only.
        rule_name = f"{place.prefix}-{name}".replace("-", "_")
        acting = service_role(
            f"{name}-iot",
            [*self.put().statements, *failures.receive_failures().statements],
            service="iot.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": place.account},
                "ArnEquals": {"aws:SourceArn": place.arn("iot", f"rule/{rule_name}")},
            },
            description=f"AWS IoT puts messages of devices into {name}",
            opts=self._child,
        )
        role = acting.role.arn
        return aws.iot.TopicRule(
            f"{name}-iot-rule",
            aws.iot.TopicRuleArgs(
                name=rule_name,
                enabled=True,
                sql=f"SELECT *, timestamp() AS received FROM '{self._settings.iot_topic}'",  # noqa: S608 - no database
                sql_version="2016-03-23",
                kineses=[
                    aws.iot.TopicRuleKinesisArgs(
                        role_arn=role, stream_name=self.name, partition_key="${device}"
                    )
                ],
                error_action=aws.iot.TopicRuleErrorActionArgs(
                    sqs=aws.iot.TopicRuleErrorActionSqsArgs(
                        role_arn=role, queue_url=failures.url, use_base64=False
                    )
                ),
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[acting.rights]),
        )
