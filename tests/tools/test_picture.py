"""The picture of the architecture is the program's, and can be read: nothing stands over anything else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies import aws, deliveries
from policies.model import Stack
from settings.wiring import SWITCHED
from tests.support.program import Run
from tools import picture
from tools.picture_facts import Facts, named, when
from tools.picture_layout import Layout
from tools.picture_shapes import Box, Drawing, Text
from tools.picture_sources import WAITED, sources

HIGHEST = 1500
"""What a page of text can bear."""


@pytest.fixture(scope="module")
def drawn() -> Drawing:
    """The picture as shapes."""
    return picture.drawing()


def test_file_is_what_the_program_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert picture.main(["--check"]) == 0, capsys.readouterr().err


def test_new_function_makes_the_file_stale_and_the_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "docs" / "architecture.svg"
    monkeypatch.setattr(picture, "ROOT", tmp_path)
    monkeypatch.setattr(picture, "FILE", file)
    whole = picture.read()
    one = next(r for r in whole.stack.all(aws.FUNCTION) if named(r) == "order-tracker")
    fewer = Facts(Stack([r for r in whole.stack.resources if r is not one]), whole.off)
    monkeypatch.setattr(picture, "read", lambda: fewer)
    assert picture.main([]) == 0
    assert picture.main(["--check"]) == 0
    monkeypatch.setattr(picture, "read", lambda: whole)
    capsys.readouterr()
    assert picture.main(["--check"]) == 1
    said = "docs/architecture.svg: out of date; run python -m tools.picture\n"
    assert capsys.readouterr().err == said


def test_order_of_registration_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = picture.read()
    other = Facts(Stack(list(reversed(whole.stack.resources))), whole.off)
    expected = picture.text()
    monkeypatch.setattr(picture, "read", lambda: other)
    assert picture.text() == expected


def test_every_function_is_drawn_once_and_what_is_off_is_dashed(dev: Run, drawn: Drawing) -> None:
    there = {named(function) for function in dev.all(aws.FUNCTION)}
    boxes = [box for box in drawn.boxes if box.colour == "function" and _is_titled(box)]
    drawn_names = sorted(box.lines[0][0].split(" ")[0] for box in boxes)
    assert drawn_names == sorted(there | set(SWITCHED))
    dashed = {box.lines[0][0] for box in boxes if box.dashed}
    assert dashed == set(SWITCHED) - there


def test_every_queue_of_failures_is_drawn(drawn: Drawing) -> None:
    stack = picture.read().stack
    dead = deliveries.collectors(stack)
    names = {q.name.removesuffix("-queue") for q in stack.all(aws.QUEUE) if q.output("arn") in dead}
    red = {box.lines[0][0] for box in drawn.boxes if box.colour == "failure" and box.lines}
    assert {name.removesuffix("-dead-letter") for name in names} <= red


def test_whoever_is_not_waited_for_fails_into_a_queue() -> None:
    found = sources(picture.read())
    assert {source.title for source in found if source.zone != WAITED and not source.ends} == set()
    assert {source.title for source in found if source.zone == WAITED and source.ends} == set()


def test_right_that_nobody_draws_is_a_mistake() -> None:
    facts = picture.read()
    with pytest.raises(ValueError, match="draws nothing for iot:Publish"):
        facts._other("iot:Publish", "*")  # pyright: ignore[reportPrivateUsage]


def test_section_that_nobody_switches_on_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "SWITCHED", {**SWITCHED, "returner": ("returns", "enabled")})
    with pytest.raises(ValueError, match=r"SWITCHES in tools/picture.py .* returns; say how"):
        picture.read.__wrapped__()


def test_no_two_boxes_overlap(drawn: Drawing) -> None:
    both = itertools.combinations([_area(box) for box in drawn.boxes], 2)
    assert [pair for pair in both if _meet(*pair)] == []


def test_every_text_fits_its_box(drawn: Drawing) -> None:
    for box in drawn.boxes:
        for text in box.texts():
            edge = box.right - (12 if box.mark else 0)
            assert box.x <= text.left <= text.right <= edge, text.text
            assert box.y <= text.y - 9 < text.y <= box.foot, text.text


def test_bare_texts_stand_free(drawn: Drawing) -> None:
    areas = [_area(text) for text in drawn.texts]
    assert [pair for pair in itertools.combinations(areas, 2) if _meet(*pair)] == []
    boxes = [_area(box) for box in drawn.boxes]
    lines = list(_segments(drawn))
    for text in areas:
        assert [other for other in (*boxes, *lines) if _meet(text, other)] == [], text[0]


def test_no_line_goes_through_a_box_or_across_another(drawn: Drawing) -> None:
    lines = list(_segments(drawn))
    boxes = [_area(box) for box in drawn.boxes]
    assert [(a, b) for a in lines for b in boxes if _meet(a, b)] == []
    assert [pair for pair in itertools.combinations(lines, 2) if _meet(*pair)] == []


def test_everything_is_inside_and_the_page_is_not_too_long(drawn: Drawing) -> None:
    assert drawn.width == 1180
    assert drawn.height < HIGHEST, "lower PITCH, GAP or BOTH in tools/picture_layout.py"
    shapes = [*drawn.boxes, *drawn.zones, *drawn.texts]
    for name, left, top, right, foot in [*map(_area, shapes), *_segments(drawn)]:
        assert 0 <= left <= right <= drawn.width, name
        assert 0 <= top <= foot <= drawn.height, name


def test_chips_that_do_not_fit_stand_in_a_second_row() -> None:
    facts = picture.read()
    layout = Layout(facts.functions)
    layout.draw([source for source in sources(facts) if "health-checker" in source.functions])
    rows = {box.y for box in layout.drawing.boxes if box.hollow}
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("expression", "zone", "words"),
    [
        ("rate(5 minutes)", "UTC", "every 5 minutes"),
        ("cron(0 3 * * ? *)", "UTC", "daily, 03:00 UTC"),
        ("cron(30 8 ? * MON *)", "America/New_York", "Mon, 08:30 New York"),
        ("cron(0 3 1 * ? *)", "UTC", "cron(0 3 1 * ? *)"),
        ("at(2027-01-01T00:00:00)", "UTC", "at(2027-01-01T00:00:00)"),
    ],
)
def test_schedule_is_said_in_words(expression: str, zone: str, words: str) -> None:
    assert when(expression, zone) == words


Area = tuple[str, float, float, float, float]
"""What it is, left, top, right, foot."""


def _area(shape: Box | Text) -> Area:
    if isinstance(shape, Text):
        return shape.text, shape.left, shape.y - 9, shape.right, shape.y + 2.5
    name = " ".join(text for text, _ in shape.lines)
    return name, shape.x, shape.y, shape.right, shape.foot


def _segments(drawn: Drawing) -> Iterator[Area]:
    for line in drawn.lines:
        for (x, y), (to_x, to_y) in itertools.pairwise(line.points):
            yield "line", min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y)


def _meet(one: Area, other: Area) -> bool:
    """They share more than an edge."""
    return one[1] < other[3] and other[1] < one[3] and one[2] < other[4] and other[2] < one[4]


def _is_titled(box: Box) -> bool:
    return any(style == "title" for _, style in box.lines)
