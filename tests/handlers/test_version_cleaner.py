"""Old versions go, except what there is to go back to and what an alias points to."""

from __future__ import annotations

from typing import Any

import pytest
import version_cleaner

from tests.handlers.conftest import Context
from tests.handlers.fakes import AwsError

_NAME = "sandpiper-dev-health"
_OTHER = "sandpiper-dev-get-item"


class Account:
    """Functions with versions and aliases, two to a page."""

    def __init__(self, aws: Any) -> None:
        self.versions: dict[str, list[str]] = {}
        self.aliases: dict[str, list[dict[str, Any]]] = {}
        aws.on("ListVersionsByFunction", lambda call: _page(call, "Versions", self._listed(call)))
        aws.on("ListAliases", lambda call: _page(call, "Aliases", self._aliases(call)))
        aws.on("DeleteFunction", self._delete)

    def add(self, name: str, newest: int, *aliases: dict[str, Any]) -> None:
        self.versions[name] = ["$LATEST", *map(str, range(1, newest + 1))]
        self.aliases[name] = list(aliases)

    def _listed(self, call: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"FunctionName": "x", "Version": v} for v in self.versions[call["FunctionName"]]]

    def _aliases(self, call: dict[str, Any]) -> list[dict[str, Any]]:
        return self.aliases[call["FunctionName"]]

    def _delete(self, call: dict[str, Any]) -> dict[str, Any]:
        assert set(call) == {"FunctionName", "Qualifier"}
        self.versions[call["FunctionName"]].remove(call["Qualifier"])
        return {}


def _page(call: dict[str, Any], member: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    start = int(call.get("Marker", "0"))
    more = {"NextMarker": str(start + 2)} if len(entries) > start + 2 else {}
    return {member: entries[start : start + 2], **more}


def _alias(version: int, **weights: float) -> dict[str, Any]:
    shares = {name.removeprefix("v"): weight for name, weight in weights.items()}
    return {
        "Name": f"at-{version}",
        "FunctionVersion": str(version),
        **({"RoutingConfig": {"AdditionalVersionWeights": shares}} if shares else {}),
    }


@pytest.fixture
def account(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setenv("FUNCTION_NAMES", f"{_NAME},{_OTHER}")
    monkeypatch.setenv("VERSIONS_TO_KEEP", "3")
    held = Account(aws)
    held.add(_NAME, 12, _alias(12))
    held.add(_OTHER, 2, _alias(2))
    return held


def test_all_but_the_newest_versions_of_each_function_are_deleted(
    account: Account, context: Any, event: Any
) -> None:
    account.add(_OTHER, 5, _alias(5))
    assert version_cleaner.handler(event("schedule"), context) == {"deleted": 11}
    assert account.versions == {
        _NAME: ["$LATEST", "10", "11", "12"],
        _OTHER: ["$LATEST", "3", "4", "5"],
    }


@pytest.mark.parametrize("newest", [0, 1, 3])
def test_a_function_with_no_more_versions_than_are_kept_loses_none(
    account: Account, context: Any, aws: Any, newest: int
) -> None:
    account.add(_NAME, newest)
    assert version_cleaner.handler({}, context) == {"deleted": 0}
    assert "DeleteFunction" not in aws.names()


def test_whatever_an_alias_points_to_stays_also_for_a_share_of_the_requests(
    account: Account, context: Any
) -> None:
    account.add(_NAME, 9, _alias(2), _alias(8), _alias(9, v4=0.1))
    version_cleaner.handler({}, context)
    assert account.versions[_NAME] == ["$LATEST", "2", "4", "7", "8", "9"]


def test_the_oldest_versions_go_first(account: Account, context: Any, aws: Any) -> None:
    version_cleaner.handler({}, context)
    gone = [call["Qualifier"] for name, call in aws.calls if name == "DeleteFunction"]
    assert gone == [str(number) for number in range(1, 10)]


@pytest.mark.parametrize(
    ("code", "reason"),
    [("ResourceConflictException", "in use"), ("ResourceNotFoundException", "gone already")],
)
def test_a_version_that_cannot_be_deleted_now_is_left_without_failing(
    account: Account, context: Any, aws: Any, lines: Any, code: str, reason: str
) -> None:
    delete = aws.answers["DeleteFunction"]

    def refuse(call: dict[str, Any]) -> dict[str, Any]:
        if call["Qualifier"] == "4":
            raise AwsError(code, status=409)
        return delete(call)

    aws.on("DeleteFunction", refuse)
    assert version_cleaner.handler({}, context) == {"deleted": 8}
    (line,) = [line for line in lines() if line["level"] == "WARN"]
    assert (line["target"], line["published"], line["reason"]) == (_NAME, "4", reason)


def test_one_functions_failure_does_not_keep_the_others_from_their_turn(
    account: Account, context: Any, aws: Any, lines: Any
) -> None:
    account.add(_OTHER, 4, _alias(4))
    listed = aws.answers["ListAliases"]

    def refuse(call: dict[str, Any]) -> dict[str, Any]:
        if call["FunctionName"] == _NAME:
            raise AwsError("AccessDeniedException", status=403)
        return listed(call)

    aws.on("ListAliases", refuse)
    with pytest.raises(RuntimeError, match=f"versions of {_NAME} could not be cleaned up"):
        version_cleaner.handler({}, context)
    assert account.versions[_NAME][1:] == [str(number) for number in range(1, 13)]
    assert account.versions[_OTHER] == ["$LATEST", "2", "3", "4"]
    (line,) = [line for line in lines() if line["level"] == "ERROR"]
    assert line["target"] == _NAME


def test_a_deletion_that_fails_is_told_and_raised(account: Account, context: Any, aws: Any) -> None:
    aws.fail("DeleteFunction", AwsError("AccessDeniedException", status=403))
    with pytest.raises(RuntimeError, match=_NAME):
        version_cleaner.handler({}, context)


def test_the_cleaner_stops_before_its_deadline(account: Account) -> None:
    """Between two versions and between two functions."""
    assert version_cleaner.handler({}, Context(seconds=300, then=20)) == {"deleted": 0}
    assert len(account.versions[_NAME]) == 13


def test_with_little_time_left_no_other_function_is_begun(
    account: Account, aws: Any, lines: Any
) -> None:
    account.add(_NAME, 1)
    version_cleaner.handler({}, Context(seconds=300, then=20))
    assert {call["FunctionName"] for _, call in aws.calls} == {_NAME}
    (line,) = [line for line in lines() if line["level"] == "WARN"]
    assert line["left"] == [_OTHER]


@pytest.mark.parametrize("keep", ["0", "-1", "five", ""])
def test_a_number_of_versions_that_makes_no_sense_deletes_nothing(
    account: Account, context: Any, aws: Any, monkeypatch: pytest.MonkeyPatch, keep: str
) -> None:
    monkeypatch.setenv("VERSIONS_TO_KEEP", keep)
    with pytest.raises(ValueError, match=r"VERSIONS_TO_KEEP|invalid literal"):
        version_cleaner.handler({}, context)
    assert aws.calls == []


@pytest.mark.parametrize("name", ["VERSIONS_TO_KEEP", "FUNCTION_NAMES"])
def test_without_its_environment_nothing_is_deleted(
    account: Account, context: Any, aws: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(KeyError, match=name):
        version_cleaner.handler({}, context)
    assert aws.calls == []


def test_spaces_and_trailing_commas_in_the_list_of_functions_do_not_matter(
    account: Account, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUNCTION_NAMES", f" {_NAME} ,, {_OTHER},")
    assert version_cleaner.handler({}, context) == {"deleted": 9}
