"""API Gateway's stages: the trace that a request belongs to, its segment, and its line in the access log.

REST stages with tracing record a segment; HTTP and WebSocket APIs have no X-Ray, on AWS neither: an HTTP API only hands the
header on. Sources: API Gateway developer guide, "Trace user requests to REST APIs using X-Ray", and those of `access_logs`.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers import access_logs, traces, visits
from sandbox.workers.gateway_seams import GATEWAY, GATEWAY_V2
from sandbox.workers.rest_call_seams import EXECUTE
from sandbox.workers.seams import Seam
from sandbox.workers.trace_segments import StageSegment
from sandbox.workers.visits import Visit

Record = dict[str, Any]
Handler = Callable[..., Awaitable[Any]]

# fmt: off
_REST = ("api_id", "stage_name", "method", "path", "headers", "body", "query_params", "owner_account_id", "owner_region")
_HTTP = ("api_id", "stage", "path", "method", "headers", "body", "query_params", "owner_account_id", "owner_region", "raw_query_string")
_MESSAGE = ("api_id", "account_id", "region", "route", "stage", "connection_id", "event_type", "message_id", "body_text", "source_ip", "headers", "query_params", "kwargs")
_CONNECT = ("api_id", "route", "request_context", "headers", "query_params", "account_id", "region")
# fmt: on
_SILENT: Final = "its requests leave no segment and no line in the access log"


def seams() -> list[Seam]:
    """Return the seams of all three kinds of API."""
    return [
        Seam(
            GATEWAY,
            "_handle_execute_in_scope",
            _REST,
            f"a REST API: {_SILENT}",
            _rest,
            needs=("_stages_v1", "_rest_apis"),
        ),
        Seam(
            GATEWAY,
            "_execute_in_scope",
            EXECUTE,
            "access logs do not know why the gateway refused a request",
            _remembered,
        ),
        Seam(
            GATEWAY_V2,
            "_handle_execute_in_scope",
            _HTTP,
            f"an HTTP API: {_SILENT}",
            _http,
            needs=("_stages", "_apis", "_match_route"),
        ),
        Seam(GATEWAY_V2, "_invoke_ws_lambda", _MESSAGE, f"a WebSocket API: {_SILENT}", _message),
        Seam(
            GATEWAY_V2,
            "_authorize_ws_connect",
            _CONNECT,
            "a refused handshake leaves no line in the access log",
            _connection,
        ),
    ]


def _incoming(headers: Mapping[str, Any]) -> traces.Context:
    """The trace that the caller names, or one that begins here."""
    return traces.read(_header(headers, traces.HEADER)) or traces.new()


def _header(headers: Mapping[str, Any], name: str) -> str:
    found = next((value for key, value in headers.items() if key.lower() == name), "")
    return str(found[-1] if isinstance(found, list) else found)


def _seen(headers: Mapping[str, Any]) -> dict[str, str]:
    """What of a caller's headers stands in access logs."""
    address = _header(headers, "x-forwarded-for").split(",")[0].strip() or "127.0.0.1"
    agent = _header(headers, "user-agent")
    return {"identity.sourceIp": address, "identity.userAgent": agent, "protocol": "HTTP/1.1"}


def _length(body: Any) -> int:
    return len(body) if isinstance(body, bytes | str) else 0


def _rest(module: ModuleType, original: Handler) -> Handler:
    async def handle(
        api_id: str,
        stage_name: str,
        method: str,
        path: str,
        headers: Record,
        body: bytes,
        query_params: Any,
        owner_account_id: str,
        owner_region: str,
    ) -> Any:
        given = headers or {}
        context = _incoming(given)
        stage = (module._stages_v1.get(api_id) or {}).get(stage_name) or {}
        segment = StageSegment(context, recorded=bool(stage.get("tracingEnabled")))
        visit = Visit(api_id, stage_name, owner_account_id, owner_region, _seen(given))
        visit.context |= {
            "httpMethod": method,
            "path": f"/{stage_name}{path}",
            "xrayTraceId": context.root,
        }
        if not _header(given, traces.HEADER):
            given = {**given, "X-Amzn-Trace-Id": f"Root={context.root}"}
        front = (api_id, stage_name, method, path, given, body, query_params)
        token = visits.enter(visit)
        try:
            with traces.within(segment.context):
                answer = await original(*front, owner_account_id, owner_region)
        finally:
            visits.leave(token)
        status, found, content = answer
        told = {**_of_rest(visit), "status": status, "responseLength": _length(content)}
        segment.end(visit, (module._rest_apis.get(api_id) or {}).get("name", api_id), told)
        access_logs.write(visit, stage.get("accessLogSettings"), told)
        return status, {**found, "X-Amzn-Trace-Id": str(segment.context)}, content

    return handle


def _remembered(_module: ModuleType, original: Handler) -> Handler:
    async def execute(request: Record, *rest: Any, **named: Any) -> Any:
        answer = await original(request, *rest, **named)
        if (visit := visits.current()) is not None:
            visit.request = request
            visit.refusal = None if isinstance(answer, tuple) else answer
        return answer

    return execute


def _of_rest(visit: Visit) -> Record:
    """What the emulator's record of a REST request tells, and its own refusal."""
    request, refusal = visit.request or {}, visit.refusal
    told: Record = {
        "requestId": request.get("request_id"),
        "resourcePath": request.get("resource_path"),
    }
    if refusal is not None:
        message = getattr(refusal, "message", None)
        told |= {
            "error.message": message,
            "error.messageString": f'"{message}"',
            "error.responseType": getattr(refusal, "response_type", None),
        }
    return told


def _http(module: ModuleType, original: Handler) -> Handler:
    async def handle(
        api_id: str,
        stage: str,
        path: str,
        method: str,
        headers: Record,
        body: bytes,
        query_params: Any,
        owner_account_id: str,
        owner_region: str,
        raw_query_string: str | None = None,
    ) -> Any:
        given = headers or {}
        context = _incoming(given)
        visit = Visit(api_id, stage, owner_account_id, owner_region, _seen(given))
        route = module._match_route(api_id, method, "/" + path.lstrip("/")) or {}
        shown = path if stage == "$default" else f"/{stage}{path}"
        visit.context |= {
            "httpMethod": method,
            "path": shown,
            "routeKey": route.get("routeKey", ""),
        }
        if not _header(given, traces.HEADER):
            given = {**given, traces.HEADER: f"Root={context.root}"}
        front = (api_id, stage, path, method, given, body, query_params)
        token = visits.enter(visit)
        try:
            with traces.within(context):
                answer = await original(*front, owner_account_id, owner_region, raw_query_string)
        finally:
            visits.leave(token)
        settings = ((module._stages.get(api_id) or {}).get(stage) or {}).get("accessLogSettings")
        told = _of_http(visit, route, answer)
        access_logs.write(visit, settings, told)
        status, found, content = answer
        return status, {**found, "apigw-requestid": told["requestId"]}, content

    return handle


def _of_http(visit: Visit, route: Record, answer: Any) -> Record:
    """What only the end of a request to an HTTP API tells."""
    call = visit.integration
    told: Record = {
        "status": answer[0],
        "responseLength": _length(answer[2]),
        "requestId": (call and call.request) or str(uuid.uuid4()),
    }
    if call is None and route.get("authorizationType") == "JWT" and answer[0] in (401, 403):
        told["authorizer.error"] = "Unauthorized" if answer[0] == 401 else "Forbidden"
    return told


def _message(module: ModuleType, original: Handler) -> Handler:
    async def invoke(
        api_id: str,
        account_id: str,
        region: str,
        route: Record,
        stage: str,
        connection_id: str,
        event_type: str,
        message_id: str,
        body_text: Any,
        source_ip: str,
        headers: Record,
        *rest: Any,
        **named: Any,
    ) -> Any:
        context = {
            **_seen(headers),
            "identity.sourceIp": source_ip,
            "eventType": event_type,
            "routeKey": str(route.get("routeKey", "")),
            "connectionId": connection_id,
            "requestId": message_id,
        }
        visit = Visit(api_id, stage, account_id, region, context)
        front = (api_id, account_id, region, route, stage, connection_id, event_type, message_id)
        token = visits.enter(visit)
        try:
            with traces.within(None):
                answer = await original(*front, body_text, source_ip, headers, *rest, **named)
        finally:
            visits.leave(token)
        told = {"status": _status(visit, answer, event_type), "requestId": message_id}
        access_logs.write(visit, _settings(module, visit), told)
        return answer

    return invoke


def _status(visit: Visit, answer: Any, event_type: str) -> int:
    """The status of a message: the function's own, 500 where it failed."""
    if event_type == "CONNECT" and isinstance(answer, Mapping):
        return int(str(answer.get("statusCode") or 200))
    call = visit.integration
    if call is None:
        return 200 if event_type == "DISCONNECT" else 403
    if call.error:
        return 500
    told = call.answer.get("statusCode") if isinstance(call.answer, dict) else None
    return int(str(told)) if str(told).isdigit() else 200


def _connection(module: ModuleType, original: Handler) -> Handler:
    """An authorizer that lets a handshake pass leaves the line to the route."""

    async def authorize(
        api_id: str,
        route: Record,
        request_context: Record,
        headers: Record,
        query_params: Any,
        account_id: str,
        region: str,
    ) -> Any:
        kept = ("eventType", "routeKey", "connectionId", "requestId")
        context = {**_seen(headers), **{name: str(request_context[name]) for name in kept}}
        context["identity.sourceIp"] = request_context["identity"]["sourceIp"]
        visit = Visit(api_id, str(request_context["stage"]), account_id, region, context)
        token = visits.enter(visit)
        try:
            with traces.within(None):
                refusal, found = await original(
                    api_id, route, request_context, headers, query_params, account_id, region
                )
        finally:
            visits.leave(token)
        if refusal:
            access_logs.write(visit, _settings(module, visit), {"status": refusal[0]})
        return refusal, found

    return authorize


def _settings(module: ModuleType, visit: Visit) -> Mapping[str, Any] | None:
    stages = module._stages.get_scoped(visit.account, visit.region, visit.api_id, {})
    found: Mapping[str, Any] | None = (stages.get(visit.stage) or {}).get("accessLogSettings")
    return found
