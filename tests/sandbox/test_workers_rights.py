"""What a service may do in a role, as the emulator's own IAM judges it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.workers import rights

ACCOUNT = "000000000000"
QUEUE = f"arn:aws:sqs:us-west-2:{ACCOUNT}:orders"
API = f"arn:aws:execute-api:us-west-2:{ACCOUNT}:a1/dev/POST/orders"
SERVICE = "apigateway.amazonaws.com"


def _statement(effect: str, action: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, **more}


@pytest.fixture
def role() -> Iterator[Any]:
    """Makes a role with these trust statements and rights, in this process; its ARN."""
    from ministack.services import iam

    made: list[str] = []

    def build(trust: list[dict[str, Any]], *allowed: dict[str, Any], boundary: str = "") -> str:
        made.append("judged")
        iam._roles["judged"] = {
            "AssumeRolePolicyDocument": json.dumps({"Statement": trust}),
            "InlinePolicies": {"own": json.dumps({"Statement": list(allowed)})},
            **({"PermissionsBoundary": boundary} if boundary else {}),
        }
        return f"arn:aws:iam::{ACCOUNT}:role/some/path/judged"

    yield build
    for name in set(made):
        iam._roles.pop(name, None)


TRUSTED = _statement("Allow", "sts:AssumeRole", Principal={"Service": [SERVICE]})
SENDS = _statement("Allow", ["sqs:SendMessage"], Resource=QUEUE)


def test_trust_is_weighed_with_its_denials_and_conditions(role: Any) -> None:
    def judged(*statements: dict[str, Any]) -> bool:
        return rights.may_assume(role(list(statements)), SERVICE, source=API)

    assert judged(TRUSTED)
    assert not judged({**TRUSTED, "Principal": {"Service": "lambda.amazonaws.com"}})
    assert not judged(TRUSTED, {**TRUSTED, "Effect": "Deny"})
    for account, expected in ((ACCOUNT, True), ("999999999999", False)):
        condition = {"StringEquals": {"aws:SourceAccount": account}}
        assert judged({**TRUSTED, "Condition": condition}) is expected


def test_rights_are_the_roles_own_within_its_boundary(role: Any) -> None:
    assert rights.may(role([TRUSTED], SENDS), "sqs:SendMessage", QUEUE)
    assert not rights.may(role([TRUSTED], SENDS), "sqs:SendMessage", f"{QUEUE}-other")
    assert not rights.may(role([TRUSTED], SENDS), "sqs:ReceiveMessage", QUEUE)
    denied = _statement("Deny", "sqs:*", Resource="*")
    assert not rights.may(role([TRUSTED], SENDS, denied), "sqs:SendMessage", QUEUE)
    nothing = f"arn:aws:iam::{ACCOUNT}:policy/nothing"
    assert not rights.may(role([TRUSTED], SENDS, boundary=nothing), "sqs:SendMessage", QUEUE)


@pytest.mark.parametrize("name", ["", "judged", f"arn:aws:iam::{ACCOUNT}:role/nobody"])
def test_role_that_is_not_there_may_nothing(name: str) -> None:
    assert not rights.may_assume(name, SERVICE, source=API)
    assert not rights.may(name, "sqs:SendMessage", QUEUE)
