"""What was measured, summed up: one series per metric and set of dimensions, in buckets of time.

A bucket holds what every statistic needs: count, sum, least, most, and the values themselves, which are rounded to one in a
hundred once they are many. Old buckets are joined into longer ones, so that a series stays small however often it is added to:
CloudWatch too keeps data by the minute for a while, then by five minutes.
"""

from __future__ import annotations

import bisect
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

MINUTE: Final = float(os.environ.get("SANDPIPER_MINUTE") or 60)
"""How many seconds a minute of an alarm's period lasts here."""
WIDTH: Final = MINUTE / 6
"""Seconds of the finest bucket."""
_JOINED: Final = ((15 * MINUTE, MINUTE), (180 * MINUTE, 5 * MINUTE))
"""Age from which buckets are joined, and how long they are then."""
_MOST_BUCKETS: Final = 1000
_MOST_VALUES: Final = 64
"""Different values of a bucket that are kept as they are."""
_STEP: Final = math.log(1.01)
_MANY: Final = 32
"""So many new buckets are awaited before old ones are joined."""

Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, name, and dimensions in the order of their names."""


class Bucket:
    """Values of a stretch of time. `values` is None while they are all the same."""

    __slots__ = ("count", "high", "low", "start", "total", "values", "width")

    def __init__(self, start: float, width: float) -> None:
        self.start, self.width = start, width
        self.count = self.total = 0.0
        self.low, self.high = math.inf, -math.inf
        self.values: dict[float, float] | None = None

    def add(self, value: float, count: float) -> None:
        """Count a value in, so many times."""
        if self.values is None and self.count and value != self.low:
            self.values = {self.low: self.count}
        if self.values is not None:
            known = value if value in self.values else _rounded(value, len(self.values))
            self.values[known] = self.values.get(known, 0.0) + count
        self._sum_up(count, value * count, value, value)

    def add_set(self, count: float, total: float, low: float, high: float) -> None:
        """Count a published statistic set in: of its values only their bounds and mean are known."""
        if low == high:
            return self.add(low, count)
        for value in (low, high, total / count):
            self.add(value, count / 3)
        self.total += total - (low + high + total / count) * count / 3
        return None

    def join(self, other: Bucket) -> None:
        """Take another bucket's values in."""
        if other.values is None:
            if other.count:
                self.add(other.low, other.count)
            return
        if self.values is None:
            self.values = {self.low: self.count} if self.count else {}
        for value, count in other.values.items():
            self.values[value] = self.values.get(value, 0.0) + count
        self._sum_up(other.count, other.total, other.low, other.high)

    def join_sums(self, other: Bucket) -> None:
        """Take another bucket in without its single values: enough for sums, means and bounds."""
        self._sum_up(other.count, other.total, other.low, other.high)

    def each(self) -> Iterable[tuple[float, float]]:
        """Values and how often each came."""
        if self.values is None:
            return [(self.low, self.count)] if self.count else []
        return self.values.items()

    def _sum_up(self, count: float, total: float, low: float, high: float) -> None:
        self.count += count
        self.total += total
        self.low, self.high = min(self.low, low), max(self.high, high)


def _rounded(value: float, known: int) -> float:
    """A value as it is kept where so many others are known."""
    if known < _MOST_VALUES or value <= 0:
        return value
    return math.exp(round(math.log(value) / _STEP) * _STEP)


class Series:
    """One metric with its dimensions. `heard` is called whenever a value comes, where somebody listens."""

    __slots__ = ("_fresh", "buckets", "heard", "key", "unit")

    def __init__(self, key: Key) -> None:
        self.key, self.unit = key, "None"
        self.buckets: list[Bucket] = []
        self.heard: tuple[Callable[[], None], ...] = ()
        self._fresh = 0

    @property
    def last(self) -> float | None:
        """Until when values came, as far as is known; None where none did."""
        return self.buckets[-1].start + self.buckets[-1].width if self.buckets else None

    def at(self, moment: float) -> Bucket:
        """The bucket of a moment, made where there is none."""
        if self._fresh >= _MANY:
            self._fresh = 0
            self._shorten(time.time())
        buckets = self.buckets
        place = len(buckets)
        if buckets and moment < buckets[-1].start:
            place = bisect.bisect_right(buckets, moment, key=_start)
        if place and moment < buckets[place - 1].start + buckets[place - 1].width:
            return buckets[place - 1]
        made = Bucket(math.floor(moment / WIDTH) * WIDTH, WIDTH)
        buckets.insert(place, made)
        self._fresh += 1
        return made

    def between(self, start: float, end: float) -> Iterator[Bucket]:
        """The buckets whose middle lies in a stretch of time."""
        buckets = self.buckets
        place = bisect.bisect_left(buckets, start - 5 * MINUTE, key=_start)
        for bucket in buckets[place:]:
            if bucket.start >= end:
                return
            if start <= bucket.start + bucket.width / 2 < end:
                yield bucket

    def _shorten(self, now: float) -> None:
        """Join what is old."""
        joined: list[Bucket] = []
        for bucket in self.buckets:
            age = now - bucket.start
            width = next((w for limit, w in reversed(_JOINED) if age > limit), bucket.width)
            start = math.floor(bucket.start / width) * width if width > bucket.width else None
            if start is None:
                joined.append(bucket)
            elif joined and joined[-1].start == start and joined[-1].width == width:
                joined[-1].join(bucket)
            else:
                longer = Bucket(start, width)
                longer.join(bucket)
                joined.append(longer)
        self.buckets = joined[-_MOST_BUCKETS:]


def _start(bucket: Bucket) -> float:
    return bucket.start


class Store:
    """All series. Adding is safe from any thread."""

    def __init__(self) -> None:
        self._series: dict[Key, Series] = {}
        self._lock = threading.Lock()

    def series(self, key: Key) -> Series:
        """The series of a metric, empty at first."""
        found = self._series.get(key)
        return found if found is not None else self._series.setdefault(key, Series(key))

    def add(
        self,
        key: Key,
        value: float,
        unit: str = "None",
        *,
        count: float = 1.0,
        moment: float | None = None,
    ) -> None:
        """Add a value, so many times; now, where no moment is named."""
        series = self.series(key)
        with self._lock:
            series.unit = unit
            series.at(time.time() if moment is None else moment).add(value, count)
        for listener in series.heard:
            listener()

    def add_set(self, key: Key, unit: str, moment: float, numbers: Mapping[str, float]) -> None:
        """Add a statistic set, as PutMetricData takes it."""
        count, total = float(numbers.get("SampleCount", 0)), float(numbers.get("Sum", 0))
        if count <= 0:
            return
        series = self.series(key)
        with self._lock:
            series.unit = unit
            low, high = float(numbers.get("Minimum", 0)), float(numbers.get("Maximum", 0))
            series.at(moment).add_set(count, total, low, high)
        for listener in series.heard:
            listener()

    def all(self) -> list[Series]:
        """The series that hold something, in the order of their keys."""
        return sorted((s for s in list(self._series.values()) if s.buckets), key=lambda s: s.key)

    def summary(self, key: Key, start: float, end: float, *, single: bool = True) -> Bucket | None:
        """What a stretch of time holds, as one bucket; None where that is nothing. Without `single`, only sums and bounds."""
        series = self._series.get(key)
        if series is None:
            return None
        whole = Bucket(start, end - start)
        with self._lock:
            for bucket in series.between(start, end):
                (whole.join if single else whole.join_sums)(bucket)
        return whole if whole.count else None

    def clear(self) -> None:
        """Forget all values; who listens keeps listening."""
        with self._lock:
            for series in self._series.values():
                series.buckets = []


STORE: Final = Store()
"""The emulator's one store: all accounts and regions of a sandbox share it."""


def key_of(namespace: str, name: str, dimensions: Mapping[str, str] | None = None) -> Key:
    """The key of a metric."""
    given = (dimensions or {}).items()
    return namespace, name, tuple(sorted((str(n), str(v)) for n, v in given))
