"""Webhooks: what is signed and of now is in the queue before it is answered, once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import order_tracker
import pytest
import webhook
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import aws as common_aws
from common import secrets, webhooks
from tests.handlers.conftest import Context, load
from tests.handlers.fakes import AwsError
from tests.handlers.order_world import ENVIRONMENT, World

_SECRET = "canary-webhook-secret"
_BODY = {"type": "order.paid", "data": {"orderId": "o-1"}, "timestamp": "2026-01-01T00:00:00Z"}
_ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:webhook"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    made.aws.on("GetSecretValue", lambda _: {"SecretString": _SECRET})
    monkeypatch.setattr(common_aws, "client", lambda service, **_: made.aws.client(service))
    for name, value in {**ENVIRONMENT, "WEBHOOK_SECRET_ARN": _ARN}.items():
        monkeypatch.setenv(name, value)
    return made


def _sign(body: bytes, *, identity: str, timestamp: str, secret: str = _SECRET) -> str:
    """As the specification says it, not as the function does it."""
    message = b".".join([identity.encode(), timestamp.encode(), body])
    return "v1," + base64.b64encode(hmac.digest(secret.encode(), message, hashlib.sha256)).decode()


def _event(
    body: Any = _BODY,
    *,
    identity: str = "w-1",
    timestamp: str | None = None,
    signature: str | None = None,
    encoded: bool = False,
    secret: str = _SECRET,
) -> dict[str, Any]:
    """What a function URL sends."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    moment = timestamp or str(int(time.time()))
    own = _sign(raw, identity=identity, timestamp=moment, secret=secret)
    headers = {
        "webhook-id": identity,
        "webhook-timestamp": moment,
        "webhook-signature": own if signature is None else signature,
        "content-type": "application/json",
    }
    return {
        "version": "2.0",
        "rawPath": "/",
        "headers": headers,
        "requestContext": {"requestId": "url-1", "http": {"method": "POST", "path": "/"}},
        "body": base64.b64encode(raw).decode() if encoded else raw.decode(),
        "isBase64Encoded": encoded,
    }


def _call(event: Any) -> tuple[int, dict[str, Any]]:
    answer = webhook.handler(event, Context(10))
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize("encoded", [False, True])
def test_a_signed_event_is_in_the_queue_before_it_is_answered(world: World, encoded: bool) -> None:
    assert _call(_event(encoded=encoded)) == (202, {"accepted": True})
    (sent,) = world.sent
    assert json.loads(sent.pop("MessageBody")) == {
        "id": "w-1",
        "type": "order.paid",
        "orderId": "o-1",
        "occurredAt": "2026-01-01T00:00:00Z",
    }
    assert sent == {
        "QueueUrl": ENVIRONMENT["ORDER_EVENTS_QUEUE_URL"],
        "MessageGroupId": "o-1",
        "MessageDeduplicationId": "w-1",
        "MessageAttributes": {"correlationId": {"DataType": "String", "StringValue": "url-1"}},
    }
    names = world.aws.names()
    assert names == ["GetSecretValue", "GetItem", "SendMessage", "PutItem"]


def test_the_example_of_the_specification_is_signed_as_it_says() -> None:
    """The vector of its reference libraries, with the key that whsec_... stands for."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    content = b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." + body
    digest = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    assert f"v1,{digest}" == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    ours = webhooks.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body, key="text")
    assert ours == _sign(
        body, identity="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp="1614265330", secret="text"
    )


def test_a_key_that_senders_libraries_take_is_decoded() -> None:
    plain = webhooks.signature("msg_1", "1614265330", b"{}", key="text")
    assert webhooks.signature("msg_1", "1614265330", b"{}", key="whsec_dGV4dA==") == plain


def test_without_an_instant_of_its_own_an_event_happened_when_it_was_sent(world: World) -> None:
    moment = int(time.time())
    body = {"type": "order.shipped", "data": {"orderId": "o-1", "other": 1}, "other": None}
    assert _call(_event(body, timestamp=str(moment)))[0] == 202
    stamp = json.loads(world.sent[0]["MessageBody"])["occurredAt"]
    assert stamp.startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)))


def test_a_replay_is_a_duplicate_without_effect(world: World) -> None:
    assert _call(_event())[0] == 202
    for timestamp in (None, str(int(time.time()) + 5)):
        assert _call(_event(timestamp=timestamp)) == (200, {"duplicate": True})
    assert len(world.sent) == 1
    ((key, row),) = world.tables.rows["state"].items()
    assert key == "delivery#w-1"
    assert abs(int(row["expiresAt"]["N"]) - time.time() - 7 * 86_400) < 5


def test_an_id_is_known_as_long_as_it_says_even_where_its_row_is_removed_late(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _call(_event())
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7 * 86_400 + 10)
    assert _call(_event())[0] == 202


def test_of_two_at_the_same_time_one_is_the_duplicate(world: World) -> None:
    works = world.aws.answers["GetItem"]

    def meanwhile(call: dict[str, Any]) -> dict[str, Any]:
        found = works(call)
        world.aws.on("GetItem", works)
        assert _call(_event())[0] == 202
        return found

    world.aws.on("GetItem", meanwhile)
    assert _call(_event()) == (200, {"duplicate": True})
    assert {call["MessageDeduplicationId"] for call in world.sent} == {"w-1"}


@pytest.mark.parametrize(
    "change",
    [
        {"signature": ""},
        {"signature": "v1,"},
        {"signature": "v1,AAAA"},
        {"signature": "v1,ä"},
        {"signature": " ".join(["v1,AAAA"] * 5000)},
        {"secret": "another"},
        {"secret": ""},
        {"identity": ""},
        {"identity": "a b"},
        {"identity": "x" * 129},
        {"identity": "ä"},
        *({"timestamp": moment} for moment in ("0", "-1", "1e9", "٣", "", "9" * 13, "now", "1.5")),
    ],
    ids=lambda change: ascii(change)[:40],
)
def test_what_is_not_signed_or_not_of_now_is_a_401(world: World, change: dict[str, Any]) -> None:
    event = _event(**change)
    if change.get("timestamp") == "":
        event["headers"]["webhook-timestamp"] = ""
    status, problem = _call(event)
    assert status == 401
    assert problem["title"] == "Unauthorized"
    assert world.sent == []
    assert "GetItem" not in world.aws.names()


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_a_401(world: World, name: str) -> None:
    event = _event()
    del event["headers"][name]
    assert _call(event)[0] == 401


@pytest.mark.parametrize(
    "event",
    [
        {},
        None,
        [],
        {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]},
        {"source": "aws.s3", "detail": {}},
    ],
    ids=str,
)
def test_an_event_of_something_else_is_refused(world: World, event: Any) -> None:
    assert _call(event)[0] == (400 if event else 401)


@pytest.mark.parametrize(("seconds", "status"), [(-299, 202), (299, 202), (-302, 401), (302, 401)])
def test_the_window_is_on_both_sides_of_now(world: World, seconds: int, status: int) -> None:
    assert _call(_event(timestamp=str(int(time.time()) + seconds)))[0] == status


def test_the_window_is_a_setting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_TOLERANCE_SECONDS", "30")
    assert _call(_event(timestamp=str(int(time.time()) - 40)))[0] == 401


def test_one_signature_of_several_is_enough(world: World) -> None:
    event = _event()
    good = event["headers"]["webhook-signature"]
    event["headers"]["webhook-signature"] = f"v1a,xyz v1,AAAA {good}"
    assert _call(event)[0] == 202


@pytest.mark.parametrize("change", [b" ", b"\n", b"x"])
def test_every_byte_of_the_body_counts(world: World, change: bytes) -> None:
    event = _event()
    event["body"] += change.decode()
    assert _call(event)[0] == 401


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b"x" * 70_000, None),
        ({}, ["/type", "/data/orderId"]),
        ({**_BODY, "type": "order.placed"}, ["/type"]),
        ({**_BODY, "type": ["order.paid"]}, ["/type"]),
        ({**_BODY, "data": "o-1"}, ["/data/orderId"]),
        ({**_BODY, "data": {"orderId": "a b"}}, ["/data/orderId"]),
        ({**_BODY, "timestamp": 7}, ["/timestamp"]),
        ({**_BODY, "timestamp": ""}, ["/timestamp"]),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_a_signed_body_that_is_no_event_is_a_400(world: World, body: Any, pointers: Any) -> None:
    status, problem = _call(_event(body))
    assert status == 400
    assert world.sent == []
    if pointers:
        assert [error["pointer"] for error in problem["errors"]] == pointers


def test_bytes_that_are_no_text_are_a_400(world: World) -> None:
    assert _call(_event(b"\xff\xfe", encoded=True))[0] == 400


def test_half_of_a_surrogate_pair_is_refused(world: World) -> None:
    event = _event()
    event["body"] = "\ud800"
    assert _call(event)[0] == 401


def test_a_secret_that_was_changed_is_fetched_once(world: World) -> None:
    assert _call(_event())[0] == 202
    world.aws.on("GetSecretValue", lambda _: {"SecretString": "changed-secret"})
    assert _call(_event(identity="w-2", secret="changed-secret"))[0] == 202
    asked = world.aws.names().count("GetSecretValue")
    for _ in range(5):
        assert _call(_event(identity="w-3", secret="forged"))[0] == 401
    assert world.aws.names().count("GetSecretValue") == asked == 2


@pytest.mark.parametrize("operation", ["GetItem", "SendMessage", "PutItem"])
def test_where_a_service_is_down_the_sender_tries_again_and_nothing_is_lost(
    world: World, operation: str
) -> None:
    works = world.aws.answers[operation]
    world.aws.fail(operation, AwsError("ServiceUnavailable", status=503))
    assert _call(_event())[0] == 503
    world.aws.on(operation, works)
    assert _call(_event())[0] == 202
    # What SQS got twice within five minutes it keeps once.
    assert {call["MessageDeduplicationId"] for call in world.sent} == {"w-1"}


def test_the_secret_is_in_no_log_line(world: World, capsys: Any) -> None:
    _call(_event())
    _call(_event(signature=f"v1,{_SECRET}"))
    assert _SECRET not in capsys.readouterr().out
    assert secrets._cache


def test_a_warming_event_is_answered_at_once(world: World) -> None:
    assert webhook.handler({"warming": True}, Context(10)) == {"warmed": True}


def test_what_is_sent_is_what_the_tracker_reads(world: World) -> None:
    _call(_event())
    (sent,) = world.sent
    assert order_tracker.orders.parse_change(sent["MessageBody"]).state == "paid"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    identity=st.text(max_size=20), timestamp=st.text(max_size=14), signature=st.text(max_size=40)
)
def test_no_header_at_all_is_an_error_of_ours(
    world: Any, identity: str, timestamp: str, signature: str
) -> None:
    event = _event()
    event["headers"] |= {
        "webhook-id": identity,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature,
    }
    assert _call(event)[0] == 401


def test_a_recorded_event_is_accepted_at_its_time_and_refused_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = load("url_webhook")
    headers = event["headers"]
    headers["webhook-signature"] = _sign(
        event["body"].encode(),
        identity=headers["webhook-id"],
        timestamp=headers["webhook-timestamp"],
    )
    assert _call(event)[0] == 401
    monkeypatch.setattr(time, "time", lambda: 1_767_268_801.0)
    assert _call(event)[0] == 202


def test_an_event_counts_once_and_one_that_nobody_signed_never(world: World, measured: Any) -> None:
    _call(_event())
    _call(_event())
    _call(_event(signature="v1,AAAA"))
    assert measured() == {"WebhooksAccepted": 1}
