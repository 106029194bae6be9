"""The URNs of each shipped stack, as they are in people's state files.

A changed URN is a resource deleted and created again, unless it carries an alias. So a rename is never by accident: the
test compares with these files, and `python -m tests.support.urns --write` writes them anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from policies import Registered
from tests.support.program import Run

FOLDER = Path(__file__).parent


def urns(run: Run) -> str:
    """One URN a line, sorted, as the engine makes them: with the types of all parents but the stack's own."""
    by_urn = {resource.urn: resource for resource in run.resources}
    lines = {f"{_urn(run.stack, _types(r, by_urn), r.name)}\n" for r in run.resources}
    return "".join(sorted(lines))


def _urn(stack: str, types: str, name: str) -> str:
    return f"urn:pulumi:{stack}::sandpiper::{types}::{name}"


def _types(resource: Registered, by_urn: Mapping[str, Registered]) -> str:
    parent = by_urn.get(resource.parent)
    if parent is None or parent.type == "pulumi:pulumi:Stack":
        return resource.type
    return f"{_types(parent, by_urn)}${resource.type}"


def kept(stack: str) -> str:
    """The URNs that a stack is expected to have; empty where none were written yet."""
    file = FOLDER / f"{stack}.txt"
    return file.read_text(encoding="utf-8") if file.exists() else ""
