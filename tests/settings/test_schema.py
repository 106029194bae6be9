"""The schema that editors check a stack file by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from settings.fields import facts
from settings.reader import KEYS
from tests.settings.helper import ROOT, load, refused
from tests.settings.test_wrong_stack_files import WRONG
from tools import schema
from tools.described import maps_within

SCHEMA = json.loads((ROOT / "stack.schema.json").read_text(encoding="utf-8"))
CHECK = jsonschema.Draft7Validator(SCHEMA)
MODELS = [
    *schema.SECTIONS.values(),
    *(model for model, _ in schema.TRIGGERS.values()),
    schema.FunctionSettings,
    *maps_within(schema.FunctionSettings),
    schema.RepositorySettings,
    schema.StackWide,
]


def test_schema_and_reference_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert schema.main(["--check"]) == 0, capsys.readouterr().err


def test_stale_documents_are_named_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schema, "ROOT", tmp_path)
    monkeypatch.setattr(schema, "SCHEMA", tmp_path / "stack.schema.json")
    monkeypatch.setattr(schema, "REFERENCE", tmp_path / "docs" / "settings.md")
    monkeypatch.setattr(schema, "FUNCTION", tmp_path / "docs" / "function.md")
    assert schema.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "stack.schema.json: out of date; run python -m tools.schema",
        "docs/settings.md: out of date; run python -m tools.schema",
        "docs/function.md: out of date; run python -m tools.schema",
    ]
    assert not (tmp_path / "stack.schema.json").exists()
    assert schema.main([]) == 0
    assert schema.main(["--check"]) == 0


def test_schema_is_itself_valid() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_shipped_stack_file_fits_the_schema(stack: str) -> None:
    assert errors(yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "file",
    [
        None,
        {},
        {"config": None},
        {
            "encryptionsalt": "v1:abc",
            "config": {"aws:region": "eu-central-1", "aws:defaultTags": {"tags": {}}},
        },
        {"encryptedkey": "abc", "secretsprovider": "awskms://alias/x"},
        {
            "config": {
                "other:token": {"secure": "abc"},
                "sandpiper:api": None,
                "pulumi:tags": {"a": "b"},
            }
        },
    ],
)
def test_what_pulumi_itself_writes_fits_the_schema(file: Any) -> None:
    assert errors(file) == []


@pytest.mark.parametrize(
    "file",
    [
        {"confg": {"sandpiper:api": {}}},
        {"config": {"sandpiper:functons": {}}},
        {"config": {"functions": {}}},
        {"config": {"sandpiper:tags": {"secure": "abc"}}},
        {"config": {"sandpiper:functions": {"health": {"environment": {"secure": "abc"}}}}},
        {"config": {"sandpiper:packaging": {"build": "yes"}}},
    ],
)
def test_misspelt_stack_file_does_not_fit_the_schema(file: dict[str, Any]) -> None:
    assert errors(file) != []


def test_schema_catches_most_of_what_the_program_refuses() -> None:
    caught = [entry for entry in WRONG if errors({"config": _qualified(entry["config"])})]
    # The rest are rules between values, and forms that JSON schema has no words for.
    assert len(caught) > 0.6 * len(WRONG)


@pytest.mark.parametrize("model", MODELS)
def test_every_setting_has_a_description_a_source_and_a_unit_where_it_counts_something(
    model: Any,
) -> None:
    for name, field in model.model_fields.items():
        assert field.description, name
        assert facts(field).source, name
        counts = any(kind in (int, float) for kind in schema.kinds(field.annotation))
        assert not counts or facts(field).unit, name


def test_every_setting_stands_in_the_schema_with_description_default_and_source() -> None:
    keys = SCHEMA["properties"]["config"]["properties"]
    assert {f"sandpiper:{key}" for key in KEYS} < keys.keys()
    leaves = [leaf for part in (keys, SCHEMA["definitions"]) for leaf in _leaves(part)]
    assert len(leaves) > 80
    for leaf in leaves:
        assert "Default: " in leaf["description"]
        assert "Source: " in leaf["description"]
    for model in maps_within(schema.FunctionSettings):
        for name, leaf in SCHEMA["definitions"][model.__name__]["properties"].items():
            given = model.model_fields[name].is_required()
            assert ("Must be given." if given else "Default: ") in leaf["description"]
            assert "Source: " in leaf["description"]


def test_defaults_in_the_schema_are_those_that_load() -> None:
    found = load()
    for name, own in SCHEMA["properties"]["config"]["properties"]["sandpiper:functions"][
        "properties"
    ].items():
        if name in found.functions:
            properties = _at(own["$ref"])["properties"]
            defaults = {
                key: _at(field.get("$ref", ""), field)["default"]
                for key, field in properties.items()
            }
            assert defaults == found.function(name).model_dump(mode="json")


@pytest.mark.parametrize("name", sorted(schema.SECTIONS))
def test_default_of_every_section_can_be_written_down(name: str) -> None:
    properties = SCHEMA["properties"]["config"]["properties"][f"sandpiper:{name}"]["properties"]
    written = {key: value["default"] for key, value in properties.items()}
    assert refused({name: written}) == []
    assert (
        errors(
            {"config": {f"sandpiper:{name}": {k: v for k, v in written.items() if v is not None}}}
        )
        == []
    )


def test_reference_lists_every_setting() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for model in MODELS:
        for name in model.model_fields:
            assert f"| `{name}` |" in text


def test_reference_of_functions_says_type_unit_default_limit_meaning_and_source_of_each() -> None:
    text = (ROOT / "docs" / "function.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    named = {row[0].strip("`"): row for row in rows if len(row) == 7}
    for model in (schema.FunctionSettings, *maps_within(schema.FunctionSettings)):
        for name in model.model_fields:
            _, kind, _, default, limit, meaning, source = named[name]
            assert all((kind, default, meaning, source)), name
            assert limit or kind in {"switch", "map", "map of maps", "list of text"}, name


def errors(file: Any) -> list[str]:
    """What the schema says against a stack file."""
    return [error.message for error in CHECK.iter_errors(file)]


def _at(reference: str, otherwise: Any = None) -> Any:
    """What a reference within the schema points to."""
    found: Any = SCHEMA
    for part in reference.split("/")[1:]:
        found = found[part]
    return found if reference else otherwise


def _qualified(config: dict[str, Any]) -> dict[str, Any]:
    return {key if ":" in key else f"sandpiper:{key}": value for key, value in config.items()}


def _leaves(part: Any) -> list[dict[str, Any]]:
    if not isinstance(part, dict):
        return []
    if "default" in part and isinstance(part.get("description"), str):
        return [part]
    return [leaf for value in part.values() for leaf in _leaves(value)]
