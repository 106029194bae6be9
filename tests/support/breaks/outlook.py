"""Budgets that nobody hears of, canaries and chats that may too much, traces of everybody, lines that are carried off."""

from __future__ import annotations

from typing import Any

from policies import aws
from tests.support.breaking import (
    Break,
    Mutation,
    allowed,
    edited,
    registered,
    statement,
)
from tests.support.breaks.everything import CENTRAL_STREAM, more
from tests.support.breaks.logs import HEALTH_LOGS

BUDGET, RULE, GROUP, CANARY = "monthly-budget", "sampling", "tracing-group", "canary-canary"
TOPIC = "arn:aws:sns:us-west-2:123456789012:ticket-topic-0123456"
ROLE = "arn:aws:iam::123456789012:role/health-role-0123456"
CHANNEL = {
    "configurationName": "sandpiper-dev-ticket",
    "snsTopicArns": [TOPIC],
    "iamRoleArn": ROLE,
    "guardrailPolicyArns": ["arn:aws:iam::aws:policy/AWSDenyAll"],
}


def budget(**changes: Any) -> Mutation:
    """Change the budget; `__` stands for the dots of a path."""
    return more(
        edited(
            aws.BUDGET, BUDGET, {key.replace("__", "."): value for key, value in changes.items()}
        )
    )


def rule(**changes: Any) -> Mutation:
    """Change the sampling rule."""
    return edited(aws.SAMPLING_RULE, RULE, changes)


def canary(**changes: Any) -> Mutation:
    """Change the canary of production."""
    return edited(aws.CANARY, CANARY, changes)


def channel(**changes: Any) -> Mutation:
    """One more chat channel."""
    return registered(aws.SLACK_CHANNEL, "more-channel", **{**CHANNEL, **changes})


# fmt: off
BREAKS = (
    Break("budget-is-one-that-aws-takes", "budgetType COST", budget(timeUnit="DAILY")),
    Break("budget-is-one-that-aws-takes", "as text", budget(limitAmount=100)),
    Break("budget-is-one-that-aws-takes", "as text", budget(limitAmount="much")),
    Break("budget-is-heard-of-in-time", "must tell of", budget(notifications__0__threshold=90)),
    Break("budget-is-heard-of-in-time", "PERCENTAGE", budget(notifications__0__thresholdType="ABSOLUTE_VALUE")),
    Break("budget-is-heard-of-in-time", "one topic of this stack", budget(notifications__0__subscriberSnsTopicArns=[])),
    Break("budget-is-heard-of-in-time", "admits budgets", more(statement(aws.TOPIC_POLICY, "ticket-topic-policy", "PublishBudgets"))),
    Break("key-policy-admits-budgets", "nobody hears of costs", more(statement(aws.KEY, "data-key", "Alarms", Principal={"Service": "cloudwatch.amazonaws.com"}))),
    Break("sampling-rule-is-one-that-xray-takes", "ruleName", rule(ruleName="a" * 33)),
    Break("sampling-rule-is-one-that-xray-takes", "urlPath is missing", rule(urlPath=None)),
    Break("sampling-rule-is-one-that-xray-takes", "every stack's requests", rule(host="*", resourceArn="*", serviceName="*")),
    Break("sampling-rule-is-one-that-xray-takes", "fixedRate is 5", rule(fixedRate=5)),
    Break("sampling-rule-is-one-that-xray-takes", "reservoirSize", rule(reservoirSize=-1)),
    Break("sampling-rule-is-one-that-xray-takes", "priority is 0", rule(priority=0)),
    Break("sampling-rule-is-one-that-xray-takes", "version", rule(version=2)),
    Break("sampling-rule-is-one-that-xray-takes", "more than 25", lambda resources: [*resources, *[r for r in resources if r.type == aws.SAMPLING_RULE] * 25]),
    Break("traces-are-found-by-group", "groupName", registered(aws.TRACE_GROUP, "group", filterExpression="ok")),
    Break("traces-are-found-by-group", "filterExpression", registered(aws.TRACE_GROUP, "group", groupName="all")),
    Break("canary-is-one-that-synthetics-takes", "has retired", canary(runtimeVersion="syn-python-selenium-5.1"), stack="prod"),
    Break("canary-is-one-that-synthetics-takes", "never had it", canary(runtimeVersion="python3.13"), stack="prod"),
    Break("canary-is-one-that-synthetics-takes", "startCanary", canary(startCanary=None), stack="prod"),
    Break("canary-is-one-that-synthetics-takes", "deleteLambda", canary(deleteLambda=None), stack="prod"),
    Break("canary-is-one-that-synthetics-takes", "successRetentionPeriod", canary(successRetentionPeriod=456), stack="prod"),
    Break("canary-is-one-that-synthetics-takes", "has no code", canary(s3Bucket=None, zipFile=None), stack="prod"),
    Break("canary-keeps-what-it-saw-in-private", "in a bucket of this stack", canary(artifactS3Location="s3://other/canary"), stack="prod"),
    Break("canary-may-what-it-does", "a role of this stack", canary(executionRoleArn="arn:aws:iam::123456789012:role/other"), stack="prod"),
    Break("canary-may-what-it-does", "lacks s3:PutObject", statement(aws.ROLE_POLICY, "canary-policy", "s3:PutObject"), stack="prod"),
    Break("canary-may-what-it-does", "which no canary needs", allowed("canary-policy", "s3:GetObject", on="*"), stack="prod"),
    Break("canary-may-what-it-does", "narrow it to", statement(aws.ROLE_POLICY, "canary-policy", "cloudwatch:PutMetricData", Condition=None), stack="prod"),
    Break("log-subscription-may-put-its-lines", "must hold exactly kinesis:PutRecord", registered(aws.LOG_SUBSCRIPTION, "more-lines", logGroup=HEALTH_LOGS, filterPattern="", roleArn=ROLE, destinationArn=CENTRAL_STREAM)),
    Break("chat-is-told-and-only-looks", "snsTopicArns", channel(snsTopicArns=[])),
    Break("chat-is-told-and-only-looks", "at most", channel(guardrailPolicyArns=[])),
    Break("chat-is-told-and-only-looks", "at most", channel(guardrailPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"])),
    Break("chat-is-told-and-only-looks", "a role of this stack", channel(iamRoleArn="other")),
    Break("chat-is-told-and-only-looks", "ask for alarms", channel()),
)
# fmt: on
