"""Credentials for the program's APIs: its own tokens, access tokens of its user pool, its API key."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox import sign_in
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
    """An access token of the user `subject` in the stack's user pool; who is not there yet is added (see `sign_in`).

    Raises `Mistake` where the stack exports no user pool or no client, or where the user may not sign in.
    """
    pool = _export(exports, _POOL, "there is nobody to sign in")
    client = _export(exports, _CLIENT, "there is nothing to sign in to")
    return sign_in.access_token(aws.client("cognito-idp"), pool, client, subject)


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
