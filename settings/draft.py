"""Settings whose single values are right, before they are compared with each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings import wiring
from settings.function import FunctionSettings
from settings.mistakes import Path as KeyPath
from settings.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Draft(Stack):
    """Everything a cross-field rule may look at."""

    own: Mapping[str, Mapping[str, Any]]
    """Function name, or `defaults` -> what the stack file itself says."""
    region: str
    """Region the stack is deployed to; empty where the config does not say."""
    root: Path
    """Folder of the project, which paths in a stack file start from."""
    broken: frozenset[KeyPath]
    """Values already refused, which stand at their defaults here: no rule may judge by them."""

    def consumer(self, queue: str) -> FunctionSettings:
        """Return the settings of the function that consumes a queue."""
        return self.functions[wiring.QUEUE_CONSUMERS[queue]]

    def origin(self, function: str, field: str) -> KeyPath:
        """Return where a function's value is written, so that its line names the key to change."""
        own = field in self.own.get(function, {})
        fallback = field in self.own["defaults"] and not own
        return ("functions", "defaults" if fallback else function, field)

    def way_out(self, function: str, field: str, instead: str = "") -> str:
        """Return what helps where a value of `defaults` does not suit one function; empty text for its own value.

        `instead` is what the function's own entry might say.
        """
        if self.origin(function, field)[1] != "defaults":
            return ""
        single = f", or functions.{function}.{field}: {instead}" if instead else ""
        return f"say it of single functions{single}"
