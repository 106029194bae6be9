"""Buses, rules, schedules and what they start: patterns that match nothing, events that are lost, loops."""

from __future__ import annotations

import json
from typing import Any

from policies import aws
from tests.support.breaking import (
    Break,
    Mutation,
    allowed,
    edited,
    not_waiting,
    registered,
    statement,
    without,
)
from tests.support.breaks.wired import HERE, cut

BUS, ARCHIVE, RULE = "events-bus", "events-archive", "audit-writer-rule"
ROUTER_RULE = "content-router-rule"
TARGET, PERMISSION = "audit-writer-audit-writer-target", "audit-writer-audit-writer-permission"
SCHEDULE = "report-generator-schedule"
FUNCTIONS = f"arn:aws:lambda:{HERE}:function:sandpiper-tiny"
CHOOSES, TEMPLATE = "rule-chooses-by-pattern", "target-input-is-taken"
GIVES_UP, STARTS = "target-gives-up-somewhere", "rule-starts-something"
SCHEDULED, KNOW = "schedule-is-one-that-scheduler-takes", "bucket-and-rule-know-each-other"
LOOP = "nothing-starts-itself"
OPEN = json.dumps(
    {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": "events:PutEvents",
                "Resource": "*",
            }
        ]
    }
)


def _pattern(**pattern: Any) -> Mutation:
    return edited(aws.EVENT_RULE, RULE, {"eventPattern": json.dumps(pattern)})


def _expression(text: str) -> Mutation:
    return edited(aws.SCHEDULE, SCHEDULE, {"scheduleExpression": text})


# fmt: off
BUSES = (
    Break("bus-is-private", "set kmsKeyIdentifier", cut(edited(aws.EVENT_BUS, BUS, {"kmsKeyIdentifier": None}))),
    Break("bus-is-private", "set deadLetterConfig", cut(edited(aws.EVENT_BUS, BUS, {"deadLetterConfig": None}))),
    Break("bus-is-private", "without naming the account", cut(registered(aws.EVENT_BUS_POLICY, "open", policy=OPEN))),
    Break("events-are-put-in-one-name", "name one source", cut(statement(aws.ROLE_POLICY, "order-processor-policy", "events:PutEvents", Condition=None))),
    Break("events-are-put-in-one-name", "name one source", cut(statement(aws.ROLE_POLICY, "order-processor-policy", "events:PutEvents", Condition={"StringEquals": {"events:source": ["a", "b"]}}))),
    Break("archive-keeps-a-bus-of-this-stack", "is no bus of this stack", cut(edited(aws.EVENT_ARCHIVE, ARCHIVE, {"eventSourceArn": f"arn:aws:events:{HERE}:event-bus/default"}))),
    Break("archive-keeps-a-bus-of-this-stack", "retentionDays is None", cut(edited(aws.EVENT_ARCHIVE, ARCHIVE, {"retentionDays": None}))),
    Break("archive-keeps-a-bus-of-this-stack", "set kmsKeyIdentifier", cut(edited(aws.EVENT_ARCHIVE, ARCHIVE, {"kmsKeyIdentifier": None}))),
    Break("archive-keeps-a-bus-of-this-stack", "source: must be a list", cut(edited(aws.EVENT_ARCHIVE, ARCHIVE, {"eventPattern": '{"source": "a"}'}))),
    Break("name-fits", "48 are taken", cut(edited(aws.EVENT_ARCHIVE, ARCHIVE, {"name": "x" * 49}))),
)

RULES = (
    Break(CHOOSES, "is the scheduler's business", cut(edited(aws.EVENT_RULE, RULE, {"scheduleExpression": "rate(1 day)"}))),
    Break(CHOOSES, "isEnabled is deprecated", cut(edited(aws.EVENT_RULE, RULE, {"isEnabled": True}))),
    Break(CHOOSES, "state is None", cut(edited(aws.EVENT_RULE, RULE, {"state": None}))),
    Break(CHOOSES, "source: must be a list", cut(_pattern(source="sandpiper.orders"))),
    Break(CHOOSES, "matches nothing", cut(_pattern(source=[]))),
    Break(CHOOSES, "'Prefix' is not one of", cut(_pattern(source=[{"Prefix": "sandpiper."}]))),
    Break(CHOOSES, "detail.a: must be a list", cut(_pattern(source=["sandpiper.orders"], detail={"a": 1}))),
    *(
        Break(CHOOSES, f"detail.a.{operator}: an operator stands in a list", cut(_pattern(source=["sandpiper.orders"], detail={"a": {operator: value}})))
        for operator, value in {"exists": True, "prefix": "b", "suffix": ["b"], "anything-but": ["b"], "equals-ignore-case": ["b"], "cidr": ["10.0.0.0/8"], "wildcard": ["b*"]}.items()
    ),
    Break(CHOOSES, "b: must be a list", cut(_pattern(source=["sandpiper.orders"], **{"$or": [{"b": 1}]}))),
    Break(CHOOSES, "must be a JSON object", cut(edited(aws.EVENT_RULE, RULE, {"eventPattern": None}))),
    Break(CHOOSES, "must name the source", cut(_pattern(detail={"a": ["b"]}))),
    Break(CHOOSES, "longer than 4096", cut(_pattern(source=["x" * 4_096]))),
    Break(CHOOSES, "its bus events-elsewhere is not", cut(edited(aws.EVENT_RULE, RULE, {"eventBusName": "events-elsewhere"}))),
    Break(STARTS, "has 0 targets", cut(without(aws.EVENT_TARGET, TARGET))),
    Break(STARTS, "has 6 targets", cut(*(registered(aws.EVENT_TARGET, f"t{n}", rule=f"{RULE}-0123456", eventBusName=f"{BUS}-0123456") for n in range(5)))),
    Break(STARTS, "eventBusName must be its rule's", cut(edited(aws.EVENT_TARGET, TARGET, {"eventBusName": None}))),
    Break(STARTS, "belongs to no rule", cut(without(aws.EVENT_RULE, RULE))),
    Break(GIVES_UP, "maximumRetryAttempts is None", cut(edited(aws.EVENT_TARGET, TARGET, {"retryPolicy": None}))),
    Break(GIVES_UP, "maximumRetryAttempts is 186", cut(edited(aws.EVENT_TARGET, TARGET, {"retryPolicy.maximumRetryAttempts": 186}))),
    Break(GIVES_UP, "maximumEventAgeInSeconds is 59", cut(edited(aws.EVENT_TARGET, TARGET, {"retryPolicy.maximumEventAgeInSeconds": 59}))),
    Break(GIVES_UP, "set deadLetterConfig", cut(edited(aws.EVENT_TARGET, TARGET, {"deadLetterConfig": None}))),
    Break(GIVES_UP, "roleArn is for other kinds", cut(edited(aws.EVENT_TARGET, TARGET, {"roleArn": "arn:aws:iam::123456789012:role/x"}))),
    Break(TEMPLATE, "says input and inputTransformer", cut(edited(aws.EVENT_TARGET, TARGET, {"input": "{}"}))),
    Break(TEMPLATE, "names <time>, which inputPaths does not", cut(edited(aws.EVENT_TARGET, TARGET, {"inputTransformer.inputTemplate": '{"id": <id>, "detail": <detail>, "time": <time>}'}))),
    Break(TEMPLATE, "names detail, which its template does not", cut(edited(aws.EVENT_TARGET, TARGET, {"inputTransformer.inputTemplate": '{"id": <id>}'}))),
    Break(TEMPLATE, "each beginning with $", cut(edited(aws.EVENT_TARGET, TARGET, {"inputTransformer.inputPaths.id": "id"}))),
    Break(TEMPLATE, "makes no JSON", cut(edited(aws.EVENT_TARGET, TARGET, {"inputTransformer.inputTemplate": "<id> of <detail>"}))),
    Break(TEMPLATE, "1 to 8192 are taken", cut(edited(aws.EVENT_TARGET, TARGET, {"inputTransformer.inputTemplate": '"<id> <detail>' + "x" * 8_192 + '"'}))),
    Break("target-waits-for-its-permission", PERMISSION, cut(not_waiting(aws.EVENT_TARGET, TARGET, PERMISSION))),
    Break(KNOW, "does not set eventbridge", cut(edited(aws.BUCKET_NOTIFICATION, "uploads-notification", {"eventbridge": None}))),
    Break(KNOW, "no rule of this stack listens", cut(without(aws.EVENT_RULE, ROUTER_RULE))),
    Break(KNOW, "hears of every bucket", cut(edited(aws.EVENT_RULE, ROUTER_RULE, {"eventPattern": '{"source": ["aws.s3"]}'}))),
)

SCHEDULES = (
    *(
        Break(SCHEDULED, f"scheduleExpression is '{text}'", cut(_expression(text)))
        for text in ("", "rate(0 minutes)", "rate(30 seconds)", "at(2026-11-21T08:00:00Z)", "cron(0 8 * * MON *)", "cron(0 8 ? * ? *)", "cron(0 8 * * * *)")
    ),
    Break(SCHEDULED, "flexibleTimeWindow is OFF", cut(edited(aws.SCHEDULE, SCHEDULE, {"flexibleTimeWindow": None}))),
    Break(SCHEDULED, "flexibleTimeWindow is OFF", cut(edited(aws.SCHEDULE, SCHEDULE, {"flexibleTimeWindow.mode": "FLEXIBLE"}))),
    Break(SCHEDULED, "maximumWindowInMinutes is 1441", cut(edited(aws.SCHEDULE, SCHEDULE, {"flexibleTimeWindow": {"mode": "FLEXIBLE", "maximumWindowInMinutes": 1441}}))),
    Break(SCHEDULED, "endDate is '2026-11-21'", cut(edited(aws.SCHEDULE, SCHEDULE, {"endDate": "2026-11-21"}))),
    Break(SCHEDULED, "must be a JSON object", cut(edited(aws.SCHEDULE, SCHEDULE, {"target.input": "orders"}))),
    Break("schedule-gives-up-somewhere", "maximumRetryAttempts is None", cut(edited(aws.SCHEDULE, SCHEDULE, {"target.retryPolicy": None}))),
    Break("schedule-gives-up-somewhere", "maximumEventAgeInSeconds is 86401", cut(edited(aws.SCHEDULE, SCHEDULE, {"target.retryPolicy.maximumEventAgeInSeconds": 86_401}))),
    Break("schedule-gives-up-somewhere", "a start is lost", cut(edited(aws.SCHEDULE, SCHEDULE, {"target.deadLetterConfig": None}))),
)

LOOPS = (
    Break(LOOP, "order-processor-function -> orders-queue -> order-processor-function", cut(allowed("order-processor-policy", "sqs:SendMessage", on=f"arn:aws:sqs:{HERE}:orders-queue-0123456"))),
    Break(LOOP, "content-router-function -> content-router-function", cut(allowed("content-router-policy", "lambda:InvokeFunction", on=f"{FUNCTIONS}-content-router:live"))),
    Break(LOOP, "content-router-function -> image-processor-function -> content-router-function", cut(allowed("image-processor-policy", "lambda:InvokeFunction", on=f"{FUNCTIONS}-content-router:live"))),
    Break(LOOP, "content-router-function -> content-router-rule -> content-router-function", cut(allowed("content-router-policy", "s3:PutObject", on="arn:aws:s3:::uploads-bucket-0123456/incoming/done/*"))),
    Break(LOOP, "image-processor-function -> uploads-notification (uploads/) -> image-processor-function", cut(allowed("image-processor-policy", "s3:DeleteObject", on="arn:aws:s3:::uploads-bucket-0123456/*"))),
    Break(LOOP, "data-transformer-function -> items-table -> data-transformer-function", cut(allowed("data-transformer-policy", "dynamodb:UpdateItem", on=f"arn:aws:dynamodb:{HERE}:table/items-table-0123456"))),
    Break(LOOP, "audit-writer-function -> events-bus -> audit-writer-function", cut(allowed("audit-writer-policy", "events:PutEvents", on=f"arn:aws:events:{HERE}:event-bus/events-bus-0123456"))),
    Break(LOOP, "telemetry-aggregator-function -> telemetry-stream -> telemetry-aggregator-function", cut(allowed("telemetry-aggregator-policy", "kinesis:PutRecord", on=f"arn:aws:kinesis:{HERE}:stream/telemetry-stream-0123456"))),
    Break(LOOP, "order-forwarder-function -> orders-topic -> order-forwarder-function", cut(allowed("order-forwarder-policy", "sns:Publish", on=f"arn:aws:sns:{HERE}:orders-topic-0123456"))),
    Break(LOOP, "notification-sender-function -> orders-topic -> notifications-queue -> notification-sender-function", cut(allowed("notification-sender-policy", "sns:Publish", on=f"arn:aws:sns:{HERE}:orders-topic-0123456"))),
    Break(LOOP, "error-collector-function -> orders-queue -> order-processor-function -> order-processor-logs -> error-collector-function", cut(allowed("error-collector-policy", "sqs:SendMessage", on=f"arn:aws:sqs:{HERE}:orders-queue-0123456"))),
)

BREAKS = (*BUSES, *RULES, *SCHEDULES, *LOOPS)
# fmt: on
