"""Every five minutes: whether table, bucket, queues and API answer, as one line of metrics (CloudWatch
reads them out of the log: embedded metric format) and as the function's result.

What is down fails the function, after everything was looked at: its alarm is the alarm.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from common import aws, logs, records, warming

if TYPE_CHECKING:
    from collections.abc import Callable

NAMESPACE = "Sandpiper/Health"
_API_SECONDS = 5
_LONGEST_ANSWER = 65_536  # bytes
_NOBODY = "health-check"  # the id of no item
_QUEUE_URL = "_QUEUE_URL"

aws.prepare("dynamodb", "s3", "sqs")


@warming.aware
def handler(event: object, context: Any) -> dict[str, Any]:
    """{"healthy": true, "checks": {"table": {"up": true, "milliseconds": 4.2}, ...}, "queues":
    {"orders": 0, ...}}; a queue's number is of the messages that wait. Raises RuntimeError that
    names what is down.
    """
    logs.begin(context)
    records.of_schedule(event)
    queues: dict[str, int] = {}
    checks = {name: _tried(name, check) for name, check in _checks(queues).items()}
    down = [name for name, result in checks.items() if not result["up"]]
    _measure(checks, queues)
    if down:
        raise RuntimeError(f"down: {', '.join(down)}")
    return {"healthy": True, "checks": checks, "queues": queues}


def _checks(queues: dict[str, int]) -> dict[str, Callable[[], object]]:
    """What this function was given to look at. Depths go to `queues`."""
    checks: dict[str, Callable[[], object]] = {}
    if "ITEMS_TABLE" in os.environ:
        checks["table"] = _read_table
    if "UPLOADS_BUCKET" in os.environ:
        checks["bucket"] = _list_bucket
    for variable in sorted(name for name in os.environ if name.endswith(_QUEUE_URL)):
        name = variable.removesuffix(_QUEUE_URL).lower().replace("_", "-")
        checks[f"queue {name}"] = _Depth(name, os.environ[variable], queues)
    if os.environ.get("API_URL"):
        checks["api"] = _ask_api
    if not checks:
        raise LookupError("nothing to check: the environment names no table, bucket, queue or API")
    return checks


def _tried(name: str, check: Callable[[], object]) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        check()
    except Exception as error:
        logs.error("down", check=name, cause=error)
        up = False
    else:
        up = True
    return {"up": up, "milliseconds": round((time.perf_counter() - started) * 1000, 1)}


def _read_table() -> None:
    key = {"id": {"S": _NOBODY}}
    aws.client("dynamodb").get_item(TableName=os.environ["ITEMS_TABLE"], Key=key)


def _list_bucket() -> None:
    bucket = os.environ["UPLOADS_BUCKET"]
    aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="uploads/", MaxKeys=1)


class _Depth:
    """Asks a queue how many messages wait in it."""

    def __init__(self, name: str, url: str, queues: dict[str, int]) -> None:
        self._name, self._url, self._queues = name, url, queues

    def __call__(self) -> None:
        wanted = "ApproximateNumberOfMessages"
        answer = aws.client("sqs").get_queue_attributes(QueueUrl=self._url, AttributeNames=[wanted])
        self._queues[self._name] = int(answer["Attributes"][wanted])


def _ask_api() -> None:
    """GET /health. Raises OSError, HTTPException or RuntimeError for anything but 200."""
    import http.client

    place = urlsplit(os.environ["API_URL"])
    secure = place.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    link = kind(place.netloc, timeout=_API_SECONDS)
    try:
        link.request("GET", f"{place.path.rstrip('/')}/health")
        answer = link.getresponse()
        answer.read(_LONGEST_ANSWER)
    finally:
        link.close()
    if answer.status != http.client.OK:
        raise RuntimeError(f"GET /health answers {answer.status}")


def _measure(checks: dict[str, dict[str, Any]], queues: dict[str, int]) -> None:
    """One log line that CloudWatch makes metrics of: how many checks are down; Up and Time by
    check, Depth by queue (TableUp, TableTime, QueueOrdersDepth).
    """
    service = os.environ.get("SERVICE_NAME", "sandpiper")
    metrics: list[dict[str, Any]] = [{"Name": "Down", "Unit": "Count"}]
    line: dict[str, Any] = {"Service": service}
    line["Down"] = sum(not result["up"] for result in checks.values())
    for name, result in checks.items():
        title = _title(name)
        metrics += [{"Name": f"{title}Up"}, {"Name": f"{title}Time", "Unit": "Milliseconds"}]
        line |= {f"{title}Up": int(result["up"]), f"{title}Time": result["milliseconds"]}
    for name, depth in queues.items():
        title = _title(f"queue {name}")
        metrics.append({"Name": f"{title}Depth", "Unit": "Count"})
        line[f"{title}Depth"] = depth
    line["_aws"] = {
        "Timestamp": int(time.time() * 1000),
        "CloudWatchMetrics": [
            {"Namespace": NAMESPACE, "Dimensions": [["Service"]], "Metrics": metrics}
        ],
    }
    sys.stdout.write(json.dumps(line) + "\n")


def _title(name: str) -> str:
    """`queue order-events` -> QueueOrderEvents."""
    return "".join(word.capitalize() for word in name.replace("-", " ").split())
