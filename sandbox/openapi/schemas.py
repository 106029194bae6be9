"""Models: which JSON Schema API Gateway takes (draft 4, and not all of it), and how it stores it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from sandbox.openapi.problems import Place

_NAME: Final = re.compile(r"[A-Za-z0-9]+")
_REFERENCE: Final = "#/components/schemas/"
_DRAFT: Final = "http://json-schema.org/draft-04/schema#"
_TYPES: Final = {"array", "boolean", "integer", "number", "object", "string"}
_FORMATS: Final = {"int32", "int64", "decimal"}
_COMBINING: Final = ("allOf", "anyOf", "oneOf")

_KNOWN: Final = {
    "$ref",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "dependencies",
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
    "patternProperties",
    "properties",
    "required",
    "title",
    "type",
    "uniqueItems",
}
_LATER: Final = (
    "$anchor",
    "$defs",
    "$dynamicRef",
    "$id",
    "const",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "examples",
    "if",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_DROPPED: Final = (
    "default",
    "deprecated",
    "discriminator",
    "example",
    "externalDocs",
    "writeOnly",
    "xml",
)
REFUSED: Final = {
    **dict.fromkeys(_LATER, "this keyword came after JSON Schema draft 4, which API Gateway reads"),
    **dict.fromkeys(
        _DROPPED, "API Gateway does not take this keyword; keep it in the document for readers"
    ),
    "exclusiveMinimum": "API Gateway does not take exclusiveMinimum; use minimum",
    "nullable": "API Gateway does not take nullable; make the property optional",
    "readOnly": "API Gateway does not take readOnly; leave the property out of the request's schema",
}


def check_models(schemas: Mapping[str, Any], at: Place) -> None:
    """Note every mistake in the named schemas of a document."""
    for name, schema in schemas.items():
        if not _NAME.fullmatch(name):
            (at / name).wrong("a model's name has letters and digits only")
        check_schema(schema, at / name, schemas)


def check_schema(schema: Any, at: Place, names: Collection[str]) -> None:
    """Note every mistake in one schema, at any depth; `names` are the models it may refer to."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        at.wrong("a schema must be an object")
        return
    at.keys(schema, _KNOWN, REFUSED)
    _check_reference(schema, at, names)
    _check_type(schema, at)
    for step, inner in _inner(schema):
        place = at
        for part in step:
            place = place / part
        check_schema(inner, place, names)


def _inner(schema: Mapping[str, Any]) -> list[tuple[tuple[str | int, ...], Any]]:
    """The schemas directly inside one, with the steps that lead there."""
    named = [(key, schema.get(key)) for key in ("dependencies", "patternProperties", "properties")]
    listed = [(key, schema.get(key)) for key in (*_COMBINING, "items")]
    single = [
        (key, schema.get(key))
        for key in ("additionalItems", "additionalProperties", "items", "not")
    ]
    return [
        *(
            ((key, name), part)
            for key, value in named
            if isinstance(value, dict)
            for name, part in value.items()
            if key != "dependencies" or isinstance(part, dict)
        ),
        *(
            ((key, index), part)
            for key, value in listed
            if isinstance(value, list)
            for index, part in enumerate(value)
        ),
        *(((key,), value) for key, value in single if isinstance(value, dict)),
    ]


def _check_reference(schema: Mapping[str, Any], at: Place, names: Collection[str]) -> None:
    reference = schema.get("$ref")
    if reference is not None and model_name(reference) not in names:
        (at / "$ref").wrong(
            f"{reference!r} names no schema under #/components/schemas of this document"
        )
    for key in _COMBINING:
        parts = schema.get(key) or []
        if key in schema and (
            reference is not None or any(isinstance(p, dict) and "$ref" in p for p in parts)
        ):
            (at / key).wrong(
                f"API Gateway does not take {key} together with $ref in one schema; write it out"
            )


def _check_type(schema: Mapping[str, Any], at: Place) -> None:
    kind = schema.get("type")
    if isinstance(kind, list):
        (at / "type").wrong("API Gateway keeps one of several types without a word; name one type")
    elif kind is not None and kind not in _TYPES:
        (at / "type").wrong(f"must be one of {', '.join(sorted(_TYPES))} (got {kind!r})")
    if schema.get("format") in _FORMATS:
        (at / "format").wrong(
            f"API Gateway does not take the format {schema['format']}; use minimum and maximum"
        )
    if "exclusiveMaximum" in schema and not isinstance(schema["exclusiveMaximum"], bool):
        (at / "exclusiveMaximum").wrong(
            "must be true or false beside maximum, as in JSON Schema draft 4"
        )


def model_name(reference: Any) -> str | None:
    """The name in a reference to a schema of this document, else None."""
    text = str(reference)
    return text.removeprefix(_REFERENCE) if text.startswith(_REFERENCE) else None


def stored(schema: Any, api_id: str) -> dict[str, Any]:
    """A model's schema as API Gateway stores it: references by URL, array lengths not validated.

    API Gateway takes minItems and maxItems and does not enforce them; the emulator would, so they are left out.
    """
    return {"$schema": _DRAFT, **_stored(schema, api_id)}


def _stored(value: Any, api_id: str) -> Any:
    if isinstance(value, list):
        return [_stored(inner, api_id) for inner in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for key, inner in value.items():
        if key in ("minItems", "maxItems") and isinstance(inner, int | float):
            continue
        name = model_name(inner) if key == "$ref" else None
        made[key] = (
            f"https://apigateway.amazonaws.com/restapis/{api_id}/models/{name}"
            if name
            else _stored(inner, api_id)
        )
    return made
