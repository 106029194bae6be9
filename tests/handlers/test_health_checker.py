"""Everything is looked at, what is down is named, and the log line is one that CloudWatch reads."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import health_checker
import pytest

from common import logs
from common.records import ForeignEventError
from tests.handlers.conftest import Context
from tests.handlers.fakes import AwsError


class _Api(BaseHTTPRequestHandler):
    status = 200
    asked: list[str] = []  # noqa: RUF012 - of the one server of a test

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response_only(self.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Api]]:
    """An API whose address is API_URL."""
    handler = type("_Fresh", (_Api,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("API_URL", f"http://127.0.0.1:{server.server_port}/dev/")
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def world(aws: Any, api: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A table, a bucket and two queues that answer."""
    monkeypatch.setenv("ORDERS_QUEUE_URL", "https://sqs.example/orders")
    monkeypatch.setenv("EVENTS_FAILURES_QUEUE_URL", "https://sqs.example/failures")
    depths = {"https://sqs.example/orders": "3", "https://sqs.example/failures": "0"}
    aws.on("GetItem", lambda _: {})
    aws.on("ListObjectsV2", lambda _: {"KeyCount": 0})
    aws.on(
        "GetQueueAttributes",
        lambda call: {"Attributes": {"ApproximateNumberOfMessages": depths[call["QueueUrl"]]}},
    )
    return aws


def test_everything_that_answers_is_healthy(event: Any, context: Any, api: Any) -> None:
    answer = health_checker.handler(event("schedule"), context)
    assert answer["healthy"] is True
    names = ["table", "bucket", "queue events-failures", "queue orders", "api"]
    assert list(answer["checks"]) == names
    assert all(check["up"] for check in answer["checks"].values())
    assert answer["queues"] == {"events-failures": 0, "orders": 3}
    assert api.asked == ["/dev/health"]
    json.dumps(answer)


def test_the_log_line_declares_each_metric_that_it_holds(context: Any, lines: Any) -> None:
    health_checker.handler({}, context)
    (line,) = lines()
    (declared,) = line["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "Sandpiper/Health"
    assert declared["Dimensions"] == [["Stack"]]
    names = {metric["Name"] for metric in declared["Metrics"]}
    head = set(logs.head("", "", 0))
    assert head < set(line)
    assert names == set(line) - {"_aws", "Stack"} - head
    assert len(names) <= 100  # CloudWatch reads no more from a line
    assert all(isinstance(line[name], int | float) for name in names)
    assert (line["Down"], line["TableUp"], line["QueueOrdersDepth"]) == (0, 1, 3)


@pytest.mark.parametrize(
    ("operation", "down"),
    [
        ("GetItem", "table"),
        ("ListObjectsV2", "bucket"),
        ("GetQueueAttributes", "queue events-failures, queue orders"),
    ],
)
def test_what_is_down_is_named_after_everything_was_looked_at(
    context: Any, aws: Any, api: Any, lines: Any, operation: str, down: str
) -> None:
    aws.fail(operation, AwsError("ServiceUnavailable", status=503))
    with pytest.raises(RuntimeError, match=f"^down: {down}$"):
        health_checker.handler({}, context)
    assert api.asked
    measured = [line for line in lines() if "_aws" in line]
    assert measured[0]["Down"] == len(down.split(","))


def test_one_number_says_whether_all_is_well(context: Any, aws: Any, measured: Any) -> None:
    health_checker.handler({}, context)
    assert measured() == {"Healthy": 1}
    aws.fail("GetItem", AwsError("ServiceUnavailable", status=503))
    with pytest.raises(RuntimeError):
        health_checker.handler({}, context)
    assert measured() == {"Healthy": 0}


def test_the_lines_metrics_pass_a_filter_of_levels(
    context: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    health_checker.handler({}, context)
    (line,) = lines()
    assert line["level"] == "ERROR"
    assert line["Down"] == 0


@pytest.mark.parametrize("status", [301, 404, 500, 503])
def test_an_api_that_answers_anything_but_200_is_down(context: Any, api: Any, status: int) -> None:
    api.status = status
    with pytest.raises(RuntimeError, match="down: api"):
        health_checker.handler({}, context)


def test_an_api_that_nobody_answers_for_is_down(
    context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_URL", "http://127.0.0.1:9/dev")
    with pytest.raises(RuntimeError, match="down: api"):
        health_checker.handler({}, context)


def test_what_never_answers_is_down_and_the_line_is_written_in_time(
    aws: Any, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()
    for operation in ("GetItem", "ListObjectsV2", "GetQueueAttributes"):
        aws.on(operation, lambda _: {"answered": answered.wait(10)})
    monkeypatch.setattr(health_checker, "_ask_api", lambda: answered.wait(10) and None)
    started = time.monotonic()
    with pytest.raises(
        RuntimeError, match=r"^down: table, bucket, queue events-failures, queue orders, api$"
    ):
        health_checker.handler({}, Context(1))
    assert 0.4 < time.monotonic() - started < 0.9
    answered.set()
    *told, measured = lines()
    assert (measured["Down"], measured["ApiUp"], measured["ApiTime"]) == (
        5,
        0,
        pytest.approx(500, 0.1),
    )
    assert len(told) == 5
    assert all("no answer within 0.5 s" in json.dumps(line) for line in told)


def test_what_answers_counts_while_something_else_hangs(aws: Any, lines: Any) -> None:
    answered = threading.Event()
    aws.on("ListObjectsV2", lambda _: {"answered": answered.wait(10)})
    with pytest.raises(RuntimeError, match=r"^down: bucket$"):
        health_checker.handler({}, Context(1))
    answered.set()
    measured = lines()[-1]
    assert (measured["Down"], measured["TableUp"], measured["QueueOrdersDepth"]) == (1, 1, 3)


def test_all_is_asked_at_once_by_few_threads(
    context: Any, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        monkeypatch.setenv(f"Q{number}_QUEUE_URL", f"https://sqs.example/{number}")
    before, most = threading.active_count(), [0]

    def answer(_: Any) -> dict[str, Any]:
        most[0] = max(most[0], threading.active_count() - before)
        time.sleep(0.05)
        return {"Attributes": {"ApproximateNumberOfMessages": "1"}}

    aws.on("GetQueueAttributes", answer)
    started = time.monotonic()
    assert len(health_checker.handler({}, context)["queues"]) == 22
    assert time.monotonic() - started < 22 * 0.05
    assert 1 < most[0] <= health_checker._THREADS + 1  # and the API's own


@pytest.mark.parametrize(("left", "waits"), [(300, 20), (30, 20), (10, 8), (3, 1.5), (0.2, 0.1)])
def test_the_checks_end_before_the_function_does(left: float, waits: float) -> None:
    assert health_checker._patience(Context(left)) == pytest.approx(waits, abs=0.05)


def test_nothing_to_look_at_is_no_health(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ITEMS_TABLE", "UPLOADS_BUCKET", "API_URL"):
        monkeypatch.delenv(name)
    for name in ("ORDERS_QUEUE_URL", "EVENTS_FAILURES_QUEUE_URL"):
        monkeypatch.delenv(name)
    with pytest.raises(LookupError, match="nothing to check"):
        health_checker.handler({}, context)


def test_what_no_schedule_sends_is_refused(event: Any, context: Any, aws: Any) -> None:
    with pytest.raises(ForeignEventError):
        health_checker.handler(event("sqs_notifications"), context)
    assert aws.calls == []
