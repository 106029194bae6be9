"""Mapping templates of a REST API: what they know of the request, and what they can do with it.

MiniStack fills in `$context.authorizer` alone, and renders no template of a mock integration. Source: API Gateway
developer guide, "API Gateway mapping template and access logging variable reference".
"""

import base64
import json
import re
import urllib.parse
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers.gateway_seams import GATEWAY
from sandbox.workers.rest_call_seams import current
from sandbox.workers.seams import Seam

_SOURCE: Final = re.compile(r"(method\.request|stageVariables|context)\.\S+")
_RESPOND: Final = (
    "integration",
    "backend_status",
    "backend_text",
    "accept",
    "request_params",
    "context",
)


def seams() -> list[Seam]:
    """Return the seams of mapping templates."""
    lacking = "templates know nothing of the request"
    return [
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
    ]


def _with_context(
    module: ModuleType, original: Callable[..., str]
) -> Callable[[str, str, Mapping[str, Any], Any], str]:
    def render(
        template: str, body_str: str, params_map: Mapping[str, Any], context: Any = None
    ) -> str:
        call = current()
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
    call = current()
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
        call = current()
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
