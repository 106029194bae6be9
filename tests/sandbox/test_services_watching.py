"""Log groups, alarms, schedules, rules, and lookups of the account."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.services_support import ACCOUNT, REGION, clients, make


def test_log_group_has_its_retention(aws: Any) -> None:
    group = make(
        "cloudwatch/logGroup:LogGroup",
        "g",
        name="/aws/lambda/g",
        retentionInDays=14,
        kmsKeyId=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k",
        tags={"a": "1"},
    )
    assert group["arn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/g"

    def there() -> dict[str, Any]:
        return aws("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/g")["logGroups"][0]

    assert there()["retentionInDays"] == 14
    group.update(retentionInDays=30, tags={"b": "2"})
    assert there()["retentionInDays"] == 30
    assert aws("logs").list_tags_for_resource(resourceArn=group["arn"])["tags"] == {"b": "2"}
    group.update(retentionInDays=None)
    assert "retentionInDays" not in there()
    group.delete()
    with pytest.raises(ClientError, match="ResourceAlreadyExists"):
        [make("cloudwatch/logGroup:LogGroup", "twice", name="/twice") for _ in range(2)]


def test_alarm_and_dashboard(aws: Any) -> None:
    cloudwatch = aws("cloudwatch")
    alarm = make(
        "cloudwatch/metricAlarm:MetricAlarm",
        "errors",
        comparisonOperator="GreaterThanOrEqualToThreshold",
        evaluationPeriods=1,
        metricName="Errors",
        namespace="AWS/Lambda",
        period=60,
        statistic="Sum",
        threshold=1,
        treatMissingData="notBreaching",
        dimensions={"FunctionName": "f"},
        alarmActions=[f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"],
        okActions=[f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"],
        alarmDescription="d",
        tags={"a": "1"},
    )
    [there] = cloudwatch.describe_alarms(AlarmNames=[alarm["name"]])["MetricAlarms"]
    assert there["AlarmArn"] == alarm["arn"]
    assert there["Dimensions"] == [{"Name": "FunctionName", "Value": "f"}]
    assert there["OKActions"] == [f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"]
    alarm.update(threshold=2.5, tags={"b": "2"})
    [there] = cloudwatch.describe_alarms(AlarmNames=[alarm["name"]])["MetricAlarms"]
    assert there["Threshold"] == 2.5
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["arn"])["Tags"] == [
        {"Key": "b", "Value": "2"}
    ]
    math = make(
        "cloudwatch/metricAlarm:MetricAlarm",
        "rate",
        comparisonOperator="GreaterThanThreshold",
        evaluationPeriods=1,
        threshold=0.1,
        metricQueries=[
            {"id": "rate", "expression": "errors/calls", "returnData": True},
            {
                "id": "errors",
                "metric": {
                    "metricName": "Errors",
                    "namespace": "AWS/Lambda",
                    "period": 60,
                    "stat": "Sum",
                    "dimensions": {"FunctionName": "f"},
                },
            },
            {
                "id": "calls",
                "metric": {
                    "metricName": "Invocations",
                    "namespace": "AWS/Lambda",
                    "period": 60,
                    "stat": "Sum",
                    "dimensions": {"FunctionName": "f"},
                },
            },
        ],
    )
    assert math.notes == []
    [there] = cloudwatch.describe_alarms(AlarmNames=[math["name"]])["MetricAlarms"]
    assert [query["Id"] for query in there["Metrics"]] == ["rate", "errors", "calls"]
    board = make("cloudwatch/dashboard:Dashboard", "main", dashboardBody='{"widgets": []}')
    assert board["dashboardArn"] == f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{board.id}"
    board.update(dashboardName="other")
    names = [d["DashboardName"] for d in cloudwatch.list_dashboards()["DashboardEntries"]]
    assert names == ["other"]
    for thing in (board, math, alarm):
        thing.delete()
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_schedule_is_created_changed_and_removed(aws: Any, function: Any) -> None:
    made = function("cleanup-job")
    schedule = make(
        "scheduler/schedule:Schedule",
        "cleanup",
        scheduleExpression="cron(0 3 * * ? *)",
        scheduleExpressionTimezone="Europe/Oslo",
        flexibleTimeWindow={"mode": "FLEXIBLE", "maximumWindowInMinutes": 15},
        target={
            "arn": made["arn"],
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
            "input": "{}",
            "retryPolicy": {"maximumRetryAttempts": 3, "maximumEventAgeInSeconds": 3600},
            "deadLetterConfig": {"arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"},
        },
        state="ENABLED",
        kmsKeyArn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k",
    )
    assert schedule.id == f"default/{schedule['name']}"
    assert schedule.notes == ["it fires on time: the flexible window is not used"]
    schedule.update(state="DISABLED", scheduleExpressionTimezone="UTC")
    there = aws("scheduler").get_schedule(Name=schedule["name"])
    assert there["Arn"] == schedule["arn"]
    assert there["State"] == "DISABLED"
    assert there["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 3
    schedule.delete()
    schedule.delete()


def test_rule_on_a_bus_reaches_its_target(aws: Any) -> None:
    queue = make("sqs/queue:Queue", "events")
    bus = make("cloudwatch/eventBus:EventBus", "orders", tags={"a": "1"})
    rule = make(
        "cloudwatch/eventRule:EventRule",
        "made",
        eventBusName=bus["name"],
        eventPattern=json.dumps({"source": ["shop"]}),
        tags={"a": "1"},
    )
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue["arn"],
    }
    make(
        "sqs/queuePolicy:QueuePolicy",
        "events",
        queueUrl=queue["url"],
        policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    target = make(
        "cloudwatch/eventTarget:EventTarget",
        "made",
        rule=rule["name"],
        eventBusName=bus["name"],
        arn=queue["arn"],
        inputTransformer={
            "inputPaths": {"id": "$.detail.id"},
            "inputTemplate": '{"order": "<id>"}',
        },
    )
    aws("events").put_events(
        Entries=[
            {
                "Source": "shop",
                "DetailType": "made",
                "Detail": '{"id": "7"}',
                "EventBusName": bus["name"],
            }
        ]
    )
    [got] = aws("sqs").receive_message(QueueUrl=queue["url"], WaitTimeSeconds=3)["Messages"]
    assert json.loads(got["Body"]) == {"order": "7"}
    rule.update(state="DISABLED", tags={"b": "2"})
    assert (
        aws("events").describe_rule(Name=rule["name"], EventBusName=bus["name"])["State"]
        == "DISABLED"
    )
    target.update(inputTransformer=None, input='{"fixed": 1}')
    [there] = aws("events").list_targets_by_rule(Rule=rule["name"], EventBusName=bus["name"])[
        "Targets"
    ]
    assert there["Input"] == '{"fixed": 1}'
    for thing in (target, rule, bus, queue):
        thing.delete()


def test_account_lookups_answer_the_sandbox() -> None:
    from sandbox.resources import INVOKES

    aws = clients()
    answers = {token.rpartition(":")[2]: answer(aws, {}) for token, answer in INVOKES.items()}
    assert answers["getCallerIdentity"]["accountId"] == ACCOUNT
    assert answers["getRegion"]["region"] == REGION
    assert answers["getPartition"]["dnsSuffix"] == "amazonaws.com"
