"""Notifications: only the message that cannot be published fails."""

from __future__ import annotations

import json
from typing import Any

import notification_sender
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import aws as common_aws
from tests.handlers.conftest import Context, load
from tests.handlers.fakes import Aws, AwsError
from tests.handlers.order_world import ENVIRONMENT, World, event, failed, message


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(common_aws, "client", lambda service, **_: made.aws.client(service))
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def topic(world: World) -> Aws:
    return world.aws


def _published(aws: Aws) -> list[dict[str, Any]]:
    return [params for name, params in aws.calls if name == "Publish"]


def _ids(event: dict[str, Any]) -> list[str]:
    return [record["messageId"] for record in event["Records"]]


def test_good_messages_are_published_and_only_the_bad_one_fails(context: Any, topic: Any) -> None:
    queue = load("sqs_notifications")
    answer = notification_sender.handler(queue, context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": _ids(queue)[2]}]}
    first, second = _published(topic)
    assert first == {
        "TopicArn": "arn:aws:sns:us-west-2:123456789012:notifications",
        "Message": "Binoculars are back in stock",
        "Subject": "Back in stock",
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": _ids(queue)[0]}
            for name in ("messageId", "correlationId")
        },
    }
    assert json.loads(second["Message"])["event"] == "restocked"
    assert "Subject" not in second


def test_a_message_that_the_topic_refuses_fails_alone(context: Any, topic: Any) -> None:
    answers = iter([AwsError("Throttling"), None])

    def first_fails(_: dict[str, Any]) -> dict[str, Any]:
        if error := next(answers):
            raise error
        return {"MessageId": "m"}

    topic.on("Publish", first_fails)
    queue = load("sqs_notifications")
    queue["Records"].pop()
    answer = notification_sender.handler(queue, context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": _ids(queue)[0]}]}


def test_messages_without_time_go_back_unpublished(topic: Any) -> None:
    queue = load("sqs_notifications")
    answer = notification_sender.handler(queue, Context(seconds=30, then=5))
    assert [entry["itemIdentifier"] for entry in answer["batchItemFailures"]] == _ids(queue)[1:]
    assert len(_published(topic)) == 1


@pytest.mark.parametrize(
    "body",
    [
        *("", "text", "{", "[]", "{}", "null", "1", '"message"', "[" * 100_000, "\ufeff{}"),
        *('{"message": ""}', '{"message": " \\n"}', '{"message": "\\ud800"}'),
    ],
)
def test_a_message_that_is_none_fails_and_is_not_quoted_in_the_log(
    context: Any, topic: Any, capsys: Any, body: str
) -> None:
    queue = load("sqs_notifications")
    queue["Records"] = queue["Records"][:1]
    queue["Records"][0]["body"] = body
    answer = notification_sender.handler(queue, context)
    assert [entry["itemIdentifier"] for entry in answer["batchItemFailures"]] == _ids(queue)
    assert len(capsys.readouterr().out) < 5000


@pytest.mark.parametrize(
    ("subject", "sent"),
    [
        ("Plain", "Plain"),
        ("two\r\nlines", "two lines"),
        (" tab\tand  spaces ", "tab and spaces"),
        ("Grüße", "Gr e"),
        ("x" * 150, "x" * 100),
        ("x" * 99 + " y", "x" * 99),
        ("日本語", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_a_subject_is_cleaned_to_what_sns_takes(subject: object, sent: str | None) -> None:
    body = {"message": "m", "subject": subject}
    expected = {"Message": "m"} | ({"Subject": sent} if sent else {})
    assert notification_sender.publication(body) == expected


@given(st.text())
def test_any_subject_at_all_is_within_the_limits_of_sns(subject: str) -> None:
    sent = notification_sender.publication({"message": "m", "subject": subject})
    cleaned = sent.get("Subject", "x")
    assert cleaned.isascii()
    assert cleaned.isprintable()
    assert 1 <= len(cleaned) <= 100
    assert cleaned == cleaned.strip()


@pytest.mark.parametrize("message", ["\u3000", "\u00a0 ", "\u2028"])
def test_spaces_that_the_api_takes_are_published(message: str) -> None:
    assert notification_sender.publication({"message": message}) == {"Message": message}


def test_a_message_that_is_no_text_is_published_with_its_object() -> None:
    body = {"message": {"nested": "é"}, "n": 1.10}
    sent = notification_sender.publication(body)
    assert json.loads(sent["Message"]) == body


def test_a_short_timeout_still_lets_a_whole_batch_through(topic: Any) -> None:
    queue = load("sqs_notifications")
    expected = notification_sender.handler(queue, Context())
    published = len(_published(topic))
    for record in queue["Records"]:
        record["messageId"] += "-again"
    again = notification_sender.handler(queue, Context(seconds=2))
    assert len(failed(again)) == len(failed(expected))
    assert len(_published(topic)) == 2 * published > 2


def _run(*bodies: Any, **options: Any) -> list[str]:
    return failed(notification_sender.handler(event(*bodies, **options), Context(30)))


def test_a_message_is_published_once_however_often_the_queue_delivers_it(world: World) -> None:
    for receives in (1, 2, 3):
        assert _run({"message": "m"}, receives=receives) == []
    assert len(world.published) == 1


def test_messages_of_one_id_are_one(world: World) -> None:
    assert _run({"id": "n-1", "message": "m"}, {"id": "n-1", "message": "m"}) == []
    assert _run({"id": "n-2", "message": "m"}) == []
    ids = [attributes["messageId"]["StringValue"] for attributes, _ in world.published]
    assert ids == ["n-1", "n-2"]


@pytest.mark.parametrize("given", ["", 7, None, "x" * 129, "a\nb", ["n"]])
def test_what_is_no_id_is_not_one(world: World, given: Any) -> None:
    assert _run({"id": given, "message": "m"}, {"id": given, "message": "m"}) == []
    assert len(world.published) == 2


def test_a_message_with_an_address_is_mailed_as_well(world: World) -> None:
    body = {"message": "It is back", "subject": "Back", "email": "a@example.com"}
    for _ in range(2):
        assert _run(body) == []
    assert world.mails == [("a@example.com", "It is back")]
    assert len(world.published) == 1
    (sent,) = (params for name, params in world.aws.calls if name == "SendEmail")
    assert sent["Message"]["Subject"]["Data"] == "Back"
    assert sent["Source"] == "shop@example.com"


def test_an_e_mail_that_fails_does_not_publish_again(world: World) -> None:
    works = world.aws.answers["SendEmail"]
    world.aws.fail("SendEmail", AwsError("Throttling"))
    body = {"message": "m", "email": "a@example.com"}
    assert _run(body) == ["m1"]
    assert world.postponed == []
    world.aws.on("SendEmail", works)
    assert _run(body) == []
    assert (len(world.published), len(world.mails)) == (1, 1)


@pytest.mark.parametrize("address", ["refused@example.com", "nobody", "a@b,c@d"])
def test_an_address_that_is_refused_fails_nothing(world: World, lines: Any, address: str) -> None:
    assert _run({"message": "m", "email": address}) == []
    assert world.mails == []
    assert "e-mail refused" in {line["message"] for line in lines()}


def test_an_address_that_is_no_text_is_the_messages_own_fault(world: World) -> None:
    assert _run({"message": "m", "email": ["a@example.com"]}) == ["m1"]
    assert world.postponed == [("r1", 1)]


def test_without_a_sender_nothing_is_mailed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAIL_FROM_ADDRESS")
    assert _run({"message": "m", "email": "a@example.com"}) == []
    assert world.mails == []


def test_an_order_that_was_placed_is_put_into_words_and_told_once(world: World) -> None:
    placed = {
        "event": "OrderPlaced",
        "orderId": "o-1",
        "state": "placed",
        "total": 1234,
        "placedAt": "2026-01-01T00:00:00.000Z",
    }
    # The topic delivers at least once, each time as another message of the queue.
    assert _run(placed, placed, {**placed, "orderId": "o-2", "total": 5678.9}) == []
    assert [call["Subject"] for _, call in world.published] == [
        "Order of 1,234.00",
        "Order of 5,678.90",
    ]
    assert world.published[0][1]["Message"] == "Order o-1: 1,234.00 in all."


@pytest.mark.parametrize(
    "odd",
    [
        *({"total": total} for total in ("1", None, True, -1, 1e300, float("nan"), [])),
        {"orderId": 7},
        {"event": "OrderPaid"},
        {"message": "own words"},
    ],
    ids=str,
)
def test_an_order_that_is_told_oddly_is_published_as_it_is(odd: dict[str, Any]) -> None:
    placed = {"event": "OrderPlaced", "orderId": "o-1", "total": 1} | odd
    sent = notification_sender.publication(placed)
    assert "Subject" not in sent
    assert sent["Message"] in ("own words", json.dumps(placed))


def test_a_foreign_event_fails() -> None:
    with pytest.raises(ValueError, match="aws:sqs"):
        notification_sender.handler(
            {"Records": [message("{}") | {"eventSource": "aws:s3"}]}, Context()
        )


def test_a_notification_goes_on_with_what_its_message_belongs_to(
    topic: Aws, lines: Any, measured: Any
) -> None:
    told = event({"message": "one"}, {"message": "two"}, {"message": " "})
    attribute = {"stringValue": "mine", "dataType": "String"}
    told["Records"][0]["messageAttributes"] = {"correlationId": attribute}
    for _ in range(2):
        assert failed(notification_sender.handler(told, Context())) == ["m3"]
    names = [
        call["MessageAttributes"]["correlationId"]["StringValue"] for call in _published(topic)
    ]
    assert names == ["mine", "m2"]
    logged = [(line["correlation_id"], line["message"]) for line in lines()]
    assert logged[:3] == [
        ("mine", "notification done"),
        ("m2", "notification done"),
        ("m3", "message refused"),
    ]
    assert measured() == {"NotificationsSent": 2}
