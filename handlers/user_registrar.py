"""Cognito, after a sign-up is confirmed -> users table: the person's row, as POST /users writes it.

Cognito waits 5 seconds for the answer, and tells the person of a failure, though the account then
stands: one attempt is kept short, so that three of them fit.
"""

from __future__ import annotations

import os
from typing import Any

from common import aws, conditions, ids, logs, metrics, records, warming

SIGNED_UP = "PostConfirmation_ConfirmSignUp"
NEW_PASSWORD = "PostConfirmation_ConfirmForgotPassword"  # noqa: S105 - the name of a trigger
_READ_TIMEOUT = 1  # seconds

aws.prepare("dynamodb", read_timeout=_READ_TIMEOUT)


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The event, as Cognito expects it back. A new password confirms nobody new."""
    logs.begin(context, event)
    records.of_user_pool(event, SIGNED_UP, NEW_PASSWORD)
    if event["triggerSource"] == SIGNED_UP:
        written = _store(user_row(event))
        if written:
            metrics.count("UsersRegistered")
        logs.info("user registered" if written else "user was registered already")
    return event


def user_row(event: dict[str, Any]) -> dict[str, Any]:
    """The row of a user of the pool: `sub` is the id. Raises KeyError without sub or email.

    Who signs up need not give a name; the user name then stands for it.
    """
    given = event["request"]["userAttributes"]
    name = given.get("name") or event.get("userName") or given["email"]
    return {
        "user_id": {"S": given["sub"]},
        "name": {"S": name},
        "email": {"S": given["email"]},
        "created_at": {"S": ids.instant()},
    }


def _store(row: dict[str, Any]) -> bool:
    """Write the row once; whether it was not there."""
    try:
        aws.client("dynamodb", read_timeout=_READ_TIMEOUT).put_item(
            TableName=os.environ["USERS_TABLE"],
            Item=row,
            ConditionExpression="attribute_not_exists(#id)",
            ExpressionAttributeNames={"#id": "user_id"},
        )
    except Exception as error:
        if not conditions.failed(error):
            raise
        return False
    return True
