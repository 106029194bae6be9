"""What the commands that work on a running stack take."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

from sandbox.operations import commands, tracing, watching
from sandbox.workers.faults import KINDS

Add = Callable[..., argparse.ArgumentParser]
"""`add_parser` of what holds the commands."""

_BODY: Final = "JSON or text, @FILE, or - for standard input"
_FAULT: Final = """\
Lets a Python function meet a fault in its next calls; without a function, lists the faults. `exit` and `kill` end its
environment at once, `throttle` and `unavailable` are the service's own errors, `unreachable` is a connection refused,
`slow` waits. --after or --before name a call: dynamodb:PutItem, sns:*, handler, http:POST. After means that the call has
had its effect."""


def add(make: Add) -> None:
    """Add these commands to the command line's."""
    _send(_command(make, "send", None, "put an event into the front door of a service"))
    tick = _command(make, "tick", commands.tick, "fire a schedule now, with its own input")
    tick.add_argument("name", metavar="NAME", help="the schedule, or the function that it starts")
    mails = _command(make, "mails", commands.mails, "the mails that functions sent")
    mails.add_argument("--json", action="store_true", help="as JSON")
    letters = _command(make, "dlq", commands.dlq, "what lies in the dead-letter queues, and why")
    letters.add_argument("name", metavar="NAME", nargs="?", default="", help="one queue")
    letters.add_argument("--json", action="store_true", help="whole letters, as JSON")
    letters.add_argument("--discard", default="", metavar="ID", help="throw this one away for good")
    redrive = _command(make, "redrive", commands.redrive, "bring letters back to where they belong")
    redrive.add_argument("name", metavar="QUEUE", help="orders, or orders-dead-letter")
    redrive.add_argument("--max", type=_count, metavar="N", help="the oldest N only")
    _fault(_command(make, "fault", commands.fault, "let a function fail at a chosen call"))
    _watching(make)


def _watching(make: Add) -> None:
    alarms = _command(make, "alarms", watching.alarms, "the alarms, those that ring first")
    alarms.add_argument("name", metavar="NAME", nargs="?", default="", help="a part of the name")
    metrics = _command(make, "metrics", watching.metrics, "what was measured in the last minutes")
    metrics.add_argument(
        "name", metavar="NAME", nargs="?", default="", help="a part of namespace, name or dimension"
    )
    traces = _command(make, "traces", watching.traces, "what requests did, the newest first")
    traces.add_argument("id", metavar="ID", nargs="?", default="", help="one trace, as a tree")
    traces.add_argument(
        "--max", type=_count, default=tracing.LATEST, metavar="N", help="the latest N (default: 50)"
    )
    for each in (alarms, metrics, traces):
        each.add_argument("--json", action="store_true", help="as JSON")


def _command(
    make: Add,
    name: str,
    run: Callable[[argparse.Namespace], int] | None,
    text: str,
) -> argparse.ArgumentParser:
    """A command with what each one takes; `run` is None where its own commands have theirs."""
    command = make(name, help=text, description=text[0].upper() + text[1:] + ".")
    if run is not None:
        command.add_argument("--stack", help="which stack (default: the running one)")
        command.set_defaults(run=run)
    return command


def _send(command: argparse.ArgumentParser) -> None:
    kinds = command.add_subparsers(title="to", required=True, metavar="SERVICE").add_parser
    s3 = _command(kinds, "s3", commands.send_s3, "put files into a bucket")
    s3.add_argument("files", nargs="+", metavar="FILE")
    s3.add_argument("--key", default="", help="default: uploads/ and the file's name")
    s3.add_argument("--bucket", default="uploads", metavar="NAME", help="default: uploads")
    s3.add_argument("--type", default="", help="content type (default: by the key's ending)")
    sqs = _command(kinds, "sqs", commands.send_sqs, "send a message to a queue")
    sqs.add_argument("queue", metavar="QUEUE")
    sqs.add_argument("body", metavar="BODY", help=_BODY)
    sqs.add_argument("--lines", action="store_true", help="each line is a message")
    sns = _command(kinds, "sns", commands.send_sns, "publish a message to a topic")
    sns.add_argument("topic", metavar="TOPIC")
    sns.add_argument("body", metavar="MESSAGE", help=_BODY)
    sns.add_argument("--subject", default="")
    for each in (sqs, sns):
        each.add_argument("--group", default="", help="message group, where an order is kept")
        each.add_argument("--dedup", default="", help="deduplication id (default: a new one)")
        each.add_argument(
            "--attribute",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a message attribute, `total:Number=5` with a type; repeatable",
        )
    events = _command(kinds, "events", commands.send_events, "put an event on a bus")
    events.add_argument("detail_type", metavar="DETAIL_TYPE")
    events.add_argument("body", metavar="JSON", help=_BODY)
    events.add_argument("--source", default="sandbox", help="default: sandbox")
    events.add_argument("--bus", default="events", metavar="NAME", help="default: events")
    kinesis = _command(kinds, "kinesis", commands.send_kinesis, "put a record into a stream")
    kinesis.add_argument("body", metavar="JSON", help=_BODY)
    kinesis.add_argument("--key", default="", help="partition key (default: a random one)")
    kinesis.add_argument("--stream", default="telemetry", metavar="NAME", help="default: telemetry")
    webhook = _command(kinds, "webhook", commands.send_webhook, "call the webhook, signed")
    webhook.add_argument("body", metavar="JSON", help=_BODY)
    webhook.add_argument("--id", default="", help="the delivery's id (default: a new one)")


def _fault(command: argparse.ArgumentParser) -> None:
    command.description = _FAULT
    command.add_argument("function", metavar="FUNCTION", nargs="?", help="a name, or '*'")
    command.add_argument("do", nargs="?", default="exit", metavar="DO", help=", ".join(KINDS))
    command.add_argument("--after", default="", metavar="CALL")
    command.add_argument("--before", default="", metavar="CALL")
    command.add_argument("--where", default="", metavar="TEXT", help="events that hold this text")
    command.add_argument(
        "--request", default="", metavar="TEXT", help="calls whose parameters hold this text"
    )
    command.add_argument("--times", type=_count, default=1, metavar="N", help="default: 1")
    command.add_argument("--always", action="store_true", help="until it is cleared")
    command.add_argument("--seconds", type=float, default=1.0, help="for slow (default: 1)")
    command.add_argument("--clear", action="store_true", help="take all faults away")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more (got {text})")
    return int(text)
