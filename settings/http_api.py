"""What a stack file may say of the HTTP API."""

from typing import Annotated, Final

from pydantic import AfterValidator

from settings.api import ORIGIN
from settings.fields import distinct, members, setting
from settings.stages import ByRoute, RoutedSettings, RouteRates, about
from settings.wiring import HTTP_ROUTES

_CORS: Final = "API Gateway V2 API reference, Cors"


class HttpRouteSettings(RouteRates):
    """One route of the HTTP API, where it differs from the whole."""


class HttpApiSettings(RoutedSettings[HttpRouteSettings]):
    """The HTTP API."""

    description: str = about("The shop and user API")
    routes: ByRoute[HttpRouteSettings] = setting(
        {},
        "Rates of single routes, by method and path as in `POST /users`.",
        values=", ".join(HTTP_ROUTES),
        source="API Gateway V2 API reference, RouteSettings",
        schema={"propertyNames": {"enum": tuple(HTTP_ROUTES)}},
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
