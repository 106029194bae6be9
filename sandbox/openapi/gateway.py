"""Gateway responses: what API Gateway answers by itself."""

from __future__ import annotations

import re
from typing import Any, Final

from sandbox.openapi.problems import Place

_TYPES: Final = {
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
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
}
_PARAMETER: Final = re.compile(r"gatewayresponse\.(header|path|querystring)\.[\w-]+")
_SOURCE: Final = re.compile(r"'.*'|(method\.request|stageVariables|context)\..+")


def gateway_responses(given: dict[str, Any], at: Place) -> dict[str, dict[str, Any]]:
    """The document's gateway responses by type, as parameters of PutGatewayResponse; mistakes are noted."""
    made = {}
    for kind, value in given.items():
        place = at / kind
        if kind not in _TYPES:
            place.wrong("no such gateway response")
        response = place.object(value)
        place.keys(response, {"statusCode", "responseParameters", "responseTemplates"}, {})
        _check_status(response.get("statusCode"), place / "statusCode")
        parameters = (place / "responseParameters").object(response.get("responseParameters"))
        for name, source in parameters.items():
            _check_parameter(name, source, place / "responseParameters" / name)
        templates = (place / "responseTemplates").object(response.get("responseTemplates"))
        for media, text in templates.items():
            if not isinstance(text, str) or not text:
                (place / "responseTemplates" / media).wrong("must be a text that is not empty")
        made[kind] = {
            "statusCode": response.get("statusCode"),
            "responseParameters": parameters,
            "responseTemplates": templates,
        }
    return made


def _check_status(status: Any, at: Place) -> None:
    if status is not None and not (isinstance(status, str) and re.fullmatch(r"[1-5]\d\d", status)):
        at.wrong(f"must be a text like '403' (got {status!r})")


def _check_parameter(name: str, source: Any, at: Place) -> None:
    if not _PARAMETER.fullmatch(name):
        at.wrong("must be named gatewayresponse.header.<name>")
    if not isinstance(source, str) or not _SOURCE.fullmatch(source):
        at.wrong(f"must be a value in single quotes, or taken from the request (got {source!r})")


def for_emulator(response: dict[str, Any]) -> dict[str, Any]:
    """The same response for the emulator, which renders the template of application/json alone.

    Another media type is put in its place, with the Content-Type it stands for. What a body breaks is not told there,
    so the variable for it gets the general message.
    """
    templates = {
        media: text.replace("$context.error.validationErrorString", "$context.error.message")
        for media, text in response["responseTemplates"].items()
    }
    response = response | {"responseTemplates": templates}
    if not templates or "application/json" in templates:
        return response
    media, text = next(iter(templates.items()))
    parameters = {"gatewayresponse.header.Content-Type": f"'{media}'"} | response[
        "responseParameters"
    ]
    return response | {
        "responseTemplates": {"application/json": text},
        "responseParameters": parameters,
    }
