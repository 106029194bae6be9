"""Boxes, texts and arrows of a picture, how wide a text is at most, and the SVG that is made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

FILLS: Final = {
    "front": ("#e8f5e9", "#2e7d32"),
    "function": ("#fff3e0", "#c77700"),
    "data": ("#e3f2fd", "#1f6fb2"),
    "message": ("#f3e5f5", "#7b3fa0"),
    "secret": ("#fffde7", "#9a8500"),
    "outside": ("#f5f5f5", "#666666"),
    "failure": ("#fdecea", "#b3261e"),
    "zone": ("#fafafa", "#dcdcdc"),
}
"""Colour -> fill and edge."""
INKS: Final = {"function": "#8a5300", "message": "#5e2d80", "front": "#1d5a21", "data": "#154f80"}
"""Colour -> that of a bare text which names such a thing elsewhere in the picture."""

SIZES: Final = {"title": 13.0, "note": 11.0, "chip": 11.0, "zone": 12.0, "lane": 12.0}
BOLD: Final = frozenset({"title", "zone", "lane"})

_WIDTHS: Final = {"ijlI|'": 0.3, ' .,:;!t/-()[]f"': 0.4, "rJs*": 0.53, "mwMW@%": 0.98}
_USUAL, _CAPITAL, _WEIGHT = 0.63, 0.73, 1.12

STYLE: Final = """\
text { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1b1b1b; text-anchor: middle }
.title { font-size: 13px; font-weight: 600 }
.note, .chip { font-size: 11px }
.note { fill: #444 }
.zone, .lane { font-size: 12px; font-weight: 600; fill: #666 }
.start { text-anchor: start }
.end { text-anchor: end }
path { fill: none; stroke: #444; stroke-width: 1.4; marker-end: url(#arrow) }
.f { stroke: #b3261e; stroke-dasharray: 5 3; marker-end: url(#fail) }
.bare { marker-end: none }
.mark { fill: #444; stroke: none; marker-end: none }
"""
_MARKER: Final = (
    '<marker id="{name}" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
    '<path d="M0 0L8 4L0 8z" style="fill:{colour};stroke:none;stroke-dasharray:none;marker-end:none"/></marker>'
)


def width(text: str, style: str) -> float:
    """The room that a text takes at most: that of DejaVu Sans, which is wider than what most readers have."""
    wide = sum(_wide(letter) for letter in text)
    return wide * SIZES[style] * (_WEIGHT if style in BOLD else 1)


def _wide(letter: str) -> float:
    for letters, wide in _WIDTHS.items():
        if letter in letters:
            return wide
    return _CAPITAL if letter.isupper() else _USUAL


@dataclass(frozen=True)
class Text:
    """One line; `x`, `y` are its anchor on the line it stands on."""

    text: str
    x: float
    y: float
    style: str
    anchor: str = "middle"
    ink: str = ""

    @property
    def left(self) -> float:
        """Where it begins at most."""
        wide = width(self.text, self.style)
        return self.x - {"start": 0.0, "middle": wide / 2, "end": wide}[self.anchor]

    @property
    def right(self) -> float:
        """Where it ends at most."""
        return self.left + width(self.text, self.style)


@dataclass(frozen=True)
class Box:
    """A box with lines of (text, style) in its middle. `hollow`: white inside; `dashed`: not there yet; `mark`: a triangle."""

    x: float
    y: float
    w: float
    h: float
    colour: str
    lines: Sequence[tuple[str, str]] = ()
    hollow: bool = False
    dashed: bool = False
    mark: bool = False

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.w

    @property
    def foot(self) -> float:
        """Its lower edge."""
        return self.y + self.h

    @property
    def middle(self) -> float:
        """Half of its height."""
        return self.y + self.h / 2

    def texts(self) -> Iterator[Text]:
        """Its lines, one below the other, all of them in its middle."""
        heights = [SIZES[style] + 4 for _, style in self.lines]
        y = self.middle - sum(heights) / 2
        middle = self.x + (self.w - (10 if self.mark else 0)) / 2
        for (text, style), height in zip(self.lines, heights, strict=True):
            y += height
            yield Text(text, middle, y - 4.5, style)


@dataclass(frozen=True)
class Line:
    """A line through points, at right angles; with an arrow at its end unless `bare`."""

    points: tuple[tuple[float, float], ...]
    fails: bool = False
    bare: bool = False


@dataclass
class Drawing:
    """All that is drawn, from the back to the front."""

    width: float
    height: float = 0
    zones: list[Box] = field(default_factory=list[Box])
    boxes: list[Box] = field(default_factory=list[Box])
    lines: list[Line] = field(default_factory=list[Line])
    texts: list[Text] = field(default_factory=list[Text])

    def add(self, box: Box) -> Box:
        """Draw a box, and hand it back."""
        self.boxes.append(box)
        return box

    def arrow(self, *points: tuple[float, float], fails: bool = False, bare: bool = False) -> None:
        """Draw a line through points."""
        self.lines.append(Line(points, fails, bare))

    def svg(self, label: str) -> str:
        """The picture as a file's text; `label` is for who does not see it."""
        size = f'width="{_n(self.width)}" height="{_n(self.height)}"'
        view = f'viewBox="0 0 {_n(self.width)} {_n(self.height)}"'
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {view} {size} role="img" aria-label="{escape(label)}">',
            f"<style>\n{STYLE}</style>",
            "<defs>",
            _MARKER.format(name="arrow", colour="#444"),
            _MARKER.format(name="fail", colour="#b3261e"),
            "</defs>",
            f'<rect {size} fill="#ffffff"/>',
            *(_rect(zone) for zone in self.zones),
            *(_path(line) for line in self.lines),
            *(part for box in self.boxes for part in _whole(box)),
            *(_text(text) for text in self.texts),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"


def _whole(box: Box) -> Iterator[str]:
    yield _rect(box)
    yield from (_text(text) for text in box.texts())
    if box.mark:
        x, y = _n(box.right - 12), _n(box.middle - 4)
        yield f'<path class="mark" d="M{x} {y}l7 4l-7 4z" style="fill:{FILLS[box.colour][1]}"/>'


def _rect(box: Box) -> str:
    fill, edge = FILLS[box.colour]
    dashes = ' stroke-dasharray="4 3"' if box.dashed else ""
    at = f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.w)}" height="{_n(box.h)}"'
    return f'<rect {at} rx="6" fill="{"#ffffff" if box.hollow else fill}" stroke="{edge}"{dashes}/>'


def _path(line: Line) -> str:
    kinds = " ".join([*["f"] * line.fails, *["bare"] * line.bare])
    steps = "L".join(f"{_n(x)} {_n(y)}" for x, y in line.points)
    return f'<path{f" class={chr(34)}{kinds}{chr(34)}" if kinds else ""} d="M{steps}"/>'


def _text(text: Text) -> str:
    kind = text.style if text.anchor == "middle" else f"{text.style} {text.anchor}"
    ink = f' style="fill:{INKS[text.ink]}"' if text.ink in INKS else ""
    said = escape(text.text, quote=False)
    return f'<text class="{kind}" x="{_n(text.x)}" y="{_n(text.y)}"{ink}>{said}</text>'


def _n(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")
