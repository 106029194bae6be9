"""What stands in for costly spots of Pulumi's SDK gives what the SDK's own gives."""

from __future__ import annotations

import asyncio
import inspect
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import Output, _types
from pulumi import output as outputs
from pulumi.output import UNKNOWN
from pulumi.runtime import resource as registrations
from pulumi.runtime import rpc

from sandbox import quick

AROUND: list[Any] = ["x"]
AROUND.append(AROUND)


class Made:
    """A resource, as far as its properties go."""


def settled(
    transfer: Callable[..., Mapping[str, Callable[..., None]]], *, custom: bool, **told: Any
) -> dict[str, Any]:
    """What the outputs of a resource of four properties hold once they are resolved as `told`."""
    made = Made()

    async def resolve() -> list[Any]:
        resolvers = transfer(made, ["urn", "id", "name", "arn"], custom)
        for resolver in resolvers.values():
            resolver(told["value"], told["known"], told["secret"], told["deps"], told["failed"])
        outputs = [made.__dict__[name]._data for name in resolvers]
        return await asyncio.gather(*outputs, return_exceptions=True)

    found = asyncio.run(resolve())
    return {
        name: repr(data)
        if isinstance(data, Exception)
        else (
            data.value,
            data.is_known,
            data.is_secret,
            ["res" if each is made else each for each in sorted(data.resources, key=str)],
        )
        for name, data in zip(made.__dict__, found, strict=True)
    }


@pytest.mark.parametrize("custom", [True, False])
@pytest.mark.parametrize(
    "told",
    [
        {"value": "x"},
        {"value": None, "known": False},
        {"value": ["x", UNKNOWN]},
        {"value": {"a": 1}, "secret": True, "deps": {"other"}},
        {"value": None, "failed": ValueError("no")},
    ],
    ids=["plain", "unknown", "unknown-within", "secret-with-dependency", "failed"],
)
def test_an_output_holds_what_the_sdk_puts_into_it(told: dict[str, Any], *, custom: bool) -> None:
    """With the same value, secrecy and dependencies; a failure is told to all who wait."""
    given = {"known": True, "secret": False, "deps": None, "failed": None, **told}
    quickly = settled(quick.transfer_properties, custom=custom, **given)
    assert quickly == settled(rpc.transfer_properties, custom=custom, **given)
    assert list(quickly) == (["name", "arn"] if custom else ["id", "name", "arn"])


@pytest.mark.parametrize(
    "cls",
    [
        aws.cloudwatch.MetricAlarm,
        aws.cloudwatch.MetricAlarmMetricQueryArgs,
        aws.dynamodb.Table,
        aws.lambda_.Function,
        aws.lambda_.outputs.FunctionVpcConfig,
        aws.s3.BucketLifecycleConfiguration,
        aws.sns.Topic,
    ],
)
def test_types_are_those_that_python_finds(cls: type) -> None:
    """For each property of a class, with texts in it and without."""
    names = _types._globals_for_cls(cls)
    local = {"Output": quick.Output, "T": type(None)}
    getters = [prop.fget for _, _, prop in _types._py_properties(cls)]
    assert getters
    for getter in getters:
        exact = typing.get_type_hints(getter, globalns=names, localns=local)
        assert quick.type_hints(getter, globalns=names, localns=local) == exact


@pytest.mark.parametrize(
    "hint", [None, "int", list["int"], typing.Annotated[int, "x"], list[typing.Annotated[int, 1]]]
)
def test_a_type_that_changes_is_evaluated(hint: Any) -> None:
    """Texts, None, and what is only said beside a type."""

    def getter() -> None: ...

    getter.__annotations__["return"] = hint
    assert quick.type_hints(getter) == typing.get_type_hints(getter)


def test_a_type_is_unwrapped_once(tmp_path: Path) -> None:
    """To what the SDK finds, also where an equal type has its parts in another order."""
    hints: list[Any] = [pulumi.Input[str], str | None | int, int | None | str]
    hints += [pulumi.Output[str | None], aws.sns.TopicArgs]
    own = [_types.unwrap_type(hint) for hint in hints]
    with quick.sdk(tmp_path):
        for _ in range(2):
            assert [repr(_types.unwrap_type(hint)) for hint in hints] == [repr(e) for e in own]


@pytest.mark.parametrize(
    "parts",
    [
        ("jobs", "aws:sqs/queue:Queue", "urn:pulumi:dev::p::p:index:Part::part"),
        ("jobs", "aws:sqs/queue:Queue", ""),
        ("jobs", "aws:sqs/queue:Queue", None, "p", "dev"),
    ],
)
def test_a_urn_is_put_together_as_by_the_sdk(parts: tuple[Any, ...]) -> None:
    """With an ancestor, with an empty one, without any."""

    async def made(create: Callable[..., Output[str]]) -> Any:
        return await create(*parts)._data

    assert asyncio.run(made(quick.create_urn)) == asyncio.run(made(registrations.create_urn))


@pytest.mark.parametrize(
    "value",
    [None, "x", 1, True, 1.5, UNKNOWN, {}, ["x", {"a": UNKNOWN}], {"a": [1, "b"]}, AROUND],
)
def test_what_is_not_known_is_found_as_by_the_sdk(value: Any) -> None:
    """In lists and objects, at any depth."""
    assert quick.contains_unknowns(value) == rpc.contains_unknowns(value)


def test_the_sdk_is_itself_again_afterwards(tmp_path: Path) -> None:
    """And each stand-in takes what the SDK's own takes."""
    spots = [
        (registrations, "_get_stack_trace"),
        (registrations, "create_urn"),
        (rpc, "transfer_properties"),
        (outputs, "contains_unknowns"),
        (_types, "unwrap_type"),
        (_types, "unwrap_optional_type"),
        (_types, "get_type_hints"),
    ]
    before = [getattr(module, name) for module, name in spots]
    with quick.sdk(tmp_path):
        within = [getattr(module, name) for module, name in spots]
    assert [getattr(module, name) for module, name in spots] == before
    for own, theirs in zip(within[:-1], before[:-1], strict=True):
        assert list(inspect.signature(own).parameters) == list(inspect.signature(theirs).parameters)
