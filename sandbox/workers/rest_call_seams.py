"""What a REST API knows of a request, for its templates, its authorizers and its limits.

MiniStack fills in `$context.authorizer` alone and renders no template of a mock integration; a REQUEST authorizer whose
identity source is a context variable refuses everybody. Sources: API Gateway developer guide, "API Gateway mapping
template and access logging variable reference", "Use API Gateway Lambda authorizers", "Amazon API Gateway quotas".
"""

import base64
import contextvars
import json
import re
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from sandbox.workers.gateway_seams import GATEWAY, MOST_BYTES
from sandbox.workers.seams import Seam

MOST_OF_LAMBDA: Final = 6 * 1024 * 1024
"""Largest body that Lambda takes."""
_TOO_LONG: Final = (
    413,
    {"Content-Type": "application/json", "x-amzn-ErrorType": "RequestTooLargeException"},
    b'{"message":"Request Too Long"}',
)
_SOURCE: Final = re.compile(r"(method\.request|stageVariables|context)\.\S+")

Handler = Callable[..., Awaitable[Any]]

# fmt: off
_EXECUTE = ("request", "api_id", "stage_name", "method", "path", "headers", "body", "query_params", "owner_account_id", "owner_region")
INTEGRATE = ("integration", "api_id", "stage_name", "stage", "resource", "request_path", "method", "headers", "body", "query_params", "path_params", "owner_account_id", "owner_region", "binary_media_types", "authorizer_context", "caller_identity")
_RESPOND = ("integration", "backend_status", "backend_text", "accept", "request_params", "context")
# fmt: on


@dataclass(frozen=True)
class Call:
    """The request that is being served. `request` is the emulator's own record, filled in as routing resolves it."""

    request: Mapping[str, Any]
    method: str
    path: str
    body: bytes
    account: str

    def context(self) -> dict[str, Any]:
        """`$context` but for the authorizer's part."""
        request, headers = self.request, self.request["headers"]
        found = {name.lower(): value for name, value in headers.items()}
        address = str(found.get("x-forwarded-for") or "127.0.0.1").split(",")[0].strip()
        return {
            "accountId": self.account,
            "apiId": request["api_id"],
            "httpMethod": self.method,
            "identity": {"sourceIp": address, "userAgent": found.get("user-agent", "")},
            "path": f"/{request['stage_name']}{self.path}",
            "protocol": "HTTP/1.1",
            "requestId": request["request_id"],
            "resourcePath": request["resource_path"],
            "stage": request["stage_name"],
        }

    def parameters(self) -> dict[str, str]:
        """`$input.params()`: path over query over header."""
        request = self.request
        query = {k: v[0] if isinstance(v, list) else v for k, v in request["query_params"].items()}
        return {**request["headers"], **query, **request["path_params"]}

    def variables(self) -> dict[str, str]:
        """The variables of its stage."""
        return dict((self.request["stage"] or {}).get("variables") or {})


_current: contextvars.ContextVar[Call | None] = contextvars.ContextVar("_current", default=None)


def seams() -> list[Seam]:
    """Return the seams of what a request carries."""
    lacking = "templates know nothing of the request"
    return [
        Seam(GATEWAY, "_execute_in_scope", _EXECUTE, lacking, _remembered),
        Seam(
            GATEWAY,
            "_render_request_template_v1",
            ("template", "body_str", "params_map", "context"),
            lacking,
            _with_context,
            needs=("_vtl_render",),
        ),
        Seam(GATEWAY, "_vtl_util", ("steps", "st"), f"{lacking} but $util.urlEncode", _utilities),
        Seam(
            GATEWAY,
            "_service_integration_response",
            _RESPOND,
            "headers of an answer are not mapped from the request",
            _with_sources,
            needs=("_gateway_request_value",),
        ),
        Seam(
            GATEWAY,
            "_invoke_mock_v1",
            ("integration",),
            "templates of mock integrations are not rendered",
            _rendered,
            needs=("_render_request_template_v1", "_gateway_request_value"),
        ),
        *_limits(),
    ]


def _limits() -> list[Seam]:
    return [
        Seam(
            GATEWAY,
            "_request_identity_sources",
            ("identity_source", "headers", "query_params", "stage"),
            "a REQUEST authorizer that reads a context variable refuses everybody",
            _from_context,
        ),
        Seam(
            GATEWAY,
            "_media_type_matches",
            ("media_type", "binary_media_types"),
            "an Accept header with several types is never binary",
            _by_first_type,
        ),
        Seam(
            GATEWAY,
            "_invoke_lambda_proxy_v1",
            INTEGRATE,
            "functions get bodies beyond 6 MB",
            _within_lambdas_limit,
        ),
    ]


def _remembered(_module: ModuleType, original: Handler) -> Handler:
    """Keep the request for what follows, and refuse a body that no API takes."""

    async def execute(
        request: dict[str, Any],
        api_id: str,
        stage_name: str,
        method: str,
        path: str,
        headers: Any,
        body: bytes,
        query_params: Any,
        owner_account_id: str,
        owner_region: str,
    ) -> Any:
        if len(body or b"") > MOST_BYTES:
            return _TOO_LONG
        call = Call(request, method, path, body or b"", owner_account_id)
        token = _current.set(call)
        try:
            front = (request, api_id, stage_name, method, path, headers, body, query_params)
            return await original(*front, owner_account_id, owner_region)
        finally:
            _current.reset(token)

    return execute


def _with_context(
    module: ModuleType, original: Callable[..., str]
) -> Callable[[str, str, Mapping[str, Any], Any], str]:
    def render(
        template: str, body_str: str, params_map: Mapping[str, Any], context: Any = None
    ) -> str:
        call = _current.get()
        if call is None:
            return original(template, body_str, params_map, context)
        state = {
            "vars": {"stageVariables": call.variables()},
            "context": {**call.context(), **(context or {})},
            "body": body_str,
            "params": params_map,
            "gobbled": False,
        }
        return str(module._vtl_render(template, state))

    return render


def _utilities(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[str, Callable[[str], str]] = {
        "base64Decode": lambda text: base64.b64decode(text).decode("utf-8", "replace"),
        "base64Encode": lambda text: base64.b64encode(text.encode()).decode(),
        # As Java's escapeEcmaScript: a quote of either kind, and the slash.
        "escapeJavaScript": lambda text: (
            json.dumps(text)[1:-1].replace("'", "\\'").replace("/", "\\/")
        ),
        "urlDecode": urllib.parse.unquote_plus,
    }

    def util(steps: Any, st: dict[str, Any]) -> Any:
        (name, arguments), *rest = steps or [(None, None)]
        if name not in known or arguments is None or rest:
            return original(steps, st)
        given = module._vtl_split_args(arguments)
        text = module._vtl_str(module._vtl_value(given[0], st)) if given else ""
        return known[name](text)

    return util


def _mapped(module: ModuleType, answer: Any) -> Any:
    """The answer, with headers that name a part of the request as that part; what is absent is left out."""
    call = _current.get()
    status, headers, body = answer
    if call is None:
        return answer
    found = {
        name: module._gateway_request_value(value, call.request)
        if _SOURCE.fullmatch(str(value))
        else value
        for name, value in headers.items()
    }
    return status, {name: value for name, value in found.items() if value is not None}, body


def _with_sources(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def respond(
        integration: Any,
        backend_status: int,
        backend_text: str,
        accept: str,
        request_params: Any,
        context: Any = None,
    ) -> Any:
        front = (integration, backend_status, backend_text, accept)
        return _mapped(module, original(*front, request_params, context))

    return respond


def _rendered(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def mock(integration: Mapping[str, Any]) -> Any:
        call = _current.get()
        if call is None:
            return original(integration)
        body = call.body.decode("utf-8", "replace")

        def render(templates: Mapping[str, str] | None) -> dict[str, str]:
            given = (templates or {}).items()
            by = call.parameters()
            return {k: module._render_request_template_v1(t, body, by, None) for k, t in given}

        responses = (integration.get("integrationResponses") or {}).items()
        filled = {
            "requestTemplates": render(integration.get("requestTemplates")),
            "integrationResponses": {
                key: {**each, "responseTemplates": render(each.get("responseTemplates"))}
                for key, each in responses
            },
        }
        return _mapped(module, original({**integration, **filled}))

    return mock


def _from_context(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def sources(identity_source: str, headers: Any, query_params: Any, stage: Any) -> Any:
        call, values = _current.get(), list[str]()
        for each in (part.strip() for part in (identity_source or "").split(",")):
            if each.startswith("context.") and call is not None:
                found: Any = call.context()
                for step in each.split(".")[1:]:
                    found = found.get(step) if isinstance(found, Mapping) else None
                values.append(str(found or ""))
            else:
                values += original(each, headers, query_params, stage)[1]
        return all(values), values

    return sources


def _by_first_type(_module: ModuleType, original: Callable[..., bool]) -> Callable[..., bool]:
    def matches(media_type: str | None, binary_media_types: Any) -> bool:
        return original((media_type or "").split(",")[0], binary_media_types)

    return matches


def _within_lambdas_limit(_module: ModuleType, original: Handler) -> Handler:
    async def invoke(*front: Any, **named: Any) -> Any:
        call = _current.get()
        if call is not None and len(call.body) > MOST_OF_LAMBDA:
            return _TOO_LONG
        return await original(*front, **named)

    return invoke
