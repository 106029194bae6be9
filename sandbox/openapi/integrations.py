"""The extension `x-amazon-apigateway-integration`: what stands behind a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.openapi.problems import Place

_TYPES: Final = ("aws", "aws_proxy", "http", "http_proxy", "mock")
_KNOWN: Final = {
    "cacheKeyParameters",
    "cacheNamespace",
    "connectionId",
    "connectionType",
    "contentHandling",
    "credentials",
    "httpMethod",
    "passthroughBehavior",
    "requestParameters",
    "requestTemplates",
    "responses",
    "timeoutInMillis",
    "tlsConfig",
    "type",
    "uri",
}
_PASSTHROUGH: Final = ("when_no_match", "when_no_templates", "never")
_CONTENT: Final = ("CONVERT_TO_BINARY", "CONVERT_TO_TEXT")
LONGEST_MILLIS: Final = 29_000
"""Longest integration timeout in milliseconds, without a raised quota; what a document leaves out."""

_MILLIS: Final = (50, LONGEST_MILLIS)


def integration_parameters(given: dict[str, Any], at: Place) -> dict[str, Any]:
    """Parameters of PutIntegration but for the ids; mistakes are noted."""
    at.keys(given, _KNOWN, {})
    kind = str(given.get("type", "")).lower()
    if kind not in _TYPES:
        (at / "type").wrong(f"must be one of {', '.join(_TYPES)} (got {given.get('type')!r})")
    _check_target(kind, given, at)
    _check_choices(given, at)
    sources = (at / "requestParameters").object(given.get("requestParameters"))
    _check_request_parameters(sources, at / "requestParameters")
    templates = (at / "requestTemplates").object(given.get("requestTemplates"))
    _check_templates(templates, at / "requestTemplates")
    made: dict[str, Any] = {
        "type": kind.upper(),
        "integrationHttpMethod": given.get("httpMethod"),
        "uri": given.get("uri"),
        "connectionType": str(given.get("connectionType", "INTERNET")).upper(),
        "connectionId": given.get("connectionId"),
        "credentials": given.get("credentials"),
        "requestParameters": sources,
        "requestTemplates": templates,
        "passthroughBehavior": str(given.get("passthroughBehavior", "when_no_match")).upper(),
        "timeoutInMillis": given.get("timeoutInMillis", LONGEST_MILLIS),
        "cacheNamespace": given.get("cacheNamespace"),
        "cacheKeyParameters": given.get("cacheKeyParameters"),
        "contentHandling": given.get("contentHandling"),
        "tlsConfig": given.get("tlsConfig"),
    }
    return {key: value for key, value in made.items() if value not in (None, {}, [])}


def _check_target(kind: str, given: Mapping[str, Any], at: Place) -> None:
    if kind == "mock":
        return
    if not given.get("uri"):
        (at / "uri").wrong("is missing")
    verb = given.get("httpMethod")
    if not verb:
        (at / "httpMethod").wrong("is missing")
    elif verb != "POST" and ":lambda:path/" in str(given.get("uri")):
        (at / "httpMethod").wrong(
            f"must be POST: that is how a function is called, whatever the client's verb (got {verb!r})"
        )


def _check_choices(given: Mapping[str, Any], at: Place) -> None:
    passing = given.get("passthroughBehavior")
    if passing is not None and str(passing).lower() not in _PASSTHROUGH:
        (at / "passthroughBehavior").wrong(
            f"must be one of {', '.join(_PASSTHROUGH)} (got {passing!r})"
        )
    content = given.get("contentHandling")
    if content is not None and content not in _CONTENT:
        (at / "contentHandling").wrong(f"must be one of {', '.join(_CONTENT)} (got {content!r})")
    millis = given.get("timeoutInMillis")
    if millis is not None and not (isinstance(millis, int) and _MILLIS[0] <= millis <= _MILLIS[1]):
        (at / "timeoutInMillis").wrong(f"must be {_MILLIS[0]} to {_MILLIS[1]} ms (got {millis!r})")


def _check_request_parameters(given: Mapping[str, Any], at: Place) -> None:
    for name, source in given.items():
        if not name.startswith("integration.request."):
            (at / name).wrong("must be named integration.request.<place>.<name>")
        if not isinstance(source, str):
            (at / name).wrong(f"must be a text (got {source!r})")


def _check_templates(given: Mapping[str, Any], at: Place) -> None:
    for media, text in given.items():
        if not isinstance(text, str):
            (at / media).wrong("must be a text")


def integration_responses(
    integration: Mapping[str, Any], declared: Mapping[str, dict[str, Any]], at: Place
) -> dict[str, dict[str, Any]]:
    """Status to parameters of PutIntegrationResponse; what the operation does not declare is a mistake."""
    made = {}
    for pattern, value in (at / "responses").object(integration.get("responses")).items():
        place = at / "responses" / pattern
        response = place.object(value)
        place.keys(
            response,
            {"contentHandling", "responseParameters", "responseTemplates", "statusCode"},
            {},
        )
        status = str(response.get("statusCode", ""))
        if status not in declared:
            (place / "statusCode").wrong(f"the operation declares no response {status!r}")
        parameters = (place / "responseParameters").object(response.get("responseParameters"))
        known = declared.get(status, {}).get("responseParameters", {})
        for name in parameters:
            if name not in known:
                (place / "responseParameters" / name).wrong(
                    f"the operation's response {status} declares no such header, so it would be dropped"
                )
        entry = {
            "selectionPattern": None if pattern == "default" else pattern,
            "responseParameters": parameters,
            "responseTemplates": (place / "responseTemplates").object(
                response.get("responseTemplates")
            ),
            "contentHandling": response.get("contentHandling"),
        }
        made[status] = {key: part for key, part in entry.items() if part not in (None, {})}
    return made
