"""What every API function shares: problems, CORS, odd events, and the public health route."""

from __future__ import annotations

import json
from typing import Any

import get_item
import health
import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from common import http

_ORIGINS = "https://app.example, http://localhost:5173"


def test_health_answers_without_asking_aws_anything(call: Any, aws: Any) -> None:
    answer = call(health, "api_health")
    assert (answer["statusCode"], answer["json"]) == (200, {"status": "ok", "service": "sandpiper"})
    assert answer["headers"] == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "X-Correlation-Id": "5f0e6c1a-3b7d-4a52-8e1f-9c2d4b6a8e01",
    }
    assert aws.calls == []


@pytest.mark.parametrize("origin", ["https://app.example", "http://localhost:5173"])
def test_an_allowed_origin_is_echoed(
    call: Any, monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", _ORIGINS)
    headers = call(health, "api_health", headers={"origin": origin})["headers"]
    assert headers["Access-Control-Allow-Origin"] == origin
    assert (
        headers["Access-Control-Expose-Headers"] == "ETag, Location, Retry-After, X-Correlation-Id"
    )
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://app.example.evil", "null", "*", "", "HTTPS://APP.EXAMPLE"],
)
def test_any_other_origin_is_not_echoed_but_varies(
    call: Any, monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", _ORIGINS)
    headers = call(health, "api_health", headers={"Origin": origin})["headers"]
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Vary"] == "Origin"


def test_problems_carry_cors_headers_too(
    call: Any, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", _ORIGINS)
    answer = call(get_item, "api_get_item", headers={"Origin": "https://app.example"})
    assert answer["statusCode"] == 404
    assert answer["headers"]["Access-Control-Allow-Origin"] == "https://app.example"


def test_without_origins_nothing_is_said_of_cors(call: Any) -> None:
    headers = call(health, "api_health", headers={"Origin": "https://app.example"})["headers"]
    assert not [name for name in headers if name.startswith(("Access-Control", "Vary"))]


_ODD_EVENTS = ({}, [], None, "text", 7, {"requestContext": None}, {"pathParameters": [1]})
_ODD_MEMBERS = (
    {"headers": None, "multiValueHeaders": None},
    {"headers": {"Origin": None}, "multiValueHeaders": {"Origin": [None, 1]}},
    {"headers": [], "multiValueHeaders": {"": []}},
    {"multiValueQueryStringParameters": {"limit": None}},
    {"queryStringParameters": [], "multiValueQueryStringParameters": {"limit": []}},
    {"body": b"".hex(), "isBase64Encoded": "yes"},
    {"requestContext": {"requestId": None, "path": 7}},
)


@pytest.mark.parametrize("event", [*_ODD_EVENTS, *_ODD_MEMBERS])
def test_an_odd_event_is_answered_like_any_other(
    event: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", _ORIGINS)
    assert health.handler(event, context)["statusCode"] == 200
    answer = get_item.handler(event, None)
    assert answer["statusCode"] == 404
    request = http.Request(event)
    assert (request.query("limit"), request.header("Host"), request.body()) == (None, None, "")
    assert isinstance(request.path + request.method + request.route, str)


def test_several_headers_of_one_name_are_joined(context: Any) -> None:
    request = http.Request({"multiValueHeaders": {"IF-MATCH": ['"1"', '"2"']}})
    assert request.header("if-match") == '"1", "2"'


@pytest.mark.parametrize(
    "error",
    [KeyError("canary-detail"), RecursionError(), MemoryError(), UnicodeError("canary-detail")],
)
def test_an_unexpected_error_is_a_500_that_tells_nothing(
    context: Any, lines: Any, error: Exception
) -> None:
    @http.endpoint
    def handler(_: http.Request) -> http.Answer:
        raise error

    answer = handler({"requestContext": {"requestId": "abc"}}, context)
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"]) == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "Something went wrong on our side.",
        "requestId": "abc",
    }
    logged = lines()
    assert [line["level"] for line in logged] == ["ERROR", "INFO"]
    assert logged[0]["error"]["type"] == type(error).__name__
    assert "in handler" in logged[0]["error"]["stack"]


@pytest.mark.parametrize(
    "error",
    [
        ConnectTimeoutError(endpoint_url="http://x"),
        ReadTimeoutError(endpoint_url="http://x"),
        EndpointConnectionError(endpoint_url="http://x"),
    ],
)
def test_an_aws_that_cannot_be_reached_is_503(context: Any, error: Exception) -> None:
    @http.endpoint
    def handler(_: http.Request) -> http.Answer:
        raise error

    answer = handler({}, context)
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "1")


def test_a_request_is_logged_in_one_line_under_both_request_ids(call: Any, lines: Any) -> None:
    call(health, "api_health")
    (line,) = lines()
    assert line["milliseconds"] >= 0
    assert line["requestId"] == "7b1f0f3e-0000-4000-8000-lambdarequest"
    assert line["apiRequestId"] == "5f0e6c1a-3b7d-4a52-8e1f-9c2d4b6a8e01"
    assert (line["method"], line["route"], line["status"]) == ("GET", "/health", 200)


@pytest.mark.parametrize("name", ["X-Correlation-Id", "x-correlation-id"])
def test_a_callers_correlation_id_is_answered_and_logged(call: Any, lines: Any, name: str) -> None:
    answer = call(health, "api_health", headers={name: "order-7.retry:2_b"})
    assert answer["headers"]["X-Correlation-Id"] == "order-7.retry:2_b"
    assert [line["correlation_id"] for line in lines()] == ["order-7.retry:2_b"]


@pytest.mark.parametrize(
    "given", ["", " ", "a b", "a" * 129, "a\r\nSet-Cookie: b=c", "ä", "a,b", "*"]
)
def test_what_is_no_correlation_id_counts_as_none(call: Any, lines: Any, given: str) -> None:
    answer = call(health, "api_health", headers={"X-Correlation-Id": given})
    own = "5f0e6c1a-3b7d-4a52-8e1f-9c2d4b6a8e01"
    assert answer["headers"]["X-Correlation-Id"] == own
    assert lines()[0]["correlation_id"] == own


def test_a_problem_names_the_correlation_id_too(call: Any, table: Any) -> None:
    answer = call(get_item, "api_get_item", headers={"X-Correlation-Id": "c-1"})
    assert answer["statusCode"] == 404
    assert answer["headers"]["X-Correlation-Id"] == "c-1"


def test_without_a_gateways_id_the_correlation_id_is_lambdas(context: Any) -> None:
    answer = health.handler({"httpMethod": "GET", "path": "/health"}, context)
    assert answer["headers"]["X-Correlation-Id"] == context.aws_request_id
