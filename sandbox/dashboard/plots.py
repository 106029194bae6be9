"""One graph: axes, lines, limits and a legend; and the same without words, as small as a tile."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sandbox.dashboard.reading import Graph
from sandbox.dashboard.style import SERIES, fitting, n, width, words

Values = Sequence[float | None]
"""What was read of one line at even distances, the latest last; None where there was nothing."""

_LEFT, _RIGHT, _TOP, _FOOT, _PAD = 38.0, 10.0, 26.0, 32.0, 8.0
_KEY, _ROW = 22.0, 13.0
_STEPS: Final = 3
_LEAST: Final = 1e-9
_FAR: Final = 20
"""So many times the largest value a limit is out of sight."""
_CLOSE: Final = 1.01


@dataclass(frozen=True)
class Box:
    """A part of the picture, in pixels."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.w

    @property
    def foot(self) -> float:
        """Its lower edge."""
        return self.y + self.h


def graph(
    shown: Graph, box: Box, values: Sequence[Values], times: tuple[str, str], *, near: bool = False
) -> list[str]:
    """A graph in its box; `times` say when its left and its right edge are.

    As CloudWatch draws it, every limit is in sight. `near`: one far above all values is only named, so that they can be
    told apart.
    """
    legend = _legend(shown, box.w - _PAD, values)
    foot = _FOOT + _ROW * (len(legend) - 1)
    inner = Box(box.x + _LEFT, box.y + _TOP, box.w - _LEFT - _RIGHT, box.h - _TOP - foot)
    known = _known(values)
    far = _FAR * max(known, default=math.inf) if near else math.inf
    step, top = scale([*known, *(limit for _, limit in shown.limits if limit <= far)])
    unit = "" if shown.unit in ("", "count") else f" ({shown.unit})"
    return [
        f'<rect class="card" x="{n(box.x)}" y="{n(box.y)}" width="{n(box.w)}" height="{n(box.h)}" rx="4"/>',
        words(
            fitting(shown.title + unit, box.w - 2 * _PAD, "title"),
            box.x + _PAD,
            box.y + 16,
            "title",
        ),
        *_grid(inner, step, top),
        words(times[0], inner.x, inner.foot + 12),
        words(times[1], inner.right, inner.foot + 12, "end"),
        *_lines(inner, values, top),
        *_limits(shown, inner, top),
        *_nothing(inner, values),
        *_keys(shown, box.x + _PAD, box.foot - 7, legend),
    ]


def tile(shown: Graph, box: Box, values: Sequence[Values]) -> list[str]:
    """The lines of a graph alone."""
    _, top = scale([*_known(values), *(limit for _, limit in shown.limits)])
    base = f'<path class="grid" d="M{n(box.x)} {n(box.foot)}H{n(box.right)}"/>'
    return [base, *_lines(box, values, top)]


def scale(found: Sequence[float]) -> tuple[float, float]:
    """Distance of the lines of the grid and value of the highest: 1, 2 or 5 times a power of ten."""
    most = max(found, default=0)
    if most < _LEAST:
        return 1, 1
    rough = most / _STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough * 0.999)
    return step, step * math.ceil(most / step * 0.999)


def short(number: float) -> str:
    """A number in few letters: 950, 1.2k, 14M, 0.25."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size * 0.9995:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def _known(values: Sequence[Values]) -> list[float]:
    return [value for line in values for value in line if value is not None]


def _grid(inner: Box, step: float, top: float) -> Iterator[str]:
    for count in range(round(top / step) + 1):
        y = inner.foot - inner.h * count * step / top
        yield f'<path class="grid" d="M{n(inner.x)} {n(y)}H{n(inner.right)}"/>'
        yield words(short(count * step), inner.x - 5, y + 3.5, "end")


def _lines(inner: Box, values: Sequence[Values], top: float) -> Iterator[str]:
    # The first line is what a graph is about: it lies above the others.
    for place, line in reversed(list(enumerate(values))):
        stretches, dots = _paths(inner, line, top)
        for kind, path in (("line", stretches), ("line dot", dots)):
            if path:
                yield f'<path class="{kind} s{place % SERIES}" d="{path}"/>'


def _paths(inner: Box, line: Values, top: float) -> tuple[str, str]:
    """Through all known values that have neighbours; and the others, which are dots."""
    stretches: list[str] = []
    dots: list[str] = []
    for place, value in enumerate(line):
        if value is None:
            continue
        x = inner.x + inner.w * place / max(len(line) - 1, 1)
        y = inner.foot - inner.h * min(value, top) / top
        joined = place > 0 and line[place - 1] is not None
        if joined or (place + 1 < len(line) and line[place + 1] is not None):
            stretches.append(f"{'L' if joined else 'M'}{n(x)} {n(y)}")
        else:
            dots.append(f"M{n(x)} {n(y)}h0")
    return "".join(stretches), "".join(dots)


def _limits(shown: Graph, inner: Box, top: float) -> Iterator[str]:
    for label, limit in shown.limits:
        if limit > top * _CLOSE:
            yield words(
                f"{label} {short(limit)} \u2191".strip(), inner.right, inner.y - 3, "told end"
            )
            continue
        y = inner.foot - inner.h * limit / top
        yield f'<path class="limit" d="M{n(inner.x)} {n(y)}H{n(inner.right)}"/>'
        # Below the line where there is no room above it.
        beside = y - 3 if y - inner.y > 9 else y + 11
        yield words(f"{label} {short(limit)}".strip(), inner.right, beside, "told end")


def _nothing(inner: Box, values: Sequence[Values]) -> list[str]:
    if _known(values):
        return []
    return [words("no data", inner.x + inner.w / 2, inner.y + inner.h / 2 + 3, "mid none")]


def _legend(shown: Graph, room: float, values: Sequence[Values]) -> list[list[str]]:
    """The labels of the lines in rows: with their latest values where that takes one, without where not.

    Where two rows do not hold them, all get the same room of one.
    """
    labels = [line.label for line in shown.lines]
    told = [
        f"{label} {_latest(points)}".strip() for label, points in zip(labels, values, strict=True)
    ]
    if shown.untold:
        more = f"+ {shown.untold} by metric math"
        labels, told = [*labels, more], [*told, more]
    for texts, most in ((told, 1), (labels, 2)):
        rows = _flowing(texts, room)
        if len(rows) <= most and _KEY + max(map(width, texts), default=0) <= room:
            return rows
    return [[fitting(label, room / len(labels) - _KEY) for label in labels]]


def _flowing(texts: Sequence[str], room: float) -> list[list[str]]:
    rows: list[list[str]] = []
    left = 0.0
    for text in texts:
        wide = _KEY + width(text)
        if not rows or wide > left:
            rows.append([])
            left = room
        rows[-1].append(text)
        left -= wide
    return rows


def _keys(shown: Graph, x: float, y: float, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    place = 0
    for row, texts in enumerate(rows):
        at, line = x, y - _ROW * (len(rows) - 1 - row)
        for said in texts:
            if place < len(shown.lines):
                yield f'<rect class="k{place % SERIES}" x="{n(at)}" y="{n(line - 7)}" width="8" height="8" rx="2"/>'
            yield words(said, at + 12, line)
            at += _KEY + width(said)
            place += 1


def _latest(points: Values) -> str:
    return next((short(value) for value in reversed(points) if value is not None), "")
