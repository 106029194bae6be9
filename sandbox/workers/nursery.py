"""The zygote process, seen from the emulator: started early, asked to fork, restarted if it died."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from sandbox.workers import borders, wire

WARM_UP_SECONDS = 30.0
"""How long a first call waits for the zygote; it needs about half a second."""


def unavailable() -> str | None:
    """Return why environments cannot be forked on this machine, or None where they can."""
    if os.environ.get("SANDBOX_WORKERS") == "stock":
        return "SANDBOX_WORKERS=stock asks for MiniStack's own workers"
    for holder, attribute in ((os, "fork"), (socket, "send_fds"), (socket, "AF_UNIX")):
        if not hasattr(holder, attribute):
            return f"this Python has no {holder.__name__}.{attribute}"
    if importlib.util.find_spec("boto3") is None:
        return "boto3 is not installed"
    return None


class Nursery:
    """Forks execution environments through one preloaded process."""

    def __init__(self) -> None:
        self._sending = threading.Lock()
        self._changed = threading.Condition()
        self._exits: dict[int, int] = {}
        self._generation = 0
        self._ready = False
        self._stream: wire.Stream | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the zygote without waiting for it to be warm."""
        with self._sending:
            self._start()

    def fork(self, order: dict[str, Any], descriptors: tuple[int, int]) -> None:
        """Fork an environment that talks over the first descriptor and logs to the second.

        Raises `TimeoutError` when no zygote gets warm, `wire.ClosedError` when it dies twice.
        """
        payload = wire.dump(order)
        with self._sending:
            for attempt in (1, 2):
                try:
                    self._wait_until_warm().send(wire.START, payload, descriptors=descriptors)
                except wire.ClosedError:
                    if attempt == 2:
                        raise
                    self._start()
                else:
                    return

    def exit_code(self, process: int, seconds: float = 0.5) -> int | None:
        """Return how an environment ended (negative: by that signal), or None if unknown."""
        with self._changed:
            self._changed.wait_for(lambda: process in self._exits, seconds)
            return self._exits.get(process)

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8"}
        if borders.is_open():
            environment[borders.VARIABLE] = "open"
        if sys.platform == "darwin":
            environment["OBJC_DISABLE_INITIALIZE_FORK_SAFETY"] = "YES"
        script = Path(__file__).with_name("zygote.py")
        command = [sys.executable, "-I", "-S", str(script), str(theirs.fileno()), _site()]
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        # Nobody tells the process to end: it does when its socket is closed.
        self._process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            env=environment,
            stdin=subprocess.DEVNULL,
            cwd="/",
            # Whoever kills the emulator's group leaves it the moment it needs to end its children.
            process_group=0,
        )
        theirs.close()
        stream = wire.Stream(ours)
        with self._changed:
            self._generation += 1
            self._ready = False
            self._stream = stream
        listener = threading.Thread(
            target=self._listen, args=(stream, self._generation), daemon=True, name="nursery"
        )
        listener.start()

    def _wait_until_warm(self) -> wire.Stream:
        with self._changed:
            if not self._changed.wait_for(lambda: self._ready, WARM_UP_SECONDS):
                raise TimeoutError("the process that forks Lambda environments did not start")
            if self._stream is None:
                raise wire.ClosedError
            return self._stream

    def _listen(self, stream: wire.Stream, generation: int) -> None:
        try:
            while True:
                kind, _number, payload = stream.receive()
                with self._changed:
                    if kind == wire.READY:
                        self._ready = True
                    elif kind == wire.EXIT:
                        self._note_exit(*json.loads(payload))
                    self._changed.notify_all()
        except wire.ClosedError:
            with self._changed:
                if generation == self._generation:
                    # Whoever waits gets ClosedError at once and starts a new one.
                    self._ready, self._stream = True, None
                    self._changed.notify_all()

    def _note_exit(self, process: int, code: int) -> None:
        self._exits[process] = code
        if len(self._exits) > 256:
            del self._exits[next(iter(self._exits))]


def _site() -> str:
    """Return the folder that holds boto3."""
    spec = importlib.util.find_spec("boto3")
    if spec is None or spec.origin is None:
        raise RuntimeError("boto3 is not installed")
    return str(Path(spec.origin).parents[1])
