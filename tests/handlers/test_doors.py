"""One function behind several doors: REST API, HTTP API (payload format 2.0) and load balancer."""

from __future__ import annotations

import base64
import json
from typing import Any

import get_item
import health
import list_items
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import http
from tests.handlers.conftest import Context, load


def _lists(event: dict[str, Any]) -> dict[str, Any]:
    """The event of a target group whose headers are lists."""
    headers, query = event.pop("headers"), event.pop("queryStringParameters")
    event["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()}
    return event


def test_an_http_api_event_is_read_like_a_rest_one() -> None:
    request = http.Request(load("http_api_create_user"))
    assert (request.method, request.route, request.path) == ("POST", "/users", "/users")
    assert request.id == "JKJaXmPLvHcESHA="
    assert request.header("Content-Type") == "application/json"
    assert json.loads(request.body())["user_id"] == "user-1"
    assert not request.from_balancer


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("", None),
        ("limit=", None),
        ("limit=5", "5"),
        ("a=1&limit=5%2C6", "5,6"),
        ("limit=a+b", "a b"),
        ("l%69mit=%C3%A9", "é"),
        ("limits=7", None),
    ],
)
def test_a_query_parameter_of_format_2_is_read_from_the_raw_query(
    raw: str, value: str | None
) -> None:
    # A comma inside one value and two values look alike in queryStringParameters.
    request = http.Request({"rawQueryString": raw, "queryStringParameters": {"limit": "no"}})
    assert request.query("limit") == value


@pytest.mark.parametrize(
    "event",
    [
        {"rawQueryString": "limit=1&limit=2", "queryStringParameters": {"limit": "1,2"}},
        {"multiValueQueryStringParameters": {"limit": ["1", "2"]}},
        {
            "requestContext": {"elb": {}},
            "multiValueQueryStringParameters": {"limit": ["1", "2"]},
        },
    ],
)
def test_a_query_parameter_given_twice_is_refused_at_every_door(event: dict[str, Any]) -> None:
    with pytest.raises(http.Problem, match="more than once") as refused:
        http.Request(event).query("limit")
    assert refused.value.status == 400


def test_a_load_balancers_query_is_decoded_and_a_rest_apis_is_not_decoded_twice() -> None:
    query = {"queryStringParameters": {"cursor": "a%2Bb+c"}}
    assert http.Request(query).query("cursor") == "a%2Bb+c"
    balanced = {"requestContext": {"elb": {}}, **query}
    assert http.Request(balanced).query("cursor") == "a+b c"


def test_a_load_balancer_gets_an_answer_it_understands(context: Context, lines: Any) -> None:
    answer = health.handler(load("alb_health"), context)
    assert answer == {
        "statusCode": 200,
        "headers": {
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Correlation-Id": context.aws_request_id,
        },
        "body": '{"status": "ok", "service": "sandpiper"}',
        "isBase64Encoded": False,
    }
    (line,) = lines()
    assert (line["method"], line["route"], line["status"]) == ("GET", "", 200)
    assert line["apiRequestId"] == context.aws_request_id


def test_a_load_balancer_that_sends_lists_gets_lists(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", "https://app.example")
    event = _lists(load("alb_health"))
    event["multiValueHeaders"]["origin"] = ["https://app.example"]
    answer = health.handler(event, context)
    assert "headers" not in answer
    assert answer["multiValueHeaders"]["Content-Type"] == ["application/json"]
    assert answer["multiValueHeaders"]["Access-Control-Allow-Origin"] == ["https://app.example"]


def test_a_problem_reaches_a_load_balancer_in_the_same_shape(context: Context, table: Any) -> None:
    answer = get_item.handler(load("alb_health"), context)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (404, False)
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(answer["body"])["requestId"] == context.aws_request_id


def test_an_http_apis_answer_has_no_members_of_a_load_balancers(context: Context) -> None:
    assert set(health.handler(load("http_api_create_user"), context)) == {
        "statusCode",
        "headers",
        "body",
    }


@pytest.mark.parametrize("kind", ["rest", "http", "balancer"])
def test_a_page_of_items_is_the_same_at_every_door(
    create: Any, context: Context, aws: Any, kind: str
) -> None:
    aws.on("GetSecretValue", lambda _: {"SecretString": "key"})
    made = [create(name=f"n{number}")["name"] for number in range(3)]
    events: dict[str, dict[str, Any]] = {
        "rest": {"queryStringParameters": {"limit": "2"}, "httpMethod": "GET"},
        "http": {"version": "2.0", "rawQueryString": "limit=2"},
        "balancer": {"requestContext": {"elb": {}}, "queryStringParameters": {"limit": "%32"}},
    }
    body = json.loads(list_items.handler(events[kind], context)["body"])
    assert [item["name"] for item in body["items"]] == made[:2]


@given(st.text(), st.booleans())
def test_a_body_is_read_whether_encoded_or_not(text: str, encoded: bool) -> None:
    body = base64.b64encode(text.encode()).decode() if encoded else text
    for door in ({"version": "2.0"}, {"requestContext": {"elb": {}}}, {"resource": "/"}):
        request = http.Request({**door, "body": body, "isBase64Encoded": encoded})
        assert request.body() == text


_ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
_MEMBERS = (
    *("version", "routeKey", "rawPath", "rawQueryString", "headers", "multiValueHeaders"),
    *("queryStringParameters", "multiValueQueryStringParameters", "requestContext", "body"),
    *("isBase64Encoded", "pathParameters", "httpMethod", "resource", "path"),
)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(_MEMBERS, _ODD)),
    st.sampled_from([{}, {"requestContext": {"elb": None}}, {"requestContext": {"http": []}}]),
)
def test_whatever_an_event_looks_like_it_is_answered(event: Any, more: Any) -> None:
    whole = {**event, **more}
    answer = health.handler(whole, Context())
    # Nothing but a version, as EventBridge's events have one, is no part of a request.
    foreign = bool(whole) and whole.keys() <= {"version", "isBase64Encoded"}
    assert answer["statusCode"] == (400 if foreign else 200)
    json.dumps(answer)
