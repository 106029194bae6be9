"""What a resource type is to the sandbox: a Pulumi token, the function that makes it, an account of every input.

A service file registers one function per token:

    @resource("aws:sqs/queuePolicy:QueuePolicy", update=AGAIN)
    def queue_policy(r: Resource) -> Outputs:
        r.call("sqs", "set_queue_attributes", QueueUrl=r.take("queueUrl"), Attributes={"Policy": r.take("policy")})
        return {"id": r.inputs["queueUrl"]}

Strict consumption: every input that is set must be taken, translated, or listed as ignored with its own reason;
`Resource.unread()` names what is left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.clients import Clients
from sandbox.translate import translate

__all__ = [
    "AGAIN",
    "INVOKES",
    "REGISTRY",
    "RETRY",
    "Block",
    "Clients",
    "Outputs",
    "Resource",
    "ResourceType",
    "RestartNeeded",
]

Outputs = dict[str, Any]
"""What the emulator answered, in Pulumi's camelCase; must hold "id". Inputs are merged in by the engine."""

AGAIN: Final = "again"
"""Update by calling the creating function again: the API call behind it is a put."""

RETRY: Final = "sandboxAgain"
"""Output that lists inputs to count as changed by the next `up`: what could not be had may have come to be there."""


class RestartNeeded(Exception):
    """A change that the emulator cannot apply in place; the text says why."""


@dataclass(frozen=True)
class ResourceType:
    """One Pulumi type as the sandbox knows it."""

    token: str
    create: Callable[[Resource], Outputs]
    update: Callable[[Resource], Outputs] | None
    delete: Callable[[Resource], None] | None
    ignored: Mapping[str, str]
    not_simulated: str | None
    secret_outputs: frozenset[str] = frozenset()
    recall: Callable[[Resource], Outputs] | None = None

    def deletes(self, function: Callable[[Resource], None]) -> Callable[[Resource], None]:
        """Decorator: how a resource of this type is removed (`r.old` holds its outputs)."""
        object.__setattr__(self, "delete", function)
        return function

    def updates(self, function: Callable[[Resource], Outputs]) -> Callable[[Resource], Outputs]:
        """Decorator: how a changed resource is applied in place; `r.changed` names the changed inputs."""
        object.__setattr__(self, "update", function)
        return function

    def recalls(self, function: Callable[[Resource], Outputs]) -> Callable[[Resource], Outputs]:
        """Decorator: how the secret outputs of an unchanged resource are found again; no file ever holds them."""
        object.__setattr__(self, "recall", function)
        return function


REGISTRY: dict[str, ResourceType] = {}
INVOKES: dict[str, Callable[[Any, Mapping[str, Any]], dict[str, Any]]] = {}


def resource(
    token: str,
    *,
    update: str | None = None,
    ignored: Mapping[str, str] | None = None,
    not_simulated: str | None = None,
    secret_outputs: Iterable[str] = (),
) -> Callable[[Callable[[Resource], Outputs]], ResourceType]:
    """Register the function below as the maker of a Pulumi type.

    `ignored` maps an input to the reason why the emulator has no use for it. `not_simulated` says why nothing of this
    type runs here: the function then only answers plausible outputs, and `up` lists the resource. `secret_outputs`
    are never written to a file: such a type needs `recalls`.
    """

    def register(function: Callable[[Resource], Outputs]) -> ResourceType:
        entry = ResourceType(
            token,
            function,
            function if update == AGAIN else None,
            None,
            dict(ignored or {}),
            not_simulated,
            frozenset(secret_outputs),
        )
        REGISTRY[token] = entry
        return entry

    return register


def invoke(token: str) -> Callable[[Callable[..., dict[str, Any]]], Callable[..., dict[str, Any]]]:
    """Register the answer to a provider function, e.g. `aws:index/getRegion:getRegion`; it gets (aws, args)."""

    def register(function: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        INVOKES[token] = function
        return function

    return register


class Block:
    """A nested input object that accounts for its own keys."""

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self.inputs = inputs
        self._taken: set[str] = set()
        self._blocks: dict[str, list[Block]] = {}
        self._untranslated: list[str] = []

    def take(self, key: str, default: Any = None) -> Any:
        """The input `key`, whole; it counts as used. Unset and null are the same: `default`."""
        self._taken.add(key)
        value = self.inputs.get(key)
        return default if value is None else value

    def blocks(self, key: str) -> list[Block]:
        """The nested objects under `key` (one object or a list of them), each with its own account."""
        self._taken.add(key)
        value = self.inputs.get(key)
        many = [] if value is None else value if isinstance(value, list) else [value]
        self._blocks[key] = [Block(v) for v in many]
        return self._blocks[key]

    def block(self, key: str) -> Block:
        """The one nested object under `key`; an empty one where it is not set."""
        found = self.blocks(key)
        return found[0] if found else Block({})

    def params(
        self,
        aws: Clients,
        service: str,
        operation: str,
        *keys: str,
        rename: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """API parameters for the named inputs (all untaken ones where none is named), by botocore's service model.

        An input without a counterpart in the API counts as unread.
        """
        chosen = keys or tuple(k for k in self.inputs if k not in self._taken)
        wanted = {k: self.take(k) for k in chosen if self.inputs.get(k) is not None}
        unknown = self._untranslated.append
        return translate(aws.input_shape(service, operation), wanted, rename or {}, unknown=unknown)

    def unread(self) -> Iterable[str]:
        """Dotted names of the inputs that are set and were never used."""
        yield from self._untranslated
        for key, value in self.inputs.items():
            if value is not None and key not in self._taken and value not in ({}, []):
                yield key
        for key, blocks in self._blocks.items():
            for inner in blocks:
                yield from (f"{key}.{name}" for name in inner.unread())


@dataclass
class Resource(Block):
    """One registration on its way into the emulator.

    `inputs`: camelCase, secrets unwrapped, whole floats as ints, assets and archives as pulumi objects.
    `old`: outputs of the existing resource where this is an update or a delete, else None.
    `changed`: top-level inputs that differ from the last run (update only).
    `secrets`: top-level inputs that hold a secret.
    """

    type: str
    name: str
    urn: str
    inputs: Mapping[str, Any]
    aws: Clients
    old: Mapping[str, Any] | None = None
    changed: frozenset[str] = field(default_factory=frozenset)
    secrets: frozenset[str] = field(default_factory=frozenset)
    notes: list[str] = field(default_factory=list)
    compat: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.inputs)

    def note(self, text: str) -> None:
        """Say that a declared feature of this resource does not run here; `up` lists it with the others."""
        self.notes.append(text)

    def note_compat(self, text: str) -> None:
        """Say what the sandbox grants beyond the declared role to mend a false denial of the emulator."""
        self.compat.append(text)

    def auto_name(self, key: str = "name", *, suffix: str = "") -> str:
        """The physical name: the input `key`, else Pulumi's auto-name (logical name, dash, 7 hex digits of the URN)."""
        given = self.take(key)
        return given or f"{self.name}-{hashlib.sha256(self.urn.encode()).hexdigest()[:7]}{suffix}"

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One API call; `operation` in boto3's snake_case; None parameters are left out."""
        given = {k: v for k, v in parameters.items() if v is not None}
        return getattr(self.aws.client(service), operation)(**given)

    def api(
        self,
        service: str,
        operation: str,
        *keys: str,
        rename: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> dict[str, Any]:
        """Translate the named inputs (`params`) and call; `extra` are ready API parameters and win."""
        given = self.params(self.aws, service, operation, *keys, rename=rename)
        return self.call(service, operation, **{**given, **extra})
