"""The document's schemas: which files they come from, and whether API Gateway takes them as models."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from policies.dialect_keywords import COMBINED, refused

REFERENCE = "#/components/schemas/"


def schema_problems(document: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the document's schemas, each by its file and place, and with references to them."""
    schemas = document.get("components", {}).get("schemas", {})
    bodies = _bodies(document, schemas)
    for name, schema in schemas.items():
        folder = "schemas" if name in bodies else "schemas/answers"
        file = f"{folder}/{name}.json"
        if not name.isalnum() or not name.isascii():
            yield f"{file}: a schema's name must be letters and digits only"
        yield from (f"{file}: {text}" for text in _schema("", schema, schemas))
    for reference in _references(document.get("paths")):
        if problem := _unknown(reference, schemas):
            yield f"reference '{reference}': {problem}"


def _bodies(document: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    """Names of the schemas that bodies are validated against; the others are models of answers."""
    operations = [part for item in document.get("paths", {}).values() for part in item.values()]
    waiting = [ref for o in operations for ref in _references(o.get("requestBody"))]
    found = set[str]()
    while waiting:
        name = waiting.pop().removeprefix(REFERENCE)
        if name not in found:
            found.add(name)
            waiting += _references(schemas.get(name))
    return found


def _schema(at: str, schema: Any, schemas: Collection[str]) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield f"{at or 'it'} must be a schema, which is an object"
        return
    broken = {word: text for word, value in schema.items() if (text := refused(word, value))}
    yield from (f"{_join(at, word)} {text}" for word, text in broken.items())
    if schema.get("exclusiveMaximum") is True and "maximum" not in schema:
        yield f"{_join(at, 'exclusiveMaximum')} says nothing without maximum"
    sound = {word: value for word, value in schema.items() if word not in broken}
    if "$ref" in sound and (problem := _unknown(sound["$ref"], schemas)):
        yield f"{_join(at, '$ref')} is '{sound['$ref']}': {problem}"
    for part in COMBINED:
        if any(isinstance(one, dict) and "$ref" in one for one in sound.get(part, [])):
            yield f"{_join(at, part)} may not hold a reference"
    for place, inner in _inside(at, sound):
        yield from _schema(place, inner, schemas)


def _inside(at: str, schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The schemas directly inside one, by their places."""
    for name, part in schema.get("properties", {}).items():
        yield f"{_join(at, 'properties')}.{name}", part
    for word in COMBINED:
        for number, part in enumerate(schema.get(word, [])):
            yield f"{_join(at, word)}[{number}]", part
    for word in ("items", "not", "additionalProperties"):
        if not isinstance(schema.get(word, True), bool):
            yield _join(at, word), schema[word]


def _join(at: str, word: str) -> str:
    return f"{at}.{word}" if at else word


def _unknown(reference: str, schemas: Collection[str]) -> str:
    if not reference.startswith(REFERENCE):
        return "only schemas of the same document can be referred to"
    known = reference.removeprefix(REFERENCE) in schemas
    return "" if known else "there is no such schema"


def _references(value: Any) -> list[str]:
    """Every reference inside a value, whatever it is of."""
    if isinstance(value, list):
        return [found for part in value for found in _references(part)]
    if not isinstance(value, dict):
        return []
    own = value.get("$ref")
    inner = [found for part in value.values() for found in _references(part)]
    return [own, *inner] if isinstance(own, str) else inner
