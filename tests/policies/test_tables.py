"""Tables that rules keep for themselves, since they judge plain data, say what settings say."""

from __future__ import annotations

import ast
import re

from policies import aws, metric_names, runtimes, severities, urls
from settings import wiring
from settings.runtimes import ALL_SUPPORTED
from tests.support.program import ROOT


def test_runtimes_that_rules_know_are_those_that_settings_take() -> None:
    assert set(ALL_SUPPORTED) == runtimes.KNOWN


def test_every_runtime_has_one_family() -> None:
    assert all(runtimes.family(runtime) for runtime in ALL_SUPPORTED)
    assert runtimes.family("python3.9") == ""
    assert runtimes.family(None) == ""


def test_snapshots_are_for_runtimes_that_there_are() -> None:
    assert runtimes.SNAP_START < runtimes.KNOWN


def test_urls_that_rules_let_anybody_call_are_those_of_the_wiring() -> None:
    assert set(urls.PUBLIC) == set(wiring.PUBLIC_URLS)
    assert all(len(reason.split()) > 3 for reason in urls.PUBLIC.values())


def test_type_of_a_resource_is_written_in_one_place() -> None:
    written = {
        path.name: found
        for path in (ROOT / "policies").glob("*.py")
        if path.name != "aws.py"
        and (found := re.findall(r'"aws:\w+/\w+:\w+"', path.read_text(encoding="utf-8")))
    }
    assert written == {}


def test_every_type_has_one_name_and_is_judged() -> None:
    names = {name: value for name, value in vars(aws).items() if name.isupper()}
    assert len(set(names.values())) == len(names)
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "policies").glob("*.py"))
    assert [name for name in names if not re.search(rf"\baws\.{name}\b", rules)] == []


def test_metrics_that_rules_know_are_those_that_handlers_count() -> None:
    counted: dict[str, set[tuple[str, ...]]] = {}
    for path in (ROOT / "handlers").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="metrics"), attr="count"),
                    args=[ast.Constant(value=str() as name), *_],
                    keywords=said,
                ):
                    by = tuple(sorted([metric_names.STACK, *(str(word.arg) for word in said)]))
                    counted.setdefault(name, set()).add(by)
                case _:
                    pass
    assert counted == {name: {by} for name, by in metric_names.WRITTEN.items()}


def test_every_runbook_says_how_urgent_it_is() -> None:
    books = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")} - {"README"}
    assert set(severities.SEVERITIES) == books
