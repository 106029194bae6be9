"""How a picture looks: its colours on a light and on a dark page, and how wide its texts are."""

from __future__ import annotations

from html import escape
from typing import Final

SERIES: Final = 6
"""Colours of lines; the seventh line has the first one's again."""

STYLE: Final = """\
svg.dashboard { --page: #ffffff; --card: #ffffff; --edge: #d5dbdb; --ink: #16191f; --soft: #5b6573; --grid: #eaeded;
  --ring: #c7281c; --rung: #ffffff; --calm: #1e7b34; --mute: #7b8794; --tile: #f4f6f7;
  --s0: #2f6fc4; --s1: #c9660b; --s2: #2a8a4a; --s3: #8251b5; --s4: #0f8a94; --s5: #a0522d }
@media (prefers-color-scheme: dark) {
  svg.dashboard { --page: #0f1419; --card: #171d24; --edge: #36424e; --ink: #e9edf1; --soft: #a3afbb; --grid: #252f39;
    --ring: #ff6a5c; --rung: #1b0603; --calm: #63c97d; --mute: #8593a1; --tile: #1e2630;
    --s0: #6aa5f2; --s1: #f0a04b; --s2: #63c283; --s3: #bb93e8; --s4: #4cc3cd; --s5: #d69a74 }
}
.dashboard text { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 10px; fill: var(--soft) }
.dashboard .h1 { font-size: 19px; font-weight: 600; fill: var(--ink) }
.dashboard .h2 { font-size: 15px; font-weight: 600; fill: var(--ink) }
.dashboard .h3 { font-size: 12.5px; font-weight: 600; fill: var(--ink) }
.dashboard .title { font-size: 11px; font-weight: 600; fill: var(--ink) }
.dashboard .end { text-anchor: end }
.none { stroke: var(--card); stroke-width: 6px; paint-order: stroke }
.dashboard .mid { text-anchor: middle }
.dashboard a text, .dashboard .go { fill: var(--s0) }
.dashboard a:hover text { text-decoration: underline }
.page { fill: var(--page) }
.card { fill: var(--card); stroke: var(--edge) }
.rule { stroke: var(--edge) }
.grid { stroke: var(--grid); shape-rendering: crispEdges }
.line { fill: none; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round }
.dot { stroke-width: 4.5 }
.limit { stroke: var(--ring); stroke-dasharray: 5 3 }
.dashboard .told { fill: var(--ring) }
.tile { fill: var(--tile) }
.ringing { fill: var(--ring) }
.dashboard .rung, .dashboard a .rung { fill: var(--rung); font-weight: 600 }
.dashboard .name, .dashboard a .name { fill: var(--ink) }
.calm { fill: var(--calm) }
.mute { fill: none; stroke: var(--mute); stroke-width: 1.5 }
""" + "".join(
    f".s{n} {{ stroke: var(--s{n}) }} .k{n} {{ fill: var(--s{n}) }}\n" for n in range(SERIES)
)

SIZES: Final = {"h1": 19.0, "h2": 15.0, "h3": 12.5, "title": 11.0}
_WIDTHS: Final = {"ijlI|'": 0.28, ' .,:;!t/-()[]f"r': 0.4, "mwMW@%": 0.95}
_USUAL, _CAPITAL, _BOLD, _SMALL = 0.62, 0.7, 1.12, 10.0


def width(text: str, style: str = "") -> float:
    """The room that a text takes, in pixels, in DejaVu Sans, which is wider than what most readers have."""
    wide = sum(_wide(letter) for letter in text)
    return wide * SIZES.get(style, _SMALL) * (_BOLD if style in SIZES else 1)


def _wide(letter: str) -> float:
    for letters, wide in _WIDTHS.items():
        if letter in letters:
            return wide
    return _CAPITAL if letter.isupper() else _USUAL


def fitting(text: str, room: float, style: str = "") -> str:
    """A text, cut where it takes more room than there is."""
    if width(text, style) <= room:
        return text
    kept = text[:-1]
    while len(kept) > 1 and width(f"{kept}…", style) > room:
        kept = kept[:-1]
    return f"{kept}…"


def wrapped(text: str, room: float, style: str) -> list[str]:
    """A name on as many lines as it needs, broken after hyphens and blanks."""
    found = [""]
    for part in text.replace("-", "-\n").replace(" ", " \n").split("\n"):
        if found[-1] and width((found[-1] + part).rstrip(), style) > room:
            found.append("")
        found[-1] += part
    return [line.strip() for line in found]


def words(text: str, x: float, y: float, style: str = "") -> str:
    """A text element."""
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{n(x)}" y="{n(y)}">{escape(text, quote=False)}</text>'


def linked(inner: str, link: str) -> str:
    """What it is, as a link where there is one."""
    return f'<a href="{escape(link)}">{inner}</a>' if link else inner


def n(number: float) -> str:
    """A coordinate."""
    return f"{number:.1f}".rstrip("0").rstrip(".")
