"""Filter expressions of GetTraceSummaries, as far as one writes them by hand.

Source: X-Ray developer guide, "Use filter expressions": keywords (ok, error, fault, throttle, partial, responsetime,
duration, http.*), `service("name")`, `annotation[key]` and `annotation.key`, AND, OR, NOT or `!`, parentheses.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, Final

from sandbox.workers.traces import Document

Test = Callable[[Document], bool]

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\])*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<sign><=|>=|!=|[=<>()!\[\]])"""
    r"""|(?P<word>[A-Za-z_][\w.]*))"""
)
_FLAGS: Final = {
    "error": "HasError",
    "fault": "HasFault",
    "throttle": "HasThrottle",
    "partial": "IsPartial",
}
_FAILED: Final = ("HasError", "HasFault", "HasThrottle")
_NUMBERS: Final = {"duration": "Duration", "responsetime": "ResponseTime"}
_HTTP: Final = {
    "http.url": "HttpURL",
    "http.status": "HttpStatus",
    "http.method": "HttpMethod",
    "http.useragent": "UserAgent",
    "http.clientip": "ClientIp",
}
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "contains": lambda held, part: str(part) in str(held),
    "beginswith": lambda held, part: str(held).startswith(str(part)),
    "endswith": lambda held, part: str(held).endswith(str(part)),
}


class Unread(ValueError):
    """An expression, or a part of one, that is not read here."""


def matcher(expression: str) -> Test:
    """Whether a summary matches. Raises Unread."""
    tokens = _tokens(expression)
    if not tokens:
        return lambda _summary: True
    reader = _Reader(tokens)
    test = reader.either()
    if reader.ahead is not None:
        raise Unread(f"unexpected '{reader.ahead}'")
    return test


def _tokens(expression: str) -> list[str]:
    found, place, text = list[str](), 0, expression.strip()
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise Unread(f"unexpected '{text[place:].strip()[:20]}'")
        found.append(token[0].strip())
        place = token.end()
    return found


class _Reader:
    """Reads tokens from left to right; AND binds closer than OR."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._place = tokens, 0

    @property
    def ahead(self) -> str | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def either(self) -> Test:
        tests = [self._all()]
        while self._takes("or"):
            tests.append(self._all())
        return lambda summary: any(test(summary) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._takes("and"):
            tests.append(self._one())
        return lambda summary: all(test(summary) for test in tests)

    def _one(self) -> Test:
        if self._takes("not") or self._takes("!"):
            inner = self._one()
            return lambda summary: not inner(summary)
        if self._takes("("):
            inner = self.either()
            self._needs(")")
            return inner
        return self._term()

    def _term(self) -> Test:
        word = self._next()
        name = word.lower()
        if name == "ok":
            return self._flag(lambda summary: not any(summary[flag] for flag in _FAILED))
        if name in _FLAGS:
            return self._flag(operator.itemgetter(_FLAGS[name]))
        if name == "service":
            return self._service()
        return self._comparison(self._values(word))

    def _flag(self, test: Test) -> Test:
        wanted = self._next().lower() == "true" if self._takes("=") else True
        return lambda summary: bool(test(summary)) is wanted

    def _service(self) -> Test:
        self._needs("(")
        name = _plain(self._next())
        self._needs(")")
        return lambda summary: any(each["Name"] == name for each in summary["ServiceIds"])

    def _values(self, word: str) -> Callable[[Document], list[Any]]:
        """What a summary holds under a name."""
        name = word.lower()
        if name in _NUMBERS:
            return lambda summary: [summary[_NUMBERS[name]]]
        if name in _HTTP:
            return lambda summary: [v for k, v in summary["Http"].items() if k == _HTTP[name]]
        if name == "annotation":
            self._needs("[")
            key = _plain(self._next())
            self._needs("]")
        elif name.startswith("annotation."):
            key = word.partition(".")[2]
        else:
            raise Unread(f"'{word}' is not read here")
        return lambda summary: [
            next(iter(each["AnnotationValue"].values()))
            for each in summary["Annotations"].get(key, [])
        ]

    def _comparison(self, values: Callable[[Document], list[Any]]) -> Test:
        sign = (self.ahead or "").lower()
        if sign not in _COMPARE:
            return lambda summary: bool(values(summary))
        self._next()
        wanted, compare = _value(self._next()), _COMPARE[sign]
        return lambda summary: any(_holds(compare, held, wanted) for held in values(summary))

    def _takes(self, word: str) -> bool:
        found = self.ahead is not None and self.ahead.lower() == word
        self._place += found
        return found

    def _needs(self, word: str) -> None:
        if not self._takes(word):
            raise Unread(f"'{word}' is missing")

    def _next(self) -> str:
        if self.ahead is None:
            raise Unread("it ends too early")
        self._place += 1
        return self._tokens[self._place - 1]


def _plain(token: str) -> str:
    return token[1:-1].replace('\\"', '"') if token.startswith('"') else token


def _value(token: str) -> Any:
    if token.lower() in ("true", "false"):
        return token.lower() == "true"
    return _plain(token) if token.startswith('"') else _number(token)


def _number(token: str) -> float:
    try:
        return float(token)
    except ValueError:
        raise Unread(f"'{token}' is neither a number nor a text in quotes") from None


def _holds(compare: Callable[[Any, Any], bool], held: Any, wanted: Any) -> bool:
    try:
        return compare(held, wanted)
    except TypeError:
        return False
