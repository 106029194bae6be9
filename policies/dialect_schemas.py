"""Schemas as API Gateway's models take them: JSON Schema draft-04, and less."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KNOWN = frozenset(
    {
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "description",
        "enum",
        "exclusiveMaximum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "not",
        "oneOf",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
        "uniqueItems",
    }
)
"""Keywords of draft-04 that API Gateway takes. It does not check `minItems` and `maxItems`: handlers must.

`nullable`, `example`, `readOnly`, `default`, `discriminator`, `exclusiveMinimum`, `const`, `if` ... are refused or dropped.
"""
UNKNOWN_FORMATS = frozenset({"int32", "int64", "decimal"})
TYPES = frozenset({"array", "boolean", "integer", "number", "object", "string"})
COMBINED = ("allOf", "anyOf", "oneOf")


def schema_problems(document: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the document's schemas, and with references to them."""
    schemas = document.get("components", {}).get("schemas", {})
    for name, schema in schemas.items():
        if not name.isalnum() or not name.isascii():
            yield f"schema '{name}': names are letters and digits only"
        yield from _schema(f"schema '{name}'", schema)
    for reference in _references(document):
        if not reference.startswith("#/components/schemas/"):
            yield f"reference '{reference}': only schemas of the same document can be referred to"
        elif reference.rsplit("/", 1)[1] not in schemas:
            yield f"reference '{reference}': there is no such schema"


def _schema(where: str, schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield f"{where}: must be an object"
        return
    for keyword in sorted(set(schema) - KNOWN):
        yield f"{where}: API Gateway does not take '{keyword}' (draft-04 only)"
    if isinstance(schema.get("type"), list) or schema.get("type", "object") not in TYPES:
        yield f"{where}: type must be one of {', '.join(sorted(TYPES))}; leave an optional property out of required"
    if schema.get("format") in UNKNOWN_FORMATS:
        yield f"{where}: format {schema['format']} is not known"
    if not isinstance(schema.get("exclusiveMaximum", False), bool):
        yield f"{where}: exclusiveMaximum is true or false in draft-04"
    for part in COMBINED:
        if any("$ref" in branch for branch in schema.get(part, [])):
            yield f"{where}: {part} may not hold a reference"
    yield from _inside(where, schema)


def _inside(where: str, schema: dict[str, Any]) -> Iterator[str]:
    for name, part in schema.get("properties", {}).items():
        yield from _schema(f"{where}.{name}", part)
    for part in COMBINED:
        for branch in schema.get(part, []):
            yield from _schema(f"{where}.{part}", branch)
    for part in ("items", "not"):
        if part in schema:
            yield from _schema(f"{where}.{part}", schema[part])
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        yield from _schema(f"{where}.additionalProperties", extra)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)
