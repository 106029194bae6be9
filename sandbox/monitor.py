"""Pulumi's mock monitor, except that a registration makes the resource in the emulator and answers what that said."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import unquote, urlsplit

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks
from pulumi.runtime.proto import engine_pb2, resource_pb2

from sandbox.apply import Engine, Registration
from sandbox.values import pack, unpack

_STACK: Final = "pulumi:pulumi:Stack"


class Monitor(mocks.MockMonitor):
    """Hands each registration to the engine and keeps what the program declared.

    `exports` are the stack's outputs, `secret_exports` names those that are secret; `declared` holds every
    registration as plain data, components included, for policies.
    """

    def __init__(self, engine: Engine, root: Path, project: str, stack: str) -> None:
        super().__init__(_NoMocks())
        self._engine = engine
        self._program = (root / "__main__.py").as_uri()
        self._root = root.as_uri() + "/"
        self._prefix = f"urn:pulumi:{stack}::{project}::"
        self._lock = threading.Lock()
        self.exports: dict[str, Any] = {}
        self.secret_exports: frozenset[str] = frozenset()
        self.declared: list[dict[str, Any]] = []

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The URN as the real engine makes it: the types of all ancestors but the stack, then the name."""
        above = parent.split("::")[2] if parent else _STACK
        chain = type_ if above == _STACK or type_ == _STACK else f"{above}${type_}"
        return f"{self._prefix}{chain}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 the monitor's own name
        """Make one resource; components and providers need nothing made."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == _STACK:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs, secrets = unpack(request.object)
        with self._lock:
            self.declared.append(_plain(request, urn, inputs))
        if not request.custom or request.type.startswith("pulumi:"):
            identity = "" if not request.custom else request.name
            return resource_pb2.RegisterResourceResponse(
                urn=urn, id=identity, object=request.object
            )
        wanted = Registration(
            urn,
            request.type,
            request.name,
            inputs,
            secrets,
            self._where(request),
            bool(request.protect),
            bool(request.retainOnDelete),
            frozenset(path.partition(".")[0].partition("[")[0] for path in request.ignoreChanges),
            tuple(self._alias(alias, request) for alias in request.aliases),
            {key: frozenset(used.urns) for key, used in request.propertyDependencies.items()},
        )
        outputs, hidden = self._engine.register(wanted)
        return resource_pb2.RegisterResourceResponse(
            urn=urn,
            id=str(outputs["id"]),
            object=pack(
                outputs, request.object, secret=hidden | set(request.additionalSecretOutputs)
            ),
        )

    def ReadResource(self, request: Any) -> Any:  # noqa: N802 the monitor's own name
        """A resource looked up by its id: it is answered as asked for, and listed."""
        urn = self.make_urn(request.parent, request.type, request.name)
        self._engine.invoked[request.type] = (
            "a resource looked up by its id: it got its arguments back"
        )
        return resource_pb2.ReadResourceResponse(urn=urn, properties=request.properties)

    def Invoke(self, request: Any) -> Any:  # noqa: N802 the monitor's own name
        """A provider's function."""
        args, _ = unpack(request.args)
        answer = pack(self._engine.invoke(request.tok, args), request.args, secret=frozenset())
        return resource_pb2.ResourceInvokeResponse(**{"return": answer})

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 the monitor's own name
        """The stack's exports; a component's outputs are nobody's business.

        The SDK registers a stack twice, first without any, and the two may arrive the other way round.
        """
        if f"::{_STACK}::" in request.urn and request.outputs.fields:
            self.exports, self.secret_exports = unpack(request.outputs)
        return empty_pb2.Empty()

    def _where(self, request: Any) -> str:
        """The line of `__main__.py` that led to this resource, else the nearest line of the program's own files."""
        own = [f.pc for f in request.stackTrace.frames if f.pc.uri.startswith(self._root)]
        for position in own:
            if position.uri == self._program:
                return f"__main__.py:{position.line}"
        if own:
            return f"{unquote(urlsplit(own[0].uri[len(self._root) :]).path)}:{own[0].line}"
        return "__main__.py"

    def _alias(self, alias: Any, request: Any) -> str:
        if alias.urn:
            return str(alias.urn)
        spec = alias.spec
        parent = "" if spec.noParent else spec.parentUrn or request.parent
        return self.make_urn(parent, spec.type or request.type, spec.name or request.name)


def _plain(request: Any, urn: str, inputs: dict[str, Any]) -> dict[str, Any]:
    options = {
        "protect": bool(request.protect),
        "dependsOn": list(request.dependencies),
        "ignoreChanges": list(request.ignoreChanges),
        "retainOnDelete": bool(request.retainOnDelete),
    }
    return {
        "urn": urn,
        "type": request.type,
        "name": request.name,
        "inputs": inputs,
        "parent": request.parent,
        "opts": options,
        "custom": request.custom,
    }


class _NoMocks(pulumi.runtime.Mocks):
    """The base class wants mocks; every method that would ask them is overridden."""

    def call(self, args: Any) -> Any:
        raise NotImplementedError(args.token)

    def new_resource(self, args: Any) -> Any:
        raise NotImplementedError(args.typ)


class Log:
    """Pulumi's engine log: what the program says through `pulumi.info`, `warn` and `error` goes to `say`."""

    _WORDS: ClassVar = {
        engine_pb2.INFO: "",
        engine_pb2.WARNING: "warning: ",
        engine_pb2.ERROR: "error: ",
    }

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say

    def Log(self, request: Any) -> None:  # noqa: N802 the engine's own name
        """Take one message; debug messages are the SDK's own and are dropped."""
        if request.severity in self._WORDS:
            self._say(self._WORDS[request.severity] + request.message)
