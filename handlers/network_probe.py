"""Whether a TCP port can be reached from where this function runs, as inside a VPC.

PROBE_HOST and PROBE_PORT are the environment's: an event that could name a host would make the
function a scanner of the network it stands in.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any

from common import logs, records, tracing, warming


@warming.aware
def handler(event: object, context: Any) -> dict[str, Any]:
    """{"reachable": true, "milliseconds": 3.1}. Raises ConnectionError that says why when the port
    cannot be reached within PROBE_TIMEOUT_SECONDS, looking up the name included.
    """
    logs.begin(context, event)
    records.of_schedule(event)
    host, port = os.environ["PROBE_HOST"], int(os.environ["PROBE_PORT"])
    seconds = float(os.environ["PROBE_TIMEOUT_SECONDS"])
    started = time.perf_counter()
    with tracing.step("connect", port=port):
        reason = _attempt(host, port, seconds)
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    if reason:
        logs.error("not reachable", host=host, port=port, reason=reason, milliseconds=milliseconds)
        raise ConnectionError(f"{host}:{port} is not reachable: {reason}")
    logs.info("reachable", host=host, port=port, milliseconds=milliseconds)
    return {"reachable": True, "milliseconds": milliseconds}


def _attempt(host: str, port: int, seconds: float) -> str:
    """Why there is no connection, "" when there is one."""
    # Nothing bounds the resolver, and a host with many addresses gets the timeout for each of them:
    # so another thread does the waiting.
    reasons: list[str] = []
    worker = threading.Thread(target=_connect, args=(host, port, seconds, reasons), daemon=True)
    worker.start()
    worker.join(seconds)
    return reasons[0] if reasons else f"no answer within {seconds:g} seconds"


def _connect(host: str, port: int, seconds: float, reasons: list[str]) -> None:
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except OSError as error:
        reasons.append(f"{type(error).__name__}: {error}")
    except Exception as error:  # a name that is none raises UnicodeError
        reasons.append(type(error).__name__)
    else:
        reasons.append("")
