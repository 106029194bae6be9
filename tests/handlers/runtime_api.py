"""Lambda's Runtime API as a custom runtime's `bootstrap` sees it, answering from a list of events.

`python -m tests.handlers.runtime_api BOOTSTRAP` runs a bootstrap and holds its answers against
tests/events/checksum_vectors.json, and its log lines against those of common/logs.py. Nothing but
the standard library is needed.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VECTORS = Path(__file__).parents[1] / "events" / "checksum_vectors.json"
_PATH = "/2018-06-01/runtime/"
TRACE = "1-6923a1b2-0123456789abcdef01234567"
HEAD = (
    *("timestamp", "level", "message", "service", "function", "version"),
    *("requestId", "correlation_id", "xray_trace_id", "cold_start"),
)
_SECONDS = 20.0  # a JVM of the slowest machine starts in this time


class Function:
    """A running bootstrap: `invoke(event)` is its answer, or its error."""

    def __init__(self) -> None:
        self.events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        self.answers: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._count = 0

    def invoke(self, event: Any) -> tuple[str, Any]:
        """("response" or "error", what the function said). Raises queue.Empty after 20 seconds."""
        self._count += 1
        self.events.put((f"request-{self._count}", json.dumps(event).encode()))
        outcome, body = self.answers.get(timeout=_SECONDS)
        return outcome, json.loads(body)


@contextmanager
def running(
    command: Sequence[str], root: Path, output: IO[str] | None = None, **environment: str
) -> Iterator[Function]:
    """Start a bootstrap whose package is unpacked at `root`, and end it afterwards. What it writes
    goes to `output`, where there is one.
    """
    function = Function()
    server = _Server(function)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "checksum",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/checksum",
        "AWS_LAMBDA_LOG_STREAM_NAME": "one",
        "AWS_REGION": "us-west-2",
        "LAMBDA_TASK_ROOT": str(root),
        **environment,
    }
    process = subprocess.Popen(command, cwd=root, env=told, stdout=output)
    try:
        yield function
    finally:
        process.kill()
        process.wait()
        function.events.put(None)  # for the request for an event that is still waiting
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def __init__(self, function: Function) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.function = function

    def handle_error(self, *request: Any) -> None:
        """Say nothing of a bootstrap that was ended while it waited."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        assert self.path == f"{_PATH}invocation/next", self.path
        event = self.server.function.events.get()
        if event is None:
            self.close_connection = True
            return
        request_id, body = event
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": "4102444800000",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-west-2:1:function:checksum",
            "Lambda-Runtime-Trace-Id": f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=0",
        }
        self._answer(200, body, headers)

    def do_POST(self) -> None:
        outcome = self.path.rsplit("/", 1)[-1]
        self.server.function.answers.put((outcome, b"".join(self._parts())))
        self._answer(202, b"{}", {})

    def _parts(self) -> Iterator[bytes]:
        if "Content-Length" in self.headers:
            yield self.rfile.read(int(self.headers["Content-Length"]))
            return
        # In chunks, each after its length in hexadecimal; the last one is empty.
        while length := int(self.rfile.readline(), 16):
            yield self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: what the function writes is what a reader wants to see."""


def mistakes(function: Function) -> Iterator[str]:
    """What a checksum function answers otherwise than the vectors say, one line each."""
    for vector in json.loads(VECTORS.read_text(encoding="utf-8")):
        outcome, said = function.invoke(vector["event"])
        if "error" in vector:
            # Runtimes write the type in their own ways: checksum.InvalidInput, Function<InvalidInput>.
            right = outcome == "error" and said["errorMessage"] == vector["error"]
            right = right and "InvalidInput" in said["errorType"]
        else:
            right = (outcome, said) == ("response", vector["answer"])
        if not right:
            yield f"{vector['name']}: {outcome} {said}"


def wrong_lines(function: Function, output: IO[str]) -> Iterator[str]:
    """What a checksum function that has just started logs otherwise than common/logs.py would."""
    for number, given in enumerate(("mine.1=", "a b"), 1):
        function.invoke({"content": "", "algorithms": ["crc32c"], "correlationId": given})
        output.seek(0)
        line = json.loads(output.readlines()[-1])
        name = f"request-{number}"
        wanted = {
            "requestId": name,
            "correlation_id": given if number == 1 else name,
            "xray_trace_id": TRACE,
            "cold_start": number == 1,
            "level": "INFO",
            "message": "checksums computed",
            "version": "$LATEST",
            "size": 0,
        }
        for member, value in wanted.items():
            if line.get(member) != value:
                yield f"{member} is {line.get(member)!r}, not {value!r}, in {line}"
        if sorted(line) != sorted((*HEAD, "size", "milliseconds")):
            yield f"other members: {line}"


def main(command: Sequence[str]) -> int:
    """Run the bootstrap at this path against the vectors; 1 when an answer or a line is wrong."""
    bootstrap = Path(command[0]).resolve()
    with (
        tempfile.TemporaryFile("w+") as output,
        running([str(bootstrap), *command[1:]], bootstrap.parent, output) as function,
    ):
        wrong = [*wrong_lines(function, output), *mistakes(function)]
    print(*wrong, f"{len(wrong)} wrong answers or lines", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
