"""Things without their alarms."""

from __future__ import annotations

from policies import aws
from tests.support.breaking import Break, Mutation, edited, without
from tests.support.breaks.everything import more


def missing(name: str) -> Mutation:
    """Take an alarm away."""
    return without(aws.ALARM, f"{name}-alarm")


# fmt: off
BREAKS = (
    Break("failures-raise-an-alarm", "collects failures", missing("notifications-dead-letter-depth")),
    Break("failures-raise-an-alarm", "collects failures", missing("events-failures-depth")),
    Break("failures-raise-an-alarm", "from 1 on", edited(aws.ALARM, "events-failures-depth-alarm", {"threshold": 2})),
    Break("queue-raises-alarms", "ApproximateAgeOfOldestMessage", missing("orders-age")),
    Break("queue-raises-alarms", "ApproximateNumberOfMessagesVisible", missing("notifications-depth")),
    Break("function-raises-alarms", "needs an alarm on Errors and Invocations", missing("health-errors")),
    Break("function-raises-alarms", "needs an alarm on Throttles", missing("health-throttles")),
    Break("function-raises-alarms", "needs an alarm on Duration", missing("health-duration")),
    Break("function-raises-alarms", "needs an alarm on Invocations", missing("health-invocations")),
    Break("function-raises-alarms", "needs an alarm on IteratorAge", missing("data-transformer-behind")),
    Break("function-raises-alarms", "ConcurrentExecutions", missing("create-item-concurrency"), stack="prod"),
    Break("function-raises-alarms", "ProvisionedConcurrencySpillover", more(missing("create-item-spillover"))),
    Break("api-raises-alarms", "needs an alarm on 5XXError and Count", missing("api-5xx")),
    Break("api-raises-alarms", "needs an alarm on 4XXError and Count", missing("api-4xx")),
    Break("api-raises-alarms", "needs an alarm on Latency", missing("http-latency")),
    Break("api-raises-alarms", "IntegrationError and ExecutionError", missing("socket-errors")),
    Break("failing-authorizers-are-counted", "authorizers that fail", missing("api-authorizers")),
    Break("other-ways-in-raise-alarms", "HTTPCode_ELB_5XX_Count", more(missing("balancer-5xx"))),
    Break("other-ways-in-raise-alarms", "TargetResponseTime", more(missing("balancer-latency"))),
    Break("other-ways-in-raise-alarms", "5XXError", more(missing("graphql-5xx"))),
    Break("other-ways-in-raise-alarms", "Latency", more(missing("graphql-latency"))),
    Break("table-raises-alarms", "ReadThrottleEvents", missing("items-table-throttles")),
    Break("table-raises-alarms", "WriteThrottleEvents of by-topic", edited(aws.ALARM, "connections-table-throttles-alarm", {"metricQueries.3.metric.dimensions": {"TableName": "connections"}})),
    Break("table-raises-alarms", "SystemErrors of", missing("items-table-errors")),
    Break("data-stream-raises-an-alarm", "WriteProvisionedThroughputExceeded", missing("telemetry-stream-throttles")),
    Break("service-reports-that-it-is-well", "Healthy", missing("service-health")),
    Break("service-reports-that-it-is-well", "composite alarm", without(aws.COMPOSITE, "service-down-alarm")),
    Break("canary-raises-an-alarm", "SuccessPercent", missing("canary-failed"), stack="prod"),
    Break("canary-raises-an-alarm", "SuccessPercent", edited(aws.ALARM, "canary-failed-alarm", {"dimensions.CanaryName": "other"}), stack="prod"),
)
# fmt: on
