"""What a stack file may say of a stage of any API, and of the rates of its single routes."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Final, Generic, NamedTuple, TypeVar

from pydantic import AfterValidator, PlainSerializer

from settings.fields import LogRetention, Model, setting
from settings.gates import DomainSettings
from settings.other_names import OF_A_FIXTURE

QUOTAS: Final = "API Gateway quotas"

about = partial(
    setting,
    description="What the API is for, as its page in the console says it.",
    min_length=1,
    max_length=1024,
    source="API Gateway API references, CreateRestApi and CreateApi",
)
"""Declare an API's description; only its default differs from API to API."""

rate = partial(setting, unit="requests/s", gt=0, source=QUOTAS)
"""Declare how much a second is let through."""

burst = partial(setting, unit="requests", ge=1, source=QUOTAS)
"""Declare how much is let through at once above a rate."""


class Rates(NamedTuple):
    """What is let through."""

    rate: float
    """Requests a second."""
    burst: int
    """Requests at once above the rate."""


class RouteRates(Model):
    """One route, where it differs from the whole."""

    throttle_rate_limit: float | None = rate(
        None, "Requests a second that the route lets through. Without it: the stage's."
    )
    throttle_burst_limit: int | None = burst(
        None, "Requests let through at once above the rate. Without it: the stage's."
    )


class StageSettings(Model):
    """A stage: what it lets through, what it writes down, where it answers."""

    other_names = OF_A_FIXTURE

    description: str = about(...)
    throttle_rate_limit: float = rate(1000.0, "Requests a second that the stage lets through.")
    throttle_burst_limit: int = burst(500, "Requests let through at once above the rate.")
    metrics_enabled: bool = setting(
        default=True,
        description="CloudWatch metrics per route.",
        source="API Gateway V2 API reference, RouteSettings",
    )
    access_log_enabled: bool = setting(
        default=True,
        description="One JSON line per request in a log group of the stage.",
        source="API Gateway API references, AccessLogSettings",
    )
    log_retention_in_days: LogRetention = setting(
        14,
        "How long the API's log events are kept.",
        unit="days",
        source="CloudWatch Logs API reference, PutRetentionPolicy",
    )
    domain: DomainSettings | None = setting(
        None,
        "A name of the API's own. Without it: the one that API Gateway gives it.",
        source="API Gateway V2 API reference, CreateDomainName",
    )
    disable_execute_api_endpoint: bool = setting(
        default=False,
        description="Answer at `domain` only.",
        source="API Gateway API references, CreateRestApi and CreateApi",
    )


AnyRoute = TypeVar("AnyRoute", bound=RouteRates)


def _read_only(found: Mapping[str, AnyRoute]) -> Mapping[str, AnyRoute]:
    return MappingProxyType(dict(found))


ByRoute = Annotated[Mapping[str, AnyRoute], AfterValidator(_read_only), PlainSerializer(dict)]
"""A read-only map from a route (`GET /items`) to its settings."""


class RoutedSettings(StageSettings, Generic[AnyRoute]):
    """A stage that may let more or less through on single routes."""

    routes: ByRoute[AnyRoute]

    def rates(self, endpoint: str) -> Rates:
        """Return what one route (`GET /items`) lets through; the stage's own rates where the stack file says nothing."""
        own = self.routes.get(endpoint) or RouteRates()
        # Neither may be 0, so only what is left out gives way.
        return Rates(
            own.throttle_rate_limit or self.throttle_rate_limit,
            own.throttle_burst_limit or self.throttle_burst_limit,
        )
