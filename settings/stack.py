"""The settings of a whole stack, with what the stack file leaves open filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import pulumi

from settings.function import FunctionSettings
from settings.images import RepositorySettings
from settings.sections import Sections
from settings.text import unknown
from settings.triggers import QueueSettings, ScheduleSettings, StreamSettings

Thing = TypeVar("Thing")


@dataclass(frozen=True, kw_only=True)
class TriggerSettings:
    """Settings of everything that starts a function, by the name of the queue or the function."""

    queues: Mapping[str, QueueSettings]
    streams: Mapping[str, StreamSettings]
    schedules: Mapping[str, ScheduleSettings]


@dataclass(frozen=True, kw_only=True)
class Stack(Sections):
    """What a stack file and the program say together, merged and read-only."""

    stack: str
    functions: Mapping[str, FunctionSettings]
    """Those that exist."""
    families: Mapping[str, str]
    """Name -> family (`python`, `go`, `image` ...) of every handler, those of functions that do not exist among them."""
    triggers: TriggerSettings
    repositories: Mapping[str, RepositorySettings]
    """Function -> settings of the ECR repository of its images, for those that shall have one."""
    tags: Mapping[str, str]
    versions_to_keep: int
    account_concurrent_executions: int


@dataclass(frozen=True, kw_only=True)
class Settings(Stack):
    """What `load()` returns: checked, its queues timed by their consumers."""

    def function(self, name: str) -> FunctionSettings:
        """Return one function's settings; `pulumi.RunError` when handlers/ has no such function."""
        return _pick(self.functions, "function", name)

    def queue(self, name: str) -> QueueSettings:
        """Return one queue's settings, its visibility timeout (seconds) filled in; `pulumi.RunError` for an unknown one."""
        return _pick(self.triggers.queues, "queue", name)

    def stream(self, name: str) -> StreamSettings:
        """Return how one function reads a table's stream; `pulumi.RunError` for a function that reads none."""
        return _pick(self.triggers.streams, "stream", name)

    def schedule(self, name: str) -> ScheduleSettings:
        """Return the settings of one scheduled function; `pulumi.RunError` for an unknown one."""
        return _pick(self.triggers.schedules, "schedule", name)


def _pick(known: Mapping[str, Thing], kind: str, name: str) -> Thing:
    if name in known:
        return known[name]
    raise pulumi.RunError(f"settings.{kind}('{name}'): {unknown(kind, name, known)}")
