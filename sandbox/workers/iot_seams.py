"""IoT: messages of devices that a rule puts into a stream.

MiniStack skips this action. Sources: IoT developer guide, "Kinesis Data Streams" (the rule's role, the partition key as a
substitution template), "Substitution templates" (fields of what the statement selects, `topic(n)`, `newuuid()`).
"""

import json
import re
import uuid
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from types import ModuleType
from typing import Any, Final

from sandbox.workers import rights
from sandbox.workers.seams import Seam

IOT: Final = "ministack.services.iot"
_SERVICE: Final = "iot.amazonaws.com"
_TEMPLATE: Final = re.compile(r"\$\{([^}]*)\}")
_REASON: Final = "rules put nothing into streams"
Record = dict[str, Any]
Act = Callable[..., Awaitable[None]]

_topic: ContextVar[str] = ContextVar("_topic", default="")
"""What the message at hand was published on."""


def seams() -> list[Seam]:
    """Return the seams of rules over devices."""
    return [
        Seam(
            IOT,
            "_run_rule_actions",
            ("account_id", "region", "rule", "payload", "topic", "client_id"),
            _REASON,
            _on_topic,
        ),
        Seam(
            IOT,
            "_dispatch_rule_action",
            ("account_id", "region", "rule_name", "action", "event"),
            _REASON,
            _into_streams,
        ),
    ]


def _on_topic(_module: ModuleType, original: Act) -> Act:
    async def run(
        account_id: str,
        region: str,
        rule: Any,
        payload: bytes,
        topic: str = "",
        client_id: str | None = None,
    ) -> None:
        token = _topic.set(topic)
        try:
            await original(account_id, region, rule, payload, topic, client_id)
        finally:
            _topic.reset(token)

    return run


def _into_streams(_module: ModuleType, original: Act) -> Act:
    async def act(account_id: str, region: str, rule_name: str, action: Record, event: Any) -> None:
        wanted = action.get("kinesis")
        if wanted is None:
            return await original(account_id, region, rule_name, action, event)
        rule = f"arn:aws:iot:{region}:{account_id}:rule/{rule_name}"
        return _put(account_id, region, rule, wanted, event)

    return act


def _put(account: str, region: str, rule: str, wanted: Record, event: Any) -> None:
    """Append to the stream in the rule's role; what fails goes to the rule's error action."""
    from ministack.core.responses import request_scope
    from ministack.services import kinesis

    stream = f"arn:aws:kinesis:{region}:{account}:stream/{wanted.get('streamName', '')}"
    role = str(wanted.get("roleArn", ""))
    if not rights.may_assume(role, _SERVICE, source=rule):
        raise PermissionError(f"{_SERVICE} may not assume {role}")
    if not rights.may(role, "kinesis:PutRecord", stream):
        raise PermissionError(f"{role} may not kinesis:PutRecord on {stream}")
    key = _TEMPLATE.sub(lambda found: _value(found[1].strip(), event), wanted["partitionKey"])
    text = event if isinstance(event, str) else json.dumps(event)
    with request_scope(account, region):
        if not kinesis.put_record_internal(stream, key, text.encode()):
            raise LookupError(f"there is no stream {stream}")


def _value(template: str, event: Any) -> str:
    if template == "newuuid()":
        return str(uuid.uuid4())
    if found := re.fullmatch(r"topic\((\d*)\)", template):
        steps = _topic.get().split("/")
        place = int(found[1] or 0)
        return "/".join(steps) if not place else steps[place - 1] if place <= len(steps) else ""
    for step in template.split("."):
        event = event.get(step) if isinstance(event, dict) else None
    return "" if event is None else str(event)
