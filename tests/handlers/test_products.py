"""The function in Node.js: products and orders, in both payload formats, and never an exception."""

from __future__ import annotations

import base64
import json
import re
import shutil
import socket
import subprocess
import time
import zlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from common import orders
from tests.handlers.node_layer import node_modules
from tests.handlers.partner import Partner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PRODUCTS = Path(__file__).parents[2] / "handlers" / "products"
_WORKER = Path(__file__).with_name("node_worker.mjs")
_ENVIRONMENT = {
    "AWS_LAMBDA_FUNCTION_NAME": "sandpiper-dev-products",
    "AWS_LAMBDA_FUNCTION_VERSION": "7",
    "SERVICE_NAME": "sandpiper",
}

Invoked = tuple[Any, list[dict[str, Any]]]
Invoke = "Callable[..., Invoked]"


@pytest.fixture(scope="module")
def worker() -> Iterator[subprocess.Popen[str]]:
    """One Node.js process for all tests, with the layer where Lambda has it: on NODE_PATH."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    with subprocess.Popen(
        [node, str(_WORKER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={"NODE_PATH": str(node_modules())},
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()
        assert process.wait(timeout=10) == 0


@pytest.fixture
def invoke(worker: subprocess.Popen[str]) -> Callable[..., Invoked]:
    """`invoke(event, LOG_LEVEL="WARN")`: what the handler answered, and its log lines."""

    def ask(event: Any, *, file: Path = _PRODUCTS / "index.mjs", **environment: str) -> Invoked:
        asked = {
            "file": str(file),
            "event": event,
            "context": {"awsRequestId": "lambda-1"},
            "environment": _ENVIRONMENT | environment,
        }
        assert worker.stdin
        assert worker.stdout
        worker.stdin.write(json.dumps(asked) + "\n")
        worker.stdin.flush()
        said = json.loads(worker.stdout.readline())
        for line in said["lines"]:
            assert line.count("\n") == 1
        return said["answer"], [json.loads(line) for line in said["lines"]]

    return ask


def _rest(method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Payload format 1.0, as a REST API sends it."""
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "requestContext": {"requestId": "api-1", "stage": "dev", "path": f"/dev{path}"},
        "body": body,
        "isBase64Encoded": False,
    }


def _url(method: str, path: str, body: Any = None, stage: str = "$default") -> dict[str, Any]:
    """Payload format 2.0, as a function URL sends it."""
    event = {
        "version": "2.0",
        "rawPath": path,
        "requestContext": {
            "requestId": "url-1",
            "stage": stage,
            "http": {"method": method, "path": path},
        },
        "isBase64Encoded": False,
    }
    return event if body is None else event | {"body": body}


def _balanced(method: str, path: str, body: Any = None) -> dict[str, Any]:
    """An event of a load balancer."""
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:r:a:tg/x/1"}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": {},
        "headers": {"accept": "*/*"},
        "body": body or "",
        "isBase64Encoded": False,
    }


def _order(*items: Any) -> str:
    return json.dumps({"items": items})


@pytest.mark.parametrize(
    "event",
    [
        _rest("GET", "/products"),
        _url("GET", "/products"),
        _url("GET", "/dev/products", stage="dev"),
        _rest("GET", "/dev/products"),
        _balanced("GET", "/products"),
    ],
    ids=["rest", "url", "http api with a stage", "http api in format 1.0", "load balancer"],
)
def test_products_are_listed_in_both_payload_formats(invoke: Any, event: Any) -> None:
    answer, (line,) = invoke(event)
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["message"]) == (200, "List of products")
    assert [product["id"] for product in body["products"]] == [
        "binoculars",
        "field-guide",
        "cord",
    ]
    assert answer["headers"] == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "X-Correlation-Id": line["correlation_id"],
    }


@pytest.mark.parametrize("path", ["/products", "/nothing"])
def test_a_load_balancer_gets_an_answer_in_the_shape_it_asks_for(invoke: Any, path: str) -> None:
    plain, _ = invoke(_balanced("GET", path))
    assert plain["isBase64Encoded"] is False
    assert "multiValueHeaders" not in plain
    event = _balanced("GET", path)
    event["multiValueHeaders"] = {"accept": ["*/*"]}
    del event["headers"]
    lists, _ = invoke(event)
    assert "headers" not in lists
    assert lists["multiValueHeaders"] == {k: [v] for k, v in plain["headers"].items()}
    ordinary, _ = invoke(_rest("GET", path))
    assert set(ordinary) == {"statusCode", "headers", "body"}


@pytest.mark.parametrize("path", ["//products", "/undefined/products"])
def test_a_load_balancer_has_no_stage_in_front_of_its_paths(invoke: Any, path: str) -> None:
    answer, _ = invoke(_balanced("GET", path))
    assert answer["statusCode"] == 404


@pytest.mark.parametrize("form", [_rest, _url, _balanced])
def test_an_order_is_answered_as_it_was_sent(invoke: Any, form: Any) -> None:
    order = {"customer": "Ä 🦩", "gift": True, "__proto__": {"a": 1}, "total": "0"}
    answer, _ = invoke(form("POST", "/orders", json.dumps(order)))
    assert answer["statusCode"] == 201
    assert json.loads(answer["body"]) == {"message": "Order created", "order": order}


@pytest.mark.parametrize(
    ("items", "total"),
    [
        ([("cord", 7)], "1.02"),
        ([("cord", 1), ("cord", 6)], "1.02"),
        ([("binoculars", 1), ("field-guide", 2), ("cord", 7)], "180.82"),
        ([("binoculars", 1000)] * 100, "12990000.00"),
    ],
)
def test_the_total_is_exact(invoke: Any, items: list[tuple[str, int]], total: str) -> None:
    """Seven times 0.145 is 1.015, which floating point holds as a little less and rounds down."""
    listed = [{"id": product, "quantity": quantity} for product, quantity in items]
    answer, _ = invoke(_url("POST", "/orders", _order(*listed)))
    assert (answer["statusCode"], json.loads(answer["body"])["total"]) == (201, total)


def test_what_is_not_in_the_list_costs_what_the_order_says(invoke: Any) -> None:
    items = [
        {"id": "lamp", "quantity": 3, "price": "19.90"},
        {"id": "bulb", "quantity": 1, "price": 0.1},
    ]
    answer, _ = invoke(_url("POST", "/orders", _order(*items)))
    assert (answer["statusCode"], json.loads(answer["body"])["total"]) == (201, "59.80")


def test_what_is_in_the_list_costs_what_the_list_says(invoke: Any) -> None:
    item = {"id": "binoculars", "quantity": 1, "price": "0.01"}
    answer, _ = invoke(_url("POST", "/orders", _order(item)))
    assert json.loads(answer["body"])["total"] == "129.90"


def _problem(answer: dict[str, Any], status: int, title: str) -> dict[str, Any]:
    body = json.loads(answer["body"])
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert (answer["statusCode"], body["status"], body["title"]) == (status, status, title)
    assert body["type"] == "about:blank"
    return body


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (None, "The request has no body."),
        ("  ", "The request has no body."),
        ("{", "The body is not valid JSON."),
        ("{'a': 1}", "The body is not valid JSON."),
        ("NaN", "The body is not valid JSON."),
        ("[]", "The body must be a JSON object."),
        ("null", "The body must be a JSON object."),
        ('"text"', "The body must be a JSON object."),
        ("7", "The body must be a JSON object."),
        ('{"a":' * 33 + "1" + "}" * 33, "The body is nested too deeply."),
        ("[" * 30_000 + "]" * 30_000, "The body is nested too deeply."),
        ('{"a":"' + "x" * 65_536 + '"}', "The body is longer than 65536 characters."),
        (7, "The request has no body."),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_body_that_is_no_order_is_a_400(invoke: Any, body: Any, detail: str) -> None:
    answer, _ = invoke(_url("POST", "/orders", body))
    assert _problem(answer, 400, "Bad Request")["detail"] == detail


def test_a_body_as_deep_as_is_allowed_is_answered(invoke: Any) -> None:
    answer, _ = invoke(_url("POST", "/orders", '{"a":' * 32 + "1" + "}" * 32))
    assert answer["statusCode"] == 201


_NO_PRICE = "must be a price of at most 4 decimals, unless the product is in the list"
_NO_LIST = {"pointer": "/items", "detail": "must be a list of 1 to 100 items"}


@pytest.mark.parametrize(
    ("items", "errors"),
    [
        (None, [_NO_LIST]),
        ({}, [_NO_LIST]),
        ([], [_NO_LIST]),
        ([{"id": "cord", "quantity": 1}] * 101, [_NO_LIST]),
        (["cord"], [{"pointer": "/items/0", "detail": "must be an object"}]),
        ([None], [{"pointer": "/items/0", "detail": "must be an object"}]),
        ([[]], [{"pointer": "/items/0", "detail": "must be an object"}]),
        (
            [{"id": "toString", "quantity": 1}],
            [{"pointer": "/items/0/price", "detail": _NO_PRICE}],
        ),
        (
            [{"id": "lamp", "quantity": 1, "price": "0.00001"}],
            [{"pointer": "/items/0/price", "detail": _NO_PRICE}],
        ),
        (
            [{"id": "lamp", "quantity": 1, "price": -1}],
            [{"pointer": "/items/0/price", "detail": _NO_PRICE}],
        ),
        (
            [{"id": "cord", "quantity": 1, "price": ["1"]}],
            [{"pointer": "/items/0/price", "detail": _NO_PRICE}],
        ),
        (
            [{"id": "cord", "quantity": 1, "colour": "red"}],
            [{"pointer": "/items/0", "detail": "may only have id, quantity and price"}],
        ),
        (
            [{"id": "cord", "quantity": 1}, {"id": ["cord"]}],
            [
                {"pointer": "/items/1/id", "detail": "must be a text of 1 to 100 characters"},
                {"pointer": "/items/1/quantity", "detail": "must be a whole number of 1 to 1000"},
            ],
        ),
    ],
)
def test_wrong_items_are_named_one_by_one(invoke: Any, items: Any, errors: Any) -> None:
    answer, _ = invoke(_url("POST", "/orders", json.dumps({"items": items})))
    assert _problem(answer, 400, "Bad Request")["errors"] == errors


@pytest.mark.parametrize("quantity", [0, -1, 1.5, 1001, "1", True, None, 1e400])
def test_a_quantity_that_is_no_whole_number_within_bounds_is_refused(
    invoke: Any, quantity: Any
) -> None:
    text = _order({"id": "cord", "quantity": quantity}).replace("Infinity", "1e400")
    answer, _ = invoke(_url("POST", "/orders", text))
    (error,) = _problem(answer, 400, "Bad Request")["errors"]
    assert error["pointer"] == "/items/0/quantity"


@pytest.mark.parametrize(
    "event",
    [
        _rest("GET", "/"),
        _rest("POST", "/products"),
        _url("GET", "/orders"),
        _url("GET", "/products/"),
        _url("DELETE", "/orders"),
        _url("", "/constructor"),
        {},
        None,
        [],
        7,
        {"requestContext": None, "httpMethod": None, "path": {}},
        {"rawPath": "/orders", "requestContext": {"http": "POST"}},
        {"warming": "true"},
        {"warming": 1},
    ],
)
def test_anything_else_is_a_404(invoke: Any, event: Any) -> None:
    answer, _ = invoke(event)
    assert _problem(answer, 404, "Not Found")["detail"] == "There is nothing here."


def test_a_body_in_base64_is_read(invoke: Any) -> None:
    """A function URL encodes what its Content-Type does not call text."""
    body = base64.b64encode('{"note": "ä"}'.encode()).decode()
    answer, _ = invoke(_url("POST", "/orders", body) | {"isBase64Encoded": True})
    assert json.loads(answer["body"])["order"] == {"note": "ä"}


def test_a_body_in_base64_that_is_no_text_is_a_400(invoke: Any) -> None:
    body = base64.b64encode(b'{"note": "\xff"}').decode()
    answer, _ = invoke(_url("POST", "/orders", body) | {"isBase64Encoded": True})
    assert _problem(answer, 400, "Bad Request")["detail"] == "The body is not UTF-8 text."


@pytest.mark.parametrize(
    ("event", "request_id"),
    [(_rest("GET", "/x"), "api-1"), (_url("GET", "/x"), "url-1"), ({}, "lambda-1")],
)
def test_a_problem_carries_the_request_id_of_whoever_asked(
    invoke: Any, event: Any, request_id: str
) -> None:
    answer, (line,) = invoke(event)
    assert json.loads(answer["body"])["requestId"] == line["apiRequestId"] == request_id


def test_an_unexpected_error_is_a_500_that_tells_nothing(invoke: Any, tmp_path: Path) -> None:
    library = (_PRODUCTS / "http.mjs").as_uri()
    failing = tmp_path / "index.mjs"
    failing.write_text(
        f'import {{ endpoint }} from "{library}";\n'
        'const fail = () => { throw new TypeError("canary"); };\n'
        'export const handler = endpoint({ "GET /products": fail });\n',
        encoding="utf-8",
    )
    answer, lines = invoke(_url("GET", "/products"), file=failing)
    assert _problem(answer, 500, "Internal Server Error") == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "Something went wrong on our side.",
        "requestId": "url-1",
    }
    assert [line["level"] for line in lines] == ["ERROR", "INFO"]
    assert (lines[0]["error"]["type"], lines[0]["error"]["message"]) == ("TypeError", "canary")
    assert "index.mjs" in lines[0]["error"]["stack"]


def test_a_request_is_one_log_line_as_the_python_functions_write_it(invoke: Any) -> None:
    order = json.dumps({"secret": "canary"})
    invoke({"warming": True})
    _, (line,) = invoke(_rest("POST", "/orders", order))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert 0 <= line.pop("milliseconds") < 1000
    assert line == {
        "level": "INFO",
        "message": "request answered",
        "service": "sandpiper",
        "function": "sandpiper-dev-products",
        "version": "7",
        "requestId": "lambda-1",
        "correlation_id": "api-1",
        "cold_start": False,
        "apiRequestId": "api-1",
        "method": "POST",
        "route": "/orders",
        "status": 201,
    }


_FIRST = """
const {{ handler }} = await import({file!r});
await handler({first}, {{}});
await handler({{ rawPath: "/products", requestContext: {{ http: {{ method: "GET" }} }} }}, {{}});
"""


@pytest.mark.parametrize(
    ("first", "cold"), [("{}", [True, False]), ("{ warming: true }", [False])], ids=["", "warmed"]
)
def test_only_the_first_invocation_of_an_environment_is_a_cold_start(
    first: str, cold: list[bool]
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    script = _FIRST.format(file=(_PRODUCTS / "index.mjs").as_uri(), first=first)
    done = subprocess.run(
        [node, "--input-type=module", "--eval", script],
        env={"NODE_PATH": str(node_modules())},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [json.loads(line)["cold_start"] for line in done.stdout.splitlines()] == cold


_TRACE = "1-6923a1b2-0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (f"Root={_TRACE};Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:x:0", _TRACE),
        (f"Self=1-x;Root={_TRACE}", _TRACE),
        ("Root=canary", None),
        ("", None),
    ],
)
def test_a_line_names_its_trace_where_there_is_one(
    invoke: Any, header: str, trace: str | None
) -> None:
    _, (line,) = invoke(_url("GET", "/products"), _X_AMZN_TRACE_ID=header)
    assert line.get("xray_trace_id") == trace


def _with(event: dict[str, Any], **headers: Any) -> dict[str, Any]:
    lists = {name: values for name, values in headers.items() if isinstance(values, list)}
    if lists:
        return event | {"multiValueHeaders": lists, "headers": None}
    return event | {"headers": headers}


@pytest.mark.parametrize(
    ("event", "correlation"),
    [
        (_with(_url("GET", "/products"), **{"x-correlation-id": "a.B_c:1-2"}), "a.B_c:1-2"),
        (_with(_rest("GET", "/products"), **{"X-CORRELATION-ID": "x" * 128}), "x" * 128),
        (_with(_balanced("GET", "/products"), **{"x-correlation-id": ["one"]}), "one"),
        (_with(_url("GET", "/nothing"), **{"x-correlation-id": "of-a-problem"}), "of-a-problem"),
        (
            _with(_url("GET", "/products"), **{"x-correlation-id": "JKJaXmPLvHcESHA="}),
            "JKJaXmPLvHcESHA=",
        ),
        (_with(_url("GET", "/products"), **{"x-correlation-id": "x" * 129}), "url-1"),
        (_with(_url("GET", "/products"), **{"x-correlation-id": "a b"}), "url-1"),
        (_with(_url("GET", "/products"), **{"x-correlation-id": ""}), "url-1"),
        (_with(_url("GET", "/products"), **{"x-correlation-id": "a\n"}), "url-1"),
        (_with(_url("GET", "/products"), **{"x-correlation-id": None}), "url-1"),
        (_with(_rest("GET", "/products"), **{"X-Correlation-Id": ["one", "two"]}), "api-1"),
        (_with(_rest("GET", "/products"), **{"X-Correlation-Id": [{}]}), "api-1"),
        (_rest("GET", "/products"), "api-1"),
        (_balanced("GET", "/products"), "lambda-1"),
    ],
)
def test_a_request_says_what_it_belongs_to_or_is_named_by_its_gateway(
    invoke: Any, event: Any, correlation: str
) -> None:
    answer, (line,) = invoke(event)
    headers = answer.get("headers") or {n: v for n, (v,) in answer["multiValueHeaders"].items()}
    assert headers["X-Correlation-Id"] == line["correlation_id"] == correlation


def test_a_path_that_is_no_route_is_not_logged(invoke: Any) -> None:
    _, (line,) = invoke(_url("GET", "/canary"))
    assert "canary" not in json.dumps(line)
    assert (line["route"], line["status"]) == ("", 404)


@pytest.mark.parametrize(("level", "said"), [("WARN", 0), ("info", 1), ("loud", 1), ("TRACE", 1)])
def test_the_level_is_the_environments_and_info_when_it_makes_no_sense(
    invoke: Any, level: str, said: int
) -> None:
    _, lines = invoke(_url("GET", "/products"), LOG_LEVEL=level)
    assert len(lines) == said


@pytest.mark.parametrize(("rate", "said"), [("0", 0), ("0.9", 0), ("0.91", 1), ("1", 1), ("x", 0)])
def test_the_share_of_requests_that_is_sampled_is_logged_whatever_the_level(
    invoke: Any, rate: str, said: int
) -> None:
    named = _with(_url("GET", "/products"), **{"x-correlation-id": "a"})
    assert 0.9 < zlib.crc32(b"a") / 2**32 < 0.91
    _, lines = invoke(named, LOG_LEVEL="ERROR", LOG_SAMPLE_RATE=rate)
    assert len(lines) == said


_JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("password=canary-1", "password=***"),
        ('{"password": "canary 1", "id": 7}', '{"password": "***", "id": 7}'),
        (r'{"password": "canary bi', r'{"password": "***"'),
        (r"{\"apiKey\": \"canary\"}", r"{\"apiKey\": \"***\"}"),
        ("Authorization: Bearer canary-token", "Authorization: ***"),
        (f"token {_JWT} refused", "token *** refused"),
        ("canary@example.com is unknown", "*** is unknown"),
        ("AKIACANARYCANARYCAN0", "***"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "***"),
        ("https://user:canary@host/", "https://***@host/"),
        ("call +49 30 1234567", "call ***"),
        ("4111 1111 1111 1111", "***"),
        (base64.b64encode(b'{"password": "canary"}').decode(), "***"),
        (base64.b64encode(base64.b64encode(b"canary@example.com")).decode(), "***"),
        ("019b2f5e-7a3c-7d21-9c4e-2f6a8b1c3d5e", "019b2f5e-7a3c-7d21-9c4e-2f6a8b1c3d5e"),
        ("SQS refuses the message: 403", "SQS refuses the message: 403"),
        ("x" * 20_000, "x" * 16_384 + "... (20000 characters)"),
    ],
)
def test_no_secret_and_nothing_personal_is_logged(
    invoke: Any, tmp_path: Path, text: str, kept: str
) -> None:
    failing = tmp_path / "index.mjs"
    failing.write_text(
        f'import {{ endpoint }} from "{(_PRODUCTS / "http.mjs").as_uri()}";\n'
        f'import * as logs from "{(_PRODUCTS / "logs.mjs").as_uri()}";\n'
        f"const text = {json.dumps(text)};\n"
        'const fail = () => { logs.info("x", { a: [{ text, customerEmail: 7 }] }); throw new Error(text); };\n'
        'export const handler = endpoint({ "GET /products": fail });\n',
        encoding="utf-8",
    )
    _, (said, error, _) = invoke(_url("GET", "/products"), file=failing)
    assert said["a"] == [{"text": kept, "customerEmail": "***"}]
    assert error["error"]["message"] == kept
    assert "canary" not in json.dumps([said, error]).lower()


def test_a_warming_event_is_answered_at_once_without_a_line(invoke: Any, event: Any) -> None:
    assert invoke(event("warming")) == ({"warmed": True}, [])


class _Queue:
    """SQS on a port of this machine, as far as one message goes."""

    def __init__(self) -> None:
        self.endpoint = Partner()
        self.url = "https://sqs.us-west-2.amazonaws.com/123456789012/orders"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ORDERS_QUEUE_URL": self.url,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.endpoint.port}",
            "AWS_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "canary-secret",
            "AWS_SESSION_TOKEN": "canary-token",
        }

    @property
    def messages(self) -> list[Any]:
        calls = [json.loads(post.body) for post in self.endpoint.posts]
        assert all(call["QueueUrl"] == self.url for call in calls)
        return [json.loads(call["MessageBody"]) for call in calls]

    @property
    def attributes(self) -> list[Any]:
        return [json.loads(post.body)["MessageAttributes"] for post in self.endpoint.posts]


@pytest.fixture
def queue() -> Iterator[_Queue]:
    made = _Queue()
    with made.endpoint:
        yield made


def _placed(**members: Any) -> str:
    items = [{"id": "cord", "quantity": 7}, {"id": "lamp", "quantity": 1, "price": 19.9}]
    return json.dumps({"customerEmail": "a@example.com", "items": items} | members)


def test_an_order_with_an_address_goes_into_the_queue(invoke: Any, queue: _Queue) -> None:
    event = _url("POST", "/orders", _placed(orderId="o-1", note="x"))
    answer, _ = invoke(event, **queue.environment)
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["orderId"], body["total"]) == (201, "o-1", "20.92")
    assert queue.messages == [
        {
            "orderId": "o-1",
            "customerEmail": "a@example.com",
            "items": [
                {"id": "cord", "quantity": 7, "price": "0.145"},
                {"id": "lamp", "quantity": 1, "price": "19.9"},
            ],
        }
    ]
    # What is put in is what the order processor takes out.
    order = orders.parse(json.dumps(queue.messages[0]))
    assert str(order.total) == body["total"]


def test_the_call_is_signed_as_botocore_signs_it(invoke: Any, queue: _Queue) -> None:
    invoke(_url("POST", "/orders", _placed()), **queue.environment)
    (post,) = queue.endpoint.posts
    headers = {name.lower(): value for name, value in post.headers.items()}
    assert headers["x-amz-target"] == "AmazonSQS.SendMessage"
    assert headers["content-type"] == "application/x-amz-json-1.0"
    signed = re.search("SignedHeaders=([^,]*)", headers["authorization"])
    assert signed
    url = f"http://{headers['host']}{post.path}"
    kept = {name: headers[name] for name in signed[1].split(";")}
    request = AWSRequest("POST", url, data=post.body, headers=kept)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(
        Credentials("AKIDEXAMPLE", "canary-secret", "canary-token"), "sqs", "us-west-2"
    )
    wanted = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    assert headers["authorization"].endswith(f"Signature={wanted}")


def test_a_message_carries_what_its_request_belongs_to(invoke: Any, queue: _Queue) -> None:
    for event in (
        _with(_url("POST", "/orders", _placed()), **{"x-correlation-id": "mine"}),
        _url("POST", "/orders", _placed()),
    ):
        invoke(event, **queue.environment)
    assert queue.attributes == [
        {"correlationId": {"DataType": "String", "StringValue": name}} for name in ("mine", "url-1")
    ]


class _Daemon:
    """X-Ray's daemon on a port of this machine: the documents that it was sent."""

    def __init__(self, queue: _Queue, *, sampled: bool = True) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        port = self._socket.getsockname()[1]
        self.header = f"Root={_TRACE};Parent=53995c3f42cd8ad8;Sampled={int(sampled)};Lineage=1:x:0"
        self.environment = queue.environment | {
            "_X_AMZN_TRACE_ID": self.header,
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{port}",
        }

    def documents(self) -> list[dict[str, Any]]:
        found = []
        while True:
            try:
                header, _, text = self._socket.recv(65_536).partition(b"\n")
            except BlockingIOError:  # who answers has sent
                return found
            assert json.loads(header) == {"format": "json", "version": 1}
            found.append(json.loads(text))

    def close(self) -> None:
        self._socket.close()


def test_the_call_of_the_queue_is_a_subsegment_that_the_message_goes_on_from(
    invoke: Any, queue: _Queue
) -> None:
    with closing(_Daemon(queue)) as daemon:
        before = time.time()
        invoke(_url("POST", "/orders", _placed()), **daemon.environment)
        (document,) = daemon.documents()
    (post,) = queue.endpoint.posts
    told = {name.lower(): value for name, value in post.headers.items()}["x-amzn-trace-id"]
    assert told == f"Root={_TRACE};Parent={document['id']};Sampled=1;Lineage=1:x:0"
    assert re.fullmatch("[0-9a-f]{16}", document.pop("id"))
    start, end = document.pop("start_time"), document.pop("end_time")
    assert before - 0.01 <= start <= end <= time.time() + 0.01
    assert document == {
        "type": "subsegment",
        "name": "sqs",
        "namespace": "aws",
        "trace_id": _TRACE,
        "parent_id": "53995c3f42cd8ad8",
        "annotations": {"correlation_id": "url-1"},
        "aws": {
            "operation": "SendMessage",
            "region": "us-west-2",
            "queue_url": queue.url,
            "retries": 0,
        },
        "http": {"response": {"status": 200}},
        "error": False,
        "throttle": False,
        "fault": False,
    }


@pytest.mark.parametrize(
    ("answers", "status", "told", "causes"),
    [
        ([503, 200], 201, {"retries": 1, "fault": False, "error": False}, []),
        ([503] * 3, 503, {"retries": 2, "fault": True, "error": False}, ["Problem"]),
        ([None] * 3, 503, {"retries": 2, "fault": True, "error": False}, ["Problem"]),
        ([(403, {}, b"{}")], 500, {"retries": 0, "fault": False, "error": True}, ["Error"]),
    ],
)
def test_a_subsegment_tells_how_the_call_ended(
    invoke: Any, queue: _Queue, answers: Any, status: int, told: Any, causes: list[str]
) -> None:
    queue.endpoint.answers = answers
    with closing(_Daemon(queue)) as daemon:
        answer, _ = invoke(_url("POST", "/orders", _placed()), **daemon.environment)
        (document,) = daemon.documents()
    assert answer["statusCode"] == status
    seen = {
        "retries": document["aws"]["retries"],
        **{name: document[name] for name in ("fault", "error")},
    }
    assert seen == told
    exceptions = document.get("cause", {"exceptions": []})["exceptions"]
    assert [exception["type"] for exception in exceptions] == causes


def test_what_is_not_sampled_is_passed_on_and_told_to_nobody(invoke: Any, queue: _Queue) -> None:
    with closing(_Daemon(queue, sampled=False)) as daemon:
        invoke(_url("POST", "/orders", _placed()), **daemon.environment)
        assert daemon.documents() == []
    (post,) = queue.endpoint.posts
    assert post.headers["X-Amzn-Trace-Id"] == daemon.header


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1:1", "127.0.0.1:99999"])
def test_a_daemon_that_is_not_there_fails_nothing(invoke: Any, queue: _Queue, address: str) -> None:
    with closing(_Daemon(queue)) as daemon:
        environment = daemon.environment | {"AWS_XRAY_DAEMON_ADDRESS": address}
    answer, _ = invoke(_url("POST", "/orders", _placed()), **environment)
    assert answer["statusCode"] == 201
    assert len(queue.messages) == 1


def test_an_order_without_an_id_gets_a_new_one(invoke: Any, queue: _Queue) -> None:
    ids = set()
    for _ in range(2):
        answer, _ = invoke(_url("POST", "/orders", _placed()), **queue.environment)
        ids.add(json.loads(answer["body"])["orderId"])
    assert {message["orderId"] for message in queue.messages} == ids
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f-]{36}", order) for order in ids)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"customerEmail": "a@example.com"}),
        json.dumps({"items": [{"id": "cord", "quantity": 1}]}),
        json.dumps({"orderId": "a b", "note": "x"}),
    ],
)
def test_what_is_not_placed_is_answered_as_it_was_sent(
    invoke: Any, queue: _Queue, body: str
) -> None:
    answer, _ = invoke(_url("POST", "/orders", body), **queue.environment)
    assert answer["statusCode"] == 201
    assert "orderId" not in set(json.loads(answer["body"])) - {"order"}
    assert queue.messages == []


def test_without_a_queue_nothing_is_placed(invoke: Any) -> None:
    answer, _ = invoke(_url("POST", "/orders", _placed(orderId="a b")))
    assert answer["statusCode"] == 201
    assert "orderId" not in json.loads(answer["body"])


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        *(({"orderId": value}, "/orderId") for value in ("", "x" * 65, "a b", "ä", 7, None)),
        *(
            ({"customerEmail": value}, "/customerEmail")
            for value in ("", " ", 7, None, "x" * 321, "a@b\r\nBcc: c@d", "\ud800")
        ),
        ({"items": []}, "/items"),
    ],
    ids=ascii,
)
def test_a_mistake_in_a_placed_order_is_named_and_nothing_is_placed(
    invoke: Any, queue: _Queue, members: Any, pointer: str
) -> None:
    answer, _ = invoke(_url("POST", "/orders", _placed(**members)), **queue.environment)
    (error,) = _problem(answer, 400, "Bad Request")["errors"]
    assert error["pointer"] == pointer
    assert queue.messages == []


@pytest.mark.parametrize(
    "trouble", [None, 500, 503, 429, (400, {}, b'{"__type": "com.amazonaws.sqs#RequestThrottled"}')]
)
def test_trouble_of_the_queue_is_waited_for(invoke: Any, queue: _Queue, trouble: Any) -> None:
    queue.endpoint.answers = [trouble, trouble]
    answer, _ = invoke(_url("POST", "/orders", _placed()), **queue.environment)
    assert answer["statusCode"] == 201
    assert len({message["orderId"] for message in queue.messages}) == 1
    assert len(queue.messages) == 3


def test_a_queue_that_stays_busy_is_a_503_with_a_time_to_come_back(
    invoke: Any, queue: _Queue
) -> None:
    queue.endpoint.answers = [503] * 3
    answer, _ = invoke(_url("POST", "/orders", _placed()), **queue.environment)
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["title"]) == (503, "Service Unavailable")
    assert answer["headers"]["Retry-After"] == "1"


def test_a_refusal_of_the_queue_is_a_500_that_tells_nothing(invoke: Any, queue: _Queue) -> None:
    queue.endpoint.answers = [(403, {}, b'{"__type": "AccessDenied"}')]
    answer, lines = invoke(_url("POST", "/orders", _placed()), **queue.environment)
    assert answer["statusCode"] == 500
    assert "canary" not in json.dumps([answer, lines])
    assert len(queue.messages) == 1


def test_connections_to_the_queue_are_used_again(invoke: Any, queue: _Queue) -> None:
    for _ in range(5):
        invoke(_url("POST", "/orders", _placed()), **queue.environment)
    assert queue.endpoint.links == 1
