"""Alarms: what CloudWatch takes, who is told, and which runbook is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from policies import aws, documents, expressions, metrics
from policies.metrics import Query
from policies.model import Registered, Stack, rule

DAY, WEEK = 86_400, 604_800
MOST_METRICS = MOST_EXPRESSIONS = 10
"""Queries of one alarm that read a metric, and those that compute (CloudWatch API reference, MetricDataQuery)."""
MOST_ACTIONS = 5
CLOUDWATCH = "cloudwatch.amazonaws.com"
BANDS = frozenset(
    {
        "LessThanLowerOrGreaterThanUpperThreshold",
        "GreaterThanUpperThreshold",
        "LessThanLowerThreshold",
    }
)
"""Comparisons with a band of expected values instead of a threshold."""
THRESHOLDS = frozenset(
    {
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanOrEqualToThreshold",
        "LessThanThreshold",
    }
)
NAMED = re.compile(r'(ALARM|OK|INSUFFICIENT_DATA)\(\s*"?([^")]+?)"?\s*\)')
"""What the rule of a composite alarm asks of another alarm, and its name or ARN."""

_RUNBOOK = re.compile(r"Runbook: docs/runbooks/([a-z0-9-]+)\.md$")
_AFTER = "-alarm"


@rule
def alarm_reaches_somebody(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Enabled, to a topic of this stack that CloudWatch may publish to, both ways, with a runbook to open.

    Only what a composite alarm speaks for may be silent.
    """
    spoken_for = parts(stack)
    for alarm in every(stack):
        told = [str(arn) for arn in alarm.get("alarmActions") or []]
        if alarm.get("actionsEnabled") is False:
            yield alarm, "actionsEnabled is off"
        if not runbook(alarm):
            yield alarm, "its description must end in 'Runbook: docs/runbooks/<name>.md'"
        if sorted(told) != sorted(alarm.get("okActions") or []):
            yield (
                alarm,
                "okActions must be its alarmActions: who is called must hear that it is over",
            )
        if not told and called(alarm) in spoken_for:
            continue
        topics = [stack.at(arn, aws.TOPIC) for arn in told]
        if len(topics) != 1 or not all(t is not None and _takes_alarms(stack, t) for t in topics):
            yield (
                alarm,
                f"alarmActions must name one topic of this stack that admits {CLOUDWATCH}",
            )


@rule
def alarm_is_called_after_its_thing(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """`<project>-<stack>-<what it watches>-<what of it>`: composites and people find it by this name, nothing by chance."""
    prefixes = {
        str(f.get("name")).removesuffix(f"-{f.name.removesuffix('-function')}")
        for f in stack.all(aws.FUNCTION)
    }
    for alarm in every(stack):
        prefix = called(alarm).removesuffix(f"-{alarm.name.removesuffix(_AFTER)}")
        if not alarm.name.endswith(_AFTER) or prefix == called(alarm) or prefix not in prefixes:
            yield alarm, f"its name '{called(alarm)}' is not the stack's and its own"


@rule
def alarm_can_fire(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Missing data is decided, the time is one that CloudWatch takes, and somebody writes what is watched."""
    there = metrics.there(stack)
    for alarm in stack.all(aws.ALARM):
        read = metrics.watched(alarm)
        if alarm.get("treatMissingData") not in {"notBreaching", "breaching", "ignore"}:
            yield alarm, "treatMissingData must say what silence means"
        count = alarm.get("evaluationPeriods") or 0
        longest = max((metric.period for metric in read), default=0)
        if longest * count > (DAY if longest < 3600 else WEEK) or count < 1:
            yield alarm, "looks back over more than CloudWatch takes"
        if (alarm.get("datapointsToAlarm") or 0) > count:
            yield alarm, "datapointsToAlarm is more than evaluationPeriods"
        filled = any("FILL(" in query.expression for query in metrics.queries(alarm))
        if filled and (alarm.get("datapointsToAlarm") or count) >= count:
            yield (
                alarm,
                "takes what comes late for 0: datapointsToAlarm must be less than evaluationPeriods",
            )
        if not read:
            yield alarm, "reads no metric"
        for metric in read:
            yield from ((alarm, text) for text in metrics.wrong(metric, there))


@rule
def alarm_has_one_form(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A metric with a statistic, or queries of which one is returned; a threshold, or a band."""
    for alarm in stack.all(aws.ALARM):
        single = alarm.get("metricName") is not None
        if single == bool(alarm.get("metricQueries")):
            yield alarm, "needs one of metricName and metricQueries"
        if single and bool(alarm.get("statistic")) == bool(alarm.get("extendedStatistic")):
            yield alarm, "needs one of statistic and extendedStatistic"
        besides = ("namespace", "period", "dimensions", "statistic", "extendedStatistic", "unit")
        if not single and any(alarm.get(key) is not None for key in besides):
            yield alarm, f"beside metricQueries, none of {', '.join(besides)} is taken"
        band = alarm.get("thresholdMetricId") is not None
        if band == (alarm.get("threshold") is not None):
            yield alarm, "needs one of threshold and thresholdMetricId"
        if alarm.get("comparisonOperator") not in (BANDS if band else THRESHOLDS):
            yield alarm, f"its comparisonOperator is not for a {'band' if band else 'threshold'}"


@rule
def alarm_queries_are_taken(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Ids, numbers and results of metric math (CloudWatch API reference, MetricDataQuery)."""
    for alarm in stack.all(aws.ALARM):
        found = metrics.queries(alarm)
        yield from ((alarm, text) for text in _miscounted(found))
        ids = [query.id for query in found]
        for query in found:
            if not expressions.ID.fullmatch(query.id) or ids.count(query.id) > 1:
                yield alarm, f"'{query.id}' is no id, or one of two; it begins with a small letter"
            if (query.metric is None) == (not query.expression):
                yield alarm, f"query '{query.id}' needs one of metric and expression"
            for problem in (
                expressions.problems(query.expression, {*ids}) if query.expression else ()
            ):
                yield alarm, problem
        if found:
            yield from ((alarm, text) for text in _returned(alarm, found))


def every(stack: Stack) -> list[Registered]:
    """All alarms, of metrics and of other alarms."""
    return stack.all(aws.ALARM, aws.COMPOSITE)


def called(alarm: Registered) -> str:
    """The name by which CloudWatch knows an alarm."""
    return str(alarm.get("name") or alarm.get("alarmName") or "")


def parts(stack: Stack) -> set[str]:
    """Names of the alarms that a composite one speaks for."""
    return {name for c in stack.all(aws.COMPOSITE) for name in asked(c)}


def asked(composite: Registered) -> list[str]:
    """Names of the alarms in a composite one's rule, each once."""
    found = (match[2] for match in NAMED.finditer(str(composite.get("alarmRule") or "")))
    return [*dict.fromkeys(name.rsplit(":alarm:", 1)[-1] for name in found)]


def runbook(alarm: Registered) -> str:
    """The name of an alarm's runbook (docs/runbooks/<name>.md); empty where it names none."""
    found = _RUNBOOK.search(str(alarm.get("alarmDescription") or ""))
    return found.group(1) if found else ""


def silent(stack: Stack) -> bool:
    """Alarms are off as a whole; in production each one that is missing is named."""
    return not stack.all(aws.ALARM) and not stack.production


def _takes_alarms(stack: Stack, topic: Registered) -> bool:
    return any(
        s.allows and s.is_for(CLOUDWATCH) and "sns:Publish" in s.actions
        for p in stack.having(aws.TOPIC_POLICY, arn=topic.output("arn"))
        for s in documents.of(p.get("policy"))
    )


def _miscounted(found: Sequence[Query]) -> Iterator[str]:
    read = sum(query.metric is not None for query in found)
    if read > MOST_METRICS or len(found) - read > MOST_EXPRESSIONS:
        yield f"has {len(found)} queries; {MOST_METRICS} metrics and {MOST_EXPRESSIONS} expressions are taken"
    periods = {query.metric.period for query in found if query.metric is not None}
    if len(periods) > 1:
        yield f"reads metrics by periods of {', '.join(map(str, sorted(periods)))} s; one value has one period"


def _returned(alarm: Registered, found: Sequence[Query]) -> Iterator[str]:
    """One result, but for a band of expected values: there the metric is returned too, and the band is the threshold."""
    given = {query.id: query for query in found if query.returned}
    used = {name for query in found for name in expressions.names(query.expression)}
    band = given.get(str(alarm.get("thresholdMetricId")))
    if alarm.get("thresholdMetricId") is not None:
        known = band is not None and band.expression.startswith(f"{expressions.BAND}(")
        if not known or len(given) != 2:
            yield f"thresholdMetricId must be an {expressions.BAND}, returned beside its metric"
    elif len(given) != 1:
        yield f"returnData is set for {len(given)} queries; one is the alarm's value"
    for query in found:
        if query.id not in used and not query.returned:
            yield f"query '{query.id}' is used by none"


RULES = (
    alarm_reaches_somebody,
    alarm_is_called_after_its_thing,
    alarm_can_fire,
    alarm_has_one_form,
    alarm_queries_are_taken,
)
