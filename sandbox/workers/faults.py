"""Faults that a test asks for: the call at which an environment ends, is refused, or waits.

Each is a file in the emulator's TMPDIR, written by whoever wants it (`sandbox.operations.injection`). The emulator hands
those that concern an invocation along with it; the environment takes one of a fault's times before it acts, so that it
happens exactly as often as asked for, whichever process comes to it first.
"""

import fcntl
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.workers import logs

FOLDER = "faults"
"""Name of the folder in TMPDIR that holds them."""
KINDS = ("exit", "kill", "throttle", "unavailable", "unreachable", "slow")
EVERY = "*"
"""Stands for every function, and for every operation of a service."""

SAID = "a fault that was asked for:"
"""How the line about a fault begins."""
_NAMES = ("TableName", "StreamName", "StreamARN")

_THROTTLED = {
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
    "kinesis": ("ProvisionedThroughputExceededException", 400),
    "lambda": ("TooManyRequestsException", 429),
    "s3": ("SlowDown", 503),
    "ses": ("Throttling", 400),
    "sesv2": ("TooManyRequestsException", 429),
    "sns": ("Throttled", 429),
    "sqs": ("RequestThrottled", 403),
}
"""Code and status of a service's own throttling error; `ThrottlingException` with 400 where none is named here."""

Record = dict[str, Any]

_waiting: list[Record] = []
"""The faults that the invocation under way may meet."""
_in_client = threading.local()
"""Whether this thread is inside an AWS client, whose requests are no requests of the handler's own."""


def concerning(name: str, event: Any) -> list[Record]:
    """The faults that wait for a call of the function `name` (physical) with this event; mostly none."""
    try:
        files = sorted(Path(tempfile.gettempdir(), FOLDER).iterdir())
    except FileNotFoundError:
        return []
    text = json.dumps(event, ensure_ascii=False)
    found = [read(file) for file in files]
    return [
        fault
        for fault in found
        if fault
        and fault["left"] != 0
        and fault["function"] in (name, EVERY)
        and fault["where"] in text
    ]


def read(path: Path, *, take: bool = False) -> Record | None:
    """A fault as it stands, with its `path`; None where it is gone. `take` counts one of its times as used, where one is
    left, and answers None where none is.
    """
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        fault: Record = json.loads(os.pread(file, os.fstat(file).st_size, 0))
        if take:
            if fault["left"] == 0:
                return None
            fault["fired"] += 1
            fault["left"] -= 1
            os.ftruncate(file, 0)
            os.pwrite(file, json.dumps(fault).encode(), 0)
        return {**fault, "path": str(path)}
    finally:
        os.close(file)


def around(handler: Callable[[Any, Any], Any], waiting: list[Record]) -> Callable[[Any, Any], Any]:
    """The handler as it is; where faults wait for this call, one that meets them."""
    _waiting[:] = waiting
    if not waiting:
        return handler
    _watch_clients()
    _watch_requests()

    def meeting(event: Any, context: Any) -> Any:
        _meet("before", "handler")
        answer = handler(event, context)
        _meet("after", "handler")
        return answer

    return meeting


def _watch_clients() -> None:
    """Let every AWS client of this environment meet the faults, those that exist already too."""
    import botocore.client

    base: Any = botocore.client.BaseClient
    plain = base._make_api_call
    if plain.__module__ == __name__:
        return

    def call(client: Any, operation: str, params: Record) -> Any:
        at = f"{client.meta.service_model.service_name}:{operation}"
        _meet("before", at, params, client)
        inside, _in_client.now = getattr(_in_client, "now", False), True
        try:
            answer = plain(client, operation, params)
        finally:
            _in_client.now = inside
        _meet("after", at, params, client)
        return answer

    base._make_api_call = call


def _watch_requests() -> None:
    """Let the handler's own HTTP requests meet the faults, as `http:METHOD`."""
    import http.client

    connection: Any = http.client.HTTPConnection
    begin, end = connection.putrequest, connection.getresponse
    if begin.__module__ == __name__:
        return

    def putrequest(self: Any, method: str, url: str, *more: Any, **named: Any) -> Any:
        if not getattr(_in_client, "now", False):
            _meet("before", f"http:{method}", {"url": url, "host": self.host})
        return begin(self, method, url, *more, **named)

    def getresponse(self: Any, *more: Any, **named: Any) -> Any:
        method, answer = self._method, end(self, *more, **named)
        if not getattr(_in_client, "now", False):
            _meet("after", f"http:{method}", {"host": self.host})
        return answer

    connection.putrequest, connection.getresponse = putrequest, getresponse


def _meet(when: str, at: str, request: Any = None, client: Any = None) -> None:
    """Do what a fault waiting here asks for; raises what the handler is to see of it."""
    service = at.partition(":")[0]
    for fault in _waiting.copy():
        here = fault["when"] == when and fault["at"] in (at, f"{service}:{EVERY}")
        if not here or fault["request"] not in json.dumps(request, default=str):
            continue
        if read(Path(fault["path"]), take=True):
            # No level: a fault on purpose is no error of the function's, whoever collects those.
            logs.write(f"{SAID} {fault['do']} {when} {at}{_meant(request)}")
            _ACTIONS[fault["do"]](fault, at, client)


def _meant(request: Any) -> str:
    """Which tables or stream a request is about, as the end of a line; nothing for other requests."""
    if not isinstance(request, dict):
        return ""
    found = [str(request[name]).rpartition("/")[2] for name in _NAMES if name in request]
    if isinstance(request.get("RequestItems"), dict):
        found = list(request["RequestItems"])
    for item in request.get("TransactItems") or []:
        found += [str(part["TableName"]) for part in item.values() if "TableName" in part]
    return f" of {','.join(dict.fromkeys(found))}" if found else ""


def _exit(_fault: Record, _at: str, _client: Any) -> None:
    sys.stdout.flush()
    os._exit(1)


def _kill(_fault: Record, _at: str, _client: Any) -> None:
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def _throttle(_fault: Record, at: str, client: Any) -> None:
    code, status = _THROTTLED.get(at.partition(":")[0], ("ThrottlingException", 400))
    raise _refusal(client, at, code, status, "Rate exceeded")


def _unavailable(_fault: Record, at: str, client: Any) -> None:
    said = "Service is unable to handle request"
    raise _refusal(client, at, "ServiceUnavailable", 503, said)


def _unreachable(_fault: Record, _at: str, client: Any) -> None:
    from botocore.exceptions import EndpointConnectionError

    if client is None:
        raise ConnectionRefusedError("Connection refused")
    raise EndpointConnectionError(endpoint_url=client.meta.endpoint_url)


def _slow(fault: Record, _at: str, client: Any) -> None:
    """Wait; a client that gives up sooner sees its own timeout, as after the last of its attempts."""
    from botocore.exceptions import ReadTimeoutError

    seconds = float(fault["seconds"])
    patience = client.meta.config.read_timeout if client else None
    if patience is None or seconds < patience:
        return time.sleep(seconds)
    time.sleep(patience)
    raise ReadTimeoutError(endpoint_url=client.meta.endpoint_url)


def _refusal(client: Any, at: str, code: str, status: int, message: str) -> Exception:
    """The error of the client's own service, as after the last of the client's attempts."""
    import uuid

    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {
            "RequestId": str(uuid.uuid4()),
            "HTTPStatusCode": status,
            "HTTPHeaders": {},
            "RetryAttempts": 0,
        },
    }
    return client.exceptions.from_code(code)(answer, at.partition(":")[2])


_ACTIONS: dict[str, Callable[[Record, str, Any], None]] = {
    "exit": _exit,
    "kill": _kill,
    "throttle": _throttle,
    "unavailable": _unavailable,
    "unreachable": _unreachable,
    "slow": _slow,
}
