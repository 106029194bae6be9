"""A table as a PDF file: fixed-width text on A4 pages, as one of the fonts that every reader has.

That is all a report needs, in 100 lines; the libraries that write PDF bring pictures and fonts
along, tens of megabytes of them. The font knows the characters of Western Europe (Windows-1252):
others become question marks, so what must be exact belongs into a CSV file beside it.
"""

from __future__ import annotations

import unicodedata
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDTH, _HEIGHT = 842, 595  # points: A4, landscape
_MARGIN = 40
_FONT = 8  # points; a character of Courier is 0.6 as wide as it is high
_LEADING = 11
CHARACTERS = int((_WIDTH - 2 * _MARGIN) / (_FONT * 0.6))  # of a line
_LINES = (_HEIGHT - 2 * _MARGIN) // _LEADING
_HEAD = 4  # lines above a page's rows: title, blank, columns, rule
_FOOT = 2  # lines below: blank, page
ROWS = _LINES - _HEAD - _FOOT  # of a page
_GAP = "  "


class Column(NamedTuple):
    """A column of text; its width is in characters."""

    title: str
    width: int
    right: bool = False

    def cell(self, text: str) -> str:
        """The text at the column's width, cut where it is longer."""
        shown = text if len(text) <= self.width else text[: self.width - 1] + "\u2026"
        return shown.rjust(self.width) if self.right else shown.ljust(self.width)


def table(title: str, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> bytes:
    """The file. The same rows are the same bytes. Raises ValueError for columns that are wider
    together than CHARACTERS.
    """
    widest = sum(column.width for column in columns) + len(_GAP) * (len(columns) - 1)
    if widest > CHARACTERS:
        raise ValueError(f"the columns need {widest} characters of {CHARACTERS}")
    lines = [_line(columns, [_plain(text) for text in row]) for row in rows]
    head = [_plain(title), "", _line(columns, [c.title for c in columns]), "-" * widest]
    pages = [lines[start : start + ROWS] for start in range(0, len(lines), ROWS)] or [[]]
    texts = [
        [*head, *page, "", f"Page {number} of {len(pages)}"] for number, page in enumerate(pages, 1)
    ]
    return _file(title, [_content(text) for text in texts])


def _line(columns: Sequence[Column], texts: Sequence[str]) -> str:
    pairs = zip(columns, texts, strict=True)
    return _GAP.join(column.cell(text) for column, text in pairs).rstrip()


def _plain(text: str) -> str:
    """The text without what has no width or breaks lines, its accents in one with their letters."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        " " if unicodedata.category(character)[0] in "CZ" else character for character in composed
    )


def _content(lines: list[str]) -> bytes:
    """The drawing of a page, compressed."""
    top = _HEIGHT - _MARGIN - _FONT
    drawn = [f"BT /F1 {_FONT} Tf {_LEADING} TL {_MARGIN} {top} Td".encode()]
    drawn += [b"(" + _escaped(line) + b") Tj T*" for line in lines]
    drawn.append(b"ET")
    return zlib.compress(b"\n".join(drawn))


def _escaped(text: str) -> bytes:
    """A string of PDF: brackets and backslashes get one more, what is not ASCII an octal number."""
    escaped = bytearray()
    for byte in text.encode("cp1252", errors="replace"):
        if byte in b"()\\":
            escaped += b"\\" + bytes([byte])
        elif 0x20 <= byte < 0x7F:
            escaped.append(byte)
        else:
            escaped += b"\\%03o" % byte
    return bytes(escaped)


def _file(title: str, contents: list[bytes]) -> bytes:
    """Objects 1 to 4 are catalogue, pages, font and title; then a page and its content in turn."""
    numbers = range(5, 5 + 2 * len(contents), 2)
    kids = " ".join(f"{number} 0 R" for number in numbers)
    name = title.encode("utf-16-be", errors="replace").hex().upper()
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
        f"<< /Title <FEFF{name}> >>".encode(),
    ]
    for number, content in zip(numbers, contents, strict=True):
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}]"
        page += f" /Resources << /Font << /F1 3 0 R >> >> /Contents {number + 1} 0 R >>"
        head = f"<< /Length {len(content)} /Filter /FlateDecode >>\nstream\n".encode()
        objects += [page.encode(), head + content + b"\nendstream"]
    return _joined(objects)


def _joined(objects: list[bytes]) -> bytes:
    """The objects with their numbers, and the table of where each begins."""
    file = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places: list[int] = []
    for number, content in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    file += b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R >>\n" % (len(objects) + 1)
    file += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(file)
