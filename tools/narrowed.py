"""What rules between settings leave of single triggers, where a schema has words for it."""

from typing import Any

from settings.stream_rules import ASKED
from settings.trigger_rules import FIFO_KEYS, UNDELAYED_BATCH
from settings.wiring import FIFO_QUEUES, KINESIS_CONSUMERS, REPORTER


def refused(group: str, name: str) -> tuple[str, ...]:
    """Return the keys that a trigger does not take, though others of its group do."""
    return FIFO_KEYS if group == "queues" and name not in FIFO_QUEUES else ()


def narrowed(group: str, name: str) -> dict[str, dict[str, Any]]:
    """Return JSON schema keywords for keys of one trigger, beside those that hold for its group."""
    if group == "queues" and name in FIFO_QUEUES:
        window = {"maximum_batching_window_in_seconds": {"maximum": 0}}
        return {"batch_size": {"maximum": UNDELAYED_BATCH}, **window}
    if group == "streams" and name not in KINESIS_CONSUMERS:
        return {"starting_position": {"enum": ["TRIM_HORIZON", "LATEST"]}}
    if (group, name) == ("schedules", REPORTER):
        asked = {key: {"enum": list(known)} for key, known in ASKED.items()}
        event = {"type": "object", "additionalProperties": False, "properties": asked}
        return {"input": {**event, "required": list(asked)}}
    return {}
