"""What a stack holds, by the names that its users know: `orders` for the queue whose logical name is `orders-queue`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox import functions
from sandbox.errors import Mistake, choice
from sandbox.functions import Function
from sandbox.state import State

_KINDS: Final = {
    "bucket": "aws:s3/bucket:Bucket",
    "bus": "aws:cloudwatch/eventBus:EventBus",
    "queue": "aws:sqs/queue:Queue",
    "schedule": "aws:scheduler/schedule:Schedule",
    "stream": "aws:kinesis/stream:Stream",
    "topic": "aws:sns/topic:Topic",
}

_SWITCHES: Final = {"telemetryStream": "`telemetry.enabled: true`"}
"""What makes an export that is empty while it is switched off."""

Outputs = Mapping[str, Any]


def every(state: State, kind: str) -> dict[str, Outputs]:
    """The outputs of all resources of a kind (`queue`, `topic`, `bus`, `bucket`, `stream`, `schedule`) by name."""
    token = _KINDS[kind]
    found = [record for record in state.resources.values() if record.type == token]
    return {record.name.removesuffix(f"-{kind}"): record.outputs for record in found}


def named(state: State, kind: str, name: str) -> Outputs:
    """The outputs of one resource: by its name in the program, in the exports (`uploadsBucket`), or in AWS.

    Raises `Mistake` where there is none, with those that there are.
    """
    known = every(state, kind)
    short = name.removesuffix(f"-{kind}").removesuffix(kind.title())
    if outputs := known.get(name) or known.get(short):
        return outputs
    for outputs in known.values():
        if name in (outputs.get("url"), outputs.get("arn"), outputs.get("name"), outputs.get("id")):
            return outputs
    switch = _SWITCHES.get(f"{short}{kind.title()}")
    if switch and state.exports.get(f"{short}{kind.title()}") == "":
        raise Mistake(f"no {kind} '{name}': {switch} in the stack file switches it on", code=2)
    raise Mistake(f"no {kind} '{name}'{choice(name, known)}", code=2)


def name_of(state: State, kind: str, arn: str) -> str:
    """The name of what has this ARN; its name in AWS where the stack does not know it."""
    known = every(state, kind)
    own = arn.rpartition(":")[2].rpartition("/")[2]
    return next((name for name, outputs in known.items() if outputs.get("arn") == arn), own)


def function_of(state: State, arn: str) -> Function:
    """The function that an ARN names, with or without an alias. Raises `Mistake` where the stack has none."""
    wanted = unqualified(arn)
    for function in functions.find(state).values():
        if wanted in (unqualified(function.target), function.target):
            return function
    raise Mistake(f"no function of this stack: {arn}")


def unqualified(arn: str) -> str:
    """The physical name of a function, whose ARN or name it is."""
    parts = arn.split(":")
    return parts[6] if parts[0] == "arn" and len(parts) > 6 else parts[0]
