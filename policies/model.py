"""What a rule sees, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Registered:
    """One resource as the program registered it.

    `properties`: inputs in Pulumi's camelCase, secrets unwrapped, references resolved to the (mocked) outputs of the
    resources they name. `parent` and `depends_on` are URNs.
    """

    type: str
    name: str
    urn: str
    properties: Mapping[str, Any]
    parent: str = ""
    protect: bool = False
    depends_on: frozenset[str] = frozenset()
    retain_on_delete: bool = False


@dataclass(frozen=True)
class Finding:
    """One violation: which rule, which resource (logical name), what is wrong and what to do."""

    rule: str
    resource: str
    text: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.text} ({self.rule})"


@dataclass(frozen=True)
class Stack:
    """All resources of one run."""

    resources: Sequence[Registered]
    _by_type: dict[str, list[Registered]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for resource in self.resources:
            self._by_type.setdefault(resource.type, []).append(resource)

    def all(self, *types: str) -> list[Registered]:
        """Every resource of these Pulumi types."""
        return [resource for type_ in types for resource in self._by_type.get(type_, [])]


Rule = Callable[[Stack], Iterable[Finding]]
