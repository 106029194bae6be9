"""API Gateway: REST APIs from a document, deployments, the account's log role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.openapi import LONGEST_MILLIS, Plan, expand, read
from sandbox.resources import AGAIN, Outputs, Resource, RestartNeeded, resource
from sandbox.services.shared import REGION, dropped, physical_name, remove, tags

_NEVER_CHANGE: Final = {"binaryMediaTypes", "endpointConfiguration"}


@resource(
    "aws:apigateway/restApi:RestApi",
    ignored={
        **REGION,
        "failOnWarnings": "what an import would warn of is refused here always",
        "putRestApiMode": "the sandbox always makes the API exactly what its body says",
        "endpointAccessMode": "a sandbox has no custom domains",
        "securityPolicy": "the sandbox speaks plain HTTP on loopback",
    },
)
def rest_api(r: Resource) -> Outputs:
    plan = _plan(r)
    settings = _settings(r, plan)
    _note_differences(r, plan, settings)
    wanted = tags(r)
    name = physical_name(r, limit=1024)
    made = r.api(
        "apigateway",
        "create_rest_api",
        "endpointConfiguration",
        name=name,
        description=r.take("description") or (plan and plan.description) or None,
        apiKeySource=settings.get("apiKeySource"),
        binaryMediaTypes=settings.get("binaryMediaTypes"),
        minimumCompressionSize=settings.get("minimumCompressionSize"),
        disableExecuteApiEndpoint=r.take("disableExecuteApiEndpoint"),
        tags=wanted or None,
    )
    outputs = _outputs(r, made, name, wanted)
    if plan:
        expand(r.aws.client("apigateway"), made["id"], plan)
    _set_policy(r, made["id"], settings.get("policy"), outputs["executionArn"])
    return outputs


@rest_api.updates
def update_rest_api(r: Resource) -> Outputs:
    if moved := r.changed & _NEVER_CHANGE:
        raise RestartNeeded(f"{min(moved)} of an API cannot change in place here")
    old = dict(r.old or {})
    plan = _plan(r)
    settings = _settings(r, plan)
    _note_differences(r, plan, settings)
    name = physical_name(r, limit=1024)
    r.take("endpointConfiguration")
    values = {
        "name": name,
        "description": r.take("description") or (plan and plan.description) or "",
        "apiKeySource": settings.get("apiKeySource", "HEADER"),
        "disableExecuteApiEndpoint": bool(r.take("disableExecuteApiEndpoint")),
    }
    patches = [replace(f"/{key}", value) for key, value in values.items()]
    if (size := settings.get("minimumCompressionSize")) is None:
        patches.append({"op": "remove", "path": "/minimumCompressionSize"})
    else:
        patches.append(replace("/minimumCompressionSize", size))
    r.call("apigateway", "update_rest_api", restApiId=old["id"], patchOperations=patches)
    if plan:
        expand(r.aws.client("apigateway"), old["id"], plan)
    _set_policy(r, old["id"], settings.get("policy"), old["executionArn"])
    wanted = tags(r)
    retag(r, old["arn"], wanted)
    return {**old, "name": name, "tagsAll": wanted}


@rest_api.deletes
def delete_rest_api(r: Resource) -> None:
    remove(r, "apigateway", "delete_rest_api", restApiId=(r.old or {})["id"])


def _plan(r: Resource) -> Plan | None:
    body = r.take("body")
    return read(body) if body else None


def _settings(r: Resource, plan: Plan | None) -> dict[str, Any]:
    """Settings of the API itself: an argument of the resource wins over the document's extension."""
    document = plan.settings if plan else {}
    size = r.take("minimumCompressionSize")
    given = {
        "apiKeySource": r.take("apiKeySource"),
        "binaryMediaTypes": r.take("binaryMediaTypes"),
        "minimumCompressionSize": None if size is None or int(size) < 0 else int(size),
        "policy": r.take("policy"),
    }
    return {**document, **{key: value for key, value in given.items() if value is not None}}


def _note_differences(r: Resource, plan: Plan | None, settings: dict[str, Any]) -> None:
    integrations = [method.integration for method in plan.methods] if plan else []
    if settings.get("minimumCompressionSize") is not None:
        r.note("answers are not compressed")
    if settings.get("apiKeySource") == "AUTHORIZER":
        r.note("API keys are read from the x-api-key header only")
    if any(each["timeoutInMillis"] < LONGEST_MILLIS for each in integrations):
        r.note("integration timeouts are recorded: a function's own timeout ends a request")
    if any(each["type"] in ("AWS", "HTTP") and not _sends(each) for each in integrations):
        r.note("mapping templates of AWS and HTTP integrations do not run, SQS excepted")


def _sends(integration: Mapping[str, Any]) -> bool:
    """Whether it calls a queue."""
    return ":sqs:path/" in integration.get("uri", "")


def _set_policy(r: Resource, api_id: str, policy: str | None, execution_arn: str) -> None:
    """The resource policy, with the short form `execute-api:/...` written out as AWS does."""
    if policy:
        text = _everywhere(r, policy.replace('"execute-api:/', f'"{execution_arn}/'))
    elif r.old and "policy" in r.changed:
        text = ""
    else:
        return
    r.call(
        "apigateway",
        "update_rest_api",
        restApiId=api_id,
        patchOperations=[replace("/policy", text)],
    )


_ADDRESSES: Final = ("aws:sourceip", "aws:vpcsourceip", "aws:sourcevpc", "aws:sourcevpce")


def _everywhere(r: Resource, policy: str) -> str:
    """The policy as it reads for a caller from a right address: everybody here comes from this machine.

    A refusal of others is left out, a permission for some holds for all.
    """
    document = json.loads(policy)
    given, kept = document.get("Statement") or [], []
    given = given if isinstance(given, list) else [given]
    for each in given:
        conditions = each.get("Condition") or {}
        others = {
            operator: rest
            for operator, keys in conditions.items()
            if (rest := {k: v for k, v in keys.items() if k.lower() not in _ADDRESSES})
        }
        if others == conditions:
            kept.append(each)
            continue
        if each.get("Effect") == "Allow":
            kept.append({**each, "Condition": others})
    if kept != given:
        r.note("its policy judges no address: every caller comes from this machine")
    return json.dumps({**document, "Statement": kept})


def _outputs(r: Resource, made: dict[str, Any], name: str, wanted: dict[str, str]) -> Outputs:
    api_id = made["id"]
    return {
        "id": api_id,
        "name": name,
        "arn": f"arn:aws:apigateway:{r.aws.region}::/restapis/{api_id}",
        "executionArn": f"arn:aws:execute-api:{r.aws.region}:{r.aws.account}:{api_id}",
        "rootResourceId": made["rootResourceId"],
        "createdDate": made["createdDate"].isoformat(),
        "tagsAll": wanted,
    }


def retag(r: Resource, arn: str, wanted: dict[str, str]) -> None:
    """Bring the tags of an existing API or stage to what is wanted."""
    if extra := dropped(r, wanted):
        r.call("apigateway", "untag_resource", resourceArn=arn, tagKeys=extra)
    if wanted:
        r.call("apigateway", "tag_resource", resourceArn=arn, tags=wanted)


@resource(
    "aws:apigateway/deployment:Deployment",
    ignored={**REGION, "triggers": "they only decide when a deployment is made"},
)
def deployment(r: Resource) -> Outputs:
    api_id = r.take("restApi")
    made = r.api("apigateway", "create_deployment", "description", "variables", restApiId=api_id)
    return {"id": made["id"], "restApi": api_id, "createdDate": made["createdDate"].isoformat()}


@deployment.updates
def update_deployment(r: Resource) -> Outputs:
    """A deployment never changes: a new one is made, and the stage moves to it next; the old one is left to it."""
    return deployment.create(r)


@deployment.deletes
def delete_deployment(r: Resource) -> None:
    old = r.old or {}
    remove(r, "apigateway", "delete_deployment", restApiId=old["restApi"], deploymentId=old["id"])


def replace(path: str, value: Any) -> dict[str, str]:
    """A patch operation; the API takes texts only."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return {"op": "replace", "path": path, "value": text}


@resource("aws:apigateway/account:Account", update=AGAIN, ignored=REGION)
def account(r: Resource) -> Outputs:
    patch = replace("/cloudwatchRoleArn", r.take("cloudwatchRoleArn"))
    answer = r.call("apigateway", "update_account", patchOperations=[patch])
    r.note("the role is recorded: the gateway writes no logs")
    limits = answer.get("throttleSettings") or {}
    return {
        "id": "api-gateway-account",
        "apiKeyVersion": answer.get("apiKeyVersion", "4"),
        "features": answer.get("features", []),
        "throttleSettings": [
            {"burstLimit": limits.get("burstLimit"), "rateLimit": limits.get("rateLimit")}
        ],
    }


@account.deletes
def delete_account(r: Resource) -> None:
    r.call("apigateway", "update_account", patchOperations=[replace("/cloudwatchRoleArn", None)])
