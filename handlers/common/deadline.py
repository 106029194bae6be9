"""The time an invocation has left, as far as a batch should begin another piece of work."""

from __future__ import annotations

from typing import Any

# Three attempts of an AWS call may take 9 seconds when the service is slow (see aws.py).
_SLOW_CALL = 9_500  # milliseconds


class Deadline:
    """Near when one slow call would no longer end in time.

    A function with a short timeout keeps half of it back instead: what a longer reserve would never
    let it begin, it could never do.
    """

    def __init__(self, context: Any, *, slow_call: int = _SLOW_CALL) -> None:
        """`slow_call`: how long one piece of work may take, in milliseconds."""
        self._remaining = context.get_remaining_time_in_millis
        self._reserve = min(slow_call, self._remaining() // 2)

    def is_near(self) -> bool:
        """Whether what has not begun should be left for the next attempt."""
        return bool(self._remaining() < self._reserve)

    def check(self) -> None:
        """Raises TimeoutError when it is near."""
        if self.is_near():
            raise TimeoutError("out of time, the rest is left for the next attempt")
