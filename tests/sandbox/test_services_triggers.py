"""Users that are confirmed, mail that is refused, schedules that fire."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError

from sandbox.workers import mail_seams, trigger_seams
from tests.sandbox.delivery_support import (
    TOLD,
    logged,
    permit,
    reader,
    received,
    texts,
    told,
    until,
)
from tests.sandbox.functions_support import role
from tests.sandbox.services_support import ACCOUNT, REGION, Made, clients, make

PASSWORD = "Correct-horse-7"
KEEPING = TOLD + "    return event\n"


def people(name: str, source: str = KEEPING, *, allowed: bool = True) -> tuple[Made, Made, Made]:
    """A pool that calls a function once a user is confirmed, its client and the function."""
    called = reader(name, source)
    pool = make(
        "cognito/userPool:UserPool",
        name,
        autoVerifiedAttributes=["email"],
        lambdaConfig={"postConfirmation": called["arn"]},
    )
    assert pool.notes == []
    client = make("cognito/userPoolClient:UserPoolClient", name, userPoolId=pool.id)
    if allowed:
        permit(called, "cognito-idp.amazonaws.com", pool["arn"])
    return pool, client, called


def sign_up(client: Made, name: str = "ann") -> None:
    clients().client("cognito-idp").sign_up(
        ClientId=client.id,
        Username=name,
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": f"{name}@example.com"}],
    )


def test_function_is_called_once_for_a_user_who_confirms(aws: Any) -> None:
    pool, client, called = people("confirming")
    sign_up(client)
    idp = aws("cognito-idp")
    idp.confirm_sign_up(ClientId=client.id, Username="ann", ConfirmationCode="123456")
    [event] = told(called)
    assert event["triggerSource"] == "PostConfirmation_ConfirmSignUp"
    assert (event["userPoolId"], event["userName"]) == (pool.id, "ann")
    attributes = event["request"]["userAttributes"]
    assert attributes["email"] == "ann@example.com"
    assert attributes["cognito:user_status"] == "CONFIRMED"
    assert attributes["sub"]
    assert event["callerContext"]["clientId"] == client.id
    with pytest.raises(ClientError, match="Current status is CONFIRMED"):
        idp.admin_confirm_sign_up(UserPoolId=pool.id, Username="ann")
    assert len(logged(called)) == 1


def test_function_is_called_for_a_user_whom_an_administrator_confirms(aws: Any) -> None:
    pool, client, called = people("admin-confirming")
    sign_up(client)
    aws("cognito-idp").admin_confirm_sign_up(UserPoolId=pool.id, Username="ann")
    [event] = told(called)
    assert event["callerContext"]["clientId"] == "CLIENT_ID_NOT_APPLICABLE"


def test_nobody_signs_up_where_only_administrators_make_users(aws: Any) -> None:
    config = {"allowAdminCreateUserOnly": True}
    pool = make("cognito/userPool:UserPool", "closed", adminCreateUserConfig=config)
    client = make("cognito/userPoolClient:UserPoolClient", "closed", userPoolId=pool.id)
    with pytest.raises(ClientError) as caught:
        sign_up(client)
    assert caught.value.response["Error"] == {
        "Code": "NotAuthorizedException",
        "Message": "SignUp is not permitted for this user pool",
    }
    idp = aws("cognito-idp")
    assert idp.list_users(UserPoolId=pool.id)["Users"] == []
    idp.admin_create_user(UserPoolId=pool.id, Username="bob", MessageAction="SUPPRESS")
    pool.update(adminCreateUserConfig={"allowAdminCreateUserOnly": False})
    sign_up(client)
    names = {user["Username"] for user in idp.list_users(UserPoolId=pool.id)["Users"]}
    assert names == {"ann", "bob"}
    pool.delete()


@pytest.mark.parametrize(
    ("name", "source", "allowed", "code", "text"),
    [
        (
            "raises",
            "def handler(event, context):\n    raise ValueError('no room')\n",
            True,
            "UserLambdaValidationException",
            "PostConfirmation failed with error no room.",
        ),
        (
            "answers-nothing",
            "def handler(event, context):\n    pass\n",
            True,
            "InvalidLambdaResponseException",
            "Unrecognizable lambda output",
        ),
        ("denied", KEEPING, False, "UnexpectedLambdaException", "AccessDeniedException"),
    ],
)
def test_failing_function_is_the_callers_answer_and_the_user_stays_confirmed(
    aws: Any, name: str, source: str, allowed: bool, code: str, text: str
) -> None:
    pool, client, _called = people(name, source, allowed=allowed)
    sign_up(client)
    idp = aws("cognito-idp")
    with pytest.raises(ClientError, match=text) as caught:
        idp.confirm_sign_up(ClientId=client.id, Username="ann", ConfirmationCode="123456")
    assert caught.value.response["Error"]["Code"] == code
    found = idp.admin_get_user(UserPoolId=pool.id, Username="ann")
    assert found["UserStatus"] == "CONFIRMED"


def test_function_that_is_too_slow_is_given_up_after_three_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(trigger_seams.deliveries, "function", lambda *_: {"config": {}})
    monkeypatch.setattr(trigger_seams, "_within", lambda *given: calls.append(given))
    with pytest.raises(Exception, match="Socket timeout") as caught:
        trigger_seams._call("arn", {}, "pool")
    assert getattr(caught.value, "code", "") == "UnexpectedLambdaException"
    assert len(calls) == 3


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "two@@example.com",
        "a b@example.com",
        "a@exa mple.com",
        "a@example",
        "a@-shop.example",
        "a..b@example.com",
        ".a@example.com",
        "@example.com",
        "a@example.com\r\nBcc: x@example.com",
        "ä@example.com",
        f"{'a' * 65}@example.com",
    ],
)
def test_mail_to_a_malformed_address_is_refused(aws: Any, address: str) -> None:
    for send in (_send, _send_again):
        with pytest.raises(ClientError) as caught:
            send(aws, address)
        assert caught.value.response["Error"]["Code"] in (
            "InvalidParameterValue",
            "BadRequestException",
        )


def _send(aws: Any, *recipients: str, sender: str = "orders@example.com", **more: Any) -> None:
    aws("ses").verify_email_identity(EmailAddress="orders@example.com")
    aws("ses").send_email(
        Source=sender,
        Destination={"ToAddresses": list(recipients)},
        Message={"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}},
        **more,
    )


def _send_again(
    aws: Any, *recipients: str, sender: str = "orders@example.com", **more: Any
) -> None:
    aws("ses").verify_email_identity(EmailAddress="orders@example.com")
    aws("sesv2").send_email(
        FromEmailAddress=sender,
        Destination={"ToAddresses": list(recipients)},
        Content={"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}},
        **more,
    )


@pytest.mark.parametrize("send", [_send, _send_again])
def test_mail_needs_a_verified_sender_a_known_set_and_few_recipients(aws: Any, send: Any) -> None:
    send(aws, "Ann O'Neil <ann.o'neil+tag@mail.example.com>", sender="Shop <orders@example.com>")
    with pytest.raises(ClientError, match="not verified"):
        send(aws, "ann@example.com", sender="other@example.com")
    with pytest.raises(ClientError, match="Recipient count exceeds 50"):
        send(aws, *(f"a{n}@example.com" for n in range(51)))
    with pytest.raises(ClientError, match="does not exist"):
        send(aws, "ann@example.com", ConfigurationSetName="nowhere")


def test_sender_in_a_functions_environment_counts_as_verified(aws: Any) -> None:
    variables = {
        "MAIL_FROM_ADDRESS": "Shop <shop@shop.example>",
        "MAIL_CONFIGURATION_SET": "shop-mail",
    }
    made = reader("sends", environment={"variables": variables})
    assert "shop@shop.example counts as a verified sender, and no e-mail leaves the sandbox" in (
        made.notes
    )
    for send in (_send, _send_again):
        send(aws, "ann@example.com", sender="shop@shop.example", ConfigurationSetName="shop-mail")


def test_quoted_local_part_is_an_address() -> None:
    assert mail_seams.fault("a@example.com", ['"a b"@example.com']) is None


def _schedule(name: str, arn: str, rights: Made, **more: Any) -> Made:
    given = more.pop("target", {})
    return make(
        "scheduler/schedule:Schedule",
        name,
        flexibleTimeWindow={"mode": "OFF"},
        target={"arn": arn, "roleArn": rights["arn"], **given},
        **more,
    )


def _scheduling(name: str, *actions: str) -> Made:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {
                "aws:SourceArn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/default"
            }
        },
    }
    made = make(
        "iam/role:Role",
        name,
        assumeRolePolicy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    allowed = [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]
    make(
        "iam/rolePolicy:RolePolicy",
        name,
        role=made["name"],
        policy=json.dumps({"Version": "2012-10-17", "Statement": allowed}),
    )
    return made


def _soon(place: str, seconds: int = 2) -> str:
    moment = datetime.fromtimestamp(time.time() + seconds, tz=UTC).astimezone(ZoneInfo(place))
    return f"at({moment.strftime('%Y-%m-%dT%H:%M:%S')})"


def test_schedule_fires_in_its_own_zone_with_its_input_and_goes(aws: Any) -> None:
    heard = reader("schedule-reader")
    rights = _scheduling("schedule-role", "lambda:InvokeFunction")
    made = _schedule(
        "zoned",
        heard["arn"],
        rights,
        scheduleExpression=_soon("America/New_York"),
        scheduleExpressionTimezone="America/New_York",
        actionAfterCompletion="DELETE",
        target={"input": '{"report": "orders", "from": "<aws.scheduler.schedule-arn>"}'},
    )
    assert made.notes == []
    assert told(heard) == [{"report": "orders", "from": made["arn"]}]

    def is_gone() -> bool:
        listed = aws("scheduler").list_schedules(NamePrefix=made["name"])["Schedules"]
        return not listed

    until(is_gone)


def test_schedule_without_an_input_sends_schedulers_event_until_it_ends() -> None:
    heard = reader("schedule-default")
    rights = _scheduling("schedule-default-role", "lambda:InvokeFunction")
    made = _schedule(
        "default",
        heard["arn"],
        rights,
        scheduleExpression=_soon("UTC"),
        scheduleExpressionTimezone="UTC",
    )
    over = _schedule(
        "over",
        heard["arn"],
        rights,
        scheduleExpression=_soon("UTC"),
        endDate="2020-01-01T00:00:00Z",
    )
    [event] = told(heard)
    assert (event["source"], event["detail"]) == ("aws.scheduler", "{}")
    assert event["resources"] == [made["arn"]]
    made.delete()
    over.delete()


@pytest.mark.parametrize("kind", ["denied", "untrusted", "gone"])
def test_start_that_fails_is_a_dead_letter(kind: str) -> None:
    letters = make("sqs/queue:Queue", f"schedule-{kind}")
    target = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:nobody"
    actions = ["sqs:SendMessage"] + ["lambda:InvokeFunction"] * (kind != "denied")
    if kind == "untrusted":
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        rights = role("schedule-untrusted", everything)
    else:
        rights = _scheduling(f"schedule-{kind}", *actions)
    made = _schedule(
        kind,
        target,
        rights,
        scheduleExpression=_soon("UTC", 1),
        target={"input": '{"n": 1}', "deadLetterConfig": {"arn": letters["arn"]}},
    )
    [letter] = received(letters)
    assert json.loads(letter["Body"]) == {"n": 1}
    why = texts(letter)
    code = "ResourceNotFoundException" if kind == "gone" else "AccessDeniedException"
    assert (why["ERROR_CODE"], why["SCHEDULE_ARN"]) == (code, made["arn"])
    assert (why["TARGET_ARN"], why["RETRY_ATTEMPTS"]) == (target, "0")
    made.delete()
