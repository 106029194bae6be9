"""What a forked child does: become one execution environment and answer its calls.

It follows AWS's Python runtime: the handler is loaded once, its globals live as long as the
environment, the error document of a failure carries errorMessage, errorType, requestId and
stackTrace, and whatever ends the process ends the environment.
"""

import decimal
import gc
import importlib
import io
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from sandbox.workers import faults, logs, wire
from sandbox.workers.context import LambdaContext

RESPONSE_LIMIT = 6_291_556
"""Bytes of an answer (Lambda quotas: 6 MB for a synchronous payload; AWS checks this number)."""

PACKAGES = frozenset(("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"))
"""Packages that AWS's Python runtimes bring along."""

_TOO_LARGE = {
    "errorMessage": "Response payload size exceeded maximum allowed payload size"
    f" ({RESPONSE_LIMIT} bytes).",
    "errorType": "Function.ResponseSizeTooLarge",
}

Handler = Callable[[Any, LambdaContext], Any]

headers: dict[str, str] = {}
"""Headers that the emulator wants on the handler's own AWS calls, for this invocation."""


class FaultError(Exception):
    """A failure with a type of Lambda's own."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.trace = trace or []


class Environment:
    """One execution environment, from the inside."""

    def __init__(
        self, stream: wire.Stream, order: dict[str, Any], preloaded: frozenset[str]
    ) -> None:
        self._stream = stream
        self._order = order
        self._format: str = order["log_format"]
        self._preloaded = preloaded

    def live(self) -> int:
        """Load the handler and answer calls until the emulator is gone; return an exit code."""
        try:
            self._furnish()
            handler = self._load_or_report()
            if handler is None:
                return 1
            self._stream.send(wire.READY, number=_peak_memory())
            while True:
                self._answer(handler, json.loads(self._stream.receive()[2]))
        except wire.ClosedError:
            return 0
        except SystemExit as error:
            return _exit_code(error)
        except BaseException:
            traceback.print_exc()
            return 1
        finally:
            sys.stdout.flush()

    def _furnish(self) -> None:
        """Give the process Lambda's surroundings: variables, folder, search path, log."""
        order = self._order
        os.environ.clear()
        os.environ.update(order["variables"])
        time.tzset()
        os.chdir(order["task"])
        tempfile.tempdir = order["scratch"]
        sys.stdout = _text_stream(1)
        sys.stderr = _text_stream(2)
        sys.path[:0] = order["path"]
        _forget_bundled(order["path"], self._preloaded)
        logs.install(self._format, order["log_level"])
        gc.enable()

    def _load_or_report(self) -> Handler | None:
        try:
            return load_handler(self._order["handler"])
        except Exception as error:
            fault = self._document(error, error.__traceback__, "")
            logs.report_fault(fault, self._format)
            sys.stdout.flush()
            self._stream.send(wire.FAULT, wire.dump(fault), number=_peak_memory())
            return None

    def _answer(self, handler: Handler, call: dict[str, Any]) -> None:
        logs.request_id = call["id"]
        headers.clear()
        headers.update(call["headers"])
        for name, value in call["variables"].items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        context = LambdaContext(
            request_id=call["id"], function_arn=call["arn"], deadline=call["deadline"]
        )
        kind = wire.RESULT
        try:
            payload = encode(faults.around(handler, call["faults"])(call["event"], context))
        except Exception as error:
            fault = self._document(error, error.__traceback__, call["id"])
            logs.report_fault(fault, self._format)
            kind, payload = wire.FAULT, wire.dump(fault)
        if len(payload) > RESPONSE_LIMIT:
            kind, payload = wire.FAULT, wire.dump(_TOO_LARGE)
        sys.stdout.flush()
        sys.stderr.flush()
        self._stream.send(kind, payload, number=_peak_memory())

    def _document(
        self, error: BaseException, trace: TracebackType | None, request_id: str
    ) -> dict[str, Any]:
        """Return what AWS says of a failure, under the paths that files have there."""
        if isinstance(error, FaultError):
            kind, frames = error.kind, error.trace
        else:
            kind, frames = type(error).__name__, _frames(trace)
        places = self._order["places"]
        return {
            "errorMessage": logs.moved(str(error), places),
            "errorType": kind,
            "requestId": request_id,
            "stackTrace": [logs.moved(frame, places) for frame in frames],
        }


def _frames(trace: TracebackType | None) -> list[str]:
    """Return the handler's own frames."""
    frames = traceback.extract_tb(trace)
    own = [frame for frame in frames if frame.filename not in (__file__, faults.__file__)]
    while own and "importlib" in own[0].filename:
        own.pop(0)
    return traceback.format_list(own)


def load_handler(name: str) -> Handler:
    """Import the module of `module.function` and return the function; raises `FaultError` as AWS does.

    The module may be written with slashes (`pkg/module.function`).
    """
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        message = f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        raise FaultError("Runtime.MalformedHandlerName", message)
    if module_name.split(".")[0] in sys.builtin_module_names:
        message = f"Cannot use built-in module {module_name} as a handler module"
        raise FaultError("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise FaultError("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        message = f"Syntax error in module '{module_name}': {error}"
        raise FaultError("Runtime.UserCodeSyntaxError", message, [place]) from error
    try:
        return getattr(module, function_name)
    except AttributeError as error:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise FaultError("Runtime.HandlerNotFound", message) from error


def encode(answer: Any) -> bytes:
    """Encode a handler's answer as JSON; raises `FaultError` for what AWS's runtime refuses.

    Decimals become numbers and bytes become text, as simplejson does on AWS; NaN is refused.
    """
    try:
        return json.dumps(answer, default=_plain, allow_nan=False).encode()
    except Exception as error:
        message = f"Unable to marshal response: {error}"
        raise FaultError("Runtime.MarshalError", message) from error


def _plain(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _text_stream(descriptor: int) -> io.TextIOWrapper:
    return open(
        descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )


def _forget_bundled(path: list[str], preloaded: frozenset[str]) -> None:
    """Let a package that the function brings along win over the preloaded one.

    `preloaded` are the top-level names that the zygote loaded beyond what AWS's bootstrap needs.
    """
    found = {entry.name.partition(".")[0] for folder in path for entry in os.scandir(folder)}
    bundled = found & preloaded
    if bundled & PACKAGES:
        # They hold references to each other, so they are loaded anew together.
        bundled |= PACKAGES
    if bundled:
        for name in [name for name in sys.modules if name.partition(".")[0] in bundled]:
            del sys.modules[name]


def _peak_memory() -> int:
    """Return the peak resident memory of this process in KiB (macOS counts bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def _exit_code(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def become_leader() -> None:
    """Start a process group of its own, so that a timeout ends the handler's children too."""
    os.setpgid(0, 0)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
