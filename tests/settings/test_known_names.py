"""Which functions, queues and schedules there are."""

from __future__ import annotations

import re
from pathlib import Path

import pulumi
import pytest

from settings.fields import nested
from settings.function import FunctionSettings
from settings.other_names import OF_A_FUNCTION
from settings.wiring import HANDLERS, WIRED
from settings.wiring import handlers as handlers_of
from tests.settings.helper import load, refused

TABLES = {
    "queue": "QUEUE_CONSUMERS",
    "stream": "STREAM_CONSUMERS or KINESIS_CONSUMERS",
    "schedule": "SCHEDULED",
    "topic": "TOPICS",
    "rule": "RULE_TARGETS",
}
"""Kind of a trigger's settings -> the table of settings/wiring.py that says which there are."""


def _added(kind: str, name: str, table: str) -> str:
    return f"settings.{kind}('{name}'): no such {kind}; add it to {table} in settings/wiring.py"


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        (
            "function",
            "creat-item",
            "settings.function('creat-item'): no such function; did you mean 'create-item'?",
        ),
        *((kind, "zzz", _added(kind, "zzz", table)) for kind, table in TABLES.items()),
        *((kind, "health", _added(kind, "health", table)) for kind, table in TABLES.items()),
        # No slips of the pen, though 'orders' and nothing else is near.
        ("queue", "waders", _added("queue", "waders", "QUEUE_CONSUMERS")),
        ("stream", "items", _added("stream", "items", "STREAM_CONSUMERS or KINESIS_CONSUMERS")),
        ("queue", "order", "settings.queue('order'): no such queue; did you mean 'orders'?"),
        ("topic", "Orders", "settings.topic('Orders'): no such topic; did you mean 'orders'?"),
    ],
)
def test_program_that_asks_for_an_unknown_name_ends_with_one_line(
    kind: str, name: str, text: str
) -> None:
    with pytest.raises(pulumi.RunError) as ended:
        getattr(load(), kind)(name)
    assert str(ended.value) == text


def test_every_name_that_the_rules_know_has_a_handler() -> None:
    assert set(handlers_of(HANDLERS)) >= WIRED


def test_functions_are_read_from_the_handlers_folder(tmp_path: Path) -> None:
    for name in (
        "create_item.py",
        "__init__.py",
        "_private.py",
        "common.py",
        "notes.txt",
        "conftest.pyi",
    ):
        (tmp_path / name).touch()
    for folder, file in (("web_push", "index.mjs"), ("common", "index.mjs"), ("empty", "x.py")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).touch()
    assert handlers_of(tmp_path) == {"create-item": "python", "web-push": "nodejs"}


def test_function_written_for_node_gets_a_node_runtime_whatever_defaults_say(
    handlers: Path,
) -> None:
    folder = handlers / "web_push"
    folder.mkdir()
    (folder / "index.mjs").touch()
    try:
        config = {"functions": {"defaults": {"runtime": "python3.14"}}}
        assert load(config, handlers=handlers).function("web-push").runtime == "nodejs22.x"
        assert refused(
            {"functions": {"web-push": {"runtime": "python3.14"}}}, handlers=handlers
        ) == [
            (
                "Pulumi.dev.yaml: functions.web-push.runtime: must be one of nodejs22.x, nodejs24.x for web-push, whose "
                "handler is nodejs (got 'python3.14')"
            )
        ]
    finally:
        (folder / "index.mjs").unlink()
        folder.rmdir()


def test_missing_handler_is_one_line(tmp_path: Path) -> None:
    for name in WIRED - {"health", "get-item"}:
        (tmp_path / f"{name.replace('-', '_')}.py").touch()
    line = f"{tmp_path}: no handler for get-item, health, which the program joins to a route or a trigger"
    assert refused(handlers=tmp_path) == [line]


def test_missing_handlers_folder_is_one_line(tmp_path: Path) -> None:
    assert len(refused(handlers=tmp_path / "handlers")) == 1


def test_names_of_other_tools_lead_to_settings_that_there_are() -> None:
    assert not OF_A_FUNCTION.keys() & FunctionSettings.model_fields.keys()
    meant = {found for text in OF_A_FUNCTION.values() for found in re.findall("'(.+)'", text)}
    assert len(meant) > 20
    for path in meant:
        key, _, inner = path.partition(".")
        below = nested(FunctionSettings.model_fields[key].annotation)
        assert not inner or (below and inner in below.model_fields), path
