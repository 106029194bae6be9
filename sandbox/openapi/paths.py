"""Paths as API Gateway's tree of resources takes them."""

from __future__ import annotations

import re
from typing import Final

from sandbox.openapi.problems import Place

_LITERAL: Final = re.compile(r"[A-Za-z0-9_.,:-]+")
_VARIABLE: Final = re.compile(r"\{[A-Za-z0-9_.:-]+\+?\}")
_RESERVED: Final = ("/ping", "/sping")


def check_paths(paths: list[str], at: Place) -> None:
    """Note every path that API Gateway refuses, alone or beside another."""
    variables: dict[str, tuple[str, str]] = {}
    for path in paths:
        place = at / path
        if not path.startswith("/") or (path != "/" and path.endswith("/")):
            place.wrong("must start with a slash and not end with one")
            continue
        if path in _RESERVED:
            place.wrong("API Gateway keeps this path for itself")
        for parent, segment in _segments(path):
            _check_segment(parent, segment, place)
            first = (
                variables.setdefault(parent, (segment, path)) if segment.startswith("{") else None
            )
            if first and first[0] != segment:
                place.wrong(
                    f"{segment} stands where {first[1]} has {first[0]}: one place has one variable"
                )


def _segments(path: str) -> list[tuple[str, str]]:
    """Each segment with the path above it."""
    parts = [part for part in path.split("/") if part]
    return [("/" + "/".join(parts[:index]), part) for index, part in enumerate(parts)]


def _check_segment(parent: str, segment: str, place: Place) -> None:
    if parent.endswith("+}"):
        place.wrong(f"nothing may lie below {parent.rpartition('/')[2]}")
    if _LITERAL.fullmatch(segment) or _VARIABLE.fullmatch(segment):
        return
    if "{" in segment:
        place.wrong(f"a variable must be a whole segment (got {segment!r})")
    else:
        place.wrong(f"a segment has letters, digits and _ - . , : only (got {segment!r})")
