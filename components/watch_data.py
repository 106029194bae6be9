"""What is watched of queues, streams and tables."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi

from components.messaging import Queue
from components.streams import DataStream
from components.tables import Table
from components.watching import Alarm, Graph, Metric, Watched, filled
from settings import ObservabilitySettings


def queue(of: Queue, settings: ObservabilitySettings) -> Watched:
    """A working queue with its dead-letter queue, or one in which nothing should ever lie."""
    return Watched(
        name=of.component,
        kind="queue",
        alarms=[*_working(of, settings), _failures(of)],
        graphs=[
            Graph(
                title="Waiting",
                lines=[
                    ("waiting", _depth(of.queue.name)),
                    *([("failed", _depth(of.dead_letter.name))] if of.settings else ()),
                ],
            ),
            Graph(
                title="Oldest",
                lines=[("age", _queue(of, "ApproximateAgeOfOldestMessage"))],
                unit="s",
            ),
            Graph(
                title="Messages",
                lines=[
                    ("sent", _queue(of, "NumberOfMessagesSent", "Sum")),
                    ("done", _queue(of, "NumberOfMessagesDeleted", "Sum")),
                ],
            ),
        ],
    )


def _working(of: Queue, settings: ObservabilitySettings) -> Iterator[Alarm]:
    if of.settings is None:
        return
    # Half of the time in which a message is tried before it is given up; SQS hides it for 30 s unless it is told.
    patience = (of.settings.visibility_timeout_seconds or 30) * of.settings.max_receive_count // 2
    yield Alarm(
        name=f"{of.component}-age",
        says=f"a message has waited {patience} s in {of.component}",
        runbook="queue-age",
        severity="ticket",
        metrics={"age": _queue(of, "ApproximateAgeOfOldestMessage")},
        threshold=patience,
    )
    yield Alarm(
        name=f"{of.component}-depth",
        says=f"{settings.queue_depth_threshold} messages wait in {of.component}",
        runbook="queue-depth",
        severity="ticket",
        metrics={"waiting": _depth(of.queue.name)},
        threshold=settings.queue_depth_threshold,
    )


def _failures(of: Queue) -> Alarm:
    name = f"{of.component}-dead-letter" if of.settings else of.component
    return Alarm(
        name=f"{name}-depth",
        says=f"messages lie in {name}",
        runbook="failures-waiting",
        severity="ticket",
        metrics={"waiting": _depth((of.dead_letter if of.settings else of.queue).name)},
        threshold=1,
    )


def _depth(queue_name: pulumi.Input[str]) -> Metric:
    return Metric(
        "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", {"QueueName": queue_name}
    )


def _queue(of: Queue, metric: str, statistic: str = "Maximum") -> Metric:
    return Metric("AWS/SQS", metric, statistic, {"QueueName": of.queue.name})


def stream(of: DataStream) -> list[Watched]:
    """A Kinesis stream; nothing where it is off. How far its readers are behind is watched at them."""
    if not of.enabled:
        return []

    def metric(name: str, statistic: str = "Sum") -> Metric:
        return Metric("AWS/Kinesis", name, statistic, {"StreamName": of.name})

    return [
        Watched(
            name=of.component,
            kind="stream",
            alarms=[
                Alarm(
                    name=f"{of.component}-stream-throttles",
                    says=f"{of.component} takes no more records for now",
                    runbook="stream-throttles",
                    severity="ticket",
                    metrics={"refused": metric("WriteProvisionedThroughputExceeded")},
                    threshold=1,
                )
            ],
            graphs=[
                Graph(
                    title="Records",
                    lines=[
                        ("in", metric("IncomingRecords")),
                        ("refused", metric("WriteProvisionedThroughputExceeded")),
                    ],
                ),
                Graph(
                    title="Behind",
                    lines=[("age", metric("GetRecords.IteratorAgeMilliseconds", "Maximum"))],
                    unit="ms",
                ),
            ],
        )
    ]


def table(of: Table) -> Watched:
    """A table: what it refuses for its pace, and what it cannot answer at all."""
    # What an index refuses is counted at the index alone.
    places: list[dict[str, str]] = [{}, *({"GlobalSecondaryIndexName": i} for i in of.indexes)]
    throttled = {
        f"{kind}s{number or ''}": _table(of, f"{kind.title()}ThrottleEvents", **place)
        for number, place in enumerate(places)
        for kind in ("read", "write")
    }
    units = {
        "read": _table(of, "ConsumedReadCapacityUnits"),
        "written": _table(of, "ConsumedWriteCapacityUnits"),
    }
    # CloudWatch has these by operation only.
    latency = {
        operation: _table(of, "SuccessfulRequestLatency", "p99", Operation=operation)
        for operation in sorted(of.operations)
    }
    throttles = Alarm(
        name=f"{of.component}-table-throttles",
        says=f"{of.component} refuses requests for its pace",
        runbook="table-throttles",
        severity="ticket",
        metrics=throttled,
        expression=filled(*throttled),
        threshold=1,
    )
    graphs = [
        Graph(title="Units", lines=list(units.items())),
        Graph(
            title="Refused",
            lines=[(_place(metric, key), metric) for key, metric in throttled.items()],
        ),
        *([Graph(title="Latency", lines=list(latency.items()), unit="ms")] if latency else ()),
    ]
    return Watched(
        name=of.component, kind="table", alarms=[throttles, *_failing(of)], graphs=graphs
    )


def _place(metric: Metric, key: str) -> str:
    """What the graph calls it: `reads`, `reads by-collection` of an index."""
    index = metric.dimensions.get("GlobalSecondaryIndexName", "")
    return f"{key.rstrip('0123456789')} {index}".rstrip()


def _failing(of: Table) -> Iterator[Alarm]:
    failed = {
        operation[0].lower() + operation[1:]: _table(of, "SystemErrors", Operation=operation)
        for operation in sorted(of.operations)
    }
    if failed:
        yield Alarm(
            name=f"{of.component}-table-errors",
            says=f"{of.component} answers with errors of DynamoDB's own",
            runbook="table-errors",
            severity="page",
            metrics=failed,
            expression=filled(*failed),
            threshold=1,
        )


def _table(of: Table, name: str, statistic: str = "Sum", **more: str) -> Metric:
    return Metric("AWS/DynamoDB", name, statistic, {"TableName": of.name, **more})
