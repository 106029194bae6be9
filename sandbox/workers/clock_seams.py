"""MiniStack's background clocks, made fine enough for a local application."""

from types import ModuleType
from typing import Any

from sandbox.workers.seams import Seam

TICK_SECONDS = 1
"""How late a schedule may fire; MiniStack looks every 10 seconds, AWS within a minute."""


def seams() -> list[Seam]:
    """Return the seams of schedules: constants that the loops read on every round."""
    reason = "schedules fire up to 10 seconds late"
    return [
        Seam("ministack.services.scheduler", "_SCHEDULE_TICK_INTERVAL", 10, reason, _tick),
        Seam("ministack.services.eventbridge", "_SCHEDULER_TICK_INTERVAL", 10, reason, _tick),
    ]


def _tick(_module: ModuleType, _original: Any) -> int:
    return TICK_SECONDS
