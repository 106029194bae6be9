"""Rows of CSV and JSON files as items, read in bounded memory.

Nothing here holds more than one row, whatever the file looks like: a line without end, a quote
that is never closed and an array in one line are refused after a limit. A row that is wrong is an
outcome like any other; only what makes the rest unreadable is raised.
"""

from __future__ import annotations

import csv
import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from common import bodies, items
from common.http import Problem
from common.uploads import Refused

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator, Mapping

    Read = Callable[[io.TextIOWrapper], Iterator[tuple[int, "Outcome"]]]

    # A row's members, None for an empty row, or why it is refused.
    Outcome = dict[str, Any] | None | Refused

LONGEST_ROW = 256 * 1024  # characters; the longest valid item has 56,000 in JSON
_PIECE = 64 * 1024  # characters read at a time from an array
_MEMBERS = ("name", "price", "description", "tags")
_REQUIRED = ("name", "price")
_FILTER = "active"  # a row that says no here is left out
_YES, _NO = ("", "true", "yes", "y", "1"), ("false", "no", "n", "0")
_TAGS = "|"  # between the tags of a cell
_DELIMITERS = ",;\t"
_LONGEST_REASON = 300  # characters
_MOST_IGNORED, _LONGEST_NAME = 20, 50
_SPACE = " \t\r\n"


class _TooLongError(ValueError):
    pass


class _Lines:
    """The lines of a text. Raises _TooLongError, and goes on behind the line, when the lines since
    `begin` are longer than a row may be.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._left = LONGEST_ROW

    def __iter__(self) -> _Lines:
        return self

    def begin(self) -> None:
        self._left = LONGEST_ROW

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        if not line:
            raise StopIteration
        self._left -= len(line)
        if self._left < 0:
            self._left = 0
            while line and not line.endswith(("\n", "\r")):
                line = self._text.readline(_PIECE)
            raise _TooLongError
        return line


def csv_rows(text: io.TextIOWrapper) -> Iterator[tuple[int, Outcome]]:
    """The rows of a CSV file (RFC 4180) by number, the first after the header being 1. Columns are
    parted by what parts the header: comma, semicolon or tab.

    Raises Refused when the header is not that of items.
    """
    lines = _Lines(text)
    header, delimiter = _header(lines)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _TooLongError:
            yield number, Refused(f"longer than {LONGEST_ROW} characters")
        except csv.Error as error:
            yield number, Refused(f"not valid CSV: {error}")
        else:
            yield number, _members(header, cells)


def _header(lines: _Lines) -> tuple[list[str], str]:
    try:
        first = next((line for line in lines if line.strip(_SPACE)), "")
        delimiter = max(_DELIMITERS, key=first.count)
        cells = next(csv.reader([first], delimiter=delimiter, strict=True), [])
    except (_TooLongError, csv.Error):
        raise Refused("the header is not valid CSV") from None
    header = [cell.strip().lower() for cell in cells]
    for name in (*_MEMBERS, _FILTER):
        if header.count(name) > int(name in header):
            raise Refused(f"the header names {name} twice")
    if missing := [name for name in _REQUIRED if name not in header]:
        raise Refused(f"the header has no column {' and none '.join(missing)}")
    return header, delimiter


def _members(header: list[str], cells: list[str]) -> Outcome:
    cells = [cell.strip() for cell in cells]
    if not any(cells):
        return None
    if len(cells) != len(header):
        return Refused(f"has {len(cells)} cells, the header {len(header)}")
    row: dict[str, Any] = dict(zip(header, cells, strict=True))
    row["tags"] = [tag.strip() for tag in row.get("tags", "").split(_TAGS) if tag.strip()]
    row["description"] = row.get("description") or None
    return row


def json_lines(text: io.TextIOWrapper) -> Iterator[tuple[int, Outcome]]:
    """The rows of a file with one JSON object per line, by line number from 1."""
    lines, number = _Lines(text), 0
    while True:
        number += 1
        lines.begin()
        try:
            line = next(lines)
        except StopIteration:
            return
        except _TooLongError:
            yield number, Refused(f"longer than {LONGEST_ROW} characters")
            continue
        try:
            yield number, bodies.parse(line, noun="row") if line.strip(_SPACE) else None
        except Problem as problem:
            yield number, Refused(problem.detail)


def json_array(text: io.TextIOWrapper) -> Iterator[tuple[int, Outcome]]:
    """The members of a JSON array by number, from 1.

    Raises Refused where the array breaks off or cannot be read on; the rows before it are given
    out first.
    """
    window = _Window(text)
    window.take("[")
    number = 0
    if window.look() != "]":
        while True:
            number += 1
            value = window.value()
            yield number, value if isinstance(value, dict) else Refused(_no_object(value))
            if window.look() == "]":
                break
            window.take(",")
    window.take("]")
    if window.look():
        raise Refused("there is something behind the array")


def _no_object(value: object) -> str:
    return "repeats a member" if value is _REPEATED else "must be a JSON object"


class _Window:
    """A text that is read on as it is used up."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._held = ""
        self._at = 0

    def look(self) -> str:
        """The next character that is no space, "" at the end."""
        while True:
            while self._at < len(self._held):
                if self._held[self._at] not in _SPACE:
                    return self._held[self._at]
                self._at += 1
            if not self._more():
                return ""

    def take(self, character: str) -> None:
        if self.look() != character:
            raise Refused(f"not a JSON array: {character} is missing")
        self._at += 1

    def value(self) -> object:
        """The next value; raises Refused for what is none, or longer than a row may be."""
        self.look()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._held, self._at)
            except (ValueError, RecursionError):
                if len(self._held) - self._at > LONGEST_ROW or not self._more():
                    raise Refused("a row is not valid JSON, nothing behind it was read") from None
                continue
            # A number at the very end may go on in what is not read yet.
            if end < len(self._held) or not self._more():
                self._at = end
                return value

    def _more(self) -> bool:
        piece = self._text.read(_PIECE)
        self._held = self._held[self._at :] + piece
        self._at = 0
        return bool(piece)


class _Wrong:
    """Stands for what JSON does not allow, where raising would lose the place in the text."""


_REPEATED, _NO_NUMBER = _Wrong(), _Wrong()


def _number(text: str) -> object:
    try:
        return Decimal(text)
    except ArithmeticError:
        return _NO_NUMBER


def _unique(pairs: list[tuple[str, Any]]) -> object:
    members = dict(pairs)
    return members if len(members) == len(pairs) else _REPEATED


_DECODER = json.JSONDecoder(
    parse_float=_number,
    parse_int=_number,
    parse_constant=lambda _: _NO_NUMBER,
    object_pairs_hook=_unique,
)


def reader(kind: str, start: bytes) -> Read:
    """What reads a file of this kind ("csv" or "json") that starts with these bytes."""
    if kind == "csv":
        return csv_rows
    return json_array if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") else json_lines


def item(row: Mapping[str, Any], ignored: set[str]) -> items.Fields | None:
    """A row as the four fields of an item; None when its `active` says no. Members that no item has
    are left out, and 20 of their names kept in `ignored`.

    Raises Refused, which names every wrong member.
    """
    for name in row:
        if name and name not in (*_MEMBERS, _FILTER) and len(ignored) < _MOST_IGNORED:
            ignored.add(name[:_LONGEST_NAME].encode(errors="replace").decode())
    if not _is_active(row.get(_FILTER, "")):
        return None
    try:
        return items.parse({name: row[name] for name in _MEMBERS if name in row})
    except Problem as problem:
        wrong = [f"{error['pointer'][1:]} {error['detail']}" for error in problem.errors]
        raise Refused("; ".join(wrong)[:_LONGEST_REASON]) from None


def _is_active(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return value is not False
    said = value.lower() if isinstance(value, str) else None
    if said not in (*_YES, *_NO):
        raise Refused(f"{_FILTER} must be true or false")
    return said in _YES


_ROW_BITS, _HASH_BITS = 32, 42  # of the 74 that a UUIDv7 leaves free


def identify(file: str, milliseconds: int) -> Callable[[int], str]:
    """The ids of a file's rows by number: UUIDs of version 7, so that imported items list in the
    order of their file, at the moment (milliseconds since 1970) when it was uploaded.

    `file` names bucket, key and version: the same file gives the same ids each time it is read.
    """
    digest = hashlib.sha256(file.encode(errors="replace")).digest()
    mark = int.from_bytes(digest[:8], "big") >> (64 - _HASH_BITS)

    def row_id(number: int) -> str:
        free = (number & (1 << _ROW_BITS) - 1) << _HASH_BITS | mark
        high, low = free >> 62, free & (1 << 62) - 1
        digits = f"{milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low:032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    return row_id
