"""A plan brought into the emulator: only what differs from what is there is written.

The emulator serves its resources as they stand, without a snapshot per deployment, so an update must not take an API
apart: a method that stays the same answers on while others change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.openapi.gateway import for_emulator
from sandbox.openapi.plan import Method, Plan
from sandbox.openapi.schemas import stored

_AUTHORIZER: Final = (
    "authType",
    "authorizerCredentials",
    "authorizerResultTtlInSeconds",
    "authorizerUri",
    "identitySource",
    "identityValidationExpression",
    "name",
    "providerARNs",
    "type",
)
_PAGE: Final = 500
"""Most resources the API lists at once; AWS allows 300 in an API."""


def expand(client: Any, api_id: str, plan: Plan) -> None:
    """Make the REST API `api_id` what `plan` says; `client` is boto3's `apigateway`."""
    _Expansion(client, api_id, plan).run()


class _Expansion:
    def __init__(self, client: Any, api_id: str, plan: Plan) -> None:
        self._client = client
        self._api = {"restApiId": api_id}
        self._plan = plan

    def run(self) -> None:
        self._models()
        validators = self._validators()
        authorizers = self._authorizers()
        self._methods(validators, authorizers)
        self._remove_unused(validators, authorizers)
        self._gateway_responses()

    def _list(self, operation: str) -> list[dict[str, Any]]:
        return getattr(self._client, operation)(**self._api, limit=_PAGE)["items"]

    def _models(self) -> None:
        there = {model["name"]: model for model in self._list("get_models")}
        for name, schema in self._plan.models.items():
            text = json.dumps(stored(schema, self._api["restApiId"]), sort_keys=True)
            if name not in there:
                self._client.create_model(
                    **self._api, name=name, contentType="application/json", schema=text
                )
            elif there[name].get("schema") != text:
                self._client.update_model(
                    **self._api, modelName=name, patchOperations=_patches({"schema": text})
                )

    def _validators(self) -> dict[str, str]:
        """Validator names to ids."""
        there = {validator["name"]: validator for validator in self._list("get_request_validators")}
        ids = {}
        for name, parts in self._plan.validators.items():
            old = there.get(name)
            if old is None:
                ids[name] = self._client.create_request_validator(**self._api, name=name, **parts)[
                    "id"
                ]
                continue
            ids[name] = old["id"]
            changed = {
                key: str(value).lower()
                for key, value in parts.items()
                if bool(old.get(key)) != value
            }
            if changed:
                self._client.update_request_validator(
                    **self._api, requestValidatorId=old["id"], patchOperations=_patches(changed)
                )
        return ids

    def _authorizers(self) -> dict[str, str]:
        """Authorizer names to ids; a changed one is made anew, so that no cached result outlives its rules."""
        there = {authorizer["name"]: authorizer for authorizer in self._list("get_authorizers")}
        ids = {}
        for name, wanted in self._plan.authorizers.items():
            old = there.get(name)
            if old is not None and _same(wanted, {key: old.get(key) for key in _AUTHORIZER}):
                ids[name] = old["id"]
            else:
                ids[name] = self._client.create_authorizer(**self._api, **wanted)["id"]
        return ids

    def _methods(self, validators: dict[str, str], authorizers: dict[str, str]) -> None:
        there = {resource["path"]: resource for resource in self._resources()}
        wanted = {method.path for method in self._plan.methods}
        for path in sorted(wanted, key=lambda path: path.count("/")):
            self._resource(path, there)
        for method in self._plan.methods:
            resource = there[method.path]
            desired = _desired(method, validators, authorizers)
            old = dict((resource.get("resourceMethods") or {}).get(method.verb) or {})
            old.pop("httpMethod", None)
            if not _same(desired, old):
                self._put(resource["id"], method, desired)
        self._remove_methods(there)

    def _resources(self) -> list[dict[str, Any]]:
        return self._client.get_resources(**self._api, limit=_PAGE, embed=["methods"])["items"]

    def _resource(self, path: str, there: dict[str, dict[str, Any]]) -> str:
        """The id of the resource at `path`, made with all that lie above it where it is missing."""
        if path not in there:
            above, _, part = path.rpartition("/")
            parent = self._resource(above or "/", there)
            there[path] = self._client.create_resource(**self._api, parentId=parent, pathPart=part)
        return there[path]["id"]

    def _put(self, resource_id: str, method: Method, desired: dict[str, Any]) -> None:
        place = {**self._api, "resourceId": resource_id, "httpMethod": method.verb}
        inner = ("methodResponses", "methodIntegration")
        self._client.put_method(
            **place, **{key: value for key, value in desired.items() if key not in inner}
        )
        for status, response in method.responses.items():
            self._client.put_method_response(**place, statusCode=status, **_set(response))
        self._client.put_integration(**place, **method.integration)
        for status, response in method.integration_responses.items():
            self._client.put_integration_response(**place, statusCode=status, **response)

    def _remove_methods(self, there: dict[str, dict[str, Any]]) -> None:
        wanted = {(method.path, method.verb) for method in self._plan.methods}
        needed = {path for path, _ in wanted} | {"/"}
        for path in sorted(there, key=lambda path: -path.count("/")):
            place = {**self._api, "resourceId": there[path]["id"]}
            if not any(other == path or other.startswith(f"{path}/") for other in needed):
                self._client.delete_resource(**place)
                continue
            for verb in there[path].get("resourceMethods") or {}:
                if (path, verb) not in wanted:
                    self._client.delete_method(**place, httpMethod=verb)

    def _remove_unused(self, validators: dict[str, str], authorizers: dict[str, str]) -> None:
        for validator in self._list("get_request_validators"):
            if validator["id"] not in validators.values():
                self._client.delete_request_validator(
                    **self._api, requestValidatorId=validator["id"]
                )
        for authorizer in self._list("get_authorizers"):
            if authorizer["id"] not in authorizers.values():
                self._client.delete_authorizer(**self._api, authorizerId=authorizer["id"])
        for model in self._list("get_models"):
            if model["name"] not in self._plan.models:
                self._client.delete_model(**self._api, modelName=model["name"])

    def _gateway_responses(self) -> None:
        listed = self._client.get_gateway_responses(**self._api)["items"]
        there = {r["responseType"] for r in listed if not r.get("defaultResponse")}
        for kind, response in self._plan.gateway_responses.items():
            # What a response leaves out is listed with a default, which looks like a choice: so all are put.
            self._client.put_gateway_response(
                **self._api, responseType=kind, **_set(for_emulator(response))
            )
        for kind in sorted(there - set(self._plan.gateway_responses)):
            self._client.delete_gateway_response(**self._api, responseType=kind)


def _desired(
    method: Method, validators: Mapping[str, str], authorizers: Mapping[str, str]
) -> dict[str, Any]:
    """The method as the emulator lists it: parameters of PutMethod, its responses, its integration."""
    integration = dict(method.integration)
    verb = integration.pop("integrationHttpMethod", None)
    made = {
        "authorizationType": method.authorization,
        "authorizerId": authorizers.get(method.authorizer or ""),
        "authorizationScopes": list(method.scopes),
        "apiKeyRequired": method.api_key_required,
        "operationName": method.operation_name,
        "requestParameters": method.parameters,
        "requestModels": method.models,
        "requestValidatorId": validators.get(method.validator or ""),
        "methodResponses": method.responses,
        "methodIntegration": integration
        | {"httpMethod": verb or "POST", "integrationResponses": method.integration_responses},
    }
    return _set(made)


def _same(wanted: Any, there: Any) -> bool:
    return _bare(wanted) == _bare(there)


_REPEATED: Final = {"cacheNamespace", "statusCode"}
"""Keys that the emulator's listing repeats or makes up, so that they tell no difference."""


def _bare(value: Any) -> Any:
    """`value` without what is unset, false or repeated: an API lists these or leaves them out as it likes."""
    if isinstance(value, list | tuple):
        return [_bare(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _bare(part) for key, part in value.items() if key not in _REPEATED}
    return {
        key: part
        for key, part in inner.items()
        if part not in (None, "", [], False) and (part != {} or key.isdigit())
    }


def _set(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if value not in (None, "", [], {})}


def _patches(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"op": "replace", "path": f"/{key}", "value": value} for key, value in values.items()]
