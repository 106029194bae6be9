"""Every five minutes: whether table, bucket, queues and API answer, as one line of metrics (CloudWatch
reads them out of the log: embedded metric format) and as the function's result.

What is down fails the function, after everything was looked at: its alarm is the alarm. All is
asked at once and waited for so long that the line is written before the function's time is over:
what has not answered by then is down.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import deque
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from common import aws, logs, metrics, records, warming

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[], int | None]
    Answers = SimpleQueue[tuple[str, "Answer"]]

NAMESPACE = "Sandpiper/Health"
_MOST_SECONDS = 20  # that are waited: three attempts of a client take 9, in two rounds of threads
_SECONDS_TO_TELL = 2
_THREADS = 8
_API_SECONDS = 5
_LONGEST_ANSWER = 65_536  # bytes
_NOBODY = "health-check"  # the id of no item
_QUEUE_URL = "_QUEUE_URL"
_QUEUE = "queue "  # begins the names of their checks

aws.prepare("dynamodb", "s3", "sqs")


class Answer(NamedTuple):
    """What came of a check: why it is down, how long it took, and a queue's messages."""

    error: Exception | None
    milliseconds: float
    depth: int | None = None

    @property
    def up(self) -> bool:
        """Whether it answered, and well."""
        return self.error is None


@warming.aware
def handler(event: object, context: Any) -> dict[str, Any]:
    """{"healthy": true, "checks": {"table": {"up": true, "milliseconds": 4.2}, ...}, "queues":
    {"orders": 0, ...}}; a queue's number is of the messages that wait. Raises RuntimeError that
    names what is down.
    """
    logs.begin(context, event)
    records.of_schedule(event)
    found = _ask(_checks(), _patience(context))
    _measure(found)
    down = [name for name, answer in found.items() if not answer.up]
    metrics.count("Healthy", int(not down))
    if down:
        raise RuntimeError(f"down: {', '.join(down)}")
    return {
        "healthy": True,
        "checks": {
            name: {"up": answer.up, "milliseconds": answer.milliseconds}
            for name, answer in found.items()
        },
        "queues": _depths(found),
    }


def _checks() -> dict[str, Check]:
    """What this function was given to look at. The clients are made here: botocore makes none in
    several threads at a time.
    """
    checks: dict[str, Check] = {}
    if "ITEMS_TABLE" in os.environ:
        checks["table"] = partial(_read_table, aws.client("dynamodb"))
    if "UPLOADS_BUCKET" in os.environ:
        checks["bucket"] = partial(_list_bucket, aws.client("s3"))
    for variable in sorted(name for name in os.environ if name.endswith(_QUEUE_URL)):
        name = variable.removesuffix(_QUEUE_URL).lower().replace("_", "-")
        checks[f"{_QUEUE}{name}"] = partial(_depth, aws.client("sqs"), os.environ[variable])
    if os.environ.get("API_URL"):
        checks["api"] = _ask_api
    if not checks:
        raise LookupError("nothing to check: the environment names no table, bucket, queue or API")
    return checks


def _patience(context: Any) -> float:
    """Seconds that the checks may take: some stay to tell of them."""
    left: float = context.get_remaining_time_in_millis() / 1000
    return min(_MOST_SECONDS, max(left - _SECONDS_TO_TELL, left / 2))


def _ask(checks: Mapping[str, Check], seconds: float) -> dict[str, Answer]:
    """The answers in the order of the checks, within these seconds."""
    waiting = deque(checks.items())
    answers: Answers = SimpleQueue()
    for _ in range(min(_THREADS, len(checks))):
        # One that hangs must not keep the environment from ending.
        threading.Thread(target=_work, args=(waiting, answers), daemon=True).start()
    found = _within(seconds, answers, len(checks))
    waiting.clear()  # a thread that comes back in a later invocation begins nothing
    silent = Answer(TimeoutError(f"no answer within {seconds:.1f} s"), round(seconds * 1000, 1))
    ordered = {name: found.get(name, silent) for name in checks}
    for name, answer in ordered.items():
        if answer.error:
            logs.error("down", check=name, cause=answer.error)
    return ordered


def _work(waiting: deque[tuple[str, Check]], answers: Answers) -> None:
    while True:
        try:
            name, check = waiting.popleft()
        except IndexError:
            return
        answers.put((name, _tried(check)))


def _within(seconds: float, answers: Answers, wanted: int) -> dict[str, Answer]:
    """What has answered when all have, or the time is over."""
    until = time.monotonic() + seconds
    found: dict[str, Answer] = {}
    while len(found) < wanted:
        try:
            name, answer = answers.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            break
        found[name] = answer
    return found


def _tried(check: Check) -> Answer:
    started = time.perf_counter()
    error, depth = None, None
    try:
        depth = check()
    except Exception as caught:
        error = caught
    return Answer(error, round((time.perf_counter() - started) * 1000, 1), depth)


def _depths(found: Mapping[str, Answer]) -> dict[str, int]:
    """How many messages wait, by queue."""
    return {
        name.removeprefix(_QUEUE): answer.depth
        for name, answer in found.items()
        if answer.depth is not None
    }


def _read_table(dynamodb: Any) -> None:
    dynamodb.get_item(TableName=os.environ["ITEMS_TABLE"], Key={"id": {"S": _NOBODY}})


def _list_bucket(s3: Any) -> None:
    s3.list_objects_v2(Bucket=os.environ["UPLOADS_BUCKET"], Prefix="uploads/", MaxKeys=1)


def _depth(sqs: Any, url: str) -> int:
    """How many messages wait in a queue."""
    wanted = "ApproximateNumberOfMessages"
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[wanted])
    return int(answer["Attributes"][wanted])


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


def _measure(found: Mapping[str, Answer]) -> None:
    """One log line that CloudWatch makes metrics of: how many checks are down; Up and Time by
    check, Depth by queue (TableUp, TableTime, QueueOrdersDepth).
    """
    now = time.time()
    named: list[dict[str, Any]] = [{"Name": "Down", "Unit": "Count"}]
    # As a line of a level that Lambda's filter lets through.
    line: dict[str, Any] = {**logs.head("health measured", logs.kept_level(), now)}
    line["Stack"] = os.environ.get("STACK", "sandpiper")
    line["Down"] = sum(not answer.up for answer in found.values())
    for name, answer in found.items():
        title = _title(name)
        named += [{"Name": f"{title}Up"}, {"Name": f"{title}Time", "Unit": "Milliseconds"}]
        line |= {f"{title}Up": int(answer.up), f"{title}Time": answer.milliseconds}
    for name, depth in _depths(found).items():
        title = _title(f"{_QUEUE}{name}")
        named.append({"Name": f"{title}Depth", "Unit": "Count"})
        line[f"{title}Depth"] = depth
    line["_aws"] = {
        "Timestamp": int(now * 1000),
        "CloudWatchMetrics": [
            {"Namespace": NAMESPACE, "Dimensions": [["Stack"]], "Metrics": named}
        ],
    }
    sys.stdout.write(json.dumps(line) + "\n")


def _title(name: str) -> str:
    """`queue order-events` -> QueueOrderEvents."""
    return "".join(word.capitalize() for word in name.replace("-", " ").split())
