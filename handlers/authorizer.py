"""The API's TOKEN authorizer: verifies a signed JWT and answers with a policy.

Only HS256 with a key from Secrets Manager counts. What a token says about keys (`jku`, `jwk`,
`x5u`) is never followed; `kid` is only compared with the two key ids of the secret, the current and
the previous one.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import Any, NamedTuple

import jwt

from common import aws, logs, secrets, warming

_LONGEST_TOKEN = 8192  # characters; a gateway passes 10,240 bytes of headers
_LONGEST_SUBJECT = 256  # characters
_LEEWAY = 5  # seconds that the clock of who signs may be ahead; an expired token gets none
_BEARER = re.compile(r"Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)", re.IGNORECASE)
_CLAIMS = ("exp", "iat", "iss", "aud", "sub")

aws.prepare("secretsmanager")


class Denied(Exception):
    """The token is refused; the text says why, for the log, and repeats nothing of the token."""


class _Signing(NamedTuple):
    keys: dict[str, str]  # key by kid
    issuer: str
    audience: str


@warming.aware
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """An Allow policy for the whole stage, or a Deny policy (which the gateway answers with 403).

    The gateway caches the answer per token, for every route: a policy for the one route asked for
    would deny the next. Raises when the secret cannot be read, which the gateway answers with 500:
    a Deny would be cached.
    """
    logs.begin(context)
    try:
        subject = _subject(_token(event.get("authorizationToken")))
    except Denied as denied:
        logs.warning("token refused", reason=str(denied))
        return _policy("anonymous", "Deny", event["methodArn"])
    answer = _policy(subject, "Allow", event["methodArn"])
    return {**answer, "context": {"sub": subject}}


def _token(header: object) -> str:
    if not isinstance(header, str) or len(header) > _LONGEST_TOKEN:
        raise Denied("no token of at most 8192 characters")
    bearer = _BEARER.fullmatch(header)
    if bearer is None:
        raise Denied("not a bearer token of three parts")
    return bearer[1]


def _subject(token: str) -> str:
    signing, key = _key(_key_id(token))
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=["HS256"],
            issuer=signing.issuer,
            audience=signing.audience,
            leeway=_LEEWAY,
            options={"require": list(_CLAIMS)},
        )
    except Exception as error:
        # Whatever a token makes the library raise, the token is refused. The exception's text may
        # quote it; the class says enough.
        raise Denied(f"not verified: {type(error).__name__}") from None
    if claims["exp"] <= time.time():
        raise Denied("ExpiredSignatureError")
    subject = claims["sub"]
    if not subject or len(subject) > _LONGEST_SUBJECT or not subject.isprintable():
        raise Denied("sub is not 1 to 256 printable characters")
    return subject


def _key_id(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except Exception as error:
        raise Denied(f"unreadable header: {type(error).__name__}") from None
    if "crit" in header:
        raise Denied("asks for extensions that are not understood")
    if not isinstance(header.get("kid"), str):
        raise Denied("names no key")
    return header["kid"]


def _key(kid: str) -> tuple[_Signing, str]:
    """The key of this id; an unknown one may be newer than the cached secret, so that is asked for
    once more.
    """
    arn = os.environ["AUTH_SECRET_ARN"]
    text: str | None = secrets.get(arn)
    while text is not None:
        signing = _signing(text)
        if kid in signing.keys:
            return signing, signing.keys[kid]
        text = secrets.refetch(arn)
    raise Denied("signed with an unknown key")


def _signing(text: str) -> _Signing:
    """The secret's parts. Raises ValueError or KeyError that quote nothing of it."""
    try:
        secret = json.loads(text)
    except ValueError:
        raise ValueError("the signing secret is not JSON") from None
    pairs = [secret, secret["previous"]] if secret.get("previous") else [secret]
    keys = {str(pair["kid"]): str(pair["key"]) for pair in reversed(pairs)}
    logs.hide(*keys.values())
    return _Signing(keys, str(secret["iss"]), str(secret["aud"]))


def _policy(principal: str, effect: str, method_arn: str) -> dict[str, Any]:
    # arn:aws:execute-api:us-west-2:123456789012:a1b2c3d4e5/dev/GET/items
    api, stage = method_arn.split("/")[:2]
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{api}/{stage}/*/*"}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
