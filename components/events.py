"""EventTriggers: what starts which function. A trigger brings its permission, its consume rights and its failure path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.buckets import Bucket
from components.function import ServerlessFunction
from components.keys import DataKey
from components.messaging import Queue
from components.place import Place
from components.schedules import Scheduler
from components.tables import Table
from settings import ScheduleSettings, StreamSettings


@dataclass(frozen=True)
class Upload:
    """An object created under `prefix` with one of the `suffixes` (case matters to S3)."""

    bucket: Bucket
    function: ServerlessFunction
    prefix: str
    suffixes: Sequence[str] = ("",)


@dataclass(frozen=True)
class Message:
    """Messages of a queue, in batches; only those that failed come back."""

    queue: Queue
    function: ServerlessFunction


@dataclass(frozen=True)
class Change:
    """Changes of a table, in order per item."""

    table: Table
    function: ServerlessFunction
    settings: StreamSettings


@dataclass(frozen=True)
class Schedule:
    """A point in time, again and again."""

    function: ServerlessFunction
    settings: ScheduleSettings


Trigger = Upload | Message | Change | Schedule


class EventTriggers(pulumi.ComponentResource):
    """All event sources of a stack, given as data.

    `failures` is the queue in which everything ends that no function could do: failed asynchronous invocations, stream
    records out of retries, undeliverable schedules. Messages of a queue end in that queue's own dead-letter queue.
    """

    def __init__(
        self,
        name: str,
        triggers: Sequence[Trigger],
        *,
        failures: Queue,
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:EventTriggers", name, None, opts)
        self._failures, self._encryption, self._place = failures, encryption, place
        self._connect_uploads([t for t in triggers if isinstance(t, Upload)])
        for trigger in triggers:
            match trigger:
                case Message():
                    self._connect_queue(trigger)
                case Change():
                    self._connect_stream(trigger)
                case Schedule():
                    self._connect_schedule(trigger)
                case Upload():
                    pass  # Connected above, all uploads of a bucket at once.
        self.register_outputs({})

    def _connect_uploads(self, uploads: Sequence[Upload]) -> None:
        """S3 keeps one notification configuration per bucket, so all its triggers become one resource."""
        for bucket in dict.fromkeys(upload.bucket for upload in uploads):
            mine = [upload for upload in uploads if upload.bucket is bucket]
            permissions = [
                function.allow(
                    f"{function.logical_name}-{bucket.component}-permission",
                    principal="s3.amazonaws.com",
                    source_arn=bucket.arn,
                    # A bucket's ARN names no account, and a deleted name may come back in another one.
                    source_account=self._place.account,
                    parent=self,
                )
                for function in dict.fromkeys(upload.function for upload in mine)
            ]
            for upload in mine:
                upload.function.catch_failures()
            aws.s3.BucketNotification(
                f"{bucket.component}-notification",
                aws.s3.BucketNotificationArgs(
                    bucket=bucket.name,
                    lambda_functions=[f for upload in mine for f in _filters(upload)],
                ),
                # S3 tries the destinations when it is told of them.
                pulumi.ResourceOptions(parent=self, depends_on=[*permissions, bucket.settled]),
            )

    def _connect_queue(self, trigger: Message) -> None:
        function, queue = trigger.function, trigger.queue
        if queue.settings is None:
            raise ValueError("a queue of failures starts no function")
        s = queue.settings
        rights = function.also_may(
            f"{function.logical_name}-consume-policy", queue.consume(), parent=self
        )
        aws.lambda_.EventSourceMapping(
            f"{function.logical_name}-mapping",
            aws.lambda_.EventSourceMappingArgs(
                event_source_arn=queue.arn,
                function_name=function.arn,
                batch_size=s.batch_size,
                maximum_batching_window_in_seconds=s.maximum_batching_window_in_seconds,
                function_response_types=["ReportBatchItemFailures"],
                scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(
                    maximum_concurrency=s.maximum_concurrency
                )
                if s.maximum_concurrency
                else None,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=rights),
        )

    def _connect_stream(self, trigger: Change) -> None:
        function, s = trigger.function, trigger.settings
        rights = function.also_may(
            f"{function.logical_name}-consume-policy",
            trigger.table.consume() + self._failures.receive_failures(),
            parent=self,
        )
        aws.lambda_.EventSourceMapping(
            f"{function.logical_name}-mapping",
            aws.lambda_.EventSourceMappingArgs(
                event_source_arn=trigger.table.table.stream_arn,
                function_name=function.arn,
                starting_position=s.starting_position,
                batch_size=s.batch_size,
                maximum_batching_window_in_seconds=s.maximum_batching_window_in_seconds,
                parallelization_factor=s.parallelization_factor,
                # Finite on purpose: the defaults let one poison record hold up its shard for a day.
                maximum_record_age_in_seconds=s.maximum_record_age_in_seconds,
                maximum_retry_attempts=s.maximum_retry_attempts,
                bisect_batch_on_function_error=s.bisect_batch_on_function_error,
                function_response_types=["ReportBatchItemFailures"],
                destination_config=aws.lambda_.EventSourceMappingDestinationConfigArgs(
                    on_failure=aws.lambda_.EventSourceMappingDestinationConfigOnFailureArgs(
                        destination_arn=self._failures.arn
                    )
                ),
            ),
            pulumi.ResourceOptions(parent=self, depends_on=rights),
        )

    def _connect_schedule(self, trigger: Schedule) -> None:
        function, s = trigger.function, trigger.settings
        function.catch_failures()
        name = f"{function.logical_name}-schedule"
        scheduler = Scheduler(
            name,
            starts=[function],
            failures=self._failures,
            encryption=self._encryption,
            place=self._place,
            parent=self,
        )
        scheduler.schedule(
            name,
            function,
            settings=s,
            retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(
                maximum_retry_attempts=s.maximum_retry_attempts,
                maximum_event_age_in_seconds=s.maximum_event_age_in_seconds,
            ),
        )


def _filters(upload: Upload) -> list[aws.s3.BucketNotificationLambdaFunctionArgs]:
    return [
        aws.s3.BucketNotificationLambdaFunctionArgs(
            # S3 refuses two filters with one id: a function may read several prefixes of a bucket.
            id=_words(upload.function.logical_name, upload.prefix, suffix),
            lambda_function_arn=upload.function.arn,
            events=["s3:ObjectCreated:*"],
            filter_prefix=upload.prefix or None,
            filter_suffix=suffix or None,
        )
        for suffix in upload.suffixes
    ]


def _words(*parts: str) -> str:
    """`image-processor-uploads-jpg` for `image-processor`, `uploads/`, `.jpg`."""
    return "-".join(word for part in parts for word in re.findall(r"[A-Za-z0-9]+", part))
