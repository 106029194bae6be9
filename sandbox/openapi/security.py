"""Security schemes as authorizers, and what an operation's `security` means for its method."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sandbox.openapi.problems import EXTENSION, Place

_SCHEME: Final = {
    "description",
    "in",
    "name",
    "type",
    f"{EXTENSION}authorizer",
    f"{EXTENSION}authtype",
}
_AUTHORIZER: Final = {
    "authorizerCredentials",
    "authorizerResultTtlInSeconds",
    "authorizerUri",
    "identitySource",
    "identityValidationExpression",
    "providerARNs",
    "type",
}
_TYPES: Final = ("token", "request", "cognito_user_pools")
_HEADER: Final = "method.request.header."


class Scheme(NamedTuple):
    """What naming a scheme does to a method: its authorization, its authorizer, whether a key is asked."""

    authorization: str
    authorizer: dict[str, Any] | None = None
    api_key: bool = False


def schemes(given: dict[str, Any], at: Place) -> dict[str, Scheme]:
    """The document's security schemes by name; mistakes are noted."""
    found = {
        name: _scheme(name, (at / name).object(scheme), at / name) for name, scheme in given.items()
    }
    return {name: scheme for name, scheme in found.items() if scheme is not None}


def _scheme(name: str, scheme: dict[str, Any], at: Place) -> Scheme | None:
    at.keys(scheme, _SCHEME, {})
    if scheme.get("type") != "apiKey":
        (at / "type").wrong(
            f"API Gateway understands apiKey only, with extensions (got {scheme.get('type')!r})"
        )
        return None
    authorizer = scheme.get(f"{EXTENSION}authorizer")
    if authorizer is not None:
        return _authorizer(name, scheme, (at / f"{EXTENSION}authorizer").object(authorizer), at)
    if scheme.get(f"{EXTENSION}authtype") == "awsSigv4":
        return Scheme("AWS_IAM")
    if str(scheme.get("name", "")).lower() == "x-api-key" and scheme.get("in") == "header":
        return Scheme("NONE", api_key=True)
    at.wrong(f"needs {EXTENSION}authorizer, or the header x-api-key")
    return None


def _authorizer(
    name: str, scheme: dict[str, Any], given: dict[str, Any], at: Place
) -> Scheme | None:
    inner = at / f"{EXTENSION}authorizer"
    inner.keys(given, _AUTHORIZER, {})
    kind = given.get("type")
    if kind not in _TYPES:
        (inner / "type").wrong(f"must be one of {', '.join(_TYPES)} (got {kind!r})")
        return None
    _check_type_of_authorization(str(kind), scheme, at)
    ttl = given.get("authorizerResultTtlInSeconds", 300)
    if isinstance(ttl, bool) or not isinstance(ttl, int) or not 0 <= ttl <= 3600:
        (inner / "authorizerResultTtlInSeconds").wrong(f"must be 0 to 3600 seconds (got {ttl!r})")
    parameters: dict[str, Any] = {
        "name": name,
        "type": str(kind).upper(),
        "authType": scheme.get(f"{EXTENSION}authtype", "custom"),
        "authorizerResultTtlInSeconds": ttl,
        "identitySource": _identity(str(kind), scheme, given, inner, ttl),
    }
    if kind == "cognito_user_pools":
        return Scheme(
            "COGNITO_USER_POOLS",
            parameters | {"providerARNs": given.get("providerARNs") or []},
        )
    if not given.get("authorizerUri"):
        (inner / "authorizerUri").wrong("is missing")
    for key in ("authorizerUri", "authorizerCredentials", "identityValidationExpression"):
        if given.get(key):
            parameters[key] = given[key]
    return Scheme("CUSTOM", parameters)


def _check_type_of_authorization(kind: str, scheme: dict[str, Any], at: Place) -> None:
    wanted = "cognito_user_pools" if kind == "cognito_user_pools" else "custom"
    got = scheme.get(f"{EXTENSION}authtype")
    if got != wanted:
        (at / f"{EXTENSION}authtype").wrong(f"must be {wanted!r} (got {got!r})")


def _identity(kind: str, scheme: dict[str, Any], given: dict[str, Any], at: Place, ttl: Any) -> str:
    """Where the caller's identity stands: a token authorizer's header is the scheme's own name."""
    source = given.get("identitySource")
    if kind == "request":
        if not source and ttl:
            (at / "identitySource").wrong(
                "is missing: a cached result needs something to be found by"
            )
        return source or ""
    own = f"{_HEADER}{scheme.get('name') or 'Authorization'}"
    if source and (not source.startswith(_HEADER) or "," in source):
        (at / "identitySource").wrong(
            f"a {kind} authorizer reads exactly one header (got {source!r})"
        )
    return source or own


class Required(NamedTuple):
    """What an operation's `security` asks of its callers."""

    authorization: str = "NONE"
    authorizer: str | None = None
    scopes: tuple[str, ...] = ()
    api_key: bool = False


def required(
    security: Any, known: dict[str, Scheme], declared: dict[str, Any], at: Place
) -> Required:
    """One authorizer at most, beside an API key at most; mistakes are noted."""
    if not isinstance(security, list):
        at.wrong("must be a list")
        return Required()
    asked = Required()
    for index, requirement in enumerate(security):
        for name, scopes in (at / index).object(requirement).items():
            scheme = known.get(name)
            if scheme is None:
                if name not in declared:
                    (at / index / name).wrong("no such scheme under #/components/securitySchemes")
            elif scheme.api_key:
                asked = asked._replace(api_key=True)
            elif asked.authorization != "NONE":
                (at / index / name).wrong("a method has one authorizer")
            else:
                authorizer = name if scheme.authorizer else None
                asked = asked._replace(
                    authorization=scheme.authorization,
                    authorizer=authorizer,
                    scopes=tuple(scopes or ()),
                )
    return asked
