"""Steps of the work as X-Ray's subsegments: right where the invocation is sampled, else nothing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import botocore.config
import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from common import correlation, http, logs, outbound, queues, segments, segments_aws, tracing

_ROOT, _PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
_SAMPLED = f"Root={_ROOT};Parent={_PARENT};Sampled=1;Lineage=a87bd80c:0"


class Daemon:
    """X-Ray's daemon: what it received."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0)  # loopback delivers before sendto returns
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def received(self) -> list[dict[str, Any]]:
        found = []
        while True:
            try:
                head, _, document = self._socket.recv(65_535).partition(b"\n")
            except BlockingIOError:
                return found
            assert json.loads(head) == {"format": "json", "version": 1}
            found.append(json.loads(document))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A sampled invocation, and who is told of it."""
    made = Daemon()
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", made.address)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", _SAMPLED)
    yield made
    made.close()


@pytest.fixture
def invocation(context: Any) -> None:
    logs.begin(context, correlation_id="c-1")


def test_steps_are_told_from_the_inside_out(daemon: Daemon, invocation: None) -> None:
    with tracing.step("order", state="placed", rows=3, first=True, share=0.5, none=""):
        with tracing.step("resize"):
            tracing.annotate(picture="large")
        tracing.annotate(done=2)
    inner, outer = daemon.received()
    assert (inner["trace_id"], inner["type"], inner["name"]) == (_ROOT, "subsegment", "resize")
    assert inner["annotations"] == {"correlation_id": "c-1", "picture": "large"}
    assert outer["annotations"] == {
        "correlation_id": "c-1",
        "state": "placed",
        "rows": 3,
        "first": True,
        "share": 0.5,
        "done": 2,
    }
    assert (outer["parent_id"], inner["parent_id"]) == (_PARENT, outer["id"])
    assert outer["start_time"] <= inner["start_time"] <= inner["end_time"] <= outer["end_time"]
    assert {len(each["id"]) for each in (inner, outer)} == {16}
    assert not {"fault", "error", "cause"} & {*inner, *outer}


def test_an_exception_that_was_answered_is_told_with_its_cause(
    daemon: Daemon, context: Any
) -> None:
    @http.endpoint
    def handler(_: http.Request) -> http.Answer:
        raise KeyError("lamp")

    assert handler({"requestContext": {"requestId": "abc"}}, context)["statusCode"] == 500
    (told,) = daemon.received()
    assert (told["name"], told["fault"]) == ("exception", True)
    assert told["cause"]["exceptions"][0]["type"] == "KeyError"


UNSAMPLED = {
    "not sampled": f"Root={_ROOT};Parent={_PARENT};Sampled=0",
    "nobody decided": f"Root={_ROOT};Parent={_PARENT}",
    "undecided": f"Root={_ROOT};Parent={_PARENT};Sampled=?",
    "no parent": f"Root={_ROOT};Sampled=1",
    "no root": f"Parent={_PARENT};Sampled=1",
    "an odd root": f"Root=1-2-3;Parent={_PARENT};Sampled=1",
    "an odd parent": f"Root={_ROOT};Parent=x;Sampled=1",
    "nearly": f"Root={_ROOT};Parent={_PARENT};Sampled=10",
    "odd": ";;=;Sampled=1;Root",
    "nothing": "",
}


@pytest.mark.parametrize("kind", UNSAMPLED)
def test_what_is_not_sampled_is_not_told(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", UNSAMPLED[kind])
    with tracing.step("order"), tracing.remote("POST", "https://example.com/"):
        tracing.annotate(a=1)
        tracing.answered(500)
        assert tracing.header() == ""
    assert daemon.received() == []


def test_where_nothing_is_sampled_nothing_is_imported_for_it() -> None:
    probe = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from common import tracing, logs\n"
        "with tracing.step('x'): tracing.annotate(a=1)\n"
        "print([name for name in ('common.segments', 'socket') if name in sys.modules])"
    )
    handlers = Path(__file__).parents[2] / "handlers"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", probe, str(handlers)],
        capture_output=True,
        text=True,
        check=True,
        env={
            "_X_AMZN_TRACE_ID": UNSAMPLED["not sampled"],
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
        },
    )
    assert done.stdout == "[]\n"


def test_a_step_of_an_earlier_invocation_has_no_part_in_this_one(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "1-5759e988-ffffffffffffffffffffffff"
    with tracing.step("left open"):
        monkeypatch.setenv("_X_AMZN_TRACE_ID", _SAMPLED.replace(_ROOT, other))
        with tracing.step("new"):
            pass
    new, _ = daemon.received()
    assert (new["trace_id"], new["parent_id"]) == (other, _PARENT)


def test_an_exception_is_told_once_and_passes(daemon: Daemon, invocation: None) -> None:
    logs.hide("canary-secret")
    with (
        pytest.raises(ValueError, match="canary"),
        tracing.step("order"),
        tracing.step("resize"),
    ):
        raise ValueError("canary-secret of a@example.com is 7")
    inner, outer = daemon.received()
    (told,) = inner["cause"]["exceptions"]
    assert (told["type"], told["message"], told["remote"]) == (
        "ValueError",
        "*** of *** is 7",
        False,
    )
    assert told["stack"][0]["path"] == "test_tracing.py"
    assert told["stack"][0]["label"] == "test_an_exception_is_told_once_and_passes"
    assert inner["fault"] is outer["fault"] is True
    assert outer["cause"] == told["id"]


@pytest.mark.parametrize(
    ("status", "found"),
    [(404, {"error": True}), (503, {"fault": True}), (429, {"error": True, "throttle": True})],
)
def test_a_problem_is_whose_fault_its_status_says(
    daemon: Daemon, status: int, found: dict[str, bool]
) -> None:
    problem = http.Problem(404, "x")
    problem.status = status
    with pytest.raises(http.Problem), tracing.step("order"):
        raise problem
    (told,) = daemon.received()
    assert {name: told[name] for name in ("error", "fault", "throttle") if name in told} == found


ODD: dict[str, Callable[[], Any]] = {
    "a name of anything": lambda: tracing.step("a\n<b>\x00" + "c" * 500),
    "no name": lambda: tracing.step("***"),
    "odd annotations": lambda: tracing.step("x", **{"a b-ä": "ä" * 5000, "n": float("nan")}),
    "many annotations": lambda: tracing.step("x", **{f"a{n}": n for n in range(500)}),
    "a URL that is none": lambda: tracing.remote("GET", "http://[::"),
    "half a surrogate pair": lambda: tracing.step("x", half="\ud800"),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_x_ray_would_refuse_is_made_fit(daemon: Daemon, kind: str) -> None:
    with ODD[kind]():
        pass
    (told,) = daemon.received()
    assert 0 < len(told["name"]) <= 200
    assert set("\n\x00<>*") & set(told["name"]) == set()
    assert len(told["annotations"]) <= 50
    assert all(name.isascii() and name.replace("_", "a").isalnum() for name in told["annotations"])
    assert all(len(v) <= 1000 for v in told["annotations"].values() if isinstance(v, str))


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1:port", "127.0.0.1:99999999", ":::"])
def test_a_daemon_that_cannot_be_told_is_no_trouble(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    with tracing.step("order"):
        pass
    with monkeypatch.context() as patched:
        patched.setattr(segments, "socket", None)
        with tracing.step("order"):
            pass


def test_an_address_may_name_both_protocols(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"tcp:127.0.0.1:1 udp:{daemon.address}")
    with tracing.step("order"):
        pass
    assert len(daemon.received()) == 1


def test_a_document_that_fits_no_datagram_goes_without_annotations(daemon: Daemon) -> None:
    with tracing.step("order", **{f"a{number}": "ä" * 1000 for number in range(50)}):
        pass
    (told,) = daemon.received()
    assert told["name"] == "order"
    assert "annotations" not in told


def test_a_deep_stack_and_a_long_text_are_cut(daemon: Daemon) -> None:
    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        raise ValueError("x" * 100_000)

    with pytest.raises(ValueError, match="x"), tracing.step("order"):
        deep(500)
    (told,) = daemon.received()
    assert told["fault"] is True
    (cause,) = told["cause"]["exceptions"]
    assert (len(cause["message"]), len(cause["stack"])) == (1000, 30)


def test_threads_go_on_below_the_step_that_began_them(daemon: Daemon, invocation: None) -> None:
    class Thing:
        correlation_id = "c-2"

    def work(_: object) -> None:
        with tracing.step("row"):
            pass

    with tracing.step("rows"):
        queues.at_once(work, [Thing() for _ in range(20)])
    *rows, above = daemon.received()
    assert [row["parent_id"] for row in rows] == [above["id"]] * 20
    assert {row["annotations"]["correlation_id"] for row in rows} == {"c-2"}


class Answers(BaseHTTPRequestHandler):
    """An AWS that answers as it is told to, and keeps what it was asked."""

    def do_POST(self) -> None:
        server: Any = self.server
        self.rfile.read(int(self.headers["Content-Length"]))
        server.asked.append(dict(self.headers))
        status, body = server.answers.pop(0)
        self.send_response(status)
        self.send_header("x-amzn-RequestId", "request-7")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    made: Any = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made.asked, made.answers = [], []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def client_of(url: str) -> Any:
    """A DynamoDB client as `common.aws` makes one, without pauses between its attempts."""
    session = botocore.session.get_session()
    session.set_credentials("test", "test")
    retries = {"total_max_attempts": 3, "mode": "standard"}
    config = botocore.config.Config(retries=retries, connect_timeout=1, read_timeout=2)
    return session.create_client(
        "dynamodb", region_name="us-west-2", endpoint_url=url, config=config
    )


@pytest.fixture
def dynamodb(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("time.sleep", lambda _: None)
    client = client_of(f"http://127.0.0.1:{server.server_port}")
    segments_aws.record(client)
    return client


def test_a_call_of_aws_is_a_subsegment(
    daemon: Daemon, dynamodb: Any, server: Any, invocation: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "sandpiper-dev-get-item")
    server.answers = [(200, b"{}")]
    with tracing.step("order"):
        dynamodb.get_item(TableName="items", Key={"id": {"S": "canary"}})
    call, step = daemon.received()
    assert (call["name"], call["namespace"], call["parent_id"]) == ("dynamodb", "aws", step["id"])
    assert call["aws"] == {
        "operation": "GetItem",
        "region": "us-west-2",
        "table_name": "items",
        "request_id": "request-7",
        "retries": 0,
    }
    assert call["http"] == {"response": {"status": 200}}
    assert "canary" not in json.dumps(call)
    (asked,) = server.asked
    # botocore alone would send Lambda's own header on; what the call causes belongs below the call.
    parts = dict(part.split("=", 1) for part in asked["X-Amzn-Trace-Id"].split(";"))
    assert parts == {
        "Root": _ROOT,
        "Parent": call["id"],
        "Sampled": "1",
        "Lineage": "a87bd80c:0",
    }
    assert "trace" not in asked["Authorization"].lower()


def _refusal(code: str) -> bytes:
    name = f"com.amazonaws.dynamodb.v20120810#{code}"
    return json.dumps({"__type": name, "message": "not of a@example.com"}).encode()


@pytest.mark.parametrize(
    ("code", "status", "found"),
    [
        ("ConditionalCheckFailedException", 400, {"error": True}),
        ("ProvisionedThroughputExceededException", 400, {"error": True, "throttle": True}),
        ("InternalServerError", 500, {"fault": True}),
    ],
)
def test_what_aws_refuses_is_told_as_x_ray_calls_it(
    daemon: Daemon, dynamodb: Any, server: Any, code: str, status: int, found: dict[str, bool]
) -> None:
    server.answers = [(status, _refusal(code))] * 3
    with pytest.raises(ClientError):
        dynamodb.put_item(TableName="items", Item={"id": {"S": "1"}})
    (call,) = daemon.received()
    assert {name: call[name] for name in ("error", "fault", "throttle") if name in call} == found
    assert call["aws"]["retries"] == len(server.asked) - 1
    (told,) = call["cause"]["exceptions"]
    assert (told["type"], told["message"], told["remote"]) == (code, "not of ***", True)


def test_a_service_that_cannot_be_reached_is_told(
    daemon: Daemon, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    client = client_of("http://127.0.0.1:1")
    segments_aws.record(client)
    with pytest.raises(EndpointConnectionError):
        client.get_item(TableName="items", Key={"id": {"S": "1"}})
    (call,) = daemon.received()
    assert call["fault"] is True
    assert call["cause"]["exceptions"][0]["type"] == "EndpointConnectionError"


def test_a_call_that_is_not_sampled_keeps_lambdas_own_header(
    daemon: Daemon, dynamodb: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "sandpiper-dev-get-item")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", UNSAMPLED["not sampled"])
    server.answers = [(200, b"{}")]
    dynamodb.get_item(TableName="items", Key={"id": {"S": "1"}})
    assert daemon.received() == []
    assert server.asked[0]["X-Amzn-Trace-Id"] == UNSAMPLED["not sampled"]


@pytest.mark.parametrize(("status", "fault"), [(200, None), (502, True)])
def test_a_call_of_a_stranger_tells_neither_path_nor_trace(
    daemon: Daemon, server: Any, status: int, fault: bool | None
) -> None:
    server.answers = [(status, b"")]
    target = outbound.Target(f"http://localhost:{server.server_port}/hook/canary?key=canary", True)
    outbound.post(target, b"{}", {}, seconds=5)
    for kept in outbound._kept:
        kept.link.close()
    outbound._kept.clear()
    (call,) = daemon.received()
    assert (call["name"], call["namespace"]) == ("localhost", "remote")
    assert call["http"]["response"] == {"status": status}
    assert call.get("fault") is fault
    assert "canary" not in json.dumps(call)
    assert "X-Amzn-Trace-Id" not in server.asked[0]


def test_a_correlation_id_of_a_record_is_its_steps(daemon: Daemon, invocation: None) -> None:
    with correlation.carried("c-3"), tracing.step("row"):
        pass
    assert daemon.received()[0]["annotations"] == {"correlation_id": "c-3"}
