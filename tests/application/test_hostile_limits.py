"""Bodies that are too long and tokens that are none: refused by a status of the caller's, whoever refuses."""

from __future__ import annotations

import base64
import hmac
import json
import time
from functools import cache
from typing import Any

import jwt
import pytest

from sandbox.box import Box
from tests.support import hostile
from tests.support.hostile_doors import DOORS, Door, credentials

pytestmark = pytest.mark.usefixtures("clean_logs")

MEGABYTE = 1024 * 1024
# Beyond what Lambda takes for an answer (6 MB), API Gateway for a request (10 MB), and SQS for a message (256 KB).
LONGEST_BODY = 10 * MEGABYTE
SIZES = (256 * 1024 + 1, 6 * MEGABYTE + 1, LONGEST_BODY + 1)
HASHES = {"HS384": "sha384", "HS512": "sha512"}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_body_that_is_too_long_is_refused(box: Box, door: Door, size: int) -> None:
    item = b'{"name": "' + b"x" * size + b'", "price": 1}'
    sent = [("application/json", item), ("text/plain", b"x" * size)]
    # The gateway checks no text; an HTTP API looks at no type.
    sent += [("text/plain", item)] if door.api == "apiUrl" else []
    for content_type, body in sent:
        answer = door.send(box, body, content_type)
        allowed = {413} if size > LONGEST_BODY else {400, 413, 415}
        assert answer.status in allowed, answer.text


@pytest.mark.parametrize("size", [8_000, 10_240, 20_000, 70_000, 200_000])
@pytest.mark.parametrize("path", ["/items", "/items/x", "/notifications"])
def test_a_token_that_is_too_long_is_refused(box: Box, path: str, size: int) -> None:
    method = "POST" if path == "/notifications" else "GET"
    for token in ("x" * size, f"a.{'b' * size}.c"):
        answer = box.http.request(method, path, token=token)
        assert answer.status in {400, 401, 403, 431}, answer.text


def test_the_tokens_below_differ_from_a_good_one_in_one_thing_each(box: Box) -> None:
    good = jwt.encode(_claims(box), **_signature(box))
    assert box.http.get("/items", token=good).status == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody-else"},
        {"iss": None},
        {"iss": ["sandpiper-dev"]},
        {"aud": "another-api"},
        {"aud": None},
        {"aud": []},
        {"aud": {"sandpiper-dev-api": 1}},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"exp": 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": -1},
        {"nbf": 10**10},
        {"nbf": "now"},
        {"iat": 10**10},
    ],
    ids=str,
)
def test_claims_that_are_wrong_open_nothing(box: Box, changed: dict[str, Any]) -> None:
    claims = {k: v for k, v in {**_claims(box), **changed}.items() if v is not None}
    _is_shut(box, _encoded(box, claims, {}))


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "another"},
        {"kid": ""},
        {"kid": "../../../../dev/null"},
        {"kid": "x' OR '1'='1"},
        {"kid": "https://evil.example/key"},
        {"kid": "k" * 4000},
        {"kid": "\x00"},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"jku": "https://evil.example/keys", "kid": "evil"},
        {"x5u": "https://evil.example/certificate", "kid": "evil"},
        {"jwk": {"kty": "oct", "k": "AAAA"}, "kid": "evil"},
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS384"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": "ES256"},
        {"alg": ["HS256"]},
        {"alg": None},
    ],
    ids=str,
)
def test_headers_that_are_wrong_open_nothing(box: Box, header: dict[str, Any]) -> None:
    token = _encoded(box, _claims(box), header)
    _is_shut(box, token)
    _is_shut(box, token.rpartition(".")[0] + ".")


@pytest.mark.parametrize(
    "key", [b"", b"\x00", b"secret", b"null", b"k" * 64, b"-----BEGIN PUBLIC KEY-----\n"], ids=str
)
def test_another_key_opens_nothing(box: Box, key: bytes) -> None:
    _is_shut(box, _encoded(box, _claims(box), {}, key))


@pytest.mark.parametrize(
    "text", [".", "..", "...", "a.b.c", "a.b", "a.b.c.d", "e30.e30.e30", "e30..", "*"]
)
def test_what_is_no_token_opens_nothing(box: Box, text: str) -> None:
    _is_shut(box, text)


def test_credentials_of_one_api_do_not_open_the_other(box: Box) -> None:
    signed, of_pool = (credentials(box, api)["Authorization"] for api in ("apiUrl", "httpApiUrl"))
    assert box.http.get("/items", headers={"Authorization": of_pool}).status in {401, 403}
    products = f"{box.outputs['httpApiUrl']}/products"
    assert box.http.get(products, headers={"Authorization": signed}).status == 401
    assert box.http.get(products, headers={"Authorization": of_pool}).status == 200


def test_naughty_texts_are_no_tokens(box: Box) -> None:
    def asked(text: str) -> list[int]:
        value = hostile.CONTROL.sub("", text.encode().decode("latin-1")).strip()
        headers = {"Authorization": f"Bearer {value}", "x-api-key": value}
        note = box.http.post("/notifications", json={"message": "x"}, headers=headers)
        products = box.http.get(f"{box.outputs['httpApiUrl']}/products", headers=headers)
        return [box.http.get("/items", headers=headers).status, note.status, products.status]

    answers = hostile.all_at_once(asked, hostile.naughty()[::3])
    wrong = [(text, statuses) for text, statuses in answers if not {401, 403} >= set(statuses)]
    assert not wrong, hostile.shown(wrong)


def _is_shut(box: Box, token: str) -> None:
    assert box.http.get("/items", token=token).status in {401, 403}


@cache
def _secret(box: Box) -> dict[str, str]:
    vault = box.client("secretsmanager")
    kept = vault.get_secret_value(SecretId=box.outputs["authSecretArn"])["SecretString"]
    return dict(json.loads(kept))


def _claims(box: Box) -> dict[str, Any]:
    secret, now = _secret(box), int(time.time())
    return {"iss": secret["iss"], "aud": secret["aud"], "sub": "x", "iat": now, "exp": now + 600}


def _signature(box: Box) -> dict[str, Any]:
    secret = _secret(box)
    return {"key": secret["key"], "algorithm": "HS256", "headers": {"kid": secret["kid"]}}


def _encoded(
    box: Box, claims: dict[str, Any], header: dict[str, Any], key: bytes | None = None
) -> str:
    """A token with any header and any claims, which a library would refuse to make; signed by its `alg`, else by HS256."""
    secret = _secret(box)
    whole = {"alg": "HS256", "typ": "JWT", "kid": secret["kid"], **header}
    parts = [_part(json.dumps(each).encode()) for each in (whole, claims)]
    made = ".".join(parts).encode()
    signed = hmac.digest(
        secret["key"].encode() if key is None else key,
        made,
        HASHES.get(str(whole["alg"]), "sha256"),
    )
    return ".".join([*parts, _part(signed)])


def _part(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
