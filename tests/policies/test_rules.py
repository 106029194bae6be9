"""Every rule: content with what is shipped, and awake when a program is broken on purpose."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable

import pytest

import policies
from policies import Registered, Stack, aws, urls
from tests.conftest import STACKS
from tests.support.breaking import RULES, Break
from tests.support.breaks import EVERY
from tests.support.breaks.everything import asked_for
from tests.support.program import Run, run_stack


@pytest.mark.parametrize("stack", STACKS)
def test_shipped_stack_breaks_no_rule(stack: str, runs: Callable[[str], Run]) -> None:
    findings = policies.check(runs(stack).resources, stack=stack)
    assert [str(finding) for finding in findings] == []


def test_program_that_is_asked_for_everything_breaks_no_rule() -> None:
    findings = policies.check(asked_for().resources, stack="dev")
    assert [str(finding) for finding in findings] == []


@pytest.mark.parametrize("broken", EVERY, ids=str)
def test_rule_finds_what_was_broken_on_purpose(broken: Break, runs: Callable[[str], Run]) -> None:
    said = [str(finding) for finding in broken.findings(runs(broken.stack))]
    assert any(broken.says in text for text in said), said


def test_every_rule_is_broken_by_some_example() -> None:
    assert {broken.rule for broken in EVERY} == set(RULES)


def test_every_rule_of_every_subject_is_run() -> None:
    modules = [
        importlib.import_module(f"policies.{module.name}")
        for module in pkgutil.iter_modules(policies.__path__)
    ]
    written = {
        thing
        for module in modules
        for thing in vars(module).values()
        if callable(thing)
        and getattr(thing, "__wrapped__", None) is not None
        and thing.__module__ == module.__name__
        and not hasattr(thing, "cache_info")
    }
    assert written == set(policies.ALL)


def test_rule_names_are_unique() -> None:
    assert [
        name for name, count in Counter(r.__name__ for r in policies.ALL).items() if count > 1
    ] == []


def test_finding_reads_as_one_line_naming_resource_and_rule(dev: Run) -> None:
    without_permissions = [r for r in dev.resources if "permission" not in r.name]
    found = policies.check(without_permissions, stack="dev")
    assert str(found[0]).startswith(f"{found[0].resource}: ")
    assert str(found[0]).endswith(f"({found[0].rule})")
    assert not any("\n" in str(finding) for finding in found)


def test_empty_stack_breaks_no_rule() -> None:
    assert policies.check([], stack="prod") == []


def test_stack_without_alarms_is_told_once_and_production_of_each() -> None:
    off = run_stack("dev", config={"sandpiper:observability": {"alarms_enabled": False}})
    said = [str(finding) for finding in policies.check(off.resources, stack="dev")]
    (only,) = said
    assert only.startswith("observability-dashboard: no alarm in the whole stack; nobody hears")
    assert only.endswith("(something-raises-alarms)")
    functions = {f.name for f in off.all(aws.FUNCTION)}
    assert functions <= {
        finding.resource for finding in policies.check(off.resources, stack="prod")
    }


def test_url_for_everybody_needs_no_permission_of_the_program(run: Run) -> None:
    """The provider gives it two by itself; declared once more under their names, they would be refused."""
    (url,) = [u for u in run.all(aws.FUNCTION_URL) if u.get("authorizationType") == "NONE"]
    assert [p for p in run.all(aws.PERMISSION) if urls.is_for_a_url(p)] == []
    assert [
        f for f in policies.check(run.resources, stack=run.stack) if f.resource == url.name
    ] == []


def test_any_other_stack_name_is_judged_as_a_development_stack(dev: Run) -> None:
    renamed = [
        Registered(
            **{
                **vars(resource),
                "properties": {
                    key: {**value, "Environment": "alice"} if key == "tags" else value
                    for key, value in resource.properties.items()
                },
            }
        )
        for resource in dev.resources
    ]
    assert policies.check(renamed, stack="alice") == []


def test_arn_of_a_part_belongs_to_the_whole(dev: Run) -> None:
    stack = Stack(dev.resources)
    table = dev.one("aws:dynamodb/table:Table", "items-table")
    assert stack.at(f"{table.output('arn')}/index/by-collection") is table
    assert stack.at(table.output("arn")) is table
    assert stack.at("arn:aws:dynamodb:us-west-2:123456789012:table/other") is None
    assert stack.at("") is None
