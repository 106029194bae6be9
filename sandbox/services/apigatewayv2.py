"""HTTP and WebSocket APIs: the API itself, its integrations, routes and deployments."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Outputs, Resource, RestartNeeded, resource
from sandbox.services.shared import REGION, dropped, physical_name, remove, replaced, tags

V2: Final = "apigatewayv2"
_API: Final = (
    "apiKeySelectionExpression",
    "corsConfiguration",
    "disableExecuteApiEndpoint",
    "ipAddressType",
    "protocolType",
    "routeSelectionExpression",
    "version",
)


@resource(
    "aws:apigatewayv2/api:Api",
    ignored={**REGION, "failOnWarnings": "it concerns the import of a document only"},
)
def api(r: Resource) -> Outputs:
    wanted = tags(r)
    name = physical_name(r, limit=128)
    made = r.api(
        V2,
        "create_api",
        *_API,
        Name=name,
        Description=r.take("description"),
        Tags=wanted or None,
    )
    return _outputs(r, made["ApiId"], name, wanted)


@api.updates
def update_api(r: Resource) -> Outputs:
    if "protocolType" in r.changed:
        raise RestartNeeded("protocolType of an API cannot change in place")
    old = dict(r.old or {})
    wanted = tags(r)
    name = physical_name(r, limit=128)
    r.take("protocolType")
    if "corsConfiguration" in r.changed and not r.inputs.get("corsConfiguration"):
        remove(r, V2, "delete_cors_configuration", ApiId=old["id"])
    r.api(
        V2,
        "update_api",
        *(key for key in _API if key != "protocolType"),
        ApiId=old["id"],
        Name=name,
        Description=r.take("description") or "",
    )
    retag(r, old["arn"], wanted)
    return _outputs(r, old["id"], name, wanted)


@api.deletes
def delete_api(r: Resource) -> None:
    remove(r, V2, "delete_api", ApiId=(r.old or {})["id"])


def address(r: Resource, api_id: str, protocol: str) -> str:
    """Where an API is reached on this machine: the path form, which needs no name resolution."""
    scheme = "ws" if protocol == "WEBSOCKET" else "http"
    return f"{scheme}://{r.aws.endpoint.partition('://')[2]}/_aws/execute-api/{api_id}"


def _outputs(r: Resource, api_id: str, name: str, wanted: dict[str, str]) -> Outputs:
    protocol = r.inputs["protocolType"]
    if r.inputs.get("disableExecuteApiEndpoint"):
        r.note("its own address stays open: a sandbox has no other")
    default = "$request.body.action" if protocol == "WEBSOCKET" else "$request.method $request.path"
    return {
        "id": api_id,
        "name": name,
        "arn": f"arn:aws:apigateway:{r.aws.region}::/apis/{api_id}",
        "apiEndpoint": address(r, api_id, protocol),
        "executionArn": f"arn:aws:execute-api:{r.aws.region}:{r.aws.account}:{api_id}",
        "apiKeySelectionExpression": r.inputs.get(
            "apiKeySelectionExpression", "$request.header.x-api-key"
        ),
        "ipAddressType": r.inputs.get("ipAddressType", "ipv4"),
        "routeSelectionExpression": r.inputs.get("routeSelectionExpression", default),
        "tagsAll": wanted,
    }


def retag(r: Resource, arn: str, wanted: dict[str, str]) -> None:
    """Bring the tags of an existing API, stage or domain to what is wanted."""
    if extra := dropped(r, wanted):
        r.call(V2, "untag_resource", ResourceArn=arn, TagKeys=extra)
    if wanted:
        r.call(V2, "tag_resource", ResourceArn=arn, Tags=wanted)


def protocol_of(r: Resource, api_id: str) -> str:
    """HTTP or WEBSOCKET: some settings of parts mean something for one of them only."""
    return r.call(V2, "get_api", ApiId=api_id)["ProtocolType"]


_TIMEOUT: Final = {"timeoutMilliseconds": "TimeoutInMillis"}
_SIMULATED: Final = {"HTTP": ("AWS_PROXY", "HTTP_PROXY"), "WEBSOCKET": ("AWS_PROXY", "AWS", "MOCK")}


@resource("aws:apigatewayv2/integration:Integration", ignored=REGION)
def integration(r: Resource) -> Outputs:
    api_id = r.take("apiId")
    _note_integration(r, protocol_of(r, api_id))
    version = r.take("payloadFormatVersion", "1.0")
    made = r.api(
        V2, "create_integration", rename=_TIMEOUT, ApiId=api_id, PayloadFormatVersion=version
    )
    return {
        "id": made["IntegrationId"],
        "apiId": api_id,
        "payloadFormatVersion": version,
        "connectionType": r.inputs.get("connectionType", "INTERNET"),
        "timeoutMilliseconds": made["TimeoutInMillis"],
        "integrationResponseSelectionExpression": "${integration.response.statuscode}",
    }


@integration.updates
def update_integration(r: Resource) -> Outputs:
    if "apiId" in r.changed:
        return replaced(integration.create, delete_integration)(r)
    old = dict(r.old or {})
    api_id = r.take("apiId")
    _note_integration(r, protocol_of(r, api_id))
    version = r.take("payloadFormatVersion", "1.0")
    r.api(
        V2,
        "update_integration",
        rename=_TIMEOUT,
        ApiId=api_id,
        IntegrationId=old["id"],
        PayloadFormatVersion=version,
        **_emptied(r, "requestParameters", "requestTemplates", "responseParameters"),
    )
    return {**old, "payloadFormatVersion": version}


@integration.deletes
def delete_integration(r: Resource) -> None:
    old = r.old or {}
    remove(r, V2, "delete_integration", ApiId=old["apiId"], IntegrationId=old["id"])


def _note_integration(r: Resource, protocol: str) -> None:
    kind, own = r.inputs.get("integrationType"), r.inputs
    if kind not in _SIMULATED[protocol] or own.get("integrationSubtype"):
        r.note(f"integrations of type {own.get('integrationSubtype') or kind} do not run here")
    elif protocol == "HTTP" and kind == "AWS_PROXY":
        if own.get("payloadFormatVersion", "1.0") != "2.0":
            r.note("its function gets events of payload format 2.0, not 1.0")
        if own.get("requestParameters") or own.get("responseParameters"):
            r.note("parameter mappings of a function's integration are not applied")
    if own.get("requestTemplates") and kind != "MOCK":
        r.note("its request templates do not run")
    if own.get("timeoutMilliseconds"):
        r.note("its timeout is recorded: a function's own timeout ends a request")
    if own.get("connectionType") == "VPC_LINK":
        r.note("a sandbox has no VPC: its target is called directly")


def _emptied(r: Resource, *keys: str) -> dict[str, Any]:
    """Maps that the program no longer names: an update keeps what it is not told."""
    return {
        key[0].upper() + key[1:]: {} for key in keys if key in r.changed and not r.inputs.get(key)
    }


@resource("aws:apigatewayv2/route:Route", ignored=REGION)
def route(r: Resource) -> Outputs:
    api_id = r.take("apiId")
    _note_route(r)
    made = r.api(
        V2,
        "create_route",
        ApiId=api_id,
        RequestParameters=_request_parameters(r),
    )
    return {
        "id": made["RouteId"],
        "apiId": api_id,
        "authorizationType": r.inputs.get("authorizationType", "NONE"),
    }


@route.updates
def update_route(r: Resource) -> Outputs:
    if "apiId" in r.changed:
        return replaced(route.create, delete_route)(r)
    old = dict(r.old or {})
    _note_route(r)
    kind = r.take("authorizationType", "NONE")
    gone: dict[str, Any] = {}
    if not r.inputs.get("authorizerId"):
        gone["AuthorizerId"] = ""
    if not r.inputs.get("authorizationScopes"):
        gone["AuthorizationScopes"] = []
    if "routeResponseSelectionExpression" in r.changed:
        gone["RouteResponseSelectionExpression"] = r.take("routeResponseSelectionExpression", "")
    r.api(
        V2,
        "update_route",
        ApiId=r.take("apiId"),
        RouteId=old["id"],
        AuthorizationType=kind,
        RequestParameters=_request_parameters(r) or {},
        **gone,
    )
    return {**old, "authorizationType": kind}


@route.deletes
def delete_route(r: Resource) -> None:
    old = r.old or {}
    remove(r, V2, "delete_route", ApiId=old["apiId"], RouteId=old["id"])


def _request_parameters(r: Resource) -> dict[str, dict[str, bool]] | None:
    """The provider has a list of named requirements where the API has a map."""
    given = {
        b.take("requestParameterKey"): {"Required": bool(b.take("required"))}
        for b in r.blocks("requestParameters")
    }
    return given or None


def _note_route(r: Resource) -> None:
    if r.inputs.get("requestParameters") or r.inputs.get("requestModels"):
        r.note("its models and required parameters are not checked")
    if r.inputs.get("apiKeyRequired"):
        r.note("its API key is not asked for")
    if str(r.inputs.get("routeKey")).startswith("OPTIONS "):
        r.note(
            "OPTIONS requests reach no function: the API's CORS settings answer them, or nothing does"
        )


@resource(
    "aws:apigatewayv2/deployment:Deployment",
    ignored={**REGION, "triggers": "they only decide when a deployment is made"},
)
def deployment(r: Resource) -> Outputs:
    made = r.api(V2, "create_deployment")
    return {"id": made["DeploymentId"], "apiId": r.inputs["apiId"], "autoDeployed": False}


@deployment.updates
def update_deployment(r: Resource) -> Outputs:
    """A deployment never changes: a new one is made, and the stage moves to it next; the old one is left to it."""
    return deployment.create(r)


@deployment.deletes
def delete_deployment(r: Resource) -> None:
    old = r.old or {}
    remove(r, V2, "delete_deployment", ApiId=old["apiId"], DeploymentId=old["id"])
