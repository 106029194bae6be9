"""What Lambda counts of a function's calls, under AWS/Lambda: of the function, of the alias or version that was called, of all.

Source: Lambda developer guide, "Types of metrics for Lambda functions". A throttled call is no invocation and no error. Duration
is without the start of an environment where the workers have measured that apart.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from sandbox.workers.metric_store import STORE, Key

NAMESPACE: Final = "AWS/Lambda"
_running: dict[str, int] = {}
_lock = threading.Lock()

Config = Mapping[str, Any]


def _keys(config: Config, metric: str, *, of_all: bool = True) -> Iterator[Key]:
    name = str(config["FunctionName"])
    if of_all:
        yield NAMESPACE, metric, ()
    yield NAMESPACE, metric, (("FunctionName", name),)
    parts = str(config.get("FunctionArn", "")).split(":")
    if len(parts) > 7:
        yield NAMESPACE, metric, (("FunctionName", name), ("Resource", f"{name}:{parts[7]}"))


def _add(config: Config, metric: str, value: float, unit: str = "Count") -> None:
    for key in _keys(config, metric):
        STORE.add(key, value, unit)


def called(config: Config, milliseconds: float, *, failed: bool) -> None:
    """One execution is over."""
    _add(config, "Invocations", 1)
    _add(config, "Errors", 1 if failed else 0)
    _add(config, "Throttles", 0)
    _add(config, "Duration", round(milliseconds, 2), "Milliseconds")


def throttled(config: Config) -> None:
    """One call was refused for want of concurrency."""
    _add(config, "Throttles", 1)


@contextmanager
def running(config: Config) -> Generator[None]:
    """Count an execution among those under way."""
    names = [key[2][-1][1] if key[2] else "" for key in _keys(config, "ConcurrentExecutions")]
    with _lock:
        for name in names:
            _running[name] = _running.get(name, 0) + 1
        counts = [_running[name] for name in names]
    for key, count in zip(_keys(config, "ConcurrentExecutions"), counts, strict=True):
        STORE.add(key, count, "Count")
    try:
        yield
    finally:
        with _lock:
            for name in names:
                _running[name] -= 1


def read_a_stream(func: Mapping[str, Any], arrived: float) -> None:
    """A batch of a stream is handed over whose last record came at `arrived`, in seconds."""
    config = func.get("config") or func
    age = max(time.time() - arrived, 0) * 1000
    for key in _keys(config, "IteratorAge", of_all=False):
        STORE.add(key, round(age), "Milliseconds")


def read_records(source: str, arrived: float) -> None:
    """The same, as Kinesis counts it of its stream; that of a consumer is named before."""
    name = source.rpartition(":stream/")[2].partition("/")[0]
    key = ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", (("StreamName", name),))
    STORE.add(key, round(max(time.time() - arrived, 0) * 1000), "Milliseconds")
