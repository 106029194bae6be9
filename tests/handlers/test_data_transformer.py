"""The audit trail: idempotent, in order, and never stuck without saying where."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import data_transformer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import bus, diff
from common.records import ForeignEventError
from tests.handlers.conftest import Context, load
from tests.handlers.fakes import AwsError

_DONE: dict[str, Any] = {"batchItemFailures": []}


@pytest.fixture
def sent(aws: Any, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The events that the bus has taken."""
    monkeypatch.setenv("EVENTS_BUS_NAME", "bus")
    taken: list[dict[str, Any]] = []

    def put(call: dict[str, Any]) -> dict[str, Any]:
        assert len(call["Entries"]) <= 10
        assert {entry["EventBusName"] for entry in call["Entries"]} == {"bus"}
        taken.extend(call["Entries"])
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in call["Entries"]]}

    aws.on("PutEvents", put)
    return taken


@pytest.fixture
def audit(aws: Any, sent: Any) -> dict[tuple[str, str], Any]:
    """The audit table by its key."""
    rows: dict[tuple[str, str], Any] = {}

    def put(call: dict[str, Any]) -> dict[str, Any]:
        assert call["TableName"] == "audit"
        rows[call["Item"]["itemId"]["S"], call["Item"]["sequence"]["S"]] = call["Item"]
        return {}

    aws.on("PutItem", put)
    return rows


def test_each_change_becomes_one_audit_row_however_often_it_arrives(
    event: Any, context: Any, audit: Any
) -> None:
    stream = event("dynamodb_stream")
    for _ in range(3):
        assert data_transformer.handler(stream, context) == _DONE
    item_id = "019b2f5e-7a3c-7d21-9c4e-2f6a8b1c3d5e"
    assert [row["action"]["S"] for _, row in sorted(audit.items())] == [
        "INSERT",
        "MODIFY",
        "REMOVE",
    ]
    inserted, modified, removed = (row for _, row in sorted(audit.items()))
    change = stream["Records"][1]["dynamodb"]
    assert modified == {
        "itemId": {"S": item_id},
        "sequence": {"S": "0000000000004421584500000000017450439093"},
        "eventId": {"S": stream["Records"][1]["eventID"]},
        "action": {"S": "MODIFY"},
        "changedAt": {"S": "2025-11-24T00:10:12.000Z"},
        "before": {"M": change["OldImage"]},
        "after": {"M": change["NewImage"]},
        "changes": {"M": {"price": {"M": {"old": {"N": "129.9"}, "new": {"N": "119.5"}}}}},
        "version": {"N": "2"},
    }
    assert ("before" in inserted, "after" in removed) == (False, False)
    assert modified["after"]["M"]["price"] == {"N": "119.5"}


def test_binary_values_keep_their_bytes(event: Any) -> None:
    record = event("dynamodb_stream")["Records"][0]
    image = {"b": {"B": "AAE="}, "s": {"BS": ["AA=="]}, "l": {"L": [{"M": {"x": {"B": "Ag=="}}}]}}
    record["dynamodb"]["NewImage"] = image
    decoded: dict[str, Any] = {
        "b": {"B": b"\x00\x01"},
        "s": {"BS": [b"\x00"]},
        "l": {"L": [{"M": {"x": {"B": b"\x02"}}}]},
    }
    row = data_transformer.audit_row(record)
    assert row["after"] == {"M": decoded}
    assert row["changes"]["M"]["s"] == {"M": {"old": {"NULL": True}, "new": decoded["s"]}}
    assert "version" not in row


def test_a_stream_stops_at_the_first_failure_for_order_matters(
    event: Any, context: Any, aws: Any, audit: Any
) -> None:
    stream = event("dynamodb_stream")
    answers = iter([None, AwsError("ProvisionedThroughputExceededException")])
    put = aws.answers["PutItem"]

    def second_fails(call: dict[str, Any]) -> dict[str, Any]:
        if error := next(answers):
            raise error
        return put(call)

    aws.on("PutItem", second_fails)
    failed = stream["Records"][1]["dynamodb"]["SequenceNumber"]
    answer = data_transformer.handler(stream, context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": failed}]}
    assert aws.names() == ["PutItem", "PutItem", "PutEvents"]


@pytest.mark.parametrize("missing", ["Keys", "ApproximateCreationDateTime"])
def test_a_malformed_change_fails_by_its_number(
    event: Any, context: Any, audit: Any, lines: Any, missing: str
) -> None:
    stream = event("dynamodb_stream")
    del stream["Records"][0]["dynamodb"][missing]
    number = stream["Records"][0]["dynamodb"]["SequenceNumber"]
    answer = data_transformer.handler(stream, context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert "change not recorded" in [line["message"] for line in lines()]


def test_a_change_that_cannot_be_named_fails_the_whole_batch(
    event: Any, context: Any, audit: Any
) -> None:
    stream = event("dynamodb_stream")
    del stream["Records"][0]["dynamodb"]["SequenceNumber"]
    with pytest.raises(KeyError):
        data_transformer.handler(stream, context)


def test_a_stream_leaves_what_it_has_no_time_for_to_the_next_attempt(
    event: Any, audit: Any
) -> None:
    stream = event("dynamodb_stream")
    second = stream["Records"][1]["dynamodb"]["SequenceNumber"]
    answer = data_transformer.handler(stream, Context(seconds=30, then=5))
    assert answer == {"batchItemFailures": [{"itemIdentifier": second}]}
    assert len(audit) == 1


def test_each_change_is_told_with_what_was_and_what_is(
    event: Any, context: Any, audit: Any, sent: list[dict[str, Any]]
) -> None:
    data_transformer.handler(event("dynamodb_stream"), context)
    assert {entry["Source"] for entry in sent} == {"sandpiper.items"}
    kinds = ["Item Created", "Item Changed", "Item Removed"]
    assert [entry["DetailType"] for entry in sent] == kinds
    assert sent[1]["Time"] == 1763943012
    created, changed, removed = (json.loads(entry["Detail"]) for entry in sent)
    item_id = "019b2f5e-7a3c-7d21-9c4e-2f6a8b1c3d5e"
    price = {"old": "129.9", "new": "119.5"}
    assert changed == {
        "id": item_id,
        "version": 2,
        "changes": {"price": price},
        "correlationId": event("dynamodb_stream")["Records"][1]["eventID"],
    }
    assert created["version"] == 1
    assert created["changes"] == {
        "name": {"old": None, "new": "Binoculars"},
        "price": {"old": None, "new": "129.9"},
        "tags": {"old": None, "new": ["optics"]},
    }
    assert removed["changes"]["price"] == {"old": "119.5", "new": None}


def test_the_same_change_is_the_same_event_each_time(
    event: Any, context: Any, audit: Any, sent: list[dict[str, Any]]
) -> None:
    data_transformer.handler(event("dynamodb_stream"), context)
    data_transformer.handler(event("dynamodb_stream"), context)
    assert sent[:3] == sent[3:]


@pytest.mark.parametrize("refused", [0, 1, 2])
def test_a_change_that_the_bus_did_not_take_is_where_the_stream_starts_again(
    event: Any, context: Any, aws: Any, audit: Any, refused: int
) -> None:
    stream = event("dynamodb_stream")
    results: list[dict[str, Any]] = [{"EventId": "e"} for _ in range(3)]
    results[refused] = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
    aws.on("PutEvents", lambda _: {"FailedEntryCount": 1, "Entries": results})
    failed = stream["Records"][refused]["dynamodb"]["SequenceNumber"]
    answer = data_transformer.handler(stream, context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": failed}]}


def test_a_bus_that_cannot_be_reached_fails_the_group_from_its_first_change(
    event: Any, context: Any, aws: Any, audit: Any
) -> None:
    aws.fail("PutEvents", AwsError("InternalException", status=500))
    stream = event("dynamodb_stream")
    stream["Records"] = [_numbered(stream["Records"][0], number) for number in range(12)]
    answer = data_transformer.handler(stream, context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1000"}]}


def test_a_failure_far_into_a_batch_is_named_by_its_own_number(
    event: Any, context: Any, aws: Any, audit: Any
) -> None:
    stream = event("dynamodb_stream")
    stream["Records"] = [_numbered(stream["Records"][0], number) for number in range(23)]
    del stream["Records"][14]["dynamodb"]["Keys"]
    answer = data_transformer.handler(stream, context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1014"}]}
    assert len(audit) == 14


def test_a_large_batch_is_told_in_order_by_calls_of_ten(
    event: Any, context: Any, aws: Any, audit: Any, sent: list[dict[str, Any]]
) -> None:
    stream = event("dynamodb_stream")
    stream["Records"] = [_numbered(stream["Records"][0], number) for number in range(23)]
    assert data_transformer.handler(stream, context) == _DONE
    assert aws.names().count("PutEvents") == 3
    assert [json.loads(entry["Detail"])["version"] for entry in sent] == list(range(23))


def test_what_an_idempotency_key_was_used_for_is_nobodys_news(
    event: Any, context: Any, aws: Any, audit: Any
) -> None:
    stream = event("dynamodb_stream")
    for record in stream["Records"]:
        record["dynamodb"]["Keys"]["id"] = {"S": "request#1"}
    assert data_transformer.handler(stream, context) == _DONE
    assert aws.calls == []


def test_changes_too_large_for_an_event_are_told_by_name(event: Any) -> None:
    record = event("dynamodb_stream")["Records"][0]
    record["dynamodb"]["NewImage"]["description"] = {"S": "ä" * 150_000}
    made = data_transformer.domain_event(record)
    assert json.loads(made["Detail"])["changes"] == {
        "description": {},
        "name": {},
        "price": {},
        "tags": {},
    }


def test_records_of_another_source_are_refused(event: Any, context: Any, audit: Any) -> None:
    with pytest.raises(ForeignEventError, match="aws:sqs"):
        data_transformer.handler(event("sqs_notifications"), context)
    assert audit == {}


def _numbered(record: dict[str, Any], number: int) -> dict[str, Any]:
    record = copy.deepcopy(record)
    record["dynamodb"]["SequenceNumber"] = str(1000 + number)
    record["dynamodb"]["NewImage"]["version"] = {"N": str(number)}
    return record


_SCALAR = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=5)),
    st.builds(lambda number: {"N": str(number)}, st.integers()),
    st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda texts: {"SS": texts}, st.lists(st.text(max_size=3), min_size=1, unique=True)),
)
_ATTRIBUTE = st.recursive(
    _SCALAR,
    lambda inner: st.one_of(
        st.builds(lambda members: {"L": members}, st.lists(inner, max_size=3)),
        st.builds(lambda members: {"M": members}, st.dictionaries(st.text(max_size=3), inner)),
    ),
    max_leaves=8,
)
_IMAGE = st.dictionaries(st.text(max_size=4), _ATTRIBUTE, max_size=4)


@given(_IMAGE, _IMAGE)
def test_changes_lead_from_one_image_to_the_other_and_name_nothing_else(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    changes = diff.between(old, new)
    missing = {"NULL": True}
    for field in (old.keys() | new.keys()) - diff.KEPT:
        before, after = old.get(field, missing), new.get(field, missing)
        change = changes.get(field, {"old": before, "new": before})
        assert change["old"] == before
        if field in changes:
            assert change["new"] == after
    assert list(changes) == sorted(changes)
    assert diff.between(old, old) == {}


@given(_IMAGE, _IMAGE)
def test_any_images_make_an_event_that_json_holds(old: Any, new: Any) -> None:
    record = load("dynamodb_stream")["Records"][1]
    record["dynamodb"] |= {"OldImage": old, "NewImage": {**new, "version": {"N": "7"}}}
    detail = json.loads(data_transformer.domain_event(record)["Detail"])
    assert detail["version"] == 7
    assert detail["changes"].keys() <= (old.keys() | new.keys())


def test_the_bus_is_asked_in_calls_that_it_takes(aws: Any, sent: list[dict[str, Any]]) -> None:
    large = [bus.entry("a", "b", {"text": "x" * 100_000, "n": n}) for n in range(5)]
    assert bus.send(large) == 5
    assert aws.names() == ["PutEvents"] * 3
    assert [json.loads(entry["Detail"])["n"] for entry in sent] == list(range(5))
    assert bus.send([]) == 0


def test_a_set_in_another_order_is_no_change() -> None:
    old = {"a": {"L": [{"M": {"s": {"SS": ["x", "y"]}}}]}, "n": {"NS": ["1", "2"]}}
    new = {"a": {"L": [{"M": {"s": {"SS": ["y", "x"]}}}]}, "n": {"NS": ["2", "1"]}}
    assert diff.between(old, new) == {}


def test_a_detail_is_the_same_text_in_whatever_order_it_was_made() -> None:
    one, other = bus.entry("a", "b", {"x": 1, "y": 2}), bus.entry("a", "b", {"y": 2, "x": 1})
    assert one == other


def test_money_in_an_event_is_a_number_with_every_cent() -> None:
    assert bus.entry("a", "b", {"total": Decimal("1234.10")})["Detail"] == '{"total": 1234.10}'


def test_what_an_earlier_call_sent_counts_when_a_later_one_fails(aws: Any, sent: Any) -> None:
    put = aws.answers["PutEvents"]

    def first_only(call: dict[str, Any]) -> dict[str, Any]:
        aws.fail("PutEvents", AwsError("ThrottlingException"))
        return put(call)

    aws.on("PutEvents", first_only)
    assert bus.send([bus.entry("a", "b", {"n": n}) for n in range(12)]) == 10


def test_no_handler_changes_the_event_it_was_given(event: Any, context: Any, audit: Any) -> None:
    stream = event("dynamodb_stream")
    before = copy.deepcopy(stream)
    data_transformer.handler(stream, context)
    assert stream == before


def _written_by(event: Any) -> dict[str, Any]:
    """The three changes, of two requests; the row that is removed was written by the second."""
    stream = event("dynamodb_stream")
    created, changed, removed = (record["dynamodb"] for record in stream["Records"])
    created["NewImage"]["correlationId"] = {"S": "first"}
    changed["OldImage"]["correlationId"] = {"S": "first"}
    changed["NewImage"]["correlationId"] = {"S": "second"}
    removed["OldImage"]["correlationId"] = {"S": "second"}
    return stream


def test_what_made_a_change_is_told_beside_it_and_is_no_part_of_it(
    event: Any, context: Any, audit: Any, sent: list[dict[str, Any]], lines: Any
) -> None:
    data_transformer.handler(event("dynamodb_stream"), context)
    before = [dict(row) for _, row in sorted(audit.items())]
    details = [json.loads(entry["Detail"]) for entry in sent]
    sent.clear()
    lines()
    data_transformer.handler(_written_by(event), context)
    names = ["first", "second", "second"]
    rows = [row for _, row in sorted(audit.items())]
    assert [row.pop("correlationId") for row in rows] == [{"S": name} for name in names]
    assert rows == before
    told = [json.loads(entry["Detail"]) for entry in sent]
    assert [detail.pop("correlationId") for detail in told] == names
    for detail in details:
        del detail["correlationId"]
    assert told == details
    logged = [(line["correlation_id"], line["message"]) for line in lines()]
    assert logged[:3] == [(name, "change recorded") for name in names]


def test_a_row_that_was_only_written_by_another_has_not_changed(
    event: Any, context: Any, audit: Any, sent: list[dict[str, Any]]
) -> None:
    stream = _written_by(event)
    change = stream["Records"][1]["dynamodb"]
    change["NewImage"] = {**change["OldImage"], "correlationId": {"S": "second"}}
    data_transformer.handler({"Records": [stream["Records"][1]]}, context)
    (row,) = audit.values()
    assert row["changes"] == {"M": {}}
    assert json.loads(sent[0]["Detail"])["changes"] == {}
