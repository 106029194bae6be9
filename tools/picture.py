"""Draw docs/architecture.svg out of the program itself.

`python -m tools.picture` runs the dev stack on mocks and draws what its resources say; with `--check` it writes nothing
and exits 1 when the file is out of date. What the stack file leaves off is switched on for the run, and marked as off.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from math import ceil
from typing import Any, Final

from policies import aws
from policies.model import Stack
from settings.wiring import SWITCHED
from tests.support.program import ROOT, run_stack, stack_config
from tools.picture_facts import Facts, built_elsewhere
from tools.picture_layout import ENDS, OUTSIDE, SPINE, Layout
from tools.picture_shapes import Box, Drawing, Text, width
from tools.picture_sources import sources
from tools.written import keep

FILE: Final = ROOT / "docs" / "architecture.svg"
STACK: Final = "dev"

SWITCHES: Final[Mapping[str, Mapping[str, Any]]] = {
    "partner": {"url": "https://partner.example.com/"},
    "probe": {"host": "db.example.com"},
    "telemetry": {"enabled": True},
}
"""Section -> what makes its function exist."""
NETWORK: Final = {
    "network-probe": {
        "vpc_config": {
            "subnet_ids": ["subnet-0123456789abcdef0"],
            "security_group_ids": ["sg-0123456789abcdef0"],
        }
    }
}
"""What such a function needs as well."""
OFF: Final = {
    aws.LOAD_BALANCER: "load balancer",
    aws.GRAPHQL_API: "GraphQL API",
    aws.TOPIC_RULE: "IoT rule",
}
"""What a stack file may switch on, and what it is called where it is off."""

MARGIN, HIGH = OUTSIDE[0], 54.0
"""Where texts at the foot begin, and how high its boxes are."""

LEGEND: Final = (
    ("front", "API, URL, user pool"),
    ("function", "Lambda function: own role, own log group, alias live"),
    ("data", "table, bucket"),
    ("message", "queue, topic, bus, stream"),
    ("secret", "secret"),
    ("outside", "outside, or AWS itself"),
    ("failure", "waits until somebody sends it again"),
)
"""Colour -> what has it."""


def drawing() -> Drawing:
    """The picture of the dev stack."""
    facts = read()
    layout = Layout(facts.functions)
    layout.draw(sources(facts))
    _foot(layout.drawing, layout.y + 12, facts)
    return layout.drawing


@functools.cache
def read() -> Facts:
    """What a run of the dev stack says, its switches all on."""
    given = stack_config(STACK)
    off = [
        name
        for name, (section, key) in SWITCHED.items()
        if not (given.get(f"sandpiper:{section}") or {}).get(key)
    ]
    if unknown := sorted({SWITCHED[name][0] for name in off} - SWITCHES.keys()):
        raise ValueError(
            f"SWITCHES in tools/picture.py does not switch on {', '.join(unknown)}; say how"
        )
    needed = {name: NETWORK[name] for name in off if name in NETWORK}
    config = {
        "sandpiper:functions": {**(given.get("sandpiper:functions") or {}), **needed},
        **{
            f"sandpiper:{section}": {
                **(given.get(f"sandpiper:{section}") or {}),
                **SWITCHES[section],
            }
            for section in {SWITCHED[name][0] for name in off}
        },
    }
    return Facts(Stack(run_stack(STACK, config=config).resources), tuple(off))


def _foot(drawing: Drawing, y: float, facts: Facts) -> None:
    """Alarms, where the red line ends; beside them the words for the colours, below what else there is."""
    count = sum(
        not any(alarm.name.startswith(f"{name}-") for name in facts.off)
        for alarm in facts.stack.all(aws.ALARM)
    )
    said = [
        (f"{count} alarms", "title"),
        ("errors, throttles,", "note"),
        ("any message above", "note"),
    ]
    alarms = drawing.add(Box(ENDS[0], y, ENDS[1], HIGH, "failure", said))
    waiting = [line.points[0][1] for line in drawing.lines if line.bare and line.fails]
    end = (alarms.right + 2, alarms.middle)
    drawing.arrow((SPINE, min([*waiting, alarms.middle])), (SPINE, alarms.middle), end, fails=True)
    topic = drawing.add(
        Box(alarms.x - 142, y, 114, HIGH, "message", [("alarms", "title"), ("topic", "note")])
    )
    drawing.arrow((alarms.x, alarms.middle), (topic.right + 2, topic.middle))
    asked = [("you", "title"), ("with a runbook", "note")]
    person = drawing.add(Box(topic.x - 136, y, 108, HIGH, "outside", asked))
    drawing.arrow((topic.x, topic.middle), (person.right + 2, person.middle))
    _legend(drawing, y + 2, person.x - 20)
    y += HIGH + 22
    for line in _remarks(facts):
        drawing.texts.append(Text(line, MARGIN, y, "note", "start"))
        y += 17
    drawing.height = ceil(y)


def _legend(drawing: Drawing, y: float, end: float) -> None:
    x = MARGIN
    for colour, words in LEGEND:
        wide = 22 + width(words, "note")
        if x + wide > end:
            x, y = MARGIN, y + 22
        drawing.add(Box(x, y, 14, 14, colour))
        drawing.texts.append(Text(words, x + 20, y + 11, "note", "start"))
        x += wide + 14


def _remarks(facts: Facts) -> list[str]:
    off = [words for type_, words in OFF.items() if not facts.stack.all(type_)]
    elsewhere = [name for name in built_elsewhere() if name not in facts.functions]
    return [
        "A triangle: this starts something in its turn; find it again further left. Dashed: not there until the stack file says so.",
        f"Also off until the stack file says more: {', '.join([*off, *elsewhere])}.",
        "One KMS key per stack encrypts tables, buckets, queues, topics, bus, stream, secrets, logs and variables.",
    ]


def label(facts: Facts) -> str:
    """The picture in words, for those who do not see it."""
    there = [name for name in facts.functions if name not in facts.off]
    return (
        f"The {len(there)} functions of sandpiper ({', '.join(there)}): what starts each of them, what it reads and writes "
        f"to, and where waits what failed. Off: {', '.join(facts.off)}"
    )


def text() -> str:
    """The file's text."""
    return drawing().svg(label(read()))


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or with `--check` compare it; return the exit code."""
    return keep(
        lambda: {FILE: text()},
        "tools.picture",
        "The picture of the architecture.",
        arguments,
        root=ROOT,
    )


if __name__ == "__main__":
    sys.exit(main())
