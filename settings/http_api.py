"""What a stack file may say of the HTTP API."""

from typing import Annotated, Final

from pydantic import AfterValidator

from settings.api import ORIGIN
from settings.fields import LogRetention, Model, distinct, members, setting
from settings.gates import ByRoute, DomainSettings
from settings.wiring import HTTP_ROUTES

_ROUTE: Final = "API Gateway V2 API reference, RouteSettings"
_CORS: Final = "API Gateway V2 API reference, Cors"


class HttpRouteSettings(Model):
    """One route of the HTTP API, where it differs from the whole."""

    throttle_rate_limit: float | None = setting(
        None,
        "Requests a second that the route lets through. Without it: the stage's.",
        unit="requests/s",
        gt=0,
        source=_ROUTE,
    )
    throttle_burst_limit: int | None = setting(
        None,
        "Requests let through at once above the rate. Without it: the stage's.",
        unit="requests",
        ge=1,
        source=_ROUTE,
    )


class HttpApiSettings(Model):
    """The HTTP API."""

    description: str = setting(
        "The shop and user API",
        "What the API is for, as its page in the console says it.",
        min_length=1,
        max_length=1024,
        source="API Gateway V2 API reference, CreateApi",
    )
    throttle_rate_limit: float = setting(
        1000.0,
        "Requests a second that the stage lets through.",
        unit="requests/s",
        gt=0,
        source=_ROUTE,
    )
    throttle_burst_limit: int = setting(
        500,
        "Requests let through at once above the rate.",
        unit="requests",
        ge=1,
        source=_ROUTE,
    )
    routes: ByRoute[HttpRouteSettings] = setting(
        {},
        "Rates of single routes, by method and path as in `POST /users`.",
        values=", ".join(HTTP_ROUTES),
        source=_ROUTE,
        schema={"propertyNames": {"enum": HTTP_ROUTES}},
        example={"POST /users": {"throttle_rate_limit": 50}},
    )
    cors_allow_origins: Annotated[tuple[str, ...], AfterValidator(distinct)] = setting(
        (),
        "Web origins that may call the API from a browser, `https://host[:port]`. Empty: none.",
        source=_CORS,
        schema=members(ORIGIN, unique=True),
        example=["https://app.example.com"],
    )
    cors_allow_credentials: bool = setting(
        default=False,
        description="Let pages of those origins send cookies along.",
        source=_CORS,
    )
    cors_max_age: int = setting(
        600,
        "How long a browser remembers the answer.",
        unit="seconds",
        ge=0,
        le=86400,
        source=_CORS,
    )
    metrics_enabled: bool = setting(
        default=True, description="CloudWatch metrics per route.", source=_ROUTE
    )
    access_log_enabled: bool = setting(
        default=True,
        description="One JSON line per request in a log group of the stage.",
        source="API Gateway V2 API reference, AccessLogSettings",
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
        source="API Gateway V2 API reference, CreateApi",
    )
