"""What a stack file may say of the WebSocket API."""

from typing import Final, Literal

from settings.fields import LogRetention, Model, setting
from settings.gates import DomainSettings

_ROUTE: Final = "API Gateway V2 API reference, RouteSettings"


class SocketSettings(Model):
    """The WebSocket API."""

    description: str = setting(
        "Live changes",
        "What the API is for, as its page in the console says it.",
        min_length=1,
        max_length=1024,
        source="API Gateway V2 API reference, CreateApi",
    )
    throttle_rate_limit: float = setting(
        1000.0,
        "Messages a second, new connections among them, that the stage lets through.",
        unit="messages/s",
        gt=0,
        source=_ROUTE,
    )
    throttle_burst_limit: int = setting(
        500,
        "Messages let through at once above the rate.",
        unit="messages",
        ge=1,
        source=_ROUTE,
    )
    logging_level: Literal["ERROR", "INFO", "OFF"] = setting(
        "ERROR", "Level of the stage's execution log.", source=_ROUTE
    )
    metrics_enabled: bool = setting(
        default=True, description="CloudWatch metrics per route.", source=_ROUTE
    )
    access_log_enabled: bool = setting(
        default=True,
        description="One JSON line per message in a log group of the stage.",
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
        "A name of the API's own, which no REST API has. Without it: the one that API Gateway gives it.",
        source="API Gateway V2 API reference, CreateDomainName",
    )
    disable_execute_api_endpoint: bool = setting(
        default=False,
        description="Answer at `domain` only; what pushes messages goes there as well.",
        source="API Gateway V2 API reference, CreateApi",
    )
