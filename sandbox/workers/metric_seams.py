"""CloudWatch metrics: kept summed up, found by exactly their dimensions, and answered with metric math.

MiniStack keeps every value for two weeks, mixes the dimensions of a metric where none are named, and knows no expressions and
no statistics beyond percentiles. Source: CloudWatch API reference, PutMetricData, ListMetrics, GetMetricStatistics and
GetMetricData. All accounts and regions of a sandbox share the metrics.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Final

from sandbox.workers import metric_statistics
from sandbox.workers.alarm_seams import CLOUDWATCH
from sandbox.workers.metric_math import Unread
from sandbox.workers.metric_queries import Queries, Windows
from sandbox.workers.metric_store import STORE, Bucket, Key, key_of
from sandbox.workers.query_forms import answered, given
from sandbox.workers.seams import Seam

_ROUGH: Final = "metrics are mixed over their dimensions, kept one by one, and know no math"
_CALL: Final = ("params", "cbor_data", "is_cbor", "is_json")
_DATUM: Final = (
    "namespace",
    "name",
    "dims",
    "ts",
    "unit",
    "value",
    "values",
    "counts",
    "stat_values",
)
_PLAIN: Final = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
_PAGE: Final = 500
_AHEAD: Final = 7200
_MOST_POINTS: Final = 100_800
"""Data points of one call of GetMetricData."""

Record = dict[str, Any]
Reader = Callable[[ModuleType, Record], Record]


class _Invalid(Exception):
    """A request that CloudWatch refuses: a code and a text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def seams() -> list[Seam]:
    """Return the seams of metrics."""
    recorded = ("namespace", "metric_name", "value", "unit", "dimensions")
    return [
        Seam(CLOUDWATCH, "record_metric", recorded, _ROUGH, lambda _m, _o: _record),
        Seam(CLOUDWATCH, "_store_datum", _DATUM, _ROUGH, lambda _m, _o: _datum),
        Seam(CLOUDWATCH, "_list_metrics", _CALL, _ROUGH, _answering("ListMetrics", _list)),
        Seam(CLOUDWATCH, "_get_metric_data", _CALL, _ROUGH, _answering("GetMetricData", _data)),
        Seam(
            CLOUDWATCH,
            "_get_metric_statistics",
            _CALL,
            _ROUGH,
            _answering("GetMetricStatistics", _statistics),
        ),
        Seam(CLOUDWATCH, "reset", (), "metrics survive a reset", _forgetting),
    ]


def _answering(
    operation: str, read: Reader
) -> Callable[[ModuleType, Callable[..., Any]], Callable[..., Any]]:
    def build(module: ModuleType, _original: Callable[..., Any]) -> Callable[..., Any]:
        def answer(params: Record, cbor_data: Record, is_cbor: bool, is_json: bool = False) -> Any:  # noqa: FBT001 FBT002 as it is called
            try:
                result = read(module, given(params, cbor_data, is_cbor or is_json))
            except (_Invalid, Unread) as error:
                code = getattr(error, "code", "ValidationError")
                return module._error(code, str(error), 400, use_json=is_json, use_cbor=is_cbor)
            return answered(module, operation, result, is_cbor=is_cbor, is_json=is_json)

        return answer

    return build


def _record(
    namespace: str,
    metric_name: str,
    value: float,
    unit: str = "None",
    dimensions: Mapping[str, str] | None = None,
) -> None:
    STORE.add(key_of(namespace, metric_name, dimensions), float(value), unit)


def _datum(
    namespace: str,
    name: str,
    dims: Mapping[str, str],
    ts: float,
    unit: str,
    value: Any,
    values: Sequence[float] | None,
    counts: Sequence[float] | None,
    stat_values: Mapping[str, float] | None,
) -> None:
    key = key_of(namespace, name, dims)
    if values is not None:
        for each, count in zip(values, counts or [1.0] * len(values), strict=False):
            STORE.add(key, float(each), unit, count=float(count), moment=ts)
    elif stat_values is not None:
        STORE.add_set(key, unit, ts, stat_values)
    else:
        STORE.add(key, float(value or 0), unit, moment=ts)


def _list(_module: ModuleType, asked: Record) -> Record:
    found = [series.key for series in STORE.all() if _is_asked(series.key, asked)]
    begin = int(asked.get("NextToken") or 0)
    page: Record = {"Metrics": [_metric(key) for key in found[begin : begin + _PAGE]]}
    if len(found) > begin + _PAGE:
        page["NextToken"] = str(begin + _PAGE)
    return page


def _is_asked(key: Key, asked: Mapping[str, Any]) -> bool:
    namespace, name, dimensions = key
    if asked.get("Namespace") not in (None, "", namespace):
        return False
    if asked.get("MetricName") not in (None, "", name):
        return False
    own = dict(dimensions)
    wanted = asked.get("Dimensions") or []
    return all(d["Name"] in own and d.get("Value") in (None, own[d["Name"]]) for d in wanted)


def _metric(key: Key) -> Record:
    namespace, name, dimensions = key
    named = [{"Name": n, "Value": v} for n, v in dimensions]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": named}


def _range(module: ModuleType, asked: Mapping[str, Any]) -> tuple[float, float]:
    """Start and end of what is asked for, as far back as there is anything."""
    start, end = module._parse_ts(asked.get("StartTime")), module._parse_ts(asked.get("EndTime"))
    start = 0.0 if start is None else start
    # Nothing is measured later than CloudWatch takes it: two hours from now.
    end = min(end or math.inf, time.time() + _AHEAD)
    if start >= end:
        code, text = "InvalidParameterValue", "StartTime must be less than EndTime"
        raise _Invalid(code, f"The parameter {text}.")
    firsts = [series.buckets[0].start for series in STORE.all()]
    return max(start, min(firsts, default=end)), end


def _windows(start: float, end: float, period: float) -> Windows:
    """Whole periods by the clock, from the one the start lies in."""
    begin, last = math.floor(start / period), math.ceil(end / period)
    begin = max(begin, last - _MOST_POINTS)
    return [(i * period, (i + 1) * period) for i in range(begin, last)]


def _statistics(module: ModuleType, asked: Record) -> Record:
    name, period = str(asked.get("MetricName")), int(asked.get("Period") or 60)
    plain, more = asked.get("Statistics") or [], asked.get("ExtendedStatistics") or []
    dimensions = {d["Name"]: str(d["Value"]) for d in asked.get("Dimensions") or []}
    key = key_of(str(asked.get("Namespace")), name, dimensions)
    for statistic in more:
        if not metric_statistics.is_known(statistic):
            raise _Invalid("InvalidParameterValue", f"The value {statistic} is not a statistic.")
    points: list[Record] = []
    for start, end in _windows(*_range(module, asked), period):
        bucket = STORE.summary(key, start, end)
        if bucket is not None:
            point = _point(start, bucket, plain or ([] if more else _PLAIN), more)
            points.append({**point, "Unit": STORE.series(key).unit})
    return {"Label": name, "Datapoints": points}


def _point(start: float, bucket: Bucket, plain: Sequence[str], more: Sequence[str]) -> Record:
    point: Record = {"Timestamp": start}
    for statistic in plain:
        point[statistic] = metric_statistics.value(bucket, statistic)
    extended = {each: metric_statistics.value(bucket, each) for each in more}
    if extended:
        point["ExtendedStatistics"] = {k: v for k, v in extended.items() if v is not None}
    return point


def _data(module: ModuleType, asked: Record) -> Record:
    queries = Queries(asked.get("MetricDataQueries") or [])
    start, end = _range(module, asked)

    def grid(period: float) -> Windows:
        return _windows(start, end, period)

    values = queries.values(grid)
    results: list[Record] = []
    for name, query in queries.given.items():
        if query.get("ReturnData") is False:
            continue
        for series in values.all_series(name):
            down = asked.get("ScanBy") != "TimestampAscending"
            moments = sorted(series, reverse=down)
            results.append(
                {
                    "Id": name,
                    "Label": _label(name, query),
                    "Timestamps": moments,
                    "Values": [series[moment] for moment in moments],
                    "StatusCode": "Complete",
                }
            )
    return {"MetricDataResults": results, "Messages": []}


def _label(name: str, query: Mapping[str, Any]) -> str:
    metric = (query.get("MetricStat") or {}).get("Metric") or {}
    return str(query.get("Label") or metric.get("MetricName") or name)


def _forgetting(_module: ModuleType, original: Callable[[], None]) -> Callable[[], None]:
    def reset() -> None:
        original()
        STORE.clear()

    return reset
