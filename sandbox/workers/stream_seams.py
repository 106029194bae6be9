"""Readers of streams, side by side as on AWS: MiniStack's one thread serves them in turn, and a slow one delays all.

Each event source mapping of a DynamoDB stream, and each shard of one of Kinesis, is read by one thread at a time, so that
its records keep their order; the thread goes on while there is more, and ends. Of DynamoDB, MiniStack's own function does
the reading, of one mapping.
"""

import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import ModuleType
from typing import Any, Final

from sandbox.workers import shards
from sandbox.workers.lambda_seams import LAMBDA
from sandbox.workers.seams import Seam
from sandbox.workers.stream_batches import Batches, reading

_only: ContextVar[str | None] = ContextVar("_only", default=None)
"""The mapping that this thread reads; None outside of a reader."""
_LATE: Final = "a slow reader of a stream delays every other one"

Mapping = tuple[str, str, dict[str, Any]]


def seams() -> list[Seam]:
    """Return the seams of streams."""
    return [
        Seam(LAMBDA, "_iter_all_esms", (), _LATE, _own_only),
        Seam(LAMBDA, "_poll_dynamodb_streams", (), _LATE, _beside("dynamodb"), _NEEDS),
        Seam(LAMBDA, "_poll_kinesis", (), _LATE, _by_shard, _NEEDS),
        Seam(
            LAMBDA,
            "_execute_function",
            ("func", "event"),
            "a failing batch of a stream is retried until its record age, and is never split",
            _batched,
            ("_dynamodb_stream_positions",),
        ),
    ]


_NEEDS: Final = ("_iter_all_esms", "spawn_background")


def _own_only(
    _module: ModuleType, original: Callable[[], Iterator[Mapping]]
) -> Callable[[], Iterator[Mapping]]:
    def mappings() -> Iterator[Mapping]:
        wanted = _only.get()
        return (each for each in original() if wanted is None or each[2]["UUID"] == wanted)

    return mappings


def _beside(service: str) -> Callable[[ModuleType, Callable[[], bool]], Callable[[], bool]]:
    def build(module: ModuleType, original: Callable[[], bool]) -> Callable[[], bool]:
        return _Readers(module, original, f":{service}:").poll

    return build


def _batched(
    module: ModuleType, original: Callable[[Any, Any], dict[str, Any]]
) -> Callable[[Any, Any], dict[str, Any]]:
    def execute(func: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        batches = reading.get()
        if batches is None:
            return original(func, event)
        # It calls itself in the function's own account.
        token = reading.set(None)
        try:
            return batches.call(module, original, func, event["Records"])
        finally:
            reading.reset(token)

    return execute


def _by_shard(module: ModuleType, _original: Callable[[], bool]) -> Callable[[], bool]:
    return _ShardReaders(module).poll


class _ShardReaders:
    """The threads that read the shards of Kinesis streams, each in order."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._shards: dict[tuple[str, str], shards.Shard] = {}
        self._busy: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def poll(self) -> bool:
        """See to it that every shard with something new is read from now on; answers at once."""
        from ministack.core.responses import request_scope

        there = set[str]()
        for account, region, mapping in self._module._iter_all_esms():
            if ":kinesis:" in mapping.get("EventSourceArn", ""):
                there.add(mapping["UUID"])
                with request_scope(account, region):
                    self._look(mapping)
        for key in [key for key in self._shards if key[0] not in there]:
            del self._shards[key]
        return False

    def _look(self, mapping: dict[str, Any]) -> None:
        if not mapping.get("Enabled", True):
            return
        known = mapping.setdefault(shards.BEGINNINGS, {})
        for mark in shards.marks(mapping):
            key = (mapping["UUID"], mark)
            if key not in self._shards:
                # A shard that a stream got since the mapping was made is read from its start.
                begin = known.get(mark, 0)
                self._shards[key] = shards.Shard(self._module, mapping, mark, begin)
            with self._lock:
                due = key not in self._busy and self._shards[key].is_due()
                if due:
                    self._busy.add(key)
            if due:
                self._start(key)

    def _start(self, key: tuple[str, str]) -> None:
        try:
            self._module.spawn_background(self._run, key, thread_name="ministack-shard")
        except RuntimeError:
            self._busy.discard(key)  # No thread is left: the next round tries again.

    def _run(self, key: tuple[str, str]) -> None:
        from ministack.core.concurrency import esm_wake

        try:
            while (shard := self._shards.get(key)) and shard.mapping.get("Enabled", True):
                if not shard.step():
                    break
        finally:
            with self._lock:
                self._busy.discard(key)
            esm_wake.set()  # What came in between is seen by the next round.


class _Readers:
    """The threads that read the streams of one service."""

    def __init__(self, module: ModuleType, read: Callable[[], bool], mark: str) -> None:
        self._module, self._read, self._mark = module, read, mark
        self._lock = threading.Lock()
        self._busy: dict[str, bool] = {}
        """Mappings with a thread, and whether something came in the meantime."""
        self._batches: dict[str, Batches] = {}

    def poll(self) -> bool:
        """See to it that every mapping is read from now on; answers at once, and never that there is more."""
        for _account, _region, mapping in self._module._iter_all_esms():
            if self._mark in mapping.get("EventSourceArn", "") and mapping.get("Enabled", True):
                self._start(mapping)
        return False

    def _start(self, mapping: dict[str, Any]) -> None:
        mark = mapping["UUID"]
        with self._lock:
            if mark in self._busy:
                self._busy[mark] = True
                return
            self._busy[mark] = False
        try:
            self._module.spawn_background(self._run, mapping, thread_name="ministack-stream")
        except RuntimeError:
            self._busy.pop(mark, None)  # No thread is left: the next round tries again.

    def _run(self, mapping: dict[str, Any]) -> None:
        mark = mapping["UUID"]
        _only.set(mark)
        batches = self._batches.setdefault(mark, Batches())
        batches.mapping = mapping
        if self._mark == ":dynamodb:":
            reading.set(batches)
        try:
            while batches.went_on(self._module, self._read()) or self._more(mark):
                pass
        except Exception:
            with self._lock:
                self._busy.pop(mark, None)
            raise

    def _more(self, mark: str) -> bool:
        """Whether a round found this thread at work; else the next round starts another one."""
        with self._lock:
            if self._busy[mark]:
                self._busy[mark] = False
                return True
            del self._busy[mark]
            return False
