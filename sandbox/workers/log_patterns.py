"""Filter patterns of CloudWatch Logs, over one log event: words, phrases, and conditions on the fields of JSON.

Source: CloudWatch Logs user guide, "Filter pattern syntax". Patterns over fields in brackets (`[ip, user, ...]`) are not
read: `Unread` is raised for them, and for what is no pattern at all.
"""

import fnmatch
import functools
import json
import operator
import re
from collections.abc import Callable
from typing import Any, Final

Matches = Callable[[str], bool]
Holds = Callable[[Any], bool]

_WORD: Final = re.compile(r'([-?]?)(?:"((?:\\.|[^"\\])*)"|%([^%]*)%|([^\s"]+))')
_TOKEN: Final = re.compile(
    r'\s*(?:(&&|\|\||[()]|!=|<=|>=|=|<|>)|(\$(?:\.[\w-]+|\[[^\]]*\])*)|"((?:\\.|[^"\\])*)"|%([^%]*)%|([^\s()=<>!&|"]+))'
)
_ORDER: Final = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_STATES: Final = {"TRUE": True, "FALSE": False, "NULL": None}
_NOTHING: Final = object()


class Unread(ValueError):
    """A pattern that is not read here."""


@functools.lru_cache(maxsize=256)
def matcher(pattern: str) -> Matches:
    """Whether a message matches, as a function. Raises Unread."""
    text = pattern.strip()
    if not text:
        return lambda _message: True
    if text.startswith("["):
        raise Unread(f"a pattern over fields in brackets: {text}")
    return _fields(text) if text.startswith("{") else _words(text)


def _words(text: str) -> Matches:
    """All words must be there, none of those with a minus, and one of those with a question mark."""
    wanted: dict[str, list[Matches]] = {"": [], "-": [], "?": []}
    for sign, phrase, expression, word in _WORD.findall(text):
        wanted[sign].append(_regular(expression) if expression else _contains(phrase or word))

    def matches(message: str) -> bool:
        return (
            all(each(message) for each in wanted[""])
            and not any(each(message) for each in wanted["-"])
            and (not wanted["?"] or any(each(message) for each in wanted["?"]))
        )

    return matches


def _contains(word: str) -> Matches:
    plain = re.sub(r"\\(.)", r"\1", word)
    return lambda message: plain in message


def _regular(expression: str) -> Matches:
    compiled = re.compile(expression)
    return lambda message: compiled.search(message) is not None


def _fields(text: str) -> Matches:
    if not text.endswith("}"):
        raise Unread(f"no closing brace: {text}")
    holds = _Conditions(text[1:-1]).whole()

    def matches(message: str) -> bool:
        try:
            return holds(json.loads(message))
        except (ValueError, RecursionError):
            return False

    return matches


class _Conditions:
    """A reader of `$.level = "ERROR" && ($.size > 5 || $.name NOT EXISTS)`."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, ...]] = []
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if not found:
                raise Unread(f"not understood: {text[place:]}")
            self._tokens.append(found.groups(default=""))
            place = found.end()

    def whole(self) -> Holds:
        holds = self._any()
        if self._tokens:
            raise Unread(f"not understood: {''.join(self._tokens[0])}")
        return holds

    def _take(self, *marks: str) -> bool:
        if self._tokens and self._tokens[0][0] in marks:
            self._tokens.pop(0)
            return True
        return False

    def _any(self) -> Holds:
        parts = [self._all()]
        while self._take("||"):
            parts.append(self._all())
        return lambda entry: any(part(entry) for part in parts)

    def _all(self) -> Holds:
        parts = [self._one()]
        while self._take("&&"):
            parts.append(self._one())
        return lambda entry: all(part(entry) for part in parts)

    def _one(self) -> Holds:
        if self._take("("):
            inner = self._any()
            if not self._take(")"):
                raise Unread("no closing parenthesis")
            return inner
        _mark, selector, *_ = self._next()
        if not selector:
            raise Unread("a condition begins with a field, $.name")
        sign, _, _, _, word = self._next()
        if sign:
            return _compared(_path(selector), sign, self._next())
        return self._state(_path(selector), word.upper())

    def _state(self, path: list[str], word: str) -> Holds:
        _, _, _, _, second = self._next()
        if (word, second.upper()) == ("NOT", "EXISTS"):
            return lambda entry: _at(entry, path) is _NOTHING
        if word == "IS" and second.upper() in _STATES:
            wanted = _STATES[second.upper()]
            return lambda entry: _at(entry, path) is wanted
        raise Unread(f"not understood: {word} {second}")

    def _next(self) -> tuple[str, ...]:
        if not self._tokens:
            raise Unread("the pattern ends too early")
        return self._tokens.pop(0)


def _compared(path: list[str], sign: str, token: tuple[str, ...]) -> Holds:
    _, _, phrase, expression, word = token
    if sign in _ORDER:
        limit, order = _number(word), _ORDER[sign]
        if limit is None:
            raise Unread(f"{sign} wants a number")
        return lambda entry: _ordered(order, _at(entry, path), limit)
    equal = _equals(phrase, expression, word)
    if sign == "=":
        return lambda entry: equal(_at(entry, path))
    return lambda entry: (found := _at(entry, path)) is not _NOTHING and not equal(found)


def _ordered(order: Callable[[Any, Any], bool], found: Any, limit: float) -> bool:
    return _is_number(found) and order(found, limit)


def _is_number(found: Any) -> bool:
    return isinstance(found, (int, float)) and not isinstance(found, bool)


def _equals(phrase: str, expression: str, word: str) -> Holds:
    if expression:
        compiled = re.compile(expression)
        return lambda found: isinstance(found, str) and compiled.search(found) is not None
    number = _number(word)
    if number is not None:
        return lambda found: found == number if _is_number(found) else found == word
    # Only the asterisk is a wildcard.
    glob = re.sub(r"\\(.)", r"\1", phrase or word).replace("[", "[[]").replace("?", "[?]")
    return lambda found: isinstance(found, str) and fnmatch.fnmatchcase(found, glob)


def look_up(entry: Any, selector: str) -> Any:
    """The value of a field, `$.a.b[0]`; None where there is none."""
    found = _at(entry, _path(selector))
    return None if found is _NOTHING else found


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _path(selector: str) -> list[str]:
    """`$.a.b[0]` as its steps."""
    steps = re.findall(r"\.([\w-]+)|\[\s*['\"]?([^\]'\"]*)['\"]?\s*\]", selector)
    return [name or index for name, index in steps]


def _at(entry: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(entry, dict) and step in entry:
            entry = entry[step]
        elif isinstance(entry, list) and step.isdecimal() and int(step) < len(entry):
            entry = entry[int(step)]
        else:
            return _NOTHING
    return entry
