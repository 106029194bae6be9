"""API Gateway's answer to what a function returned, as AWS gives it.

REST APIs: a failed function, or an answer that is not the documented object, is 502 with
`{"message": "Internal server error"}`, through the API's DEFAULT_5XX gateway response where it has
one. MiniStack answers 200 for the latter, and puts the stack trace of the former into the body.
A throttled function is 500 through INTEGRATION_FAILURE: API Gateway never shows Lambda's own 429.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from sandbox.workers.seams import Seam

GATEWAY = "ministack.services.apigateway_v1"
"""The emulator's module of REST APIs."""
GATEWAY_V2 = "ministack.services.apigateway"
"""Its module of HTTP and WebSocket APIs."""
MOST_BYTES = 10 * 1024 * 1024
"""Largest body of a request to a REST or an HTTP API."""
_MEMBERS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


def seams() -> list[Seam]:
    """Return the seams of both kinds of API."""
    return [
        Seam(
            GATEWAY,
            "_lambda_proxy_response",
            ("result",),
            "a malformed answer of a function is 200 instead of 502",
            _checked,
            needs=("_GatewayError", "_invoke_lambda_proxy_v1", "_gateway_error_response"),
        ),
        Seam(
            GATEWAY,
            "_gateway_error_response",
            ("error", "request"),
            "a failed function answers 500 instead of 502",
            _with_own_status,
        ),
        Seam(
            "ministack.services.lambda_svc",
            "lambda_execute_result_to_api_proxy_response",
            ("exec_result",),
            "HTTP APIs and function URLs show a failed function's stack trace",
            _without_trace,
        ),
    ]


class MalformedAnswerError(Exception):
    """The function failed, or returned what API Gateway cannot turn into a response."""


class ThrottledError(Exception):
    """The function has no concurrency left."""


def proxy_answer(body: Any) -> dict[str, Any]:
    """Return a proxy answer with values as API Gateway reads them; raises `MalformedAnswerError`.

    Source: API Gateway developer guide, "Output format of a Lambda function for proxy
    integration". Unknown members are refused, as AWS refuses them.
    """
    if not isinstance(body, dict) or set(body) - _MEMBERS:
        raise MalformedAnswerError
    text = body.get("body")
    if not (text is None or isinstance(text, str)):
        raise MalformedAnswerError
    if not isinstance(body.get("isBase64Encoded") or False, bool):
        raise MalformedAnswerError
    return {
        **body,
        "statusCode": _status(body.get("statusCode")),
        "body": text or "",
        "headers": {name: _header(value) for name, value in _mapping(body, "headers")},
        "multiValueHeaders": {
            name: [_header(value) for value in _listed(values)]
            for name, values in _mapping(body, "multiValueHeaders")
        },
    }


def _status(value: Any) -> int:
    """Return the status; AWS reads numeric text too."""
    if isinstance(value, bool) or not str(value).isdigit() or not 100 <= int(value) <= 599:
        raise MalformedAnswerError
    return int(value)


def _mapping(body: dict[str, Any], member: str) -> list[tuple[str, Any]]:
    value = body.get(member)
    if value is None:
        return []
    if not isinstance(value, dict):
        raise MalformedAnswerError
    return [(name, item) for name, item in value.items() if item is not None]


def _listed(values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise MalformedAnswerError
    return values


def _header(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise MalformedAnswerError
    return str(value)


def _checked(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    """Check answers, and let a refusal reach the gateway's own error path."""
    del original
    invoke = module._invoke_lambda_proxy_v1

    class NoAnswer(module._GatewayError):
        """An error with another status than its response type has by itself, `usual`."""

        def __init__(self, kind: str, usual: int, status: int) -> None:
            super().__init__(kind, "Internal server error", "InternalServerErrorException")
            self.usual, self.status = usual, status

    async def invoke_and_refuse(*args: Any, **kwargs: Any) -> Any:
        try:
            return await invoke(*args, **kwargs)
        except ThrottledError:
            return NoAnswer("INTEGRATION_FAILURE", 504, 500)
        except MalformedAnswerError:
            return NoAnswer("DEFAULT_5XX", 500, 502)

    def respond(result: dict[str, Any]) -> Any:
        if result.get("throttle"):
            raise ThrottledError
        if result.get("error"):
            raise MalformedAnswerError
        return proxy_answer(result.get("body")), None

    module._invoke_lambda_proxy_v1 = invoke_and_refuse
    return respond


def _with_own_status(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def respond(error: Any, request: dict[str, Any]) -> Any:
        status, headers, body = original(error, request)
        # A status that the API sets stays.
        status = error.status if status == getattr(error, "usual", None) else status
        return status, headers, body

    return respond


def _without_trace(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def convert(exec_result: dict[str, Any]) -> Any:
        if exec_result.get("error") and not exec_result.get("throttle"):
            body = '{"message":"Internal Server Error"}'
            headers = {"Content-Type": "application/json"}
            return {"statusCode": 502, "headers": headers, "body": body}, None
        return original(exec_result)

    return convert
