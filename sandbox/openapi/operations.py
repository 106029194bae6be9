"""Operations as methods: parameters, bodies, responses; their integrations are read by `integrations`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sandbox.openapi.integrations import integration_parameters, integration_responses
from sandbox.openapi.plan import Method
from sandbox.openapi.problems import EXTENSION, Place
from sandbox.openapi.schemas import check_schema, model_name
from sandbox.openapi.security import Required, Scheme, required

_VERBS: Final = ("delete", "get", "head", "options", "patch", "post", "put")
_ANY: Final = f"{EXTENSION}any-method"
_INTEGRATION: Final = f"{EXTENSION}integration"
_VALIDATOR: Final = f"{EXTENSION}request-validator"
_ITEM: Final = {*_VERBS, _ANY, "description", "parameters", "summary"}
_OPERATION: Final = {
    "description",
    "externalDocs",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "security",
    "summary",
    "tags",
    _INTEGRATION,
    _VALIDATOR,
}
_OPERATION_REFUSED: Final = {
    "callbacks": "API Gateway does not take callbacks",
    "deprecated": "API Gateway does not take deprecated",
    "servers": "API Gateway reads servers at the root only",
}
_PLACES: Final = {"header": "header", "path": "path", "query": "querystring"}
_PARAMETER: Final = {"description", "in", "name", "required", "schema"}
_PARAMETER_SCHEMA: Final = {"type"}
_MEDIA_REFUSED: Final = dict.fromkeys(
    ("encoding", "example", "examples"),
    "API Gateway does not take this keyword; keep it in the document for readers",
)


@dataclass(frozen=True)
class Reading:
    """What operations refer to. `models` grows by the schemas that operations write in place."""

    models: dict[str, dict[str, Any]]
    schemes: dict[str, Scheme]
    declared: dict[str, Any]
    validators: dict[str, dict[str, bool]]
    validator: str | None


def path_methods(path: str, item: dict[str, Any], reading: Reading, at: Place) -> Iterator[Method]:
    """The methods of one path; mistakes are noted."""
    refused = {
        "$ref": "API Gateway does not follow it; write the path out",
        "servers": _OPERATION_REFUSED["servers"],
    }
    at.keys(item, _ITEM, refused)
    for key in (*_VERBS, _ANY):
        if key in item:
            shared = item.get("parameters") or []
            verb = "ANY" if key == _ANY else key.upper()
            yield _method(path, verb, (at / key).object(item[key]), shared, reading, at / key)


def _method(
    path: str, verb: str, operation: dict[str, Any], shared: list[Any], reading: Reading, at: Place
) -> Method:
    at.keys(operation, _OPERATION, _OPERATION_REFUSED)
    security = operation.get("security")
    asked = (
        Required()
        if security is None
        else required(security, reading.schemes, reading.declared, at / "security")
    )
    responses = _responses(operation, reading, at)
    integration = (at / _INTEGRATION).object(operation.get(_INTEGRATION))
    if not integration:
        at.wrong(f"{_INTEGRATION} is missing: an API with such a method cannot be deployed")
    return Method(
        path=path,
        verb=verb,
        authorizer=asked.authorizer,
        authorization=asked.authorization,
        scopes=asked.scopes,
        api_key_required=asked.api_key,
        operation_name=str(operation.get("operationId", "")),
        parameters=_parameters([*shared, *(operation.get("parameters") or [])], at / "parameters"),
        models=_body(operation, reading, at / "requestBody"),
        validator=_validator(operation, reading, at),
        responses=responses,
        integration=integration_parameters(integration, at / _INTEGRATION) if integration else {},
        integration_responses=integration_responses(integration, responses, at / _INTEGRATION),
    )


def _validator(operation: dict[str, Any], reading: Reading, at: Place) -> str | None:
    name = operation.get(_VALIDATOR, reading.validator)
    if name is not None and name not in reading.validators:
        (at / _VALIDATOR).wrong(f"no request validator is named {name!r}")
    return name


def _parameters(given: list[Any], at: Place) -> dict[str, bool]:
    """Names of API Gateway's form to whether they are required."""
    found: dict[str, bool] = {}
    names: dict[str, str] = {}
    for index, value in enumerate(given):
        place = at / index
        parameter = place.object(value)
        if "$ref" in parameter:
            (place / "$ref").wrong(
                "API Gateway does not follow references to parameters; write it out"
            )
            continue
        why = (
            "API Gateway takes name, in, required, description and the schema's type of a parameter"
        )
        place.keys(parameter, _PARAMETER, dict.fromkeys(set(parameter) - _PARAMETER, why))
        schema = (place / "schema").object(parameter.get("schema"))
        (place / "schema").keys(
            schema, _PARAMETER_SCHEMA, dict.fromkeys(set(schema) - _PARAMETER_SCHEMA, why)
        )
        name, where = str(parameter.get("name")), parameter.get("in")
        if where not in _PLACES:
            (place / "in").wrong(f"must be header, path or query (got {where!r})")
            continue
        if names.setdefault(name, where) != where:
            place.wrong(f"{name!r} is the name of another parameter of this operation already")
        found[f"method.request.{_PLACES[where]}.{name}"] = bool(parameter.get("required"))
    return found


def _body(operation: dict[str, Any], reading: Reading, at: Place) -> dict[str, str]:
    """Content type to model name."""
    body = at.object(operation.get("requestBody"))
    at.keys(body, {"content", "description", "required"}, {})
    models = {}
    for media, value in (at / "content").object(body.get("content")).items():
        place = at / "content" / media
        content = place.object(value)
        place.keys(content, {"schema"}, _MEDIA_REFUSED)
        if "schema" in content:
            models[media] = _model(content["schema"], reading, place / "schema")
    return models


def _model(schema: Any, reading: Reading, at: Place) -> str:
    """The name of the model a schema is: the one it refers to, or one of its own."""
    check_schema(schema, at, reading.models)
    if isinstance(schema, dict) and set(schema) == {"$ref"}:
        return model_name(schema["$ref"]) or ""
    digest = hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()
    name = f"MODEL{digest[:6]}"
    reading.models[name] = schema
    return name


def _responses(operation: dict[str, Any], reading: Reading, at: Place) -> dict[str, dict[str, Any]]:
    """Statuses to method responses. `default` stands for no status, so nothing is made of it."""
    place = at / "responses"
    if "responses" not in operation:
        place.wrong("is missing")
    given = place.object(operation.get("responses"))
    made = {
        str(status): _response(str(status), value, reading, place / str(status))
        for status, value in given.items()
    }
    made.pop("default", None)
    return made


def _response(status: str, value: Any, reading: Reading, at: Place) -> dict[str, Any]:
    response = at.object(value)
    if "$ref" in response:
        (at / "$ref").wrong("API Gateway does not follow references to responses; write it out")
        return {"responseParameters": {}, "responseModels": {}}
    if status != "default" and not (status.isdigit() and len(status) == 3):
        at.wrong("a response's key must be a status of three digits")
    at.keys(
        response,
        {"content", "description", "headers"},
        {"links": "API Gateway does not take links"},
    )
    if not response.get("description"):
        (at / "description").wrong("is missing")
    models = {}
    for media, inner in (at / "content").object(response.get("content")).items():
        place = at / "content" / media
        content = place.object(inner)
        place.keys(content, {"schema"}, _MEDIA_REFUSED)
        schema = content.get("schema")
        if isinstance(schema, dict) and schema.get("type") in (
            "boolean",
            "integer",
            "number",
            "string",
        ):
            (place / "schema").wrong("API Gateway does not take a response of a primitive type")
        elif schema is not None:
            models[media] = _model(schema, reading, place / "schema")
    headers = (at / "headers").object(response.get("headers"))
    return {
        "responseParameters": {f"method.response.header.{name}": False for name in headers},
        "responseModels": models,
    }
