"""Alarms from objectives: they ring by how fast what may fail in a month is being used up.

Two windows each, as The Site Reliability Workbook has them ("Alerting on SLOs", alert 6): the long one says that it is
serious, the short one that it still goes on, so that the alarm ends soon after the cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from components.api_requests import Requests
from components.watching import Alarm, Composite, Metric, Severity, rate
from settings import FAST_BURN, SLOW_BURN, ObjectiveSettings, ObservabilitySettings

HOUR: Final = 3600


@dataclass(frozen=True)
class Burn:
    """A speed at which an objective is used up: times the sustainable one, over both windows (name -> seconds)."""

    name: str
    severity: Severity
    times: float
    windows: Mapping[str, int]


FAST: Final = Burn("fast", "page", FAST_BURN, {"1h": HOUR, "5m": 300})
SLOW: Final = Burn("slow", "ticket", SLOW_BURN, {"6h": 6 * HOUR, "30m": 1800})


@dataclass(frozen=True)
class Kept:
    """What watches over the objectives of one API."""

    alarms: list[Alarm] = field(default_factory=list[Alarm])
    composites: list[Composite] = field(default_factory=list[Composite])


def of(
    api: str,
    requests: Requests,
    objective: ObjectiveSettings | None,
    settings: ObservabilitySettings,
) -> Kept:
    """A fast and a slow alarm for each objective that the stack file sets."""
    kept = Kept()
    for kind, percent, metrics, failing in _wanted(requests, objective, settings.minimum_requests):
        for burn in (FAST, SLOW):
            name = f"{api}-slo-{kind}-{burn.name}"
            parts = [
                Alarm(
                    name=f"{name}-{window}",
                    says=f"{api}: {kind} of {percent:g} % is used up {burn.times:g} times too fast, over {window}",
                    runbook="slo-burn",
                    severity=burn.severity,
                    metrics=metrics,
                    # How many times faster than a month would last.
                    expression=f"({failing}) / {round(100 - percent, 6):g}",
                    threshold=burn.times,
                    period=seconds,
                    evaluation_periods=1,
                    quiet=True,
                )
                for window, seconds in burn.windows.items()
            ]
            kept.alarms.extend(parts)
            kept.composites.append(
                Composite(
                    name=name,
                    says=f"{api}: {kind} of {percent:g} % is being used up {burn.times:g} times too fast",
                    runbook="slo-burn",
                    severity=burn.severity,
                    rule=" AND ".join(f"{{{part.name}}}" for part in parts),
                    parts=[part.name for part in parts],
                )
            )
    return kept


def _wanted(
    requests: Requests, objective: ObjectiveSettings | None, least: int
) -> Iterator[tuple[str, float, Mapping[str, Metric], str]]:
    """Kind, objective in percent, metrics by id, and metric math of the percentage that fails it."""
    count = requests.metric("Count")
    if objective and objective.availability_percent is not None:
        metrics = {"errors": requests.metric("5xx"), "requests": count}
        yield (
            "availability",
            objective.availability_percent,
            metrics,
            rate("errors", "requests", least),
        )
    if objective and objective.latency_percent is not None:
        within = requests.metric("Latency", f"PR(:{objective.latency_milliseconds})")
        metrics = {"within": within, "requests": count}
        failing = f"IF(requests >= {least}, 100 - within, 0)"
        yield "latency", objective.latency_percent, metrics, failing
