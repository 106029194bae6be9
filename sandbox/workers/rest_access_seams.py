"""Who may call a method of a REST API, and what the gateway itself may do in the role of an integration.

MiniStack lets an administrator's forged signature through, takes any token of a user pool where no scope is asked, and
sends to a queue whatever the integration's role may do. Sources: API Gateway developer guide, "Control access to REST
APIs using Amazon Cognito user pools as an authorizer" (without scopes the token is taken for an identity token),
"Control access to a REST API with IAM permissions", "Permissions for AWS service integrations".
"""

import contextvars
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers import rights, signatures
from sandbox.workers.gateway_seams import GATEWAY
from sandbox.workers.rest_call_seams import INTEGRATE
from sandbox.workers.seams import Seam

_SERVICE: Final = "apigateway.amazonaws.com"
# fmt: off
_AUTHORIZE = ("api_id", "stage_name", "method_obj", "method", "request_path", "resource", "headers", "body", "query_params", "path_params", "stage", "owner_account_id", "owner_region")
# fmt: on

_SOURCES: Final = ("_authorizers_v1", "_request_identity_sources", "_gw_error")

Handler = Callable[..., Awaitable[Any]]

_acting: contextvars.ContextVar[tuple[str, str] | None] = contextvars.ContextVar(
    "_acting", default=None
)
"""The role in which the gateway calls a queue now, empty where the integration names none; and that queue's ARN."""


def seams() -> list[Seam]:
    """Return the seams of access to REST APIs."""
    return [
        Seam(
            GATEWAY,
            "_authorize_request_v1",
            _AUTHORIZE,
            "forged signatures pass, and authorizers without a cache are asked with no identity source",
            lambda module, original: _with_all_sources(module, _signed(module, original)),
            needs=("_GatewayError", "_AUTHENTICATION_GATEWAY_ERRORS", *_SOURCES),
        ),
        Seam(
            GATEWAY,
            "_validate_cognito_authorizer",
            ("authorizer", "method_obj", "headers", "query_params", "stage"),
            "access tokens pass where identity tokens are asked for",
            _of_the_right_use,
            needs=("_gw_error",),
        ),
        Seam(
            GATEWAY,
            "_invoke_sqs_v1",
            INTEGRATE,
            "the gateway sends to queues that its role may not send to",
            _in_its_role,
            needs=("_gw_error",),
        ),
        Seam(
            "ministack.services.sqs",
            "_dispatch",
            ("action", "data", "qurl"),
            "the gateway sends to queues that its role may not send to",
            _judged,
            needs=("_Err",),
        ),
    ]


def _signed(module: ModuleType, original: Handler) -> Handler:
    async def authorize(
        api_id: str, stage_name: str, method_obj: Mapping[str, Any], *rest: Any
    ) -> Any:
        refused, context = await original(api_id, stage_name, method_obj, *rest)
        if refused is not None or method_obj.get("authorizationType") != "AWS_IAM":
            return refused, context
        query, account, region = rest[5], rest[-2], rest[-1]
        fault = signatures.fault(query or {}, account, region, service="execute-api")
        if fault is None:
            return None, context
        code, message = fault
        known = module._AUTHENTICATION_GATEWAY_ERRORS
        wrong = "SignatureDoesNotMatch" if code == "InvalidSignatureException" else code
        kind, shown = known.get(wrong, ("DEFAULT_4XX", code))
        return module._GatewayError(kind, message, shown), None

    return authorize


def _with_all_sources(module: ModuleType, original: Handler) -> Handler:
    """A REQUEST authorizer is asked only where all that it names is there, whether or not its answers are kept.

    Source: API Gateway API reference, Authorizer, identitySource: "performs runtime validation".
    """

    async def authorize(
        api_id: str, stage_name: str, method_obj: Mapping[str, Any], *rest: Any
    ) -> Any:
        known = module._authorizers_v1.get(api_id, {})
        asked = known.get(method_obj.get("authorizerId")) or {}
        source = asked.get("identitySource") if asked.get("type") == "REQUEST" else None
        if source and method_obj.get("authorizationType") == "CUSTOM":
            headers, query, stage = rest[3], rest[5], rest[7]
            if not module._request_identity_sources(source, headers, query, stage)[0]:
                return module._gw_error("UNAUTHORIZED", "Unauthorized"), None
        return await original(api_id, stage_name, method_obj, *rest)

    return authorize


def _of_the_right_use(module: ModuleType, original: Handler) -> Handler:
    async def validate(
        authorizer: Any, method_obj: Mapping[str, Any], headers: Any, query_params: Any, stage: Any
    ) -> Any:
        claims, refused = await original(authorizer, method_obj, headers, query_params, stage)
        asked = method_obj.get("authorizationScopes")
        if refused is None and not asked and claims.get("token_use") == "access":
            return None, module._gw_error("UNAUTHORIZED", "Unauthorized")
        return claims, refused

    return validate


def _in_its_role(module: ModuleType, original: Handler) -> Handler:
    async def invoke(integration: Mapping[str, Any], *rest: Any, **named: Any) -> Any:
        role = integration.get("credentials") or ""
        if role and not rights.may_assume(role, _SERVICE, source=_method_arn(*rest, **named)):
            return module._gw_error("API_CONFIGURATION_ERROR", "Internal server error")
        token = _acting.set((role, _queue(integration.get("uri", ""))))
        try:
            return await original(integration, *rest, **named)
        finally:
            _acting.reset(token)

    return invoke


def _judged(module: ModuleType, original: Handler) -> Handler:
    """Ask the role's rights, where it is the gateway that calls."""

    async def dispatch(action: str, data: dict[str, Any], qurl: str) -> Any:
        acting = _acting.get()
        if acting is None:
            return await original(action, data, qurl)
        role, arn = acting
        if not rights.may(role, f"sqs:{action}", arn):
            shown = role or "API Gateway"
            said = f"User: {shown} is not authorized to perform: sqs:{action} on resource: {arn}"
            raise module._Err("AccessDenied", said, 403)
        return await original(action, data, qurl)

    return dispatch


def _method_arn(api_id: str, stage_name: str, *rest: Any, **named: Any) -> str:
    """The ARN of the method that is called, from the parameters of an integration's call."""
    path, method = rest[2], rest[3]
    place = f"{named['owner_region']}:{named['owner_account_id']}"
    return f"arn:aws:execute-api:{place}:{api_id}/{stage_name}/{method}{path}"


def _queue(uri: str) -> str:
    """The ARN of the queue in `arn:aws:apigateway:<region>:sqs:path/<account>/<name>`."""
    parts = uri.split(":")
    account, _, name = uri.partition(":path/")[2].partition("/")
    return f"arn:{parts[1]}:sqs:{parts[3]}:{account}:{name}"
