"""Observability: alarms derived from what they watch, one dashboard of it all, saved queries, traces, the budget."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components import chat, dashboard, insights, log_destination, spending, tracing
from components.function import ServerlessFunction
from components.place import Place
from components.topics import Topic
from components.watching import NAMESPACE, OPERATORS, Alarm, Composite, Metric, Severity, Watched
from settings import BudgetSettings, LogSettings, ObservabilitySettings, TracingSettings

AnyAlarm = aws.cloudwatch.MetricAlarm | aws.cloudwatch.CompositeAlarm

LATE = 300
"""Seconds within which AWS's services tell CloudWatch what they count; most take one or two minutes."""


class Observability(pulumi.ComponentResource):
    """Declares what `watched` derives from itself: alarms, metrics counted out of logs, and the dashboard.

    Each alarm is called `<project>-<stack>-<name>`, tells the topic of its severity (`notices`) when it rings and when it
    is over, and names its runbook, docs/runbooks/<name>.md. `alarms` has them by their short names. Without
    `alarms_enabled` there are none; the dashboard stays, and what goes by `budget`, `logs` and `traces`.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: ObservabilitySettings,
        watched: Sequence[Watched],
        functions: Sequence[ServerlessFunction],
        notices: Mapping[Severity, Topic],
        place: Place,
        budget: BudgetSettings | None = None,
        logs: LogSettings | None = None,
        traces: TracingSettings | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Observability", name, None, opts)
        self._settings, self._notices, self._place = settings, notices, place
        self._child = pulumi.ResourceOptions(parent=self)
        self.alarms: dict[str, AnyAlarm] = {}
        if settings.alarms_enabled:
            self._raise_alarms(watched)
        self.dashboard = self._draw(name, watched)
        self.queries = insights.save(functions, place, self._child)
        self.sampling = tracing.sample(traces or TracingSettings(), place, self._child)
        self.budget = spending.limit(
            budget or BudgetSettings(), settings.ticket, notices["ticket"], place, self._child
        )
        log_destination.ship(logs or LogSettings(), functions, place, self._child)
        chat.tell(settings, notices, place, self._child)
        self.register_outputs({"dashboard": self.dashboard.dashboard_name})

    @property
    def arns(self) -> dict[str, pulumi.Output[str]]:
        """The alarms' ARNs by their short names."""
        return {name: alarm.arn for name, alarm in self.alarms.items()}

    def _raise_alarms(self, watched: Sequence[Watched]) -> None:
        for one in watched:
            for counted in one.filters:
                aws.cloudwatch.LogMetricFilter(
                    f"{counted.name}-metric",
                    aws.cloudwatch.LogMetricFilterArgs(
                        log_group_name=counted.group,
                        pattern=counted.pattern,
                        metric_transformation=aws.cloudwatch.LogMetricFilterMetricTransformationArgs(
                            name=counted.metric,
                            namespace=NAMESPACE,
                            value="1",
                            dimensions=counted.dimensions,
                        ),
                    ),
                    self._child,
                )
        for alarm in itertools.chain.from_iterable(one.alarms for one in watched):
            self.alarms[alarm.name] = self._metric_alarm(alarm)
        # They name others, of whatever they watch.
        for composite in itertools.chain.from_iterable(one.composites for one in watched):
            self.alarms[composite.name] = self._composite_alarm(composite)

    def _metric_alarm(self, alarm: Alarm) -> aws.cloudwatch.MetricAlarm:
        s = self._settings
        tells = None if alarm.quiet else [self._notices[alarm.severity].arn]
        period = alarm.period or s.period
        args = aws.cloudwatch.MetricAlarmArgs(
            name=self._called(alarm.name),
            alarm_description=_description(alarm),
            comparison_operator=OPERATORS[alarm.comparison],
            threshold=alarm.threshold,
            evaluation_periods=(periods := alarm.evaluation_periods or s.evaluation_periods),
            treat_missing_data=alarm.missing,
            alarm_actions=tells,
            ok_actions=tells,
        )
        if alarm.takes_late_for_nothing:
            args.datapoints_to_alarm = periods
            args.evaluation_periods = _with_late_ones(periods, period)
        if alarm.band is not None:
            args.comparison_operator = "LessThanLowerOrGreaterThanUpperThreshold"
            args.threshold, args.threshold_metric_id = None, "band"
        if alarm.band is None and not alarm.expression:
            (metric,) = alarm.metrics.values()
            _read_one(args, metric, period)
        else:
            args.metric_queries = _queries(alarm, period)
        return aws.cloudwatch.MetricAlarm(f"{alarm.name}-alarm", args, self._child)

    def _composite_alarm(self, composite: Composite) -> aws.cloudwatch.CompositeAlarm:
        tells = [self._notices[composite.severity].arn]
        # By the alarms' own outputs: they must be there first, and go last.
        rule = pulumi.Output.all(**{part: self.alarms[part].id for part in composite.parts}).apply(
            lambda names: composite.rule.format(**{k: f'ALARM("{v}")' for k, v in names.items()})
        )
        return aws.cloudwatch.CompositeAlarm(
            f"{composite.name}-alarm",
            aws.cloudwatch.CompositeAlarmArgs(
                alarm_name=self._called(composite.name),
                alarm_description=_description(composite),
                alarm_rule=rule,
                alarm_actions=tells,
                ok_actions=tells,
            ),
            self._child,
        )

    def _called(self, alarm: str) -> str:
        return f"{self._place.prefix}-{alarm}"

    def _draw(self, name: str, watched: Sequence[Watched]) -> aws.cloudwatch.Dashboard:
        place = self._place
        body = dashboard.body(watched, alarms=self.arns, region=place.region, title=place.prefix)
        return aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            aws.cloudwatch.DashboardArgs(
                # CloudWatch dashboards have no auto-name in the provider.
                dashboard_name=place.prefix,
                dashboard_body=pulumi.Output.json_dumps(body),
            ),
            self._child,
        )


def _description(alarm: Alarm | Composite) -> str:
    return f"{alarm.says}. Runbook: docs/runbooks/{alarm.runbook}.md"


def _with_late_ones(periods: int, seconds: int) -> int:
    """So many periods, and those in which values may still be missing, as far as CloudWatch looks back."""
    furthest = (86_400 if seconds < 3600 else 604_800) // seconds
    return max(periods, min(periods + math.ceil(LATE / seconds), furthest))


def _read_one(args: aws.cloudwatch.MetricAlarmArgs, metric: Metric, period: int) -> None:
    args.namespace, args.metric_name, args.period = metric.namespace, metric.name, period
    args.dimensions = metric.dimensions
    if metric.is_extended:
        args.extended_statistic = metric.statistic
    else:
        args.statistic = metric.statistic


def _queries(alarm: Alarm, period: int) -> list[Any]:
    """The metrics of an alarm, and what is made of them: an expression, or a band around the one metric there is."""
    is_band = alarm.band is not None
    expression = (
        f"ANOMALY_DETECTION_BAND({next(iter(alarm.metrics))}, {alarm.band:g})"
        if is_band
        else alarm.expression
    )
    return [
        *(
            aws.cloudwatch.MetricAlarmMetricQueryArgs(
                id=key,
                # Of a band CloudWatch compares both.
                return_data=is_band,
                metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                    namespace=metric.namespace,
                    metric_name=metric.name,
                    stat=metric.statistic,
                    period=period,
                    dimensions=metric.dimensions,
                ),
            )
            for key, metric in alarm.metrics.items()
        ),
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id="band" if is_band else "value",
            expression=expression,
            label=alarm.says[:80],
            return_data=True,
        ),
    ]
