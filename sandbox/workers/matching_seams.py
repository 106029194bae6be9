"""What a request is compared with: the model of its body, the ARNs of a policy, the routes of a WebSocket.

MiniStack checks every body against the model of `application/json`, compares an ARN only up to a line end, ends a
WebSocket whose frame its parser gives up on, and lets a message name the routes of the connection's own events. Sources:
API Gateway developer guide, "Request validation for REST APIs" (another content type is not validated, `$default` stands
for all), "Create routes for WebSocket APIs" (`$connect` and `$disconnect` are called for the connection's events, a
message that no custom route matches goes to `$default`).
"""

import fnmatch
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers.gateway_seams import GATEWAY, GATEWAY_V2
from sandbox.workers.seams import Seam

_USUAL: Final = "application/json"
"""The type of a body whose sender names none."""
_EVERY: Final = "$default"
"""The key of a model for all types, and of the route for all messages."""
_EVENTS: Final = ("$connect", "$disconnect")


def seams() -> list[Seam]:
    """Return the seams of comparisons."""
    return [
        Seam(
            GATEWAY,
            "_check_request_validation",
            ("method_obj", "api_id", "request", "headers", "body", "query_params"),
            "bodies of every content type are validated as JSON",
            _by_type,
            needs=("_header_ci",),
        ),
        *(
            Seam(module, name, ("pattern", "arn"), "paths with a line end are 403", _across_lines)
            for module, name in (
                (GATEWAY, "_arn_matches"),
                (GATEWAY_V2, "_authorizer_arn_matches"),
            )
        ),
        Seam(
            GATEWAY_V2,
            "_evaluate_route_selection",
            ("expr", "payload_text"),
            "a deeply nested frame ends its WebSocket, and a message may name $connect and $disconnect",
            _of_messages,
        ),
    ]


def _by_type(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    """Check a body against the model of its own content type, and none where there is no such model."""

    def check(
        method_obj: Mapping[str, Any], api_id: str, request: Any, headers: Any, *rest: Any
    ) -> Any:
        models = method_obj.get("requestModels") or {}
        named = {_bare(key): model for key, model in models.items()}
        model = named.get(_bare(module._header_ci(headers, "content-type")), named.get(_EVERY))
        # The original takes this key for every type.
        own = {**method_obj, "requestModels": {_USUAL: model} if model else {}}
        return original(own, api_id, request, headers, *rest)

    return check


def _bare(content_type: str) -> str:
    """The type without its parameters."""
    return content_type.split(";", 1)[0].strip().lower() or _USUAL


def _across_lines(_module: ModuleType, _original: Callable[..., bool]) -> Callable[..., bool]:
    def matches(pattern: str, arn: str) -> bool:
        # In a policy a bracket stands for itself.
        return fnmatch.fnmatchcase(arn, pattern.replace("[", "[[]"))

    return matches


def _of_messages(_module: ModuleType, original: Callable[..., str]) -> Callable[..., str]:
    def evaluate(expr: str, payload_text: str) -> str:
        try:
            key = original(expr, payload_text)
        except RecursionError:
            return _EVERY
        return _EVERY if key in _EVENTS else key

    return evaluate
