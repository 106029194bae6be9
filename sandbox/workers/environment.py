"""One execution environment, seen from the emulator: a forked process, its socket and its log."""

import contextlib
import json
import os
import signal
import socket
import threading
import time
from typing import Any

from sandbox.workers import logs, wire
from sandbox.workers.archives import Archives, remove_scratch
from sandbox.workers.functions import Function, new_log_stream
from sandbox.workers.nursery import Nursery

INIT_SECONDS = 10.0
"""What AWS allows for loading a function before its own timeout starts to count."""
_LOG_LIMIT = 1 << 20


class CallError(Exception):
    """A call that ends in an error document; `fatal` means the environment is gone."""

    def __init__(self, document: dict[str, Any], *, fatal: bool = True) -> None:
        super().__init__(document)
        self.document = document
        self.fatal = fatal


class Environment:
    """A process that has loaded one version of one function."""

    def __init__(self, nursery: Nursery, archives: Archives, function: Function) -> None:
        self.make = function.make
        self.log_stream = new_log_stream(function.version)
        self.last_used = time.monotonic()
        self.init_ms: float | None = None
        self.memory_kib = 0
        self.process = 0
        self._nursery = nursery
        self._scratch = archives.scratch()
        self._log = archives.log_file()
        self._read = 0
        ours, theirs = socket.socketpair()
        self._stream = wire.Stream(ours)
        try:
            order = function.order(
                task=archives.unpack([function.code]),
                opt=archives.unpack(function.layers()),
                scratch=self._scratch,
                log_stream=self.log_stream,
            )
            self._places: dict[str, str] = order["places"]
            nursery.fork(order, (theirs.fileno(), self._log))
        except BaseException:
            self.close()
            raise
        finally:
            theirs.close()

    def load(self, request_id: str, timeout: float) -> None:
        """Wait until the handler is loaded; raises `CallError` with the error document.

        `timeout` is the function's own, in seconds: AWS repeats a slow load within it.
        """
        started = time.monotonic()
        try:
            _kind, self.process, _ = self._stream.receive(INIT_SECONDS)
            kind, self.memory_kib, payload = self._stream.receive(INIT_SECONDS + timeout)
        except (TimeoutError, wire.ClosedError) as error:
            raise self._ended(error, request_id, timeout) from error
        self.init_ms = (time.monotonic() - started) * 1000
        if kind == wire.FAULT:
            raise CallError(json.loads(payload))

    def invoke(self, call: dict[str, Any], timeout: float) -> Any:
        """Return the handler's answer; raises `CallError`. `timeout` is in seconds."""
        try:
            self._stream.send(wire.CALL, wire.dump(call))
            kind, self.memory_kib, payload = self._stream.receive(timeout)
        except (TimeoutError, wire.ClosedError) as error:
            raise self._ended(error, call["id"], timeout) from error
        if kind == wire.FAULT:
            raise CallError(json.loads(payload), fatal=False)
        return json.loads(payload)

    def _ended(self, error: Exception, request_id: str, timeout: float) -> CallError:
        if isinstance(error, TimeoutError):
            self._kill()
            message = f"Task timed out after {timeout:.2f} seconds"
            return _failure("Sandbox.Timedout", request_id, message)
        code = self._nursery.exit_code(self.process)
        return _failure("Runtime.ExitError", request_id, _reason(code))

    def take_log(self) -> list[str]:
        """Return what was logged since the last time, one element per log event, with the paths of AWS."""
        size = os.fstat(self._log).st_size
        if size == self._read:
            return []
        text = os.pread(self._log, size - self._read, self._read).decode("utf-8", "replace")
        text = logs.moved(text, self._places)
        self._read = size
        if size > _LOG_LIMIT:
            os.ftruncate(self._log, 0)
            self._read = 0
        return [line.replace(logs.BREAK, "\n") for line in text.removesuffix("\n").split("\n")]

    def close(self) -> None:
        """Let the process end by itself: its socket is closed, and the zygote ends its children."""
        self._stream.close()
        with contextlib.suppress(OSError):
            os.close(self._log)
        # Off the caller's path: a handler may have filled its /tmp.
        threading.Thread(target=remove_scratch, args=(self._scratch,), daemon=True).start()

    def _kill(self) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process, signal.SIGKILL)


def _failure(kind: str, request_id: str, message: str) -> CallError:
    return CallError(
        {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    )


def _reason(code: int | None) -> str:
    """Say how a process ended, in the words of AWS's platform."""
    if not code:
        return "Runtime exited without providing a reason"
    if code < 0:
        name = (signal.strsignal(-code) or str(-code)).lower()
        return f"Runtime exited with error: signal: {name}"
    return f"Runtime exited with error: exit status {code}"
