"""An OpenAPI 3.0 document in API Gateway's dialect, read into a plan.

What API Gateway's import refuses, or drops with a warning that `failOnWarnings` turns into a refusal, is a mistake
here with its JSON path, so that the first deployment does not fail on what the sandbox took. Sources: the API Gateway
developer guide, "Amazon API Gateway important notes" (REST APIs) and "OpenAPI extensions for API Gateway".
"""

from __future__ import annotations

import json
from typing import Any, Final

from sandbox.openapi.gateway import gateway_responses
from sandbox.openapi.operations import Reading, path_methods
from sandbox.openapi.paths import check_paths
from sandbox.openapi.plan import Method, Plan
from sandbox.openapi.problems import EXTENSION, DialectError, Place
from sandbox.openapi.schemas import check_models
from sandbox.openapi.security import schemes

_ROOT: Final = {
    "components",
    "externalDocs",
    "info",
    "openapi",
    "paths",
    "servers",
    "tags",
    *(
        EXTENSION + name
        for name in (
            "api-key-source",
            "binary-media-types",
            "documentation",
            "gateway-responses",
            "minimum-compression-size",
            "policy",
            "request-validator",
            "request-validators",
        )
    ),
}
_ROOT_REFUSED: Final = {
    "security": "API Gateway does not read security here; put it on every operation",
    f"{EXTENSION}endpoint-configuration": "in OpenAPI 3.0 this belongs inside servers",
}
_SERVER: Final = {"description", "url", "variables", f"{EXTENSION}endpoint-configuration"}
_COMPONENTS_REFUSED: Final = dict.fromkeys(
    ("callbacks", "examples", "headers", "links", "parameters", "requestBodies", "responses"),
    "API Gateway does not follow references to it; write it where it is used",
)
_KEY_SOURCES: Final = ("HEADER", "AUTHORIZER")
_MOST_COMPRESSION: Final = 10_485_760
"""Largest `minimumCompressionSize` in bytes."""


def read(text: str) -> Plan:
    """The plan of the API that a document (JSON) describes.

    Raises DialectError with one line for each mistake, by the JSON path of its place.
    """
    at = Place()
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DialectError([f"$: the body is not JSON: {error}"]) from None
    plan = _plan(at.object(document), at)
    if at.found:
        raise DialectError(at.found)
    return plan


def _plan(document: dict[str, Any], at: Place) -> Plan:
    at.keys(document, _ROOT, _ROOT_REFUSED)
    info = _info(document, at)
    reading = _reading(document, at)
    methods = _methods(document, reading, at / "paths")
    gateway = f"{EXTENSION}gateway-responses"
    responses = (at / gateway).object(document.get(gateway))
    return Plan(
        title=str(info.get("title", "")),
        description=str(info.get("description", "")),
        version=str(info.get("version", "")),
        methods=methods,
        models=reading.models,
        validators=reading.validators,
        authorizers={
            n: scheme.authorizer for n, scheme in reading.schemes.items() if scheme.authorizer
        },
        gateway_responses=gateway_responses(responses, at / gateway),
        settings=_settings(document, at),
    )


def _reading(document: dict[str, Any], at: Place) -> Reading:
    """What operations may refer to."""
    place = at / "components"
    components = place.object(document.get("components"))
    place.keys(components, {"schemas", "securitySchemes"}, _COMPONENTS_REFUSED)
    models = (place / "schemas").object(components.get("schemas"))
    check_models(models, place / "schemas")
    declared = (place / "securitySchemes").object(components.get("securitySchemes"))
    return Reading(
        models=dict(models),
        schemes=schemes(declared, place / "securitySchemes"),
        declared=declared,
        validators=_validators(document, at),
        validator=document.get(f"{EXTENSION}request-validator"),
    )


def _methods(document: dict[str, Any], reading: Reading, at: Place) -> tuple[Method, ...]:
    paths = at.object(document.get("paths"))
    check_paths(list(paths), at)
    methods = tuple(
        method
        for path, item in paths.items()
        for method in path_methods(path, (at / path).object(item), reading, at / path)
    )
    if not methods:
        at.wrong("the API has no operation")
    return methods


def _info(document: dict[str, Any], at: Place) -> dict[str, Any]:
    version = str(document.get("openapi", ""))
    if not version.startswith("3.0."):
        (at / "openapi").wrong(f"API Gateway reads OpenAPI 3.0 (got {version!r})")
    info = (at / "info").object(document.get("info"))
    for key in ("title", "version"):
        if not info.get(key):
            (at / "info" / key).wrong("is missing")
    if info.get("description") == "":
        (at / "info" / "description").wrong("may not be empty; leave it out")
    for index, server in enumerate(document.get("servers") or []):
        (at / "servers" / index).keys(server, _SERVER, {})
    return info


def _validators(document: dict[str, Any], at: Place) -> dict[str, dict[str, bool]]:
    key = f"{EXTENSION}request-validators"
    place = at / key
    known = {"validateRequestBody", "validateRequestParameters"}
    made = {}
    for name, value in place.object(document.get(key)).items():
        given = (place / name).object(value)
        (place / name).keys(given, known, {})
        made[name] = {part: bool(given.get(part)) for part in sorted(known)}
    default = document.get(f"{EXTENSION}request-validator")
    if default is not None and default not in made:
        (at / f"{EXTENSION}request-validator").wrong(f"no request validator is named {default!r}")
    return made


def _settings(document: dict[str, Any], at: Place) -> dict[str, Any]:
    types = document.get(f"{EXTENSION}binary-media-types")
    if types is not None and not (
        isinstance(types, list) and all(isinstance(t, str) for t in types)
    ):
        (at / f"{EXTENSION}binary-media-types").wrong("must be a list of media types")
    source = document.get(f"{EXTENSION}api-key-source")
    if source is not None and source not in _KEY_SOURCES:
        (at / f"{EXTENSION}api-key-source").wrong(f"must be HEADER or AUTHORIZER (got {source!r})")
    size = document.get(f"{EXTENSION}minimum-compression-size")
    if size is not None and not (isinstance(size, int) and 0 <= size <= _MOST_COMPRESSION):
        (at / f"{EXTENSION}minimum-compression-size").wrong(
            f"must be 0 to {_MOST_COMPRESSION} bytes (got {size!r})"
        )
    policy = document.get(f"{EXTENSION}policy")
    found = {
        "binaryMediaTypes": types,
        "apiKeySource": source,
        "minimumCompressionSize": size,
        "policy": json.dumps(policy) if policy else None,
    }
    return {key: value for key, value in found.items() if value is not None}
