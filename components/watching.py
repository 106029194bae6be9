"""What is watched, as data: alarms and graphs that each thing derives from itself, drawn and declared by Observability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import pulumi

Severity = Literal["page", "ticket"]
SEVERITIES: tuple[Severity, ...] = ("page", "ticket")
Kind = Literal["service", "function", "api", "queue", "stream", "table"]
Comparison = Literal[">=", ">", "<"]
Silence = Literal["notBreaching", "breaching", "ignore"]

NAMESPACE = "Sandpiper"
"""Of metrics that are the program's own."""

OPERATORS: Mapping[Comparison, str] = MappingProxyType(
    {
        ">=": "GreaterThanOrEqualToThreshold",
        ">": "GreaterThanThreshold",
        "<": "LessThanThreshold",
    }
)


@dataclass(frozen=True)
class Metric:
    """A CloudWatch metric, read by one statistic: `Sum`, `Maximum`, a percentile (`p99`) or a rank (`PR(:500)`)."""

    namespace: str
    name: str
    statistic: str
    dimensions: Mapping[str, pulumi.Input[str]] = field(
        default_factory=dict[str, "pulumi.Input[str]"]
    )

    @property
    def is_extended(self) -> bool:
        """Whether CloudWatch counts the statistic among the extended ones."""
        return self.statistic[0].islower() or self.statistic.startswith("PR(")


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm before it is declared. `name` is short, e.g. `create-item-errors`; `says` is one clause without a stop.

    `metrics` holds one metric, or several by id with the `expression` over them. `period` is in seconds; None takes the
    stack's own. `band` is the width of an anomaly detection band in standard deviations, instead of a threshold. `quiet`
    is a part of a composite alarm, which speaks for it.
    """

    name: str
    says: str
    runbook: str
    severity: Severity
    metrics: Mapping[str, Metric]
    threshold: float = 0
    expression: str = ""
    comparison: Comparison = ">="
    period: int | None = None
    evaluation_periods: int | None = None
    missing: Silence = "notBreaching"
    band: float | None = None
    quiet: bool = False

    @property
    def takes_late_for_nothing(self) -> bool:
        """Whether what has not come yet counts as 0, as `filled` has it: the newest periods alone would never ring."""
        return "FILL(" in self.expression


@dataclass(frozen=True, kw_only=True)
class Composite:
    """An alarm over other alarms: rings while `rule` holds, where `{name}` is the condition that the alarm rings."""

    name: str
    says: str
    runbook: str
    severity: Severity
    rule: str
    parts: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class LogFilter:
    """A metric that is counted out of log lines: those of `group` that fit `pattern`, by fields of the line."""

    name: str
    group: pulumi.Input[str]
    pattern: str
    metric: str
    dimensions: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One picture of the dashboard: lines by label, in one unit, with the limit from which an alarm rings."""

    title: str
    lines: Sequence[tuple[str, Metric]]
    unit: str = "count"
    limit: float | None = None


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A thing with what is watched of it."""

    name: str
    kind: Kind
    alarms: Sequence[Alarm] = ()
    composites: Sequence[Composite] = ()
    graphs: Sequence[Graph] = ()
    filters: Sequence[LogFilter] = ()


def rate_alarm(
    name: str,
    says: str,
    *,
    runbook: str,
    severity: Severity,
    metrics: Mapping[str, Metric],
    part: str,
    whole: str,
    least: int,
    percent: float,
    period: int,
) -> Alarm:
    """An alarm on how many percent of `whole` are `part` over one period; `says` is what stands after "5 % of"."""
    return Alarm(
        name=name,
        says=f"{percent:g} % of {says}",
        runbook=runbook,
        severity=severity,
        metrics=metrics,
        expression=rate(part, whole, least),
        threshold=percent,
        period=period,
        evaluation_periods=1,
    )


def rate(part: str, whole: str, least: int) -> str:
    """Metric math: percent of `whole` that is `part` (ids or sums of them); 0 below `least`, for of two one is half."""
    return f"IF({whole} >= {least}, 100 * ({part}) / ({whole}), 0)"


def filled(*ids: str) -> str:
    """Metric math: the sum of metrics that may be missing, as those are that were never other than 0."""
    return " + ".join(f"FILL({one}, 0)" for one in ids)
