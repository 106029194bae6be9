"""What one does to a running stack, as methods: of `Box`, and of what the command line works with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox import emulator as emulators
from sandbox import functions
from sandbox.clients import Clients
from sandbox.operations import (
    alarming,
    injection,
    letters,
    mails,
    measuring,
    reasons,
    redriving,
    sending,
    ticking,
    tracing,
    webhooks,
)
from sandbox.operations.alarming import Alarm
from sandbox.operations.injection import Fault
from sandbox.operations.letters import Letter
from sandbox.operations.mails import Mail
from sandbox.operations.measuring import Metric
from sandbox.operations.redriving import Redriven
from sandbox.operations.ticking import Run
from sandbox.operations.tracing import Trace
from sandbox.place import Place
from sandbox.state import State
from sandbox.web import Answer


class Operations:
    """Sends events, fires schedules, reads mails, alarms, metrics and traces, looks into and empties dead-letter queues,
    and lets functions meet faults.

    Names are those of the program (`orders`, `uploads`), of the exports (`uploadsBucket`) or of AWS. Each raises
    `Mistake` with one line for what is not there, and botocore's ClientError for what AWS refuses.
    """

    def __init__(
        self, aws: Clients, state: State, place: Place, exports: Mapping[str, Any]
    ) -> None:
        self._aws = aws
        self._state = state
        self._place = place
        self.outputs = exports

    def send_s3(
        self,
        file: Path | str | bytes,
        key: str = "",
        *,
        bucket: str = "uploads",
        content_type: str = "",
    ) -> dict[str, Any]:
        """Put a file, or bytes, into a bucket: under `uploads/` and the file's name unless `key` says where."""
        given = Path(file) if isinstance(file, str) else file
        return sending.to_bucket(self._aws, self._state, given, key, bucket, content_type)

    def send_sqs(
        self,
        queue: str,
        *bodies: Any,
        group: str = "",
        dedup: str = "",
        attributes: Mapping[str, str] | None = None,
        progress: sending.Progress = lambda _done, _of: None,
    ) -> list[str]:
        """Send messages (text, or what is sent as JSON); their ids. `attributes`: `{"total:Number": "5"}` has a type."""
        return sending.to_queue(
            self._aws,
            self._state,
            queue,
            bodies,
            group=group,
            dedup=dedup,
            attributes=attributes,
            progress=progress,
        )

    def send_sns(
        self,
        topic: str,
        message: Any,
        *,
        subject: str = "",
        group: str = "",
        dedup: str = "",
        attributes: Mapping[str, str] | None = None,
    ) -> str:
        """Publish a message; its id."""
        return sending.to_topic(
            self._aws,
            self._state,
            topic,
            message,
            subject=subject,
            group=group,
            dedup=dedup,
            attributes=attributes,
        )

    def send_events(
        self, detail_type: str, detail: Any, *, source: str = sending.SOURCE, bus: str = "events"
    ) -> dict[str, Any]:
        """Put an event on a bus (`default` is the account's own); its id and the `rules` that it matches."""
        return sending.to_bus(self._aws, self._state, detail_type, detail, source, bus)

    def send_kinesis(
        self, data: Any, key: str = "", *, stream: str = "telemetry"
    ) -> dict[str, Any]:
        """Put a record into a stream, under a random partition key unless `key` is one; shard and sequence number."""
        return sending.to_stream(self._aws, self._state, data, key, stream)

    def send_webhook(
        self,
        body: Any,
        *,
        ident: str = "",
        timestamp: int | None = None,
        key: str | None = None,
    ) -> Answer:
        """Call the stack's webhook with a signature; the same `ident` twice is the same delivery.

        `timestamp`: seconds since the epoch; `key` signs in place of the stack's own secret.
        """
        return webhooks.send(
            self._aws, self.outputs, body, ident=ident, timestamp=timestamp, key=key
        )

    def tick(self, name: str, *, wait: float | None = None) -> Run:
        """Fire a schedule now, enabled or not, and wait until its function has run: `status` and `log`.

        It goes through the scheduler, with the schedule's own target and input. `wait`: seconds at most, the function's
        timeout and 15 s where None.
        """
        return ticking.tick(self._aws, self._state, name, wait=wait)

    def dead_letters(self, name: str = "") -> list[Letter]:
        """What lies in a dead-letter queue, or in all of them and the queue of failures; looking changes nothing."""
        found = letters.read(self._aws, self._state, name)
        return reasons.explained(self._aws, self._state, found)

    def mails(self) -> list[Mail]:
        """The mails that functions sent, oldest first: `sender`, `to`, `subject`, `text`, `when`."""
        return mails.read(self._aws)

    def redrive(
        self,
        name: str,
        *,
        most: int | None = None,
        progress: redriving.Progress = lambda _done, _of: None,
    ) -> Redriven:
        """Bring letters back to where they belong: `moved`, and `kept` with the reason for each that stayed.

        `name`: a dead-letter queue, the queue before it, or the queue of failures, whose events are done again.
        """
        return redriving.redrive(self._aws, self._state, name, most=most, progress=progress)

    def discard(self, name: str, ident: str) -> Letter:
        """Throw one letter away for good, named by queue and id; what it was."""
        found = redriving.discard(self._aws, self._state, name, ident)
        return reasons.explained(self._aws, self._state, [found])[0]

    def fault(
        self,
        function: str,
        do: str = "exit",
        *,
        after: str = "",
        before: str = "",
        where: str = "",
        request: str = "",
        times: int | None = 1,
        seconds: float = 1.0,
    ) -> Fault:
        """Let a Python function (`*`: each of them) meet a fault in its next calls, `times` of them (1; None: always).

        `do`: `exit` and `kill` end its environment at once, the latter as running out of memory does; `throttle` and
        `unavailable` are the service's own errors, `unreachable` is a connection refused, `slow` waits `seconds` (1.0),
        or until the client gives up. It stands `after` or `before` one call: `dynamodb:PutItem`, `sns:*`, `handler`
        (the whole handler), `http:POST` (a request of its own). After means that the call has had its effect. A client
        sees an error as after the last of its own retries. `where`: only with events that hold this text; `request`:
        only at calls whose parameters hold it. Answers the fault: `fired`, `left`, `clear()`; `with` clears it.
        """
        return injection.add(
            self._aws,
            self._state,
            self._place,
            function,
            do,
            after=after,
            before=before,
            where=where,
            request=request,
            times=times,
            seconds=seconds,
        )

    def faults(self) -> list[Fault]:
        """Every fault that was asked for and not cleared, oldest first."""
        return injection.every(self._place)

    def clear_faults(self) -> int:
        """Take all faults away; how many there were."""
        return injection.clear(self._place)

    def alarms(self) -> list[Alarm]:
        """The alarms, those that ring first: `name`, `state`, `reason`, `severity`, `runbook`, `since`."""
        return alarming.read(self._aws, self.outputs)

    def metrics(self, name: str = "") -> list[Metric]:
        """What was measured in the last minutes, of the metrics that hold `name` in namespace, name or a dimension."""
        running = emulators.recorded(self._place)
        minute = running.minute if running else emulators.MINUTE
        return measuring.read(self._aws, minute, name)

    def traces(self, ident: str = "", *, most: int = tracing.LATEST) -> list[Trace]:
        """The latest traces, newest first; with an id (or its end) that one alone, and what it caused in `effects`."""
        reader = self._traces()
        return [reader.one(ident)] if ident else reader.latest(most)

    def related_traces(self, ident: str) -> list[Trace]:
        """A trace and all that its messages began, in the order of their beginnings."""
        reader = self._traces()
        return reader.related(reader.one(ident).id)

    def _traces(self) -> tracing.Reader:
        known = functions.find(self._state).values()
        names = {_physical(each.target): each.name for each in known}
        return tracing.Reader(self._aws, names)


def _physical(target: str) -> str:
    """A function's name in AWS, of its ARN or of itself."""
    return target.split(":")[6] if target.startswith("arn:") else target
