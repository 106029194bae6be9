"""Users of a stack's user pool: added where they are missing, enrolled for a second factor, signed in."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

from sandbox.errors import Mistake

_FACTOR: Final = "SOFTWARE_TOKEN_MFA"
_TRIES: Final = 20
"""Calls at once for one user take its second factor from each other."""
_STEP_MS: Final = 20


def access_token(idp: Any, pool: str, client: str, subject: str) -> str:
    """An access token of the user `subject`; `idp` is a boto3 client of Cognito's user pools.

    The user gets a password of the sandbox's, and loses a second factor, which the sandbox does not know; where the pool
    asks everybody for one, the user gets another one and signs in with it. Raises `Mistake` where the pool refuses.
    """
    settings = idp.describe_user_pool(UserPoolId=pool)["UserPool"]
    user = {"UserPoolId": pool, "Username": _username(settings, subject)}
    password = password_of(user)
    _add(idp, user, subject, password)
    everybody = settings.get("MfaConfiguration") == "ON"
    asked = ""
    for attempt in range(_TRIES):
        # Each waits another while, or they would go on taking the factor from each other.
        time.sleep(attempt * secrets.randbelow(_STEP_MS) / 1000)
        answer = _signed_in(idp, user, client, password, enrolled=everybody)
        if "AuthenticationResult" in answer:
            return str(answer["AuthenticationResult"]["AccessToken"])
        asked = answer["ChallengeName"]
    raise Mistake(f"user {user['Username']} cannot sign in: {asked} is asked for")


def _address(subject: str) -> str:
    return subject if "@" in subject else f"{subject}@example.com"


def _username(settings: Mapping[str, Any], subject: str) -> str:
    """A pool that is signed in to with addresses takes nothing else for a name."""
    return _address(subject) if "email" in settings.get("UsernameAttributes", ()) else subject


def _add(idp: Any, user: Mapping[str, str], subject: str, password: str) -> None:
    """Add the user where it is missing, and give it its password."""
    from botocore.exceptions import ClientError

    attributes = [
        {"Name": "email", "Value": _address(subject)},
        {"Name": "email_verified", "Value": "true"},
    ]
    try:
        idp.admin_create_user(
            **user,
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
            UserAttributes=attributes,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "UsernameExistsException":
            said = error.response["Error"]["Message"]
            raise Mistake(f"user {user['Username']} cannot be added: {said}") from None
    idp.admin_set_user_password(**user, Password=password, Permanent=True)


def password_of(user: Mapping[str, str]) -> str:
    """The user's password in this sandbox; any policy of a pool takes it: all four classes, and 99 characters.

    It is always the same, so that two calls at once do not set it over each other, and guards nothing: whoever reaches
    the sandbox may set passwords.
    """
    mark = hashlib.sha256(f"{user['UserPoolId']} {user['Username']}".encode()).hexdigest()
    return f"Aa0-{mark * 2}"[:99]


def _signed_in(
    idp: Any, user: Mapping[str, str], client: str, password: str, *, enrolled: bool
) -> dict[str, Any]:
    """Tokens, or a challenge that is left; with a new second factor where everybody must be `enrolled`."""
    answer = _sign_in(idp, user, client, password)
    if answer.get("ChallengeName") == _FACTOR:
        idp.admin_set_user_mfa_preference(**user, SoftwareTokenMfaSettings={"Enabled": False})
        answer = _sign_in(idp, user, client, password)
    if "AuthenticationResult" not in answer or not enrolled:
        return answer
    try:
        secret = _enrol(idp, user, answer["AuthenticationResult"]["AccessToken"])
        return _confirm(idp, user, client, _sign_in(idp, user, client, password), secret)
    except (idp.exceptions.CodeMismatchException, idp.exceptions.EnableSoftwareTokenMFAException):
        # Another call enrolled the same user in between.
        return {"ChallengeName": _FACTOR}


def _sign_in(idp: Any, user: Mapping[str, str], client: str, password: str) -> dict[str, Any]:
    """The answer holds tokens, or a challenge. Raises `Mistake` where the sign-in is refused."""
    from botocore.exceptions import ClientError

    try:
        answer: dict[str, Any] = idp.admin_initiate_auth(
            UserPoolId=user["UserPoolId"],
            ClientId=client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user["Username"], "PASSWORD": password},
        )
    except ClientError as error:
        said = error.response["Error"]["Message"]
        raise Mistake(f"user {user['Username']} cannot sign in: {said}") from None
    return answer


def _enrol(idp: Any, user: Mapping[str, str], token: str) -> str:
    """Give the user an authenticator app's factor; its secret."""
    secret = str(idp.associate_software_token(AccessToken=token)["SecretCode"])
    idp.verify_software_token(AccessToken=token, UserCode=one_time_code(secret))
    wanted = {"Enabled": True, "PreferredMfa": True}
    idp.admin_set_user_mfa_preference(**user, SoftwareTokenMfaSettings=wanted)
    return secret


def _confirm(
    idp: Any, user: Mapping[str, str], client: str, asked: dict[str, Any], secret: str
) -> dict[str, Any]:
    """Answer the challenge for a code, where it still is asked for one."""
    if "Session" not in asked:
        return asked
    code = {"USERNAME": user["Username"], "SOFTWARE_TOKEN_MFA_CODE": one_time_code(secret)}
    answer: dict[str, Any] = idp.admin_respond_to_auth_challenge(
        UserPoolId=user["UserPoolId"],
        ClientId=client,
        ChallengeName=_FACTOR,
        ChallengeResponses=code,
        Session=asked["Session"],
    )
    return answer


def one_time_code(secret: str, moment: float | None = None) -> str:
    """What an authenticator app shows for a secret (base32) at a moment, now where it is None.

    Source: RFC 6238 with HMAC-SHA1, steps of 30 seconds and six digits.
    """
    import base64
    import hmac

    step = int((time.time() if moment is None else moment) // 30)
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
