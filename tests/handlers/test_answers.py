"""Answers are checked against the API's description where the environment names one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import get_item
import health
import pytest

from common import answers, http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_REMEDY = "`answers=` of the route, then `make schema`"
_ITEM = {
    "id": "i1",
    "name": "Binoculars",
    "price": "129.90",
    "tags": ["optics"],
    "open": None,
    "at": "2025-11-24T00:10:10.123Z",
}
_DESCRIPTION = {
    "paths": {
        "/things/{id}": {
            "get": {
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                        }
                    },
                    "204": {"description": "No Content"},
                    "404": {
                        "content": {
                            "application/problem+json": {
                                "schema": {"$ref": "#/components/schemas/Problem"}
                            }
                        }
                    },
                }
            }
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["id", "price"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": "string", "default": "nameless"},
                    "price": {"type": "string", "pattern": "^[0-9]+[.][0-9]{2}$"},
                    "tags": {"type": "array", "items": {"$ref": "#/components/schemas/Tag"}},
                    "open": {"type": ["boolean", "null"]},
                    "at": {"type": "string", "format": "date-time"},
                },
            },
            "Tag": {"type": "string", "maxLength": 9},
            "Problem": {"type": "object", "required": ["detail"]},
        }
    },
}


@pytest.fixture(autouse=True)
def description(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(_DESCRIPTION), encoding="utf-8")
    monkeypatch.setenv("CHECKED_ANSWERS", str(path))
    _forget()
    yield path
    _forget()


def _forget() -> None:
    answers._description.cache_clear()
    answers._check.cache_clear()


@pytest.fixture
def answered(context: Any) -> Callable[..., dict[str, Any]]:
    """What leaves a function that answers so, with its JSON body under "json"."""

    def ask(given: Any, *, route: str = "/things/{id}", method: str = "GET") -> dict[str, Any]:
        @http.endpoint
        def handler(_: http.Request) -> http.Answer:
            if isinstance(given, Exception):
                raise given
            return given

        event = {"resource": route, "httpMethod": method, "requestContext": {"requestId": "abc"}}
        answer = handler(event, context)
        return answer | {"json": json.loads(answer["body"] or "null")}

    return ask


def test_an_answer_that_keeps_to_its_description_leaves_unchanged(answered: Any) -> None:
    answer = answered(http.answer(200, _ITEM))
    assert (answer["statusCode"], answer["json"]) == (200, _ITEM)
    without = {"id": "i", "price": "1.00"}
    assert answered(http.answer(200, without))["json"] == without  # defaults are not added
    assert answered(http.answer(204))["statusCode"] == 204
    assert answered(http.Problem(404, "no"))["statusCode"] == 404


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"price": 7}, "The answer's /price must be string."),
        ({"price": "7"}, "The answer's /price must match pattern ^[0-9]+[.][0-9]{2}$."),
        ({"price": "7.00\n"}, "The answer's /price must match pattern ^[0-9]+[.][0-9]{2}$."),
        ({"tags": ["a", "x" * 10]}, "The answer's /tags/1 must be shorter than"),
        ({"tags": None}, "The answer's /tags must be array."),
        ({"open": "yes"}, "The answer's /open must be boolean or null."),
        ({"at": "yesterday"}, "The answer's /at must be date-time."),
        ({"inside": "canary"}, "The answer must not contain {'inside'} properties."),
    ],
)
def test_a_breach_is_a_500_that_names_the_field_and_is_logged_as_an_error(
    answered: Any, lines: Any, change: dict[str, Any], told: str
) -> None:
    answer = answered(http.answer(200, _ITEM | change))
    assert answer["statusCode"] == 500
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert answer["json"]["detail"].startswith(told)
    assert answer["json"]["requestId"] == "abc"
    assert "canary" not in answer["body"]
    breach, line = lines()
    assert (breach["level"], breach["breach"], breach["answered"]) == (
        "ERROR",
        answer["json"]["detail"],
        200,
    )
    assert line["status"] == 500


def test_a_missing_member_is_named(answered: Any) -> None:
    answer = answered(http.answer(200, {"price": "1.00"}))
    assert answer["json"]["detail"] == "The answer must contain ['id'] properties."


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            http.answer(201, _ITEM),
            f"The answer's status 201 is not described: name it in {_REMEDY}.",
        ),
        (
            http.Problem(409, "x"),
            f"The answer's status 409 is not described: name it in {_REMEDY}.",
        ),
        (http.answer(204, {}), "The answer's status 204 has no body."),
        (
            http.answer(200),
            "The answer's Content-Type must be application/json (it is missing).",
        ),
        (
            http.answer(404, {"detail": "x"}),
            "The answer's Content-Type must be application/problem+json (it is application/json).",
        ),
        (http.answer(200, {"id": float("nan")}), "The answer's body must be JSON."),
        (
            {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{"},
            "The answer's body must be JSON.",
        ),
    ],
    ids=str,
)
def test_an_answer_of_another_kind_is_a_breach_too(answered: Any, given: Any, told: str) -> None:
    answer = answered(given)
    assert (answer["statusCode"], answer["json"]["detail"]) == (500, told)


def test_a_content_type_may_have_parameters(answered: Any) -> None:
    given = http.answer(200, _ITEM, {"Content-Type": "application/json; charset=utf-8"})
    assert answered(given)["statusCode"] == 200


@pytest.mark.parametrize(
    ("route", "method"), [("/other", "GET"), ("/things/{id}", "PUT"), ("", "")]
)
def test_what_is_not_described_is_not_judged(answered: Any, route: str, method: str) -> None:
    answer = answered(http.answer(200, {"any": 1}), route=route, method=method)
    assert answer["statusCode"] == 200


def test_a_description_that_cannot_be_read_is_a_500_that_tells_nothing(
    answered: Any, description: Path, lines: Any
) -> None:
    description.unlink()
    answer = answered(http.answer(200, _ITEM))
    assert answer["json"]["detail"] == "Something went wrong on our side."
    assert lines()[0]["error"]["type"] == "FileNotFoundError"


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("#/components/schemas/Thnig", "Unresolvable ref: Thnig"),
        ("#/components/Thing", "Unresolvable ref: Thing"),
        ("Thing", "unknown url type: 'Thing'"),
    ],
)
def test_a_schema_that_is_nowhere_is_told_with_the_remedy(
    answered: Any, description: Path, lines: Any, reference: str, why: str
) -> None:
    text = description.read_text(encoding="utf-8")
    description.write_text(text.replace("#/components/schemas/Thing", reference), encoding="utf-8")
    answer = answered(http.answer(200, _ITEM))
    assert (answer["statusCode"], answer["json"]["detail"]) == (
        500,
        f"The answer's schema leads nowhere ({why}): name one that exists in {_REMEDY}.",
    )
    assert lines()[0]["message"] == "the answer breaks its description"


def test_the_file_is_looked_for_in_the_functions_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHECKED_ANSWERS", "common/nothing.json")
    handlers = Path(http.__file__).parents[1]
    with pytest.raises(FileNotFoundError) as missing:
        answers._description()
    assert missing.value.filename == str(handlers / "common" / "nothing.json")


def test_the_description_of_this_api_describes_what_its_functions_answer(
    call: Any, table: Any, create: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.setenv("CHECKED_ANSWERS", str(root / "openapi.json"))
    assert call(health, "api_health")["statusCode"] == 200
    item = create()
    answer = call(get_item, "api_get_item", pathParameters={"id": item["id"]})
    assert answer["statusCode"] == 200
    table.rows[item["id"]]["tags"] = {"S": "no list"}
    answer = call(get_item, "api_get_item", pathParameters={"id": item["id"]})
    assert answer["json"]["detail"] == "The answer's /tags must be array."


def test_where_nothing_is_named_nothing_is_imported() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import health; health.handler({}, None);"
        "print([n for n in ('fastjsonschema', 'common.answers', 'pathlib') if n in sys.modules])"
    )
    handlers = str(Path(http.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, handlers],
        capture_output=True,
        text=True,
        check=True,
        env={},
    )
    assert done.stdout.splitlines()[-1] == "[]"
