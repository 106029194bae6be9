"""A dashboard as an SVG: its own body, what was read of its metrics, and how its alarms stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from sandbox.dashboard.plots import Box, Values, graph, tile
from sandbox.dashboard.reading import COLUMNS, Alarms, Graph, Line, Other, Place, Widget, Words
from sandbox.dashboard.style import STYLE, fitting, linked, n, width, words, wrapped

UNIT_WIDTH, UNIT_HEIGHT, GAP, MARGIN = 49.0, 30.0, 6.0, 12.0
"""Pixels of a unit of the grid, between two widgets, and around all."""
_CHIPS, _CHIP, _HEAD = 6, 19.0, 24.0
_TILES, _TILE = 4, 62.0
_SMALL: Final = 3
"""A heading of this depth names one thing, whose graphs stand beside it."""

ORDER: Final = ("ALARM", "INSUFFICIENT_DATA", "OK")


@dataclass(frozen=True)
class Standing:
    """How an alarm stands: one of `ORDER`, why, and a link to what to do."""

    state: str = "INSUFFICIENT_DATA"
    reason: str = ""
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a picture shows besides its body.

    `values` of a line at even distances, all of one length; `standings` by ARN; `prefix` is left off the names of
    alarms; `times` say when the left and the right edge of a graph are; `runbook` gives the link of a name. `near`: a
    limit far above all values is only named.
    """

    values: Callable[[Line], Values]
    standings: Mapping[str, Standing]
    times: tuple[str, str]
    prefix: str = ""
    runbook: Callable[[str], str] = lambda _: ""
    notes: Sequence[str] = ()
    near: bool = False


def draw(widgets: Sequence[Widget], look: Look, *, label: str, folded: bool = False) -> str:
    """The picture; `label` is for who does not see it. `folded`: of each section only the first thing is drawn whole."""
    parts: list[str] = []
    y = MARGIN
    for note in look.notes:
        parts.append(words(note, MARGIN, y + 10))
        y += 16
    for whole, rest in _sections(widgets, folded=folded):
        drawn, height = _whole(whole, y, look) if whole else _tiles(rest, y, look)
        parts += drawn
        y += height
    w, h = n(COLUMNS * UNIT_WIDTH + 2 * MARGIN - GAP), n(y + MARGIN)
    size = f'viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{escape(label)}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="dashboard" {size}>',
            f"<style>\n{STYLE}</style>",
            f'<rect class="page" width="{w}" height="{h}"/>',
            *parts,
            "</svg>\n",
        ]
    )


Band = list[Widget]
"""Widgets that stand side by side, and nothing else beside them."""


def bands(widgets: Sequence[Widget]) -> list[Band]:
    """The page in bands from top to foot."""
    found: list[Band] = []
    foot = -1
    for widget in sorted(widgets, key=lambda one: (one.place.y, one.place.x)):
        if widget.place.y >= foot:
            found.append([])
        found[-1].append(widget)
        foot = max(foot, widget.place.y + widget.place.height)
    return found


def _sections(widgets: Sequence[Widget], *, folded: bool) -> Iterator[tuple[Band, list[Band]]]:
    """A band that is drawn whole, or several that are drawn as tiles: where folded, all but the first thing of a section."""
    waiting: list[Band] = []
    first = True
    for band in bands(widgets):
        small = _depth(band) == _SMALL
        if folded and small and not first:
            waiting.append(band)
            continue
        if waiting:
            yield [], waiting
            waiting = []
        first = not small
        yield band, []
    if waiting:
        yield [], waiting


def _depth(band: Band) -> int:
    return band[0].heading[0] if isinstance(band[0], Words) else 0


def _whole(band: Band, y: float, look: Look) -> tuple[list[str], float]:
    """A band as it stands in the body."""
    top = min(widget.place.y for widget in band)
    parts = [part for widget in band for part in _widget(widget, _box(widget.place, top, y), look)]
    return parts, UNIT_HEIGHT * (max(w.place.y + w.place.height for w in band) - top)


def _box(place: Place, top: int, y: float) -> Box:
    return Box(
        MARGIN + place.x * UNIT_WIDTH,
        y + (place.y - top) * UNIT_HEIGHT,
        place.width * UNIT_WIDTH - GAP,
        place.height * UNIT_HEIGHT - GAP,
    )


def _widget(widget: Widget, box: Box, look: Look) -> list[str]:
    match widget:
        case Words():
            return list(_words(widget, box, look))
        case Alarms():
            return list(_alarms(widget, box, look))
        case Graph():
            values = [look.values(line) for line in widget.lines]
            return graph(widget, box, values, look.times, near=look.near)
        case Other():
            return [_card(box), words(f"{widget.title}: not drawn", box.x + 8, box.y + 16)]


def _card(box: Box) -> str:
    return f'<rect class="card" x="{n(box.x)}" y="{n(box.y)}" width="{n(box.w)}" height="{n(box.h)}" rx="4"/>'


def _words(widget: Words, box: Box, look: Look) -> Iterator[str]:
    """A heading, and below it what else it says; the runbooks of a thing one below the other."""
    depth, heading = widget.heading
    style = f"h{min(depth, 3)}"
    y = box.y + (19 if depth < _SMALL else 15)
    for line in wrapped(heading, box.w, style) if depth else []:
        yield words(line, box.x, y, style)
        y += 15
    if depth == _SMALL - 1:
        x = box.x + width(heading, style) + 14
        yield f'<path class="rule" d="M{n(x)} {n(box.y + 14)}H{n(box.right)}"/>'
    for line in widget.rest:
        said, mark, names = line.partition("Runbooks: ")
        if not mark:
            yield words(fitting(said, box.w), box.x, y)
            y += 14
            continue
        for name in names.split(", "):
            if y < box.foot:
                yield linked(words(fitting(name, box.w), box.x, y), look.runbook(name))
            y += 14


def _alarms(widget: Alarms, box: Box, look: Look) -> Iterator[str]:
    """Alarms as chips, those that ring first; what has no room is counted."""
    standings = [(look.standings.get(arn, Standing()), _called(arn, look)) for arn in widget.arns]
    standings.sort(key=lambda one: ORDER.index(one[0].state))
    counted = [(state, sum(s.state == state for s, _ in standings)) for state in ORDER]
    said = {"ALARM": "in alarm", "INSUFFICIENT_DATA": "without data", "OK": "OK"}
    told = ", ".join(f"{count} {said[state]}" for state, count in counted if count)
    yield _card(box)
    yield words(fitting(widget.title, box.w - 200, "title"), box.x + 8, box.y + 16, "title")
    yield words(told, box.right - 8, box.y + 16, "end")
    fit = int((box.h - _HEAD) / _CHIP) * _CHIPS
    shown = standings if len(standings) <= fit else standings[: fit - 1]
    wide = (box.w - 12) / _CHIPS
    for place, (standing, name) in enumerate(shown):
        x, y = box.x + 6 + place % _CHIPS * wide, box.y + _HEAD + place // _CHIPS * _CHIP
        yield _chip(standing, name, Box(x, y, wide - 4, _CHIP - 3))
    if len(shown) < len(standings):
        x, y = box.x + 12 + (_CHIPS - 1) * wide, box.y + _HEAD + (fit // _CHIPS - 1) * _CHIP
        yield words(f"and {len(standings) - len(shown)} more", x, y + 12)


def _called(arn: str, look: Look) -> str:
    return (arn.partition(":alarm:")[2] or arn.rpartition(":")[2]).removeprefix(look.prefix)


def _chip(standing: Standing, name: str, box: Box) -> str:
    rings = standing.state == "ALARM"
    at = f'cx="{n(box.x + 9)}" cy="{n(box.y + 8)}" r="3.5"'
    mark = {
        "ALARM": f'<path fill="var(--rung)" d="M{n(box.x + 5)} {n(box.y + 11.5)}h8l-4 -7z"/>',
        "OK": f'<circle class="calm" {at}/>',
    }.get(standing.state, f'<circle class="mute" {at}/>')
    text = words(fitting(name, box.w - 20), box.x + 17, box.y + 11.5, "rung" if rings else "name")
    fill = "ringing" if rings else "tile"
    tip = escape(": ".join(part for part in (name, standing.state, standing.reason) if part))
    return linked(
        f'<g><title>{tip}</title><rect class="{fill}" x="{n(box.x)}" y="{n(box.y)}" width="{n(box.w)}" '
        f'height="{n(box.h)}" rx="3"/>{mark}{text}</g>',
        standing.link,
    )


def _tiles(rows: Sequence[Band], y: float, look: Look) -> tuple[list[str], float]:
    """Many things at small scale: each its name, and the lines of its graphs."""
    parts: list[str] = []
    wide = COLUMNS * UNIT_WIDTH / _TILES
    for place, band in enumerate(rows):
        box = Box(
            MARGIN + place % _TILES * wide, y + place // _TILES * _TILE, wide - GAP, _TILE - GAP
        )
        heading = " ".join(w.heading[1] for w in band if isinstance(w, Words))
        graphs = [widget for widget in band if isinstance(widget, Graph)]
        parts += [_card(box), words(heading, box.x + 8, box.y + 16, "title")]
        each = (box.w - 8) / max(len(graphs), 1)
        for at, shown in enumerate(graphs):
            small = Box(box.x + 8 + at * each, box.y + 24, each - 8, box.h - 32)
            parts += tile(shown, small, [look.values(line) for line in shown.lines])
    return parts, -(-len(rows) // _TILES) * _TILE
