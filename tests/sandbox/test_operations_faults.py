"""Faults at a chosen call: real ends of environments, a service's own errors, and never once more than asked for."""

from __future__ import annotations

import http.server
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sandbox.box import Box
from sandbox.errors import Mistake
from sandbox.workers import faults
from tests.sandbox.operations_support import running

WRITER = """
    import os
    import boto3
    from botocore.exceptions import ClientError

    client = boto3.client("dynamodb")

    def handler(event, context):
        try:
            for row in event["ids"]:
                client.put_item(TableName=os.environ["TABLE"], Item={"id": {"S": row}})
        except client.exceptions.ProvisionedThroughputExceededException as error:
            return {"slowed": error.response["Error"]["Code"]}
        except ClientError as error:
            return {"refused": error.response["ResponseMetadata"]["HTTPStatusCode"]}
        return {"written": len(event["ids"])}
"""
CALLER = """
    import http.client
    import boto3
    from botocore.config import Config

    impatient = boto3.client("dynamodb", config=Config(read_timeout=0.2, retries={"max_attempts": 0}))

    def handler(event, context):
        try:
            if event.get("port"):
                connection = http.client.HTTPConnection("127.0.0.1", event["port"])
                connection.request("POST", "/", "{}")
                return {"status": connection.getresponse().status}
            impatient.list_tables()
        except Exception as error:
            return {"failed": type(error).__name__}
        return {}
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    root = tmp_path_factory.mktemp("faults")
    with running(root, {"writer": WRITER, "caller": CALLER}) as box:
        yield box


@pytest.fixture(autouse=True)
def _nothing_is_left(stack: Box) -> Iterator[None]:
    yield
    stack.clear_faults()


def rows(stack: Box) -> set[str]:
    found = stack.client("dynamodb").scan(TableName=stack.outputs["rowsTable"], ConsistentRead=True)
    return {each["id"]["S"] for each in found["Items"]}


def write(stack: Box, *ids: str) -> Any:
    answer = stack.invoke("writer", {"ids": list(ids)})
    return answer.payload["errorMessage"] if answer.error else answer.payload


def test_environment_ends_after_the_write_and_before_the_answer(stack: Box) -> None:
    fault = stack.fault("writer", do="exit", after="dynamodb:PutItem")
    said = write(stack, "a1", "a2")
    assert said.endswith("Error: Runtime exited with error: exit status 1")
    assert rows(stack) & {"a1", "a2"} == {"a1"}
    assert (fault.fired, fault.left) == (1, 0)
    assert write(stack, "a1", "a2") == {"written": 2}


def test_environment_ends_before_the_write(stack: Box) -> None:
    stack.fault("writer", do="kill", before="dynamodb:PutItem", request="b2")
    assert write(stack, "b1", "b2").endswith("Runtime exited with error: signal: killed")
    assert rows(stack) & {"b1", "b2"} == {"b1"}


def test_environment_ends_when_all_is_done_but_the_answer(stack: Box) -> None:
    stack.fault("writer", after="handler")
    assert "exit status 1" in write(stack, "c1")
    assert "c1" in rows(stack)


def test_environment_ends_before_the_handler_begins(stack: Box) -> None:
    stack.fault("writer", before="handler")
    assert "exit status 1" in write(stack, "d1")
    assert "d1" not in rows(stack)


def test_only_events_that_hold_the_text_meet_it(stack: Box) -> None:
    fault = stack.fault("writer", after="dynamodb:PutItem", where="e-poison", times=2)
    assert write(stack, "e1") == {"written": 1}
    assert "exit status 1" in write(stack, "e-poison")
    assert (fault.fired, fault.left) == (1, 1)


def test_only_the_named_function_and_call_meet_it(stack: Box) -> None:
    others = [
        stack.fault("caller", after="dynamodb:PutItem"),
        stack.fault("writer", after="dynamodb:GetItem"),
        stack.fault("writer", after="sqs:*"),
    ]
    assert write(stack, "f1") == {"written": 1}
    assert [fault.fired for fault in others] == [0, 0, 0]


def test_every_function_and_every_call_of_a_service_meet_it(stack: Box) -> None:
    fault = stack.fault("*", do="unreachable", before="dynamodb:*", times=None)
    assert "Could not connect" in write(stack, "g1")
    assert stack.invoke("caller").payload == {"failed": "EndpointConnectionError"}
    assert (fault.fired, fault.left) == (2, None)


def test_throttling_is_the_services_own_error(stack: Box) -> None:
    stack.fault("writer", do="throttle", before="dynamodb:PutItem")
    assert write(stack, "h1") == {"slowed": "ProvisionedThroughputExceededException"}
    assert "h1" not in rows(stack)


@pytest.mark.parametrize(("when", "written"), [("before", set()), ("after", {"i1"})])
def test_refused_call_has_its_effect_only_where_the_answer_was_lost(
    stack: Box, when: str, written: set[str]
) -> None:
    ident = f"i1-{when}"
    stack.fault("writer", do="unavailable", **{when: "dynamodb:PutItem"})  # pyright: ignore[reportArgumentType]
    assert write(stack, ident) == {"refused": 503}
    assert rows(stack) & {ident} == {f"{each}-{when}" for each in written}


def test_slow_call_waits_and_a_client_gives_up_on_a_slower_one(stack: Box) -> None:
    stack.fault("writer", do="slow", before="dynamodb:PutItem", seconds=0.4)
    began = time.monotonic()
    assert write(stack, "j1") == {"written": 1}
    assert time.monotonic() - began > 0.4
    stack.fault("caller", do="slow", before="dynamodb:ListTables", seconds=60)
    assert stack.invoke("caller").payload == {"failed": "ReadTimeoutError"}


def test_call_slower_than_the_functions_timeout_ends_the_function(stack: Box) -> None:
    stack.fault("writer", do="slow", after="dynamodb:PutItem", seconds=50)
    assert write(stack, "k1").endswith("Task timed out after 2.00 seconds")
    assert "k1" in rows(stack)


class _Partner(http.server.BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 one server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Nothing is said of requests."""


def test_requests_of_the_handlers_own_meet_it(stack: Box) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Partner) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        event = {"port": server.server_port}
        stack.fault("caller", after="http:POST")
        assert stack.invoke("caller", event).error == "Unhandled"
        assert len(_Partner.asked) == 1
        stack.fault("caller", do="unreachable", before="http:*")
        assert stack.invoke("caller", event).payload == {"failed": "ConnectionRefusedError"}
        assert len(_Partner.asked) == 1
        # What an AWS client sends is no request of the handler's own.
        fault = stack.fault("caller", after="http:*")
        stack.invoke("caller")
        assert fault.fired == 0
        server.shutdown()


def test_it_happens_exactly_as_often_as_asked_for_whoever_meets_it(stack: Box) -> None:
    fault = stack.fault("writer", do="throttle", before="dynamodb:PutItem", times=7)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(write, stack, f"l{number}") for number in range(24)]
        answers = [call.result() for call in calls]
    assert sum("slowed" in answer for answer in answers) == 7
    assert len({ident for ident in rows(stack) if ident.startswith("l")}) == 17
    assert (fault.fired, fault.left) == (7, 0)


def test_cleared_faults_do_not_happen(stack: Box) -> None:
    with stack.fault("writer", after="handler") as fault:
        assert [str(each) for each in stack.faults()] == [
            "writer: exit after handler, happened 0, 1 left"
        ]
    assert stack.faults() == []
    assert (fault.fired, fault.left) == (0, 0)
    stack.fault("writer", after="handler")
    assert stack.clear_faults() == 1
    assert write(stack, "m1") == {"written": 1}


def test_trace_of_a_refused_call_names_no_file_of_the_sandbox(stack: Box) -> None:
    stack.fault("writer", do="unreachable", before="dynamodb:PutItem")
    answer = stack.invoke("writer", {"ids": ["n1"]})
    assert "faults.py" not in json.dumps(answer.payload)
    assert answer.payload["errorType"] == "EndpointConnectionError"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (
            {"function": "wirter"},
            "no function 'wirter'; did you mean 'writer'?",
        ),
        ({"do": "exti"}, "no fault 'exti'; did you mean 'exit'?"),
        ({"after": ""}, "a fault stands after or before one call: give one of the two"),
        ({"before": "handler"}, "a fault stands after or before one call: give one of the two"),
        ({"after": "dynamo:PutItem"}, "no service 'dynamo': named as boto3 names it"),
        (
            {"after": "dynamodb:PutItems"},
            "dynamodb has no call 'PutItems'; did you mean 'PutItem'?",
        ),
        ({"after": "dynamodb"}, "no call 'dynamodb': write it as `dynamodb:PutItem`"),
        ({"after": "http"}, "no call 'http': write `handler`, or `http:POST`"),
        ({"after": "handler:x"}, "no call 'handler:x': write `handler`"),
        ({"after": "handler", "do": "throttle"}, "throttle: only a call of AWS is refused so"),
        ({"times": 0}, "times: must be 1 or more (got 0)"),
        ({"seconds": -1}, "seconds: must be 0 or more (got -1)"),
    ],
)
def test_fault_that_cannot_be_is_one_line(stack: Box, wanted: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"function": "writer", "after": "dynamodb:PutItem", **wanted}
    with pytest.raises(Mistake) as caught:
        stack.fault(given.pop("function"), **given)
    assert str(caught.value).startswith(said)
    assert stack.faults() == []


def test_a_call_without_faults_costs_one_look_at_a_folder(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    began = time.perf_counter()
    assert all(faults.concerning("any", {"a": 1}) == [] for _ in range(1000))
    assert time.perf_counter() - began < 0.1

    def same(event: Any, _context: Any) -> Any:
        return event

    assert faults.around(same, []) is same
