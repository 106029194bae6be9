"""Rows that functions share are changed by one at a time."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from common import state
from tests.handlers.fakes import AwsError
from tests.handlers.state_table import StateTable


@pytest.fixture(autouse=True)
def table(aws: Any, monkeypatch: pytest.MonkeyPatch) -> StateTable:
    monkeypatch.setenv("STATE_TABLE", "state")
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return StateTable(aws)


def _more(row: dict[str, Any]) -> dict[str, Any]:
    return {"n": {"N": str(int(row.get("n", {"N": "0"})["N"]) + 1)}}


def test_a_row_is_made_and_changed(table: StateTable) -> None:
    assert state.amend("a#1", _more)
    assert state.amend("a#1", _more)
    assert table.rows == {"a#1": {"id": {"S": "a#1"}, "n": {"N": "2"}, "revision": {"N": "2"}}}


def test_a_row_that_shall_stay_is_not_written(aws: Any) -> None:
    assert not state.amend("a#1", lambda _: None)
    assert aws.names() == ["GetItem"]


@pytest.mark.parametrize("there", [True, False])
def test_a_change_that_meets_another_begins_anew(table: StateTable, there: bool) -> None:
    if there:
        state.amend("a#1", _more)
    table.before_put = lambda: state.amend("a#1", _more)
    assert state.amend("a#1", _more)
    assert table.rows["a#1"]["n"] == {"N": "3" if there else "2"}


def test_a_row_that_others_write_all_the_time_is_given_up(aws: Any) -> None:
    aws.fail("PutItem", AwsError("ConditionalCheckFailedException"))
    with pytest.raises(state.ContendedError, match="a row"):
        state.amend("a#1", _more)
    assert aws.names().count("PutItem") == 8


def test_another_error_is_raised(aws: Any) -> None:
    aws.fail("PutItem", AwsError("AccessDeniedException"))
    with pytest.raises(ClientError):
        state.amend("a#1", _more)
