"""The metrics of a running stack, with what they were lately."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.clients import Clients

POINTS: Final = 30
"""Minutes that are shown, the latest."""
_AT_ONCE: Final = 500
"""Metrics of one GetMetricData."""
_LEVELS: Final = frozenset(
    (
        *("ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"),
        *("ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"),
        *("ConcurrentExecutions", "Duration", "IntegrationLatency", "IteratorAge", "Latency"),
        *("ProvisionedConcurrencyUtilization", "TargetResponseTime", "Healthy"),
        *("GetRecords.IteratorAgeMilliseconds", "SentMessageSize", "SuccessfulRequestLatency"),
    )
)
"""What has a height at each moment, and no sum."""


@dataclass(frozen=True)
class Metric:
    """One metric with its dimensions. `values`: its `statistic` in each of the last minutes, None where nothing came.

    `statistic`: Sum, or Maximum of what is a level (a latency, an age, a number of messages that wait).
    """

    namespace: str
    name: str
    dimensions: dict[str, str]
    statistic: str
    values: list[float | None]

    @property
    def total(self) -> float:
        """The sum of the minutes, or the most of a level."""
        known = [value for value in self.values if value is not None]
        return (sum(known) if self.statistic == "Sum" else max(known)) if known else 0.0

    @property
    def last(self) -> float | None:
        """The latest value that there is."""
        return next((value for value in reversed(self.values) if value is not None), None)


def read(aws: Clients, minute: float, name: str = "") -> list[Metric]:
    """The metrics of the namespace `name`, else those whose namespace, name or dimensions hold that text.

    `minute` is how long one lasts, in seconds.
    """
    every = list(_listed(aws))
    found = [each for each in every if each["Namespace"] == name]
    found = found or [each for each in every if name.lower() in _text(each).lower()]
    period = max(1, round(minute))
    end = (int(time.time()) // period + 1) * period
    ends = {"StartTime": end - POINTS * period, "EndTime": end}
    made = list[Metric]()
    for place in range(0, len(found), _AT_ONCE):
        some = found[place : place + _AT_ONCE]
        queries = [_query(number, each, period) for number, each in enumerate(some)]
        values = _values(aws, queries, ends)
        made += [_metric(each, values[f"m{n}"], end, period) for n, each in enumerate(some)]
    return sorted(made, key=_place)


def _place(metric: Metric) -> tuple[str, list[tuple[str, str]], str]:
    return metric.namespace, sorted(metric.dimensions.items()), metric.name


def _listed(aws: Clients) -> Iterator[Mapping[str, Any]]:
    client, more = aws.client("cloudwatch"), dict[str, Any]()
    while True:
        page = client.list_metrics(**more)
        yield from page["Metrics"]
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _text(metric: Mapping[str, Any]) -> str:
    pairs = " ".join(f"{each['Name']}={each['Value']}" for each in metric["Dimensions"])
    return f"{metric['Namespace']} {metric['MetricName']} {pairs}"


def _statistic(metric: Mapping[str, Any]) -> str:
    return "Maximum" if metric["MetricName"] in _LEVELS else "Sum"


def _query(number: int, metric: Mapping[str, Any], period: int) -> dict[str, Any]:
    asked = {"Metric": metric, "Period": period, "Stat": _statistic(metric)}
    return {"Id": f"m{number}", "MetricStat": asked}


def _values(
    aws: Clients, queries: list[dict[str, Any]], ends: Mapping[str, int]
) -> dict[str, dict[int, float]]:
    """Each query's values by the second in which their minute begins."""
    found: dict[str, dict[int, float]] = {query["Id"]: {} for query in queries}
    more = dict[str, Any]()
    while True:
        page = aws.client("cloudwatch").get_metric_data(MetricDataQueries=queries, **ends, **more)
        for result in page["MetricDataResults"]:
            times = (int(moment.timestamp()) for moment in result["Timestamps"])
            found[result["Id"]].update(zip(times, result["Values"], strict=True))
        if not page.get("NextToken"):
            return found
        more = {"NextToken": page["NextToken"]}


def _metric(told: Mapping[str, Any], values: Mapping[int, float], end: int, period: int) -> Metric:
    moments = range(end - POINTS * period, end, period)
    return Metric(
        namespace=told["Namespace"],
        name=told["MetricName"],
        dimensions={each["Name"]: each["Value"] for each in told["Dimensions"]},
        statistic=_statistic(told),
        values=[values.get(moment) for moment in moments],
    )
