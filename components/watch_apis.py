"""What is watched of the APIs: errors, latency, whom the authorizers fail, and what the objectives leave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi_aws as aws

from components import objectives
from components.api import ApiFront
from components.api_requests import Requests, failing, slow
from components.http_api import STAGE, HttpApi
from components.socket_api import SocketRoutes
from components.watching import (
    NAMESPACE,
    Alarm,
    Graph,
    LogFilter,
    Metric,
    Watched,
    filled,
    rate_alarm,
)
from settings import ObservabilitySettings

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
        answered = {"errors": self.requests.metric("5xx"), "requests": count}
        yield failing(self.name, self.title, s, answered)
        yield rate_alarm(
            f"{self.name}-4xx",
            f"the requests of {self.title} are answered 4xx",
            runbook="api-4xx",
            severity="ticket",
            metrics={"errors": self.requests.metric("4xx"), "requests": count},
            part="errors",
            whole="requests",
            least=s.minimum_requests,
            percent=s.client_error_percent,
            period=s.error_rate_period,
        )
        latency = self.requests.metric("Latency", "p99")
        yield slow(self.name, self.title, s, latency, s.latency_threshold_milliseconds)

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
    errors = rate_alarm(
        f"{of.logical_name}-errors",
        f"the messages to {of.title} fail",
        runbook="socket-errors",
        severity="page",
        metrics=metrics,
        part=filled("integration", "execution"),
        whole=f"({filled('connects', 'messages')})",
        least=settings.minimum_requests,
        percent=settings.server_error_percent,
        period=settings.error_rate_period,
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
