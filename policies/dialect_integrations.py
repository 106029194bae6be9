"""Integrations as API Gateway imports them: what stands behind a method, and how the answer comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policies.gateways import EXTENSION

KINDS = frozenset({"aws_proxy", "aws", "http", "http_proxy", "mock"})
PASSTHROUGHS = frozenset({"when_no_match", "when_no_templates", "never"})
CONVERSIONS = frozenset({"CONVERT_TO_TEXT", "CONVERT_TO_BINARY"})

_PLACES = {"path": "path", "query": "querystring", "header": "header"}
_INVOKE = re.compile(r"arn:[\w-]+:apigateway:[\w-]+:lambda:path/.+/invocations")
_SERVICE = re.compile(r"arn:[\w-]+:apigateway:[\w-]+:[\w.-]+:(?:path|action)/\S+")
_ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/\S+", re.ASCII)


def integration_problems(document: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the integrations of the document's methods."""
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            if isinstance(operation, dict):
                where = f"{method.upper()} {path}"
                yield from (f"{where}: {text}" for text in _integration(operation))


def _integration(operation: dict[str, Any]) -> Iterator[str]:
    integration = operation.get(EXTENSION)
    if not integration:
        yield f"no {EXTENSION}; the API cannot be deployed"
        return
    kind = integration.get("type")
    if kind not in KINDS:
        yield f"integration type '{kind}' is unknown"
    timeout = integration.get("timeoutInMillis", 29_000)
    if not 50 <= timeout <= 29_000:
        yield f"timeoutInMillis is {timeout}; it must be 50 to 29000"
    if integration.get("passthroughBehavior") not in PASSTHROUGHS:
        yield "passthroughBehavior must be when_no_match, when_no_templates or never"
    if integration.get("contentHandling") not in CONVERSIONS | {None}:
        yield f"contentHandling must be one of {', '.join(sorted(CONVERSIONS))}"
    yield from _cache_keys(operation, integration)
    special = {"aws_proxy": _proxy, "aws": _service, "mock": _mock}.get(str(kind))
    if special is not None:
        yield from special(operation, integration)


def _cache_keys(operation: dict[str, Any], integration: dict[str, Any]) -> Iterator[str]:
    declared = {
        f"method.request.{_PLACES.get(p.get('in'))}.{p.get('name')}"
        for p in operation.get("parameters", [])
    }
    for key in integration.get("cacheKeyParameters") or ():
        if key not in declared:
            yield f"cache key {key} is no parameter of the method; API Gateway refuses it"


def _proxy(_: dict[str, Any], integration: dict[str, Any]) -> Iterator[str]:
    if integration.get("httpMethod") != "POST":
        yield "httpMethod must be POST: it is how Lambda is called, whatever the client's method"
    if not _INVOKE.fullmatch(str(integration.get("uri"))):
        yield "uri must be a function's invoke ARN"


def _service(operation: dict[str, Any], integration: dict[str, Any]) -> Iterator[str]:
    if not _SERVICE.fullmatch(str(integration.get("uri"))):
        yield "uri must be arn:<partition>:apigateway:<region>:<service>:path/... or :action/..."
    if not _ROLE.fullmatch(str(integration.get("credentials"))):
        yield "a service is called in a role; credentials must be its ARN"
    if integration.get("httpMethod") not in {"POST", "GET", "PUT", "DELETE", "PATCH", "HEAD"}:
        yield "httpMethod must say how the service is called"
    for name, value in (integration.get("requestParameters") or {}).items():
        if not isinstance(value, str):
            yield f"requestParameters: {name} must be text; API Gateway drops it in silence"
    yield from _answers(operation, integration)


def _mock(operation: dict[str, Any], integration: dict[str, Any]) -> Iterator[str]:
    if not integration.get("requestTemplates", {}).get("application/json"):
        yield "a mock needs a request template that says its status"
    yield from _answers(operation, integration)


def _answers(operation: dict[str, Any], integration: dict[str, Any]) -> Iterator[str]:
    """Responses go back through those that the method declares; what is not declared is dropped."""
    for answer in integration.get("responses", {}).values():
        status = answer.get("statusCode")
        declared = operation.get("responses", {}).get(status, {}).get("headers", {})
        for target, value in answer.get("responseParameters", {}).items():
            if target.removeprefix("method.response.header.") not in declared:
                yield f"{target} is not declared by response {status}; it is dropped"
            elif not (value.startswith("'") and value.endswith("'")) and not value.startswith(
                ("integration.response.", "context.", "stageVariables.")
            ):
                yield f"{target}: a static value stands in single quotes"
