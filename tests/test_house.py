"""The house keeps its shape: rooms, sizes, names that must match, and nothing left unfinished."""

from __future__ import annotations

import ast
import functools
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml

from policies import alarms, aws, links
from policies.model import Stack
from settings import wiring
from tests.conftest import STACKS
from tests.support.program import ROOT, Run, run_stack

MOST_LINES, MOST_LINES_OF_A_FUNCTION = 300, 40

LONGER = {
    "__main__.py": (500, "it is the table of what exists: a function or route more is a line more"),
    "tools/schema.py:schema": (50, "one literal, the schema as it is written"),
}
"""Modules and functions (`file.py:name`) that may have more lines, how many, and why."""

ROOMS: dict[str, set[str]] = {
    "__main__.py": {"pulumi", "settings", "components"},
    "settings": {"pulumi", "pydantic", "annotated_types", "builders"},
    "builders": {"packaging"},
    "components": {"pulumi", "pulumi_aws", "pulumi_random", "settings", "builders"},
    "policies": set(),
    "handlers": {"boto3", "botocore", "common"},
    "canaries": set(),
}
"""What each room may import besides the standard library and itself (what comes from layers stands below, by module)."""

LAYERS = {
    "image_processor.py": {"PIL"},
    "pictures.py": {"PIL"},
    "authorizer.py": {"jwt"},
    "answers.py": {"fastjsonschema"},
    "once.py": {"aws_lambda_powertools"},
}
SOURCES = (*ROOMS, "sandbox", "tools")
TEXTS = {".py", ".md", ".yaml", ".toml", ".json", ".txt", ".svg"}
NOT_OURS = {
    ".git",
    ".venv",
    ".build",
    ".sandbox",
    ".hypothesis",
    ".pytest_cache",
    ".ruff_cache",
    "__pycache__",
    "htmlcov",
}

# Spelt in two pieces, or this file would find itself.
UNFINISHED = re.compile(
    r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|WI" r"P|TB" r"D|lorem ip" r"sum)\b"
)
MACHINES = re.compile(r"(?<![\w.])/(?:wo" r"rk|ho" r"me|Us" r"ers|ro" r"ot)/\w")
PLACEHOLDER_MAIL = re.compile(
    r"[\w.+-]+@(?!example\.(?:com|org)\b|[\w.-]*\.example\b)[\w-]+\.(?:com|org|net|io)\b"
)


@functools.cache
def texts() -> dict[str, str]:
    """Every text file of the repository, by its path."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in _files(ROOT)
        if path.suffix in TEXTS or path.name in {"Makefile", "LICENSE"}
    }


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in NOT_OURS:
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


@functools.cache
def trees(room: str) -> dict[str, ast.Module]:
    """Every module of a room as a syntax tree."""
    mine = {
        p: t
        for p, t in texts().items()
        if p.endswith(".py") and (p == room or p.startswith(f"{room}/"))
    }
    assert mine, f"no such room: {room}"
    return {path: ast.parse(text) for path, text in mine.items()}


def imported(tree: ast.Module) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_what_it_may(room: str) -> None:
    allowed = {*sys.stdlib_module_names, *ROOMS[room], room}
    strangers = {
        path: imported(tree) - allowed - LAYERS.get(Path(path).name, set())
        for path, tree in trees(room).items()
    }
    assert {path: names for path, names in strangers.items() if names} == {}


def test_sandbox_is_a_stranger_to_the_program_and_the_program_to_the_sandbox() -> None:
    for path, tree in trees("sandbox").items():
        assert not imported(tree) & {"components", "settings"}, path
    for room in ROOMS:
        for path, tree in trees(room).items():
            assert "sandbox" not in imported(tree), path


@pytest.mark.parametrize("room", ["builders", "components", "policies", "handlers", "sandbox"])
def test_room_tells_the_linter_what_it_may_not_import(room: str) -> None:
    text = (ROOT / room / "ruff.toml").read_text(encoding="utf-8")
    assert 'extend = "../pyproject.toml"' in text
    assert "flake8-tidy-imports.banned-api" in text


@pytest.mark.parametrize("room", ["__main__.py", "components"])
def test_nothing_here_can_tell_the_sandbox_from_aws(room: str) -> None:
    for path, tree in trees(room).items():
        spoken = " ".join(_names_and_texts(tree)).lower()
        for word in (
            "sandbox",
            "localhost",
            "127.0.0.1",
            "ministack",
            "localstack",
            "000000000000",
        ):
            assert word not in spoken, f"{path}: {word}"


def test_components_read_neither_configuration_nor_the_stacks_name() -> None:
    for path, tree in trees("components").items():
        used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        assert not used & {"Config", "environ", "getenv", "get_stack", "get_project"}, path


def test_program_takes_no_decision_by_itself() -> None:
    """What differs between stages is a size or a switch in the stack file."""
    (tree,) = trees("__main__.py").values()
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.IfExp | ast.Match)]


def _names_and_texts(tree: ast.Module) -> Iterator[str]:
    """Names and texts of a module's code; docstrings may speak of anything."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    said = {ast.get_docstring(n, clean=False) for n in ast.walk(tree) if isinstance(n, documented)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value not in said
        ):
            yield node.value


@pytest.mark.parametrize("room", SOURCES)
def test_no_module_and_no_function_is_over_its_budget(room: str) -> None:
    long: dict[str, int] = {}
    for path, tree in trees(room).items():
        long[path] = len(texts()[path].splitlines()) - _most(path, MOST_LINES)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines, name = (node.end_lineno or node.lineno) - node.lineno + 1, node.name
                long[f"{path}:{name}"] = lines - _most(f"{path}:{name}", MOST_LINES_OF_A_FUNCTION)
    assert {name: lines for name, lines in long.items() if lines > 0} == {}, "lines too many"


def _most(name: str, usual: int) -> int:
    return LONGER.get(name, (usual, ""))[0]


@pytest.mark.parametrize("package", ["components", "handlers/common", "sandbox/workers"])
def test_the_table_of_contents_names_every_module(package: str) -> None:
    tree = ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))
    first = {line.split()[0] for line in (ast.get_docstring(tree) or "").splitlines() if line}
    assert {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__"} <= first


def test_handlers_and_declarations_match_both_ways(run: Run) -> None:
    declared = {f.name.removesuffix("-function") for f in run.all(aws.FUNCTION)}
    families = wiring.handlers()
    # What a stack file may switch on need not be there.
    kept = {n for n in families if families[n] not in wiring.BUILT_ELSEWHERE}
    assert declared | set(wiring.SWITCHED) == kept, (
        'a handler without a function("...") in __main__.py, or a function without its handler'
    )


def test_wiring_that_settings_know_is_the_programs(run: Run) -> None:
    started: dict[str, set[str]] = defaultdict(set)
    joined: dict[str, str] = {}
    stack = Stack(run.resources)
    for start in links.starts(stack):
        function = start.invoked.function.name.removesuffix("-function")
        started[start.kind].add(function)
        read = str(start.by.get("eventSourceArn"))
        source = stack.at(read, aws.QUEUE, aws.TABLE, aws.DATA_STREAM)
        if source is not None:
            name = source.name.rsplit("-", 1)[0]
            joined |= {name: function} if source.type == aws.QUEUE else {function: name}
    known = {
        "api": {*wiring.API_FUNCTIONS},
        "authorizer": {wiring.AUTHORIZER},
        "upload": {wiring.UPLOAD_CONSUMER},
        "schedule": {*wiring.SCHEDULED},
    }
    hint = "put it into settings/wiring.py: "
    assert {kind: started[kind] for kind in known} == known, (
        f"{hint}REST_ROUTES, HTTP_ROUTES, SOCKET_FUNCTIONS (api), SCHEDULED ..."
    )
    assert joined == {
        **wiring.QUEUE_CONSUMERS,
        **wiring.STREAM_CONSUMERS,
        **wiring.KINESIS_CONSUMERS,
    }, f"{hint}QUEUE_CONSUMERS, STREAM_CONSUMERS, KINESIS_CONSUMERS"
    # A URL is no trigger: who calls the webhook says so by a signature.
    elsewhere = {wiring.WEBHOOK, *wiring.SWITCHED}
    assert set().union(*started.values()) - elsewhere == wiring.WIRED - elsewhere


def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm(
    runs: Callable[[str], Run],
) -> None:
    # Nothing is provisioned in the stacks as they are shipped.
    warm = {"sandpiper:functions": {"health": {"provisioned_concurrent_executions": 1}}}
    stacks = [*(runs(stack) for stack in STACKS), run_stack("dev", config=warm)]
    rings = [a for run in stacks for type_ in (aws.ALARM, aws.COMPOSITE) for a in run.all(type_)]
    # Of what a month costs AWS Budgets tells, which has no alarms.
    named = {"budget", *map(alarms.runbook, rings)}
    kept = {p.stem for p in (ROOT / "docs" / "runbooks").glob("*.md")} - {"README"}
    assert named == kept


@pytest.mark.parametrize("stack", STACKS)
def test_stack_file_is_what_its_schema_says(stack: str) -> None:
    text = texts()[f"Pulumi.{stack}.yaml"]
    assert text.startswith("# yaml-language-server: $schema=./stack.schema.json\n")
    schema = json.loads(texts()["stack.schema.json"])
    jsonschema.validate(yaml.safe_load(text), schema)
    assert not re.search(r"secure:|secretsprovider|encryptionsalt|@(?!example[.]com)", text)


def test_stack_files_are_those_the_tests_know() -> None:
    found = {p.name.split(".")[1] for p in ROOT.glob("Pulumi.*.yaml")}
    assert set(STACKS) <= found


def test_schemas_are_the_ones_that_routes_name(runs: Callable[[str], Run]) -> None:
    body = json.loads(str(runs("dev").one(aws.REST_API, "api-rest").get("body")))
    # Every route may answer with a problem, and none says so.
    kept = {p.stem for p in (ROOT / "schemas").rglob("*.json")} - {"Problem"}
    assert kept == set(body["components"]["schemas"]), "a schema that no route names: remove it"


@pytest.mark.parametrize(
    "pattern", [UNFINISHED, MACHINES, PLACEHOLDER_MAIL], ids=["unfinished", "machine", "mail"]
)
def test_nothing_is_left_unfinished_nor_speaks_of_one_machine(pattern: re.Pattern[str]) -> None:
    # What others published stays as it is.
    ours = {p: text for p, text in texts().items() if not p.startswith("tests/events/corpus/")}
    found = {path: hits for path, text in ours.items() if (hits := pattern.findall(text))}
    assert found == {}


def test_links_between_documents_lead_somewhere() -> None:
    for path, text in texts().items():
        if path.endswith(".md"):
            for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
                assert ((ROOT / path).parent / target).exists(), f"{path}: {target}"
