"""Who may call a function URL, and what the others get.

MiniStack judges `lambda:InvokeFunctionUrl` of signed calls only, and no signature made with the administrator's key. AWS asks for `lambda:InvokeFunction` too (with the
condition key `lambda:InvokedViaFunctionUrl`), asks the function's own policy for a URL of type NONE, and gives everyone
else one answer. Source: Lambda developer guide, "Control access to Lambda function URLs".
"""

import json
import uuid
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from sandbox.workers import signatures
from sandbox.workers.seams import Seam

_HELP = "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
_FORBIDDEN = (
    '{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: '
    f'{_HELP}"}}'
).encode()
_DENIED = "AccessDenied"
_ACTIONS = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")

Handler = Callable[..., Awaitable[Any]]


def seams() -> list[Seam]:
    """Return the seams of function URLs."""
    return [
        *signatures.seams(),
        Seam(
            "ministack.app",
            "_handle_lambda_url_request",
            ("host", "path", "method", "headers", "body", "query_params", "source_ip"),
            "function URLs answer callers that AWS refuses",
            _guarded,
            needs=(
                "_parse_lambda_url",
                "_function_url_auth_target",
                "_enforce_data_plane",
                "_get_module",
            ),
        ),
    ]


def _guarded(module: ModuleType, original: Handler) -> Handler:
    async def handle(
        host: str,
        path: str,
        method: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        source_ip: str | None = None,
    ) -> Any:
        parsed = module._parse_lambda_url(host, path)
        if parsed is None:
            return None
        refusal = _refusal(module, parsed[0], method, headers, query_params)
        if refusal is not None:
            return refusal
        return await original(host, path, method, headers, body, query_params, source_ip=source_ip)

    return handle


def _refusal(
    module: ModuleType, mark: str, method: str, headers: dict[str, str], query: dict[str, Any]
) -> Any:
    """The answer to a caller who may not call this URL, or None."""
    arn, keys, resolved = module._function_url_auth_target(mark)
    if resolved is None:
        return None
    service = module._get_module("lambda_svc")
    config = resolved[4]
    if method == "OPTIONS" and config.get("Cors"):
        return None  # A browser's preflight carries no credentials.
    if config.get("AuthType") == "NONE":
        allowed = all(_is_public(service, resolved, arn, action) for action in _ACTIONS)
        return None if allowed else _forbidden(service, config, headers)
    if not service._function_url_is_signed(headers, query):
        return _forbidden(service, config, headers)
    if fault := signatures.fault(query, *resolved[:2]):
        return _refused(service, config, headers, *fault)
    for action, more in zip(
        _ACTIONS, (keys, {"lambda:InvokedViaFunctionUrl": "true"}), strict=True
    ):
        denied = module._enforce_data_plane(
            "lambda", action, headers, query, "", resource_arn=arn, service_context=more
        )
        if denied is not None:
            # A bad signature or an expired request is told as such.
            refused = _DENIED in str(denied[1]) or _DENIED.encode() in denied[2]
            return _forbidden(service, config, headers) if refused else denied
    return None


def _is_public(service: ModuleType, resolved: tuple[Any, ...], arn: str, action: str) -> bool:
    """Whether the function's own policy lets everyone do this."""
    account, region, name = resolved[:3]
    policy = (service._functions.get_scoped(account, region, name) or {}).get("policy") or {}
    return any(
        statement.get("Effect") == "Allow"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and statement.get("Action") == action
        and statement.get("Resource") == arn
        for statement in policy.get("Statement", [])
    )


def _forbidden(service: ModuleType, config: dict[str, Any], headers: dict[str, str]) -> Any:
    status, answered, _ = _refused(service, config, headers, "AccessDeniedException", "")
    return status, answered, _FORBIDDEN


def _refused(
    service: ModuleType, config: dict[str, Any], headers: dict[str, str], code: str, message: str
) -> Any:
    """403 with a code, and the message as Lambda sends it before it knows the caller."""
    answered = {
        "Content-Type": "application/json",
        "x-amzn-RequestId": str(uuid.uuid4()),
        "x-amzn-ErrorType": code,
    }
    body = json.dumps({"message": message}).encode()
    return 403, {**answered, **service._function_url_cors_headers(config, headers)}, body
