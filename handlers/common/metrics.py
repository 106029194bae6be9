"""Business metrics in CloudWatch's embedded metric format: a log line of which CloudWatch makes
metrics. No call, no waiting, and nothing is lost when the function fails afterwards.

They are counted while an invocation runs and written once, when it ends. Every dimension
costs a metric per value, so that each has few values, which are known beforehand.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from common import logs

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMESPACE = "Sandpiper"
OTHER = "other"  # a dimension's value that is none of those known

_NONE: Mapping[str, frozenset[str]] = {}
_STATES = frozenset({"placed", "confirmed", "unsent", "paid", "cancelled", "shipped", "delivered"})
# What can be counted, with the dimensions besides Stack and their values.
NAMES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "ItemsCreated": _NONE,
    "ItemsUpdated": _NONE,
    "ItemsDeleted": _NONE,
    "Orders": {"State": _STATES},
    "ThumbnailsMade": _NONE,
    "NotificationsSent": _NONE,
    "PushesSent": _NONE,
    "RowsImported": _NONE,
    "RowsRefused": _NONE,
    "WebhooksAccepted": _NONE,
    "UsersRegistered": _NONE,
    "ReportsMade": _NONE,
    "ConnectionsCleaned": _NONE,
    "UploadsCleaned": _NONE,
    "Healthy": _NONE,
}

_Dimensions = tuple[tuple[str, str], ...]
_counts: dict[_Dimensions, dict[str, float]] = {}
_lock = threading.Lock()


def count(name: str, value: float = 1, /, **dimensions: str) -> None:
    """Add to a metric of NAMES: `count("ItemsCreated")`, `count("Orders", State="placed")`,
    `count("RowsImported", 120)`.

    Never fails: what NAMES does not know is logged and not counted, and another value of a
    dimension counts as `other`.
    """
    known = NAMES.get(name)
    if known is None or known.keys() != dimensions.keys():
        logs.error("no such metric", metric=name, dimensions=sorted(dimensions))
        return
    key = tuple(
        (dimension, given if given in known[dimension] else OTHER)
        for dimension, given in sorted(dimensions.items())
    )
    with _lock:
        counts = _counts.setdefault(key, {})
        counts[name] = counts.get(name, 0) + value


def flush() -> None:
    """Write what was counted, a line per set of dimensions, and count anew. Never fails."""
    if not _counts:
        return
    with _lock:
        kept = dict(_counts)
        _counts.clear()
    try:
        lines = [json.dumps(_line(dict(key), counts)) + "\n" for key, counts in kept.items()]
        sys.stdout.write("".join(lines))
        sys.stdout.flush()
    except Exception as error:
        logs.warning("metrics not written", reason=type(error).__name__)


def _line(dimensions: dict[str, str], counts: Mapping[str, float]) -> dict[str, object]:
    now = time.time()
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Stack", *dimensions]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in counts],
    }
    return {
        **logs.head("metrics", logs.kept_level(), now),
        "_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]},
        "Stack": os.environ.get("STACK", ""),
        **dimensions,
        **counts,
    }


logs.at_end(flush)
