"""How a dashboard is drawn: what its body says, no more and no less, and so that it can be read."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.dashboard import plots, reading, style
from sandbox.dashboard.picture import Look, Standing, bands, draw
from sandbox.dashboard.plots import Box, Values
from sandbox.dashboard.reading import Line

SVG = "{http://www.w3.org/2000/svg}"
ARN = "arn:aws:cloudwatch:us-west-2:1:alarm:app-dev-"
CALLS = ["AWS/Lambda", "Invocations", "FunctionName", "f", {"label": "calls", "stat": "Sum"}]


def text(markdown: str, x: int = 0, y: int = 0, width: int = 24, height: int = 1) -> dict[str, Any]:
    return _at({"type": "text", "properties": {"markdown": markdown}}, x, y, width, height)


def alarms(*names: str, y: int = 0, height: int = 3) -> dict[str, Any]:
    said = {"title": "Page", "alarms": [ARN + name for name in names]}
    return _at({"type": "alarm", "properties": said}, 0, y, 24, height)


def graph(
    *metrics: Any, x: int = 0, y: int = 0, width: int = 12, height: int = 5, **more: Any
) -> dict[str, Any]:
    said = {"title": "Calls", "metrics": list(metrics), **more}
    return _at({"type": "metric", "properties": said}, x, y, width, height)


def _at(widget: dict[str, Any], x: int, y: int, width: int, height: int) -> dict[str, Any]:
    return {**widget, "x": x, "y": y, "width": width, "height": height}


def read(*widgets: dict[str, Any]) -> list[reading.Widget]:
    return reading.read(json.dumps({"widgets": widgets}))


def look(values: Values = (), **more: Any) -> Look:
    said: dict[str, Any] = {"standings": {}, "times": ("then", "now"), "prefix": "app-dev-", **more}
    return Look(values=lambda _: values, **said)


def drawn(
    *widgets: dict[str, Any], values: Values = (), folded: bool = False, **more: Any
) -> ET.Element:
    made = draw(read(*widgets), look(values, **more), label="words", folded=folded)
    return ET.fromstring(made)  # noqa: S314


def texts(picture: ET.Element) -> list[str]:
    return [one.text or "" for one in picture.iter(f"{SVG}text")]


def paths(picture: ET.Element, kind: str) -> list[str]:
    found = (one for one in picture.iter(f"{SVG}path") if kind in one.get("class", "").split(" "))
    return [one.get("d", "") for one in found]


def rows(things: int, graphs: int = 2) -> Iterator[dict[str, Any]]:
    yield text("# app")
    yield text("## Queues", y=1)
    for place in range(things):
        yield text(f"### thing-{place}\n\nRunbooks: one, two", y=2 + 5 * place, width=3, height=5)
        for at in range(graphs):
            yield graph(CALLS, x=3 + 10 * at, y=2 + 5 * place, width=10)


def test_line_goes_through_its_values_and_a_lone_one_is_a_dot() -> None:
    picture = drawn(graph(CALLS), values=[0, None, 10, None, 5, 5])
    assert len(paths(picture, "line")) == 2
    (dots,) = paths(picture, "dot")
    (stretch,) = set(paths(picture, "line")) - {dots}
    moves = re.findall(r"([ML])([\d.]+) ([\d.]+)(h0)?", dots + stretch)
    assert [kind + dot for kind, _, _, dot in moves] == ["Mh0", "Mh0", "M", "L"]
    x = [float(one[1]) for one in moves]
    y = [float(one[2]) for one in moves]
    assert x[1] - x[0] == pytest.approx(2 * (x[3] - x[2]), abs=0.2)
    assert y[0] - y[1] == pytest.approx(2 * (y[0] - y[2]), abs=0.2)
    assert texts(picture)[-1] == "calls 5"


def test_limit_is_drawn_where_its_value_is() -> None:
    limits = {"horizontal": [{"label": "alarm", "value": 80}]}
    picture = drawn(graph(CALLS, annotations=limits), values=[80, 20])
    (limit,), (line,) = paths(picture, "limit"), paths(picture, "line")
    assert re.findall(r" ([\d.]+)H", limit) == re.findall(r"M[\d.]+ ([\d.]+)", line)
    assert "alarm 80" in texts(picture)


def test_limit_out_of_sight_is_only_named_where_that_is_asked_for() -> None:
    limits = {"horizontal": [{"label": "alarm", "value": 8000}]}
    for near, value, drawn_limits in ((True, 2, 0), (True, 400, 1), (False, 2, 1), (True, None, 1)):
        picture = drawn(graph(CALLS, annotations=limits), values=[value, value], near=near)
        assert len(paths(picture, "limit")) == drawn_limits
        said = "alarm 8k" if drawn_limits else "alarm 8k \u2191"
        assert said in texts(picture)


def test_nothing_measured_is_said() -> None:
    picture = drawn(graph(CALLS), values=[None, None])
    assert "no data" in texts(picture)
    assert paths(picture, "line") == []
    assert "no data" not in texts(drawn(graph(CALLS), values=[None, 0]))


def test_alarms_that_ring_come_first_and_all_are_counted() -> None:
    names = [f"f-{number}" for number in range(20)]
    standings = {
        f"{ARN}f-7": Standing("ALARM", "too many", "runbooks/errors"),
        **{f"{ARN}f-{number}": Standing("OK") for number in range(5)},
    }
    picture = drawn(alarms(*names), standings=standings)
    said = texts(picture)
    assert said[:3] == ["Page", "1 in alarm, 14 without data, 5 OK", "f-7"]
    assert said[-1] == "and 3 more"
    assert len(said) == 2 + 17 + 1
    (link,) = picture.iter(f"{SVG}a")
    assert link.get("href") == "runbooks/errors"
    assert link.findtext(f".//{SVG}title") == "f-7: ALARM: too many"


def test_alarms_that_all_have_room_are_all_there() -> None:
    names = [f"f-{number}" for number in range(18)]
    assert texts(drawn(alarms(*names)))[2:] == names


def test_runbooks_of_a_thing_are_links_where_there_are_some() -> None:
    def runbook(name: str) -> str:
        return f"to/{name}" if name == "one" else ""

    picture = drawn(*rows(1), runbook=runbook)
    links = {one.get("href"): one.findtext(f"{SVG}text") for one in picture.iter(f"{SVG}a")}
    assert links == {"to/one": "one"}
    assert {"thing-0", "two"} <= set(texts(picture))


@pytest.mark.parametrize("things", [1, 2, 5, 6, 9])
def test_folded_picture_names_everything_once_and_is_lower(things: int) -> None:
    whole, small = drawn(*rows(things)), drawn(*rows(things), folded=True)
    named = [one for one in texts(small) if one.startswith("thing-")]
    assert named == [f"thing-{place}" for place in range(things)]
    assert len(paths(drawn(*rows(things), values=[1, 2], folded=True), "line")) == 2 * things
    heights = [float(one.get("height", "")) for one in (whole, small)]
    assert heights[0] > heights[1] or things == 1


def test_every_section_has_its_first_thing_whole() -> None:
    both = [*rows(2), text("## Tables", y=12), text("### t", y=13, width=3, height=5)]
    said = texts(drawn(*both, graph(CALLS, x=3, y=13), folded=True))
    assert said.count("then") == 3
    assert said.index("thing-1") < said.index("Tables") < said.index("t")


def test_graphs_in_two_lines_beside_one_name_are_one_band() -> None:
    name = text("### f", width=3, height=10)
    found = bands(read(graph(CALLS, x=3, y=5), name, graph(CALLS, x=3), graph(CALLS, y=10)))
    assert [len(band) for band in found] == [3, 1]
    assert isinstance(found[0][0], reading.Words)


def test_names_are_text_and_never_markup() -> None:
    evil = '<script>alert("1")</script>&'
    metric = ["N", evil, {"label": evil}]
    names = f"### {evil}\n\nRunbooks: {evil}"
    widgets = [text(names, height=5), graph(metric, title=evil, y=5), alarms(evil, y=10)]
    picture = drawn(*widgets, values=[1], runbook='x" onclick="{}'.format)
    assert {one.tag.removeprefix(SVG) for one in picture.iter()} == {
        *("svg", "style", "rect", "path", "text", "a", "g", "title", "circle")
    }
    assert not [one for one in picture.iter() if "onclick" in one.attrib]


def test_shorthand_of_metrics_is_read() -> None:
    (found,) = read(
        graph(
            ["A", "x", "D", "1", "E", "2"],
            ["...", "3"],
            [".", "y", ".", "."],
            ["B", "z", {"stat": "p99", "label": "ninety"}],
            ["B", "hidden", {"visible": False}],
            [{"expression": "m1 / m2"}],
            stat="Sum",
        )
    )
    assert isinstance(found, reading.Graph)
    assert found.lines == (
        Line("x", "A", "x", "Sum", (("D", "1"), ("E", "2"))),
        Line("x", "A", "x", "Sum", (("D", "1"), ("E", "3"))),
        Line("y", "A", "y", "Sum", (("D", "1"),)),
        Line("ninety", "B", "z", "p99"),
    )
    assert found.untold == 1
    assert "+ 1 by metric math" in texts(drawn(graph([{"expression": "m1"}])))


def test_widget_of_another_type_is_named() -> None:
    log = _at({"type": "log", "properties": {"title": "Slowest"}}, 0, 0, 6, 3)
    assert texts(drawn(log)) == ["Slowest (log): not drawn"]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"widgets": 1}', '{"widgets": [1]}', "null"])
def test_body_that_is_none_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="not the body of a dashboard"):
        reading.read(body)


@given(st.lists(st.floats(0, 1e12) | st.floats(0, 1), max_size=5))
def test_axis_holds_every_value_in_few_steps(found: list[float]) -> None:
    step, top = plots.scale(found)
    assert max(found, default=0) <= top * 1.001
    assert 1 <= round(top / step) <= 4
    assert top / step == pytest.approx(round(top / step))


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (0.25, "0.25"), (42, "42"), (999, "999"), (999.9, "1k"), (14_200_000, "14.2M")],
)
def test_numbers_are_short(number: float, said: str) -> None:
    assert plots.short(number) == said


@pytest.mark.parametrize(
    "labels", [["a"], ["x" * 60], ["placed", "confirmed", "unsent"], ["x" * 40] * 4]
)
@pytest.mark.parametrize("width", [3, 5, 21])
def test_legend_stays_in_its_box_and_no_two_labels_meet(labels: Sequence[str], width: int) -> None:
    metrics = [["N", str(place), {"label": label}] for place, label in enumerate(labels)]
    picture = drawn(graph(*metrics, width=width), values=[123456])
    shown = list(picture.iter(f"{SVG}text"))[-len(labels) :]
    rows: dict[str, list[tuple[float, float]]] = {}
    for one in shown:
        rows.setdefault(one.get("y", ""), []).append(
            (float(one.get("x", "")), style.width(one.text or ""))
        )
    assert 1 <= len(rows) <= 2
    for places in rows.values():
        for (x, room), (after, _) in itertools.pairwise(places):
            assert x + room + 8 < after
        assert sum(places[-1]) <= 12 + width * 49 - 6


def test_legend_has_a_second_row_before_a_label_is_cut() -> None:
    labels = ["ThumbnailsMade", "RowsImported", "ReportsMade"]
    metrics = [["N", label, {"label": label}] for label in labels]
    narrow, wide = (drawn(graph(*metrics, width=at), values=[7, 0]) for at in (5, 12))
    assert texts(narrow)[-3:] == labels
    assert texts(wide)[-3:] == [f"{label} 0" for label in labels]
    feet = [max(float(d.rpartition(" ")[2]) for d in paths(one, "line")) for one in (narrow, wide)]
    assert feet[1] - feet[0] == 13


def test_texts_can_be_read_on_a_light_and_on_a_dark_page() -> None:
    light, dark = style.STYLE.split("@media (prefers-color-scheme: dark)")
    for scheme in (light, dark.partition(".dashboard text")[0]):
        colours = dict(re.findall(r"--(\w+): (#\w{6})", scheme))
        for ink in ("ink", "soft", "s0", "ring"):
            for ground in ("card", "page", "tile"):
                assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        assert _contrast(colours["rung"], colours["ring"]) >= 4.5
        for line in range(style.SERIES):
            assert _contrast(colours[f"s{line}"], colours["card"]) >= 3, line


def _contrast(one: str, other: str) -> float:
    """As WCAG 2.1 defines it."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_tile_has_the_lines_of_its_graph() -> None:
    (found,) = read(graph(CALLS, CALLS))
    assert isinstance(found, reading.Graph)
    parts = plots.tile(found, Box(0, 0, 100, 20), [[1, 2], [2, 1]])
    assert sum("line" in part for part in parts) == 2
