"""HTTP and WebSocket APIs: throttling, CORS, paths and replies as API Gateway has them.

MiniStack stores the throttling of an HTTP API, gives errors no CORS headers, leaves a named stage out of `rawPath`, and
sends a WebSocket whatever a function returned. Sources: API Gateway developer guide, "Configure CORS for HTTP APIs",
"Throttle requests to your HTTP APIs", "Set up WebSocket route responses".
"""

import json
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any, Final

from sandbox.workers.seams import Seam

GATEWAY: Final = "ministack.services.apigateway"
MOST_BYTES: Final = 10 * 1024 * 1024
"""Largest body of a request to an HTTP API."""
MOST_OF_A_FRAME: Final = 32 * 1024
"""Bytes of a frame of a WebSocket; clients send a message in one. What is pushed may be four times as long."""
_JSON: Final = {"Content-Type": "application/json"}
_FAILED: Final = {"statusCode": 500, "body": "Internal server error"}
"""What the workers answer for a function that has failed."""
_BROKEN: Final = (502, b'{"message":"Internal Server Error"}')
"""What `gateway_seams` makes of a failed function."""
_LIFECYCLE: Final = ("$connect", "$disconnect")
_NO_ROUTE: Final = {"routeKey": ""}
"""Stands for the route of a message that no route is for."""

Handler = Callable[..., Awaitable[Any]]

# fmt: off
_REQUEST = ("api_id", "stage", "path", "method", "headers", "body", "query_params", "owner_account_id", "owner_region", "raw_query_string")
_CALL = ("integration", "api_id", "stage", "path", "method", "headers", "body", "query_params", "route_key", "path_params", "authorizer_claims", "authorizer_scopes", "authorizer_lambda_context", "authorizer_iam", "owner_account_id", "owner_region", "raw_query_string")
_MESSAGE = ("api_id", "account_id", "region", "route", "stage", "connection_id", "event_type", "message_id", "body_text", "source_ip", "headers", "query_params", "kwargs")
# fmt: on
"""Parameters of three functions of the emulator, in their order."""


def seams() -> list[Seam]:
    """Return the seams of both kinds of API."""
    return [*_http(), *_sockets()]


def _http() -> list[Seam]:
    return [
        Seam(
            GATEWAY,
            "_handle_execute_in_scope",
            _REQUEST,
            "HTTP APIs are not throttled, and their errors have no CORS headers",
            _guarded,
            needs=("_apis", "_stages", "_match_route", "_cors_response_headers"),
        ),
        Seam(
            GATEWAY,
            "_cors_preflight_response",
            ("cors_cfg", "origin"),
            "preflights of an HTTP API from elsewhere are 403 instead of 204 without headers",
            _preflight,
            needs=("_http_api_not_found",),
        ),
        Seam(
            GATEWAY,
            "_invoke_lambda_proxy",
            _CALL,
            "rawPath lacks the stage, and a failed function is 502 instead of 500",
            _as_http_api,
        ),
    ]


def _sockets() -> list[Seam]:
    return [
        Seam(
            GATEWAY,
            "_match_ws_route",
            ("api_id", "route_key"),
            "a WebSocket's $default route is called for $connect too, and nobody is told that no route fits",
            _exact_lifecycle,
        ),
        Seam(
            GATEWAY,
            "_invoke_ws_lambda",
            _MESSAGE,
            "a WebSocket route answers although it declares no response",
            _replies_if_declared,
        ),
        Seam(
            GATEWAY,
            "handle_connections_api",
            ("method", "api_id", "stage", "connection_id", "body", "headers"),
            "a WebSocket that has just gone is 410 only half a second later",
            _gone_at_once,
            needs=("_ws_connections",),
        ),
        Seam(
            GATEWAY,
            "handle_websocket",
            ("scope", "receive", "send", "api_id", "path_override"),
            "a WebSocket takes messages of any size",
            _within_frame,
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
    """Function URLs, which share the conversion of answers, are 502 where an HTTP API is 500."""

    async def invoke(
        integration: Any, api_id: str, stage: str, path: str, *rest: Any, **named: Any
    ) -> Any:
        whole = path if stage == "$default" else f"/{stage}{path}"
        answer = await original(integration, api_id, stage, whole, *rest, **named)
        status, headers, body = answer
        return (500, headers, body) if (status, body) == _BROKEN else answer

    return invoke


def _exact_lifecycle(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def match(api_id: str, route_key: str) -> Any:
        found = original(api_id, route_key)
        if route_key in _LIFECYCLE:
            return found if found and found.get("routeKey") == route_key else None
        return found or _NO_ROUTE

    return match


def _replies_if_declared(_module: ModuleType, original: Handler) -> Handler:
    async def invoke(
        api_id: str,
        account_id: str,
        region: str,
        route: dict[str, Any],
        stage: str,
        connection_id: str,
        event_type: str,
        message_id: str,
        *rest: Any,
        **named: Any,
    ) -> Any:
        front = (api_id, account_id, region, route, stage, connection_id, event_type, message_id)
        answer = await original(*front, *rest, **named)
        if event_type != "MESSAGE":
            return answer
        if answer == _FAILED or route is _NO_ROUTE:
            told = "Forbidden" if route is _NO_ROUTE else _FAILED["body"]
            names = {"connectionId": connection_id, "requestId": message_id}
            return {"body": json.dumps({"message": told, **names})}
        return answer if route.get("routeResponseSelectionExpression") else None

    return invoke


def _gone_at_once(module: ModuleType, original: Handler) -> Handler:
    async def handle(
        method: str, api_id: str, stage: str, connection_id: str, body: bytes, headers: Any
    ) -> Any:
        if method == "POST" and len(body or b"") > 4 * MOST_OF_A_FRAME:
            told = {**_JSON, "x-amzn-ErrorType": "PayloadTooLargeException"}
            return 413, told, b'{"message":"Message too long"}'
        connection = module._ws_connections.get(connection_id)
        if connection and connection["close_event"].is_set():
            module._ws_connections.pop(connection_id, None)
        return await original(method, api_id, stage, connection_id, body, headers)

    return handle


def _within_frame(_module: ModuleType, original: Handler) -> Handler:
    """A message that is too long closes its connection with 1009."""

    async def handle(
        scope: Any, receive: Handler, send: Handler, api_id: str, path_override: str | None = None
    ) -> Any:
        async def receive_or_close() -> Any:
            message = await receive()
            text = message.get("text") or message.get("bytes") or ""
            # A character takes up to four bytes: most messages need not be encoded to be judged.
            if 4 * len(text) > MOST_OF_A_FRAME and _bytes(text) > MOST_OF_A_FRAME:
                await send({"type": "websocket.close", "code": 1009, "reason": "Message too long"})
                return {"type": "websocket.disconnect", "code": 1009, "reason": "Message too long"}
            return message

        return await original(scope, receive_or_close, send, api_id, path_override)

    return handle


def _bytes(text: str | bytes) -> int:
    return len(text.encode() if isinstance(text, str) else text)
