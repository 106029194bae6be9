"""Programs of a few lines, for what the whole program does not do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pulumi
from pulumi_aws import lambda_

from components.api import ApiFront, Route
from components.function import FunctionTweaks, ServerlessFunction
from components.grants import Grant
from components.keys import DataKey
from components.layers import Layer
from components.packaging import Code
from components.place import Place
from settings import ApiSettings, DataSettings, FunctionSettings
from tests.support.program import ACCOUNT, REGION, Run, run_program

LOOSE = DataSettings(protect=False)


class Parts:
    """What every component asks for: a place, a key, and a function from its name."""

    def __init__(self) -> None:
        self.place = Place("aws", REGION, ACCOUNT, "sandpiper-tiny")
        self.key = DataKey("data", settings=LOOSE, place=self.place)

    def function(
        self,
        name: str,
        *grants: Grant,
        layers: Sequence[Layer] = (),
        tweaks: FunctionTweaks | None = None,
        code: str = "def handler(event, context): ...",
        **sizes: Any,
    ) -> ServerlessFunction:
        """A function with nothing in it."""
        return ServerlessFunction(
            name,
            settings=FunctionSettings(**sizes),
            code=Code(pulumi.AssetArchive({"f.py": pulumi.StringAsset(code)}), "f.handler"),
            grants=grants,
            layers=layers,
            encryption=self.key,
            place=self.place,
            tweaks=tweaks,
        )

    def front(
        self, function: ServerlessFunction, *endpoints: str, settings: ApiSettings | None = None
    ) -> ApiFront:
        """A REST API with these routes to one function."""
        return ApiFront(
            "front",
            settings=settings or ApiSettings(),
            routes=[Route(endpoint, function) for endpoint in endpoints],
            authorizer=self.function("gate"),
            schemas={},
            stage_name="tiny",
            encryption=self.key,
            place=self.place,
        )


def tiny(program: Callable[[Parts], object]) -> Run:
    """Run a program that gets the parts it needs."""
    return run_program(lambda: program(Parts()) and None, config={}, stack="tiny")


def memory(megabytes: int) -> FunctionTweaks:
    """A tweak of the raw arguments."""

    def tweak(args: lambda_.FunctionArgs) -> None:
        args.memory_size = megabytes

    return FunctionTweaks(function=tweak)
