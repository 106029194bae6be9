"""The metrics that API Gateway has of requests, by one set of names for both kinds of API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.watching import Metric


@dataclass(frozen=True)
class Requests:
    """Of one API: `Count`, `4xx`, `5xx`, `Latency`; `names` says how the API calls them where it differs."""

    dimensions: Mapping[str, pulumi.Input[str]]
    names: Mapping[str, str] = field(default_factory=dict[str, str])

    def metric(self, name: str, statistic: str = "Sum") -> Metric:
        """One of them; without a statistic: how many."""
        return Metric("AWS/ApiGateway", self.names.get(name, name), statistic, self.dimensions)
