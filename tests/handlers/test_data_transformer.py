"""The audit trail: idempotent, in order, and never stuck without saying where."""

from __future__ import annotations

import copy
from typing import Any

import data_transformer
import pytest

from tests.handlers.conftest import Context
from tests.handlers.fakes import AwsError

_DONE: dict[str, Any] = {"batchItemFailures": []}


@pytest.fixture
def audit(aws: Any) -> dict[tuple[str, str], Any]:
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
    }
    assert ("before" in inserted, "after" in removed) == (False, False)
    assert modified["after"]["M"]["price"] == {"N": "119.5"}


def test_binary_values_keep_their_bytes(event: Any) -> None:
    record = event("dynamodb_stream")["Records"][0]
    image = {"b": {"B": "AAE="}, "s": {"BS": ["AA=="]}, "l": {"L": [{"M": {"x": {"B": "Ag=="}}}]}}
    record["dynamodb"]["NewImage"] = image
    assert data_transformer.audit_row(record)["after"] == {
        "M": {
            "b": {"B": b"\x00\x01"},
            "s": {"BS": [b"\x00"]},
            "l": {"L": [{"M": {"x": {"B": b"\x02"}}}]},
        }
    }


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
    assert len(aws.calls) == 2


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


def test_no_handler_changes_the_event_it_was_given(event: Any, context: Any, audit: Any) -> None:
    stream = event("dynamodb_stream")
    before = copy.deepcopy(stream)
    data_transformer.handler(stream, context)
    assert stream == before
