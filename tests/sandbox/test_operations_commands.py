"""The commands that work on a running stack, as somebody types them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sandbox.cli import main
from tests.sandbox.cli_support import Project, wait_for
from tests.sandbox.operations_support import EVENTS, SOURCES, project


class _Hook(BaseHTTPRequestHandler):
    """A webhook that answers what it was told, and refuses what is no JSON."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.send_response(202 if body.startswith("{") else 400)
        self.end_headers()
        told = {"id": self.headers["webhook-id"], "signature": self.headers["webhook-signature"]}
        self.wfile.write(json.dumps(told).encode())

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Nothing is said of requests."""


HOOK = """
key = Resource("aws:secretsmanager/secret:Secret", "webhook")
Resource("aws:secretsmanager/secretVersion:SecretVersion", "webhook", secretId=key.arn, secretString="shared")
pulumi.export("webhookSecretArn", key.arn)
pulumi.export("webhookUrl", "http://127.0.0.1:{port}/")
Resource("aws:kinesis/stream:Stream", "telemetry-stream", shardCount=1)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hook) as hook:
        threading.Thread(target=hook.serve_forever, daemon=True).start()
        more = EVENTS + HOOK.replace("{port}", str(hook.server_port))
        made = project(tmp_path_factory.mktemp("commands"), SOURCES, more)
        made.run("up")
        yield made
        made.run("down")
        hook.shutdown()


def letters(stack: Project, text: str) -> list[Any]:
    found = json.loads(stack.run("dlq", "--json").stdout)
    return [letter for letter in found if text in letter["body"]]


def test_message_that_cannot_be_done_is_found_and_brought_back(stack: Project) -> None:
    ident = stack.run("send", "sqs", "orders", '{"id": "c1", "bad": 1}').stdout.strip()
    wait_for(lambda: letters(stack, '"c1"'), 20)
    shown = stack.run("dlq", "orders").stdout
    assert shown.startswith("orders-dead-letter: 1\n"), stack.run("dlq", "--json").stdout
    for part in (
        " s old, message from orders",
        "received once",
        "MaxReceiveCountExceeded",
        "Poison: no such lamp",
    ):
        assert part in shown
    [letter] = letters(stack, '"c1"')
    assert letter["id"] == ident
    assert (
        stack.run("redrive", "orders", "--max", "5").stdout
        == "orders-dead-letter: 1 went back, 0 stayed\n"
    )


def test_letter_that_stays_makes_the_command_fail_and_says_why(stack: Project) -> None:
    sqs = stack.client("sqs")
    [url] = [url for url in sqs.list_queues()["QueueUrls"] if "/failures-queue" in url]
    sqs.purge_queue(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="scribble")
    done = stack.run("redrive", "failures", code=1)
    assert done.stdout == "failures: 0 went back, 1 stayed\n"
    assert done.stderr.endswith("nothing says what it is, or for whom: send it by hand\n")
    assert "unknown" in stack.run("dlq", "failures").stdout
    [letter] = letters(stack, "scribble")
    gone = stack.run("dlq", "--discard", letter["id"]).stdout
    assert gone.startswith(f"failures: thrown away {letter['id']}\n")
    assert gone.endswith("\n  scribble\n")
    assert stack.run("dlq", "failures").stdout == "no letters\n"
    said = stack.line("dlq", "--discard", letter["id"], code=2)
    assert said == f"no letter {letter['id']}: `dlq --json` shows the id of each"
    body = {
        "requestContext": {"functionArn": "arn:aws:lambda:us-west-2:000000000000:function:gone"}
    }
    body["KinesisBatchInfo"] = {
        "shardId": "s",
        "startSequenceNumber": "1",
        "endSequenceNumber": "9",
    }
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))
    shown = stack.run("dlq", "failures").stdout
    assert "batch from gone, " in shown
    assert shown.endswith(", s: ? records 1 to 9\n")
    sqs.purge_queue(QueueUrl=url)


def test_messages_come_from_files_lines_and_standard_input(stack: Project) -> None:
    (stack.root / "many.jsonl").write_text('{"id": "l1"}\n\n{"id": "l2"}\n')
    said = stack.run("send", "sqs", "orders", "@many.jsonl", "--lines").stdout
    assert said == "2 messages sent to orders\n"
    stack.run("send", "sqs", "orders", "-", "--attribute", "colour=red", stdin='{"id": "l3"}')
    stack.run("send", "sqs", "steps", '{"id": "l4"}', "--group", "g", "--dedup", "d")
    stack.run("send", "sns", "news", '{"id": "l5"}', "--subject", "news")
    table = stack.state["exports"]["rowsTable"]

    def done() -> bool:
        rows = stack.client("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
        return {f"l{number}" for number in range(1, 6)} <= {row["id"]["S"] for row in rows}

    wait_for(done, 15)


def test_event_file_and_record_say_where_they_went(stack: Project) -> None:
    done = stack.run("send", "events", "Bought", '{"total": 6}', "--source", "shop")
    assert len(done.stdout.strip()) == 36
    assert done.stderr.startswith("it matches shop-")
    assert stack.run("send", "events", "Bought", "{}").stderr == "no rule of this bus matches it\n"
    for name in ("a.csv", "b.csv"):
        (stack.root / name).write_text("id\n")
    said = stack.run("send", "s3", "a.csv", "b.csv", "--bucket", "uploadsBucket").stdout
    assert [line.partition("/uploads/")[2] for line in said.splitlines()] == [
        "a.csv (text/csv)",
        "b.csv (text/csv)",
    ]
    assert stack.run("send", "kinesis", '{"value": 1}', "--key", "lamp").stdout.startswith(
        "shardId-"
    )


def test_webhook_is_called_with_a_signature(stack: Project) -> None:
    said = stack.run("send", "webhook", '{"type": "order.paid"}', "--id", "msg_1").stdout
    status, _, told = said.partition(" ")
    assert status == "202"
    assert json.loads(told)["id"] == "msg_1"
    assert json.loads(told)["signature"].startswith("v1,")
    assert stack.run("send", "webhook", "nothing", code=1).stdout.startswith("400 ")


def test_schedule_is_fired_and_its_log_shown(stack: Project) -> None:
    done = stack.run("tick", "sweeper")
    assert done.stdout == "sweeping {'sweep': 'sweeper'}\n"
    assert done.stderr.startswith("sweeper: success (request ")


def test_mail_is_read(stack: Project) -> None:
    assert stack.run("mails").stdout == "no mails\n"
    ses = stack.client("sesv2")
    ses.create_email_identity(EmailIdentity="shop@example.com")
    plain = {"Text": {"Data": "two lamps\n\nthank you"}}
    for body in (plain, {"Html": {"Data": "<p>a &amp; b</p>"}}):
        ses.send_email(
            FromEmailAddress="shop@example.com",
            Destination={"ToAddresses": ["a@example.com"], "CcAddresses": ["b@example.com"]},
            Content={"Simple": {"Subject": {"Data": "Order o-1"}, "Body": body}},
        )
    lines = stack.run("mails").stdout.splitlines()
    said = " from shop@example.com to a@example.com, b@example.com: Order o-1"
    assert [line.partition("Z")[2] for line in lines if line.endswith("Order o-1")] == [said, said]
    assert lines[1:4] == ["  two lamps", "", "  thank you"]
    assert lines[5:] == ["  a & b"]
    [first, _] = json.loads(stack.run("mails", "--json").stdout)
    assert list(first) == ["id", "from", "to", "subject", "text", "when"]
    assert first["to"] == ["a@example.com", "b@example.com"]


def test_fault_is_made_listed_met_and_taken_away(stack: Project) -> None:
    assert stack.run("fault").stdout == "no faults\n"
    made = stack.run("fault", "sweeper", "kill", "--before", "handler", "--where", "sweeper").stdout
    assert made == "sweeper: kill before handler, happened 0, 1 left\n"
    assert stack.run("tick", "sweeper", code=1).stderr.startswith("sweeper: error (request ")
    stack.run("fault", "taker", "throttle", "--before", "dynamodb:*", "--always")
    assert stack.run("fault").stdout.splitlines() == [
        "sweeper: kill before handler, happened 1, 0 left",
        "taker: throttle before dynamodb:*, happened 0, without end",
    ]
    assert stack.run("fault", "--clear").stdout == "2 faults taken away\n"
    stack.run("fault", "taker", "exit", "--before", "handler")
    assert stack.run("fault", "--clear").stdout == "1 fault taken away\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("send", "sqs", "ordres", "x"), "no queue 'ordres'; did you mean 'orders'?"),
        (("send", "sqs", "orders", "@no.such"), "@no.such: No such file or directory"),
        (("send", "sqs", "orders", " ", "--lines"), "BODY: there is no line in it"),
        (
            ("send", "sqs", "orders", "x", "--attribute", "a"),
            "--attribute a: write it as NAME=VALUE",
        ),
        (("send", "sqs", "orders", ""), "BODY: is empty, which is refused"),
        (("send", "sqs", "orders", "@large"), "AWS.SimpleQueueService.BatchRequestTooLong: "),
        (
            ("send", "sqs", "orders", "x", "--attribute", "n:Number=abc"),
            "--attribute n:Number: its value is no number of 38 digits at most (got abc)",
        ),
        (
            ("send", "sns", "news", "x", "--attribute", "n:Blob=abc"),
            "--attribute n:Blob: no type 'Blob'; there are: String, Number, Binary, String.Array",
        ),
        (
            ("send", "sns", "news", "x", "--attribute", "n:Binary=abc"),
            "--attribute n:Binary: its value is no Base64 (got abc)",
        ),
        (("send", "sns", "news", ""), "MESSAGE: is empty, which is refused"),
        (("send", "sns", "news", "x", "--subject", "a\nb"), "--subject: takes no line breaks"),
        (("send", "sns", "news", "x", "--subject", "s" * 101), "--subject: has 101 characters"),
        (("send", "events", "", "{}"), "DETAIL_TYPE: is empty, which is refused"),
        (("send", "events", "A", "[1]"), "JSON: the detail of an event is an object (got [1])"),
        (("send", "events", "A", "{"), "JSON: Expecting property name"),
        (("send", "s3", "a", "b", "--key", "k"), "--key: several files would lie at one key"),
        (("tick", "nothing"), "no schedule 'nothing'; there are: silent, sweeper"),
        (("fault", "taker"), "a fault stands after or before one call: give one of the two"),
        (("fault", "taker", "--clear"), "--clear takes all faults away: name no function"),
    ],
)
def test_wrong_call_is_one_line_with_the_remedy(
    stack: Project, given: tuple[str, ...], said: str
) -> None:
    (stack.root / "large").write_text("x" * 1_048_577)
    assert stack.line(*given, code=2).startswith(said)


@pytest.mark.parametrize(
    "given",
    [("send", "sqs", "q", "b"), ("tick", "n"), ("mails",), ("dlq",), ("redrive", "q"), ("fault",)],
)
def test_stack_that_does_not_run_is_one_line(
    given: tuple[str, ...], tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-C", str(tmp_path), *given]) == 1
    said = capsys.readouterr().err
    assert said.startswith("no sandbox of stack dev is running: start it with")
    assert said.count("\n") == 1


@pytest.mark.parametrize("given", [("redrive", "q", "--max", "0"), ("fault", "f", "--times", "x")])
def test_number_that_is_none_is_refused(
    given: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(given))
    assert ended.value.code == 2
    assert "must be 1 or more (got " in capsys.readouterr().err
