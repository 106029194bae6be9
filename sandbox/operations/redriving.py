"""Back from a dead-letter queue: messages to the queue they come from, events to the function that did not do them.

A letter is deleted once it is where it belongs, so that nothing is lost in between; what cannot be brought back stays,
with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.clients import Clients
from sandbox.errors import Mistake, similar
from sandbox.faults import aws_said, is_expected
from sandbox.operations import letters, replays, targets
from sandbox.operations.letters import Place
from sandbox.state import State

_BATCH: Final = 10
_HELD_SECONDS: Final = 120
"""How long a letter stays hidden from others while it is brought back."""

Progress = Callable[[int, int], object]


@dataclass
class Redriven:
    """How many letters went back, and of which each that stayed: its id and why."""

    queue: str
    moved: int = 0
    kept: dict[str, str] = field(default_factory=dict)


def redrive(
    aws: Clients,
    state: State,
    name: str,
    *,
    most: int | None = None,
    progress: Progress = lambda _done, _of: None,
) -> Redriven:
    """Bring back the letters of a queue, or of the dead-letter queue behind it, oldest first, `most` of them.

    Messages keep body, attributes and FIFO ids; they are new messages with a new id, as after a redrive of SQS. A
    deduplication id that SQS still remembers gets an ending, or the message would be dropped as its own repetition.
    Letters that come while it works wait for the next time. Raises `Mistake` for a queue that is none of letters.
    """
    at = letters.place(aws, state, name)
    left = len(letters.read_at(aws, at))
    left = total = left if most is None else min(most, left)
    done = Redriven(at.name)
    stay: list[dict[str, Any]] = []
    try:
        while left and (batch := _receive(aws, at, min(_BATCH, left))):
            left -= len(batch)
            kept = _bring_back(aws, state, at, batch)
            done.kept |= kept
            done.moved += len(batch) - len(kept)
            stay += [each for each in batch if each["MessageId"] in kept]
            _delete(aws, at, [each for each in batch if each["MessageId"] not in kept])
            progress(total - left, total)
    finally:
        # Shown sooner, they would be received once more in place of those behind them.
        _show(aws, at, stay)
    return done


def discard(aws: Clients, state: State, name: str, ident: str) -> letters.Letter:
    """Delete the letter with this id from a queue of letters; what it was. Raises `Mistake` where there is none.

    Letters are received until it comes: SQS deletes only what was received. Those before it are shown again.
    """
    at = letters.place(aws, state, name)
    there = [str(message["MessageId"]) for message in letters.read_at(aws, at)]
    if ident not in there:
        raise Mistake(f"{at.name} holds no letter {ident}{similar(ident, there)}", code=2)
    held: list[dict[str, Any]] = []
    wanted: dict[str, Any] | None = None
    try:
        while wanted is None and (batch := _receive(aws, at, _BATCH)):
            wanted = next((each for each in batch if each["MessageId"] == ident), None)
            held += [each for each in batch if each is not wanted]
    finally:
        _show(aws, at, held)
    if wanted is None:
        raise Mistake(
            f"{ident} cannot be received now: somebody holds it, or ten of its group come before it"
        )
    _delete(aws, at, [wanted])
    return letters.letter_of(state, at, wanted)


def _receive(aws: Clients, at: Place, most: int) -> list[dict[str, Any]]:
    answer = aws.client("sqs").receive_message(
        QueueUrl=at.url,
        MaxNumberOfMessages=most,
        VisibilityTimeout=_HELD_SECONDS,
        WaitTimeSeconds=0,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return list(answer.get("Messages", []))


def _bring_back(
    aws: Clients, state: State, at: Place, batch: list[dict[str, Any]]
) -> dict[str, str]:
    """The letters that stay, by id, and why."""
    kept: dict[str, str] = {}
    by_queue: dict[str, list[dict[str, Any]]] = {}
    for message in batch:
        letter = letters.letter_of(state, at, message)
        try:
            if letter.kind == "message":
                by_queue.setdefault(_source(aws, state, at, message), []).append(message)
            else:
                replays.replay(aws, letter)
        except Exception as error:
            if not is_expected(error):
                raise
            kept[message["MessageId"]] = aws_said(error)
    for url, messages in by_queue.items():
        kept |= _send(aws, url, messages)
    return kept


def _source(aws: Clients, state: State, at: Place, message: Mapping[str, Any]) -> str:
    """The URL of the queue that a message comes from."""
    came = at.origin(message["Attributes"])
    for outputs in targets.every(state, "queue").values():
        if outputs["arn"] == came:
            return str(outputs["url"])
    if not came:
        raise Mistake("nothing says which queue it comes from")
    return str(aws.client("sqs").get_queue_url(QueueName=came.rpartition(":")[2])["QueueUrl"])


def _send(
    aws: Clients, url: str, messages: list[dict[str, Any]], ending: str = ""
) -> dict[str, str]:
    """Send messages again; those that stay, by id, and why."""
    entries = [_entry(str(place), message, ending) for place, message in enumerate(messages)]
    answer = aws.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    kept = {
        messages[int(each["Id"])]["MessageId"]: f"{each['Code']}: {each.get('Message', '')}"
        for each in answer.get("Failed", [])
    }
    dropped = [
        messages[int(each["Id"])]
        for each in answer.get("Successful", [])
        if _is_repetition(each, messages[int(each["Id"])])
    ]
    if dropped:
        # One by one: the ending must be new for each time that a message is brought back.
        for message in dropped:
            kept |= _send(aws, url, [message], f"-redrive-{message['MessageId'][:8]}{ending}")
    return kept


def _is_repetition(sent: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
    """Whether SQS took a message for the one that it has had already: it answers with that one's number."""
    number = sent.get("SequenceNumber")
    return number is not None and number == message["Attributes"].get("SequenceNumber")


def _entry(place: str, message: Mapping[str, Any], ending: str) -> dict[str, Any]:
    system = message["Attributes"]
    entry: dict[str, Any] = {
        "Id": place,
        "MessageBody": message["Body"],
        "MessageAttributes": message.get("MessageAttributes") or {},
    }
    if trace := system.get("AWSTraceHeader"):
        entry["MessageSystemAttributes"] = {
            "AWSTraceHeader": {"DataType": "String", "StringValue": trace}
        }
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        if name in system:
            entry[name] = system[name]
    if ending and "MessageDeduplicationId" in entry:
        plain = entry["MessageDeduplicationId"].partition("-redrive-")[0]
        entry["MessageDeduplicationId"] = plain[: 128 - len(ending)] + ending
    return entry


def _delete(aws: Clients, at: Place, messages: list[dict[str, Any]]) -> None:
    """Delete what is where it belongs, ten at most."""
    if messages:
        aws.client("sqs").delete_message_batch(QueueUrl=at.url, Entries=_handles(messages))


def _show(aws: Clients, at: Place, messages: list[dict[str, Any]]) -> None:
    """Let others receive what stays."""
    for start in range(0, len(messages), _BATCH):
        handles = _handles(messages[start : start + _BATCH])
        entries = [{**each, "VisibilityTimeout": 0} for each in handles]
        aws.client("sqs").change_message_visibility_batch(QueueUrl=at.url, Entries=entries)


def _handles(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
        for place, message in enumerate(messages)
    ]
