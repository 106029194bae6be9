"""HTTP APIs: throttling, CORS and paths as API Gateway has them.

MiniStack stores the throttling of an HTTP API, gives errors no CORS headers, and leaves a named stage out of `rawPath`.
Sources: API Gateway developer guide, "Configure CORS for HTTP APIs", "Throttle requests to your HTTP APIs".
"""

from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any, Final

from sandbox.workers.gateway_seams import GATEWAY_V2, MOST_BYTES
from sandbox.workers.seams import Seam

_JSON: Final = {"Content-Type": "application/json"}
_BROKEN: Final = (502, b'{"message":"Internal Server Error"}')
_REFUSED: Final = b'{"__type": "TooManyRequestsException"'
"""How Lambda's own answer to a call begins that it has no environment for."""
"""What `gateway_seams` makes of a failed function."""

Handler = Callable[..., Awaitable[Any]]

# fmt: off
_REQUEST = ("api_id", "stage", "path", "method", "headers", "body", "query_params", "owner_account_id", "owner_region", "raw_query_string")
_CALL = ("integration", "api_id", "stage", "path", "method", "headers", "body", "query_params", "route_key", "path_params", "authorizer_claims", "authorizer_scopes", "authorizer_lambda_context", "authorizer_iam", "owner_account_id", "owner_region", "raw_query_string")
# fmt: on
"""Parameters of two functions of the emulator, in their order."""


def seams() -> list[Seam]:
    """Return the seams of HTTP APIs."""
    return [
        Seam(
            GATEWAY_V2,
            "_handle_execute_in_scope",
            _REQUEST,
            "HTTP APIs are not throttled, and their errors have no CORS headers",
            _guarded,
            needs=("_apis", "_stages", "_match_route", "_cors_response_headers"),
        ),
        Seam(
            GATEWAY_V2,
            "_cors_preflight_response",
            ("cors_cfg", "origin"),
            "preflights of an HTTP API from elsewhere are 403 instead of 204 without headers",
            _preflight,
            needs=("_http_api_not_found",),
        ),
        Seam(
            GATEWAY_V2,
            "_invoke_lambda_proxy",
            _CALL,
            "rawPath lacks the stage, and a failed function is 502 instead of 500",
            _as_http_api,
        ),
    ]


def _guarded(module: ModuleType, original: Handler) -> Handler:
    """Throttle each route, and let the API's CORS configuration alone decide about CORS headers."""

    async def handle(
        api_id: str,
        stage: str,
        path: str,
        method: str,
        headers: dict[str, str],
        body: bytes,
        *rest: Any,
        **named: Any,
    ) -> Any:
        if len(body or b"") > MOST_BYTES:
            answer = 413, dict(_JSON), b'{"message":"Request Entity Too Large"}'
        elif _throttled(module, api_id, stage, path, method):
            answer = 429, dict(_JSON), b'{"message":"Too Many Requests"}'
        else:
            answer = await original(api_id, stage, path, method, headers, body, *rest, **named)
        cors = (module._apis.get(api_id) or {}).get("corsConfiguration")
        if not cors or method == "OPTIONS":
            return answer
        status, found, body = answer
        own = {k: v for k, v in found.items() if not k.lower().startswith("access-control-")}
        origin = headers.get("origin") or headers.get("Origin", "")
        return status, {**own, **module._cors_response_headers(cors, origin)}, body

    return handle


def _throttled(module: ModuleType, api_id: str, stage: str, path: str, method: str) -> bool:
    """Whether the route's own limits, or those of all routes, are used up; each route counts by itself."""
    from ministack.services import apigateway_v1

    place = (module._stages.get(api_id) or {}).get(stage)
    if not place or method == "OPTIONS":
        return False
    route = module._match_route(api_id, method, "/" + path.lstrip("/"))
    if not route:
        return False
    key = route.get("routeKey", "$default")
    limits = _limits(place, key)
    if limits is None:
        return False
    return not apigateway_v1._take_token(("http", api_id, stage, key), limits)


def _limits(stage: dict[str, Any], route_key: str) -> dict[str, Any] | None:
    for settings in (
        stage.get("routeSettings", {}).get(route_key),
        stage.get("defaultRouteSettings"),
    ):
        given = settings or {}
        rate, burst = given.get("throttlingRateLimit"), given.get("throttlingBurstLimit")
        if rate is not None or burst is not None:
            return {"rateLimit": rate, "burstLimit": burst}
    return None


def _preflight(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def respond(cors_cfg: dict[str, Any], origin: str) -> Any:
        if not cors_cfg:
            return module._http_api_not_found()
        answer = original(cors_cfg, origin)
        return answer if answer[0] == 204 else (204, {}, b"")

    return respond


def _as_http_api(_module: ModuleType, original: Handler) -> Handler:
    """Function URLs, which share the conversion of answers, are 502 where an HTTP API is 500, and 429 where it is 503."""

    async def invoke(
        integration: Any, api_id: str, stage: str, path: str, *rest: Any, **named: Any
    ) -> Any:
        whole = path if stage == "$default" else f"/{stage}{path}"
        answer = await original(integration, api_id, stage, whole, *rest, **named)
        status, headers, body = answer
        if status == 429 and body.startswith(_REFUSED):
            return 503, dict(_JSON), b'{"message":"Service Unavailable"}'
        return (500, headers, body) if (status, body) == _BROKEN else answer

    return invoke
