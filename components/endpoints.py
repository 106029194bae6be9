"""Method and path of a route, as API Gateway takes them.

Source: API Gateway developer guide, known issues of REST APIs and routes of HTTP APIs.
"""

from __future__ import annotations

import re
from types import UnionType

import pulumi

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "ANY")
DEFAULT = "$default"
"""The route of an HTTP API that takes what no other takes."""

_PART = re.compile(r"[A-Za-z0-9_.,:-]+|\{[A-Za-z0-9_.-]+\}")
_GREEDY = re.compile(r"\{[A-Za-z0-9_.-]+\+\}")
_RESERVED = ("/ping", "/sping")


def words(endpoint: str) -> str:
    """A route as part of a resource's name: `get-items-id` for `GET /items/{id}`."""
    return "-".join(re.findall(r"[a-z0-9]+", endpoint.lower()))


def variables(path: str) -> list[str]:
    """The names of a path's variables, `proxy` for `{proxy+}`."""
    return re.findall(r"{([\w.-]+)\+?}", path)


def check(endpoint: str) -> None:
    """Raise pulumi.RunError, in one line, for what is no method and path of an API."""
    method, _, path = endpoint.partition(" ")
    if method not in METHODS:
        raise pulumi.RunError(
            f"route '{endpoint}': must begin with one of {', '.join(METHODS)} and a space"
        )
    if not path.startswith("/"):
        raise pulumi.RunError(f"route '{endpoint}': the path must begin with /")
    if path in _RESERVED:
        raise pulumi.RunError(f"route '{endpoint}': {path} is API Gateway's own; choose another")
    parts = path.split("/")[1:]
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        if _PART.fullmatch(part) or (last and _GREEDY.fullmatch(part)) or parts == [""]:
            continue
        raise pulumi.RunError(
            f"route '{endpoint}': '{part}' must be letters, digits and _ . , : - or one whole variable, {{id}}; "
            "{proxy+} stands last"
        )
    names = variables(path)
    if len(set(names)) < len(names):
        raise pulumi.RunError(f"route '{endpoint}': a variable is there twice")


def several(endpoint: str, **given: object) -> None:
    """Raise pulumi.RunError for a text where several are meant: it would be read letter by letter."""
    for name, value in given.items():
        if isinstance(value, str):
            raise pulumi.RunError(f"route '{endpoint}': {name} must be a list, [\"{value}\"]")


def one_of(endpoint: str, value: object, kinds: UnionType, what: str) -> None:
    """Raise pulumi.RunError for a value of another kind: `what` says which it must be."""
    if not isinstance(value, kinds):
        raise pulumi.RunError(f"route '{endpoint}': {what} (got {type(value).__name__})")
