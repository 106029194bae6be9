"""No secret and nothing personal gets into a line, wherever it hides."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import logs, redaction

# Some in two pieces, or scanners of repositories would take them for real ones.
CANARIES = {
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl",
    "access key": "AKIA" + "CANARY7EXAMPLE23",
    "secret key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYCANARY7key",
    "e-mail": "canary.bird+seed@birds.example",
    "e-mail of another script": "vogel@käfig.example",
    "card": "4111111111111111",
    "card in groups": "5500 0055 5555 5559",
    "telephone": "+49 (0)30 901820-17",
    "short telephone": "+15550100199",
    "bearer": "Bearer c4n4ry-opaque.token",
    "private key": "-----BEGIN EC PRIVATE KEY-----\nY2FuYXJ5\nY2FuYXJ5\n-----END EC PRIVATE KEY-----",
    "hidden": "canary \"in\" 'quotes' \\ and spaces",
}
NAMES = [
    *("password", "userPassword", "PASSWD", "client_secret", "x-api-key", "apiKey", "accessToken"),
    *("Authorization", "Set-Cookie", "customerEmail", "e-mail", "phone_number", "cardNumber"),
    *("aws_secret_access_key", "X-Amz-Signature", "X-Amz-Security-Token", "privateKey"),
]
UNREMARKABLE = "4 canary birds"  # nothing but its name gives it away


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


WRAPS = {
    "alone": lambda text: text,
    "in a sentence": lambda text: f"he said {text} twice",
    "in brackets": lambda text: f"<{text}>({text})",
    "as JSON": lambda text: json.dumps({"a": [1, {"b": text}]}),
    "as JSON in JSON": lambda text: json.dumps({"a": json.dumps({"b": text})}),
    "as Python": lambda text: repr({"a": text}),
    "as base64": lambda text: base64.b64encode(text.encode()).decode(),
    "as base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "as base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "as base64 of more": lambda text: base64.b64encode(f"id=7; {text}; x".encode()).decode(),
    "as base64 three times": lambda text: _base64(_base64(_base64(text))),
    "in a key": lambda text: f"upload/{base64.b64encode(text.encode()).decode()}",
    "in a URL": lambda text: f"https://example.com/a?to={quote(text)}&n=1",
    "in a URL in JSON": lambda text: json.dumps({"to": quote(text, safe="")}),
    "on a line": lambda text: f"one\n{text}\ntwo",
}


def _values(text: str) -> list[Any]:
    return [text, [text], {"a": {"b": (text, 1)}}, {text: 1}, ValueError(text), text.encode()]


def _raised(text: str) -> Exception:
    """An exception that another one caused, both with the text."""
    try:
        _raise(KeyError(text))
    except KeyError as error:
        cause = error
    try:
        _raise(RuntimeError(f"because of {text}"), cause)
    except RuntimeError as error:
        return error
    raise AssertionError


def _raise(error: Exception, cause: Exception | None = None) -> None:
    raise error from cause


def _logged(capsys: Any, message: str, cause: Exception | None = None, **fields: Any) -> str:
    logs.begin(None)
    logs.error(message, cause=cause, **fields)
    return capsys.readouterr().out


def _forms(text: str) -> list[str]:
    """The text, and as it stands in JSON and Python."""
    quoted = [json.dumps(text)[1:-1], repr(text)[1:-1], quote(text), quote(text, safe="")]
    return [text, *quoted, text.encode().decode("latin-1")]


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("kind", CANARIES)
def test_a_canary_is_found_wherever_it_sits(capsys: Any, kind: str, wrap: str) -> None:
    canary = CANARIES[kind]
    logs.hide(CANARIES["hidden"])
    text = WRAPS[wrap](canary)
    out = _logged(capsys, text, _raised(text))
    for value in _values(text):
        out += _logged(capsys, "x", value=value)
    read = json.dumps([json.loads(line) for line in out.splitlines()], ensure_ascii=False)
    for form in {*_forms(canary), base64.b64encode(canary.encode()).decode().rstrip("=")}:
        assert form not in out
        assert json.dumps(form, ensure_ascii=False)[1:-1] not in read
    assert redaction.HIDDEN in out


@pytest.mark.parametrize("name", NAMES)
def test_what_is_secret_by_its_name_is_blotted_out(capsys: Any, name: str) -> None:
    for value in (UNREMARKABLE, [UNREMARKABLE], {"S": UNREMARKABLE}, 12345678):
        assert json.loads(_logged(capsys, "x", about={name: value}))["about"] == {name: "***"}
    quoted = {name: UNREMARKABLE}
    for text in (
        json.dumps(quoted),
        json.dumps(quoted, separators=(",", ":")),
        json.dumps({"detail": json.dumps(quoted)}),
        repr(quoted),
        base64.b64encode(json.dumps(quoted).encode()).decode(),
    ):
        assert UNREMARKABLE not in _logged(capsys, text, _raised(text))
    for text in (f"{name}=canary-4&a=1", f"{name}: canary-4", f"{name} = canary-4"):
        out = _logged(capsys, text)
        assert "canary" not in out
        assert name in out


@pytest.mark.parametrize("name", ["password", "apiKey", "customerEmail", "Authorization"])
def test_a_text_that_was_cut_has_no_closing_quote(capsys: Any, name: str) -> None:
    long = json.dumps({"id": 7, name: f"Canary birds {'sing' * 400}"})
    for text in (f'{{"{name}": "Canary birds', f"{{'{name}': 'Canary", long[:60], long, long[:-9]):
        out = _logged(capsys, text, _raised(text), about=_base64(text))
        assert "Canary" not in out
        assert _base64(text)[20:60] not in out


@pytest.mark.parametrize("name", ["pass", "PIN", "otp", "sid", "passcode", "session_id"])
def test_short_names_are_secret_as_they_are(capsys: Any, name: str) -> None:
    about = {name: UNREMARKABLE, f"{name}age": UNREMARKABLE}
    line = json.loads(_logged(capsys, "x", about=about))
    assert line["about"] == {name: "***", f"{name}age": UNREMARKABLE}


def test_what_a_pair_calls_secret_is_blotted_out(capsys: Any) -> None:
    pairs = [{"Name": "nickname", "Value": "a"}, {"name": "x-api-key", "value": UNREMARKABLE}]
    line = json.loads(_logged(capsys, "x", about=[*pairs, {"Name": "secret", "Value": 12345678}]))
    assert [p.get("Value", p.get("value")) for p in line["about"]] == ["a", "***", "***"]


def test_a_card_is_found_as_a_number_too(capsys: Any) -> None:
    line = json.loads(_logged(capsys, "x", about={"n": 4111111111111111, "m": 4111111111111112}))
    assert line["about"] == {"n": "***", "m": 4111111111111112}


def test_nothing_known_of_a_secret_that_is_absent_is_hidden(capsys: Any) -> None:
    line = json.loads(_logged(capsys, "x", about={"token": None, "hasPassword": True}))
    assert line["about"] == {"token": None, "hasPassword": True}


PLAIN = [
    "request answered",
    "5f0e6c1a-3b7d-4a52-8e1f-9c2d4b6a8e01",
    "arn:aws:secretsmanager:us-west-2:123456789012:secret:auth",
    "User is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:x",
    "ExpiredTokenException: The security token included in the request is expired",
    "d41d8cd98f00b204e9800998ecf8427e",
    "2026-11-21T21:53:42.123Z",
    "2026-11-21T21:53:42+0000",
    "https://abc123.execute-api.us-west-2.amazonaws.com/dev/items?limit=10",
    "uploads/2026/11/holiday pictures/IMG_20261121_215342.jpg",
    "shard shardId-000000000006 at 49590338271490256608559692538361571095921575989136588898",
    "1-5759e988-bd862e3fe1be46a994272793",
    "1795298949413 ms since 1970, 1234567890123456 of them",
    "/aws/lambda/sandpiper-dev-create-item",
    "4111111111111112 is no card, 4242 is none",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "uploads/some/folder/within/another/ABCDE",
    "NoSuchKey: The specified key does not exist.",
    "90% of 100%, %s and %d, 50%off",
    "price 1e+12345678 of 3+4",
    "JKJaXmPLvHcESHA=",
    "null, true, 1.5, [], {}",
]


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_secret_stays_readable(capsys: Any, text: str) -> None:
    line = json.loads(_logged(capsys, text, value=text, about={"count": 1_795_298_949_413}))
    assert (line["message"], line["value"]) == (text, text)
    assert line["about"] == {"count": 1_795_298_949_413}


_AROUND = st.text(st.sampled_from(" ,;:()<>[]{}\n\t'\"abcxyz019äß漢"), max_size=20)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(CANARIES)), _AROUND, _AROUND, st.lists(st.sampled_from(sorted(WRAPS)))
)
def test_neither_text_around_it_nor_wrapping_helps_a_canary(
    kind: str, before: str, after: str, wraps: list[str]
) -> None:
    canary = CANARIES[kind]
    text = f"{before} {canary} {after}"
    for wrap in wraps[:2]:
        text = WRAPS[wrap](text)
    cleaned = redaction.clean_text(text, _forms(CANARIES["hidden"]))
    for form in _forms(canary):
        assert form not in cleaned
        assert base64.b64encode(form.encode()).decode().rstrip("=") not in cleaned


@pytest.mark.parametrize("kind", [kind for kind in CANARIES if kind != "private key"])
def test_a_cut_does_not_leave_half_a_secret(kind: str) -> None:
    canary = CANARIES[kind]
    for left in (1, len(canary) // 2, len(canary) - 1):
        filler = "word " * (redaction.LONGEST_TEXT // 5 + 1)
        text = filler[: redaction.LONGEST_TEXT - left - 1] + " " + canary + " " + filler
        cleaned = redaction.clean_text(text, [CANARIES["hidden"]])
        assert canary[: max(left, 4)] not in cleaned
        assert cleaned.endswith(f"... ({len(text)} characters)")


HOSTILE = {
    "words": "a" * 1_000_000,
    "names": "password=" * 100_000,
    "open quotes": 'token="' * 100_000,
    "digits": "4111 " * 200_000,
    "base64": "QUJD" * 250_000,
    "nested base64": base64.b64encode(base64.b64encode(b"QUJD" * 9_000)).decode() * 20,
    "dots before no at": "a.b+c-" * 160_000,
    "ats": "a@" * 500_000,
    "tokens": "eyJ" * 330_000,
    "keys": "-----BEGIN PRIVATE KEY-----" * 37_000,
    "slashes": "a/" * 500_000,
    "percents": "%25" * 300_000 + "%",
    "quoted bytes": "\\x2" * 300_000,
    "backslashes": "\\" * 1_000_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_costs_little(kind: str) -> None:
    started = time.thread_time()
    cleaned = redaction.clean_text(HOSTILE[kind])
    assert time.thread_time() - started < 0.25  # seconds; some hundredths where nobody disturbs
    assert len(cleaned) < redaction.LONGEST_TEXT + 100


def test_a_line_is_bounded_however_large_its_value(capsys: Any) -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    wide = [{f"name {n}": "word " * 1000} for n in range(5000)]
    started = time.thread_time()
    out = _logged(capsys, "x", deep=deep, wide=wide, more=list(range(100_000)))
    assert time.thread_time() - started < 1
    assert len(out) < 4 * redaction.MOST_TEXT
    assert json.loads(out)["message"] == "x"


def test_a_value_that_cannot_be_told_does_not_cost_the_line(capsys: Any) -> None:
    class Silent:
        def __str__(self) -> str:
            raise RuntimeError("canary")

    line = json.loads(_logged(capsys, "x", value=Silent(), cause=None))
    assert line["value"] == "(RuntimeError)"
