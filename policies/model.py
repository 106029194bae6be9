"""What a rule sees, and what it says."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Registered:
    """One resource as the program registered it.

    `properties`: inputs in Pulumi's camelCase, secrets unwrapped, references resolved to the (mocked) outputs of the
    resources they name. `outputs`: what the resource answered, `id` included; rules follow an ARN or a name in one
    resource's properties to the resource whose output it is. `parent` and `depends_on` are URNs.
    """

    type: str
    name: str
    urn: str
    properties: Mapping[str, Any]
    parent: str = ""
    protect: bool = False
    depends_on: frozenset[str] = frozenset()
    retain_on_delete: bool = False
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def get(self, path: str) -> Any:
        """A property by its path, e.g. `loggingConfig.logGroup`; None where any step is missing."""
        value: Any = self.properties
        for step in path.split("."):
            if not isinstance(value, Mapping):
                return None
            value = value.get(step)
        return value

    def output(self, name: str) -> str:
        """A text output such as `arn`; empty where the resource has none."""
        value = self.outputs.get(name)
        return value if isinstance(value, str) else ""


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
    """All resources of one run; `name` is the stack's, which decides what only some stages must have."""

    resources: Sequence[Registered]
    name: str = ""
    _by_type: dict[str, list[Registered]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for resource in self.resources:
            self._by_type.setdefault(resource.type, []).append(resource)

    @property
    def production(self) -> bool:
        """Data here outlives a mistake."""
        return self.name == "prod"

    @property
    def rehearsal(self) -> bool:
        """Breaks where production would break: staging, and production itself."""
        return self.name in {"staging", "prod"}

    def all(self, *types: str) -> list[Registered]:
        """Every resource of these Pulumi types."""
        return [resource for type_ in types for resource in self._by_type.get(type_, [])]

    def having(self, type_: str, **properties: Any) -> list[Registered]:
        """Every resource of a type with these values at its top-level properties."""
        return [
            r
            for r in self.all(type_)
            if all(r.properties.get(k) == v for k, v in properties.items())
        ]

    def at(self, arn: str, *types: str) -> Registered | None:
        """The resource that an ARN belongs to: its own, or that of a part of it (`<table>/index/x`, `<bucket>/a/*`)."""
        found = _owner(self, arn)
        return found if found is not None and (not types or found.type in types) else None

    def answering(self, output: str, value: str, *types: str) -> Registered | None:
        """The resource among these types whose output has this value."""
        return next((r for r in self.all(*types) if value and r.output(output) == value), None)

    @functools.cached_property
    def by_arn(self) -> Mapping[str, Registered]:
        """Every resource that has an ARN, by it.

        One that is given its ARN (a topic's policy, a secret's version) only speaks of another.
        """
        return {
            r.output("arn"): r
            for r in self.resources
            if r.output("arn") and r.output("arn") not in r.properties.values()
        }

    @functools.cached_property
    def by_urn(self) -> Mapping[str, Registered]:
        """Every resource by its URN."""
        return {r.urn: r for r in self.resources}

    def waits_for(self, resource: Registered) -> frozenset[str]:
        """URNs of everything that must be there before a resource is made, directly or not."""
        known = self._waits
        if resource.urn not in known:
            known[resource.urn] = resource.depends_on.union(
                *(
                    self.waits_for(self.by_urn[urn])
                    for urn in resource.depends_on
                    if urn in self.by_urn
                )
            )
        return known[resource.urn]

    def not_awaited(
        self, resource: Registered, first: Iterable[Registered]
    ) -> Iterator[tuple[Registered, str]]:
        """What is wrong with a resource that may be made before one of these is there."""
        for other in first:
            if other.urn not in self.waits_for(resource):
                yield resource, f"must wait for {other.name}; add it to depends_on"

    @functools.cached_property
    def _waits(self) -> dict[str, frozenset[str]]:
        return {}


Rule = Callable[[Stack], Iterable[Finding]]
Judge = Callable[[Stack], Iterator[tuple[Registered, str]]]


def rule(judge: Judge) -> Rule:
    """Make a rule of a generator of (resource, what is wrong with it); the rule's name is the function's."""
    name = judge.__name__.replace("_", "-")

    @functools.wraps(judge)
    def rule(stack: Stack) -> Iterable[Finding]:
        return [Finding(name, resource.name, text) for resource, text in judge(stack)]

    return rule


def _owner(stack: Stack, arn: str) -> Registered | None:
    while arn:
        if arn in stack.by_arn:
            return stack.by_arn[arn]
        arn = arn[: max(arn.rfind("/"), arn.rfind(":"), 0)]
    return None
