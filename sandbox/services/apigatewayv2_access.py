"""HTTP and WebSocket APIs: who may call, at which address, and what a WebSocket answers."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.apigatewayv2 import V2, address, protocol_of, retag
from sandbox.services.shared import REGION, remove, replaced, tags

_AUTHORIZER: Final = {
    "authorizerResultTtlInSeconds": "AuthorizerResultTtlInSeconds",
    "identitySources": "IdentitySource",
}


@resource("aws:apigatewayv2/authorizer:Authorizer", ignored=REGION)
def authorizer(r: Resource) -> Outputs:
    api_id, name = r.take("apiId"), r.auto_name()
    made = r.api(
        V2,
        "create_authorizer",
        rename=_AUTHORIZER,
        ApiId=api_id,
        Name=name,
        AuthorizerResultTtlInSeconds=_ttl(r, api_id),
        IdentitySource=r.take("identitySources") or [],
    )
    return {"id": made["AuthorizerId"], "apiId": api_id, "name": name}


@authorizer.updates
def update_authorizer(r: Resource) -> Outputs:
    if r.changed & {"apiId", "authorizerType"}:
        return replaced(authorizer.create, delete_authorizer)(r)
    api_id, name = r.take("apiId"), r.auto_name()
    r.take("authorizerType")
    r.api(
        V2,
        "update_authorizer",
        rename=_AUTHORIZER,
        ApiId=api_id,
        AuthorizerId=(r.old or {})["id"],
        Name=name,
        AuthorizerResultTtlInSeconds=_ttl(r, api_id),
        IdentitySource=r.take("identitySources") or [],
    )
    return {**(r.old or {}), "name": name}


@authorizer.deletes
def delete_authorizer(r: Resource) -> None:
    old = r.old or {}
    remove(r, V2, "delete_authorizer", ApiId=old["apiId"], AuthorizerId=old["id"])


def _ttl(r: Resource, api_id: str) -> int | None:
    """Seconds; AWS caches 300 unless told otherwise, and nothing at all for WebSockets or without identity sources."""
    given = r.take("authorizerResultTtlInSeconds")
    if protocol_of(r, api_id) == "WEBSOCKET" or r.inputs.get("authorizerType") == "JWT":
        return None
    return int(given) if given is not None else 300


_STAGE: Final = (
    "accessLogSettings",
    "autoDeploy",
    "clientCertificateId",
    "deploymentId",
    "description",
)
_LIMITS: Final = {
    "throttlingBurstLimit": "ThrottlingBurstLimit",
    "throttlingRateLimit": "ThrottlingRateLimit",
}
_FLAGS: Final = {
    "dataTraceEnabled": "DataTraceEnabled",
    "detailedMetricsEnabled": "DetailedMetricsEnabled",
    "loggingLevel": "LoggingLevel",
}


@resource("aws:apigatewayv2/stage:Stage", ignored=REGION)
def stage(r: Resource) -> Outputs:
    api_id, name, wanted = r.take("apiId"), r.auto_name(), tags(r)
    protocol = protocol_of(r, api_id)
    _note_stage(r, protocol)
    r.api(V2, "create_stage", *_STAGE, **_stage(r, api_id, name), Tags=wanted or None)
    return _stage_outputs(r, api_id, name, protocol, wanted)


@stage.updates
def update_stage(r: Resource) -> Outputs:
    if r.changed & {"apiId", "name"}:
        return replaced(stage.create, delete_stage)(r)
    api_id, name, wanted = r.take("apiId"), r.auto_name(), tags(r)
    protocol = protocol_of(r, api_id)
    _note_stage(r, protocol)
    gone: dict[str, Any] = {}
    if "accessLogSettings" in r.changed and not r.inputs.get("accessLogSettings"):
        gone["AccessLogSettings"] = {}
    r.api(V2, "update_stage", *_STAGE, **_stage(r, api_id, name), **gone)
    outputs = _stage_outputs(r, api_id, name, protocol, wanted)
    retag(r, outputs["arn"], wanted)
    return outputs


@stage.deletes
def delete_stage(r: Resource) -> None:
    old = r.old or {}
    remove(r, V2, "delete_stage", ApiId=old["apiId"], StageName=old["name"])


def _stage(r: Resource, api_id: str, name: str) -> dict[str, Any]:
    return {
        "ApiId": api_id,
        "StageName": name,
        "StageVariables": dict(r.take("stageVariables") or {}),
        "DefaultRouteSettings": _route_settings(r, "defaultRouteSettings").get("", {}),
        "RouteSettings": _route_settings(r, "routeSettings"),
    }


def _route_settings(r: Resource, key: str) -> dict[str, dict[str, Any]]:
    """Settings by route key; those of all routes stand under no key at all."""
    return {
        b.take("routeKey", ""): {
            name: b.take(own)
            for own, name in {**_LIMITS, **_FLAGS}.items()
            if b.inputs.get(own) is not None
        }
        for b in r.blocks(key)
    }


def _stage_outputs(
    r: Resource, api_id: str, name: str, protocol: str, wanted: dict[str, str]
) -> Outputs:
    base = address(r, api_id, protocol)
    return {
        "id": name,
        "apiId": api_id,
        "name": name,
        "arn": f"arn:aws:apigateway:{r.aws.region}::/apis/{api_id}/stages/{name}",
        "executionArn": f"arn:aws:execute-api:{r.aws.region}:{r.aws.account}:{api_id}/{name}",
        "invokeUrl": f"{base}/" if name == "$default" else f"{base}/{name}",
        "tagsAll": wanted,
    }


def _note_stage(r: Resource, protocol: str) -> None:
    settings = [r.inputs.get("defaultRouteSettings"), *(r.inputs.get("routeSettings") or [])]
    given = {key for each in settings for key, value in (each or {}).items() if value}
    if given & {"dataTraceEnabled", "detailedMetricsEnabled"} or _logs(settings):
        r.note("the gateway's execution logs and metrics are not written")
    if protocol == "WEBSOCKET" and given & set(_LIMITS):
        r.note("throttling of WebSocket messages is recorded")
    if r.inputs.get("clientCertificateId"):
        r.note("its client certificate is not presented")
    if not r.inputs.get("autoDeploy"):
        r.note("changes of routes are live at once, whatever is deployed")


def _logs(settings: list[Any]) -> bool:
    return any((each or {}).get("loggingLevel") not in (None, "OFF") for each in settings)


@resource("aws:apigatewayv2/routeResponse:RouteResponse", ignored=REGION)
def route_response(r: Resource) -> Outputs:
    if r.inputs.get("responseModels"):
        r.note("its models are not checked")
    made = r.api(V2, "create_route_response")
    return {
        "id": made["RouteResponseId"],
        "apiId": r.inputs["apiId"],
        "routeId": r.inputs["routeId"],
    }


@route_response.deletes
def delete_route_response(r: Resource) -> None:
    old = r.old or {}
    remove(
        r,
        V2,
        "delete_route_response",
        ApiId=old["apiId"],
        RouteId=old["routeId"],
        RouteResponseId=old["id"],
    )


route_response.updates(replaced(route_response.create, delete_route_response))


@resource("aws:apigatewayv2/integrationResponse:IntegrationResponse", ignored=REGION)
def integration_response(r: Resource) -> Outputs:
    if r.inputs.get("contentHandlingStrategy"):
        r.note("contents are not converted")
    made = r.api(V2, "create_integration_response")
    return {
        "id": made["IntegrationResponseId"],
        "apiId": r.inputs["apiId"],
        "integrationId": r.inputs["integrationId"],
    }


@integration_response.deletes
def delete_integration_response(r: Resource) -> None:
    old = r.old or {}
    remove(
        r,
        V2,
        "delete_integration_response",
        ApiId=old["apiId"],
        IntegrationId=old["integrationId"],
        IntegrationResponseId=old["id"],
    )


integration_response.updates(replaced(integration_response.create, delete_integration_response))


@resource(
    "aws:apigatewayv2/model:Model",
    not_simulated="messages and bodies of HTTP and WebSocket APIs are not checked against models",
)
def model(r: Resource) -> Outputs:
    return {"id": f"{r.inputs['name']}", "name": r.inputs["name"]}
