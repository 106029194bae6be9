"""`up` and `watch` say where the API's document and its routes have come apart."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox import described
from tests.sandbox.cli_support import HEAD, Project, Watching

MOCK = {
    "responses": {"200": {"description": "ok"}},
    "x-amazon-apigateway-integration": {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200"}},
    },
}
API = "aws:apigateway/restApi:RestApi"


def body(*routes: str) -> str:
    paths: dict[str, Any] = {}
    for route in routes:
        method, path = route.split(" ")
        paths.setdefault(path, {})[method] = MOCK
    about = {"title": "items", "version": "1"}
    return json.dumps({"openapi": "3.0.1", "info": about, "paths": paths})


def said(root: Path, *bodies: Any) -> list[str]:
    made = {
        str(number): SimpleNamespace(type=API, inputs={"body": text})
        for number, text in enumerate(bodies)
    }
    return described.faults(SimpleNamespace(engine=SimpleNamespace(registered=made)), root)  # type: ignore[arg-type]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "openapi.json").write_text(body("get /items", "get /all/{path}", "put /items"))
    return tmp_path


SAME = ("get /items", "get /all/{path+}", "put /items", "options /items", "x-any /all")


def test_document_with_the_same_routes_is_not_spoken_of(root: Path) -> None:
    assert said(root, body(*SAME)) == []


def test_routes_that_one_of_them_lacks_are_named_in_one_line(root: Path) -> None:
    assert said(root, body(*SAME, "post /x", "get /x")) == [
        "openapi.json does not have GET /x, POST /x"
    ]
    assert said(root, body(*SAME[:2])) == ["openapi.json has PUT /items, which the program lacks"]
    (root / "tools").mkdir()
    (root / "tools" / "openapi.py").touch()
    assert said(root, body(*SAME[:2], "post /x")) == [
        "openapi.json does not have POST /x and has PUT /items, which the program lacks: make schema"
    ]


@pytest.mark.parametrize("bodies", [(), (None,), (body(), body())])
def test_what_cannot_be_compared_is_passed_over(root: Path, bodies: tuple[Any, ...]) -> None:
    assert said(root, *bodies) == []


@pytest.mark.parametrize("text", ["", "[]", None])
def test_document_that_is_none_is_passed_over(root: Path, text: str | None) -> None:
    (root / "openapi.json").unlink()
    if text is not None:
        (root / "openapi.json").write_text(text)
    assert said(root, body("get /x")) == []


def test_up_and_watch_say_it(tmp_path: Path) -> None:
    def program(*routes: str) -> str:
        return f"{HEAD}Resource({API!r}, 'api', body={body(*routes)!r})\n"

    project = Project(tmp_path / "shop", program("get /x"))
    (project.root / "openapi.json").write_text(body())
    try:
        assert project.run("up").stderr == "openapi.json does not have GET /x\n"
        watching = Watching(project)
        watching.waits_for("Watching; Ctrl-C ends it")
        project.write(program("get /x", "get /y"))
        watching.waits_for("openapi.json does not have GET /x, GET /y")
        (project.root / "openapi.json").write_text(body("get /x"))
        watching.waits_for("openapi.json does not have GET /y")
        assert watching.end() == 0
    finally:
        project.run("down")
