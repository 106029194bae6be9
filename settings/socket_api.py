"""What a stack file may say of the WebSocket API."""

from typing import Literal

from settings.fields import setting
from settings.gates import DomainSettings
from settings.stages import StageSettings, about, burst, rate


class SocketSettings(StageSettings):
    """The WebSocket API."""

    description: str = about("Live changes")
    throttle_rate_limit: float = rate(
        1000.0,
        "Messages a second, new connections among them, that the stage lets through.",
        unit="messages/s",
    )
    throttle_burst_limit: int = burst(
        500, "Messages let through at once above the rate.", unit="messages"
    )
    logging_level: Literal["ERROR", "INFO", "OFF"] = setting(
        "ERROR",
        "Level of the stage's execution log.",
        source="API Gateway V2 API reference, RouteSettings",
    )
    access_log_enabled: bool = setting(
        default=True,
        description="One JSON line per message in a log group of the stage.",
        source="API Gateway V2 API reference, AccessLogSettings",
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
