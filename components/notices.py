"""The topics of alarms: one for each severity."""

from __future__ import annotations

from typing import Final

from components.keys import DataKey
from components.place import Place
from components.topics import Topic
from components.watching import SEVERITIES, Severity

PUBLISHERS: Final = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com")


def topics(*, encryption: DataKey, place: Place) -> dict[Severity, Topic]:
    """`page` for what callers notice, `ticket` for what can wait until the morning."""
    return {
        severity: Topic(severity, publishers=PUBLISHERS, encryption=encryption, place=place)
        for severity in SEVERITIES
    }
