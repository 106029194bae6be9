"""The authorizer: one kind of token is let in, everything else is denied, and nothing is logged
that could be replayed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import authorizer
import jwt
import pytest

from common import secrets
from tests.handlers.fakes import AwsError
from tools.token import make_token

_SECRET = {
    "kid": "2025-11",
    "key": "canary-signing-key-0123456789-0123456789-0123456789-0123456789-xyz",
    "iss": "https://sandpiper.example",
    "aud": "sandpiper-api",
}
_OLD = {"kid": "2025-10", "key": "previous-signing-key-0123456789-0123456789-0123456789-0123456789"}
_FOREIGN = "another-signing-key-0123456789-0123456789-0123456789-0123456789-012"


@pytest.fixture
def secret(aws: Any) -> dict[str, Any]:
    """What Secrets Manager holds; a test may change it."""
    held: dict[str, Any] = dict(_SECRET)
    aws.on("GetSecretValue", lambda _: {"SecretString": json.dumps(held)})
    return held


@pytest.fixture
def authorize(event: Any, context: Any, secret: dict[str, Any]) -> Any:
    def ask(header: Any) -> dict[str, Any]:
        answer = authorizer.handler(event("authorizer") | {"authorizationToken": header}, context)
        json.dumps(answer)
        return answer

    return ask


@pytest.fixture
def connect(event: Any, context: Any, secret: dict[str, Any]) -> Any:
    """`connect({"Authorization": ...}, token=...)`: the answer for a WebSocket that opens."""

    def ask(headers: Any = None, **query: Any) -> dict[str, Any]:
        asked = event("authorizer_socket") | {"headers": headers, "queryStringParameters": query}
        answer = authorizer.handler(asked, context)
        json.dumps(answer)
        return answer

    return ask


@pytest.fixture
def ask_http(event: Any, context: Any, secret: dict[str, Any]) -> Any:
    """The answer to an HTTP API that passes these headers on."""

    def ask(headers: Any) -> dict[str, Any]:
        return authorizer.handler(event("authorizer_http_api") | {"headers": headers}, context)

    return ask


def _effect(answer: dict[str, Any]) -> str:
    return answer["policyDocument"]["Statement"][0]["Effect"]


def _claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": _SECRET["iss"],
        "aud": _SECRET["aud"],
        "sub": "me",
        "iat": now,
        "exp": now + 60,
    }
    return {name: value for name, value in (claims | changes).items() if value is not ...}


def _part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signed(
    claims: Any, *, key: str = _SECRET["key"], digest: Any = hashlib.sha256, **header: Any
) -> str:
    """A token signed by hand: PyJWT refuses to make most of these."""
    head = {"alg": "HS256", "typ": "JWT", "kid": _SECRET["kid"]} | header
    text = f"{_part({n: v for n, v in head.items() if v is not ...})}.{_part(claims)}"
    return f"{text}.{_part(hmac.digest(key.encode(), text.encode(), digest))}"


def test_a_good_token_allows_the_whole_stage(authorize: Any) -> None:
    answer = authorize(f"Bearer {make_token(_SECRET, subject='ada')}")
    (statement,) = answer["policyDocument"].pop("Statement")
    assert statement == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": "arn:aws:execute-api:us-west-2:123456789012:a1b2c3d4e5/dev/*/*",
    }
    assert answer.pop("policyDocument") == {"Version": "2012-10-17"}
    assert answer == {"principalId": "ada", "context": {"sub": "ada"}}


def test_a_bad_token_is_denied_for_the_whole_stage_without_a_name(authorize: Any) -> None:
    answer = authorize("Bearer a.b.c")
    assert (answer["principalId"], _effect(answer)) == ("anonymous", "Deny")
    assert answer["policyDocument"]["Statement"][0]["Resource"].endswith("/dev/*/*")
    assert "context" not in answer


def test_a_token_signed_by_hand_is_as_good_so_the_refusals_below_mean_something(
    authorize: Any,
) -> None:
    assert _effect(authorize(f"Bearer {_signed(_claims())}")) == "Allow"
    assert _effect(authorize(f"bearer  {_signed(_claims())}")) == "Allow"


def test_a_key_url_in_the_header_is_ignored_and_never_followed(authorize: Any) -> None:
    # The suite's sockets are closed: following one would fail.
    header = {"jku": "http://169.254.169.254/keys", "jwk": {"kty": "oct", "k": "AAAA"}, "x5u": "x"}
    assert _effect(authorize(f"Bearer {_signed(_claims(), **header)}")) == "Allow"
    forged = _signed(_claims(), key=_FOREIGN, **header)
    assert _effect(authorize(f"Bearer {forged}")) == "Deny"


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "Bearer", "Bearer ", "Basic dTpw", "Token a.b.c", "Bearer a.b", 7, []),
        *("Bearer ..", "Bearer a..c", "Bearer é.é.é", "Bearer \u017f.b.c", "Bearer a.b.c.d"),
        *("Bearer\ta.b.c", "a.b.c", "Bearer " + "a." * 5000, "Bearer \x00.\x00.\x00"),
        "Bearer a.b.c\r\nX: y",
    ],
)
def test_a_header_that_is_no_bearer_token_is_denied(authorize: Any, aws: Any, header: Any) -> None:
    assert _effect(authorize(header)) == "Deny"
    assert aws.calls == []


_BAD_HEADERS = {
    "no algorithm": {"alg": "none"},
    "NONE in capitals": {"alg": "NONE"},
    "an algorithm that is missing": {"alg": ...},
    "an algorithm that is a number": {"alg": 256},
    "HS384 with the right key": {"alg": "HS384", "digest": hashlib.sha384},
    "HS512 with the right key": {"alg": "HS512", "digest": hashlib.sha512},
    "RS256": {"alg": "RS256"},
    "hs256 in small letters": {"alg": "hs256"},
    "no key id": {"kid": ...},
    "a key id that is null": {"kid": None},
    "a key id that is a number": {"kid": 1},
    "a key id that is a list": {"kid": ["2025-11"]},
    "a key id that is a path": {"kid": "../../../dev/null"},
    "a key id that is SQL": {"kid": "x' UNION SELECT 'key"},
    "a key id that is a URL": {"kid": "http://169.254.170.2/"},
    "an empty key id": {"kid": ""},
    "a critical extension": {"crit": ["exp"]},
    "an unencoded payload": {"b64": False, "crit": ["b64"]},
    "a critical extension that the library knows": {"b64": True, "crit": ["b64"]},
    "somebody else's key": {"key": _FOREIGN},
    "an empty key": {"key": ""},
}


@pytest.mark.parametrize("odd", _BAD_HEADERS.values(), ids=_BAD_HEADERS)
def test_a_token_with_a_wrong_header_or_key_is_denied(authorize: Any, odd: dict[str, Any]) -> None:
    assert _effect(authorize(f"Bearer {_signed(_claims(), **odd)}")) == "Deny"


_NOW = int(time.time())
_BAD_CLAIMS = {
    "expired": {"exp": _NOW - 60},
    "no expiry": {"exp": ...},
    "an expiry that is text": {"exp": "later"},
    "an endless expiry": {"exp": float("inf")},
    "an expiry that is nothing": {"exp": None},
    "not yet valid": {"nbf": _NOW + 600},
    "issued in the future": {"iat": _NOW + 600},
    "no time of issue": {"iat": ...},
    "a wrong audience": {"aud": "other-api"},
    "no audience": {"aud": ...},
    "an audience that is a number": {"aud": 1},
    "a wrong issuer": {"iss": "https://elsewhere.example"},
    "no issuer": {"iss": ...},
    "an issuer that is a list": {"iss": [_SECRET["iss"]]},
    "no subject": {"sub": ...},
    "an empty subject": {"sub": ""},
    "a subject that is a number": {"sub": 1},
    "a subject that is a map": {"sub": {"$ne": ""}},
    "a subject with a line break": {"sub": "me\r\nadmin"},
    "a subject of 257 characters": {"sub": "x" * 257},
}


@pytest.mark.parametrize("odd", _BAD_CLAIMS.values(), ids=_BAD_CLAIMS)
def test_a_token_with_wrong_claims_is_denied(authorize: Any, odd: dict[str, Any]) -> None:
    assert _effect(authorize(f"Bearer {_signed(_claims(**odd))}")) == "Deny"


@pytest.mark.parametrize(
    "claims", [[], "text", None, b"\xff\xfe", b"", b"[" * 3000, b'{"exp":1e999}', b'{"exp":']
)
def test_a_payload_that_is_no_object_is_denied(authorize: Any, claims: Any) -> None:
    assert _effect(authorize(f"Bearer {_signed(claims)}")) == "Deny"


@pytest.mark.parametrize("head", [[], "text", None, b"\xff", b"[" * 3000, b'{"alg":'])
def test_a_header_that_is_no_object_is_denied(authorize: Any, head: Any) -> None:
    assert _effect(authorize(f"Bearer {_part(head)}.{_part(_claims())}.c2ln")) == "Deny"


def test_an_unsigned_token_is_denied(authorize: Any) -> None:
    unsigned = jwt.encode(_claims(), None, algorithm="none", headers={"kid": _SECRET["kid"]})
    assert _effect(authorize(f"Bearer {unsigned}")) == "Deny"
    assert _effect(authorize(f"Bearer {unsigned}c2ln")) == "Deny"


def test_a_good_token_of_10_kilobytes_is_denied_unread(authorize: Any, aws: Any) -> None:
    token = _signed(_claims(padding="x" * 10_000))
    assert _effect(authorize(f"Bearer {token}")) == "Deny"
    assert aws.calls == []


@pytest.mark.parametrize("error", [RecursionError, OverflowError, AttributeError, jwt.PyJWTError])
@pytest.mark.parametrize("step", ["decode", "get_unverified_header"])
def test_whatever_a_token_makes_the_library_raise_it_is_denied(
    authorize: Any, monkeypatch: pytest.MonkeyPatch, step: str, error: type[Exception]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(jwt, step, fail)
    assert _effect(authorize(f"Bearer {make_token(_SECRET)}")) == "Deny"


def test_a_changed_payload_is_denied(authorize: Any) -> None:
    head, _, signature = _signed(_claims()).split(".")
    forged = f"{head}.{_part(_claims(sub='admin'))}.{signature}"
    assert _effect(authorize(f"Bearer {forged}")) == "Deny"


def test_the_signers_clock_may_be_ahead_by_a_few_seconds(authorize: Any) -> None:
    now = int(time.time())
    assert _effect(authorize(f"Bearer {_signed(_claims(iat=now + 2))}")) == "Allow"


def test_an_expired_token_gets_no_leeway(authorize: Any) -> None:
    now = int(time.time())
    assert _effect(authorize(f"Bearer {_signed(_claims(exp=now - 1, iat=now - 9))}")) == "Deny"


def test_the_previous_key_still_verifies_while_the_secret_names_it(
    authorize: Any, secret: dict[str, Any]
) -> None:
    token = f"Bearer {make_token(_SECRET | _OLD)}"
    assert _effect(authorize(token)) == "Deny"
    secret["previous"] = _OLD
    secrets._cache.clear()
    assert _effect(authorize(token)) == "Allow"
    assert _effect(authorize(f"Bearer {make_token(_SECRET)}")) == "Allow"


def test_the_current_key_wins_when_both_carry_one_id(
    authorize: Any, secret: dict[str, Any]
) -> None:
    secret["previous"] = {"kid": _SECRET["kid"], "key": _FOREIGN}
    assert _effect(authorize(f"Bearer {make_token(_SECRET)}")) == "Allow"
    assert _effect(authorize(f"Bearer {_signed(_claims(), key=_FOREIGN)}")) == "Deny"


def test_a_rotated_key_is_fetched_at_its_first_token(
    authorize: Any, secret: dict[str, Any], aws: Any
) -> None:
    assert _effect(authorize(f"Bearer {make_token(_SECRET)}")) == "Allow"
    secret.update(kid="2025-12", key=_FOREIGN)
    assert _effect(authorize(f"Bearer {make_token(secret)}")) == "Allow"
    assert len(aws.calls) == 2


def test_invented_key_ids_do_not_become_calls(authorize: Any, aws: Any) -> None:
    for number in range(20):
        assert _effect(authorize(f"Bearer {_signed(_claims(), kid=f'k{number}')}")) == "Deny"
    assert len(aws.calls) == 2  # the first read, and one early refetch


def test_an_unreadable_secret_raises_instead_of_denying(authorize: Any, aws: Any) -> None:
    aws.fail("GetSecretValue", AwsError("AccessDeniedException"))
    with pytest.raises(Exception, match="AccessDenied"):
        authorize(f"Bearer {make_token(_SECRET)}")


def test_a_malformed_secret_raises_without_quoting_it(authorize: Any, aws: Any) -> None:
    aws.on("GetSecretValue", lambda _: {"SecretString": "canary, not json"})
    with pytest.raises(ValueError, match="the signing secret is not JSON") as raised:
        authorize(f"Bearer {make_token(_SECRET)}")
    assert "canary" not in str(raised.value)


def test_neither_key_nor_token_reaches_the_log(
    authorize: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = [make_token(_SECRET), _signed(_claims(exp=1)), _signed(_claims(), kid="unknown")]
    for token in tokens:
        authorize(f"Bearer {token}")
    logged = capsys.readouterr()
    assert logged.out.count("token refused") == 2
    for token in tokens:
        for part in token.split("."):
            assert part not in logged.out + logged.err
    assert _SECRET["key"] not in logged.out + logged.err


_SOCKET = "arn:aws:execute-api:us-west-2:123456789012:w1s2o3c4k5/dev/$connect"


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_a_websocket_opens_for_a_good_token_in_its_header(connect: Any, name: str) -> None:
    answer = connect({"Host": "h", name: f"Bearer {make_token(_SECRET, subject='ada')}"})
    # `stage/*/*` would not match a WebSocket's `stage/$connect`.
    assert answer["policyDocument"]["Statement"] == [
        {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": _SOCKET}
    ]
    assert (answer["principalId"], answer["context"]) == ("ada", {"sub": "ada"})


@pytest.mark.parametrize("headers", [{}, None, {"Host": "h"}])
def test_a_websocket_opens_for_a_good_token_in_its_address(connect: Any, headers: Any) -> None:
    answer = connect(headers, token=make_token(_SECRET))
    assert _effect(answer) == "Allow"


def test_a_header_counts_before_the_address(connect: Any) -> None:
    bad = {"authorization": "Bearer a.b.c"}
    assert _effect(connect(bad, token=make_token(_SECRET))) == "Deny"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"token": ""},
        {"token": None},
        {"token": "Bearer a.b.c"},
        {"token": ["a"]},
        {"Token": "a.b.c"},
    ],
)
def test_a_websocket_without_a_good_token_is_denied(connect: Any, query: Any) -> None:
    answer = connect({}, **query)
    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Deny", _SOCKET)


@pytest.mark.parametrize("odd", _BAD_HEADERS.values(), ids=_BAD_HEADERS)
def test_what_a_rest_route_refuses_a_websocket_and_an_http_api_refuse_too(
    connect: Any, ask_http: Any, odd: dict[str, Any]
) -> None:
    token = _signed(_claims(), **odd)
    assert _effect(connect({}, token=token)) == "Deny"
    assert ask_http({"authorization": f"Bearer {token}"}) == {"isAuthorized": False, "context": {}}


def test_query_parameters_that_are_null_count_as_none(
    event: Any, context: Any, secret: Any
) -> None:
    asked = event("authorizer_socket") | {"headers": None, "queryStringParameters": None}
    assert _effect(authorizer.handler(asked, context)) == "Deny"


@pytest.mark.parametrize("path", ["GET/items", "GET/$connect", "GET/a/$connect"])
def test_a_token_in_the_address_counts_for_websockets_only(
    event: Any, context: Any, secret: Any, path: str
) -> None:
    arn = f"arn:aws:execute-api:us-west-2:123456789012:a1b2c3d4e5/dev/{path}"
    asked = event("authorizer_socket") | {"methodArn": arn, "headers": {}}
    asked["queryStringParameters"] = {"token": make_token(_SECRET)}
    assert _effect(authorizer.handler(asked, context)) == "Deny"


def test_a_rest_route_may_pass_the_whole_request(event: Any, context: Any, secret: Any) -> None:
    arn = "arn:aws:execute-api:us-west-2:123456789012:a1b2c3d4e5/dev/GET/items"
    asked = event("authorizer_socket") | {"methodArn": arn}
    asked["headers"] = {"authorization": f"Bearer {make_token(_SECRET)}"}
    (statement,) = authorizer.handler(asked, context)["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"]) == (
        "Allow",
        "arn:aws:execute-api:us-west-2:123456789012:a1b2c3d4e5/dev/*/*",
    )


def test_an_http_api_gets_a_simple_answer(ask_http: Any) -> None:
    token = make_token(_SECRET, subject="ada")
    expected = {"isAuthorized": True, "context": {"sub": "ada"}}
    assert ask_http({"authorization": f"Bearer {token}"}) == expected


@pytest.mark.parametrize("headers", [{}, None, {"authorization": "Basic dTpw"}, {"cookie": "a=b"}])
def test_an_http_api_without_a_token_is_told_no(ask_http: Any, headers: Any) -> None:
    assert ask_http(headers) == {"isAuthorized": False, "context": {}}


@pytest.mark.parametrize(
    "scope", ["cache:invalidate", "items:read cache:invalidate", "cache:invalidate a"]
)
def test_the_scope_for_it_may_have_cached_answers_made_anew(authorize: Any, scope: str) -> None:
    answer = authorize(f"Bearer {_signed(_claims(scope=scope))}")
    assert answer["policyDocument"]["Statement"][1:] == [
        {
            "Action": "execute-api:InvalidateCache",
            "Effect": "Allow",
            "Resource": "arn:aws:execute-api:us-west-2:123456789012:a1b2c3d4e5/dev/GET/*",
        }
    ]


@pytest.mark.parametrize(
    "scope",
    [..., "", "cache", "cache:invalidate:not", "xcache:invalidate", None, 7, ["cache:invalidate"]],
)
def test_no_other_scope_may(authorize: Any, scope: Any) -> None:
    answer = authorize(f"Bearer {_signed(_claims(scope=scope))}")
    assert len(answer["policyDocument"]["Statement"]) == 1


def test_a_websocket_has_no_cache_to_be_made_anew(connect: Any) -> None:
    answer = connect({}, token=_signed(_claims(scope="cache:invalidate")))
    assert len(answer["policyDocument"]["Statement"]) == 1


@pytest.mark.parametrize("name", ["authorizer_http_api", "authorizer_socket"])
def test_a_request_is_named_as_the_function_behind_will_name_it(
    event: Any, context: Any, secret: Any, lines: Any, name: str
) -> None:
    asked = event(name) | {"headers": {}}
    asked["requestContext"]["requestId"] = "gateway-1"
    authorizer.handler(asked, context)
    authorizer.handler(asked | {"headers": {"x-correlation-id": "mine"}}, context)
    names = [line["correlation_id"] for line in lines()]
    assert names == ["gateway-1", "mine"]
