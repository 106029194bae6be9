"""Metrics of CloudWatch as alarms and dashboards name them: which there are, and of what in this stack."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies import aws, gateways, links, metric_names
from policies.model import Registered, Stack

OURS, API = "Sandpiper", "Api"
"""The namespace of what functions and metric filters count; filters count by the API whose access log they read."""
_STATISTIC = re.compile(
    r"SampleCount|Average|Sum|Minimum|Maximum|IQM"
    r"|(?:p|tm|wm|tc|ts)(?:\d{1,2}(?:\.\d{1,10})?|100)"
    r"|(?:PR|TM|WM|TC|TS)\((?:\d+(?:\.\d+)?%?)?:(?:\d+(?:\.\d+)?%?)?\)"
)


@dataclass(frozen=True)
class Metric:
    """One metric as something reads it; `id` is empty where it is the only one."""

    namespace: str
    name: str
    statistic: str
    period: int
    dimensions: Mapping[str, str]
    id: str = ""

    @property
    def is_rank(self) -> bool:
        """The share of values within bounds, in percent (`PR(:500)`)."""
        return self.statistic.startswith("PR(")


@dataclass(frozen=True)
class There:
    """What a stack has: values by dimension, what functions call the stack, (namespace, metric, dimensions) of each metric
    filter,
    ids of WebSocket APIs, titles of all.
    """

    names: Mapping[str, Collection[str]]
    stacks: Collection[object]
    filtered: Collection[tuple[object, ...]]
    sockets: Collection[str]
    apis: Collection[object]


@dataclass(frozen=True)
class Query:
    """One entry of `metricQueries`: a metric, or an expression over others."""

    id: str
    metric: Metric | None
    expression: str
    returned: bool


def queries(alarm: Registered) -> list[Query]:
    """The entries of an alarm's `metricQueries`; empty for an alarm on a single metric."""
    return [
        Query(
            id=str(entry.get("id") or ""),
            metric=_metric(entry["metric"], str(entry.get("id") or ""))
            if entry.get("metric")
            else None,
            expression=str(entry.get("expression") or ""),
            returned=entry.get("returnData") is True,
        )
        for entry in alarm.get("metricQueries") or []
    ]


def watched(alarm: Registered) -> list[Metric]:
    """Every metric that an alarm reads."""
    if alarm.get("metricName") is None:
        return [query.metric for query in queries(alarm) if query.metric is not None]
    said = {**alarm.properties, "stat": alarm.get("statistic") or alarm.get("extendedStatistic")}
    return [_metric(said, "")]


def reading(stack: Stack, namespace: str, metric: str, **dimensions: object) -> list[Registered]:
    """The alarms that read a metric with at least these dimensions, whatever else they read."""
    return [
        alarm
        for alarm in stack.all(aws.ALARM)
        for one in watched(alarm)
        if (one.namespace, one.name) == (namespace, metric)
        and dimensions.items() <= one.dimensions.items()
    ]


def wrong(metric: Metric, there: There) -> Iterator[str]:
    """Why a metric will never have a value, or is refused."""
    label = f"{metric.namespace} {metric.name}"
    if not _STATISTIC.fullmatch(metric.statistic):
        yield f"reads {label} by '{metric.statistic}', which is no statistic"
    if metric.period not in {10, 20, 30} and (metric.period < 60 or metric.period % 60):
        yield f"period is {metric.period}; CloudWatch takes 10, 20, 30 and multiples of 60"
    yield from unwritten(metric, there)


def unwritten(metric: Metric, there: There) -> Iterator[str]:
    """Why nobody will ever write a metric."""
    label, by = f"{metric.namespace} {metric.name}", tuple(sorted(metric.dimensions))
    if metric.namespace == OURS:
        said = (
            metric_names.WRITTEN.get(metric.name) == by
            and metric.dimensions[metric_names.STACK] in there.stacks
        )
        found = (metric.namespace, metric.name, *by) in there.filtered
        if not said and not (found and metric.dimensions.get(API) in there.apis):
            yield f"reads {label} by {dict(metric.dimensions)}, which nothing here writes"
        return
    kept = metric_names.KNOWN.get(metric.namespace, {}).get(by, frozenset[str]())
    if "ApiId" in metric.dimensions:
        kept = (
            metric_names.OF_SOCKETS
            if metric.dimensions["ApiId"] in there.sockets
            else metric_names.OF_HTTP
        )
    if metric.name not in kept:
        yield f"reads {label} by {', '.join(by) or 'nothing'}, which AWS does not keep"
    for dimension, said in metric.dimensions.items():
        if said not in there.names.get(dimension, {said}):
            yield f"watches {dict(metric.dimensions)}, which is not of this stack"


def there(stack: Stack) -> There:
    """What a stack has."""
    made = (f.get("metricTransformation") for f in stack.all(aws.METRIC_FILTER))
    written = [one for one in made if isinstance(one, Mapping)]
    return There(
        names=_names(stack),
        stacks={links.environment(f).get("STACK") for f in stack.all(aws.FUNCTION)} - {None},
        filtered={
            (one.get("namespace"), one.get("name"), *sorted(one.get("dimensions") or {}))
            for one in written
        },
        sockets={api.output("id") for api in gateways.apis(stack, gateways.SOCKET)},
        apis={api.get("name") for api in stack.all(aws.REST_API, aws.API)},
    )


def _metric(said: Mapping[str, Any], id_: str) -> Metric:
    return Metric(
        namespace=str(said.get("namespace") or ""),
        name=str(said.get("metricName") or ""),
        statistic=str(said.get("stat") or ""),
        period=int(said.get("period") or 0),
        dimensions=dict(said.get("dimensions") or {}),
        id=id_,
    )


def _names(stack: Stack) -> Mapping[str, set[str]]:
    """Dimension -> the values that things of this stack have."""

    def outputs(type_: str, key: str = "name") -> set[str]:
        return {resource.output(key) for resource in stack.all(type_)}

    stages = {str(s.get("stageName")) for s in stack.all(aws.REST_STAGE)}
    return {
        "FunctionName": {str(f.get("name")) for f in stack.all(aws.FUNCTION)},
        "Resource": {f"{a.get('functionName')}:{a.get('name')}" for a in stack.all(aws.ALIAS)},
        "QueueName": outputs(aws.QUEUE),
        "ApiName": {str(a.get("name")) for a in stack.all(aws.REST_API)},
        "ApiId": outputs(aws.API, "id"),
        "Stage": stages | {str(s.get("name")) for s in stack.all(aws.STAGE)},
        "TableName": outputs(aws.TABLE),
        "StreamName": outputs(aws.DATA_STREAM),
        "LoadBalancer": outputs(aws.LOAD_BALANCER, "arnSuffix"),
        "GraphQLAPIId": outputs(aws.GRAPHQL_API, "id"),
        "TopicName": outputs(aws.TOPIC),
        "RuleName": outputs(aws.EVENT_RULE),
        "EventBusName": outputs(aws.EVENT_BUS),
        "CanaryName": outputs(aws.CANARY),
    }
