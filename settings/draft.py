"""Settings whose single values are right, before they are compared with each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from settings.api import ApiSettings
from settings.data import DataSettings
from settings.function import FunctionSettings
from settings.mistakes import Path
from settings.triggers import QueueSettings, ScheduleSettings, StreamSettings
from settings.whole import ObservabilitySettings, PackagingSettings


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Everything a cross-field rule may look at."""

    stack: str
    families: Mapping[str, str]
    """Function name -> runtime family of its handler."""
    own: Mapping[str, Mapping[str, Any]]
    """Function name, or `defaults` -> what the stack file itself says."""
    functions: Mapping[str, FunctionSettings]
    api: ApiSettings
    data: DataSettings
    queues: Mapping[str, QueueSettings]
    streams: Mapping[str, StreamSettings]
    schedules: Mapping[str, ScheduleSettings]
    observability: ObservabilitySettings
    packaging: PackagingSettings
    tags: Mapping[str, str]
    account_concurrent_executions: int
    broken: frozenset[Path]
    """Values already refused, which stand at their defaults here: no rule may judge by them."""

    def origin(self, function: str, field: str) -> Path:
        """Return where a function's value is written, so that its line names the key to change."""
        own = field in self.own.get(function, {})
        fallback = field in self.own["defaults"] and not own
        return ("functions", "defaults" if fallback else function, field)
