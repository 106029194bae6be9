"""Requests, whoever answers them: their metrics by one set of names, and the alarms that all of them have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.watching import Alarm, Metric, rate_alarm
from settings import ObservabilitySettings


@dataclass(frozen=True)
class Requests:
    """Of one API: `Count`, `4xx`, `5xx`, `Latency`; `names` says how the API calls them where it differs."""

    dimensions: Mapping[str, pulumi.Input[str]]
    names: Mapping[str, str] = field(default_factory=dict[str, str])

    def metric(self, name: str, statistic: str = "Sum") -> Metric:
        """One of them; without a statistic: how many."""
        return Metric("AWS/ApiGateway", self.names.get(name, name), statistic, self.dimensions)


def failing(
    name: str,
    title: str,
    settings: ObservabilitySettings,
    metrics: Mapping[str, Metric],
    part: str = "errors",
) -> Alarm:
    """The alarm on answers 5xx of whatever answers requests; `part` is metric math over `metrics`, beside `requests`."""
    return rate_alarm(
        f"{name}-5xx",
        f"the requests of {title} are answered 5xx",
        runbook="api-5xx",
        severity="page",
        metrics=metrics,
        part=part,
        whole="requests",
        least=settings.minimum_requests,
        percent=settings.server_error_percent,
        period=settings.error_rate_period,
    )


def slow(
    name: str, title: str, settings: ObservabilitySettings, latency: Metric, limit: float
) -> Alarm:
    """The alarm on its latency; `limit` is the settings' own in the unit of the metric."""
    return Alarm(
        name=f"{name}-latency",
        says=f"{title} takes {settings.latency_threshold_milliseconds} ms to answer",
        runbook="api-latency",
        severity="ticket",
        metrics={"latency": latency},
        threshold=limit,
    )
