"""IAM policy documents as data."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Statement:
    """One statement, its lists always lists: IAM also takes a single text wherever it takes a list."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: Mapping[str, tuple[str, ...]]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]]

    @property
    def allows(self) -> bool:
        """It gives something."""
        return self.effect == "Allow"

    def only_if(self, operator: str, key: str) -> tuple[str, ...]:
        """The values that a condition admits; empty where there is no such condition."""
        return self.conditions.get(operator, {}).get(key, ())

    def is_for(self, service: str) -> bool:
        """Its one principal is this AWS service."""
        return self.principals == {"Service": (service,)}


@functools.lru_cache(maxsize=4096)
def statements(document: str) -> tuple[Statement, ...]:
    """Read a policy document from its JSON text; empty for text that is none."""
    try:
        written: Any = json.loads(document)
    except ValueError:
        return ()
    if not isinstance(written, dict):
        return ()
    return tuple(_statement(s) for s in _listed(written.get("Statement")))


def json_object(text: object) -> Mapping[str, Any] | None:
    """Read a property that holds one JSON object as text; None where it is something else. Read it only: it is shared."""
    return _json_object(text) if isinstance(text, str) else None


@functools.lru_cache(maxsize=4096)
def size(document: str) -> int:
    """Characters of a document as IAM counts them: white space is free."""
    return len("".join(document.split()))


def of(value: Any) -> tuple[Statement, ...]:
    """The statements of a property that holds a policy document; empty where it is missing."""
    return statements(value) if isinstance(value, str) else ()


def pairs(said: Iterable[Statement], *, service: str = "") -> set[tuple[str, str]]:
    """(action, resource) of everything that statements allow; with `service`, of its actions only (`logs`)."""
    return {
        (action, resource)
        for statement in said
        if statement.allows
        for action in statement.actions
        if not service or action.startswith(f"{service}:")
        for resource in statement.resources
    }


def refuses_plain_http(document: Any, arns: Sequence[str], actions: Sequence[str]) -> bool:
    """Everybody is denied one of these actions on all of these ARNs without TLS."""
    return any(
        s.effect == "Deny"
        and s.principals == {"*": ("*",)}
        and set(s.actions) & set(actions)
        and set(arns) <= set(s.resources)
        and s.conditions == {"Bool": {"aws:SecureTransport": ("false",)}}
        for s in of(document)
    )


@functools.lru_cache(maxsize=1024)
def _json_object(text: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _statement(written: Mapping[str, Any]) -> Statement:
    principal = written.get("Principal", {})
    if not isinstance(principal, dict):
        principal = {str(principal): principal}
    return Statement(
        sid=str(written.get("Sid", "")),
        effect=str(written.get("Effect", "")),
        actions=_texts(written.get("Action")),
        resources=_texts(written.get("Resource")),
        principals={kind: _texts(who) for kind, who in principal.items()},
        conditions={
            operator: {key: _texts(value) for key, value in keys.items()}
            for operator, keys in written.get("Condition", {}).items()
        },
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(v) for v in _listed(value))
