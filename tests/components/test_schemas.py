"""Schema files: what is read of them, and what is refused with the file's name."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pytest

from components.schemas import DRAFT_04, read_schemas, reduced


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """schemas/ with one body and one answer."""
    (tmp_path / "schemas" / "answers").mkdir(parents=True)
    put(tmp_path / "schemas", "ThingInput.json", {"$schema": DRAFT_04, "type": "object"})
    put(tmp_path / "schemas" / "answers", "Thing.json", {"type": "object"})
    return tmp_path / "schemas"


def put(folder: Path, name: str, content: object) -> None:
    """Write one file: text as it is, anything else as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / name).write_text(text, encoding="utf-8")


def test_bodies_and_answers_are_found_by_the_names_of_their_files(folder: Path) -> None:
    found = read_schemas(folder)
    assert found.bodies == {"ThingInput": {"type": "object"}}
    assert found.answers == {"Thing": {"type": "object"}}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("Bad.json", "{", r"^schemas/Bad\.json: is no JSON"),
        ("answers/Bad.json", "{", r"^schemas/answers/Bad\.json: is no JSON"),
        ("Bad.json", [], r"^schemas/Bad\.json: must be a JSON object"),
        (
            "Bad.json",
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            r"^schemas/Bad\.json: API Gateway reads .*draft-04.* only",
        ),
        ("Thing.json", {}, r"^schemas/Thing\.json: schemas/answers/ has one of this name, too"),
    ],
)
def test_file_that_is_no_schema_is_refused_by_its_name(
    folder: Path, name: str, content: object, told: str
) -> None:
    put(folder, name, content)
    with pytest.raises(pulumi.RunError, match=told) as refused:
        read_schemas(folder)
    assert "\n" not in str(refused.value)


def test_answer_that_refers_to_nothing_is_refused_where_it_says_so(folder: Path) -> None:
    put(folder / "answers", "List.json", {"items": {"$ref": "#/components/schemas/Thnig"}})
    told = r"schemas/answers/List\.json: there is no schemas/answers/Thnig\.json; did you mean 'Thing'\?"
    with pytest.raises(pulumi.RunError, match=told):
        read_schemas(folder).models([("List", "route 'GET /a'")])


def test_constants_become_lists_of_one() -> None:
    assert reduced({"const": "ok", "title": "T", "examples": [1]}) == {"enum": ["ok"]}
