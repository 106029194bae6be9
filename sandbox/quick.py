"""The Pulumi SDK's costliest spots, made cheap while a program runs. Each gives what the SDK's own gives.

A resource has some thirty properties, most of them unset, and the SDK makes a task and four futures for each; it reads the
source line of each frame of each registration, evaluates types of properties that need no evaluation, and makes six outputs
for a URN that only a run without an engine has a use for.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from pulumi import Output, _types
from pulumi import output as outputs
from pulumi.output import Unknown, _OutputData
from pulumi.runtime import resource as registrations
from pulumi.runtime import rpc
from pulumi.runtime.proto import source_pb2

if TYPE_CHECKING:
    from pulumi import Resource

_CONSTRUCTORS: Final = 3
"""A resource's own constructor and those of its two base classes stand between the SDK and the line that made it."""

Resolver = Callable[[Any, bool, bool, "set[Resource] | None", Exception | None], None]


@contextmanager
def sdk(root: Path) -> Iterator[None]:
    """Put the quick ways in place inside the block; `root` is the program's folder."""
    with ExitStack() as patches:
        for module, name, quick in (
            (registrations, "_get_stack_trace", stack_trace(root)),
            (registrations, "create_urn", create_urn),
            (rpc, "transfer_properties", transfer_properties),
            (outputs, "contains_unknowns", contains_unknowns),
            (_types, "get_type_hints", type_hints),
            (_types, "unwrap_type", _known(_types.unwrap_type)),
            (_types, "unwrap_optional_type", _known(_types.unwrap_optional_type)),
        ):
            patches.enter_context(mock.patch.object(module, name, quick))
        yield


def stack_trace(root: Path) -> Callable[[], source_pb2.StackTrace]:
    """The SDK's stack trace, reduced to the frames of the program's own files, without their source lines."""
    inside, sandbox = f"{root}/", f"{Path(__file__).parent}/"

    @functools.cache
    def own(file: str) -> str:
        """The file's URI where it is the program's, else nothing."""
        mine = file.startswith(inside) and not file.startswith(sandbox)
        return Path(file).as_uri() if mine and "/site-packages/" not in file else ""

    def trace() -> source_pb2.StackTrace:
        frame, found, constructors = sys._getframe(1), [], 0
        while frame is not None:
            code = frame.f_code
            if constructors >= _CONSTRUCTORS and (uri := own(code.co_filename)):
                position = source_pb2.SourcePosition(uri=uri, line=frame.f_lineno)
                found.append(source_pb2.StackFrame(pc=position))
            constructors += code.co_name == "__init__"
            frame = frame.f_back
        return source_pb2.StackTrace(frames=found)

    return trace


def transfer_properties(res: Resource, props: Iterable[str], custom: bool) -> dict[str, Resolver]:  # noqa: FBT001 as the SDK calls it
    """Give the resource an output for each property, and answer how each is resolved."""
    loop, resolvers = asyncio.get_event_loop(), {}
    for name in props:
        if name == "urn" or (name == "id" and custom):
            continue
        future: asyncio.Future[Any] = loop.create_future()
        res.__dict__[name] = _output(future)
        resolvers[name] = functools.partial(_resolve, res, future)
    return resolvers


def _output(future: asyncio.Future[Any]) -> Output[Any]:
    output: Output[Any] = object.__new__(Output)
    output._data = future
    return output


def _resolve(
    res: Resource,
    future: asyncio.Future[Any],
    value: Any,
    is_known: bool,  # noqa: FBT001 as the SDK calls it
    is_secret: bool,  # noqa: FBT001 as the SDK calls it
    deps: set[Resource] | None,
    failed: Exception | None,
) -> None:
    if failed is None:
        resources = {*(deps or ()), res}
        future.set_result(_OutputData(resources, value, is_known, is_secret))
    else:
        future.set_exception(failed)


_create_urn: Final = registrations.create_urn


def create_urn(
    name: Any, type_: Any, parent: Any = None, project: str | None = None, stack: str | None = None
) -> Output[str]:
    """The URN as the SDK puts it together, at once where all its parts are known."""
    if not all(isinstance(part, str) for part in (name, type_, parent)):
        return _create_urn(name, type_, parent, project, stack)
    urn = f"{parent[: parent.rfind('::')]}${type_}::{name}"
    future: asyncio.Future[Any] = asyncio.get_event_loop().create_future()
    future.set_result(_OutputData(set(), urn, is_known=True, is_secret=False))
    return _output(future)


def contains_unknowns(val: Any) -> bool:
    """Whether a value is, or holds in its lists and objects, one that is not known yet."""
    waiting, seen = [val], set[int]()
    while waiting:
        found = waiting.pop()
        if isinstance(found, Unknown):
            return True
        if isinstance(found, dict | list) and id(found) not in seen:
            seen.add(id(found))
            waiting.extend(dict.values(found) if isinstance(found, dict) else found)
    return False


def _known(find: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`find`, asked once about each type. Types that are equal may differ in the order of their parts, hence their ids."""
    known: dict[int, tuple[Any, Any]] = {}

    def quick(val: Any) -> Any:
        found = known.get(id(val))
        if found is None:
            # The type is kept too, so that no other takes its id.
            found = known[id(val)] = val, find(val)
        return found[1]

    return quick


def type_hints(
    obj: Any, globalns: dict[str, Any] | None = None, localns: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`typing.get_type_hints`, which has nothing to do for a getter whose type names nothing by a text."""
    given = getattr(obj, "__annotations__", None) if callable(obj) else None
    if given and given.keys() == {"return"} and _is_plain(given["return"]):
        return dict(given)
    return typing.get_type_hints(obj, globalns, dict(localns) if localns else None)


def _is_plain(hint: Any) -> bool:
    """Whether a type holds no text to evaluate, nor anything else that would be replaced."""
    if isinstance(hint, type) and not hasattr(hint, "__args__"):
        return True
    if hint is Any:
        return True
    if hint is None or isinstance(hint, str | typing.ForwardRef) or hasattr(hint, "__metadata__"):
        return False
    inner = getattr(hint, "__args__", None)
    return bool(inner) and all(_is_plain(each) for each in inner)
