"""Refusals of DynamoDB and Kinesis that a test asked for: they happen in the environment, and are counted as the service's own.

The environment writes a line about each (`faults`); where it names a table or a stream, what AWS would count is counted.
Sources: DynamoDB developer guide, "DynamoDB metrics and dimensions"; Kinesis developer guide, "Monitoring the Kinesis Data
Streams service".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sandbox.workers import faults
from sandbox.workers.metric_store import STORE

_LINE: Final = re.compile(
    re.escape(faults.SAID) + r" (throttle|unavailable) \w+ (dynamodb|kinesis):(\w+) of (\S+)"
)
_READS: Final = ("GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan")


def count(events: Iterable[Mapping[str, Any]]) -> None:
    """Count what lines about faults tell; other lines are nothing to it."""
    for event in events:
        message = str(event.get("message", ""))
        if message.startswith(faults.SAID) and (found := _LINE.fullmatch(message)):
            for name in found[4].split(","):
                (_table if found[2] == "dynamodb" else _stream)(name, found[3], found[1])


def _table(name: str, operation: str, kind: str) -> None:
    table, both = (("TableName", name),), (("Operation", operation), ("TableName", name))
    if kind == "unavailable":
        STORE.add(("AWS/DynamoDB", "SystemErrors", both), 1, "Count")
        return
    metric = "ReadThrottleEvents" if operation in _READS else "WriteThrottleEvents"
    STORE.add(("AWS/DynamoDB", metric, table), 1, "Count")
    STORE.add(("AWS/DynamoDB", "ThrottledRequests", both), 1, "Count")


def _stream(name: str, operation: str, kind: str) -> None:
    if kind == "throttle":
        way = "Write" if operation.startswith("Put") else "Read"
        key = ("AWS/Kinesis", f"{way}ProvisionedThroughputExceeded", (("StreamName", name),))
        STORE.add(key, 1, "Count")
