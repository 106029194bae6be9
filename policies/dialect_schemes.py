"""Security schemes as API Gateway reads them: each is an `apiKey` by its type, and what it really is by extensions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policies.gateways import AUTHTYPE, GUARD, KEY_HEADER

MOST_AUTHORIZERS = 10
LONGEST_TTL = 3600

_SOURCE = re.compile(
    r"method\.request\.(?:header|querystring)\.[\w.-]+|context\.[\w.]+|stageVariables\.\w+"
)
_POOL = re.compile(r"arn:[\w-]+:cognito[\w-]*:[\w-]+:\d{12}:\S+", re.ASCII)


def scheme_problems(document: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the document's security schemes, and with what its methods ask of them."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    count = sum(GUARD in scheme for scheme in schemes.values())
    if count > MOST_AUTHORIZERS:
        yield f"{count} authorizers; an API has {MOST_AUTHORIZERS} at most"
    for name, scheme in schemes.items():
        where = f"security scheme '{name}'"
        if scheme.get("type") != "apiKey" or scheme.get("in") != "header":
            yield f"{where}: API Gateway knows type apiKey in a header only"
        yield from (f"{where}: {text}" for text in _scheme(scheme))
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            asked = {s for requirement in operation.get("security", []) for s in requirement}
            callers = [s for s in asked if s in schemes and schemes[s].get("name") != KEY_HEADER]
            if len(callers) > 1:
                yield f"{method.upper()} {path}: a method asks one authorizer, not {len(callers)}"


def _scheme(scheme: dict[str, Any]) -> Iterator[str]:
    authorizer = scheme.get(GUARD)
    match scheme.get(AUTHTYPE):
        case "awsSigv4":
            if authorizer is not None or scheme.get("name") != "Authorization":
                yield "awsSigv4 reads the header Authorization and has no authorizer"
        case None if authorizer is None:
            if scheme.get("name") != KEY_HEADER:
                yield f"without an authorizer it is an API key, whose header is {KEY_HEADER}"
        case "cognito_user_pools":
            pools = (authorizer or {}).get("providerARNs") or []
            if (authorizer or {}).get("type") != "cognito_user_pools" or not pools:
                yield "needs an authorizer of type cognito_user_pools with providerARNs"
            yield from (f"'{p}' is no user pool's ARN" for p in pools if not _POOL.fullmatch(p))
        case _:
            yield from _function(scheme, authorizer or {})


def _function(scheme: dict[str, Any], authorizer: dict[str, Any]) -> Iterator[str]:
    kind, source = authorizer.get("type"), str(authorizer.get("identitySource") or "")
    if kind not in {"token", "request"} or "authorizerUri" not in authorizer:
        yield "needs an authorizer of type token or request with its authorizerUri"
    seconds = authorizer.get("authorizerResultTtlInSeconds", 300)
    if not 0 <= seconds <= LONGEST_TTL:
        yield f"authorizerResultTtlInSeconds must be 0 to {LONGEST_TTL}"
    if kind == "token" and source != f"method.request.header.{scheme.get('name')}":
        yield "a token authorizer reads exactly the header that the scheme names"
    if kind == "request":
        sources = [s.strip() for s in source.split(",") if s.strip()]
        if seconds and not sources:
            yield "remembers answers for everybody alike; name identitySource, or remember for 0 s"
        yield from (f"'{s}' is no identity source" for s in sources if not _SOURCE.fullmatch(s))
