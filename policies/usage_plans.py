"""API keys and usage plans: who may call how often. A key says who pays; who calls, an authorizer says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies import aws, gateways
from policies.model import Registered, Stack, rule

LATEST_OFFSET = {"DAY": 0, "WEEK": 6, "MONTH": 27}
"""Period of a quota -> the last day on which it may begin (API Gateway, QuotaSettings)."""


@rule
def usage_plan_limits_its_keys(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A quota and a throttle, on stages of this stack: a plan without them counts and lets everything pass."""
    for plan in stack.all(aws.USAGE_PLAN):
        quota, throttle = plan.get("quotaSettings") or {}, plan.get("throttleSettings") or {}
        latest = LATEST_OFFSET.get(str(quota.get("period")), -1)
        if not (quota.get("limit") or 0) > 0 or not 0 <= (quota.get("offset") or 0) <= latest:
            yield (
                plan,
                "quotaSettings needs a limit above 0, a period, and an offset within the period",
            )
        if not all((throttle.get(limit) or 0) > 0 for limit in ("rateLimit", "burstLimit")):
            yield plan, "throttleSettings needs rateLimit and burstLimit above 0"
        stages = plan.get("apiStages") or []
        if not stages or not all(_is_ours(stack, stage) for stage in stages):
            yield plan, "apiStages must name stages of this stack, one at least"


@rule
def api_key_is_made_by_aws(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A value of our own would stand in the state and in whatever wrote it; a key outside a plan opens nothing."""
    joined = {k.get("keyId"): k for k in stack.having(aws.USAGE_PLAN_KEY, keyType="API_KEY")}
    plans = {plan.output("id") for plan in stack.all(aws.USAGE_PLAN)}
    for key in stack.all(aws.API_KEY):
        if key.get("value") is not None:
            yield key, "has a value of our own; let API Gateway make it"
        member = joined.get(key.output("id"))
        if member is None or member.get("usagePlanId") not in plans:
            yield key, "belongs to no usage plan of this stack"


@rule
def key_is_asked_where_it_is_counted(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A method that asks a key of a stage without a plan refuses everybody; a plan that no method asks limits nobody."""
    planned = {
        (stage.get("apiId"), stage.get("stage"))
        for plan in stack.all(aws.USAGE_PLAN)
        for stage in plan.get("apiStages") or []
    }
    for api in stack.all(aws.REST_API):
        asking = [
            e for e, operation in gateways.operations(api) if gateways.asked(api, operation)[1]
        ]
        for stage in gateways.rest_stages(stack, api):
            counted = (api.output("id"), stage.get("stageName")) in planned
            if asking and not counted:
                yield stage, f"{asking[0]} asks an API key, but no usage plan names this stage"
            if counted and not asking:
                yield stage, "has a usage plan, but no method asks an API key"


def _is_ours(stack: Stack, stage: Mapping[str, object]) -> bool:
    found = stack.having(aws.REST_STAGE, restApi=stage.get("apiId"), stageName=stage.get("stage"))
    return bool(found)


RULES = (usage_plan_limits_its_keys, api_key_is_made_by_aws, key_is_asked_where_it_is_counted)
