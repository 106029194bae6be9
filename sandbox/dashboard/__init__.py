"""The page that draws the stack's dashboards with the metrics of the emulator: `<endpoint>/_sandbox/dashboard/`.

What is drawn is the body that the program gave to CloudWatch, and nothing else: what is not on the dashboard is not on the
page. The emulator's process serves it, for this machine only; it reads the metrics where they lie and fetches nothing from
elsewhere.

reading  a dashboard's body -> widgets
style    colours, and the room that a text takes
plots    one graph
picture  all of it, as an SVG; `python -m tools.dashboard` draws with it too
live     what was measured, and how the alarms stand
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from sandbox.reference import HEADERS, Answer, Site, file, is_ours, told

if TYPE_CHECKING:
    from sandbox.dashboard.live import Live

PATH: Final = "/_sandbox/dashboard/"
SPANS: Final = (15, 60, 180)
"""Minutes that a page may show, the usual first."""
RUNBOOKS: Final = Path("docs", "runbooks")

_HERE: Final = Path(__file__).resolve().parent
_RUNBOOK: Final = re.compile(r"runbooks/([a-z0-9]+(?:-[a-z0-9]+)*)")

Query = Mapping[str, Sequence[str]]


def answer(
    path: str,
    method: str,
    headers: Mapping[str, str],
    query: Query,
    environment: Mapping[str, str] = os.environ,
) -> Answer:
    """Answer a request below `PATH`; `headers` by lower-case name, `query` with the values of each parameter."""
    if not is_ours(headers):
        return told(403, "The dashboard is for this machine only.")
    if method not in ("GET", "HEAD"):
        return told(405, "GET only.")
    site = Site.of(environment)
    if site is None:
        return told(404, "This sandbox has no dashboard.")
    if path == PATH.rstrip("/"):
        return 308, {"Location": PATH, **HEADERS}, b""
    name = path.removeprefix(PATH)
    if name == "page.js":
        return file(_HERE / name)
    if found := _RUNBOOK.fullmatch(name):
        return _runbook(site, found[1])
    if name not in ("", "picture.svg"):
        return told(404, "Not found.")
    return _drawn(site, query, whole=not name)


def _runbook(site: Site, name: str) -> Answer:
    book = site.root / RUNBOOKS / f"{name}.md"
    if not book.is_file():
        return told(404, f"There is no {RUNBOOKS.as_posix()}/{name}.md.")
    headers = {"Content-Type": "text/plain; charset=utf-8", **HEADERS}
    return 200, headers, book.read_bytes()


def _drawn(site: Site, query: Query, *, whole: bool) -> Answer:
    """The picture of one dashboard, or the page around it."""
    from sandbox.dashboard.live import Live

    live = Live(site, minutes=_span(query))
    names = live.names()
    if not names:
        return told(404, "The stack has no dashboard (yet).")
    name = next((one for one in query.get("name", ()) if one in names), names[0])
    if whole:
        return (
            200,
            {"Content-Type": "text/html; charset=utf-8", **HEADERS},
            _page(name, names, live),
        )
    try:
        text = live.picture(name)
    except ValueError as error:
        return told(500, f"{name}: {error}")
    return 200, {"Content-Type": "image/svg+xml", **HEADERS}, text.encode()


def _span(query: Query) -> int:
    given = next(iter(query.get("minutes", ())), "")
    return next((span for span in SPANS if str(span) == given), SPANS[0])


def _page(name: str, names: Sequence[str], live: Live) -> bytes:
    """The page, its links filled in; what is shown is no link."""
    shown = [
        *((f"{span} minutes", name, span, span == live.minutes) for span in SPANS),
        *((one, one, live.minutes, one == name) for one in names if len(names) > 1),
    ]
    links = " ".join(
        f"<b>{escape(words)}</b>"
        if current
        else f'<a href="?{escape(urlencode({"name": of, "minutes": span}))}">{escape(words)}</a>'
        for words, of, span, current in shown
    )
    html = (_HERE / "page.html").read_text(encoding="utf-8")
    return html.replace("{{name}}", escape(name)).replace("{{links}}", links).encode()
