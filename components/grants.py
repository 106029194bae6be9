"""A grant is a value: exact actions on exact ARNs, and the environment variable that says where the thing is.

The owner of a resource makes it (`items.put()`), a function takes it. IAM and environment therefore cannot disagree,
and a part that is switched off can hand out `NOTHING`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import pulumi

from components.documents import json_text
from settings.fields import Model

POLICY_VERSION = "2012-10-17"

Conditions = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Statement:
    """Actions (`service:Verb`), resource ARNs, conditions as IAM writes them; an Allow unless it says otherwise."""

    actions: Sequence[str]
    resources: Sequence[pulumi.Input[str]]
    conditions: Conditions = field(default_factory=dict)
    effect: Literal["Allow", "Deny"] = "Allow"

    def document(self) -> dict[str, Any]:
        """The statement in IAM's JSON shape (values may be Outputs)."""
        written: dict[str, Any] = {
            "Effect": self.effect,
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.conditions:
            written["Condition"] = self.conditions
        return written


@dataclass(frozen=True)
class Grant:
    """What a function may do, and the environment variables and files (name in its archive -> file) that go with it."""

    statements: Sequence[Statement] = ()
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict[str, Path])

    def __add__(self, other: Grant) -> Grant:
        # Several grants of one table ask for the same use of its key.
        further = [s for s in other.statements if s not in self.statements]
        return Grant(
            [*self.statements, *further],
            {**self.environment, **other.environment},
            {**self.files, **other.files},
        )


NOTHING = Grant()


def variable_name(name: str, suffix: str) -> str:
    """The environment variable of a resource: `ORDER_EVENTS_QUEUE_URL` for `order-events` and `QUEUE_URL`."""
    return f"{name.upper().replace('-', '_')}_{suffix}"


def variables(**named: object) -> Grant:
    """Environment variables and no right; what is None is left out, a truth value is `true` or `false`."""
    written: dict[str, pulumi.Input[str]] = {}
    for name, value in named.items():
        if isinstance(value, pulumi.Output):
            written[name] = cast("pulumi.Output[str]", value)
        elif value is not None:
            written[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return Grant(environment=written)


def section(prefix: str, settings: Model) -> Grant:
    """A section of the stack file as environment variables: `PARTNER_OPEN_SECONDS` for `open_seconds` of `PARTNER`."""
    return variables(**{f"{prefix}_{key.upper()}": value for key, value in settings})


def recognise() -> Grant:
    """Ask Rekognition what is in a picture. DetectLabels knows no resource: AWS offers nothing narrower than "*"."""
    return Grant([Statement(["rekognition:DetectLabels"], ["*"])], {"LABELS": "on"})


def together(grants: Iterable[Grant]) -> Grant:
    """All grants as one."""
    return sum(grants, NOTHING)


def policy(statements: Iterable[Statement | Mapping[str, Any]]) -> pulumi.Output[str]:
    """A policy document as JSON text; a mapping is a statement that is already in IAM's shape."""
    return json_text(
        {
            "Version": POLICY_VERSION,
            "Statement": [s.document() if isinstance(s, Statement) else s for s in statements],
        }
    )


def trust(service: str, conditions: Conditions | None = None) -> pulumi.Output[str]:
    """Who may assume a role: one AWS service, e.g. `lambda.amazonaws.com`."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if conditions:
        statement["Condition"] = conditions
    return policy([statement])


def tls_only(arns: Sequence[pulumi.Input[str]], action: str) -> dict[str, Any]:
    """The statement that refuses plain HTTP to a bucket, queue or topic."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": list(arns),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
