"""Texts: how a file is encoded, and its text in normal form with what it counts."""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
from typing import Any

from common import fields
from common.uploads import Refused

_PIECE = 64 * 1024  # bytes read at a time
# Python's own list is longer, and some of its members take quadratic time.
_CHARSETS = {
    "": "utf-8-sig",
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "us-ascii": "utf-8-sig",
    "utf-16": "utf-16",
    "iso-8859-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "windows-1252",
}
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Sorting the marks of one character takes quadratic time, so Unicode names a limit (UAX 15,
# section 13).
_MOST_MARKS = 30
_MAYBE_MARKS = re.compile(rf"[^\x00-\x7f]{{{_MOST_MARKS + 1},}}")
_WORD = re.compile(r"\S+")


class _Raw(io.RawIOBase):
    """What boto3 gives as a body, as the standard library reads files."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._body.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def opened(body: Any, content_type: str) -> tuple[io.TextIOWrapper, bytes]:
    """A body as text that is read piece by piece, line ends as they are, and its first bytes.

    A byte order mark counts, then the content type's charset, then UTF-8. Bytes that are no UTF-8
    become halves of surrogate pairs, so that only the row that holds them is refused. Raises
    Refused for a charset that is not known.
    """
    source = io.BufferedReader(_Raw(body), _PIECE)
    start = source.peek(_PIECE)
    found = encoding(content_type, start)
    wrong = "surrogateescape" if found == "utf-8-sig" else "strict"
    return io.TextIOWrapper(source, encoding=found, errors=wrong, newline=""), start


def encoding(content_type: str, start: bytes) -> str:
    """The Python name of a text's encoding; raises Refused for one that is not read."""
    if start.startswith(_WIDE_MARKS):
        return "utf-16"
    charset = ""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    if charset not in _CHARSETS:
        raise Refused("the charset is not one of UTF-8, UTF-16, ISO-8859-1, -15 and windows-1252")
    return _CHARSETS[charset]


def normal(data: bytes, content_type: str) -> dict[str, Any]:
    """A text in normal form, and its counts: {"text", "characters", "words", "lines", "paragraphs",
    "dropped"}.

    Composed characters (NFC), lines that end in one line feed and not in spaces, no empty lines at
    the end, and no control characters but tabs (`dropped` says how many there were). Raises Refused
    for what is no text.
    """
    try:
        text = data.decode(encoding(content_type, data[:4]))
    except UnicodeDecodeError:
        raise Refused("not text in its charset; name another one in the Content-Type") from None
    if "\0" in text:
        raise Refused("holds zero characters, as text does not")
    _check_marks(text)
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    text, dropped = fields.CONTROL_IN_LINES.subn("", text)
    lines = [line.rstrip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    text = "".join(f"{line}\n" for line in lines)
    starts = [
        line for before, line in zip(["", *lines], lines, strict=False) if line and not before
    ]
    return {
        "text": text,
        "characters": len(text),
        "words": sum(1 for _ in _WORD.finditer(text)),
        "lines": len(lines),
        "paragraphs": len(starts),
        "dropped": dropped,
    }


def _check_marks(text: str) -> None:
    for found in _MAYBE_MARKS.finditer(text):
        run = 0
        for character in found[0]:
            run = run + 1 if unicodedata.combining(character) else 0
            if run > _MOST_MARKS:
                raise Refused(f"more than {_MOST_MARKS} combining marks on one character")
