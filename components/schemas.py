"""The JSON schemas of bodies and answers, by the names of their files.

Those of bodies are draft-04 in API Gateway's dialect and validate. Those of answers are for people, clients and the
check of answers; the gateway only keeps them as models, in a reduced form.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pulumi

DRAFT_04 = "http://json-schema.org/draft-04/schema#"
UNKNOWN_TO_THE_GATEWAY = frozenset({"$schema", "examples", "format", "title"})
"""Keywords of answers that API Gateway's import refuses, or that say nothing to it."""


@dataclass(frozen=True)
class Schemas:
    """What stands in schemas/ and in schemas/answers/, without `$schema`."""

    bodies: Mapping[str, Any] = field(default_factory=dict[str, Any])
    answers: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def body(self, name: str, said: str) -> Any:
        """The schema of a body; pulumi.RunError where there is none, for what said its name."""
        return _known(self.bodies, name, said, "schemas")

    def models(self, asked: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """Answers, and what they refer to, as models of API Gateway; `asked` are names with who said them."""
        found: dict[str, Any] = {}
        waiting = list(asked)
        while waiting:
            name, said = waiting.pop()
            if name not in found:
                found[name] = reduced(_known(self.answers, name, said, "schemas/answers"))
                waiting += [(other, f"schemas/answers/{name}.json") for other in named(found[name])]
        return found


def read_schemas(folder: Path) -> Schemas:
    """All schemas of a folder and of its folder `answers`: `ItemInput.json` is `ItemInput`.

    `$schema` tells editors the draft; API Gateway's import does not know it, so it is left out. Raises pulumi.RunError,
    in one line with the file, for what is no JSON object, a body's schema of another draft, and a name that both have.
    """
    bodies = {file.stem: _read(file, draft=DRAFT_04) for file in sorted(folder.glob("*.json"))}
    answers = {file.stem: _read(file) for file in sorted((folder / "answers").glob("*.json"))}
    if both := sorted(bodies.keys() & answers.keys()):
        raise pulumi.RunError(
            f"schemas/{both[0]}.json: schemas/answers/ has one of this name, too; call this one {both[0]}Input"
        )
    return Schemas(bodies, answers)


def reduced(schema: Any) -> Any:
    """A schema of an answer as API Gateway can keep it.

    It has no `null`: a member that may be null is one that may be left out of the model's promise.
    """
    if isinstance(schema, list):
        return [reduced(part) for part in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    pairs = cast("dict[str, Any]", schema)
    found = {key: reduced(part) for key, part in pairs.items() if key not in UNKNOWN_TO_THE_GATEWAY}
    if "const" in found:
        found["enum"] = [found.pop("const")]
    kinds = pairs.get("type")
    if isinstance(kinds, list):
        found["type"] = next(kind for kind in cast("list[str]", kinds) if kind != "null")
    properties = cast("dict[str, Any]", pairs.get("properties", {}))
    required = [name for name in pairs.get("required", []) if not _may_be_null(properties, name)]
    if "required" in pairs:
        found.pop("required")
        found |= {"required": required} if required else {}
    return found


def _may_be_null(properties: Mapping[str, Any], name: str) -> bool:
    return "null" in (properties.get(name, {}).get("type") or ())


def named(schema: Any) -> list[str]:
    """Names that a schema refers to."""
    parts = json.dumps(schema).split('"#/components/schemas/')[1:]
    return [part.split('"')[0] for part in parts]


def _read(file: Path, draft: str | None = None) -> dict[str, Any]:
    name = f"{'schemas/answers' if file.parent.name == 'answers' else 'schemas'}/{file.name}"
    try:
        schema = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise pulumi.RunError(f"{name}: is no JSON: {error}") from None
    if not isinstance(schema, dict):
        raise pulumi.RunError(f"{name}: must be a JSON object")
    pairs = cast("dict[str, Any]", schema)
    if draft and pairs.get("$schema", draft) != draft:
        raise pulumi.RunError(f"{name}: API Gateway reads {draft} only (got {pairs['$schema']})")
    return {key: value for key, value in pairs.items() if key != "$schema"}


def _known(schemas: Mapping[str, Any], name: str, said: str, folder: str) -> Any:
    if name in schemas:
        return schemas[name]
    near = difflib.get_close_matches(name, schemas, 1)
    hint = f"did you mean '{near[0]}'?" if near else "make it"
    raise pulumi.RunError(f"{said}: there is no {folder}/{name}.json; {hint}")
