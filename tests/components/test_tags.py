"""Tags on everything that can carry them."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pulumi
from pulumi_aws import sqs

from components.tags import tag_everything
from policies.names import TAGGABLE, UNTAGGABLE
from tests.support.program import Run, run_program

MODULES = {"lambda": "lambda_"}


def sdk_class(type_: str) -> Any:
    """The SDK's class of a Pulumi type, e.g. `aws:sqs/queue:Queue`."""
    _, module, name = type_.split(":")
    service = module.split("/")[0]
    return getattr(importlib.import_module("pulumi_aws." + MODULES.get(service, service)), name)


def test_rule_and_provider_agree_on_what_can_carry_tags() -> None:
    """The provider computes `tags_all` for what it can tag."""
    for type_ in TAGGABLE | UNTAGGABLE:
        can = "tags_all" in inspect.signature(sdk_class(type_).get).parameters
        assert (type_ in TAGGABLE) == can, type_


def test_every_type_of_the_program_is_one_of_the_two(run: Run, custom: Run) -> None:
    used = {r.type for r in (*run.resources, *custom.resources) if r.type.startswith("aws:")}
    assert used <= TAGGABLE | UNTAGGABLE


def test_tag_of_a_resources_own_wins() -> None:
    def program() -> None:
        tag_everything({"Project": "p", "team": "birds"})
        sqs.Queue("q", tags={"team": "bees"})
        sqs.QueuePolicy("p", queue_url="u", policy=pulumi.Output.json_dumps({}))

    run = run_program(program, config={})
    assert run.one("aws:sqs/queue:Queue", "q").get("tags") == {"Project": "p", "team": "bees"}
    assert "tags" not in run.one("aws:sqs/queuePolicy:QueuePolicy", "p").properties
