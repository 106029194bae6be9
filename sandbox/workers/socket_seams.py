"""WebSocket APIs: handshakes, messages and replies as API Gateway has them.

MiniStack opens a connection under any path, refuses one with 403 whatever its function said, and answers every message
with what a function returned. Sources: API Gateway developer guide, "The $connect route" and "Set up WebSocket route
responses"; what AWS was seen to answer: a `$connect` that fails is 502, and one that answers 301, 401 or 501 is just
that; a message whose route has a response and whose function returns no body is answered with an empty one
(github.com/serverless/serverless, issue 6816).
"""

import contextvars
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers import gateway_metrics
from sandbox.workers.gateway_seams import GATEWAY_V2
from sandbox.workers.seams import Seam

MOST_OF_A_FRAME: Final = 32 * 1024
"""Bytes of a frame; clients send a message in one. What is pushed may be four times as long."""
_JSON: Final = {"Content-Type": "application/json"}
_FAILED: Final = {"statusCode": 500, "body": "Internal server error"}
"""What the workers answer for a function that has failed."""
_LIFECYCLE: Final = ("$connect", "$disconnect")
_NO_ROUTE: Final = {"routeKey": ""}
"""Stands for the route of a message that no route is for."""
_WORDS: Final = {401: "Unauthorized", 403: "Forbidden", 502: "Internal server error"}

Handler = Callable[..., Awaitable[Any]]

# fmt: off
_MESSAGE = ("api_id", "account_id", "region", "route", "stage", "connection_id", "event_type", "message_id", "body_text", "source_ip", "headers", "query_params", "kwargs")
# fmt: on

_refusal: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("_refusal")
"""Filled in with how the function of `$connect` refused the handshake that is under way."""


class _Empty:
    """A body that MiniStack takes for one, and that is empty on the wire."""

    def __str__(self) -> str:
        return ""


def seams() -> list[Seam]:
    """Return the seams of WebSocket APIs."""
    return [
        Seam(
            GATEWAY_V2,
            "_match_ws_route",
            ("api_id", "route_key"),
            "a WebSocket's $default route is called for $connect too, and nobody is told that no route fits",
            _exact_lifecycle,
        ),
        Seam(
            GATEWAY_V2,
            "_invoke_ws_lambda",
            _MESSAGE,
            "a WebSocket route answers although it declares no response",
            _replies_if_declared,
        ),
        Seam(
            GATEWAY_V2,
            "handle_connections_api",
            ("method", "api_id", "stage", "connection_id", "body", "headers"),
            "a WebSocket that has just gone is 410 only half a second later",
            _gone_at_once,
            needs=("_ws_connections",),
        ),
        Seam(
            GATEWAY_V2,
            "handle_websocket",
            ("scope", "receive", "send", "api_id", "path_override"),
            "a WebSocket takes messages of any size, under any path, and is refused with 403 only",
            _handshake,
            needs=("_refuse_ws_handshake", "_stages", "_api_owner"),
        ),
    ]


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
        if event_type == "CONNECT":
            status = _status(answer)
            _refusal.get({}).update(status=status, connection=connection_id, request=message_id)
            return {"statusCode": status}
        if event_type != "MESSAGE":
            return answer
        if answer == _FAILED or route is _NO_ROUTE:
            told = "Forbidden" if route is _NO_ROUTE else _FAILED["body"]
            names = {"connectionId": connection_id, "requestId": message_id}
            return {"body": json.dumps({"message": told, **names})}
        if not route.get("routeResponseSelectionExpression"):
            return None
        return answer if _has_body(answer) else {"body": _Empty()}

    return invoke


def _status(answer: Any) -> int:
    """The status of a handshake: the function's own, 502 where it has failed or returned what is no answer."""
    if answer is None:
        return 200
    if answer == _FAILED or not isinstance(answer, Mapping):
        return 502
    given = str(answer.get("statusCode", 200))
    return int(given) if given.isdigit() and 200 <= int(given) <= 599 else 502


def _has_body(answer: Any) -> bool:
    return isinstance(answer, Mapping) and bool(answer.get("body"))


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
        answer = await original(method, api_id, stage, connection_id, body, headers)
        if method == "POST" and answer[0] == 200:
            gateway_metrics.pushed(api_id, stage)
        return answer

    return handle


def _handshake(module: ModuleType, original: Handler) -> Handler:
    """Open the address of a stage only, refuse as the function did, and close a connection whose message is too long."""

    async def handle(
        scope: Any, receive: Handler, send: Handler, api_id: str, path_override: str | None = None
    ) -> Any:
        path = path_override if path_override is not None else scope.get("path", "")
        if not _is_a_stage(module, api_id, path):
            await receive()
            marks = (uuid.uuid4().hex[:16], str(uuid.uuid4()))
            return await module._refuse_ws_handshake(scope, send, 403, "Forbidden", *marks)
        refusal: dict[str, Any] = {}
        token = _refusal.set(refusal)

        async def answer(message: Mapping[str, Any]) -> None:
            status = refusal.pop("status", 200)
            if message["type"] != "websocket.close" or 200 <= status < 300:
                return await send(message)
            words = _WORDS.get(status, "Internal server error" if status >= 500 else "")
            marks = (refusal["connection"], refusal["request"])
            return await module._refuse_ws_handshake(scope, send, status, words, *marks)

        try:
            return await original(
                scope, _within_frame(receive, send), answer, api_id, path_override
            )
        finally:
            _refusal.reset(token)

    return handle


def _is_a_stage(module: ModuleType, api_id: str, path: str) -> bool:
    """Whether a path names one of the API's stages and nothing below it; what is no WebSocket API is judged elsewhere."""
    protocol, account, region = module._api_owner(api_id) or ("", "", "")
    if protocol != "WEBSOCKET":
        return True
    stages = module._stages.get_scoped(account, region, api_id, {})
    name, _, below = path.strip("/").partition("/")
    return not below and (name or "$default") in stages


def _within_frame(receive: Handler, send: Handler) -> Handler:
    """Receive as before; a message that is too long closes its connection with 1009."""

    async def receive_or_close() -> Any:
        message = await receive()
        text = message.get("text") or message.get("bytes") or ""
        # A character takes up to four bytes: most messages need not be encoded to be judged.
        if 4 * len(text) > MOST_OF_A_FRAME and _bytes(text) > MOST_OF_A_FRAME:
            await send({"type": "websocket.close", "code": 1009, "reason": "Message too long"})
            return {"type": "websocket.disconnect", "code": 1009, "reason": "Message too long"}
        return message

    return receive_or_close


def _bytes(text: str | bytes) -> int:
    return len(text.encode() if isinstance(text, str) else text)
