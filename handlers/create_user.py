"""POST /users: stores a new user under the id that the caller gives."""

from __future__ import annotations

import os
import re
from typing import Any

from common import aws, fields, http, ids, metrics
from common.bodies import json_object

LONGEST_ID = 128  # characters, as are the next two
LONGEST_NAME = 200
LONGEST_EMAIL = 254  # RFC 5321 with its erratum 1690

_REQUIRED = ("user_id", "name", "email")
# What browsers accept as an address (WHATWG HTML, "valid email address"), with a domain of at least
# two labels.
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")

aws.prepare("dynamodb")


@http.endpoint
def handler(request: http.Request) -> http.Answer:
    """200 once the user is stored, however often the same request arrives; 409 when the id belongs
    to another user, 400 for a refused body.
    """
    user = parse(json_object(request))
    if _store(user):
        metrics.count("UsersRegistered")
    body = {"message": "User created successfully", "user_id": user["user_id"]}
    return http.answer(200, body)


def parse(body: dict[str, Any]) -> dict[str, str]:
    """user_id, name and email, as they were sent. Raises Problem 400 that names every member that
    is missing, wrong or unknown.
    """
    user, errors = fields.read(body, _CHECKS, _REQUIRED, noun="a user")
    if errors:
        missing = ", ".join(name for name in _REQUIRED if name not in body)
        detail = f"Missing required fields: {missing}" if missing else "The user is not valid."
        raise http.Problem(400, detail, errors=errors)
    return user


def _user_id(value: object) -> str:
    return fields.text(value, longest=LONGEST_ID)


def _name(value: object) -> str:
    return fields.text(value, longest=LONGEST_NAME)


def _email(value: object) -> str:
    email = fields.text(value, longest=LONGEST_EMAIL)
    if not _EMAIL.fullmatch(email):
        raise fields.Refused("must be an e-mail address")
    return email


_CHECKS = {"user_id": _user_id, "name": _name, "email": _email}


def _store(user: dict[str, str]) -> bool:
    """Write the row once; whether it was not there. A request that is repeated, by its client or by boto3 after a lost
    answer, finds its own row and changes nothing.
    """
    row = {name: {"S": value} for name, value in user.items()}
    try:
        aws.client("dynamodb").put_item(
            TableName=os.environ["USERS_TABLE"],
            Item={**row, "created_at": {"S": ids.instant()}},
            ConditionExpression="attribute_not_exists(#id)",
            ExpressionAttributeNames={"#id": "user_id"},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except Exception as error:
        if aws.error_code(error) != "ConditionalCheckFailedException":
            raise
        # The failed call returns the row in its way, so comparing needs no right to read.
        stored = getattr(error, "response", {}).get("Item", {})
        if any(stored.get(name) != value for name, value in row.items()):
            raise http.Problem(409, "The user_id belongs to another user.") from None
        return False
    return True
