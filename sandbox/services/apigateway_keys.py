"""API Gateway: API keys and usage plans; quotas and throttles are real."""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.apigateway import replace, retag
from sandbox.services.shared import REGION, physical_name, remove, replaced, tags


@resource("aws:apigateway/apiKey:ApiKey", ignored=REGION, secret_outputs=["value"])
def api_key(r: Resource) -> Outputs:
    name, value, wanted = physical_name(r, limit=1024), r.take("value"), tags(r)
    if value is not None and not 20 <= len(value) <= 128:
        raise ValueError(f"the value of an API key has 20 to 128 characters, this one {len(value)}")
    enabled = r.take("enabled")
    made = r.api(
        "apigateway",
        "create_api_key",
        "customerId",
        "description",
        name=name,
        value=value,
        enabled=True if enabled is None else bool(enabled),
        tags=wanted or None,
    )
    return _key_outputs(r, made, name, wanted)


@api_key.updates
def update_api_key(r: Resource) -> Outputs:
    if "value" in r.changed:
        return replaced(api_key.create, delete_api_key)(r)
    name, wanted = physical_name(r, limit=1024), tags(r)
    r.take("value")
    enabled = r.take("enabled")
    values = {
        "name": name,
        "description": r.take("description") or "",
        "customerId": r.take("customerId") or "",
    }
    patches = [replace(f"/{key}", value) for key, value in values.items()]
    made = r.call(
        "apigateway", "update_api_key", apiKey=(r.old or {})["id"], patchOperations=patches
    )
    wished = True if enabled is None else bool(enabled)
    if wished != made.get("enabled", True) and "enabled" in r.changed:
        return replaced(api_key.create, delete_api_key)(r)
    outputs = _key_outputs(r, made, name, wanted)
    retag(r, outputs["arn"], wanted)
    return outputs


@api_key.recalls
def recall_api_key(r: Resource) -> Outputs:
    found = r.call("apigateway", "get_api_key", apiKey=(r.old or {})["id"], includeValue=True)
    return {"value": found["value"]}


@api_key.deletes
def delete_api_key(r: Resource) -> None:
    remove(r, "apigateway", "delete_api_key", apiKey=(r.old or {})["id"])


def _key_outputs(r: Resource, made: dict[str, Any], name: str, wanted: dict[str, str]) -> Outputs:
    return {
        "id": made["id"],
        "name": name,
        "arn": f"arn:aws:apigateway:{r.aws.region}::/apikeys/{made['id']}",
        "value": made["value"],
        "createdDate": made["createdDate"].isoformat(),
        "lastUpdatedDate": made["lastUpdatedDate"].isoformat(),
        "tagsAll": wanted,
    }


_PLAN: Final = {"quotaSettings": "quota", "throttleSettings": "throttle"}


@resource("aws:apigateway/usagePlan:UsagePlan", ignored=REGION)
def usage_plan(r: Resource) -> Outputs:
    name, wanted = physical_name(r, limit=1024), tags(r)
    if r.take("productCode"):
        r.note("its product code is recorded: there is no marketplace here")
    made = r.api(
        "apigateway",
        "create_usage_plan",
        "description",
        "quotaSettings",
        "throttleSettings",
        rename=_PLAN,
        name=name,
        apiStages=_stages(r),
        tags=wanted or None,
    )
    return _plan_outputs(r, made["id"], name, wanted)


@usage_plan.updates
def update_usage_plan(r: Resource) -> Outputs:
    """Limits and stages make another plan, whose counts begin anew; the keys follow, as their plan has changed."""
    if r.changed - {"name", "description", "tags", "productCode"}:
        return replaced(usage_plan.create, delete_usage_plan)(r)
    plan_id = (r.old or {})["id"]
    name, wanted = physical_name(r, limit=1024), tags(r)
    _stages(r)
    for key in (*_PLAN, "productCode"):
        r.take(key)
    patches = [replace("/name", name), replace("/description", r.take("description") or "")]
    r.call("apigateway", "update_usage_plan", usagePlanId=plan_id, patchOperations=patches)
    outputs = _plan_outputs(r, plan_id, name, wanted)
    retag(r, outputs["arn"], wanted)
    return outputs


@usage_plan.deletes
def delete_usage_plan(r: Resource) -> None:
    remove(r, "apigateway", "delete_usage_plan", usagePlanId=(r.old or {})["id"])


def _stages(r: Resource) -> list[dict[str, Any]]:
    """The provider lists limits by path (`/orders/GET`), the API maps them."""
    return [
        {
            "apiId": b.take("apiId"),
            "stage": b.take("stage"),
            "throttle": {
                limit.take("path"): {
                    "burstLimit": limit.take("burstLimit"),
                    "rateLimit": limit.take("rateLimit"),
                }
                for limit in b.blocks("throttles")
            },
        }
        for b in r.blocks("apiStages")
    ]


def _plan_outputs(r: Resource, plan_id: str, name: str, wanted: dict[str, str]) -> Outputs:
    return {
        "id": plan_id,
        "name": name,
        "arn": f"arn:aws:apigateway:{r.aws.region}::/usageplans/{plan_id}",
        "tagsAll": wanted,
    }


@resource("aws:apigateway/usagePlanKey:UsagePlanKey", ignored=REGION, secret_outputs=["value"])
def usage_plan_key(r: Resource) -> Outputs:
    plan, key = r.take("usagePlanId"), r.take("keyId")
    made = r.call(
        "apigateway",
        "create_usage_plan_key",
        usagePlanId=plan,
        keyId=key,
        keyType=r.take("keyType"),
    )
    return {
        "id": made["id"],
        "usagePlanId": plan,
        "keyId": key,
        "name": made["name"],
        "value": made["value"],
    }


@usage_plan_key.recalls
def recall_usage_plan_key(r: Resource) -> Outputs:
    found = r.call("apigateway", "get_api_key", apiKey=(r.old or {})["keyId"], includeValue=True)
    return {"value": found["value"]}


@usage_plan_key.deletes
def delete_usage_plan_key(r: Resource) -> None:
    old = r.old or {}
    remove(
        r, "apigateway", "delete_usage_plan_key", usagePlanId=old["usagePlanId"], keyId=old["keyId"]
    )


usage_plan_key.updates(replaced(usage_plan_key.create, delete_usage_plan_key))
