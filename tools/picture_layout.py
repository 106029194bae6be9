"""Where everything stands in the picture: lanes from left to right, one row per function, failures on the right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from tools.picture_facts import Chip, Function
from tools.picture_shapes import Box, Drawing, Text, width
from tools.picture_sources import LATER, QUEUED, WAITED, Source

WIDTH: Final = 1180
OUTSIDE: Final = (14.0, 130.0)
SOURCE: Final = (172.0, 172.0)
FUNCTION: Final = (374.0, 172.0)
CHIPS: Final = (570.0, 1006.0)
ENDS: Final = (1040.0, 122.0)
SPINE: Final = 1172.0
"""Lanes: where each begins and how wide it is, of the chips where they end; the red line that runs down on the right."""
LEFT: Final = SOURCE[0] - 10
PITCH, LINE, GAP = 24.0, 13.0, 3.0
"""Heights of a function's row, of a line of text, and of the room between two sources."""
HIGH, CHIP_HIGH, BOTH = 21.0, 19.0, 32.0
"""Heights of a function, of a chip, and of a source with a title and a note."""

HEADS: Final = {
    WAITED: "While somebody waits for the answer",
    QUEUED: "When there is time: messages of queues, in batches, each until it is done",
    LATER: "When something happened, and at fixed times: nobody waits",
}
LANES: Final = (
    (OUTSIDE[0] + OUTSIDE[1] / 2, "from"),
    (SOURCE[0] + SOURCE[1] / 2, "way in"),
    (FUNCTION[0] + FUNCTION[1] / 2, "function"),
    ((CHIPS[0] + CHIPS[1]) / 2, "writes to and tells (white: only reads)"),
    (ENDS[0] + ENDS[1] / 2, "what fails"),
)
T = TypeVar("T")

TOLD: Final = ("the caller", "is told")


@dataclass
class Layout:
    """A drawing in the making: `functions` by name, `last` the box of the function drawn last, by its name."""

    functions: Mapping[str, Function]
    drawing: Drawing = field(default_factory=lambda: Drawing(WIDTH))
    y: float = 14
    _last: tuple[str, int] = ("", -1)

    def draw(self, sources: Sequence[Source]) -> None:
        """Draw all zones, then what runs along them on both sides."""
        for x, text in LANES:
            self.drawing.texts.append(Text(text, x, self.y + 12, "lane"))
        self.y += 24
        for name, head in HEADS.items():
            mine = [source for source in sources if source.zone == name]
            if mine:
                self._zone(head, mine)
        self.y -= 4

    def _zone(self, head: str, sources: Sequence[Source]) -> None:
        top = self.y
        self.drawing.texts.append(Text(head, LEFT + 10, top + 17, "zone", "start"))
        self.y += 26
        middles: list[float] = []
        for source in sources:
            middles.append(self._source(source))
            self.y += GAP
        end = CHIPS[1] + 6
        self.drawing.zones.append(Box(LEFT, top, end - LEFT, self.y - top, "zone"))
        self._outside(sources, middles)
        self._ends(sources, middles)
        self.y += 10

    def _source(self, source: Source) -> float:
        """Draw a source with its functions, and return the middle of it."""
        slots = len(source.functions) + len(source.passed)
        heights = [self._needed(name) for name in source.functions] + [PITCH] * len(source.passed)
        high = max(sum(heights), BOTH if source.note else HIGH, LINE * len(source.feeders) + 6)
        extra = (high - sum(heights)) / slots
        lines = [(source.title, "title"), *([(source.note, "note")] if source.note else [])]
        box = self.drawing.add(Box(SOURCE[0], self.y, SOURCE[1], high, source.colour, lines))
        y = self.y
        for place, name in enumerate(source.functions):
            if place == source.before:
                y = self._all_passed(source, y, PITCH + extra)
            step = self._needed(name) + extra
            self._function(name, y + step / 2)
            y += step
        if source.before >= len(source.functions):
            self._all_passed(source, y, PITCH + extra)
        self.y += high
        return box.middle

    def _needed(self, name: str) -> float:
        return PITCH + (CHIP_HIGH + 4) * (len(list(_rows(self.functions[name]))) - 1)

    def _function(self, name: str, middle: float) -> None:
        """Draw a function, or make its box longer where the source above has just started it too."""
        drawing, function = self.drawing, self.functions[name]
        drawing.arrow((SOURCE[0] + SOURCE[1], middle), (FUNCTION[0] - 2, middle))
        known, index = self._last
        if known == name:
            self._forget_chips(index)
            top = drawing.boxes[index].y
            box = self._named(function, top, middle + HIGH / 2)
            drawing.boxes[index] = box
        else:
            self._last = (name, len(drawing.boxes))
            box = self._named(function, middle - HIGH / 2, middle + HIGH / 2)
            drawing.boxes.append(box)
        self._chips(function, box)

    def _named(self, function: Function, top: float, foot: float) -> Box:
        lines = [(function.label, "title")]
        return Box(
            FUNCTION[0], top, FUNCTION[1], foot - top, "function", lines, dashed=function.off
        )

    def _forget_chips(self, index: int) -> None:
        box = self.drawing.boxes[index]
        drawing, start = self.drawing, (box.right, box.middle)
        drawing.lines = [line for line in drawing.lines if line.points[0] != start]
        drawing.boxes = [
            b
            for b in drawing.boxes
            if b.x < CHIPS[0] or not box.y - CHIP_HIGH < b.y < box.foot + CHIP_HIGH
        ]

    def _chips(self, function: Function, box: Box) -> None:
        rows = list(_rows(function))
        y = box.middle - (CHIP_HIGH + 4) * (len(rows) - 1) / 2
        x = CHIPS[0]
        for row in rows:
            x = CHIPS[0]
            for chip in row:
                x = self._chip(chip, x, y).right + 5
            y += CHIP_HIGH + 4
        if function.chips:
            start = (box.right, box.middle)
            self.drawing.arrow(start, (CHIPS[0] - 2, box.middle))
        if function.remark:
            self.drawing.texts.append(Text(function.remark, x + 4, y - CHIP_HIGH, "note", "start"))

    def _chip(self, chip: Chip, x: float, middle: float) -> Box:
        return self.drawing.add(
            Box(
                x,
                middle - CHIP_HIGH / 2,
                _wide(chip),
                CHIP_HIGH,
                chip.colour,
                [(chip.text, "chip")],
                hollow=chip.reads,
                mark=chip.starts,
            )
        )

    def _all_passed(self, source: Source, y: float, step: float) -> float:
        for route, chip in source.passed:
            self._passed(route, chip, y + step / 2)
            y += step
        return y

    def _passed(self, route: str, chip: Chip, middle: float) -> None:
        """What a front hands on by itself: an arrow through the lane of functions, with the route on it."""
        words = f"{route}, no function"
        said = Text(words, FUNCTION[0] + FUNCTION[1] / 2, middle + 4, "note")
        self.drawing.texts.append(said)
        self.drawing.arrow((SOURCE[0] + SOURCE[1], middle), (said.left - 3, middle), bare=True)
        self.drawing.arrow((said.right + 3, middle), (CHIPS[0] - 2, middle))
        self._chip(chip, CHIPS[0], middle)

    def _outside(self, sources: Sequence[Source], middles: Sequence[float]) -> None:
        for place, source in enumerate(sources):
            middle = middles[place]
            if not source.feeders:
                self.drawing.arrow((OUTSIDE[0] + OUTSIDE[1], middle), (SOURCE[0] - 2, middle))
                continue
            right = OUTSIDE[0] + OUTSIDE[1] - 4
            y = middle - LINE * len(source.feeders) / 2
            for name, colour in source.feeders:
                y += LINE
                self.drawing.texts.append(Text(name, right, y - 3.5, "note", "end", colour))
            self.drawing.arrow((right + 6, middle), (SOURCE[0] - 2, middle))
        for text, first, last in _alike([source.outside for source in sources]):
            if text:
                top, foot = middles[first] - HIGH / 2 - 3, middles[last] + HIGH / 2 + 3
                self.drawing.add(
                    Box(OUTSIDE[0], top, OUTSIDE[1], foot - top, "outside", [(text, "title")])
                )

    def _ends(self, sources: Sequence[Source], middles: Sequence[float]) -> None:
        edge = CHIPS[1] + 6
        for middle in middles:
            self.drawing.arrow((edge, middle), (ENDS[0] - 2, middle), fails=True)
        for names, first, last in _alike([source.ends for source in sources]):
            top, foot = middles[first] - BOTH / 2, middles[last] + BOTH / 2
            if not names:
                lines = [(TOLD[0], "title"), (TOLD[1], "note")]
                self.drawing.add(Box(ENDS[0], top, ENDS[1], foot - top, "outside", lines))
                continue
            lines = [line for name in names for line in _waiting(name)]
            box = self.drawing.add(Box(ENDS[0], top, ENDS[1], foot - top, "failure", lines))
            self.drawing.arrow((box.right, box.middle), (SPINE, box.middle), fails=True, bare=True)


def _waiting(name: str) -> list[tuple[str, str]]:
    """A queue of failures in two lines: whose, and what."""
    own = name.removesuffix("-dead-letter")
    return [(own, "title"), ("queue" if own == name else "dead letters", "note")]


def _wide(chip: Chip) -> float:
    return width(chip.text, "chip") + (20 if chip.starts else 10)


def _rows(function: Function) -> Iterator[list[Chip]]:
    """Chips in as many rows as they need; at least one."""
    row: list[Chip] = []
    x = CHIPS[0]
    for chip in function.chips:
        if row and x + _wide(chip) > CHIPS[1]:
            yield row
            row, x = [], CHIPS[0]
        row.append(chip)
        x += _wide(chip) + 5
    yield row


def _alike(values: Sequence[T]) -> Iterator[tuple[T, int, int]]:
    """(value, first place, last place) of neighbours that are the same."""
    first = 0
    for place in range(1, len(values) + 1):
        if place == len(values) or values[place] != values[first]:
            yield values[first], first, place - 1
            first = place
