"""The dashboard's body: what stands where, and what CloudWatch would refuse."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from components.dashboard import COLUMNS, MOST_ALARMS, body
from components.watching import Alarm, Composite, Graph, Kind, Metric, Severity, Watched

CALLS = Metric("AWS/Lambda", "Invocations", "Sum", {"FunctionName": "app-dev-f"})


def alarm(name: str, severity: Severity = "ticket", *, quiet: bool = False) -> Alarm:
    return Alarm(
        name=name,
        says="it rings",
        runbook="book",
        severity=severity,
        metrics={"calls": CALLS},
        quiet=quiet,
    )


def watched(name: str, kind: Kind = "function", *, graphs: int = 3, **more: Any) -> Watched:
    graph = Graph(title="Calls", lines=[("calls", CALLS)], unit="milliseconds", limit=7)
    return Watched(name=name, kind=kind, graphs=[graph] * graphs, **more)


def drawn(*things: Watched, without: str = "") -> list[dict[str, Any]]:
    spoken = [a.name for one in things for a in (*one.composites, *one.alarms)]
    arns = {name: f"arn:{name}" for name in spoken if name != without}
    return body(things, alarms=arns, region="us-west-2", title="app-dev")["widgets"]


def area(widget: dict[str, Any]) -> tuple[int, int, int, int]:
    return widget["x"], widget["y"], widget["x"] + widget["width"], widget["y"] + widget["height"]


def texts(widgets: list[dict[str, Any]]) -> list[str]:
    return [w["properties"]["markdown"].partition("\n")[0] for w in widgets if w["type"] == "text"]


@pytest.mark.parametrize("graphs", range(1, 10))
def test_graphs_fill_their_rows_and_nothing_overlaps(graphs: int) -> None:
    widgets = drawn(watched("a", graphs=graphs), watched("b", graphs=graphs))
    for (left, top, right, foot), (x, y, end, low) in itertools.combinations(map(area, widgets), 2):
        assert right <= x or end <= left or foot <= y or low <= top
    pictures = [area(w) for w in widgets if w["type"] == "metric"]
    assert len(pictures) == 2 * graphs
    for _, row in itertools.groupby(pictures, key=lambda one: one[1]):
        places = list(row)
        assert (places[0][0], places[-1][2]) == (3, COLUMNS)
        assert all(one[2] == other[0] for one, other in itertools.pairwise(places))
        assert 1 <= len(places) <= 4


def test_kinds_stand_below_each_other_and_the_service_first() -> None:
    things = [watched(kind, kind) for kind in ("table", "function", "queue", "service")]
    kinds = texts(drawn(*things, watched("api", "api"), watched("stream", "stream")))
    assert kinds == [
        "# app-dev",
        *("## Service", "### service", "## APIs", "### api", "## Functions", "### function"),
        *("## Queues", "### queue", "## Streams", "### stream", "## Tables", "### table"),
    ]


def test_line_names_its_metric_and_the_alarms_limit_is_a_line_of_its_own() -> None:
    widgets = drawn(watched("f", graphs=1, alarms=[alarm("f-slow")]))
    (picture,) = (w for w in widgets if w["type"] == "metric")
    said = picture["properties"]
    assert said["metrics"] == [
        [
            "AWS/Lambda",
            "Invocations",
            "FunctionName",
            "app-dev-f",
            {"label": "calls", "stat": "Sum"},
        ]
    ]
    assert said["annotations"] == {"horizontal": [{"label": "alarm", "value": 7}]}
    assert (said["region"], said["yAxis"]["left"]["label"]) == ("us-west-2", "milliseconds")


def test_alarms_stand_on_top_those_that_page_first_and_parts_of_others_not_at_all() -> None:
    whole = Composite(
        name="down", says="it is", runbook="down", severity="page", rule="{x}", parts=["x"]
    )
    widgets = drawn(
        watched("f", alarms=[alarm("f-errors", "page"), alarm("f-slow")]),
        watched("app", "service", alarms=[alarm("x", "page", quiet=True)], composites=[whole]),
        watched("q", "queue", graphs=0, alarms=[alarm("q-age")]),
    )
    shown = [w["properties"] for w in widgets if w["type"] == "alarm"]
    assert [one["alarms"] for one in shown] == [
        ["arn:down"],
        ["arn:f-errors"],
        ["arn:q-age"],
        ["arn:f-slow"],
    ]
    assert [w["type"] for w in widgets[:6]] == ["text", *["alarm"] * 4, "text"]
    assert {one["sortBy"] for one in shown} == {"stateUpdatedTimestamp"}


def test_more_alarms_than_one_widget_holds_stand_in_two() -> None:
    many = [alarm(f"f-{number}") for number in range(MOST_ALARMS + 1)]
    shown = [w["properties"] for w in drawn(watched("f", alarms=many)) if w["type"] == "alarm"]
    assert [len(one["alarms"]) for one in shown] == [MOST_ALARMS, 1]
    assert shown[1]["title"].endswith("(functions from 101)")


def test_alarm_that_does_not_exist_is_neither_shown_nor_has_a_runbook() -> None:
    thing = watched("f", alarms=[alarm("f-errors")])
    assert any("Runbooks: book" in str(w["properties"].get("markdown")) for w in drawn(thing))
    widgets = drawn(thing, without="f-errors")
    assert {w["type"] for w in widgets} == {"text", "metric"}
    assert "annotations" not in str(widgets)
    assert "book" not in str(widgets)


def test_thing_without_graphs_has_no_row() -> None:
    assert texts(drawn(watched("f", graphs=0))) == ["# app-dev"]


def test_more_widgets_than_a_dashboard_holds_are_refused() -> None:
    many = [watched(f"f{number}", graphs=4) for number in range(100)]
    with pytest.raises(ValueError, match="a dashboard holds 500 widgets, not 502"):
        drawn(*many)
