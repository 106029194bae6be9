"""What an alarm would do: its threshold is held to values that its metrics can have.

Each metric has one value in each of a few states of the world, and the alarm's own expression is computed with them. So
an alarm that is never reached, or always, is seen without knowing how it came to its expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt

from policies import aws, documents, expressions, links, metrics
from policies.expressions import Number
from policies.metrics import Metric
from policies.model import Registered, Stack, rule

VOLUMES = frozenset(
    {"Invocations", "Count", "RequestCount", "ConnectCount", "MessageCount", "Requests"}
)
"""Metrics that say how much there is to do, not how much of it went wrong."""
GOOD = {"Healthy": 1.0, "SuccessPercent": 100.0}
"""Metrics that fall to 0 when something is wrong, and what they are when all is well."""
PERCENT = 100.0
FEW, MANY = 1.0, 1_000_000.0
"""Volumes: one alone, and more than any minimum."""
ONE_IN_TEN_THOUSAND = 10_000.0

GATEWAY_MILLISECONDS = 30_000.0
"""The longest that an API waits for its integration (API Gateway quotas); AppSync's limit is the same."""
BALANCER_SECONDS = 60.0
"""The longest that a load balancer keeps an idle connection by default; its metric is in seconds, unlike all others."""
STREAM_DAY = 86_400_000.0
"""Milliseconds for which a table's stream keeps its records."""

COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": ge,
    "GreaterThanThreshold": gt,
    "LessThanOrEqualToThreshold": le,
    "LessThanThreshold": lt,
}


@dataclass(frozen=True)
class State:
    """A state of the world: how much there was to do, and how much of it went wrong (None: all that could)."""

    volume: float
    failed: float | None


FAILS, WELL = State(MANY, None), State(MANY, 0.0)
ONE_OF_ONE, ONE_OF_MANY = State(FEW, FEW), State(ONE_IN_TEN_THOUSAND, 1.0)


@rule
def alarm_rings_when_all_fails(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A threshold beyond what its metric can reach is an alarm that nobody has."""
    judged = {alarm.urn: alarm for alarm in _judged(stack)}
    for alarm in stack.all(aws.ALARM):
        if alarm.urn not in judged and alarm.get("threshold") is not None:
            yield alarm, "cannot be computed here, so nobody knows whether it ever rings"
    for alarm in judged.values():
        if not _rings(stack, alarm, FAILS):
            worst = {m.name: _value(stack, m, FAILS) for m in metrics.watched(alarm)}
            yield alarm, f"can never ring: at worst it reads {worst}, {_limit(alarm)}"


@rule
def alarm_is_quiet_when_all_is_well(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """An alarm that always rings is switched off by its readers."""
    for alarm in _judged(stack):
        if _rings(stack, alarm, WELL):
            yield alarm, f"rings while all is well, {_limit(alarm)}"


@rule
def rate_needs_a_volume(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Of one request, one that fails is all of them; of ten thousand, it is none to get up for."""
    for alarm in _judged(stack):
        read = metrics.watched(alarm)
        if not any(m.name in VOLUMES for m in read) or all(m.name in VOLUMES for m in read):
            continue
        if _rings(stack, alarm, ONE_OF_ONE):
            yield alarm, "rings for one failure of one request; ask for a minimum volume"
        if _rings(stack, alarm, ONE_OF_MANY):
            yield alarm, "rings for one failure in 10,000 requests"


@rule
def silence_means_what_it_means(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """No traffic is no error, but what reports that all is well must report: its silence is an alarm."""
    for alarm in stack.all(aws.ALARM):
        heartbeat = any(metric.name in GOOD for metric in metrics.watched(alarm))
        if heartbeat != (alarm.get("treatMissingData") == "breaching"):
            should = "breaching" if heartbeat else "notBreaching or ignore"
            yield alarm, f"treatMissingData must be {should} here"


def _judged(stack: Stack) -> Iterator[Registered]:
    """Alarms with a threshold and an expression that is understood; other rules speak of the rest."""
    for alarm in stack.all(aws.ALARM):
        if alarm.get("comparisonOperator") in COMPARED and alarm.get("threshold") is not None:
            try:
                _rings(stack, alarm, WELL)
            except (ValueError, KeyError, RecursionError):
                continue
            yield alarm


def _rings(stack: Stack, alarm: Registered, state: State) -> bool:
    read = metrics.watched(alarm)
    only_volume = all(metric.name in VOLUMES for metric in read)
    # Where volume is all that is watched, too much of it is what goes wrong.
    values: dict[str, Number] = {
        metric.id: (state.failed if state.failed is not None else MANY)
        if only_volume
        else _value(stack, metric, state)
        for metric in read
    }
    found = metrics.queries(alarm)
    given = next((query for query in found if query.returned), None)
    value = values[""] if given is None else _computed(given.id, found, values)
    if value is None:
        return alarm.get("treatMissingData") == "breaching"
    return COMPARED[str(alarm.get("comparisonOperator"))](value, float(alarm.get("threshold")))


def _computed(id_: str, found: list[metrics.Query], values: dict[str, Number]) -> Number:
    """The value of one query, and of those that it speaks of before it."""
    if id_ not in values:
        query = next((query for query in found if query.id == id_), None)
        if query is None:
            raise ValueError(f"no such query: {id_}")
        used = {
            name: _computed(name, found, values) for name in expressions.names(query.expression)
        }
        values[id_] = expressions.value(query.expression, used or values)
    return values[id_]


def _value(stack: Stack, metric: Metric, state: State) -> Number:
    if metric.name in VOLUMES:
        return state.volume
    if metric.is_rank or metric.name in GOOD:
        share = 1.0 if state.failed is None else state.failed / state.volume
        return (1 - share) * (PERCENT if metric.is_rank else GOOD[metric.name])
    return _bound(stack, metric) if state.failed is None else state.failed


def _limit(alarm: Registered) -> str:
    return f"its limit is {alarm.get('threshold')} ({alarm.get('comparisonOperator')})"


def _bound(stack: Stack, metric: Metric) -> float:
    """The highest value that a metric can have."""
    function = links.named_function(stack, metric.dimensions.get("FunctionName"))
    match metric.name:
        case "Duration" if function is not None:
            return float(function.get("timeout") or 3) * 1000
        case "ConcurrentExecutions" if function is not None:
            return max(float(function.get("reservedConcurrentExecutions") or -1), 0)
        case "IteratorAge" if function is not None:
            return _oldest_record(stack, function)
        case "ApproximateAgeOfOldestMessage":
            return _oldest_message(stack, metric.dimensions.get("QueueName", ""))
        case "Latency" | "IntegrationLatency":
            return GATEWAY_MILLISECONDS
        case "TargetResponseTime":
            return BALANCER_SECONDS
        case _:
            return MANY


def _oldest_record(stack: Stack, function: Registered) -> float:
    """Milliseconds for which the records are tried that a function reads."""
    ages = [
        float(mapping.get("maximumRecordAgeInSeconds") or -1) * 1000
        for mapping in stack.all(aws.EVENT_SOURCE_MAPPING)
        if links.acting(stack, mapping) is function
    ]
    return max((STREAM_DAY if age <= 0 else age for age in ages), default=0)


def _oldest_message(stack: Stack, name: str) -> float:
    """Seconds after which a message that is tried again and again is a dead letter."""
    queue = stack.answering("name", name, aws.QUEUE)
    redrive = documents.json_object(queue.get("redrivePolicy")) if queue else None
    if queue is None or redrive is None:
        return float(queue.get("messageRetentionSeconds") or 345_600) if queue else 0
    return float(queue.get("visibilityTimeoutSeconds") or 30) * int(redrive["maxReceiveCount"])


RULES = (
    alarm_rings_when_all_fails,
    alarm_is_quiet_when_all_is_well,
    rate_needs_a_volume,
    silence_means_what_it_means,
)
