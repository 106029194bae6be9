"""A table that a stranger's PDF reader reads back, whatever is in it."""

from __future__ import annotations

import io
import itertools
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import pdf, reports

pypdf = pytest.importorskip("pypdf")

_COLUMNS = [pdf.Column("Name", 20), pdf.Column("Price", 8, right=True)]


def _read(file: bytes) -> Any:
    return pypdf.PdfReader(io.BytesIO(file), strict=True)


def _lines(file: bytes) -> list[str]:
    """The lines of all pages, a page after the other."""
    return "".join(page.extract_text() for page in _read(file).pages).splitlines()


def test_a_table_reads_as_it_was_written() -> None:
    rows = [("Lamp (brass)", "19.90"), (r"Back\slash", "5.00"), ("Café €", "1.25")]
    file = pdf.table("Items, 2026-01-05", _COLUMNS, rows)
    text = _lines(file)
    assert text[0] == "Items, 2026-01-05"
    shown = [line.split() for line in text]
    assert ["Name", "Price"] in shown
    for name, price in rows:
        assert [*name.split(), price] in shown
    assert text[-1] == "Page 1 of 1"
    assert _read(file).metadata.title == "Items, 2026-01-05"


def test_many_rows_are_many_pages_with_a_head_and_a_number_each() -> None:
    count = pdf.ROWS * 3 + 1
    file = pdf.table("Items", _COLUMNS, [(f"row{n}", str(n)) for n in range(count)])
    pages = [page.extract_text() for page in _read(file).pages]
    assert len(pages) == 4
    for number, text in enumerate(pages, 1):
        assert text.startswith("Items")
        assert "Name" in text
        assert text.endswith(f"Page {number} of 4\n")
    found = [line.split()[0] for line in _lines(file) if line.startswith("row")]
    assert found == [f"row{n}" for n in range(count)]


def test_no_rows_are_a_page_all_the_same() -> None:
    assert len(_read(pdf.table("Items", _COLUMNS, [])).pages) == 1


def test_what_does_not_fit_is_cut_and_says_so() -> None:
    (line,) = [line for line in _lines(pdf.table("", _COLUMNS, [("x" * 99, "1")])) if "xx" in line]
    assert line.split() == ["x" * 19 + "…", "1"]


def test_columns_wider_than_a_page_are_refused() -> None:
    with pytest.raises(ValueError, match=f"of {pdf.CHARACTERS}"):
        pdf.table("", [pdf.Column("a", pdf.CHARACTERS + 1)], [])


@pytest.mark.parametrize("name", reports.KINDS)
def test_every_report_fits_a_page(name: str) -> None:
    kind = reports.KINDS[name]
    row = tuple("9" * column.width for column in kind.columns.values())
    text = " ".join(_lines(pdf.table(kind.title, list(kind.columns.values()), [row])))
    for column in kind.columns.values():
        assert column.title in text
        assert "9" * column.width in text


def test_a_report_of_too_many_rows_says_where_the_rest_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MOST_PDF_ROWS", 2)
    rows = [(f"id{n}", "n", "u", "1", "1.00") for n in range(5)]
    text = _lines(reports.as_pdf(reports.KINDS["items"], rows, "2026-01-05"))
    assert text[0] == "Items, 2026-01-05: 5 items; 3 rows more are in the CSV file only"
    assert sum(line.startswith("id") for line in text) == 2


def test_the_table_of_places_says_where_each_object_begins() -> None:
    file = pdf.table("Items", _COLUMNS, [("a", "1")] * 99)
    start = int(file.rsplit(b"startxref\n", 1)[1].split()[0])
    head, *entries = file[start:].split(b"trailer")[0].splitlines()[1:]
    assert head == b"0 %d" % len(entries)
    assert {len(entry) for entry in entries} == {19}  # and a line's end: 20 bytes
    for number, entry in enumerate(entries[1:], 1):
        assert file[int(entry[:10]) :].startswith(b"%d 0 obj\n" % number)


def test_the_same_rows_are_the_same_file() -> None:
    one, other = (pdf.table("Items", _COLUMNS, [("a", "1")]) for _ in range(2))
    assert one == other


@given(st.text(max_size=40), st.lists(st.text(max_size=30), min_size=1, max_size=3))
def test_any_text_makes_a_sound_file_of_one_line_a_row(title: str, names: list[str]) -> None:
    file = pdf.table(title, _COLUMNS, [(f"#{name}", "7.77") for name in names])
    lines = [line for line in _lines(file) if line.endswith("7.77")]
    assert len(lines) == len(names)
    for line, name in zip(lines, names, strict=True):
        shown = unicodedata.normalize("NFC", name).encode("cp1252", "replace").decode("cp1252")
        words = "#" + "".join(c if c.isalnum() else " " for c in shown[:18])
        assert all(word in line for word in words.split())


@given(st.binary(max_size=60))
def test_an_escaped_string_ends_where_it_ends(raw: bytes) -> None:
    escaped = pdf._escaped(raw.decode("latin-1"))
    assert escaped.isascii()
    assert all(0x20 <= byte < 0x7F for byte in escaped)
    pairs = itertools.pairwise(b"x" + escaped.replace(rb"\\", b""))
    assert all(before == ord("\\") for before, byte in pairs if byte in b"()")


@given(st.text(max_size=10))
def test_no_cell_of_a_csv_file_is_a_formula(text: str) -> None:
    cell = reports._harmless(text)
    assert cell.endswith(text)
    assert not cell.startswith(("=", "+", "@", "\t", "\r"))
    if cell.startswith("-"):
        float(cell)
