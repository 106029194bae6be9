"""Alarms, the dashboard and the logs they point to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from policies import aws, deliveries, documents
from policies.encryption import key_of
from policies.model import Registered, Stack, rule

RETENTIONS = frozenset(
    {
        1,
        3,
        5,
        7,
        14,
        30,
        60,
        90,
        120,
        150,
        180,
        365,
        400,
        545,
        731,
        1096,
        1827,
        2192,
        2557,
        2922,
        3288,
        3653,
    }
)
"""Days that CloudWatch Logs takes (PutRetentionPolicy); 0, for ever, is never meant."""
YEAR = 365
DAY, WEEK = 86_400, 604_800
MOST_WIDGETS, GRID = 500, 24

_RUNBOOK = re.compile(r"docs/runbooks/([a-z0-9-]+)\.md")


@rule
def alarm_reaches_somebody(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Enabled, to a topic of this stack that CloudWatch may publish to, with a runbook to open."""
    for alarm in stack.all(aws.ALARM):
        if alarm.get("actionsEnabled") is False:
            yield alarm, "actionsEnabled is off"
        topics = [stack.at(str(a), aws.TOPIC) for a in alarm.get("alarmActions") or []]
        if not topics or not all(t is not None and _takes_alarms(stack, t) for t in topics):
            yield (
                alarm,
                "alarmActions must name a topic of this stack that admits cloudwatch.amazonaws.com",
            )
        if not runbook(alarm):
            yield alarm, "its description must name its runbook, docs/runbooks/<name>.md"


@rule
def alarm_can_fire(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Missing data is decided, the period is one that CloudWatch takes, and the thing it watches exists."""
    for alarm in stack.all(aws.ALARM):
        if alarm.get("treatMissingData") not in {"notBreaching", "breaching", "ignore"}:
            yield alarm, "treatMissingData must say what silence means"
        period, count = alarm.get("period") or 0, alarm.get("evaluationPeriods") or 0
        if period not in {10, 20, 30} and (period < 60 or period % 60):
            yield alarm, f"period is {period}; CloudWatch takes 10, 20, 30 and multiples of 60"
        if period * count > (DAY if period < 3600 else WEEK) or count < 1:
            yield alarm, "looks back over more than CloudWatch takes"
        if bool(alarm.get("statistic")) == bool(alarm.get("extendedStatistic")):
            yield alarm, "needs one of statistic and extendedStatistic"
        if (alarm.get("datapointsToAlarm") or 0) > count:
            yield alarm, "datapointsToAlarm is more than evaluationPeriods"
        if not _watches_something(stack, alarm):
            yield alarm, f"watches {alarm.get('dimensions')}, which is not of this stack"


@rule
def something_raises_alarms(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A stack without any alarm is told once, not once for everything that should have one."""
    watched = sorted(stack.all(aws.FUNCTION, aws.REST_STAGE), key=lambda each: each.name)
    place = next(iter((*stack.all(aws.DASHBOARD), *watched)), None)
    if _silent(stack) and place is not None:
        yield (
            place,
            "no alarm in the whole stack; nobody hears of errors unless alarms_enabled is set",
        )


@rule
def failures_raise_an_alarm(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Nobody looks into a dead-letter queue unasked."""
    if _silent(stack):
        return
    arns = deliveries.collectors(stack)
    for queue in stack.all(aws.QUEUE):
        if queue.output("arn") in arns and not _alarms(
            stack, "AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=queue.output("name")
        ):
            yield (
                queue,
                "collects failures; it needs an alarm on ApproximateNumberOfMessagesVisible",
            )


@rule
def function_raises_alarms(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Errors, throttles, and a duration that comes close to the function's own timeout."""
    for function in [] if _silent(stack) else stack.all(aws.FUNCTION):
        name, timeout = function.get("name"), int(function.get("timeout") or 3)
        for metric in ("Errors", "Throttles", "Duration"):
            found = _alarms(stack, "AWS/Lambda", metric, FunctionName=name)
            if not found:
                yield function, f"needs an alarm on {metric}"
            for alarm in found if metric == "Duration" else ():
                if not 0 < (alarm.get("threshold") or 0) <= timeout * 1000:
                    yield alarm, f"can never fire: the function ends after {timeout} s"


@rule
def api_raises_an_alarm(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """An answer 5xx is our fault, whichever function gave it."""
    for stage in [] if _silent(stack) else stack.all(aws.REST_STAGE):
        api = stack.answering("id", str(stage.get("restApi")), aws.REST_API)
        name = api.get("name") if api else None
        if not _alarms(
            stack, "AWS/ApiGateway", "5XXError", ApiName=name, Stage=stage.get("stageName")
        ):
            yield stage, "needs an alarm on 5XXError"


@rule
def dashboard_is_drawn(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """CloudWatch checks the body: JSON, a region for each metric, inside a grid of 24 columns."""
    for dashboard in stack.all(aws.DASHBOARD):
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", str(dashboard.get("dashboardName") or "")):
            yield dashboard, "dashboardName is letters, digits, - and _, 255 at most"
        body = documents.json_object(dashboard.get("dashboardBody"))
        if body is None:
            yield dashboard, "dashboardBody must be a JSON object"
            continue
        widgets: list[dict[str, Any]] = body.get("widgets", [])
        if not 0 < len(widgets) <= MOST_WIDGETS:
            yield dashboard, f"has {len(widgets)} widgets; 1 to {MOST_WIDGETS} are taken"
        yield from ((dashboard, problem) for problem in _widgets(widgets))


@rule
def logs_end_and_are_encrypted(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A retention that CloudWatch takes (a year or more in production), and the data key."""
    for group in stack.all(aws.LOG_GROUP):
        days = group.get("retentionInDays")
        if days not in RETENTIONS or (stack.production and days < YEAR):
            yield (
                group,
                f"retentionInDays is {days}; name a value that CloudWatch takes, a year in production",
            )
        if stack.at(key_of(stack, group), aws.KEY) is None:
            yield group, "kmsKeyId must be the data key's ARN"


def runbook(alarm: Registered) -> str:
    """The name of an alarm's runbook (docs/runbooks/<name>.md); empty where it names none."""
    found = _RUNBOOK.search(str(alarm.get("alarmDescription") or ""))
    return found.group(1) if found else ""


def _silent(stack: Stack) -> bool:
    """Alarms are off as a whole; in production each one that is missing is named."""
    return not stack.all(aws.ALARM) and not stack.production


def _alarms(stack: Stack, namespace: str, metric: str, **dimensions: Any) -> Sequence[Registered]:
    found = stack.having(aws.ALARM, namespace=namespace, metricName=metric)
    return [a for a in found if a.get("dimensions") == dimensions]


def _takes_alarms(stack: Stack, topic: Registered) -> bool:
    return any(
        s.allows and s.is_for("cloudwatch.amazonaws.com") and "sns:Publish" in s.actions
        for p in stack.having(aws.TOPIC_POLICY, arn=topic.output("arn"))
        for s in documents.of(p.get("policy"))
    )


def _watches_something(stack: Stack, alarm: Registered) -> bool:
    """Every dimension that names a thing names one of this stack, and at least one does."""
    dimensions = alarm.get("dimensions") or {}
    names = {
        "FunctionName": [f.get("name") for f in stack.all(aws.FUNCTION)],
        "QueueName": [q.output("name") for q in stack.all(aws.QUEUE)],
        "ApiName": [a.get("name") for a in stack.all(aws.REST_API)],
        "ApiId": [a.output("id") for a in stack.all(aws.API)],
        "Stage": [
            *(s.get("stageName") for s in stack.all(aws.REST_STAGE)),
            *(s.get("name") for s in stack.all(aws.STAGE)),
        ],
    }
    known = dimensions.keys() & names.keys()
    return bool(known) and all(dimensions[key] in names[key] for key in known)


def _widgets(widgets: list[dict[str, Any]]) -> Iterator[str]:
    for place, widget in enumerate(widgets):
        properties = widget.get("properties", {})
        if widget.get("type") == "metric" and not properties.get("region"):
            yield f"widget {place} names no region"
        if widget.get("type") == "metric" and not properties.get("metrics"):
            yield f"widget {place} shows no metric"
        if widget.get("x", 0) + widget.get("width", 6) > GRID:
            yield f"widget {place} is outside the grid of {GRID} columns"


RULES = (
    alarm_reaches_somebody,
    alarm_can_fire,
    something_raises_alarms,
    failures_raise_an_alarm,
    function_raises_alarms,
    api_raises_an_alarm,
    dashboard_is_drawn,
    logs_end_and_are_encrypted,
)
