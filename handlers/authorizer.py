"""The authorizer of the REST API (TOKEN), the WebSocket (REQUEST at $connect) and of routes of the
HTTP API (REQUEST, payload format 2.0): verifies a signed JWT, and answers as who asks understands.

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
from common.http import Request
from common.records import ForeignEventError, kind

_LONGEST_TOKEN = 8192  # characters; a gateway passes 10,240 bytes of headers
_LONGEST_SUBJECT = 256  # characters
_LEEWAY = 5  # seconds that the clock of who signs may be ahead; an expired token gets none
_BEARER = re.compile(r"Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)", re.IGNORECASE)
_INVALIDATION = "cache:invalidate"  # the scope that may have cached answers made anew
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
    """Whether the caller may go on, and who it is: a policy, or `isAuthorized` for an HTTP API. A
    Deny policy is answered with 403 by the gateway.

    Raises when the secret cannot be read, which the gateway answers with 500: a Deny would be
    cached.
    """
    # Of a request's own id, a TOKEN event says nothing.
    logs.begin(context, correlation_id=Request(event, context).correlation_id)
    http_api = event.get("version") == "2.0" and event.get("type") == "REQUEST"
    if not http_api and not isinstance(event.get("methodArn"), str):
        raise ForeignEventError(
            f"this function takes requests for authorisation, not {kind(event)}"
        )
    try:
        claims = _verified(_token(_credentials(event)))
    except Denied as denied:
        logs.warning("token refused", reason=str(denied))
        if http_api:
            return {"isAuthorized": False, "context": {}}
        return _policy("anonymous", _statement("Deny", event["methodArn"]))
    subject = claims["sub"]
    if http_api:
        return {"isAuthorized": True, "context": {"sub": subject}}
    arn = event["methodArn"]
    statements = [_statement("Allow", arn)]
    if not _opens_socket(arn) and _INVALIDATION in str(claims.get("scope", "")).split():
        statements.append(_invalidation(arn))
    return {**_policy(subject, *statements), "context": {"sub": subject}}


def _credentials(event: dict[str, Any]) -> object:
    """The Authorization header's value, wherever the event has it.

    Browsers cannot set a header of a WebSocket: only there `?token=` counts instead, for an address
    is written down in more places than a header is.
    """
    if "authorizationToken" in event:
        return event["authorizationToken"]
    for name, value in (event.get("headers") or {}).items():
        if name.lower() == "authorization":
            return value
    if not _opens_socket(event.get("methodArn", "")):
        return None
    token = (event.get("queryStringParameters") or {}).get("token")
    return f"Bearer {token}"


def _token(header: object) -> str:
    if not isinstance(header, str) or len(header) > _LONGEST_TOKEN:
        raise Denied("no token of at most 8192 characters")
    bearer = _BEARER.fullmatch(header)
    if bearer is None:
        raise Denied("not a bearer token of three parts")
    return bearer[1]


def _verified(token: str) -> dict[str, Any]:
    """The claims of a token that is good, with a `sub` that may be logged."""
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
    return claims


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


def _statement(effect: str, method_arn: str) -> dict[str, Any]:
    """The right to the whole stage: the gateway caches the answer per token, for every route, and a
    policy for the one route asked for would deny the next. A WebSocket asks once, at $connect.
    """
    whole = method_arn if _opens_socket(method_arn) else f"{_stage(method_arn)}/*/*"
    return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": whole}


def _invalidation(method_arn: str) -> dict[str, Any]:
    """The right to have a cached answer made anew (`Cache-Control: max-age=0`); only those of GET
    are cached.
    """
    resource = f"{_stage(method_arn)}/GET/*"
    return {"Action": "execute-api:InvalidateCache", "Effect": "Allow", "Resource": resource}


def _opens_socket(method_arn: str) -> bool:
    # arn:aws:execute-api:us-west-2:123456789012:w1x2y3z4a5/dev/$connect
    return method_arn.split("/")[2:] == ["$connect"]


def _stage(method_arn: str) -> str:
    # arn:aws:execute-api:us-west-2:123456789012:a1b2c3d4e5/dev/GET/items
    return "/".join(method_arn.split("/", 2)[:2])


def _policy(principal: str, *statements: dict[str, Any]) -> dict[str, Any]:
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
    }
