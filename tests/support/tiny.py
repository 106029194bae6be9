"""Programs of a few lines, for what the whole program does not do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pulumi
from pulumi_aws import lambda_

from components.api import ApiFront, Route
from components.authorizers import TokenAuthorizer
from components.domains import Domains
from components.function import FunctionTweaks, ServerlessFunction
from components.grants import Grant
from components.keys import DataKey
from components.layers import Layer
from components.messaging import Queue
from components.place import Place
from components.schemas import Schemas
from components.sources import AnyCode, Code
from settings import ApiSettings, DataSettings, FunctionSettings
from tests.support.program import ACCOUNT, REGION, Run, run_program

LOOSE = DataSettings(protect=False)


class Parts:
    """What every component asks for: a place, a key, the domains, and a function from its name."""

    def __init__(self) -> None:
        self.place = Place("aws", REGION, ACCOUNT, "sandpiper", "tiny")
        self.key = DataKey("data", settings=LOOSE, place=self.place)
        self.failures = Queue("failures", encryption=self.key)
        self.domains = Domains()

    def function(
        self,
        name: str,
        *grants: Grant,
        layers: Sequence[Layer] = (),
        tweaks: FunctionTweaks | None = None,
        code: AnyCode | None = None,
        settings: FunctionSettings | None = None,
        log_sample_rate: float = 0,
        **sizes: Any,
    ) -> ServerlessFunction:
        """A function with nothing in it."""
        return ServerlessFunction(
            name,
            settings=settings or FunctionSettings(**sizes),
            code=code or source("def handler(event, context): ..."),
            grants=grants,
            layers=layers,
            failures=self.failures,
            encryption=self.key,
            place=self.place,
            log_sample_rate=log_sample_rate,
            tweaks=tweaks,
        )

    def front(
        self,
        function: ServerlessFunction,
        *endpoints: str,
        settings: ApiSettings | None = None,
        name: str = "front",
    ) -> ApiFront:
        """A REST API with these routes to one function."""
        return ApiFront(
            name,
            settings=settings or ApiSettings(),
            routes=[Route(endpoint, function) for endpoint in endpoints],
            authorizer=TokenAuthorizer(self.function("gate")),
            schemas=Schemas(),
            stage_name="tiny",
            domains=self.domains,
            encryption=self.key,
            place=self.place,
        )


def source(text: str) -> Code:
    """A function's code in one file."""
    return Code(pulumi.AssetArchive({"f.py": pulumi.StringAsset(text)}), "f.handler")


def tiny(program: Callable[[Parts], object]) -> Run:
    """Run a program that gets the parts it needs."""
    return run_program(lambda: program(Parts()) and None, config={}, stack="tiny")


def memory(megabytes: int) -> FunctionTweaks:
    """A tweak of the raw arguments."""

    def tweak(args: lambda_.FunctionArgs) -> None:
        args.memory_size = megabytes

    return FunctionTweaks(function=tweak)
