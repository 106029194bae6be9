"""Rows of CSV and JSON files: what is read, refused and left out, whatever a file looks like."""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import documents, imports, items
from common.uploads import Refused

_MILLISECONDS = 1_763_943_010_123


class _Body:
    """A body that comes in pieces of this size."""

    def __init__(self, data: bytes, piece: int = 7) -> None:
        self._file, self._piece = io.BytesIO(data), piece
        self.longest = 0

    def read(self, amount: int) -> bytes:
        return self._file.read(min(amount, self._piece))


def _rows(
    data: bytes | str, kind: str = "csv", content_type: str = "", piece: int = 7
) -> list[Any]:
    """The outcomes by number, refusals as their text."""
    raw = data.encode() if isinstance(data, str) else data
    text, start = documents.opened(_Body(raw, piece), content_type)
    found = imports.reader(kind, start)(text)
    return [(n, str(row) if isinstance(row, Refused) else row) for n, row in found]


def _items(data: bytes | str, kind: str = "csv", **more: Any) -> list[Any]:
    """Each row's item, None where it is left out, or the reason as text."""
    made: list[Any] = []
    for _, row in _rows(data, kind, **more):
        try:
            made.append(imports.item(row, set()) if isinstance(row, dict) else row)
        except Refused as reason:
            made.append(str(reason))
    return made


def _item(name: str, price: str, description: str | None = None, tags: Any = ()) -> dict[str, Any]:
    return {
        "name": name,
        "price": Decimal(price),
        "description": description,
        "tags": list(tags),
    }


def test_a_csv_row_becomes_an_item() -> None:
    text = 'Name , price,description,tags\r\n" Tea, green ",4.5,"two\nlines",hot| loose |\r\n'
    assert _items(text) == [_item("Tea, green", "4.50", "two\nlines", ["hot", "loose"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_is_read_as_programs_write_it(delimiter: str, end: str, mark: str) -> None:
    text = mark + end.join([delimiter.join(["name", "price"]), delimiter.join(["é", "1"]), ""])
    assert _items(text) == [_item("é", "1.00")]
    assert _items(text.removeprefix(mark).encode("utf-16")) == [_item("é", "1.00")]


def test_the_content_types_charset_counts() -> None:
    data = "name,price\né,1\n".encode("iso-8859-1")
    assert _items(data, content_type='text/csv; header=present; charset="ISO-8859-1"') == [
        _item("é", "1.00")
    ]
    with pytest.raises(Refused, match="charset"):
        _items(data, content_type="text/csv; charset=punycode")


def test_only_the_rows_that_are_not_utf8_are_refused() -> None:
    data = "name,price\na,1\né,1\nb,1\n".encode("iso-8859-1")
    assert _items(data) == [_item("a", "1.00"), "name must be valid Unicode", _item("b", "1.00")]


@pytest.mark.parametrize("said", ["no", "False", "N", "0"])
def test_rows_whose_active_says_no_are_left_out(said: str) -> None:
    assert _items(f"active,name,price\n{said},a,1\nyes,b,1\n,c,1\n") == [
        None,
        _item("b", "1.00"),
        _item("c", "1.00"),
    ]
    lines = '{"active": false, "name": "a"}\n{"active": true, "name": "b", "price": 1}\n'
    assert _items(lines, "json") == [None, _item("b", "1.00")]


def test_empty_rows_are_left_out_and_counted() -> None:
    assert _rows("name,price\n\n , \na,1\n")[:2] == [(1, None), (2, None)]
    assert _rows('\n{"name": 1}\n', "json")[0] == (1, None)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a", "has 1 cells, the header 2"),
        ("a,1,2", "has 3 cells, the header 2"),
        (",1", "name must not be blank"),
        ("a,", "price must be 0 to 999999999999.99 with at most 2 decimals"),
        ("a,-1", "price must be 0 to"),
        ("a,1.234", "price must be 0 to"),
        ("a,NaN", "price must be 0 to"),
        ("a,1e2", "price must be 0 to"),
        ("\x00,x", "name must not contain control characters; price must be"),
        ('"a"b,1', "not valid CSV"),
        ("x" * 201 + ",1", "name must have at most 200 characters"),
        ("x" * 140_000 + ",1", "not valid CSV: field larger than field limit"),
        ("x," * 200_000, "longer than 262144 characters"),
    ],
)
def test_a_wrong_row_is_refused_and_the_next_one_read(row: str, reason: str) -> None:
    (refused, good) = _items(f"name,price\n{row}\nb,2\n", piece=65_536)
    assert reason in refused
    assert good == _item("b", "2.00")


def test_a_row_of_many_lines_ends_at_the_limit() -> None:
    outcomes = _rows("name,price\n" + '"\n",' * 200_000, piece=65_536)
    assert "longer than" in outcomes[0][1]
    assert len(outcomes) > 2


def test_a_quote_that_is_never_closed_is_refused() -> None:
    assert _items('name,price\na,1\n"b,2\nc,3\n')[1] == "not valid CSV: unexpected end of data"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no column name and none price"),
        ("\n\n", "no column name and none price"),
        ("name,cost\na,1\n", "no column price"),
        ("name,price,NAME\n", "names name twice"),
        ('"name,price\n', "not valid CSV"),
        ("x" * 300_000, "not valid CSV"),
        ("\ufffd\x00,price\n", "no column name"),
    ],
)
def test_a_header_of_something_else_refuses_the_file(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        _rows(text, piece=65_536)


def test_other_columns_are_left_out_and_named() -> None:
    ignored: set[str] = set()
    ((_, row),) = _rows("id,name,price,created\n7,a,1,now\n")
    assert imports.item(row, ignored) == _item("a", "1.00")
    assert ignored == {"id", "created"}
    imports.item({f"x{n}" * 50: 1 for n in range(99)} | {"name": "a", "price": "1"}, ignored)
    assert len(ignored) == 20
    assert max(map(len, ignored)) == 50


_JSON_ROWS = [{"name": "a", "price": 1.5, "tags": ["t"]}, {"name": "b", "price": "2"}]
_JSON_ITEMS = [
    {"name": "a", "price": Decimal("1.50"), "description": None, "tags": ["t"]},
    _item("b", "2.00"),
]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("piece", [1, 7, 65_536])
def test_a_json_array_is_read(indent: int | None, piece: int) -> None:
    assert _items(json.dumps(_JSON_ROWS, indent=indent), "json", piece=piece) == _JSON_ITEMS


def test_json_lines_are_read() -> None:
    text = "\ufeff" + "\r\n".join(map(json.dumps, _JSON_ROWS))
    assert _items(text, "json") == _JSON_ITEMS


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("7", "object"),
        ('"x"', "object"),
        ("[]", "object"),
        ("null", "object"),
        ('{"name": "a", "name": "b", "price": 1}', "repeats a member"),
        ('{"name": 1, "price": 1}', "name must be text"),
        ('{"name": "\\ud800", "price": 1}', "valid Unicode"),
        ('{"name": "a", "price": true}', "price must be a number"),
        ('{"name": "a", "price": 1e999}', "price must be 0 to"),
        ('{"name": "a", "price": 1, "tags": [{"a": 1, "a": 2}]}', "tags must be text"),
        ('{"name": "a", "price": 1, "active": 3}', "active must be true or false"),
        ('{"name": "a"}', "price is required"),
    ],
)
@pytest.mark.parametrize("form", ["array", "lines"])
def test_a_wrong_json_row_is_refused_and_the_next_one_read(
    form: str, row: str, reason: str
) -> None:
    good = '{"name": "b", "price": 2}'
    text = f"[{good} , {row}, {good}]" if form == "array" else f"{good}\n{row}\n{good}\n"
    _, refused, made = _items(text, "json")
    assert reason in refused or "repeats a member" in refused
    assert made == _item("b", "2.00")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e99999999999999999999"])
def test_a_price_that_is_no_number_is_refused(number: str) -> None:
    row = f'{{"name": "a", "price": {number}}}'
    assert "price must be" in _items(f"[{row}]", "json")[0]
    assert "JSON" in _items(row, "json")[0]


@pytest.mark.parametrize("line", ["{", "{]", '{"a": 1} x', "x" * 70_000, "{" * 60_000])
def test_a_broken_json_line_is_refused_alone(line: str) -> None:
    refused, good = _items(f'{line}\n{{"name": "b", "price": 2}}', "json", piece=65_536)
    assert isinstance(refused, str)
    assert good == _item("b", "2.00")


@pytest.mark.parametrize(
    "rest",
    [
        *("", ",", ",]", " x", "]]", ',{"name": ', "}", ",tru]", ',"x', "," + "[" * 99_999),
        ',{"name": "' + "x" * 400_000 + '"}]',
        "," + " " * 100_000 + "!",
    ],
)
def test_an_array_that_cannot_be_read_on_refuses_the_rest(rest: str) -> None:
    text, start = documents.opened(_Body(b'[{"name": "a"}' + rest.encode(), 65_536), "")
    rows = imports.reader("json", start)(text)
    assert next(rows)[0] == 1
    with pytest.raises(Refused):
        list(rows)


def test_a_number_that_goes_on_in_the_next_piece_is_one_row() -> None:
    assert [number for number, _ in _rows("[123, 456]", "json", piece=1)] == [1, 2]
    text, _ = documents.opened(_Body(b"[12", 65_536), "")
    window = imports._Window(text)
    window.take("[")
    window._text = io.StringIO("34]")  # type: ignore[assignment]
    assert window.value() == 1234


def test_an_empty_array_has_no_rows() -> None:
    assert _rows(" [ ] \n", "json") == []


_MEMBER = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20))
_ANY_ROW = st.dictionaries(
    st.one_of(st.sampled_from(["name", "price", "tags", "description", "active"]), st.text()),
    st.one_of(_MEMBER, st.lists(_MEMBER, max_size=3)),
    max_size=6,
)


@given(rows=st.lists(st.one_of(_ANY_ROW, _MEMBER), max_size=8), piece=st.integers(1, 50))
def test_any_json_array_gives_an_outcome_per_member(rows: list[Any], piece: int) -> None:
    outcomes = _items(json.dumps(rows), "json", piece=piece)
    assert len(outcomes) == len(rows)
    for made in outcomes:
        assert made is None or isinstance(made, str) or items.attributes(made)


@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1),
            st.decimals(0, 10**12 - 1, places=2),
        ),
        max_size=20,
    ),
    piece=st.integers(1, 99),
)
def test_any_items_come_back_from_csv_as_they_were(rows: list[Any], piece: int) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([("name", "price"), *((n, f"{p:.2f}") for n, p in rows)])
    made = _items(out.getvalue(), piece=piece)
    assert len(made) == len(rows)
    for found, (name, price) in zip(made, rows, strict=True):
        kept = name.strip()
        if kept and len(kept) <= items.LONGEST_NAME:
            assert found == _item(kept, f"{price:.2f}")
        else:
            assert isinstance(found, str)


@given(data=st.binary(max_size=400), kind=st.sampled_from(["csv", "json"]))
def test_any_bytes_are_rows_or_refused(data: bytes, kind: str) -> None:
    for start in (b"", b"name,price\n", b'[{"name": "a", "price": 1},'):
        try:
            for made in _items(start + data, kind):
                assert made is None or isinstance(made, str) or items.attributes(made)
        except (Refused, UnicodeDecodeError):
            continue


@given(file=st.text(max_size=20), number=st.integers(1, 2**32 - 1))
def test_an_imported_row_has_one_id_that_sorts_by_file_and_row(file: str, number: int) -> None:
    row_id = imports.identify(file, _MILLISECONDS)
    made = uuid.UUID(row_id(number))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == _MILLISECONDS
    assert row_id(number) == imports.identify(file, _MILLISECONDS)(number)
    assert row_id(number - 1) < row_id(number) < imports.identify(file, _MILLISECONDS + 1)(0)
    assert imports.identify(file + "x", _MILLISECONDS)(number) != row_id(number)


def test_a_text_is_put_into_normal_form_and_counted() -> None:
    data = "\ufeffCafe\u0301 au lait  \r\n\r\n\r\nsecond\x07\tpart\rline three\n\n \n".encode()
    assert documents.normal(data, "text/plain") == {
        "text": "Café au lait\n\n\nsecond\tpart\nline three\n",
        "characters": 38,
        "words": 7,
        "lines": 5,
        "paragraphs": 2,
        "dropped": 1,
    }


def test_a_text_without_anything_has_none() -> None:
    made = documents.normal(b" \n\n", "text/plain")
    assert (made["text"], made["lines"], made["words"], made["paragraphs"]) == ("", 0, 0, 0)


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "iso-8859-15", "windows-1252"])
def test_a_text_in_its_charset_is_read(charset: str) -> None:
    made = documents.normal("5 €".encode(charset), f"text/plain; Charset={charset.upper()}")
    assert made["text"] == "5 €\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xe9t\xe9", "not text in its charset"),
        (b"\xff\xfe\x00", "not text in its charset"),
        (b"a\x00b", "zero characters"),
        (("a" + "\u0301" * 31).encode(), "combining marks"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        documents.normal(data, "text/plain")


def test_letters_with_a_few_marks_each_are_a_text() -> None:
    assert documents.normal(("é" * 99 + "a" + "\u0301" * 30).encode(), "")["lines"] == 1


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_a_text_in_normal_form_stays_as_it_is(text: str) -> None:
    once = documents.normal(text.encode(), "text/plain; charset=utf-8")
    again = documents.normal(once["text"].encode(), "text/plain; charset=utf-8")
    assert again == {**once, "dropped": 0}
    assert not re.search(r"[^\S\n]\n|\r", once["text"])
