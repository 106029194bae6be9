"""Words for a route that the program does not have: what was meant, where it is, or where a new one is said."""

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from settings import wiring

ROUTES: Final[Mapping[str, tuple[str, Mapping[str, str | None]]]] = MappingProxyType(
    {
        "api": ("REST_ROUTES", wiring.REST_ROUTES),
        "http_api": ("HTTP_ROUTES", wiring.HTTP_ROUTES),
    }
)
"""Section -> the name of its table in settings/wiring.py, and the table."""

_LONGEST: Final = 100
"""Characters of a route that are compared."""


def wrong(section: str, route: str) -> str:
    """Return what is wrong with a route that a section of the stack file names; empty text for one that there is."""
    table, known = ROUTES[section]
    if route in known:
        return ""
    for other, (_, routes) in ROUTES.items():
        if route in routes:
            return f"no such route; it is a route of {other}"
    if meant := _meant(route, known):
        return f"no such route; did you mean '{meant}'?"
    return (
        f"no such route; known: {', '.join(known)}; "
        f"a new route goes into {table} of settings/wiring.py"
    )


def _meant(given: str, known: Mapping[str, object]) -> str:
    """Return the route that differs by a slip in the method or in the path, not in both.

    A path of other parts is another path, however much of it is the same: it is not written yet, rather than misspelt.
    """
    method, path = _parts(given[:_LONGEST])
    near: list[str] = []
    for route in known:
        known_method, known_path = _parts(route)
        same_method, same_path = method == known_method, path == known_path
        if (same_method and _near_paths(path, known_path)) or (
            same_path and _near(method, known_method)
        ):
            near.append(route)
    return max(near, key=lambda route: _likeness(given[:_LONGEST], route), default="")


def _parts(route: str) -> tuple[str, tuple[str, ...]]:
    """Return method and path in parts, without regard to case, to slashes at the ends and to how variables are named."""
    method, _, path = route.casefold().strip().partition(" ")
    parts = path.strip().strip("/").split("/")
    return method, tuple(re.sub(r"(?:{\w*}|:\w+|<\w+>)", "{}", part) for part in parts)


def _near_paths(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return len(one) == len(other) and all(map(_near, one, other))


def _near(one: str, other: str) -> bool:
    return one == other or _likeness(one, other) >= 0.65


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()
