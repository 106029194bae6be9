"""What a stack file may say of the REST API."""

from typing import Final, Literal

from settings.fields import LogRetention, Model, setting

ORIGIN: Final = r"(https?)://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::([1-9][0-9]{0,4}))?"
"""Regular expression of a web origin: scheme, host, port."""

_STAGE: Final = "API Gateway API reference, MethodSetting"


class ApiSettings(Model):
    """The REST API."""

    throttle_rate_limit: float = setting(
        1000.0,
        "Requests a second that the stage lets through.",
        unit="requests/s",
        gt=0,
        source="API Gateway quotas",
    )
    throttle_burst_limit: int = setting(
        500,
        "Requests let through at once above the rate.",
        unit="requests",
        ge=1,
        source="API Gateway quotas",
    )
    cors_allow_origins: tuple[str, ...] = setting(
        (),
        "The web origin that may call the API from a browser, `https://host[:port]`; at most one. Empty: none.",
        source="Fetch standard, CORS protocol",
        schema={"items": {"type": "string", "pattern": f"^{ORIGIN}$"}, "maxItems": 1},
        example=["https://app.example.com"],
    )
    authorizer_result_ttl_in_seconds: int = setting(
        60,
        "How long the gateway remembers the authorizer's answer to a token; 0 asks each time.",
        unit="seconds",
        ge=0,
        le=3600,
        source="API Gateway API reference, CreateAuthorizer",
    )
    logging_level: Literal["ERROR", "INFO", "OFF"] = setting(
        "ERROR",
        "Level of the stage's execution log.",
        source=_STAGE,
    )
    metrics_enabled: bool = setting(
        default=True, description="CloudWatch metrics per method.", source=_STAGE
    )
    access_log_enabled: bool = setting(
        default=True,
        description="One JSON line per request in a log group of the stage.",
        source="API Gateway API reference, AccessLogSettings",
    )
    log_retention_in_days: LogRetention = setting(
        14,
        "How long the API's log events are kept.",
        unit="days",
        source="CloudWatch Logs API reference, PutRetentionPolicy",
    )
    manage_account_log_role: bool = setting(
        default=False,
        description="Let this stack own the role with which API Gateway writes logs. There is one per account and region, and "
        "destroying its owner stops the logs of every API there.",
        source="API Gateway developer guide, set up CloudWatch logging",
    )
    tracing_enabled: bool = setting(
        default=True,
        description="Trace requests with X-Ray.",
        source="API Gateway API reference, CreateStage",
    )
    minimum_compression_size: int | None = setting(
        None,
        "Answers from this size on are compressed for callers that accept it. Without it none is.",
        unit="bytes",
        ge=0,
        le=10485760,
        source="API Gateway API reference, CreateRestApi",
        remedy="leave the key out for no compression",
    )
