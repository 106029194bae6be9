"""A dashboard that CloudWatch refuses, logs that never end, filters and queries that find nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from policies import Registered, aws
from tests.support.breaking import Break, Mutation, document, edited, registered
from tests.support.breaks.everything import more

BOARD, FILTER = "observability-dashboard", "api-authorizers-metric"
HEALTH_LOGS = "/aws/lambda/sandpiper-dev-health"
QUERY = {
    "name": "sandpiper-dev/more",
    "queryString": "fields @message",
    "logGroupNames": [HEALTH_LOGS],
}


def body(change: Callable[[list[dict[str, Any]]], object]) -> Mutation:
    """Change the widgets of the dashboard in place."""
    return document(aws.DASHBOARD, BOARD, lambda b: change(b["widgets"]), "dashboardBody")


def first(widgets: list[dict[str, Any]], type_: str) -> dict[str, Any]:
    """The first widget of a type."""
    return next(widget for widget in widgets if widget["type"] == type_)


def widget(type_: str = "metric", **changes: Any) -> Mutation:
    """Change the first widget of a type."""
    return body(lambda widgets: first(widgets, type_).update(changes))


def properties(type_: str = "metric", **changes: Any) -> Mutation:
    """Change the properties of the first widget of a type."""
    return body(lambda widgets: first(widgets, type_)["properties"].update(changes))


def without_pictures_of(value: str) -> Mutation:
    """Leave out every picture in which a name stands."""

    def change(widgets: list[dict[str, Any]]) -> None:
        widgets[:] = [
            w for w in widgets if w["type"] != "metric" or f'"{value}"' not in json.dumps(w)
        ]

    return body(change)


def filtered(**changes: Any) -> Mutation:
    """Change the metric filter; `__` stands for the dots of a path."""
    return edited(
        aws.METRIC_FILTER, FILTER, {key.replace("__", "."): value for key, value in changes.items()}
    )


def query(**changes: Any) -> Mutation:
    """One more saved query."""
    return registered(aws.QUERY_DEFINITION, "more-query", **{**QUERY, **changes})


def without_logs_of_health(resource: Registered) -> Registered:
    """A saved query that leaves one function's logs out."""
    if resource.type != aws.QUERY_DEFINITION:
        return resource
    groups = [group for group in resource.get("logGroupNames") if group != HEALTH_LOGS]
    return replace(resource, properties={**resource.properties, "logGroupNames": groups})


# fmt: off
BREAKS = (
    Break("dashboard-is-drawn", "dashboardName", edited(aws.DASHBOARD, BOARD, {"dashboardName": "my board"})),
    Break("dashboard-is-drawn", "must be a JSON object", edited(aws.DASHBOARD, BOARD, {"dashboardBody": "[]"})),
    Break("dashboard-is-drawn", "has 0 widgets", edited(aws.DASHBOARD, BOARD, {"dashboardBody": "{}"})),
    Break("dashboard-is-drawn", "names no region", properties(region="")),
    Break("dashboard-is-drawn", "shows no metric", properties(metrics=[])),
    Break("dashboard-is-drawn", "more than 100", properties("alarm", alarms=["arn"] * 101)),
    Break("dashboard-is-drawn", "says nothing", properties("text", markdown="")),
    Break("dashboard-is-drawn", "outside the grid", widget(x=20, width=6)),
    Break("dashboard-shows-what-there-is", "not of this stack", properties(metrics=[["AWS/Lambda", "Errors", "FunctionName", "other"]])),
    Break("dashboard-shows-what-there-is", "does not keep", properties(metrics=[["AWS/Lambda", "Errors", "FunctionName", "sandpiper-dev-health"], [".", "Bugs", ".", "."]])),
    Break("dashboard-shows-what-there-is", "no alarm of this stack", properties("alarm", alarms=["arn:aws:cloudwatch:us-west-2:123456789012:alarm:other"])),
    Break("dashboard-shows-everything", "0 times", properties("alarm", alarms=["arn:aws:cloudwatch:us-west-2:123456789012:alarm:other"])),
    Break("dashboard-shows-everything", "2 times", body(lambda widgets: widgets.append(first(widgets, "alarm")))),
    Break("dashboard-shows-everything", "no picture of health-function", without_pictures_of("sandpiper-dev-health")),
    Break("dashboard-shows-everything", "no picture of items-table", without_pictures_of("items-table-0123456")),
    Break("dashboard-shows-everything", "no picture of orders-queue", without_pictures_of("orders-queue-0123456")),
    Break("logs-end-and-are-encrypted", "is 0;", edited(aws.LOG_GROUP, "health-logs", {"retentionInDays": 0})),
    Break("logs-end-and-are-encrypted", "is 31;", edited(aws.LOG_GROUP, "api-access-logs", {"retentionInDays": 31})),
    Break("logs-end-and-are-encrypted", "a year in production", edited(aws.LOG_GROUP, "health-logs", {"retentionInDays": 30}), stack="prod"),
    Break("logs-end-and-are-encrypted", "kmsKeyId", edited(aws.LOG_GROUP, "health-logs", {"kmsKeyId": None})),
    Break("metric-filter-is-one-that-logs-take", "not of this stack", filtered(logGroupName="/aws/lambda/other")),
    Break("metric-filter-is-one-that-logs-take", "one of JSON lines", filtered(pattern="ERROR")),
    Break("metric-filter-is-one-that-logs-take", "no line of its log has", filtered(pattern='{ $.authoriserError = "*" }')),
    Break("metric-filter-is-one-that-logs-take", "in the namespace", filtered(metricTransformation__namespace="AWS/Lambda")),
    Break("metric-filter-is-one-that-logs-take", "a name and a value", filtered(metricTransformation__value="")),
    Break("metric-filter-is-one-that-logs-take", "both dimensions and", filtered(metricTransformation__dimensions={"Stage": "$.stage"}, metricTransformation__defaultValue="0")),
    Break("metric-filter-is-one-that-logs-take", "4 dimensions", filtered(metricTransformation__dimensions={str(i): "$.stage" for i in range(4)})),
    Break("metric-filter-is-one-that-logs-take", "read from the line", filtered(metricTransformation__dimensions={"Stage": "dev"})),
    Break("metric-filter-has-a-reader", "no alarm reads", filtered(metricTransformation__name="Other")),
    Break("query-asks-logs-of-this-stack", "in a folder", query(name="more")),
    Break("query-asks-logs-of-this-stack", "asks 0 log groups", query(logGroupNames=[])),
    Break("query-asks-logs-of-this-stack", "asks 51 log groups", query(logGroupNames=[HEALTH_LOGS] * 51)),
    Break("query-asks-logs-of-this-stack", "not of this stack", query(logGroupNames=["/aws/lambda/other"])),
    Break("query-asks-logs-of-this-stack", "must have 1 to", query(queryString="")),
    Break("query-asks-logs-of-this-stack", "'select' is no command", query(queryString="fields @message\n| select x")),
    Break("one-query-follows-a-request", "this one lacks health-function", lambda resources: [without_logs_of_health(r) for r in resources]),
    Break("function-counts-for-its-stack", "must be sandpiper-dev", edited(aws.FUNCTION, "health-function", {"environment.variables.STACK": None})),
    Break("function-counts-for-its-stack", "must be sandpiper-dev", edited(aws.FUNCTION, "health-function", {"environment.variables.STACK": "sandpiper-prod"})),
    Break("samples-reach-the-log", "say 0 to 1", more(edited(aws.FUNCTION, "health-function", {"environment.variables.LOG_SAMPLE_RATE": "2"}))),
    Break("samples-reach-the-log", "must be DEBUG", more(edited(aws.FUNCTION, "health-function", {"loggingConfig.applicationLogLevel": "INFO"}))),
)
# fmt: on
