"""Credentials for the program's APIs: its own tokens, access tokens of its user pool, its API key."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.clients import Clients
from sandbox.errors import Mistake
from sandbox.place import HOME

_SIGNING: Final = "authSecretArn"
_POOL: Final = "userPoolId"
_CLIENT: Final = "userPoolClientId"
_KEY: Final = "apiKeyId"

Maker = Callable[[Clients, Mapping[str, Any]], str]


def make(
    aws: Clients, exports: Mapping[str, Any], *, subject: str = "developer", expires: int = 3600
) -> str:
    """A token for `subject`, valid for `expires` seconds, signed with the secret of the export `authSecretArn`.

    Raises `Mistake` where the stack exports no signing secret.
    """
    arn = _export(exports, _SIGNING, "there is nothing to sign a token with")
    secret = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    if str(HOME) not in sys.path:
        sys.path.append(str(HOME))
    return str(
        importlib.import_module("tools.token").make_token(secret, subject=subject, expires=expires)
    )


def cognito(aws: Clients, exports: Mapping[str, Any], *, subject: str = "developer") -> str:
    """An access token of the user `subject` in the stack's user pool; who is not there yet is added.

    The user gets a password of the sandbox's, and loses a second factor, which the sandbox does not know. Raises
    `Mistake` where the stack exports no user pool or no client.
    """
    pool = _export(exports, _POOL, "there is nobody to sign in")
    client = _export(exports, _CLIENT, "there is nothing to sign in to")
    idp = aws.client("cognito-idp")
    settings = idp.describe_user_pool(UserPoolId=pool)["UserPool"]
    user = {"UserPoolId": pool, "Username": _username(settings, subject)}
    password = _password(user)
    _add(idp, user, subject, password)
    answer = _sign_in(idp, user, client, password)
    if answer.get("ChallengeName") == "SOFTWARE_TOKEN_MFA":
        idp.admin_set_user_mfa_preference(**user, SoftwareTokenMfaSettings={"Enabled": False})
        answer = _sign_in(idp, user, client, password)
    if "AuthenticationResult" not in answer:
        raise Mistake(
            f"user {user['Username']} cannot sign in: {answer['ChallengeName']} is asked for"
        )
    return str(answer["AuthenticationResult"]["AccessToken"])


def api_key(aws: Clients, exports: Mapping[str, Any]) -> str:
    """The value of the stack's API key. Raises `Mistake` where the stack exports none."""
    mark = _export(exports, _KEY, "no route asks for a key")
    found = aws.client("apigateway").get_api_key(apiKey=mark, includeValue=True)
    return str(found["value"])


def maker(name: str, scheme: Mapping[str, Any]) -> Maker | None:
    """What makes the value of an OpenAPI security scheme: a token, or an API key; None for others."""
    where = str(scheme.get("name", "")).lower()
    if scheme.get("type") == "apiKey" and where == "x-api-key":
        return api_key
    if scheme.get("type") == "http" and scheme.get("scheme") == "bearer":
        return cognito if "cognito" in name.lower() else make
    return None


def _export(exports: Mapping[str, Any], name: str, otherwise: str) -> str:
    found = exports.get(name)
    if not found:
        raise Mistake(f"this stack exports no {name}: {otherwise}")
    return str(found)


def _address(subject: str) -> str:
    return subject if "@" in subject else f"{subject}@example.com"


def _username(settings: Mapping[str, Any], subject: str) -> str:
    """A pool that is signed in to with addresses takes nothing else for a name."""
    return _address(subject) if "email" in settings.get("UsernameAttributes", ()) else subject


def _add(idp: Any, user: Mapping[str, str], subject: str, password: str) -> None:
    """Add the user where it is missing, and give it the password."""
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


def _password(user: Mapping[str, str]) -> str:
    """The user's password in this sandbox; any policy of a pool takes it: all four classes, and 99 characters.

    It is always the same, so that two calls at once do not set it over each other, and guards nothing: whoever reaches
    the sandbox may set passwords.
    """
    mark = hashlib.sha256(f"{user['UserPoolId']} {user['Username']}".encode()).hexdigest()
    return f"Aa0-{mark * 2}"[:99]


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
