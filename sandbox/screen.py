"""What goes to the terminal: progress on one line that is rewritten, plain lines where nobody looks on."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.apply import Registration
    from sandbox.functions import Event


class Screen:
    """Prints from any thread; the progress line gives way to every other line."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live = sys.stdout.isatty()
        self._done = 0
        self._pending = False

    def line(self, text: str) -> None:
        """A line of its own."""
        with self._lock:
            self._wipe()
            print(text, flush=True)

    def fault(self, text: str) -> None:
        """A line on standard error."""
        with self._lock:
            self._wipe()
            print(text, file=sys.stderr, flush=True)

    def progress(self, what: str, resource: Registration) -> None:
        """One resource is done."""
        with self._lock:
            self._done += 1
            if self._live:
                self._wipe()
                print(f"{self._done} resources: {resource.title}"[:79], end="", flush=True)
                self._pending = True
            elif what != "same":
                print(f"{what} {resource.title}", flush=True)

    def block(self, title: str, lines: Sequence[str]) -> None:
        """A titled block, set off by an empty line; nothing where there are no lines."""
        if lines:
            self.line("\n".join(["", *([title] if title else []), *lines]))

    def fail(self, lines: Iterable[str], standing: int) -> None:
        """The failures of a run, and what is left standing."""
        for text in lines:
            self.fault(text)
        self.fault(f"{standing} resources stand; run `up` again once this is put right")

    def events(self, events: Sequence[Event], *, named: bool) -> None:
        """Log lines as they came, each with its time and, where `named`, its function.

        What Lambda itself writes is shown of failed calls: where each began and how it ended.
        """
        failed = {event.request for event in events if event.request and not event.of_platform}
        for event in events:
            if not event.of_platform or event.request in failed:
                clock = time.strftime("%H:%M:%S", time.localtime(event.time / 1000))
                name = f" {event.function}" if named else ""
                self.line(f"{clock}{name}  {_text(event.parsed)}")

    def _wipe(self) -> None:
        if self._pending:
            print("\r\x1b[K", end="")
            self._pending = False


def _text(parsed: Any) -> str:
    return parsed if isinstance(parsed, str) else json.dumps(parsed)
