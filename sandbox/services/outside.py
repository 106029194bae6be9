"""What a stack file names that lies outside of the stack: in the user's account, and not in the sandbox."""

from __future__ import annotations

import json
from typing import Any, Final

from sandbox.resources import Resource

_TRUST: Final = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
_ALL: Final = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def is_outside(r: Resource, arn: str) -> bool:
    """Whether an ARN names another account's resource: the sandbox's own account holds nothing but the stack."""
    parts = arn.split(":")
    return len(parts) > 5 and parts[4] not in ("", r.aws.account)


def role(r: Resource, arn: str) -> str:
    """The role that a function runs under: the declared one, or a stand-in for one from outside.

    Which rights that one has cannot be known here: the stand-in may do everything, and the report says so.
    """
    if not is_outside(r, arn):
        return arn
    from botocore.exceptions import ClientError

    name = arn.rpartition("/")[2]
    try:
        r.call("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=_document(_TRUST))
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise
    r.call(
        "iam",
        "put_role_policy",
        RoleName=name,
        PolicyName="sandbox-stand-in",
        PolicyDocument=_document(_ALL),
    )
    r.note_compat("everything: its execution role is from outside, what that may do is not known")
    return f"arn:aws:iam::{r.aws.account}:role/{name}"


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
