"""API Gateway: stages and the settings of their methods."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.apigateway import replace, retag
from sandbox.services.shared import REGION, remove, tags

_STAGE: Final = {
    "cacheClusterEnabled": "/cacheClusterEnabled",
    "cacheClusterSize": "/cacheClusterSize",
    "clientCertificateId": "/clientCertificateId",
    "deployment": "/deploymentId",
    "description": "/description",
    "documentationVersion": "/documentationVersion",
    "xrayTracingEnabled": "/tracingEnabled",
}
"""Plain inputs of a stage by the path that changes them."""


@resource("aws:apigateway/stage:Stage", ignored=REGION)
def stage(r: Resource) -> Outputs:
    api_id, name = r.take("restApi"), r.take("stageName")
    wanted = tags(r)
    _note_stage(r)
    r.api(
        "apigateway",
        "create_stage",
        "cacheClusterEnabled",
        "cacheClusterSize",
        "canarySettings",
        "deployment",
        "description",
        "documentationVersion",
        "variables",
        "xrayTracingEnabled",
        rename={"deployment": "deploymentId", "xrayTracingEnabled": "tracingEnabled"},
        restApiId=api_id,
        stageName=name,
        tags=wanted or None,
    )
    patches = _log_patches(r)
    if certificate := r.take("clientCertificateId"):
        patches.append(replace(_STAGE["clientCertificateId"], certificate))
    _patch_stage(r, api_id, name, patches)
    return _stage_outputs(r, api_id, name, wanted)


@stage.updates
def update_stage(r: Resource) -> Outputs:
    if r.changed & {"restApi", "stageName"}:
        delete_stage(r)
        return stage.create(r)
    api_id, name = r.take("restApi"), r.take("stageName")
    _note_stage(r)
    patches = []
    for key, path in _STAGE.items():
        value = r.take(key)
        if key in r.changed:
            patches.append(replace(path, value))
    patches += _log_patches(r)
    patches += _variable_patches(
        r, r.call("apigateway", "get_stage", restApiId=api_id, stageName=name)
    )
    r.take("canarySettings")
    _patch_stage(r, api_id, name, patches)
    wanted = tags(r)
    outputs = _stage_outputs(r, api_id, name, wanted)
    retag(r, outputs["arn"], wanted)
    return outputs


@stage.deletes
def delete_stage(r: Resource) -> None:
    old = r.old or {}
    remove(r, "apigateway", "delete_stage", restApiId=old["restApi"], stageName=old["stageName"])


def _stage_outputs(r: Resource, api_id: str, name: str, wanted: dict[str, str]) -> Outputs:
    return {
        "id": f"ags-{api_id}-{name}",
        "restApi": api_id,
        "stageName": name,
        "arn": f"arn:aws:apigateway:{r.aws.region}::/restapis/{api_id}/stages/{name}",
        "executionArn": f"arn:aws:execute-api:{r.aws.region}:{r.aws.account}:{api_id}/{name}",
        "invokeUrl": f"{r.aws.endpoint}/_aws/execute-api/{api_id}/{name}",
        "tagsAll": wanted,
    }


def _note_stage(r: Resource) -> None:
    notes = {
        "cacheClusterEnabled": "nothing is cached: every request reaches its function",
        "canarySettings": "its canary gets no share of the requests",
        "clientCertificateId": "its client certificate is not presented",
    }
    for key, text in notes.items():
        if r.inputs.get(key):
            r.note(text)


def _log_patches(r: Resource) -> list[dict[str, str]]:
    b = r.block("accessLogSettings")
    values = {"destinationArn": b.take("destinationArn"), "format": b.take("format")}
    if not b.inputs and not (r.old and "accessLogSettings" in r.changed):
        return []
    return [replace(f"/accessLogSettings/{key}", value) for key, value in values.items()]


def _variable_patches(r: Resource, there: dict[str, Any]) -> list[dict[str, str]]:
    wanted, old = r.take("variables", {}), there.get("variables") or {}
    gone = [{"op": "remove", "path": f"/variables/{key}"} for key in sorted(set(old) - set(wanted))]
    return gone + [
        replace(f"/variables/{key}", value)
        for key, value in wanted.items()
        if old.get(key) != value
    ]


def _patch_stage(r: Resource, api_id: str, name: str, patches: list[dict[str, str]]) -> None:
    if patches:
        r.call(
            "apigateway", "update_stage", restApiId=api_id, stageName=name, patchOperations=patches
        )


_SETTINGS: Final = {
    "cacheDataEncrypted": "caching/dataEncrypted",
    "cacheTtlInSeconds": "caching/ttlInSeconds",
    "cachingEnabled": "caching/enabled",
    "dataTraceEnabled": "logging/dataTrace",
    "loggingLevel": "logging/loglevel",
    "metricsEnabled": "metrics/enabled",
    "requireAuthorizationForCacheControl": "caching/requireAuthorizationForCacheControl",
    "throttlingBurstLimit": "throttling/burstLimit",
    "throttlingRateLimit": "throttling/rateLimit",
    "unauthorizedCacheControlHeaderStrategy": "caching/unauthorizedCacheControlHeaderStrategy",
}
_THROTTLING: Final = {"throttlingBurstLimit", "throttlingRateLimit"}
"""A negative limit means none of its own."""


@resource("aws:apigateway/methodSettings:MethodSettings", ignored=REGION)
def method_settings(r: Resource) -> Outputs:
    """Throttling is enforced for each path and verb by itself, with its burst."""
    api_id, name, path = r.take("restApi"), r.take("stageName"), r.take("methodPath")
    b = r.block("settings")
    given = {key: b.take(key) for key in _SETTINGS}
    if given["loggingLevel"] not in (None, "OFF") or given["metricsEnabled"]:
        r.note("the gateway's execution logs and metrics are not written")
    if given["cachingEnabled"]:
        r.note("nothing is cached: every request reaches its function")
    place = _place(path)
    patches = [
        replace(f"{place}/{_SETTINGS[key]}", value)
        for key, value in given.items()
        if value is not None and not (key in _THROTTLING and value < 0)
    ]
    if r.old:
        patches.insert(0, {"op": "remove", "path": place})
    _patch_stage(r, api_id, name, patches)
    return {
        "id": f"{api_id}-{name}-{path}",
        "restApi": api_id,
        "stageName": name,
        "methodPath": path,
    }


@method_settings.updates
def update_method_settings(r: Resource) -> Outputs:
    if r.changed & {"restApi", "stageName", "methodPath"}:
        delete_method_settings(r)
    return method_settings.create(r)


@method_settings.deletes
def delete_method_settings(r: Resource) -> None:
    old = r.old or {}
    remove(
        r,
        "apigateway",
        "update_stage",
        restApiId=old["restApi"],
        stageName=old["stageName"],
        patchOperations=[{"op": "remove", "path": _place(old["methodPath"])}],
    )


def _place(method_path: str) -> str:
    """`*/*` and `~1orders~1{id}/GET` as they are, which is how the provider sends them.

    `orders/GET` names a method as well; of a longer path with bare slashes AWS says that it is wrong.
    """
    path, _, verb = method_path.rpartition("/")
    if "/" in path:
        raise ValueError(f"methodPath {method_path}: write the path's slashes as ~1")
    step = path if path == "*" or path.startswith("~1") else f"~1{path}"
    return f"/{step}/{verb}"
