"""GraphQL APIs: who may ask, in which role AppSync calls a function, and how errors look.

MiniStack takes any text for a token and for a schema, calls functions whatever the data source's role may do, and drops the errorInfo
that a resolver gives. Sources: AppSync developer guide, "Configuring authorization and authentication", "Resolver
context reference" and "Troubleshooting"; AWS re:Post, "How do I troubleshoot 'Unauthorized' errors" (the header holds
the token alone, without `Bearer`).
"""

import asyncio
import base64
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers import rights
from sandbox.workers.seams import Seam

APPSYNC: Final = "ministack.services.appsync"
_POOL: Final = "AMAZON_COGNITO_USER_POOLS"
_PRINCIPAL: Final = "appsync.amazonaws.com"
_CALLS: Final = "lambda:InvokeFunction"
_HEADER: Final = {"identitySource": ["$request.header.Authorization"]}
_NOT_YOU: Final = "You are not authorized to make this call."

Record = Mapping[str, Any]


def seams() -> list[Seam]:
    """Return the seams of GraphQL APIs."""
    unjudged = "AppSync calls functions that the role of a data source may not call"
    return [
        Seam(
            APPSYNC,
            "_execute_graphql",
            ("api_id", "data", "request_headers", "authorize"),
            "any text is a token of a GraphQL API",
            _verified,
            needs=("_apis", "_auth_modes", "_graphql_error", "_request_is_authenticated"),
        ),
        Seam(
            APPSYNC,
            "_invoke_lambda_with_event",
            ("data_source", "event"),
            unjudged,
            _in_its_role,
            needs=("_AppSyncResolverError",),
        ),
        Seam(
            "ministack.core.appsync_graphql",
            "_as_appsync_errors",
            ("errors",),
            "errors of a GraphQL API lack their errorInfo",
            _whole,
        ),
        Seam(
            APPSYNC,
            "_start_schema_creation",
            ("api_id", "body"),
            "a broken schema is refused only when somebody asks a query",
            _read_at_once,
            needs=("_schemas",),
        ),
    ]


def _verified(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def execute(
        api_id: str, data: Any, request_headers: Record | None = None, authorize: Any = None
    ) -> Any:
        api = module._apis.get(api_id)
        fault = _fault(module, api_id, api, request_headers or {}) if api else None
        if fault is not None:
            return module._graphql_error(401, "UnauthorizedException", fault)
        return original(api_id, data, request_headers, authorize)

    return execute


def _fault(module: ModuleType, api_id: str, api: Record, headers: Record) -> str | None:
    """Why none of the API's providers knows the caller, None where one does."""
    pools = list(_pools(api))
    if not pools:
        return None
    token = {name.lower(): value for name, value in headers.items()}.get("authorization") or ""
    if any(_is_of(pool, token) for pool in pools):
        return None
    others = {
        **api,
        "authenticationType": _unless_pool(api),
        "additionalAuthenticationProviders": [
            each
            for each in api.get("additionalAuthenticationProviders") or []
            if each.get("authenticationType") != _POOL
        ],
    }
    if module._request_is_authenticated(api_id, others, headers):
        return None
    return _said_of(token)


def _unless_pool(provider: Record) -> str:
    kind = provider.get("authenticationType")
    return str(kind) if kind != _POOL else "none"


def _pools(api: Record) -> Iterator[Record]:
    for provider in (api, *(api.get("additionalAuthenticationProviders") or [])):
        if provider.get("authenticationType") == _POOL:
            yield provider.get("userPoolConfig") or {}


def _is_of(pool: Record, token: str) -> bool:
    """Whether the token is the pool's and still good, as the JWT authorizers of HTTP APIs judge it."""
    from ministack.services import apigateway

    if token.count(".") != 2 or " " in token:
        return False
    issuer = f"https://cognito-idp.{pool.get('awsRegion')}.amazonaws.com/{pool.get('userPoolId')}"
    judge = {**_HEADER, "jwtConfiguration": {"issuer": issuer}}
    headers = {"authorization": token}
    try:
        # Queries are answered in threads without a loop of their own.
        judged = asyncio.run(apigateway._validate_jwt_authorizer({}, judge, headers, {}))
    except (AttributeError, TypeError, ValueError):
        return False
    claims, _, refused = judged
    if refused is not None or not claims:
        return False
    client = str(claims.get("client_id") or claims.get("aud") or "")
    return re.fullmatch(pool.get("appIdClientRegex") or ".*", client) is not None


def _said_of(token: str) -> str:
    if not token:
        return "Valid authorization header not provided."
    try:
        head, body, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(f"{body}==="))
        json.loads(base64.urlsafe_b64decode(f"{head}==="))
        return "Token has expired." if claims["exp"] <= time.time() else _NOT_YOU
    except (KeyError, TypeError):
        return _NOT_YOU
    except ValueError:
        return "Unable to parse JWT token."


def _in_its_role(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(data_source: Record, event: Any) -> Any:
        role = data_source.get("serviceRoleArn") or ""
        api, _, _ = str(data_source.get("dataSourceArn")).partition("/datasources/")
        arn = str((data_source.get("lambdaConfig") or {}).get("lambdaFunctionArn"))
        wrong = module._AppSyncResolverError
        if not rights.may_assume(role, _PRINCIPAL, source=api):
            raise wrong(f"Unable to assume role {role}.", "UnauthorizedException")
        if not rights.may(role, _CALLS, arn):
            said = f"User: {role} is not authorized to perform: {_CALLS} on resource: {arn}"
            raise wrong(said, "Lambda:AccessDeniedException")
        try:
            return original(data_source, event)
        except wrong as failure:
            if failure.error_type == "LambdaExecutionError":
                failure.error_type = "Lambda:Unhandled"
            raise

    return invoke


def _whole(
    _module: ModuleType, original: Callable[..., list[dict[str, Any]]]
) -> Callable[..., list[dict[str, Any]]]:
    def render(errors: Iterable[Any]) -> list[dict[str, Any]]:
        given = list(errors or [])
        made = original(given)
        for entry, error in zip(made, given, strict=True):
            entry.setdefault("path", None)
            for place in entry.get("locations", []):
                place["sourceName"] = None
            cause = getattr(error, "original_error", None)
            if "errorType" in entry:
                entry.setdefault("data", None)
                entry["errorInfo"] = getattr(cause, "error_info", None)
        return made

    return render


def _read_at_once(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def start(api_id: str, body: Any) -> Any:
        answer = original(api_id, body)
        record = module._schemas.get(api_id)
        if answer[0] == 200 and record:
            fault = _fault_of_schema(api_id, record["definition"])
            if fault:
                record.update(status="FAILED", details=" ".join(fault.split()))
        return answer

    return start


def _fault_of_schema(api_id: str, definition: str) -> str:
    from graphql import validate_schema
    from ministack.core import appsync_graphql

    try:
        schema = appsync_graphql.build_api_schema(api_id, definition)
    except (appsync_graphql.SchemaUnavailable, TypeError) as fault:
        return str(fault)
    return "; ".join(each.message for each in validate_schema(schema))
