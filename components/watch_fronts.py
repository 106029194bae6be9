"""What is watched of the fronts that are off by default: the load balancer, the GraphQL API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.api_requests import failing, slow
from components.watching import Graph, Metric, Watched, filled
from settings import ObservabilitySettings


def load_balancer(
    name: str, of: aws.lb.LoadBalancer | None, settings: ObservabilitySettings
) -> list[Watched]:
    """The load balancer; nothing where it is off."""
    if of is None:
        return []
    front = _Front(
        name,
        "AWS/ApplicationELB",
        {"LoadBalancer": of.arn_suffix},
        requests="RequestCount",
        errors={"targets": "HTTPCode_Target_5XX_Count", "own": "HTTPCode_ELB_5XX_Count"},
        latency="TargetResponseTime",
        unit="s",
    )
    return [front.watched(settings)]


def graphql(
    name: str, of: aws.appsync.GraphQLApi | None, settings: ObservabilitySettings
) -> list[Watched]:
    """The GraphQL API; nothing where it is off."""
    if of is None:
        return []
    front = _Front(
        name,
        "AWS/AppSync",
        {"GraphQLAPIId": of.id},
        requests="Requests",
        errors={"errors": "5XXError"},
        latency="Latency",
        unit="ms",
    )
    return [front.watched(settings)]


@dataclass(frozen=True)
class _Front:
    name: str
    namespace: str
    dimensions: Mapping[str, pulumi.Input[str]]
    requests: str
    errors: Mapping[str, str]
    latency: str
    unit: str

    def watched(self, settings: ObservabilitySettings) -> Watched:
        errors = {key: self._metric(name) for key, name in self.errors.items()}
        counted = {**errors, "requests": self._metric(self.requests)}
        latency = self._metric(self.latency, "p99")
        limit = settings.latency_threshold_milliseconds / (1 if self.unit == "ms" else 1000)
        return Watched(
            name=self.name,
            kind="api",
            alarms=[
                failing(self.name, self.name, settings, counted, filled(*errors)),
                slow(self.name, self.name, settings, latency, limit),
            ],
            graphs=[
                Graph(title="Requests", lines=list(counted.items())),
                Graph(title="Latency", lines=[("p99", latency)], unit=self.unit, limit=limit),
            ],
        )

    def _metric(self, name: str, statistic: str = "Sum") -> Metric:
        return Metric(self.namespace, name, statistic, self.dimensions)
