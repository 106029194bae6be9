"""What the commands that work on a running stack do, and print."""

from __future__ import annotations

import gc
import json
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sandbox.errors import Mistake

if TYPE_CHECKING:
    from sandbox.operations.letters import Letter
    from sandbox.operations.verbs import Operations

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))
_MOST_TEXT: Final = 160


def send_s3(options: Namespace) -> int:
    """`send s3`: where each file lies."""
    if options.key and len(options.files) > 1:
        raise Mistake("--key: several files would lie at one key, each over the last", code=2)
    does = operations(options)
    with _progress("files") as progress, _given():
        for done, file in enumerate(options.files, 1):
            made = does.send_s3(file, options.key, bucket=options.bucket, content_type=options.type)
            version = f" version {made['versionId']}" if made["versionId"] else ""
            print(f"s3://{made['bucket']}/{made['key']}{version} ({made['contentType']})")
            progress(done, len(options.files))
    return 0


def send_sqs(options: Namespace) -> int:
    """`send sqs`: the message's id, or how many messages went."""
    body = _body(options.body)
    bodies = [line for line in body.splitlines() if line.strip()] if options.lines else [body]
    if not bodies:
        raise Mistake("BODY: there is no line in it", code=2)
    with _progress("messages") as progress, _given():
        sent = operations(options).send_sqs(
            options.queue,
            *bodies,
            group=options.group,
            dedup=options.dedup,
            attributes=_attributes(options.attribute),
            progress=progress,
        )
    many = f"{len(sent)} {'message' if len(sent) == 1 else 'messages'} sent to {options.queue}"
    print(many if options.lines else sent[0])
    return 0


def send_sns(options: Namespace) -> int:
    """`send sns`: the message's id."""
    body, attributes = _body(options.body), _attributes(options.attribute)
    with _given():
        ident = operations(options).send_sns(
            options.topic,
            body,
            subject=options.subject,
            group=options.group,
            dedup=options.dedup,
            attributes=attributes,
        )
    print(ident)
    return 0


def send_events(options: Namespace) -> int:
    """`send events`: the event's id; on standard error, which rules it matches."""
    detail = _json(options.body)
    with _given():
        made = operations(options).send_events(
            options.detail_type, detail, source=options.source, bus=options.bus
        )
    print(made["id"])
    rules = ", ".join(made["rules"])
    print(f"it matches {rules}" if rules else "no rule of this bus matches it", file=sys.stderr)
    return 0


def send_kinesis(options: Namespace) -> int:
    """`send kinesis`: shard and sequence number."""
    record = _json(options.body)
    with _given():
        made = operations(options).send_kinesis(record, options.key, stream=options.stream)
    print(f"{made['shard']} {made['sequence']}")
    return 0


def send_webhook(options: Namespace) -> int:
    """`send webhook`: what it answers; 1 where it refuses."""
    answer = operations(options).send_webhook(_body(options.body), ident=options.id)
    print(f"{answer.status} {answer.text}".rstrip())
    return 0 if answer.status < 400 else 1


def tick(options: Namespace) -> int:
    """`tick`: the function's log, then how it ended; 1 where it failed."""
    run = operations(options).tick(options.name)
    for line in run.log:
        print(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False))
    if not run.status:
        print(f"{run.function}: nothing was heard of its run", file=sys.stderr)
        return 1
    print(f"{run.function}: {run.status} (request {run.request})", file=sys.stderr)
    return 0 if run.status == "success" else 1


def mails(options: Namespace) -> int:
    """`mails`: a line for each mail, then its text."""
    found = operations(options).mails()
    if options.json:
        told = [{"from": mail.sender, **asdict(mail), "when": mail.when} for mail in found]
        kept = ("id", "from", "to", "subject", "text", "when")
        shown = [{name: each[name] for name in kept} for each in told]
        print(json.dumps(shown, indent=2, ensure_ascii=False))
        return 0
    if not found:
        print("no mails")
    for mail in found:
        print(f"{mail.when} from {mail.sender} to {', '.join(mail.to)}: {mail.subject}")
        print("".join(f"  {line}".rstrip() + "\n" for line in mail.text.splitlines()), end="")
    return 0


def dlq(options: Namespace) -> int:
    """`dlq`: a line for each queue and each letter; or one of them thrown away."""
    does = operations(options)
    if options.discard:
        gone = _discard(does, options.name, options.discard)
        print(
            json.dumps(asdict(gone), indent=2, ensure_ascii=False) if options.json else _gone(gone)
        )
        return 0
    letters = does.dead_letters(options.name)
    if options.json:
        print(json.dumps([asdict(letter) for letter in letters], indent=2, ensure_ascii=False))
        return 0
    if not letters:
        print("no letters")
    by_queue: dict[str, list[Letter]] = {}
    for letter in letters:
        by_queue.setdefault(letter.queue, []).append(letter)
    for queue, some in by_queue.items():
        print(f"{queue}: {len(some)}")
        for letter in some:
            print(f"  {letter.id}  {_line(letter)}")
    return 0


def _discard(does: Operations, name: str, ident: str) -> Letter:
    """Throw a letter away, whose id names one at most: the queue need not be said."""
    if name:
        return does.discard(name, ident)
    found = [letter for letter in does.dead_letters() if letter.id == ident]
    if not found:
        raise Mistake(f"no letter {ident}: `dlq --json` shows the id of each", code=2)
    return does.discard(found[0].queue, ident)


def _gone(letter: Letter) -> str:
    return f"{letter.queue}: thrown away {letter.id}\n  {_line(letter)}\n  {letter.body}"


def redrive(options: Namespace) -> int:
    """`redrive`: how many went back; 1 where some stayed."""
    with _progress("letters") as progress:
        done = operations(options).redrive(options.name, most=options.max, progress=progress)
    print(f"{done.queue}: {done.moved} went back, {len(done.kept)} stayed")
    for ident, reason in done.kept.items():
        print(f"{ident}: {reason}", file=sys.stderr)
    return 1 if done.kept else 0


def fault(options: Namespace) -> int:
    """`fault`: one more, all of them, or none any more."""
    does = operations(options)
    if options.clear:
        if options.function:
            raise Mistake("--clear takes all faults away: name no function", code=2)
        gone = does.clear_faults()
        print(f"{gone} {'fault' if gone == 1 else 'faults'} taken away")
        return 0
    if options.function:
        print(
            does.fault(
                options.function,
                options.do,
                after=options.after,
                before=options.before,
                where=options.where,
                request=options.request,
                times=None if options.always else options.times,
                seconds=options.seconds,
            )
        )
        return 0
    print("\n".join(str(each) for each in does.faults()) or "no faults")
    return 0


def operations(options: Namespace) -> Operations:
    """The verbs on the stack that a command means."""
    from sandbox.commands import clients, running
    from sandbox.operations.verbs import Operations

    place, emulator, state = running(options)
    return Operations(clients(emulator), state, place, state.exports)


@contextmanager
def _given() -> Generator[None]:
    """What a service refuses of what it was sent was given wrongly."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        from sandbox.faults import aws_said

        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        raise Mistake(aws_said(error), code=2 if 400 <= status < 500 else 1) from None


def _body(given: str) -> str:
    """The text itself, of a file (`@FILE`), or of standard input (`-`)."""
    if given != "-" and not given.startswith("@"):
        return given
    try:
        return sys.stdin.read() if given == "-" else Path(given[1:]).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8"
        raise Mistake(f"{given}: {why}", code=2) from None


def _json(given: str) -> Any:
    text = _body(given)
    try:
        return json.loads(text)
    except ValueError as error:
        raise Mistake(f"JSON: {error}: {text[:60]}", code=2) from None


def _attributes(given: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    for name, equals, _value in pairs:
        if not name or not equals:
            raise Mistake(f"--attribute {name}: write it as NAME=VALUE", code=2)
    return {name: value for name, _, value in pairs}


def _line(letter: Letter) -> str:
    """One letter in one line."""
    times = "once" if letter.receives == 1 else f"{letter.receives} times"
    verb = "called" if letter.kind in ("invocation", "batch") else "received"
    parts = [
        f"{age(letter.age)} old",
        f"{letter.kind} from {letter.source}" if letter.source else letter.kind,
        f"{verb} {times}" if letter.receives else "",
        letter.condition,
        letter.error or ("" if letter.records else letter.body),
    ]
    text = ", ".join(" ".join(part.split()) for part in parts if part)
    short = text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}..."
    return f"{short}, {letter.records}" if letter.records else short


def age(seconds: float) -> str:
    """A stretch of time in its largest unit: `3 min`."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


@contextmanager
def _progress(what: str) -> Generator[Callable[[int, int], None]]:
    """Where somebody looks on, a line that is rewritten; nothing at all for what takes no time."""
    live, began = sys.stderr.isatty(), time.monotonic()
    # What is sent and moved here has no end that is known; `sandbox.__main__` turned the collector off.
    gc.enable()

    def show(done: int, of: int) -> None:
        if live and time.monotonic() - began > 1:
            print(f"\r{done} of {of} {what}", end="", file=sys.stderr, flush=True)

    yield show
    if live and time.monotonic() - began > 1:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
