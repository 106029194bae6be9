"""Whether `openapi.json` of the program's folder has the routes of the REST API that was just declared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sandbox.place import read_json
from sandbox.reference import DOCUMENT

if TYPE_CHECKING:
    from sandbox.session import Outcome

_API: Final = "aws:apigateway/restApi:RestApi"
_METHODS: Final = frozenset(("delete", "get", "head", "patch", "post", "put"))
"""What people call; preflights are the gateway's own, and a method for all others describes none."""


def faults(outcome: Outcome, root: Path) -> list[str]:
    """A line where the file lacks a route or has one too many; nothing without a file, or with several REST APIs."""
    bodies = [r.inputs.get("body") for r in outcome.engine.registered.values() if r.type == _API]
    described = read_json(root / DOCUMENT)
    if len(bodies) != 1 or not isinstance(bodies[0], str) or not isinstance(described, dict):
        return []
    declared, written = _routes(json.loads(bodies[0])), _routes(described)
    parts = [
        *_named("does not have ", declared - written, ""),
        *_named("has ", written - declared, ", which the program lacks"),
    ]
    remedy = ": make schema" if (root / "tools" / "openapi.py").is_file() else ""
    return [f"{DOCUMENT} {' and '.join(parts)}{remedy}"] if parts else []


def _named(before: str, routes: set[str], after: str) -> Iterable[str]:
    if routes:
        yield f"{before}{', '.join(sorted(routes))}{after}"


def _routes(document: Mapping[str, Any]) -> set[str]:
    """`GET /items/{id}` and so on; a parameter for the rest of a path is none of OpenAPI's."""
    found: set[str] = set()
    for path, item in (document.get("paths") or {}).items():
        plain = path.replace("+}", "}")
        methods = _METHODS & item.keys() if isinstance(item, Mapping) else frozenset[str]()
        found |= {f"{method.upper()} {plain}" for method in methods}
    return found
