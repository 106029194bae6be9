"""Objects under incoming/ go where their content type says; imports load each row once."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any
from urllib.parse import unquote_plus

import content_router
import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import loading, uploads
from common.loading import OutOfTime
from common.records import ForeignEventError
from common.uploads import Refused
from tests.handlers.conftest import Context, load
from tests.handlers.fakes import Aws, AwsError
from tests.handlers.objects import MOMENT, Objects

_UPLOADS, _REPORTS = "uploads-3f2a1b0", "reports-bucket"
_FUNCTION = "arn:aws:lambda:us-west-2:123456789012:function:sandpiper-dev-image-processor:live"
_CSV = "name,price,active\na,1,\nb,x,\nc,3,no\nd,4,yes\n"
_SKIPPED = {"route": "skipped"}


class _Store(Objects):
    """The buckets, and a table that takes a transaction whole or not at all."""

    def __init__(self, aws: Aws) -> None:
        super().__init__(aws)
        self.rows: dict[str, dict[str, Any]] = {}
        self.batches: list[int] = []
        aws.on("TransactWriteItems", self.transact)
        aws.on("Invoke", lambda _: {"StatusCode": 202})

    def transact(self, call: dict[str, Any]) -> dict[str, Any]:
        puts = [action["Put"] for action in call["TransactItems"]]
        assert {put["ConditionExpression"] for put in puts} == {"attribute_not_exists(#id)"}
        assert {put["TableName"] for put in puts} == {"items"}
        self.batches.append(len(puts))
        there = [put["Item"]["id"]["S"] in self.rows for put in puts]
        if any(there):
            codes = ["ConditionalCheckFailed" if old else "None" for old in there]
            raise _cancelled(codes)
        self.rows |= {put["Item"]["id"]["S"]: put["Item"] for put in puts}
        return {}

    def names(self) -> list[str]:
        return [row["name"]["S"] for _, row in sorted(self.rows.items())]

    def result(self, key: str) -> dict[str, Any]:
        return json.loads(self.body(_REPORTS, key))


def _cancelled(codes: list[str]) -> AwsError:
    reasons = [{"Code": code} for code in codes]
    return AwsError("TransactionCanceledException", CancellationReasons=reasons)


@pytest.fixture
def store(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> _Store:
    monkeypatch.setenv("REPORTS_BUCKET", _REPORTS)
    monkeypatch.setenv("IMAGE_PROCESSOR_FUNCTION", _FUNCTION)
    monkeypatch.setattr(loading, "_PAUSES", (0, 0))
    return _Store(aws)


def _event(key: str, etag: str = "", sequencer: str = "10") -> dict[str, Any]:
    event = load("eventbridge_object_created")
    found = event["detail"]["object"]
    found |= {"key": key, "etag": etag, "sequencer": sequencer}
    return event


def _arrived(
    store: _Store, key: str, data: bytes | str, kind: str = "text/csv", **more: Any
) -> dict[str, Any]:
    """Put an object; the event of it."""
    raw = data.encode() if isinstance(data, str) else data
    return _event(key, store.add(_UPLOADS, key, raw, kind, **more))


def _numbered(rows: int) -> str:
    return "name,price\n" + "".join(f"n{n:04},1\n" for n in range(rows))


def test_a_csv_file_is_loaded_and_its_result_told(
    event: Any, context: Any, store: _Store, lines: Any
) -> None:
    key = "incoming/autumn 2025/prices+more é.csv"
    arrived = event("eventbridge_object_created")
    etag = store.add(_UPLOADS, key, _CSV.encode(), "text/csv")
    arrived["detail"]["object"]["etag"] = etag
    answer = content_router.handler(arrived, context)
    counts = {"loaded": 2, "skipped": 1, "refusedCount": 1}
    assert answer == {"route": "csv", **counts}
    assert store.names() == ["a", "d"]
    first = store.rows[min(store.rows)]
    assert {name: first[name] for name in first if name != "id"} == {
        "collection": {"S": "items"},
        "name": {"S": "a"},
        "price": {"N": "1.00"},
        "tags": {"L": []},
        "version": {"N": "1"},
        "createdAt": {"S": "2025-11-24T00:10:10.123Z"},
        "updatedAt": {"S": "2025-11-24T00:10:10.123Z"},
        "correlationId": {"S": context.aws_request_id},
    }
    assert store.result("imports/autumn 2025/prices+more é.csv.json") == {
        "bucket": _UPLOADS,
        "key": key,
        "versionId": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
        "etag": etag,
        "state": "done",
        "row": 4,
        **counts,
        "refused": [
            {"row": 2, "reason": "price must be 0 to 999999999999.99 with at most 2 decimals"}
        ],
        "ignored": [],
    }
    assert [line["message"] for line in lines()] == ["object arrived", "import done"]


@pytest.mark.parametrize(
    ("key", "kind", "data"),
    [
        ("incoming/a", "application/json; charset=utf-8", '[{"name": "a", "price": 1}]'),
        ("incoming/a", "application/json", '{"name": "a", "price": 1}\n'),
        ("incoming/a", "application/x-ndjson", '{"name": "a", "price": 1}\n'),
        ("incoming/a.JSON", "binary/octet-stream", '[{"name": "a", "price": 1}]'),
        ("incoming/a.csv", "", "name,price\na,1\n"),
        ("incoming/a.png", "text/csv", "name,price\na,1\n"),
    ],
)
def test_rows_are_loaded_whatever_form_they_have(
    context: Any, store: _Store, key: str, kind: str, data: str
) -> None:
    answer = content_router.handler(_arrived(store, key, data, kind), context)
    assert answer["loaded"] == 1
    assert store.names() == ["a"]


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "IMAGE/GIF", "image/webp"])
def test_a_picture_is_handed_over_as_s3_would(context: Any, store: _Store, kind: str) -> None:
    key = "incoming/a b+é%2F"
    arrived = _arrived(store, key, b"x", kind)
    assert content_router.handler(arrived, context) == {"route": "picture"}
    ((_, call),) = [call for call in store.aws.calls if call[0] == "Invoke"]
    assert (call["FunctionName"], call["InvocationType"]) == (_FUNCTION, "Event")
    (record,) = json.loads(call["Payload"])["Records"]
    assert unquote_plus(record["s3"]["object"]["key"]) == key
    mine = uploads.of_event(arrived)
    assert uploads.of_record(record) == mine


def test_a_text_is_put_into_normal_form_with_its_counts(context: Any, store: _Store) -> None:
    arrived = _arrived(store, "incoming/a/b.txt", "one two \r\n\r\n", "text/plain")
    assert content_router.handler(arrived, context) == {"route": "text"}
    told = store.result("texts/a/b.txt.json")
    assert (told["state"], told["text"], told["words"]) == ("done", "one two\n", 2)
    assert content_router.handler(arrived, context) == _SKIPPED


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("incoming/a.csv", "application/pdf"),
        ("incoming/a.jpg", "image/svg+xml"),
        ("incoming/a", ""),
        ("incoming/a.csv/b", "binary/octet-stream"),
        ("incoming/csv", "application/octet-stream"),
        ("incoming/a.", ""),
    ],
)
def test_anything_else_is_left_alone_with_a_log_line(
    context: Any, store: _Store, lines: Any, key: str, kind: str
) -> None:
    assert content_router.handler(_arrived(store, key, "x", kind), context) == _SKIPPED
    assert store.aws.names() == ["HeadObject"]
    assert lines()[-1]["reason"] == "nothing is made of this content type"


@pytest.mark.parametrize("name", ["s3_upload", "s3_test", "sqs_notifications", "schedule"])
def test_an_event_of_something_else_fails(event: Any, context: Any, name: str) -> None:
    with pytest.raises(ForeignEventError):
        content_router.handler(event(name), context)


@pytest.mark.parametrize("detail", [{}, {"bucket": {"name": "b"}, "object": {"key": 7}}])
def test_an_event_without_an_object_fails(context: Any, detail: dict[str, Any]) -> None:
    event = _event("incoming/a")
    event["detail"] = detail
    with pytest.raises(ForeignEventError):
        content_router.handler(event, context)


@pytest.mark.parametrize(
    ("key", "data", "more"),
    [
        ("uploads/a.csv", _CSV, {}),
        ("incoming/../a.csv", _CSV, {}),
        ("incoming/" + "x" * 1013, _CSV, {}),
        ("incoming/a.csv", _CSV, {"ContentEncoding": "gzip"}),
        ("incoming/a.csv", "name\na\n", {}),
        ("incoming/a.csv", b"\xff\xfename\x00", {}),
        ("incoming/a.txt", b"\xff\xff", {"ContentType": "text/plain"}),
        ("incoming/a.txt", b"x", {"ContentType": "text/plain; charset=zip"}),
    ],
)
def test_what_can_never_work_fails_and_says_why(
    context: Any, store: _Store, lines: Any, key: str, data: bytes | str, more: dict[str, Any]
) -> None:
    arrived = _arrived(store, key, data, **more) if "ContentType" not in more else None
    if arrived is None:
        raw = data if isinstance(data, bytes) else data.encode()
        arrived = _arrived(store, key, raw, more["ContentType"])
    with pytest.raises(Refused):
        content_router.handler(arrived, context)
    assert store.rows == {}
    assert [line["message"] for line in lines() if line["level"] == "ERROR"] == ["object refused"]


@pytest.mark.parametrize(("kind", "size"), [("text/csv", 513), ("text/plain", 9)])
def test_an_outsized_object_is_refused_unread(
    context: Any, store: _Store, kind: str, size: int
) -> None:
    arrived = _arrived(store, "incoming/a", "x", kind)
    head = store.aws.answers["HeadObject"]
    store.aws.on("HeadObject", lambda call: {**head(call), "ContentLength": size * 1024 * 1024})
    with pytest.raises(Refused, match="bytes are more than"):
        content_router.handler(arrived, context)


def test_a_file_that_cannot_be_read_on_keeps_the_rows_before_and_fails_each_time(
    context: Any, store: _Store
) -> None:
    arrived = _arrived(
        store, "incoming/a", '[{"name": "a", "price": 1}, {"name": ', "application/json"
    )
    for _ in range(2):
        with pytest.raises(Refused, match="nothing behind it was read"):
            content_router.handler(arrived, context)
    assert store.names() == ["a"]
    told = store.result("imports/a.json")
    assert (told["state"], told["loaded"]) == ("refused", 1)
    assert "nothing behind it was read" in told["error"]
    assert store.batches == [1], "the second attempt knows"


def test_the_same_event_three_times_loads_once(context: Any, store: _Store) -> None:
    arrived = _arrived(store, "incoming/a.csv", _CSV)
    answers = [content_router.handler(arrived, context) for _ in range(3)]
    assert [answer["route"] for answer in answers] == ["csv", "skipped", "skipped"]
    assert store.batches == [2]


def test_a_deleted_row_does_not_come_back_with_a_late_delivery(context: Any, store: _Store) -> None:
    arrived = _arrived(store, "incoming/a.csv", _CSV)
    content_router.handler(arrived, context)
    store.rows.clear()
    content_router.handler(arrived, context)
    assert store.rows == {}


def test_rows_that_a_crash_left_are_not_written_again(context: Any, store: _Store) -> None:
    arrived = _arrived(store, "incoming/a.csv", _numbered(250))
    transact = store.transact

    def crash(call: dict[str, Any]) -> dict[str, Any]:
        transact(call)
        if len(store.batches) == 2:
            raise SystemExit("after the write, before the answer")
        return {}

    store.aws.on("TransactWriteItems", crash)
    with pytest.raises(SystemExit):
        content_router.handler(arrived, context)
    changed = max(store.rows)
    store.rows[changed]["name"] = {"S": "changed since"}
    store.batches.clear()
    store.aws.on("TransactWriteItems", store.transact)
    answer = content_router.handler(arrived, context)
    assert answer["loaded"] == len(store.rows) == 250
    assert store.rows[changed]["name"] == {"S": "changed since"}
    assert store.batches == [100, 100, 50]


def test_of_a_batch_only_the_missing_rows_are_written(context: Any, store: _Store) -> None:
    arrived = _arrived(store, "incoming/a.csv", _numbered(40))
    content_router.handler(arrived, context)
    del store.held[_REPORTS, "imports/a.csv.json"]
    for key in sorted(store.rows)[10:15]:
        del store.rows[key]
    store.batches.clear()
    assert content_router.handler(arrived, context)["loaded"] == 40
    assert (store.batches, len(store.rows)) == ([40, 5], 40)


def test_a_new_version_of_a_file_is_another_import(context: Any, store: _Store) -> None:
    first = _arrived(store, "incoming/a.csv", _CSV)
    content_router.handler(first, context)
    second = _arrived(store, "incoming/a.csv", _CSV.replace("d,4", "e,4"))
    second["detail"]["object"] |= {"sequencer": "11", "version-id": "second"}
    content_router.handler(second, context)
    assert sorted(store.names()) == ["a", "a", "d", "e"]
    assert store.result("imports/a.csv.json")["versionId"] == "second"
    # The first one's event, late and once more: its content is no longer there.
    assert content_router.handler(first, context) == _SKIPPED


def test_an_older_event_is_skipped(context: Any, store: _Store) -> None:
    arrived = _arrived(store, "incoming/a.csv", _CSV)
    content_router.handler(arrived, context)
    arrived["detail"]["object"]["sequencer"] = "0F"
    assert content_router.handler(arrived, context) == _SKIPPED


def test_an_object_that_is_gone_is_skipped(context: Any, store: _Store) -> None:
    assert content_router.handler(_event("incoming/gone.csv", "x"), context) == _SKIPPED


@pytest.mark.parametrize("code", ["NoSuchKey", "PreconditionFailed"])
def test_an_object_replaced_between_looking_and_reading_is_skipped(
    context: Any, store: _Store, code: str
) -> None:
    arrived = _arrived(store, "incoming/a.csv", _CSV)
    get = store.aws.answers["GetObject"]

    def replaced(call: dict[str, Any]) -> dict[str, Any]:
        if call["Bucket"] == _UPLOADS:
            raise AwsError(code, status=412)
        return get(call)

    store.aws.on("GetObject", replaced)
    assert content_router.handler(arrived, context) == _SKIPPED
    assert store.rows == {}


@pytest.mark.parametrize("rows", [250, 3000])
def test_an_import_that_runs_out_of_time_goes_on_where_it_was(store: _Store, rows: int) -> None:
    header, *good = _numbered(rows).splitlines(keepends=True)
    # A wrong row, and an empty one, before the first batch ends: counted once.
    arrived = _arrived(store, "incoming/a.csv", "".join([header, "x,x\n", "\n", *good]))
    with pytest.raises(OutOfTime):
        content_router.handler(arrived, Context(300, then=20))
    told = store.result("imports/a.csv.json")
    assert (told["state"], told["row"], told["loaded"]) == ("interrupted", 102, 100)
    with pytest.raises(OutOfTime):
        content_router.handler(arrived, Context(300, then=20))
    answer = content_router.handler(arrived, Context())
    assert answer == {"route": "csv", "loaded": rows, "skipped": 1, "refusedCount": 1}
    assert len(store.rows) == rows
    assert sum(store.batches) == rows, "no row was written twice"
    assert [entry["row"] for entry in store.result("imports/a.csv.json")["refused"]] == [1]


def test_the_clock_is_looked_at_when_no_row_is_good(store: _Store) -> None:
    arrived = _arrived(store, "incoming/a.csv", "name,price\n" + "x,x\n" * 1500)
    with pytest.raises(OutOfTime):
        content_router.handler(arrived, Context(300, then=20))
    told = store.result("imports/a.csv.json")
    assert (told["row"], told["refusedCount"], len(told["refused"])) == (1000, 1000, 100)


def test_rows_that_others_hold_are_tried_again(context: Any, store: _Store) -> None:
    answers: list[Any] = [
        _cancelled(["TransactionConflict", "None"]),
        _cancelled(["None", "ThrottlingError"]),
    ]

    def conflict(call: dict[str, Any]) -> dict[str, Any]:
        if answers:
            raise answers.pop()
        return store.transact(call)

    store.aws.on("TransactWriteItems", conflict)
    arrived = _arrived(store, "incoming/a.csv", _CSV)
    assert content_router.handler(arrived, context)["loaded"] == 2


@pytest.mark.parametrize(
    "error",
    [
        _cancelled(["TransactionConflict", "None"]),
        _cancelled(["ValidationError", "None"]),
        AwsError("ThrottlingException"),
        AwsError("AccessDeniedException"),
    ],
)
def test_a_table_that_takes_nothing_fails_the_invocation(
    context: Any, store: _Store, error: AwsError
) -> None:
    store.aws.fail("TransactWriteItems", error)
    with pytest.raises(ClientError):
        content_router.handler(_arrived(store, "incoming/a.csv", _CSV), context)
    assert store.keys(_REPORTS) == []


def test_a_content_that_broke_off_is_tried_again(context: Any, store: _Store) -> None:
    arrived = _arrived(store, "incoming/a.csv", _CSV)
    get = store.aws.answers["GetObject"]

    def half(call: dict[str, Any]) -> dict[str, Any]:
        if call["Bucket"] != _UPLOADS:
            return get(call)
        data = _CSV.encode()
        return {"Body": StreamingBody(io.BytesIO(data[:30]), len(data))}

    store.aws.on("GetObject", half)
    with pytest.raises(IncompleteReadError):
        content_router.handler(arrived, context)
    assert store.keys(_REPORTS) == []


class _Endless(io.RawIOBase):
    """A CSV file made while it is read."""

    def __init__(self, row: bytes, size: int) -> None:
        self._row, self._left = row, size
        self._start = b"name,price\n"

    def read(self, amount: int | None = -1) -> bytes:
        assert amount is not None
        assert amount > 0, "was read whole"
        piece = self._start + self._row * (amount // len(self._row) + 1)
        self._start = b""
        piece = piece[: min(amount, self._left)]
        self._left -= len(piece)
        return piece


_LARGE = {
    "wrong rows": b"x" * 900 + b",1\n",
    "one line": b"x" * 1000,
    "one row": b'"' + (b"x" * 500 + b"\n") * 9 + b'",',
}


@pytest.mark.parametrize("row", _LARGE.values(), ids=_LARGE)
def test_a_large_file_takes_little_memory(context: Any, store: _Store, row: bytes) -> None:
    size = 4_000_000
    # The clients are made with their first call, and are none of the file's memory.
    content_router.handler(_arrived(store, "incoming/first.csv", _CSV), context)
    arrived = _arrived(store, "incoming/a.csv", "x")
    get = store.aws.answers["GetObject"]

    def large(call: dict[str, Any]) -> dict[str, Any]:
        if call["Bucket"] != _UPLOADS:
            return get(call)
        return {"Body": StreamingBody(_Endless(row, size), size)}

    store.aws.on("GetObject", large)
    tracemalloc.start()
    try:
        content_router.handler(arrived, context)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size / 2


_KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


@given(rest=_KEYS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_key_is_loaded_under_its_own_name_or_refused(store: _Store, rest: str) -> None:
    store.held.clear()
    arrived = _arrived(store, f"incoming/{rest}", _CSV)
    try:
        content_router.handler(arrived, Context())
    except Refused:
        assert {".", ".."} & set(rest.split("/")) or rest.endswith("/")
        return
    assert store.keys(_REPORTS) == [f"imports/{rest}.json"]
    assert store.result(f"imports/{rest}.json")["key"] == f"incoming/{rest}"


def test_the_moment_of_an_import_is_that_of_the_upload(context: Any, store: _Store) -> None:
    content_router.handler(_arrived(store, "incoming/a.csv", _CSV), context)
    milliseconds = int(min(store.rows).replace("-", "")[:12], 16)
    assert milliseconds == int(MOMENT.timestamp() * 1000)


def test_rows_are_counted_once_though_the_import_takes_two_attempts(
    context: Any, store: _Store, measured: Any, daemon: Any
) -> None:
    arrived = _arrived(store, "incoming/many.csv", _numbered(250) + "wrong,x\n")
    with pytest.raises(OutOfTime):
        content_router.handler(arrived, Context(seconds=60, then=20))
    first = measured()
    assert first["RowsImported"] == 100
    told = {"loaded": 100, "skipped": 0, "refusedCount": 0}
    assert daemon.steps()["import rows"] == {"correlation_id": context.aws_request_id, **told}
    content_router.handler(arrived, context)
    second = measured()
    assert (second["RowsImported"], second["RowsRefused"]) == (150, 1)


def test_a_picture_is_handed_over_with_what_it_belongs_to(context: Any, store: _Store) -> None:
    content_router.handler(_arrived(store, "incoming/a.png", b"x", "image/png"), context)
    ((_, call),) = [call for call in store.aws.calls if call[0] == "Invoke"]
    assert json.loads(call["Payload"])["correlationId"] == context.aws_request_id
