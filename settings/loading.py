"""The one way in: read, check, merge, compare; every mistake of the file at once."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pulumi

from settings import (
    access_rules,
    code_rules,
    concurrency_rules,
    front_rules,
    function_rules,
    gate_rules,
    raw,
    stack_rules,
    stream_rules,
    trigger_rules,
    watch_rules,
    wiring,
    work_rules,
)
from settings.draft import Draft
from settings.mistakes import Mistake
from settings.reader import Reader
from settings.stack import Settings, Stack
from settings.triggers import QueueSettings

RULES: Final = (
    *stack_rules.RULES,
    *function_rules.RULES,
    *code_rules.RULES,
    *concurrency_rules.RULES,
    *access_rules.RULES,
    *trigger_rules.RULES,
    *stream_rules.RULES,
    *work_rules.RULES,
    *gate_rules.RULES,
    *front_rules.RULES,
    *watch_rules.RULES,
)


def load(handlers: Path = wiring.HANDLERS) -> Settings:
    """Return the settings of the stack that is being deployed.

    `handlers` is the folder that says which functions exist. Raises `pulumi.RunError` with one line per mistake, before
    anything is registered; what AWS takes but advises against becomes a warning.
    """
    values, secret = raw.read()
    reader = Reader(values=values, secret=secret)
    families = wiring.handlers(handlers)
    if missing := sorted(wiring.WIRED - families.keys()):
        raise pulumi.RunError(
            f"{handlers}: no handler for {', '.join(missing)}, which the program joins to a route or a trigger"
        )
    draft = reader.draft(pulumi.get_stack(), families, handlers.parent)
    lines = [mistake.line(draft.stack) for mistake in (*reader.mistakes, *_broken_rules(draft))]
    if lines:
        raise pulumi.RunError("\n".join(dict.fromkeys(lines)))
    for mistake in (*code_rules.advice(draft), *trigger_rules.advice(draft)):
        pulumi.log.warn(mistake.line(draft.stack))
    return _finished(draft)


def _broken_rules(draft: Draft) -> Iterator[Mistake]:
    """Yield what the rules refuse, one mistake per rule and path: a value from `defaults` is wrong once, not per function."""
    for rule in RULES:
        said: set[tuple[str, ...]] = set()
        for mistake in rule(draft):
            judged = {mistake.path, *mistake.because}
            if not judged & draft.broken and mistake.path not in said:
                said.add(mistake.path)
                yield mistake


def _finished(draft: Draft) -> Settings:
    queues = {name: _timed(draft, name, queue) for name, queue in draft.triggers.queues.items()}
    triggers = dataclasses.replace(draft.triggers, queues=MappingProxyType(queues))
    timed = dataclasses.replace(draft, triggers=triggers)
    return Settings(**{key.name: getattr(timed, key.name) for key in dataclasses.fields(Stack)})


def _timed(draft: Draft, name: str, queue: QueueSettings) -> QueueSettings:
    consumer = draft.consumer(name)
    # Without a limit of its own a queue would run into the reservation: throttled messages count as received, and good
    # ones would end in the dead-letter queue.
    reserved = consumer.reserved_concurrent_executions or None
    return queue.model_copy(
        update={
            "visibility_timeout_seconds": trigger_rules.visibility(queue, consumer.timeout),
            "maximum_concurrency": queue.maximum_concurrency or reserved,
        }
    )
