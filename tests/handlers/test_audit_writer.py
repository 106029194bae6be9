"""What happened to orders is written down, once per event."""

from __future__ import annotations

import json
from typing import Any

import audit_writer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import attributes
from common import aws as common_aws
from common.records import ForeignEventError

_ID = "8d4b1f0e-5a3c-4d21-9c4e-2f6a8b1c3d5e"


@pytest.fixture
def rows(aws: Any) -> dict[tuple[str, str], Any]:
    """The audit table by its key."""
    held: dict[tuple[str, str], Any] = {}

    def put(call: dict[str, Any]) -> dict[str, Any]:
        assert call["TableName"] == "audit"
        held[call["Item"]["itemId"]["S"], call["Item"]["sequence"]["S"]] = call["Item"]
        return {}

    aws.on("PutItem", put)
    return held


def _placed(**members: Any) -> dict[str, Any]:
    return {
        "id": _ID,
        "time": "2025-11-24T00:10:10Z",
        "source": "sandpiper.orders",
        "type": "Order Placed",
        "detail": {"orderId": "o-1", "state": "placed", "total": 129.9, "placedAt": "now"},
    } | members


def test_an_event_is_one_row_however_often_it_arrives(context: Any, rows: Any) -> None:
    for _ in range(3):
        answer = audit_writer.handler(_placed(), context)
    key = {"itemId": "order#o-1", "sequence": f"2025-11-24T00:10:10Z#{_ID}"}
    assert answer == key
    assert rows == {
        tuple(key.values()): {
            **{name: {"S": value} for name, value in key.items()},
            "eventId": {"S": _ID},
            "action": {"S": "Order Placed"},
            "changedAt": {"S": "2025-11-24T00:10:10Z"},
            "source": {"S": "sandpiper.orders"},
            "detail": {
                "M": {
                    "orderId": {"S": "o-1"},
                    "state": {"S": "placed"},
                    "total": {"N": "129.9"},
                    "placedAt": {"S": "now"},
                }
            },
        }
    }


@pytest.mark.parametrize(
    "foreign",
    [
        {"source": "sandpiper.items"},
        {"detail-type": "Order Placed"},
        {"Records": []},
    ],
)
def test_what_the_rule_does_not_send_is_refused(context: Any, rows: Any, foreign: Any) -> None:
    with pytest.raises(ForeignEventError):
        audit_writer.handler(_placed(**foreign), context)
    assert rows == {}


@pytest.mark.parametrize(
    "wrong", [{"detail": []}, {"detail": {}}, {"detail": {"orderId": 7}}, {"id": ""}, {"time": 1}]
)
def test_an_event_that_names_no_order_fails(context: Any, rows: Any, wrong: Any) -> None:
    with pytest.raises(ValueError, match="is not"):
        audit_writer.handler(_placed(**wrong), context)
    assert rows == {}


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(-1e15, 1e15)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), _VALUES, max_size=3))
def test_any_detail_is_stored_as_it_was_sent(detail: dict[str, Any]) -> None:
    row = audit_writer.audit_row(_placed(detail={**detail, "orderId": "o-1"}))
    assert _numbered(common_aws.plain(row)["detail"], detail) == {**detail, "orderId": "o-1"}


def _numbered(stored: Any, sent: Any) -> Any:
    """What is stored, its numbers (texts in DynamoDB) read as those of what was sent."""
    if isinstance(stored, dict):
        return {name: _numbered(value, _member(sent, name)) for name, value in stored.items()}
    if isinstance(stored, list):
        return [_numbered(value, kind) for value, kind in zip(stored, sent, strict=True)]
    if isinstance(sent, int | float) and not isinstance(sent, bool):
        return type(sent)(stored)
    return stored


def _member(sent: Any, name: str) -> Any:
    return sent.get(name, "")


def test_what_is_no_value_is_no_attribute() -> None:
    with pytest.raises(TypeError, match="set is no attribute"):
        attributes.of({1})
    with pytest.raises(ValueError, match="no number"):
        attributes.of(json.loads("NaN"))


def test_what_an_event_belongs_to_is_beside_its_detail(context: Any, rows: Any, lines: Any) -> None:
    audit_writer.handler(_placed(), context)
    (before,) = rows.values()
    lines()
    named = _placed()
    named["detail"]["correlationId"] = "mine"
    audit_writer.handler(named, context)
    (row,) = rows.values()
    assert row == {**before, "correlationId": {"S": "mine"}}
    assert [line["correlation_id"] for line in lines()] == ["mine"]
