"""Event source mappings: Lambda reads a queue, a table's changes or a stream, and calls the function with batches.

Each brings the right to read to the function's role. What fails is reported one by one (ReportBatchItemFailures), and a
record of a stream that is out of retries or too old goes to the failures queue with where to find it again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import patterns
from components.function import ServerlessFunction
from components.grants import Grant
from components.messaging import Queue
from components.patterns import Pattern
from components.streams import DataStream
from components.tables import Table
from components.triggers import TriggerContext
from settings import QueueSettings, StreamSettings


@dataclass(frozen=True)
class Message:
    """Messages of a queue, in batches; only those that failed come back. What no filter lets through is deleted."""

    queue: Queue
    function: ServerlessFunction
    filters: Sequence[Pattern] = ()

    def connect(self, context: TriggerContext) -> None:
        """The mapping of a working queue; ValueError for a queue of failures."""
        s = self.queue.settings
        if s is None:
            raise ValueError("a queue of failures starts no function")
        args = aws.lambda_.EventSourceMappingArgs(
            event_source_arn=self.queue.arn,
            function_name=self.function.arn,
            batch_size=s.batch_size,
            maximum_batching_window_in_seconds=s.maximum_batching_window_in_seconds,
        )
        if s.maximum_concurrency:
            args.scaling_config = aws.lambda_.EventSourceMappingScalingConfigArgs(
                maximum_concurrency=s.maximum_concurrency
            )
        _switch(args, s)
        _map(self.function, self.queue.component, args, self.filters, self.queue.consume(), context)


@dataclass(frozen=True)
class Change:
    """Changes of a table, in order per item; the table must have a stream."""

    table: Table
    function: ServerlessFunction
    settings: StreamSettings
    filters: Sequence[Pattern] = ()

    def connect(self, context: TriggerContext) -> None:
        """The mapping of the table's stream. Raises pulumi.RunError for a table without one."""
        if not self.table.has_stream:
            raise pulumi.RunError(
                f"{self.table.component}: a table without a stream starts no function; make it with stream=True"
            )
        rights = self.table.consume() + context.failures.receive_failures()
        args = _reading(self.settings, self.table.table.stream_arn, self.function, context)
        _map(self.function, self.table.component, args, self.filters, rights, context)


@dataclass(frozen=True)
class StreamRecord:
    """Records of a data stream, in order per partition key."""

    stream: DataStream
    function: ServerlessFunction
    settings: StreamSettings
    filters: Sequence[Pattern] = ()

    def connect(self, context: TriggerContext) -> None:
        """The mapping, on a pipe of the function's own where the stream's settings ask for enhanced fan-out."""
        source = self.stream.source_for(self.function.logical_name)
        rights = source.rights + context.failures.receive_failures()
        args = _reading(self.settings, source.arn, self.function, context)
        _map(self.function, self.stream.component, args, self.filters, rights, context)


def _reading(
    s: StreamSettings,
    source_arn: pulumi.Input[str],
    function: ServerlessFunction,
    context: TriggerContext,
) -> aws.lambda_.EventSourceMappingArgs:
    on_failure = aws.lambda_.EventSourceMappingDestinationConfigOnFailureArgs
    args = aws.lambda_.EventSourceMappingArgs(
        event_source_arn=source_arn,
        function_name=function.arn,
        starting_position=s.starting_position,
        starting_position_timestamp=s.starting_position_timestamp,
        batch_size=s.batch_size,
        maximum_batching_window_in_seconds=s.maximum_batching_window_in_seconds,
        parallelization_factor=s.parallelization_factor,
        # Finite on purpose: the defaults let one poison record hold up its shard for a day.
        maximum_record_age_in_seconds=s.maximum_record_age_in_seconds,
        maximum_retry_attempts=s.maximum_retry_attempts,
        bisect_batch_on_function_error=s.bisect_batch_on_function_error,
        tumbling_window_in_seconds=s.tumbling_window_in_seconds or None,
        destination_config=aws.lambda_.EventSourceMappingDestinationConfigArgs(
            on_failure=on_failure(destination_arn=context.failures.arn)
        ),
    )
    _switch(args, s)
    return args


def _switch(
    args: aws.lambda_.EventSourceMappingArgs, settings: QueueSettings | StreamSettings
) -> None:
    args.enabled = settings.enabled
    if settings.metrics_enabled:
        args.metrics_config = aws.lambda_.EventSourceMappingMetricsConfigArgs(
            metrics=["EventCount"]
        )


def _map(
    function: ServerlessFunction,
    source: str,
    args: aws.lambda_.EventSourceMappingArgs,
    filters: Sequence[Pattern],
    rights: Grant,
    context: TriggerContext,
) -> None:
    name = f"{function.logical_name}-{source}"
    patterns.check_filters(f"filters of {name}", filters)
    args.function_response_types = ["ReportBatchItemFailures"]
    if filters:
        args.filter_criteria = aws.lambda_.EventSourceMappingFilterCriteriaArgs(
            filters=[
                aws.lambda_.EventSourceMappingFilterCriteriaFilterArgs(pattern=json.dumps(one))
                for one in filters
            ]
        )
    policies = function.also_may(f"{name}-consume-policy", rights, parent=context.parent)
    aws.lambda_.EventSourceMapping(f"{name}-mapping", args, context.after(*policies))
