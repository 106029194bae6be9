"""Statistics over values that are known by how often each came.

Source: CloudWatch user guide, "CloudWatch statistics definitions". Percentiles, PR (the share of values within bounds), TM, TC
and TS (mean, count and sum of what lies within bounds, which are values or percentiles) and IQM are read here; WM is not.
"""

import math
import re
from collections.abc import Iterable
from typing import Final

from sandbox.workers.metric_store import Bucket

_PLAIN: Final = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
_PERCENTILE: Final = re.compile(r"[pP](\d{1,2}(?:\.\d{1,10})?|100)")
_TRIMMED: Final = re.compile(r"(PR|TM|TC|TS)\(([\d.]*)(%?):([\d.]*)(%?)\)")
_SHORT: Final = re.compile(r"(tm|tc|ts)(\d{1,2}(?:\.\d+)?)")

Weighted = list[tuple[float, float]]


def is_known(statistic: str) -> bool:
    """Whether a statistic's name is one that is read here."""
    forms = (_PERCENTILE, _TRIMMED, _SHORT)
    return statistic in (*_PLAIN, "IQM") or any(form.fullmatch(statistic) for form in forms)


def value(bucket: Bucket, statistic: str) -> float | None:
    """A statistic of a bucket that is not empty; None where it has none."""
    if statistic in _PLAIN:
        return _plain(bucket, statistic)
    weighted = sorted(bucket.each())
    if found := _PERCENTILE.fullmatch(statistic):
        return percentile(weighted, float(found[1]))
    if statistic == "IQM":
        return _trimmed("TM", _within(weighted, *_places(weighted, 25, 75)), bucket.count)
    if found := _SHORT.fullmatch(statistic):
        high = percentile(weighted, float(found[2]))
        return _trimmed(found[1].upper(), _within(weighted, -math.inf, high), bucket.count)
    if found := _TRIMMED.fullmatch(statistic):
        kind, low, percent, high, percent_too = found.groups()
        if percent or percent_too:
            bounds = _places(weighted, float(low or 0), float(high or 100))
            bounds = (bounds[0] if float(low or 0) else -math.inf, bounds[1] if high else math.inf)
        else:
            bounds = (float(low or -math.inf), float(high or math.inf))
        return _trimmed(kind, _within(weighted, *bounds), bucket.count)
    return None


def _plain(bucket: Bucket, statistic: str) -> float:
    if statistic == "Average":
        return bucket.total / bucket.count
    names = {"SampleCount": "count", "Sum": "total", "Minimum": "low", "Maximum": "high"}
    return float(getattr(bucket, names[statistic]))


def percentile(weighted: Weighted, percent: float) -> float:
    """The value below which so many of a hundred lie, between its two neighbours; `weighted` is sorted."""
    total = sum(count for _, count in weighted)
    rank = percent / 100 * max(total - 1, 0)
    seen, before = 0.0, weighted[0][0]
    for at, count in weighted:
        if rank <= seen + count - 1:
            part = rank - (seen - 1)
            return at if part >= 1 or not seen else before + (at - before) * part
        seen, before = seen + count, at
    return weighted[-1][0]


def _places(weighted: Weighted, low: float, high: float) -> tuple[float, float]:
    return percentile(weighted, low), percentile(weighted, high)


def _within(weighted: Iterable[tuple[float, float]], low: float, high: float) -> Weighted:
    """What lies above the lower bound and not above the upper one."""
    return [(at, count) for at, count in weighted if low < at <= high]


def _trimmed(kind: str, inside: Weighted, whole: float) -> float | None:
    count = sum(each for _, each in inside)
    total = sum(at * each for at, each in inside)
    if kind == "PR":
        return 100 * count / whole
    if kind == "TC":
        return count
    if kind == "TS":
        return total
    return total / count if count else None
