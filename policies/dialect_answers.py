"""Gateway responses: what API Gateway answers by itself, in the words we give it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

KINDS = frozenset(
    {
        "ACCESS_DENIED",
        "API_CONFIGURATION_ERROR",
        "AUTHORIZER_CONFIGURATION_ERROR",
        "AUTHORIZER_FAILURE",
        "BAD_REQUEST_BODY",
        "BAD_REQUEST_PARAMETERS",
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "EXPIRED_TOKEN",
        "INTEGRATION_FAILURE",
        "INTEGRATION_TIMEOUT",
        "INVALID_API_KEY",
        "INVALID_SIGNATURE",
        "MISSING_AUTHENTICATION_TOKEN",
        "QUOTA_EXCEEDED",
        "RESOURCE_NOT_FOUND",
        "THROTTLED",
        "UNAUTHORIZED",
        "UNSUPPORTED_MEDIA_TYPE",
        "WAF_FILTERED",
    }
)
"""Response types that can be customised; REQUEST_TOO_LARGE (413) is not among them."""

_PARAMETER = re.compile(r"gatewayresponse\.header\.[A-Za-z0-9-]+")
_DYNAMIC = re.compile(r"(?:context|method\.request\.\w+|stageVariables)\.\S+")
# Templates only substitute variables: a velocity directive or $util would be answered literally.
_NOT_A_VARIABLE = re.compile(r"#\w+|\$(?!context\.|stageVariables\.)")
_QUOTED = "$context.error.messageString"


def gateway_response_problems(document: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the document's gateway responses; each of 4XX and 5XX must be covered."""
    answers = document.get("x-amazon-apigateway-gateway-responses", {})
    for default in ("DEFAULT_4XX", "DEFAULT_5XX"):
        if default not in answers:
            yield f"gateway response {default} is missing: the gateway would answer in its own words"
    for kind, answer in answers.items():
        where = f"gateway response {kind}"
        if kind not in KINDS:
            yield f"{where}: cannot be customised"
        status = answer.get("statusCode")
        if status is not None and not (
            isinstance(status, str) and re.fullmatch(r"[45]\d\d", status)
        ):
            yield f"{where}: statusCode is text, 400 to 599"
        yield from _parameters(where, answer.get("responseParameters", {}))
        yield from _templates(where, kind, answer.get("responseTemplates", {}))


def _parameters(where: str, parameters: dict[str, Any]) -> Iterator[str]:
    for name, value in parameters.items():
        if not _PARAMETER.fullmatch(name):
            yield f"{where}: '{name}' must be gatewayresponse.header.<name>"
        static = isinstance(value, str) and len(value) > 2 and value[0] == value[-1] == "'"
        if not static and not (isinstance(value, str) and _DYNAMIC.fullmatch(value)):
            yield f"{where}: {name}: a static value stands in single quotes"


def _templates(where: str, kind: str, templates: dict[str, Any]) -> Iterator[str]:
    for type_, template in templates.items():
        if type_ != "application/json":
            yield f"{where}: a template is chosen by application/json only"
        if not isinstance(template, str) or not template:
            yield f"{where}: an empty template is refused"
            continue
        if _NOT_A_VARIABLE.search(template):
            yield f"{where}: a template substitutes $context and $stageVariables only; it is no VTL"
        if "validationErrorString" in template and kind != "BAD_REQUEST_BODY":
            yield f"{where}: $context.error.validationErrorString exists for BAD_REQUEST_BODY only"
        if not _is_problem(template):
            yield f"{where}: its template must make an object with type, title, detail and requestId (RFC 9457)"


def _is_problem(template: str) -> bool:
    filled = template.replace(_QUOTED, '"text"')
    try:
        made = json.loads(re.sub(r"\$context\.[\w.]+", "text", filled))
    except ValueError:
        return False
    return isinstance(made, dict) and {"type", "title", "detail", "requestId"} <= made.keys()
