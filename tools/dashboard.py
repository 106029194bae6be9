"""Draw docs/dashboard.svg out of the program itself.

`python -m tools.dashboard` runs the dev stack on mocks and draws the dashboard that it declares, as the sandbox draws it
on its page; with `--check` it writes nothing and exits 1 when the file is out of date. The values are made up.
"""

from __future__ import annotations

import functools
import sys
from typing import Final

from policies import aws
from sandbox.dashboard import picture, reading
from tests.support.program import ROOT, Run, run_stack
from tools.dashboard_values import Illustration
from tools.written import keep

FILE: Final = ROOT / "docs" / "dashboard.svg"
STACK: Final = "dev"

NOTES: Final = (
    "The dashboard that the program declares for its dev stack. Values and states are made up; a sandbox draws the real ones.",
    "Of each section only the first row is drawn whole here; on the dashboard every row is.",
)


@functools.cache
def read() -> Run:
    """What a run of the dev stack declares."""
    return run_stack(STACK)


def text() -> str:
    """The file's text."""
    (dashboard,) = read().all(aws.DASHBOARD)
    name = str(dashboard.get("dashboardName"))
    widgets = reading.read(str(dashboard.get("dashboardBody")))
    example = Illustration(widgets)
    look = picture.Look(
        values=example.values,
        standings=example.standings(),
        times=("3 hours ago", "now"),
        prefix=f"{name}-",
        notes=NOTES,
    )
    return picture.draw(widgets, look, label=label(name, widgets), folded=True)


def label(name: str, widgets: list[reading.Widget]) -> str:
    """The picture in words, for those who do not see it."""
    alarms = sum(len(one.arns) for one in widgets if isinstance(one, reading.Alarms))
    named = [one.heading for one in widgets if isinstance(one, reading.Words)]
    sections = [text for depth, text in named if depth == 2]
    return (
        f"The dashboard of {name}: the states of {alarms} alarms on top, below them the graphs of "
        f"{sum(depth == 3 for depth, _ in named)} things: {', '.join(sections)}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or with `--check` compare it; return the exit code."""
    return keep(
        lambda: {FILE: text()},
        "tools.dashboard",
        "The picture of the dashboard.",
        arguments,
        root=ROOT,
    )


if __name__ == "__main__":
    sys.exit(main())
