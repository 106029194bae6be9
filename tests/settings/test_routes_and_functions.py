"""What the program asks its settings for, and the routes they know: one line where something is not said yet."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pulumi
import pytest

from settings import SCHEDULED, STREAM_CONSUMERS, Settings, mistakes, wiring
from settings.fields import choices
from settings.other_names import OF_A_FIXTURE
from settings.sections import SECTIONS
from tests.settings.helper import load
from tests.support.program import Run

INTEGRATION = "x-amazon-apigateway-integration"
METHODS = {"x-amazon-apigateway-any-method": "ANY"}


@contextmanager
def one_more(handlers: Path, name: str) -> Generator[None]:
    """A handler that was added and is not joined to anything yet."""
    file = handlers / f"{name.replace('-', '_')}.py"
    file.touch()
    try:
        yield
    finally:
        file.unlink()


def called(uri: object) -> str | None:
    """The function that an integration calls, None where it calls none."""
    found = re.search(r"function:sandpiper-dev-([a-z-]+):", str(uri))
    return found[1] if found else None


def ended(settings: Settings, kind: str, name: str) -> str:
    """The line that asking for a name ends with."""
    with pytest.raises(pulumi.RunError) as error:
        getattr(settings, kind)(name)
    return str(error.value)


@pytest.mark.parametrize("kind", ["function", "family"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "create-opinion",
            "handlers/create_opinion.py is missing, or a folder handlers/create_opinion/ in another language",
        ),
        (
            "delete-opinion",
            "handlers/delete_opinion.py is missing, or a folder handlers/delete_opinion/ in another language",
        ),
        ("creat-item", "did you mean 'create-item'?"),
        ("create_item", "did you mean 'create-item'?"),
    ],
)
def test_function_without_a_handler_is_told_which_file_is_missing(
    kind: str, name: str, text: str, handlers: Path
) -> None:
    line = f"settings.function('{name}'): no such function; {text}"
    assert ended(load(handlers=handlers), kind, name) == line


@pytest.mark.parametrize("kind", ["function", "family"])
def test_function_that_a_stack_leaves_out_is_not_taken_for_an_unknown_one(
    kind: str, handlers: Path
) -> None:
    off = load({"functions": {"checksum": {"enabled": False}}}, handlers=handlers)
    for name in ("checksum", "inference"):
        assert ended(off, kind, name) == (
            f"settings.function('{name}'): no such function in this stack, whose file switches it off or does not say where "
            "its code is; ask whether config.functions has it"
        )


def test_family_of_every_function_that_exists_is_known(handlers: Path) -> None:
    found = load(handlers=handlers)
    assert {name: found.family(name) for name in found.functions} == {
        name: found.families[name] for name in found.functions
    }
    assert (found.family("products"), found.family("health")) == ("nodejs", "python")


@pytest.mark.parametrize(
    ("kind", "table"),
    [("stream", "STREAM_CONSUMERS or KINESIS_CONSUMERS"), ("schedule", "SCHEDULED")],
)
def test_consumer_that_the_wiring_does_not_know_is_told_where_to_add_it(
    kind: str, table: str, handlers: Path
) -> None:
    assert all(hasattr(wiring, name) for name in table.split(" or "))
    with one_more(handlers, "create-opinion"):
        found = load(handlers=handlers)
    remedy = f"no such {kind}; add it to {table} in settings/wiring.py"
    for name in ("create-opinion", "health"):
        assert ended(found, kind, name) == f"settings.{kind}('{name}'): {remedy}"


def test_misspelt_consumer_is_told_which_one_is_meant(handlers: Path) -> None:
    found = load(handlers=handlers)
    for kind, known in (("stream", STREAM_CONSUMERS), ("schedule", SCHEDULED)):
        for name in known:
            assert ended(found, kind, f"{name}s").endswith(f"; did you mean '{name}'?")


def test_rest_routes_that_the_wiring_knows_are_the_programs(dev: Run) -> None:
    body = json.loads(str(dev.one("aws:apigateway/restApi:RestApi", "api-rest").get("body")))
    found = {
        f"{METHODS.get(method, method.upper())} {path}": called(operation[INTEGRATION]["uri"])
        for path, methods in body["paths"].items()
        for method, operation in methods.items()
        # The gateway answers preflights by itself.
        if method != "options"
    }
    assert found == wiring.REST_ROUTES, "another route? REST_ROUTES in settings/wiring.py"


def test_other_routes_that_the_wiring_knows_are_the_programs(dev: Run) -> None:
    behind = {
        f"integrations/{part.output('id')}": called(part.get("integrationUri"))
        for part in dev.all("aws:apigatewayv2/integration:Integration")
    }
    routes = dev.all("aws:apigatewayv2/route:Route")
    http = [route for route in routes if route.name.startswith("http-")]
    # The API answers preflights by itself.
    asked = [route for route in http if not str(route.get("routeKey")).startswith("OPTIONS ")]
    found = {str(route.get("routeKey")): behind[str(route.get("target"))] for route in asked}
    assert found == wiring.HTTP_ROUTES, "another route? HTTP_ROUTES in settings/wiring.py"
    rest = {behind[str(route.get("target"))] for route in routes if route not in http}
    assert rest == set(wiring.SOCKET_FUNCTIONS)


def test_parts_that_say_they_cannot_be_switched_off_are_those_that_cannot() -> None:
    fixed = {key for key, model in SECTIONS.items() if model.other_names is OF_A_FIXTURE}
    assert fixed == {"api", "http_api", "socket", "identity"}
    for key, model in SECTIONS.items():
        assert ("enabled" in model.model_fields) == (key in OF_A_FIXTURE["enabled"]), key


def test_every_word_that_yaml_takes_for_a_switch_is_named_where_it_is_due() -> None:
    for model in SECTIONS.values():
        for name, field in model.model_fields.items():
            words = {str(word) for word in choices(field.annotation)} & {"ON", "OFF", "YES", "NO"}
            lines: list[mistakes.Mistake] = []
            for given in (True, False) if words else ():
                mistakes.checked(model, {name: given}, (), lines)
            told = " ".join(mistake.text for mistake in lines)
            assert all(f'write "{word}" in quotes' in told for word in words), name
