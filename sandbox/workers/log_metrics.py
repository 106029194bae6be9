"""Metrics out of logs: the embedded metric format, and metric filters.

Sources: CloudWatch user guide, "Specification: Embedded metric format"; CloudWatch Logs user guide, "Creating metrics from log
events using filters", API reference, MetricTransformation.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sandbox.workers import log_patterns
from sandbox.workers.metric_store import STORE, key_of

logger = logging.getLogger("sandbox.workers")
_MARK: Final = '"_aws"'
_MOST_DIMENSIONS: Final = 30
_MOST_VALUES: Final = 100

Record = dict[str, Any]


def embedded(events: Iterable[Mapping[str, Any]]) -> None:
    """Add the metrics that lines in the embedded format hold; other lines are nothing to it."""
    for event in events:
        message = str(event.get("message", ""))
        if _MARK not in message:
            continue
        try:
            entry = json.loads(message)
            told = entry["_aws"]
            moment = float(told["Timestamp"]) / 1000
            for directive in told["CloudWatchMetrics"]:
                _direct(entry, directive, moment)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # CloudWatch keeps such a line as a log event and says nothing.
            logger.debug("no embedded metrics: %s", error)


def _direct(entry: Mapping[str, Any], directive: Mapping[str, Any], moment: float) -> None:
    sets = [_dimensions(entry, names) for names in directive.get("Dimensions") or [[]]]
    for metric in directive["Metrics"]:
        given: Any = entry.get(metric["Name"])
        values: list[Any] = given[:_MOST_VALUES] if isinstance(given, list) else [given]
        numbers = [float(each) for each in values if _is_number(each)]
        for dimensions in sets:
            if dimensions is None:
                continue
            key = key_of(directive["Namespace"], metric["Name"], dimensions)
            for number in numbers:
                STORE.add(key, number, metric.get("Unit") or "None", moment=moment)


def _dimensions(entry: Mapping[str, Any], names: Sequence[str]) -> dict[str, str] | None:
    """One set of dimensions; None where one has no value, or they are too many."""
    found = {name: entry.get(name) for name in names}
    if len(found) > _MOST_DIMENSIONS or not all(_is_text(each) for each in found.values()):
        return None
    return {name: str(each) for name, each in found.items()}


def _is_text(value: Any) -> bool:
    return (isinstance(value, str) and value != "") or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def filtered(filters: Iterable[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> None:
    """Add what metric filters make of log events."""
    for each in filters:
        try:
            _filter(each, events)
        except log_patterns.Unread as error:
            logger.warning("the metric filter %s is not simulated: %s", each["filterName"], error)


def _filter(each: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
    matches = log_patterns.matcher(str(each.get("filterPattern") or ""))
    found = [event for event in events if matches(str(event.get("message", "")))]
    for change in each["metricTransformations"]:
        if not found and change.get("defaultValue") is not None:
            key = key_of(change["metricNamespace"], change["metricName"])
            unit, moment = str(change.get("unit") or "None"), float(events[-1]["timestamp"]) / 1000
            STORE.add(key, float(change["defaultValue"]), unit, moment=moment)
        for event in found:
            _transform(change, event)


def _transform(change: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    entry = _entry(str(event["message"]))
    wanted = str(change["metricValue"])
    value = _number(log_patterns.look_up(entry, wanted) if wanted.startswith("$") else wanted)
    names: Mapping[str, str] = change.get("dimensions") or {}
    dimensions = {name: log_patterns.look_up(entry, field) for name, field in names.items()}
    if value is None or not all(_is_text(each) for each in dimensions.values()):
        return
    key = key_of(change["metricNamespace"], change["metricName"], dimensions)
    unit = str(change.get("unit") or "None")
    STORE.add(key, value, unit, moment=float(event["timestamp"]) / 1000)


def _entry(message: str) -> Any:
    try:
        return json.loads(message)
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
