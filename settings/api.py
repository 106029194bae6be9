"""What a stack file may say of the REST API."""

from ipaddress import ip_network
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, field_validator

from settings.fields import Model, TextMap, distinct, form, members, setting
from settings.gates import FirewallSettings
from settings.stages import ByRoute, RoutedSettings, RouteRates, about, burst, rate
from settings.text import WrongValueError
from settings.wiring import REST_ROUTES

ORIGIN: Final = r"(https?)://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::([1-9][0-9]{0,4}))?"
"""Regular expression of a web origin: scheme, host, port."""

STAGE_VARIABLE: Final = ("[A-Za-z0-9_]{1,64}", r"[A-Za-z0-9._~:/?#&=,-]{1,512}")
"""Regular expressions of a stage variable: its name, its value. Source: API Gateway quotas."""

STAGE_VARIABLES: Final = 100
"""Variables that a stage may have. Source: API Gateway quotas."""

_STAGE: Final = "API Gateway API reference, MethodSetting"
_PLAN: Final = "API Gateway API reference, CreateUsagePlan"
_CACHE_SIZES: Final = ("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237")
_WORD: Final = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE: Final = rf"(?!application/(?:\*|json)$){_WORD}/(?:\*|{_WORD})"

MediaType = Annotated[
    str,
    form(
        _MEDIA_TYPE,
        "must be a media type, as in image/png or image/*, and not JSON's: routes could not read it any more",
    ),
]


def _check_range(text: str) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise WrongValueError(
            "must be a range of addresses, as in 203.0.113.0/24 or 2001:db8::/32"
        ) from None
    if str(network) != text:
        raise WrongValueError("must be a range by its first address", f"write {network}")
    return text


AddressRange = Annotated[str, AfterValidator(_check_range)]


class RouteSettings(RouteRates):
    """One route of the REST API, where it differs from the whole."""

    cache_ttl_in_seconds: int | None = setting(
        None,
        "How long an answer of a GET route is kept in the stage's cache, which must be there. Without it: not at all.",
        unit="seconds",
        ge=0,
        le=3600,
        source=_STAGE,
    )


class UsagePlanSettings(Model):
    """What one API key may ask; routes that need no key know no plan."""

    quota_limit: int = setting(10000, "Requests in a period.", unit="requests", ge=1, source=_PLAN)
    quota_period: Literal["DAY", "WEEK", "MONTH"] = setting("DAY", "The period.", source=_PLAN)
    quota_offset: int = setting(
        0,
        "Day on which the period starts, 0 the first: 0 with DAY, 0 to 6 with WEEK, 0 to 27 with MONTH.",
        unit="days",
        ge=0,
        le=27,
        source=_PLAN,
    )
    throttle_rate_limit: float = rate(10.0, "Requests a second.", source=_PLAN)
    throttle_burst_limit: int = burst(
        20, "Requests let through at once above the rate.", source=_PLAN
    )


class ApiSettings(RoutedSettings[RouteSettings]):
    """The REST API."""

    description: str = about("The items API")
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
    routes: ByRoute[RouteSettings] = setting(
        {},
        "Rates and caching of single routes, by method and path as in `GET /items`.",
        values=", ".join(REST_ROUTES),
        source=_STAGE,
        schema={"propertyNames": {"enum": tuple(REST_ROUTES)}},
        example={"POST /items": {"throttle_rate_limit": 50}},
    )
    cache_cluster_enabled: bool = setting(
        default=False,
        description="A cache in the stage, encrypted; it costs by the hour. What it keeps, each route says.",
        source="API Gateway API reference, CreateStage",
    )
    cache_cluster_size: Literal["0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"] = (
        setting(
            "0.5",
            "Size of the cache.",
            unit="GB",
            source="API Gateway API reference, CreateStage",
            remedy="API Gateway has no other sizes",
            schema={"enum": [*_CACHE_SIZES, *map(float, _CACHE_SIZES)]},
        )
    )
    client_certificate: bool = setting(
        default=False,
        description="A certificate that the gateway shows the HTTP backends it calls; Lambda does not look at it.",
        source="API Gateway API reference, GenerateClientCertificate",
    )
    variables: TextMap = setting(
        {},
        "Stage variables: names of letters, digits and _, values of letters, digits and -._~:/?#&=, characters. No secrets.",
        source="API Gateway API reference, CreateStage",
        schema={
            "propertyNames": {"pattern": f"^(?!secure$){STAGE_VARIABLE[0]}$"},
            "additionalProperties": {"type": "string", "pattern": f"^{STAGE_VARIABLE[1]}$"},
            "maxProperties": STAGE_VARIABLES,
        },
        example={"release": "blue"},
    )
    binary_media_types: Annotated[tuple[MediaType, ...], AfterValidator(distinct)] = setting(
        (),
        "Media types whose bodies are passed on as bytes, `type/subtype` or `type/*`; not JSON, which routes read.",
        values="media types",
        source="API Gateway API reference, CreateRestApi",
        schema=members(_MEDIA_TYPE, unique=True),
        example=["image/png"],
    )
    check_answers: bool = setting(
        default=False,
        description="Hold every answer of a handler against its schema; one that breaks it becomes a 500 that names the "
        "field. For stages in which people develop.",
        source="OpenAPI specification, response object",
    )
    allow_source_ips: Annotated[tuple[AddressRange, ...], AfterValidator(distinct)] = setting(
        (),
        "Ranges of addresses (CIDR, IPv4 or IPv6) from which the API may be called. Empty: from everywhere.",
        values="ranges of addresses",
        source="API Gateway developer guide, resource policies",
        schema={"items": {"type": "string"}, "uniqueItems": True},
        example=["203.0.113.0/24"],
    )
    usage_plan: UsagePlanSettings = setting(
        UsagePlanSettings(), "What the API key may ask.", source=_PLAN
    )
    firewall: FirewallSettings | None = setting(
        None,
        "A web ACL before the stage; it costs by the month and by the request. Without it: none.",
        source="WAF API reference, CreateWebACL",
    )

    @field_validator("cache_cluster_size", mode="before")
    @classmethod
    def _size_in_words(cls, value: object) -> object:
        """Read the number that YAML makes of an unquoted size as the text that AWS has."""
        if isinstance(value, bool | str):
            return value
        return next((size for size in _CACHE_SIZES if float(size) == value), value)

    def cache_ttl(self, endpoint: str) -> int:
        """Return how long (seconds) an answer of one route (`GET /items`) is kept; 0: not at all."""
        own = self.routes.get(endpoint) or RouteSettings()
        return own.cache_ttl_in_seconds or 0
