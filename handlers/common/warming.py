"""The event of a warming schedule, which keeps an execution environment initialised."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from common import logs

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
    logs.warm()
    return {"warmed": True}


def aware(handler: Handler) -> Handler:
    """A handler that answers a warming event at once, no AWS call, no log line, and whose metrics
    are written when it ends, however it does. Lambda logs the text of what it raises, which is
    made clean.
    """

    @wraps(handler)
    def answering(event: Any, context: Any) -> Any:
        if is_warming(event):
            return warmed()
        try:
            return handler(event, context)
        except Exception as error:
            clean = logs.cleaned(error)
            if clean is error:
                raise
            raise clean from None
        finally:
            logs.end()

    return answering
