"""The settings of a whole stack, with what the stack file leaves open filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import pulumi

from settings import wiring
from settings.deliveries import RuleSettings, TopicSettings
from settings.function import FunctionSettings
from settings.images import RepositorySettings
from settings.runtimes import FAMILIES
from settings.sections import Sections
from settings.text import did_you_mean
from settings.triggers import QueueSettings, ScheduleSettings, StreamSettings

Thing = TypeVar("Thing")

STREAM_TABLES: Final = "STREAM_CONSUMERS or KINESIS_CONSUMERS"

SLIP: Final = 0.85
"""How near a slip of the pen is to a name: a new one often starts as another does."""


@dataclass(frozen=True, kw_only=True)
class TriggerSettings:
    """Settings of everything that starts a function, by the name of the queue, the topic or the function."""

    queues: Mapping[str, QueueSettings]
    streams: Mapping[str, StreamSettings]
    schedules: Mapping[str, ScheduleSettings]
    topics: Mapping[str, TopicSettings]
    rules: Mapping[str, RuleSettings]


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
        """Return one function's settings; `pulumi.RunError` when handlers/ or this stack has no such function."""
        if name in self.functions:
            return self.functions[name]
        raise _ended("function", name, _no_function(name, self.families))

    def family(self, name: str) -> str:
        """Return the family (`python`, `go`, `image` ...) of a function that exists; else `function`'s error."""
        self.function(name)
        return self.families[name]

    def log_sample_rate(self, name: str) -> float:
        """Return the share (0 to 1) of the requests that a function logs at DEBUG; else `function`'s error."""
        own = self.function(name).log_sample_rate
        samples = FAMILIES[self.families[name]].samples
        return (self.logs.sample_rate if own is None else own) if samples else 0

    def queue(self, name: str) -> QueueSettings:
        """Return one queue's settings, its visibility timeout (seconds) filled in; `pulumi.RunError` for an unknown one."""
        return self._trigger(self.triggers.queues, "queue", name, "QUEUE_CONSUMERS")

    def stream(self, name: str) -> StreamSettings:
        """Return how one function reads a stream; `pulumi.RunError` for a function that reads none."""
        return self._trigger(self.triggers.streams, "stream", name, STREAM_TABLES)

    def schedule(self, name: str) -> ScheduleSettings:
        """Return the settings of one scheduled function; `pulumi.RunError` for an unknown one."""
        return self._trigger(self.triggers.schedules, "schedule", name, "SCHEDULED")

    def topic(self, name: str) -> TopicSettings:
        """Return one topic's settings; `pulumi.RunError` for an unknown one."""
        return self._trigger(self.triggers.topics, "topic", name, "TOPICS")

    def rule(self, name: str) -> RuleSettings:
        """Return the settings of the rule that starts one function; `pulumi.RunError` for a function without one."""
        return self._trigger(self.triggers.rules, "rule", name, "RULE_TARGETS")

    def _trigger(self, known: Mapping[str, Thing], kind: str, name: str, table: str) -> Thing:
        """Return an entry of `known`; `table` of settings/wiring.py says which there are."""
        if name in known:
            return known[name]
        slip = "" if name in self.families else did_you_mean(name, known, cutoff=SLIP)
        what = slip or f"add it to {table} in settings/wiring.py"
        raise _ended(kind, name, f"no such {kind}; {what}")


def _ended(kind: str, name: str, text: str) -> pulumi.RunError:
    return pulumi.RunError(f"settings.{kind}('{name}'): {text}")


def _no_function(name: str, families: Mapping[str, str]) -> str:
    """Return why there is no such function, and what helps."""
    if name in families:
        return (
            "no such function in this stack, whose file switches it off or does not say where its code is; "
            "ask whether config.functions has it"
        )
    if meant := did_you_mean(name, families, cutoff=SLIP):
        return f"no such function; {meant}"
    file = f"{wiring.HANDLERS.name}/{name.replace('-', '_')}"
    return f"no such function; {file}.py is missing, or a folder {file}/ in another language"
