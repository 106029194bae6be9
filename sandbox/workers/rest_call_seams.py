"""What a REST API knows of a request, for its templates, its authorizers and its limits; and the request's one id.

To MiniStack a REQUEST authorizer's context variables are empty, so that nobody passes, and a function, its caller and a
template are told three ids. Sources: API Gateway developer guide, "Use API Gateway Lambda authorizers", "API Gateway
mapping template and access logging variable reference", "Amazon API Gateway quotas".
"""

import contextvars
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

Handler = Callable[..., Awaitable[Any]]

# fmt: off
EXECUTE = ("request", "api_id", "stage_name", "method", "path", "headers", "body", "query_params", "owner_account_id", "owner_region")
INTEGRATE = ("integration", "api_id", "stage_name", "stage", "resource", "request_path", "method", "headers", "body", "query_params", "path_params", "owner_account_id", "owner_region", "binary_media_types", "authorizer_context", "caller_identity")
_EVENT = ("api_id", "stage_name", "stage", "resource", "request_path", "method", "headers", "body", "query_params", "path_params", "binary_media_types", "authorizer_context", "caller_identity")
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


def current() -> Call | None:
    """The REST request that is being served, None where it is none of those."""
    return _current.get()


def seams() -> list[Seam]:
    """Return the seams of what a request carries."""
    return [
        Seam(
            GATEWAY,
            "_execute_in_scope",
            EXECUTE,
            "templates know nothing of the request, and its id is not the answer's",
            _remembered,
        ),
        Seam(
            GATEWAY,
            "_build_lambda_event_v1",
            _EVENT,
            "a function is told another request id than the caller",
            _with_its_id,
        ),
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
            answer = await original(*front, owner_account_id, owner_region)
        finally:
            _current.reset(token)
        if not isinstance(answer, tuple):
            return answer  # An error of the gateway's own: where it is written out, it gets its id.
        status, found, content = answer
        return status, {"x-amzn-requestid": request["request_id"], **found}, content

    return execute


def _with_its_id(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def build(*front: Any, **named: Any) -> Any:
        event = original(*front, **named)
        if (call := _current.get()) is not None:
            event["requestContext"]["requestId"] = call.request["request_id"]
        return event

    return build


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
