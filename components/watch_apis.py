"""What is watched of the APIs: errors, latency, whom the authorizers fail, and what the objectives leave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi_aws as aws

from components import objectives
from components.api import ApiFront
from components.api_requests import Requests
from components.http_api import STAGE, HttpApi
from components.socket_api import SocketRoutes
from components.watching import Alarm, Graph, LogFilter, Metric, Watched, filled, rate
from settings import ObservabilitySettings

NAMESPACE = "Sandpiper"
"""Of metrics that are the program's own."""
SOCKET_METRICS = {
    "connects": "ConnectCount",
    "messages": "MessageCount",
    "integration": "IntegrationError",
    "execution": "ExecutionError",
}
"""What API Gateway counts of a WebSocket API, by the ids that metric math knows it by."""


def rest(of: ApiFront, settings: ObservabilitySettings) -> Watched:
    """The REST API."""
    dimensions = {"ApiName": of.title, "Stage": of.stage_name}
    names = {"4xx": "4XXError", "5xx": "5XXError"}
    return _Api(
        of.logical_name, of.title, of.access_log, settings, Requests(dimensions, names)
    ).watched()


def http(of: HttpApi, settings: ObservabilitySettings) -> Watched:
    """The HTTP API."""
    dimensions = {"ApiId": of.api.id, "Stage": STAGE}
    return _Api(of.logical_name, of.title, of.access_log, settings, Requests(dimensions)).watched()


@dataclass(frozen=True)
class _Api:
    name: str
    title: str
    access_log: aws.cloudwatch.LogGroup | None
    settings: ObservabilitySettings
    requests: Requests

    def watched(self) -> Watched:
        objective = self.settings.objectives.get(self.name)
        kept = objectives.of(self.name, self.requests, objective, self.settings)
        filters, authorizers = _authorizers(self.name, self.title, self.access_log)
        return Watched(
            name=self.name,
            kind="api",
            alarms=[*self._errors(), *authorizers, *self._traffic(), *kept.alarms],
            composites=kept.composites,
            filters=filters,
            graphs=[
                Graph(
                    title="Requests",
                    lines=[(name, self.requests.metric(name)) for name in ("Count", "4xx", "5xx")],
                ),
                Graph(
                    title="Latency",
                    lines=[
                        (kind, self.requests.metric("Latency", kind)) for kind in ("p50", "p99")
                    ],
                    unit="ms",
                    limit=self.settings.latency_threshold_milliseconds,
                ),
            ],
        )

    def _errors(self) -> Iterator[Alarm]:
        s, count = self.settings, self.requests.metric("Count")
        yield Alarm(
            name=f"{self.name}-5xx",
            says=f"{s.server_error_percent:g} % of the requests of {self.title} are answered 5xx",
            runbook="api-5xx",
            severity="page",
            metrics={"errors": self.requests.metric("5xx"), "requests": count},
            expression=rate("errors", "requests", s.minimum_requests),
            threshold=s.server_error_percent,
            period=s.error_rate_period,
            evaluation_periods=1,
        )
        yield Alarm(
            name=f"{self.name}-4xx",
            says=f"{s.client_error_percent:g} % of the requests of {self.title} are answered 4xx",
            runbook="api-4xx",
            severity="ticket",
            metrics={"errors": self.requests.metric("4xx"), "requests": count},
            expression=rate("errors", "requests", s.minimum_requests),
            threshold=s.client_error_percent,
            period=s.error_rate_period,
            evaluation_periods=1,
        )
        yield Alarm(
            name=f"{self.name}-latency",
            says=f"{self.title} takes {s.latency_threshold_milliseconds} ms to answer",
            runbook="api-latency",
            severity="ticket",
            metrics={"latency": self.requests.metric("Latency", "p99")},
            threshold=s.latency_threshold_milliseconds,
        )

    def _traffic(self) -> Iterator[Alarm]:
        if self.settings.anomaly_detection:
            yield Alarm(
                name=f"{self.name}-traffic",
                says=f"{self.title} has more or fewer requests than it usually has",
                runbook="api-traffic",
                severity="ticket",
                metrics={"requests": self.requests.metric("Count")},
                band=self.settings.anomaly_band,
                period=300,
                evaluation_periods=3,
            )


def socket(of: SocketRoutes, settings: ObservabilitySettings) -> Watched:
    """The WebSocket API: what connects and sends, and what of it comes to nothing by our fault."""
    stage = {"ApiId": of.api.id, "Stage": of.stage.name}
    metrics = {
        key: Metric("AWS/ApiGateway", name, "Sum", stage) for key, name in SOCKET_METRICS.items()
    }
    filters, authorizers = _authorizers(of.logical_name, of.title, of.access_log)
    failed, tried = filled("integration", "execution"), f"({filled('connects', 'messages')})"
    errors = Alarm(
        name=f"{of.logical_name}-errors",
        says=f"{settings.server_error_percent:g} % of the messages to {of.title} fail",
        runbook="socket-errors",
        severity="page",
        metrics=metrics,
        expression=rate(failed, tried, settings.minimum_requests),
        threshold=settings.server_error_percent,
        period=settings.error_rate_period,
        evaluation_periods=1,
    )
    return Watched(
        name=of.logical_name,
        kind="api",
        alarms=[errors, *authorizers],
        filters=filters,
        graphs=[
            Graph(title=title, lines=[(key, metrics[key]) for key in keys])
            for title, keys in (
                ("Clients and messages", ("connects", "messages")),
                ("Errors", ("integration", "execution")),
            )
        ],
    )


def _authorizers(
    name: str, title: str, access_log: aws.cloudwatch.LogGroup | None
) -> tuple[list[LogFilter], list[Alarm]]:
    """Failures of authorizers, which API Gateway has no metric of: they are counted in the access log."""
    if access_log is None:
        return [], []
    metric = "AuthorizerFailures"
    counted = LogFilter(
        name=f"{name}-authorizers",
        group=access_log.name,
        pattern='{ $.errorType = "AUTHORIZER_FAILURE" || $.errorType = "AUTHORIZER_CONFIGURATION_ERROR" }',
        metric=metric,
        dimensions={"Api": "$.api"},
    )
    alarm = Alarm(
        name=f"{name}-authorizers",
        says=f"authorizers of {title} fail, and their callers are refused",
        runbook="authorizer-failures",
        severity="page",
        metrics={"failures": Metric(NAMESPACE, metric, "Sum", {"Api": title})},
        threshold=1,
    )
    return [counted], [alarm]
