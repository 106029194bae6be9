"""Alarms that never ring, a dashboard that CloudWatch refuses, logs that never end."""

from __future__ import annotations

from typing import Any

from policies import aws
from tests.support.breaking import Break, again, document, edited, statement, without

ERRORS, DURATION = "health-errors-alarm", "health-duration-alarm"
BOARD = "observability-dashboard"


def widgets(**changes: Any) -> Any:
    """Change the first widget of the dashboard."""
    return document(
        aws.DASHBOARD, BOARD, lambda b: b["widgets"][0].update(changes), "dashboardBody"
    )


def properties(**changes: Any) -> Any:
    """Change the first widget's properties."""
    return document(
        aws.DASHBOARD,
        BOARD,
        lambda b: b["widgets"][0]["properties"].update(changes),
        "dashboardBody",
    )


# fmt: off
BREAKS = (
    Break("alarm-reaches-somebody", "actionsEnabled is off", edited(aws.ALARM, ERRORS, {"actionsEnabled": False})),
    Break("alarm-reaches-somebody", "alarmActions must name", edited(aws.ALARM, ERRORS, {"alarmActions": []})),
    Break("alarm-reaches-somebody", "alarmActions must name", edited(aws.ALARM, ERRORS, {"alarmActions": ["arn:aws:sns:us-west-2:123456789012:notifications-topic-0123456"]})),
    Break("alarm-reaches-somebody", "admits cloudwatch", statement(aws.TOPIC_POLICY, "alarms-topic-policy", "PublishCloudwatch")),
    Break("alarm-reaches-somebody", "must name its runbook", edited(aws.ALARM, ERRORS, {"alarmDescription": "health raised errors"})),
    Break("alarm-can-fire", "treatMissingData", edited(aws.ALARM, ERRORS, {"treatMissingData": None})),
    Break("alarm-can-fire", "period is 45", edited(aws.ALARM, ERRORS, {"period": 45})),
    Break("alarm-can-fire", "looks back", edited(aws.ALARM, ERRORS, {"evaluationPeriods": 1441})),
    Break("alarm-can-fire", "one of statistic", edited(aws.ALARM, ERRORS, {"statistic": None})),
    Break("alarm-can-fire", "one of statistic", edited(aws.ALARM, ERRORS, {"extendedStatistic": "p99"})),
    Break("alarm-can-fire", "datapointsToAlarm", edited(aws.ALARM, ERRORS, {"datapointsToAlarm": 2})),
    Break("alarm-can-fire", "not of this stack", edited(aws.ALARM, ERRORS, {"dimensions.FunctionName": "other"})),
    Break("alarm-can-fire", "not of this stack", edited(aws.ALARM, "api-5xx-alarm", {"dimensions.Stage": "other"})),
    Break("alarm-can-fire", "not of this stack", again(aws.ALARM, "api-5xx-alarm", dimensions={"ApiId": "other", "Stage": "$default"})),
    Break("failures-raise-an-alarm", "collects failures", without(aws.ALARM, "notifications-dead-letter-depth-alarm")),
    Break("failures-raise-an-alarm", "collects failures", without(aws.ALARM, "events-failures-depth-alarm")),
    Break("function-raises-alarms", "needs an alarm on Errors", without(aws.ALARM, ERRORS)),
    Break("function-raises-alarms", "needs an alarm on Throttles", without(aws.ALARM, "health-throttles-alarm")),
    Break("function-raises-alarms", "needs an alarm on Duration", without(aws.ALARM, DURATION)),
    Break("function-raises-alarms", "can never fire", edited(aws.ALARM, DURATION, {"threshold": 10_001})),
    Break("api-raises-an-alarm", "5XXError", without(aws.ALARM, "api-5xx-alarm")),
    Break("dashboard-is-drawn", "dashboardName", edited(aws.DASHBOARD, BOARD, {"dashboardName": "my board"})),
    Break("dashboard-is-drawn", "must be a JSON object", edited(aws.DASHBOARD, BOARD, {"dashboardBody": "[]"})),
    Break("dashboard-is-drawn", "has 0 widgets", edited(aws.DASHBOARD, BOARD, {"dashboardBody": "{}"})),
    Break("dashboard-is-drawn", "names no region", properties(region="")),
    Break("dashboard-is-drawn", "shows no metric", properties(metrics=[])),
    Break("dashboard-is-drawn", "outside the grid", widgets(x=20)),
    Break("logs-end-and-are-encrypted", "is 0;", edited(aws.LOG_GROUP, "health-logs", {"retentionInDays": 0})),
    Break("logs-end-and-are-encrypted", "is 31;", edited(aws.LOG_GROUP, "api-access-logs", {"retentionInDays": 31})),
    Break("logs-end-and-are-encrypted", "a year in production", edited(aws.LOG_GROUP, "health-logs", {"retentionInDays": 30}), stack="prod"),
    Break("logs-end-and-are-encrypted", "kmsKeyId", edited(aws.LOG_GROUP, "health-logs", {"kmsKeyId": None})),
)
# fmt: on
