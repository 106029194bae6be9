"""Who confirms a sign-up gets a row, once, and Cognito gets its event back."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import user_registrar
from botocore.exceptions import ClientError

from common.records import ForeignEventError
from tests.handlers.fakes import AwsError

_SUB = "b2c3d4e5-0000-4000-8000-000000000001"


@pytest.fixture
def users(aws: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The users table by user_id."""
    monkeypatch.setenv("USERS_TABLE", "users")
    held: dict[str, Any] = {}

    def put(call: dict[str, Any]) -> dict[str, Any]:
        assert call["TableName"] == "users"
        assert call["ConditionExpression"] == "attribute_not_exists(#id)"
        assert call["ExpressionAttributeNames"] == {"#id": "user_id"}
        key = call["Item"]["user_id"]["S"]
        if key in held:
            raise AwsError("ConditionalCheckFailedException")
        held[key] = call["Item"]
        return {}

    aws.on("PutItem", put)
    return held


def test_a_confirmed_sign_up_is_one_row_however_often_it_is_told(
    event: Any, context: Any, users: dict[str, Any]
) -> None:
    told = event("cognito_post_confirmation")
    before = copy.deepcopy(told)
    for _ in range(3):
        assert user_registrar.handler(told, context) == before
    row = users[_SUB]
    assert row.pop("created_at")["S"].endswith("Z")
    assert row == {
        "user_id": {"S": _SUB},
        "name": {"S": "Ada Example"},
        "email": {"S": "ada@example.com"},
    }
    assert len(users) == 1


def test_without_a_name_the_user_name_stands_for_it(event: Any, context: Any, users: Any) -> None:
    told = event("cognito_post_confirmation")
    del told["request"]["userAttributes"]["name"]
    user_registrar.handler(told, context)
    assert users[_SUB]["name"] == {"S": "ada"}


def test_a_new_password_registers_nobody(event: Any, context: Any, users: Any) -> None:
    told = event("cognito_post_confirmation") | {"triggerSource": user_registrar.NEW_PASSWORD}
    assert user_registrar.handler(told, context) == told
    assert users == {}


def test_other_triggers_are_refused(event: Any, context: Any, users: Any) -> None:
    told = event("cognito_post_confirmation") | {"triggerSource": "PreSignUp_SignUp"}
    with pytest.raises(ForeignEventError, match="PreSignUp_SignUp"):
        user_registrar.handler(told, context)
    assert users == {}


def test_a_row_that_cannot_be_written_is_told(event: Any, context: Any, aws: Any) -> None:
    aws.fail("PutItem", AwsError("ProvisionedThroughputExceededException"))
    with pytest.raises((ClientError, KeyError)):
        user_registrar.handler(event("cognito_post_confirmation"), context)


def test_no_address_reaches_the_log(event: Any, context: Any, users: Any, capsys: Any) -> None:
    user_registrar.handler(event("cognito_post_confirmation"), context)
    assert "ada" not in capsys.readouterr().out.lower()


def test_a_user_counts_once(event: Any, context: Any, users: Any, measured: Any) -> None:
    for _ in range(3):
        user_registrar.handler(event("cognito_post_confirmation"), context)
    assert measured() == {"UsersRegistered": 1}
