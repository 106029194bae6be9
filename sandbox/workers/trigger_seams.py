"""Cognito: the function that is called once a user is confirmed, and pools where only administrators make users.

MiniStack keeps both and heeds neither. Sources: Cognito developer guide, "Post confirmation Lambda trigger", "Important
considerations" (an answer within five seconds, three attempts; an error is the caller's answer, and the user stays
confirmed); API reference, "AdminCreateUserConfigType".
"""

import contextvars
import threading
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers import deliveries
from sandbox.workers.seams import Seam

COGNITO: Final = "ministack.services.cognito"
ANSWER_SECONDS: Final = 5.0
_ATTEMPTS: Final = 3
_NAME: Final = "PostConfirmation"
_NOBODY: Final = "CLIENT_ID_NOT_APPLICABLE"
_REASON: Final = "no function is called once a user is confirmed"
_OPEN: Final = "everybody may sign up in any pool"
Record = dict[str, Any]
Answer = tuple[int, Record, Any]
Act = Callable[[Record], Answer]


class _Failed(Exception):
    """Why a trigger failed: Cognito's error code and its text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def seams() -> list[Seam]:
    """Return the seams of triggers."""
    needs = ("_resolve_pool", "_resolve_user", "_pool_for_client", "_attr_list_to_dict")
    return [
        Seam(COGNITO, "_confirm_sign_up", ("data",), _REASON, _after("ConfirmSignUp"), needs),
        Seam(COGNITO, "_admin_confirm_sign_up", ("data",), _REASON, _after_admin, needs),
        Seam(COGNITO, "_sign_up", ("data",), f"{_OPEN}, and {_REASON}", _sign_up, needs),
        Seam(
            COGNITO,
            "_confirm_forgot_password",
            ("data",),
            _REASON,
            _after("ConfirmForgotPassword"),
            needs,
        ),
    ]


def _after(source: str) -> Callable[[ModuleType, Act], Act]:
    def build(module: ModuleType, original: Act) -> Act:
        def act(data: Record) -> Answer:
            answer = original(data)
            return _told(module, data, source, answer) if answer[0] < 300 else answer

        return act

    return build


def _after_admin(module: ModuleType, original: Act) -> Act:
    def act(data: Record) -> Answer:
        pool, _error = module._resolve_pool(data.get("UserPoolId"))
        user = module._resolve_user(pool, data.get("Username"))[0] if pool else None
        status = (user or {}).get("UserStatus", "UNCONFIRMED")
        if status != "UNCONFIRMED":
            text = f"User cannot be confirmed. Current status is {status}"
            return module.error_response_json("NotAuthorizedException", text, 400)
        answer = original(data)
        return _told(module, data, "ConfirmSignUp", answer) if answer[0] < 300 else answer

    return act


def _sign_up(module: ModuleType, original: Act) -> Act:
    """Where users may sign up at all; one whom another trigger confirms at sign-up is confirmed there and then."""

    def act(data: Record) -> Answer:
        pool, _ = module._pool_for_client(data.get("ClientId"))
        if ((pool or {}).get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"):
            text = "SignUp is not permitted for this user pool"
            return module.error_response_json("NotAuthorizedException", text, 400)
        answer = original(data)
        if answer[0] >= 300:
            return answer
        user = module._resolve_user(pool, data.get("Username"))[0]
        confirmed = (user or {}).get("UserStatus") == "CONFIRMED"
        return _told(module, data, "ConfirmSignUp", answer) if confirmed else answer

    return act


def _told(module: ModuleType, data: Record, source: str, answer: Answer) -> Answer:
    """Call the pool's function; the answer of the API, or the error that comes of it."""
    pool = module._user_pools.get(data.get("UserPoolId")) if data.get("UserPoolId") else None
    if pool is None:
        pool, _ = module._pool_for_client(data.get("ClientId"))
    arn = ((pool or {}).get("LambdaConfig") or {}).get(_NAME)
    if not arn:
        return answer
    user = module._resolve_user(pool, data.get("Username"))[0]
    event = _event(pool, user, data, source, module._attr_list_to_dict(user["Attributes"]))
    try:
        _call(arn, event, str(pool["Arn"]))
    except _Failed as error:
        return module.error_response_json(error.code, str(error), 400)
    return answer


def _event(
    pool: Record, user: Record, data: Record, source: str, attributes: Mapping[str, Any]
) -> Record:
    request: Record = {
        "userAttributes": {
            **{key: str(value) for key, value in attributes.items()},
            "cognito:user_status": user["UserStatus"],
        }
    }
    if given := data.get("ClientMetadata"):
        request["clientMetadata"] = given
    return {
        "version": "1",
        "region": str(pool["Arn"]).split(":")[3],
        "userPoolId": pool["Id"],
        "userName": user["Username"],
        "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": data.get("ClientId") or _NOBODY,
        },
        "triggerSource": f"{_NAME}_{source}",
        "request": request,
        "response": {},
    }


def _call(arn: str, event: Record, pool_arn: str) -> None:
    """Call the function and judge its answer. Raises _Failed."""
    try:
        record = deliveries.function(arn, "cognito-idp.amazonaws.com", pool_arn)
    except deliveries.Undeliverable as error:
        kind = "AccessDenied" if error.code == "NO_PERMISSIONS" else "ResourceNotFound"
        raise _unexpected(f"{kind}Exception") from None
    for _ in range(_ATTEMPTS):
        result = _within(record, event)
        if result is None or result.get("throttle"):
            continue
        body = result.get("body")
        if result.get("error"):
            text = body.get("errorMessage") if isinstance(body, dict) else body
            raise _Failed("UserLambdaValidationException", f"{_NAME} failed with error {text}.")
        if not isinstance(body, dict):
            raise _Failed("InvalidLambdaResponseException", "Unrecognizable lambda output")
        return
    raise _unexpected("Socket timeout while invoking Lambda function")


def _within(record: Record, event: Record) -> Record | None:
    """The result of a call; None where it takes longer than Cognito waits."""
    from ministack.services import lambda_svc

    found: list[Record] = []

    def call() -> None:
        found.append(lambda_svc._execute_function_with_config_scope(record, event))

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(call,), daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    return found[0] if found else None


def _unexpected(why: str) -> _Failed:
    text = f"{_NAME} invocation failed due to error {why}."
    return _Failed("UnexpectedLambdaException", text)
