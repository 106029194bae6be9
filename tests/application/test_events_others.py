"""Logs, confirmed users and direct calls start functions too."""

from __future__ import annotations

import json
from typing import Any

from sandbox.box import Box
from tests.support.effects import Effects, eventually, unique

AUTOMATIC_TRIES = 3


def incidents(effects: Effects, function: str, shape: str) -> list[dict[str, Any]]:
    """What the collector knows of a function's errors whose text is of that kind."""
    rows = effects.rows("stateTable", "id", "incident#")
    return [row for row in rows if function in row["function"]["S"] and shape in row["shape"]["S"]]


def test_an_error_in_a_log_is_counted_and_what_is_no_error_is_not(
    box: Box, effects: Effects
) -> None:
    before = sum(int(row["count"]["N"]) for row in incidents(effects, "image-processor", ""))
    name = f"{unique()}.jpg"
    box.send_s3(b"no picture at all", key=f"uploads/{name}")
    eventually(lambda: effects.letters("events-failures", name))
    found = eventually(lambda: incidents(effects, "image-processor", "upload refused"))
    logged = sum(line["level"] == "ERROR" for line in said(box, "image-processor"))
    eventually(lambda: total(effects, "image-processor") == logged)
    assert total(effects, "image-processor") > before
    assert found[0]["requestId"]["S"]
    assert not incidents(effects, "error-collector", "")


def said(box: Box, function: str) -> list[dict[str, Any]]:
    return [line for line in box.logs(function) if isinstance(line, dict) and "level" in line]


def total(effects: Effects, function: str) -> int:
    return sum(int(row["count"]["N"]) for row in incidents(effects, function, ""))


def test_a_collection_that_failed_is_kept_and_done_after_a_redrive(
    box: Box, effects: Effects
) -> None:
    """The payload of a subscription is packed: the letter holds it as it came."""
    with box.fault("error-collector", before="handler", times=None):
        box.send_sqs("orders", f"not json {unique()}")
        letter = eventually(lambda: of_collector(box), seconds=30)[0]
    assert "data" in json.loads(letter.body)["requestPayload"]["awslogs"]
    before = total(effects, "order-processor")
    assert box.redrive("events-failures").moved >= 1
    eventually(lambda: total(effects, "order-processor") > before)


def of_collector(box: Box) -> list[Any]:
    return [e for e in box.dead_letters("events-failures") if e.source == "error-collector"]


# Users.


def sign_up(box: Box, address: str) -> str:
    """Sign somebody up and confirm it; the id in the pool."""
    pool, client = box.outputs["userPoolId"], box.client("cognito-idp")
    made = client.sign_up(
        ClientId=box.outputs["userPoolClientId"],
        Username=address,
        Password="Correct-horse-7-battery",
        UserAttributes=[{"Name": "email", "Value": address}],
    )
    client.admin_confirm_sign_up(UserPoolId=pool, Username=address)
    return str(made["UserSub"])


def test_a_confirmed_sign_up_is_a_row_of_the_users_once(box: Box, effects: Effects) -> None:
    address = f"{unique('ann')}@example.com"
    ident = sign_up(box, address)
    row = effects.row("usersTable", user_id=ident)
    assert row
    assert row["email"] == {"S": address}
    event = {
        "version": "1",
        "triggerSource": "PostConfirmation_ConfirmSignUp",
        "region": box.region,
        "userPoolId": box.outputs["userPoolId"],
        "userName": address,
        "callerContext": {"clientId": box.outputs["userPoolClientId"]},
        "request": {"userAttributes": {"sub": ident, "email": address}},
        "response": {},
    }
    assert box.invoke("user-registrar", event).payload == event
    assert effects.row("usersTable", user_id=ident) == row


def test_who_signs_up_while_the_table_is_down_is_told_so_and_has_an_account(
    box: Box, effects: Effects
) -> None:
    """As on AWS the account is confirmed all the same: the row is made by calling the function again."""
    address = f"{unique('bob')}@example.com"
    client = box.client("cognito-idp")
    with box.fault("user-registrar", "unavailable", before="dynamodb:PutItem", where=address):
        try:
            sign_up(box, address)
            told = ""
        except client.exceptions.UserLambdaValidationException as error:
            told = str(error)
    assert "PostConfirmation" in told
    user = client.admin_get_user(UserPoolId=box.outputs["userPoolId"], Username=address)
    assert user["UserStatus"] == "CONFIRMED"


# Direct calls.


def test_a_direct_call_is_answered_and_its_error_told(box: Box) -> None:
    answer = box.invoke("health-checker", {})
    assert (answer.error, answer.payload["healthy"]) == (None, True)
    failed = box.invoke("report-generator", {"report_type": "nothing"})
    assert failed.error
    assert failed.payload["errorType"] == "ValueError"


def test_an_asynchronous_call_that_fails_is_kept_with_its_payload(
    box: Box, effects: Effects
) -> None:
    mark = unique()
    function = box.outputs["functions"]["image-processor"]
    made = box.client("lambda").invoke(
        FunctionName=function["qualifiedArn"],
        InvocationType="Event",
        Payload=json.dumps({"Records": [{"of": mark}]}).encode(),
    )
    assert made["StatusCode"] == 202
    (letter,) = eventually(lambda: effects.letters("events-failures", mark), seconds=30)
    record = json.loads(letter.body)
    assert record["requestPayload"] == {"Records": [{"of": mark}]}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == AUTOMATIC_TRIES
