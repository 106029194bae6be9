"""Notifications: only the message that cannot be published fails."""

from __future__ import annotations

import json
from typing import Any

import notification_sender
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.handlers.conftest import Context
from tests.handlers.fakes import AwsError


@pytest.fixture
def topic(aws: Any) -> Any:
    aws.on("Publish", lambda _: {"MessageId": "m"})
    return aws


def _ids(event: dict[str, Any]) -> list[str]:
    return [record["messageId"] for record in event["Records"]]


def test_good_messages_are_published_and_only_the_bad_one_fails(
    event: Any, context: Any, topic: Any
) -> None:
    queue = event("sqs_notifications")
    answer = notification_sender.handler(queue, context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": _ids(queue)[2]}]}
    first, second = (params for _, params in topic.calls)
    assert first == {
        "TopicArn": "arn:aws:sns:us-west-2:123456789012:notifications",
        "Message": "Binoculars are back in stock",
        "Subject": "Back in stock",
        "MessageAttributes": {"messageId": {"DataType": "String", "StringValue": _ids(queue)[0]}},
    }
    assert json.loads(second["Message"])["event"] == "restocked"
    assert "Subject" not in second


def test_a_message_that_the_topic_refuses_fails_alone(event: Any, context: Any, topic: Any) -> None:
    answers = iter([AwsError("Throttling"), None])

    def first_fails(_: dict[str, Any]) -> dict[str, Any]:
        if error := next(answers):
            raise error
        return {"MessageId": "m"}

    topic.on("Publish", first_fails)
    queue = event("sqs_notifications")
    queue["Records"].pop()
    answer = notification_sender.handler(queue, context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": _ids(queue)[0]}]}


def test_messages_without_time_go_back_unpublished(event: Any, topic: Any) -> None:
    queue = event("sqs_notifications")
    answer = notification_sender.handler(queue, Context(seconds=30, then=5))
    assert [entry["itemIdentifier"] for entry in answer["batchItemFailures"]] == _ids(queue)[1:]
    assert len(topic.calls) == 1


@pytest.mark.parametrize(
    "body",
    [
        *("", "text", "{", "[]", "{}", "null", "1", '"message"', "[" * 100_000, "\ufeff{}"),
        *('{"message": ""}', '{"message": " \\n"}', '{"message": "\\ud800"}'),
    ],
)
def test_a_message_that_is_none_fails_and_is_not_quoted_in_the_log(
    event: Any, context: Any, topic: Any, capsys: Any, body: str
) -> None:
    queue = event("sqs_notifications")
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
    body = json.dumps({"message": "m", "subject": subject})
    expected = {"Message": "m"} | ({"Subject": sent} if sent else {})
    assert notification_sender.publication(body) == expected


@given(st.text())
def test_any_subject_at_all_is_within_the_limits_of_sns(subject: str) -> None:
    sent = notification_sender.publication(json.dumps({"message": "m", "subject": subject}))
    cleaned = sent.get("Subject", "x")
    assert cleaned.isascii()
    assert cleaned.isprintable()
    assert 1 <= len(cleaned) <= 100
    assert cleaned == cleaned.strip()


@pytest.mark.parametrize("message", ["\u3000", "\u00a0 ", "\u2028"])
def test_spaces_that_the_api_takes_are_published(message: str) -> None:
    assert notification_sender.publication(json.dumps({"message": message})) == {"Message": message}


def test_a_message_that_is_no_text_is_published_with_its_object() -> None:
    body = {"message": {"nested": "é"}, "n": 1.10}
    sent = notification_sender.publication(json.dumps(body))
    assert json.loads(sent["Message"]) == body


def test_a_short_timeout_still_lets_a_whole_batch_through(event: Any, topic: Any) -> None:
    queue = event("sqs_notifications")
    expected = notification_sender.handler(queue, Context())
    published = len(topic.calls)
    assert notification_sender.handler(queue, Context(seconds=2)) == expected
    assert len(topic.calls) == 2 * published > 2
