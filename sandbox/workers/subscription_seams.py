"""CloudWatch Logs: functions that are told of log events, and log events that somebody looks for.

MiniStack looks for the words of a pattern anywhere in a line, so that a condition on a JSON field matches nothing, asks no
permission, and calls a function once. Who looks for such a condition is given every line there is. Sources: CloudWatch Logs
user guide, "Log group-level subscription filters"; API reference, FilterLogEvents.
"""

import base64
import gzip
import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Final

from sandbox.workers import deliveries, log_patterns, traces
from sandbox.workers.seams import Seam

logger = logging.getLogger("sandbox.workers")
Record = dict[str, Any]
_LOGS: Final = "ministack.services.cloudwatch_logs"
_UNREAD: Final = "a search of log events knows no conditions on JSON"
_DIGITS: Final = 56
"""The length of a log event's id."""


def seams() -> list[Seam]:
    """Return the seams of subscriptions and of looking for log events."""
    # fmt: off
    return [
        Seam(_LOGS, "_compile_filter_pattern", ("raw",), _UNREAD, lambda _module, _original: log_patterns.matcher),
        Seam(_LOGS, "_filter_log_events", ("data",), _UNREAD, _sought, needs=("error_response_json",)),
        Seam(
            _LOGS,
            "_fanout_to_subscription_filters",
            ("group_name", "stream_name", "events"),
            "subscriptions of logs know no conditions on JSON",
            _told,
            needs=("_log_groups", "get_account_id", "get_region"),
        ),
    ]
    # fmt: on


def _sought(module: ModuleType, original: Any) -> Callable[[Record], Any]:
    def seek(data: Record) -> Any:
        try:
            log_patterns.matcher(data.get("filterPattern") or "")
        except (log_patterns.Unread, re.error) as error:
            told = f"Invalid filter pattern: {error}"
            return module.error_response_json("InvalidParameterException", told, 400)
        return original(data)

    return seek


def _told(module: ModuleType, _original: Any) -> Callable[..., None]:
    def tell(group_name: str, stream_name: str, events: Sequence[Record]) -> None:
        filters = (module._log_groups.get(group_name) or {}).get("subscriptionFilters") or {}
        # CloudWatch Logs passes no trace on.
        with traces.within(None):
            for each in list(filters.values()):
                try:
                    _tell(module, each, group_name, stream_name, events)
                except Exception as error:
                    logger.warning("%s: %s was not told: %s", group_name, each["filterName"], error)

    return tell


def _tell(
    module: ModuleType, each: Record, group: str, stream: str, events: Sequence[Record]
) -> None:
    target = str(each.get("destinationArn", ""))
    matches = log_patterns.matcher(each.get("filterPattern") or "")
    found = [event for event in events if matches(event.get("message", ""))]
    if not found or ":function:" not in target:
        return
    if group == f"/aws/lambda/{target.split(':')[6]}":
        raise ValueError("a function is not told of its own log")
    account, region = module.get_account_id(), module.get_region()
    told = {
        "messageType": "DATA_MESSAGE",
        "owner": account,
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [each["filterName"]],
        "logEvents": [_event(event) for event in found],
    }
    data = base64.b64encode(gzip.compress(json.dumps(told).encode())).decode()
    source = f"arn:aws:logs:{region}:{account}:log-group:{group}:*"
    try:
        deliveries.start(target, {"awslogs": {"data": data}}, "logs.amazonaws.com", source)
    except deliveries.Undeliverable:
        regional = f"logs.{region}.amazonaws.com"
        deliveries.start(target, {"awslogs": {"data": data}}, regional, source)


def _event(event: Record) -> Record:
    moment = int(event.get("timestamp") or time.time() * 1000)
    return {
        "id": str(uuid.uuid4().int).zfill(_DIGITS)[:_DIGITS],
        "timestamp": moment,
        "message": event.get("message", ""),
    }
