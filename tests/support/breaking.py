"""Break a finished run on purpose: change what was registered, and see which rule says so."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from policies import ALL, Finding, Registered, Rule, Stack, aws
from tests.support.program import Run

Resources = list[Registered]
Mutation = Callable[[Resources], Resources]

RULES: Mapping[str, Rule] = {rule.__name__.replace("_", "-"): rule for rule in ALL}


@dataclass(frozen=True)
class Break:
    """A mutation, the rule that must find it, and words that its finding must say; `stack` is judged as that stage."""

    rule: str
    says: str
    mutation: Mutation
    stack: str = "dev"

    def __str__(self) -> str:
        return f"{self.rule}: {self.says}"

    def findings(self, run: Run) -> Sequence[Finding]:
        """What the rule says of a broken copy of a run."""
        broken = self.mutation(list(run.resources))
        return list(RULES[self.rule](Stack(broken, name=self.stack)))


def edited(type_: str, name: str, changes: Mapping[str, Any]) -> Mutation:
    """Set properties by their path (`loggingConfig.logFormat`); None takes one away."""

    def change(resource: Registered) -> Registered:
        properties = copy.deepcopy(dict(resource.properties))
        for path, value in changes.items():
            _set(properties, path.split("."), value)
        return replace(resource, properties=properties)

    return _each(type_, name, change)


def without(type_: str, name: str) -> Mutation:
    """Take a resource away."""

    def mutate(resources: Resources) -> Resources:
        one = _find(resources, type_, name)
        return [r for r in resources if r is not one]

    return mutate


def again(type_: str, name: str, /, **changes: Any) -> Mutation:
    """Register a resource once more under another name, changed."""

    def mutate(resources: Resources) -> Resources:
        one = _find(resources, type_, name)
        twin = replace(
            one,
            name=f"{name}-again",
            urn=f"{one.urn}-again",
            properties={**one.properties, **changes},
            outputs={**one.outputs, "id": "again", "arn": "arn:again", **changes},
        )
        return [*resources, twin]

    return mutate


def registered(
    type_: str, name: str, /, *, outputs: Mapping[str, Any] | None = None, **properties: Any
) -> Mutation:
    """Register something that the program does not; `outputs` is what it answers."""
    made = Registered(
        type=type_, name=name, urn=f"urn:{name}", properties=properties, outputs=outputs or {}
    )
    return lambda resources: [*resources, made]


def unprotected(type_: str, name: str) -> Mutation:
    """Take Pulumi's protection away."""
    return _each(type_, name, lambda resource: replace(resource, protect=False))


def not_waiting(type_: str, name: str, for_: str) -> Mutation:
    """Forget one thing (a logical name) that a resource waits for."""

    def forget(resource: Registered) -> Registered:
        fewer = {urn for urn in resource.depends_on if urn.rsplit("::", 1)[1] != for_}
        assert fewer != resource.depends_on, f"{name} does not wait for {for_}"
        return replace(resource, depends_on=frozenset(fewer))

    return _each(type_, name, forget)


def document(
    type_: str, name: str, change: Callable[[dict[str, Any]], None], key: str = "policy"
) -> Mutation:
    """Change the JSON text of a property in place."""

    def rewrite(resource: Registered) -> Registered:
        written = json.loads(resource.properties[key])
        change(written)
        return replace(resource, properties={**resource.properties, key: json.dumps(written)})

    return _each(type_, name, rewrite)


def allowed(policy: str, *actions: str, on: str, **parts: Any) -> Mutation:
    """One more statement in a role's policy."""

    def change(written: dict[str, Any]) -> None:
        one = {"Effect": "Allow", "Action": list(actions), "Resource": [on], **parts}
        written["Statement"].append(one)

    return document(aws.ROLE_POLICY, policy, change)


def statement(type_: str, name: str, having: str, key: str = "policy", **changes: Any) -> Mutation:
    """Change the statement of a policy that has this action (or Sid); None takes a part away, no change all of it."""

    def change(written: dict[str, Any]) -> None:
        found = [s for s in written["Statement"] if having in (s.get("Sid"), *_listed(s["Action"]))]
        assert found, f"{name} has no statement with {having}"
        for one in found:
            if not changes:
                written["Statement"].remove(one)
            for part, value in changes.items():
                _set(one, [part], value)

    return document(type_, name, change, key)


def also(*mutations: Mutation) -> Mutation:
    """One after the other."""

    def mutate(resources: Resources) -> Resources:
        for mutation in mutations:
            resources = mutation(resources)
        return resources

    return mutate


def _each(type_: str, name: str, change: Callable[[Registered], Registered]) -> Mutation:
    def mutate(resources: Resources) -> Resources:
        one = _find(resources, type_, name)
        return [change(r) if r is one else r for r in resources]

    return mutate


def _find(resources: Resources, type_: str, name: str) -> Registered:
    found = [r for r in resources if r.type == type_ and fnmatchcase(r.name, name)]
    assert len(found) == 1, f"{type_} {name}: {len(found)} of them"
    return found[0]


def _set(target: Any, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        target = target[int(step)] if isinstance(target, list) else target.setdefault(step, {})
    if isinstance(target, list):
        # A place behind the last one adds to the list.
        place = int(path[-1])
        target[place : place + 1] = [value]
    elif value is None:
        target.pop(path[-1], None)
    else:
        target[path[-1]] = value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
