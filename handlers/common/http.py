"""Requests, answers and problems of the APIs: payload format 1.0 (REST API), 2.0 (HTTP API, function
URL) and the events of a load balancer.

A handler is a function of a `Request` that returns an answer or raises a `Problem`; `endpoint`
makes it a Lambda handler. Problems are RFC 9457 problem+json and tell nothing of the inside.
"""

from __future__ import annotations

import functools
import json
import os
import time
from typing import TYPE_CHECKING, Any

from common import aws, correlation, logs, tracing, warming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Answer = dict[str, Any]

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    409: "Conflict",
    412: "Precondition Failed",
    422: "Unprocessable Content",
    428: "Precondition Required",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_RETRY_AFTER = "1"  # seconds


class Problem(Exception):
    """An answer that is an error; `errors` are of the body: {"pointer": "/price", "detail": ...}."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Iterable[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = [dict(error) for error in errors]
        self.headers = dict(headers or {})

    def answer(self, request_id: str) -> Answer:
        """The problem+json answer."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": _TITLES[self.status],
            "status": self.status,
            "detail": self.detail,
            "requestId": request_id,
        }
        if self.errors:
            body["errors"] = self.errors
        headers = {"Content-Type": "application/problem+json", **self.headers}
        return {"statusCode": self.status, "headers": headers, "body": json.dumps(body)}


class Request:
    """What a function asks of an API event. Every look-up bears missing, null and odd members."""

    __slots__ = ("_event", "_member", "id")

    def __init__(self, event: object, context: object = None) -> None:
        self._event: dict[str, Any] = event if isinstance(event, dict) else {}
        own = getattr(context, "aws_request_id", "")
        self._member = functools.partial(member, self._event)
        # The gateway's id is the one in its access log and in its own problems.
        self.id = str(self._member("requestContext").get("requestId") or own)

    @property
    def correlation_id(self) -> str:
        """The caller's name for this request and what it causes, else the request's id."""
        return correlation.valid(self.header(correlation.HEADER)) or self.id

    @property
    def method(self) -> str:
        """GET, POST ..."""
        return str(
            self._event.get("httpMethod")
            or member(self._member("requestContext"), "http").get("method")
            or ""
        )

    @property
    def route(self) -> str:
        """The resource as declared: `/items/{id}`; "" where none is, as behind a load balancer."""
        if self._event.get("resource"):
            return str(self._event["resource"])
        # `POST /users`; `$default` is a route without a path.
        return str(self._event.get("routeKey") or "").partition(" ")[2]

    @property
    def path(self) -> str:
        """The path that the caller used, stage or base path included: `/dev/items`."""
        given = self._member("requestContext").get("path") or self._event.get("path")
        return str(given or self._event.get("rawPath") or "")

    @property
    def caller(self) -> str:
        """Who asks: the subject of a token, or who signed; "" when nobody was asked."""
        from common import caller  # few functions ask

        return caller.of(self._member("requestContext"))

    @property
    def from_balancer(self) -> bool:
        """Whether a load balancer asks."""
        return "elb" in self._member("requestContext")

    @property
    def wants_lists(self) -> bool:
        """Whether headers are lists in the answer: a load balancer's target group says so, whose
        events then have no others. One value instead would not reach the client.
        """
        return self.from_balancer and "multiValueHeaders" in self._event

    def header(self, name: str) -> str | None:
        """A header's value, whatever the case of its name; several are joined by a comma."""
        wanted = name.lower()
        for headers in (self._member("multiValueHeaders"), self._member("headers")):
            for key, value in headers.items():
                if str(key).lower() == wanted and value is not None:
                    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        return None

    def query(self, name: str) -> str | None:
        """A query parameter, None when absent or empty; raises Problem 400 when it is given more
        than once. (Of a repeated one, a load balancer without lists passes the last on.)
        """
        values = self._query_values(name)
        if len(values) > 1:
            raise Problem(400, f"The query parameter {name} is given more than once.")
        return str(values[0]) if values and values[0] is not None and values[0] != "" else None

    def _query_values(self, name: str) -> list[Any]:
        raw = self._event.get("rawQueryString")
        if isinstance(raw, str):
            # Format 2.0 joins repeated parameters by commas, which a single one may hold as well.
            from urllib.parse import parse_qsl

            return [value for key, value in parse_qsl(raw, keep_blank_values=True) if key == name]
        values = self._member("multiValueQueryStringParameters").get(name)
        if not isinstance(values, list):
            values = [self._member("queryStringParameters").get(name)]
        if not self.from_balancer:
            return values
        from urllib.parse import unquote_plus  # a load balancer passes parameters on undecoded

        return [unquote_plus(value) if isinstance(value, str) else value for value in values]

    def path_parameter(self, name: str) -> str:
        """A variable of the path, "" when absent."""
        return str(self._member("pathParameters").get(name) or "")

    def body(self) -> str:
        """The body as text, "" when absent; raises Problem 400 when it is not UTF-8."""
        body = self._event.get("body")
        if not isinstance(body, str):
            return ""
        if not self._event.get("isBase64Encoded"):
            return body
        import base64  # the REST API sends text: bodies like this one come from other doors

        try:
            return base64.b64decode(body, validate=True).decode()
        except ValueError:  # binascii.Error is one
            raise Problem(400, "The body is not UTF-8 text.") from None


def answer(
    status: int, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """An answer with a JSON body, or with none at all. Decimals become numbers, digit by digit."""
    if body is None:
        return {"statusCode": status, "headers": dict(headers or {}), "body": ""}
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "body": _json(body),
    }


def _json(body: Mapping[str, Any]) -> str:
    try:
        return json.dumps(body)
    except TypeError:
        pass  # a Decimal, or a mistake
    from common import decimals  # the answers of these functions have none

    return decimals.dumps(body)


def endpoint(function: Callable[[Request], Answer]) -> Callable[[Any, Any], Answer]:
    """A Lambda handler around a function of a request: problems, CORS, one log line per request,
    never an exception. A warming event is answered at once.
    """

    @functools.wraps(function)
    def handler(event: Any, context: Any) -> Answer:
        if warming.is_warming(event):
            return warming.warmed()
        started = time.perf_counter()
        request = Request(event, context)
        logs.begin(context, correlation_id=request.correlation_id, apiRequestId=request.id)
        try:
            _check(event, request)
            result = function(request)
        except Problem as problem:
            result = problem.answer(request.id)
        except Exception as error:
            result = unexpected(error).answer(request.id)
        if "CHECKED_ANSWERS" in os.environ:
            result = _checked(request, result)
        result["headers"].update(_common_headers(request))
        logs.info(
            "request answered",
            method=request.method,
            route=request.route,
            status=result["statusCode"],
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )
        logs.end()
        return _for_balancer(request, result) if request.from_balancer else result

    return handler


def _check(event: object, request: Request) -> None:
    """Raises Problem 400 for what is surely no request: an answer would say that it is done with."""
    if not request.method or "connectionId" in member(event, "requestContext"):
        from common import records  # requests have a method

        if not records.may_be_request(event):
            raise Problem(400, f"This is no request, but {records.kind(event)}.")


def _checked(request: Request, result: Answer) -> Answer:
    """The answer, or a problem that says how it breaks the API's description."""
    from common import answers

    try:
        breach = answers.breach(request, result)
    except Exception as error:
        return unexpected(error).answer(request.id)
    if breach is None:
        return result
    logs.error("the answer breaks its description", breach=breach, answered=result["statusCode"])
    return Problem(500, breach).answer(request.id)


def _for_balancer(request: Request, result: Answer) -> Answer:
    """A load balancer asks for the encoding of the body, and for headers as it sent them."""
    if request.wants_lists:
        headers = result.pop("headers")
        result["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
    return {**result, "isBase64Encoded": False}


def unexpected(error: Exception) -> Problem:
    """The problem of an exception, which is logged: 503 when the request may succeed later."""
    if aws.is_temporary(error):
        kind = type(error).__name__
        logs.warning("AWS asks to come back later", code=aws.error_code(error), kind=kind)
        return Problem(503, "Busy; please try again.", headers={"Retry-After": _RETRY_AFTER})
    logs.error("unexpected error", cause=error)
    tracing.failed(error)
    return Problem(500, "Something went wrong on our side.")


def member(mapping: object, name: str) -> dict[str, Any]:
    """A member that is an object; {} for anything else."""
    value = mapping.get(name) if isinstance(mapping, dict) else None
    return value if isinstance(value, dict) else {}


def _common_headers(request: Request) -> dict[str, str]:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if named := correlation.current():
        headers[correlation.HEADER] = named
    allowed = [origin.strip() for origin in os.environ.get("CORS_ALLOW_ORIGINS", "").split(",")]
    if not any(allowed):
        return headers
    # Even when the origin is refused: a shared cache must not mix the two answers up.
    headers["Vary"] = "Origin"
    origin = request.header("Origin")
    if origin and origin in allowed:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = "ETag, Location, Retry-After, X-Correlation-Id"
    return headers
