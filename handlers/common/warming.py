"""The event of a warming schedule, which keeps an execution environment initialised."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[Any, Any], Any]


def is_warming(event: object) -> bool:
    """Whether this is `{"warming": true}`. No gateway, queue or bucket can send it: their events
    carry what a stranger wrote further down.
    """
    return isinstance(event, dict) and event.get("warming") is True


def warmed() -> dict[str, bool]:
    """The answer to a warming event."""
    return {"warmed": True}


def aware(handler: Handler) -> Handler:
    """A handler that answers a warming event at once: no AWS call, no log line."""

    @wraps(handler)
    def answering(event: Any, context: Any) -> Any:
        return warmed() if is_warming(event) else handler(event, context)

    return answering
