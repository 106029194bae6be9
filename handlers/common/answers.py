"""Answers against the API's own description (OpenAPI), for stacks that ask for it.

CHECKED_ANSWERS names the description, a file in the function's archive. Checking costs the library
and the compilation of a schema at the first answer of each kind, so nothing of this is imported
where the variable is absent.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.http import Answer, Request

_ARCHIVE = Path(__file__).resolve().parents[1]
_REMEDY = "`answers=` of the route, then `make schema`"


def breach(request: Request, answer: Answer) -> str | None:
    """How the answer breaks the description, in one sentence; None when it keeps to it.

    Answers on routes that the description does not have are not judged. Raises what reading the
    file raises.
    """
    described = _operation(request.route, request.method)
    if described is None:
        return None
    status = str(answer["statusCode"])
    response = described["responses"].get(status)
    if response is None:
        return f"The answer's status {status} is not described: name it in {_REMEDY}."
    return _body_breach(request, status, response.get("content"), answer)


def _body_breach(
    request: Request, status: str, content: dict[str, Any] | None, answer: Answer
) -> str | None:
    if not content:
        return f"The answer's status {status} has no body." if answer["body"] else None
    kind = answer["headers"].get("Content-Type", "").partition(";")[0].strip()
    if kind not in content:
        return (
            f"The answer's Content-Type must be {' or '.join(content)} (it is {kind or 'missing'})."
        )
    try:
        value = json.loads(answer["body"], parse_constant=_refuse_constant)
    except ValueError:
        return "The answer's body must be JSON."
    try:
        check = _check(request.route, request.method, status, kind)
    except (ValueError, OSError) as error:  # a reference to elsewhere is looked for as an address
        return f"The answer's schema leads nowhere ({error}): name one that exists in {_REMEDY}."
    return _value_breach(check, value)


def _value_breach(check: Callable[[Any], Any], value: object) -> str | None:
    from fastjsonschema import JsonSchemaValueException

    try:
        check(value)
    except JsonSchemaValueException as error:
        pointer = "".join(f"/{step}" for step in error.path[1:])
        place = f"The answer's {pointer}" if pointer else "The answer"
        return f"{place}{error.message.removeprefix(str(error.name))}."
    return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


@functools.cache
def _description() -> dict[str, Any]:
    path = _ARCHIVE / os.environ["CHECKED_ANSWERS"]
    return json.loads(path.read_text(encoding="utf-8"))


def _operation(route: str, method: str) -> dict[str, Any] | None:
    return _description()["paths"].get(route, {}).get(method.lower())


@functools.cache
def _check(route: str, method: str, status: str, kind: str) -> Callable[[Any], Any]:
    """The compiled check of a body; it raises JsonSchemaValueException."""
    import fastjsonschema

    operation = _description()["paths"][route][method.lower()]
    schema = operation["responses"][status]["content"][kind]["schema"]
    # References start at the description's root.
    whole = {"allOf": [schema], "components": _description()["components"]}
    return fastjsonschema.compile(whole)
