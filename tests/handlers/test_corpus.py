"""Events that others have published, through every function: each function works on its own kind and
refuses all others as an error. None passes as done, none ends in an exception that nobody expected.
"""

from __future__ import annotations

import base64
import importlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from common.records import ForeignEventError
from common.uploads import Refused
from tests.handlers.conftest import Context, load
from tests.handlers.fake_dynamodb import Tables

if TYPE_CHECKING:
    from collections.abc import Callable

_CORPUS = Path(__file__).parents[1] / "events" / "corpus"
_HANDLERS = Path(__file__).parents[2] / "handlers"
_EVENTS = {
    f"{path.parent.name}/{path.stem}": json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(_CORPUS.glob("*/*.json"))
}

# What each event is, by its name; what is not named here is nobody's.
_KINDS = {
    r".*/(alb-.*|apigw-request|apigw-restapi.*|apigw-v2-request.*|lambda-urls-request)": "http",
    r".*/apigateway-(aws-proxy|http-api-proxy)": "http",
    r".*/apigw-websocket-.*": "socket",
    r".*/(apigw-custom-auth-request|apigateway-authorizer)": "authorizer",
    # Those of a REQUEST authorizer have all that a request has.
    r".*/(apigw-custom-auth-request-type-request|apigateway-request-authorizer)": "http authorizer",
    r".*/apigw-v2-custom-authorizer-v2-request": "http authorizer",
    r".*/apigw-v2-custom-authorizer-v1-request": "http authorizer",
    r".*/(s3-event.*|s3-put|s3-delete|rekognition-s3-request)": "s3",
    r".*/(sqs-.*)": "sqs",
    r".*/(sns-.*|cloudwatch-alarm-sns-.*)": "sns",
    r".*/dynamodb-.*": "dynamodb",
    r".*/kinesis-(event|time-window-event|get-records)": "kinesis",
    r".*/cloudwatch-logs.*": "logs",
    r".*/cognito-event-userpools-postconfirmation": "user pool",
    r".*/cloudwatch-scheduled-event": "schedule",
}
_HTTP = (
    *("create_item", "create_user", "delete_item", "get_item", "health", "list_items"),
    *("update_item", "webhook"),
)
_TAKES = {
    **dict.fromkeys(_HTTP, "http"),
    "authorizer": "authorizer",
    "subscriptions": "socket",
    **dict.fromkeys(("data_transformer", "change_publisher"), "dynamodb"),
    "telemetry_aggregator": "kinesis",
    "image_processor": "s3",
    **dict.fromkeys(("notification_sender", "order_processor", "order_tracker"), "sqs"),
    **dict.fromkeys(("notification_pusher", "order_forwarder"), "sns"),
    "error_collector": "logs",
    "user_registrar": "user pool",
    # No corpus has theirs: what a rule's transformer makes, and an upload told of by EventBridge.
    **dict.fromkeys(("audit_writer", "content_router"), "nothing here"),
    **dict.fromkeys(
        (
            *("cleanup_job", "health_checker", "network_probe", "report_generator"),
            "version_cleaner",
        ),
        "schedule",
    ),
}
_NAMES = sorted(_TAKES)


def _kind(name: str) -> str:
    return next((kind for pattern, kind in _KINDS.items() if re.fullmatch(pattern, name)), "")


def _is_own(function: str, name: str) -> bool:
    return _TAKES[function] in _kind(name).split(" ") or _TAKES[function] == _kind(name)


_OWN = [(f, name) for f in _NAMES for name in _EVENTS if _is_own(f, name)]
_FOREIGN = [f for f in _NAMES if f not in _HTTP and f != "subscriptions"]


def test_every_function_says_what_it_takes_and_finds_it_in_the_corpus() -> None:
    assert {path.stem for path in _HANDLERS.glob("*.py")} == set(_TAKES)
    without = {f for f in _NAMES if f not in {own for own, _ in _OWN}}
    assert without == {"audit_writer", "content_router"}
    assert len(_EVENTS) > 60
    for pattern in _KINDS:
        assert any(re.fullmatch(pattern, name) for name in _EVENTS), pattern


@pytest.fixture
def start(
    monkeypatch: pytest.MonkeyPatch, context: Context
) -> Callable[[str, Any], dict[str, Any]]:
    """`start("health", event)`: the function's answer."""
    for name, value in {
        "STATE_TABLE": "state",
        "USERS_TABLE": "users",
        "CONNECTIONS_TABLE": "connections",
        "ORDERS_TABLE": "orders",
        "EVENTS_BUS_NAME": "bus",
        "VERSIONS_TO_KEEP": "3",
        "FUNCTION_NAMES": "",
        "TIMEZONE": "America/New_York",
        "WEBHOOK_SECRET_ARN": "arn:aws:secretsmanager:us-west-2:123456789012:secret:webhook",
    }.items():
        monkeypatch.setenv(name, value)

    def invoke(function: str, event: Any) -> dict[str, Any]:
        return importlib.import_module(function).handler(event, context)

    return invoke


@pytest.mark.parametrize("function", _FOREIGN)
def test_a_foreign_event_is_an_error_before_anything_is_done(
    start: Any, aws: Any, function: str
) -> None:
    for name, event in _EVENTS.items():
        if not _is_own(function, name):
            try:
                answer = start(function, event)
            except ForeignEventError:
                continue
            pytest.fail(f"{name} passed: {answer}")
    assert aws.calls == []


@pytest.mark.parametrize("function", [*_HTTP, "subscriptions"])
def test_a_foreign_event_at_a_door_is_answered_with_an_error_of_the_client(
    start: Any, aws: Any, function: str
) -> None:
    for name, event in _EVENTS.items():
        kinds = _kind(name).split(" ")
        if _TAKES[function] not in kinds and not (function == "subscriptions" and "http" in kinds):
            assert 400 <= start(function, event)["statusCode"] < 500, name
    assert aws.calls == []


@pytest.mark.parametrize(("function", "name"), [p for p in _OWN if p[0] in _HTTP])
def test_a_published_request_is_answered_and_never_by_an_error_of_the_server(
    start: Any, aws: Any, table: Any, function: str, name: str
) -> None:
    aws.on("GetSecretValue", lambda _: {"SecretString": "a text of 32 characters and some more"})
    answer = start(function, _EVENTS[name])
    assert answer["statusCode"] < 500
    json.dumps(answer)


@pytest.mark.parametrize("name", [name for f, name in _OWN if f == "authorizer"])
def test_a_published_token_is_refused_by_a_policy(start: Any, aws: Any, name: str) -> None:
    secret = {"kid": "a", "key": "k" * 32, "iss": "i", "aud": "b"}
    aws.on("GetSecretValue", lambda _: {"SecretString": json.dumps(secret)})
    answer = start("authorizer", _EVENTS[name])
    denied = answer.get("policyDocument", {}).get("Statement", [{}])[0].get("Effect") == "Deny"
    assert denied or answer["isAuthorized"] is False


@pytest.mark.parametrize("name", [name for f, name in _OWN if f == "subscriptions"])
def test_a_published_frame_is_understood(
    start: Any, aws: Any, endpoint: Any, lines: Any, name: str
) -> None:
    rows: list[Any] = []
    aws.on("PutItem", lambda call: rows.append(call) or {})
    aws.on("Query", lambda _: {"Items": []})
    assert start("subscriptions", _EVENTS[name]) == {"statusCode": 200}
    route = _EVENTS[name]["requestContext"]["routeKey"]
    assert rows or endpoint.posts or route == "$disconnect"
    assert [line for line in lines() if line["level"] == "ERROR"] == []


def _dressed(function: str, event: dict[str, Any]) -> dict[str, Any]:
    """The published event with content of this application in it: all that is around stays."""
    dressed = json.loads(json.dumps(event))
    for number, record in enumerate(dressed["Records"]):
        if function in ("data_transformer", "change_publisher"):
            ours = load("dynamodb_stream")["Records"][0]["dynamodb"]
            record["dynamodb"] |= {name: ours[name] for name in ("Keys", "NewImage")}
            record["dynamodb"].pop("OldImage", None)
            record["dynamodb"]["SequenceNumber"] = str(10**22 + number)
            record["eventName"] = "INSERT"
        else:
            measured = {"device": "a", "metric": "m", "value": 1, "at": 1763943010}
            data = base64.b64encode(json.dumps(measured).encode()).decode()
            record["kinesis"] |= {"data": data, "sequenceNumber": str(10**22 + number)}
    return dressed


_STREAMS = ("data_transformer", "change_publisher", "telemetry_aggregator")


@pytest.mark.parametrize(("function", "name"), [p for p in _OWN if p[0] in _STREAMS])
def test_a_published_batch_of_a_stream_is_worked_on(
    start: Any, aws: Any, endpoint: Any, function: str, name: str
) -> None:
    done: list[str] = []
    aws.on("PutItem", lambda _: done.append("row") or {})
    aws.on("GetItem", lambda _: {})
    aws.on("Query", lambda _: {"Items": [{"connectionId": {"S": "a="}}]})
    aws.on("PutEvents", lambda call: {"Entries": [{"EventId": "e"} for _ in call["Entries"]]})
    answer = start(function, _dressed(function, _EVENTS[name]))
    assert answer["batchItemFailures"] == []
    assert ("state" in answer) is ("window" in _EVENTS[name])
    assert done or endpoint.posts


@pytest.mark.parametrize(("function", "name"), [p for p in _OWN if p[0] in _STREAMS])
def test_a_published_record_that_says_nothing_to_us_does_not_pass_unseen(
    start: Any, aws: Any, endpoint: Any, lines: Any, function: str, name: str
) -> None:
    aws.on("Query", lambda _: {"Items": []})
    aws.on("PutEvents", lambda call: {"Entries": [{"EventId": "e"} for _ in call["Entries"]]})
    answer = start(function, _EVENTS[name])
    assert answer["batchItemFailures"] or function == "change_publisher"
    assert any(line["level"] == "ERROR" for line in lines())


@pytest.mark.parametrize(
    ("function", "name"), [p for p in _OWN if p[0] in ("order_processor", "order_tracker")]
)
def test_a_published_message_that_is_no_order_fails_by_its_id(
    start: Any, aws: Any, function: str, name: str
) -> None:
    answer = start(function, _EVENTS[name])
    failed = [entry["itemIdentifier"] for entry in answer["batchItemFailures"]]
    assert failed == [record["messageId"] for record in _EVENTS[name]["Records"]]


@pytest.mark.parametrize("name", [name for f, name in _OWN if f == "image_processor"])
def test_a_published_object_that_is_no_upload_of_ours_fails(
    start: Any, aws: Any, name: str
) -> None:
    with pytest.raises(Refused, match="neither under uploads/ nor under incoming/"):
        start("image_processor", _EVENTS[name])
    assert aws.calls == []


@pytest.mark.parametrize("name", [name for f, name in _OWN if f == "error_collector"])
def test_published_log_lines_become_incidents(start: Any, aws: Any, name: str) -> None:
    rows: list[Any] = []
    aws.on("GetItem", lambda _: {})
    aws.on("PutItem", lambda call: rows.append(call["Item"]) or {})
    answer = start("error_collector", _EVENTS[name])
    assert answer["lines"] > 0
    assert sum(int(row["count"]["N"]) for row in rows) == answer["lines"]


@pytest.mark.parametrize("name", [name for f, name in _OWN if f == "user_registrar"])
def test_a_published_confirmation_is_registered_once_it_names_a_user(
    start: Any, aws: Any, name: str
) -> None:
    rows: list[Any] = []
    aws.on("PutItem", lambda call: rows.append(call["Item"]) or {})
    event = json.loads(json.dumps(_EVENTS[name]))
    event["request"]["userAttributes"] |= {"sub": "a", "email": "a@example.com"}
    assert start("user_registrar", event) == event
    assert [row["user_id"] for row in rows] == [{"S": "a"}]


@pytest.mark.parametrize(("function", "name"), [p for p in _OWN if _TAKES[p[0]] == "sns"])
def test_a_published_notification_is_pushed_and_is_no_order(
    start: Any, aws: Any, endpoint: Any, function: str, name: str
) -> None:
    Tables(aws, state="id")
    aws.on("Query", lambda _: {"Items": [{"connectionId": {"S": "a="}}]})
    if function == "order_forwarder":
        with pytest.raises(ValueError, match=r"order|not JSON") as refused:
            start(function, _EVENTS[name])
        assert not isinstance(refused.value, ForeignEventError)
        return
    start(function, _EVENTS[name])
    (message,) = endpoint.received["a="]
    assert json.loads(message)["message"] == _EVENTS[name]["Records"][0]["Sns"]["Message"]


@pytest.mark.parametrize("name", [name for f, name in _OWN if f == "notification_sender"])
def test_a_published_message_of_a_queue_fails_or_is_published(
    start: Any, aws: Any, name: str
) -> None:
    Tables(aws, state="id")
    aws.on("Publish", lambda _: {"MessageId": "m"})
    answer = start("notification_sender", _EVENTS[name])
    assert bool(answer["batchItemFailures"]) is not ("Publish" in aws.names())


@pytest.mark.parametrize(("function", "name"), [p for p in _OWN if _TAKES[p[0]] == "schedule"])
def test_what_a_scheduler_sends_on_its_own_starts_the_job(
    start: Any, aws: Any, function: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("ITEMS_TABLE", "UPLOADS_BUCKET"):
        if function == "health_checker":
            monkeypatch.delenv(variable)
    monkeypatch.setenv("PROBE_HOST", "127.0.0.1")
    monkeypatch.setenv("PROBE_PORT", "9")
    monkeypatch.setenv("PROBE_TIMEOUT_SECONDS", "1")
    aws.on("Scan", lambda _: {"Items": []})
    aws.on("ListObjectsV2", lambda _: {"KeyCount": 0})
    # Three of them then say what they lack: something to check, a port that is open, a report.
    lacking = {"health_checker": LookupError, "network_probe": OSError}
    expected = {**lacking, "report_generator": ValueError}.get(function)
    if expected is None:
        assert isinstance(start(function, _EVENTS[name]), dict)
        return
    with pytest.raises(expected) as told:
        start(function, _EVENTS[name])
    assert not isinstance(told.value, ForeignEventError)
