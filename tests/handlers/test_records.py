"""An event is of the source it is taken for, or an error that says what it is instead."""

from __future__ import annotations

import base64
import contextlib
import functools
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import records
from common.records import ForeignEventError

_PARTS: dict[str, dict[str, Any]] = {
    "aws:s3": {"s3": {}},
    "aws:sqs": {"body": ""},
    "aws:dynamodb": {"dynamodb": {}},
    "aws:kinesis": {"kinesis": {}},
    "aws:sns": {"Sns": {}},
}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def _of(source: str) -> dict[str, Any]:
    name = "EventSource" if source == "aws:sns" else "eventSource"
    return {"Records": [{name: source, **_PARTS[source]}]}


def _packed(content: object) -> dict[str, Any]:
    data = base64.b64encode(gzip.compress(json.dumps(content).encode())).decode()
    return {"awslogs": {"data": data}}


@pytest.mark.parametrize("source", _PARTS)
@pytest.mark.parametrize("sent", _PARTS)
def test_records_are_given_to_who_takes_their_source_and_to_nobody_else(
    source: str, sent: str
) -> None:
    event = _of(sent)
    if sent == source:
        assert records.of(event, source) is event["Records"]
        return
    with pytest.raises(ForeignEventError, match=f"takes records of {source}, not .* {sent}"):
        records.of(event, source)


def test_one_foreign_record_among_others_refuses_the_batch() -> None:
    mixed = {"Records": [*_of("aws:sqs")["Records"], *_of("aws:sns")["Records"]]}
    with pytest.raises(ForeignEventError, match="not records of aws:sns, aws:sqs"):
        records.of(mixed, "aws:sqs")


@pytest.mark.parametrize(
    "record", [{"eventSource": "aws:dynamodb"}, {"eventSource": "aws:kafka", "dynamodb": {}}]
)
def test_a_record_is_known_by_its_source_and_its_part_together(record: Any) -> None:
    with pytest.raises(ForeignEventError):
        records.of({"Records": [record]}, "aws:dynamodb")


def test_the_test_event_of_a_bucket_has_no_records(event: Any) -> None:
    assert records.of(event("s3_test"), "aws:s3") == []
    with pytest.raises(ForeignEventError):
        records.of(event("s3_test"), "aws:sqs")


def test_the_end_of_a_streams_window_has_no_records() -> None:
    arn = "arn:aws:kinesis:us-west-2:123456789012:stream/telemetry"
    event = {"Records": [], "isFinalInvokeForWindow": True, "eventSourceARN": arn, "window": {}}
    assert records.of(event, "aws:kinesis") == []
    assert records.outcome(event) == {"batchItemFailures": [], "state": {}}
    for source in ("aws:dynamodb", "aws:sqs"):
        with pytest.raises(ForeignEventError):
            records.of(event, source)


def test_a_stream_is_told_where_to_start_again() -> None:
    failed = {"batchItemFailures": [{"itemIdentifier": "7"}]}
    assert records.outcome({}, "7") == failed
    assert records.outcome({}) == {"batchItemFailures": []}


def test_an_event_of_the_bus_is_known_by_source_and_type() -> None:
    event = {"source": "aws.s3", "detail-type": "Object Created", "detail": {}}
    assert records.of_bus(event, "aws.s3", "Object Created") is event
    assert records.of_bus(event, "aws.s3") is event
    for wrong in (
        {**event, "source": "aws.ec2"},
        {**event, "detail-type": "Object Deleted"},
        {**event, "detail": "text"},
    ):
        with pytest.raises(ForeignEventError, match=r"an event of aws\.s3"):
            records.of_bus(wrong, "aws.s3", "Object Created")


def test_log_lines_are_unpacked() -> None:
    content = {"messageType": "DATA_MESSAGE", "logGroup": "g", "logEvents": [{"message": "m"}]}
    assert records.of_logs(_packed(content)) == content
    control = records.of_logs(_packed({**content, "messageType": "CONTROL_MESSAGE"}))
    assert control["logEvents"] == []


@pytest.mark.parametrize(
    "data",
    [
        "not base64!",
        base64.b64encode(b"not gzip").decode(),
        base64.b64encode(gzip.compress(b"not json")).decode(),
        base64.b64encode(gzip.compress(b"{}" * 9)[:-9]).decode(),
        base64.b64encode(gzip.compress(b"[" * 100_000)).decode(),
        base64.b64encode(gzip.compress(b'{"logEvents": []}' + b" " * 32 * 1024 * 1024)).decode(),
    ],
    ids=["base64", "gzip", "json", "cut", "deep", "bomb"],
)
def test_what_cannot_be_unpacked_is_an_error(data: str) -> None:
    with pytest.raises(ForeignEventError, match="not JSON in gzip in base64"):
        records.of_logs({"awslogs": {"data": data}})


def test_unpacked_lines_without_events_are_an_error() -> None:
    with pytest.raises(ForeignEventError, match="no logEvents"):
        records.of_logs(_packed({"messageType": "DATA_MESSAGE"}))


def test_a_user_pools_event_is_known_by_its_trigger() -> None:
    event = {"triggerSource": "PostConfirmation_ConfirmSignUp", "request": {"userAttributes": {}}}
    assert records.of_user_pool(event, "PostConfirmation_ConfirmSignUp") is event
    for wrong in ({**event, "triggerSource": "PreSignUp_SignUp"}, {**event, "request": None}):
        with pytest.raises(ForeignEventError, match="PostConfirmation_ConfirmSignUp"):
            records.of_user_pool(wrong, "PostConfirmation_ConfirmSignUp")


def test_a_schedules_input_has_known_members_only() -> None:
    assert records.of_schedule({}) == {}
    assert records.of_schedule({"format": "csv"}, "format", "other") == {"format": "csv"}
    own = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"}
    assert records.of_schedule(own, "format") == {}
    for wrong in ({"format": "csv"}, [], None, "text", {"Records": []}):
        with pytest.raises(ForeignEventError, match="a schedule's input"):
            records.of_schedule(wrong)


@pytest.mark.parametrize(
    "event",
    [
        {"Records": []},
        {"version": "0", "source": "aws.s3", "detail": {}},
        {"requestContext": {"connectionId": "a"}},
        {"type": "TOKEN", "authorizationToken": "Bearer x", "headers": {}},
    ],
)
def test_what_is_surely_no_request_is_known(event: Any) -> None:
    assert not records.may_be_request(event)


@pytest.mark.parametrize("event", [{}, None, 7, {"body": None}, {"requestContext": None}])
def test_an_odd_request_is_still_one(event: Any) -> None:
    assert records.may_be_request(event)


_READERS: list[Any] = [
    *(functools.partial(records.of, source=source) for source in _PARTS),
    functools.partial(records.of_bus, source="a"),
    records.of_logs,
    lambda event: records.of_user_pool(event, "a"),
    records.of_schedule,
]


@pytest.mark.parametrize("read", _READERS)
@given(_JSON)
def test_any_event_is_understood_or_foreign(read: Any, event: Any) -> None:
    with contextlib.suppress(ForeignEventError):
        read(event)


@given(_JSON)
def test_what_an_event_is_called_is_short_and_printable(event: Any) -> None:
    assert len(records.kind(event)) < 400
    assert records.kind(event).isprintable()


@given(_JSON)
def test_any_unpacked_log_content_is_understood_or_refused(content: Any) -> None:
    with contextlib.suppress(ForeignEventError):
        assert isinstance(records.of_logs(_packed(content))["logEvents"], list)
