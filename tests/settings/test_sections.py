"""The sections of a stack file as the program gets them, and what a stage answers for its routes."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from settings import ApiSettings, HttpApiSettings, HttpRouteSettings, RouteSettings, Settings
from settings.reader import KEYS
from settings.sections import SECTIONS
from settings.stages import RouteRates
from tests.settings.helper import load, refused


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_an_attribute_of_its_own(section: str, handlers: Path) -> None:
    assert getattr(load(handlers=handlers), section) == SECTIONS[section]()


def test_settings_hold_what_a_stack_file_may_say_and_which_handlers_there_are() -> None:
    assert {key.name for key in fields(Settings)} == {*KEYS, "stack", "families"}


def test_mistakes_come_in_the_order_of_the_sections(handlers: Path) -> None:
    lines = refused({section: {"no": 1} for section in reversed(SECTIONS)}, handlers=handlers)
    assert [line.split()[1].split(".")[0] for line in lines] == list(SECTIONS)


@pytest.mark.parametrize(
    ("own", "rates"),
    [
        ({}, (8, 4)),
        ({"throttle_rate_limit": 0.5}, (0.5, 4)),
        ({"throttle_burst_limit": 1}, (8, 1)),
        ({"throttle_rate_limit": 9, "throttle_burst_limit": 6}, (9, 6)),
    ],
)
@pytest.mark.parametrize(
    ("stage", "route"), [(ApiSettings, RouteSettings), (HttpApiSettings, HttpRouteSettings)]
)
def test_route_lets_through_what_it_says_itself_and_otherwise_what_the_stage_says(
    stage: type[ApiSettings | HttpApiSettings],
    route: type[RouteRates],
    own: dict[str, float],
    rates: tuple[float, int],
) -> None:
    given = {
        "throttle_rate_limit": 8,
        "throttle_burst_limit": 4,
        "routes": {"GET /a": route(**own)},
    }
    settings = stage.model_validate(given)
    assert settings.rates("GET /a") == rates
    assert settings.rates("GET /b") == (8, 4)


def test_answers_are_kept_for_routes_that_say_so_only() -> None:
    routes = {
        "GET /a": RouteSettings(cache_ttl_in_seconds=30),
        "GET /b": RouteSettings(throttle_burst_limit=2),
    }
    settings = ApiSettings(routes=routes)
    assert [settings.cache_ttl(f"GET /{name}") for name in "abc"] == [30, 0, 0]
