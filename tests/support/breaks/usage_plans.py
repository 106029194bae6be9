"""Keys that nobody counts, plans that limit nothing, and routes that call a service too freely."""

from __future__ import annotations

from typing import Any

from policies import aws
from policies.gateways import EXTENSION
from tests.support.breaking import Break, Mutation, allowed, edited, statement, without
from tests.support.breaks.api import part

LIMITED, MADE, ASKED = (
    "usage-plan-limits-its-keys",
    "api-key-is-made-by-aws",
    "key-is-asked-where-it-is-counted",
)
CALLED, SHAPED, OURS = (
    "service-is-called-in-a-role",
    "service-gets-nothing-unshaped",
    "service-answers-are-ours",
)
POST = "paths /notifications post"
SERVICE = f"{POST} {EXTENSION}"
SENDER = "api-post-notifications"
QUEUE = "arn:aws:sqs:us-west-2:123456789012:notifications-queue-0123456"


def plan(path: str, value: Any) -> Mutation:
    return edited(aws.USAGE_PLAN, "api-usage-plan", {path: value})


# fmt: off
BREAKS = (
    Break(LIMITED, "quotaSettings needs", plan("quotaSettings", None)),
    Break(LIMITED, "quotaSettings needs", plan("quotaSettings.limit", 0)),
    Break(LIMITED, "quotaSettings needs", plan("quotaSettings.period", "YEAR")),
    Break(LIMITED, "quotaSettings needs", plan("quotaSettings.offset", 1)),
    Break(LIMITED, "throttleSettings needs", plan("throttleSettings.burstLimit", None)),
    Break(LIMITED, "apiStages must name", plan("apiStages", [])),
    Break(LIMITED, "apiStages must name", plan("apiStages.0.stage", "other")),
    Break(MADE, "a value of our own", edited(aws.API_KEY, "api-key", {"value": "0123456789abcdef0123456789"})),
    Break(MADE, "belongs to no usage plan", without(aws.USAGE_PLAN_KEY, "api-usage-plan-key")),
    Break(MADE, "belongs to no usage plan", edited(aws.USAGE_PLAN_KEY, "api-usage-plan-key", {"usagePlanId": "somebodys"})),
    Break(ASKED, "but no usage plan names", without(aws.USAGE_PLAN, "api-usage-plan")),
    Break(ASKED, "but no method asks", part(f"{POST} security", [{"jwt": []}])),
    Break("method-asks-the-authorizer", "POST /notifications has no", part(f"{POST} security", [{"api_key": []}])),
    Break(CALLED, "names no queue", part(f"{SERVICE} uri", "arn:aws:apigateway:us-west-2:sqs:path/123456789012/somebodys")),
    Break(CALLED, "names no queue", part(f"{SERVICE} uri", "arn:aws:apigateway:us-west-2:dynamodb:action/PutItem")),
    Break(CALLED, "without a role", part(f"{SERVICE} credentials", None)),
    Break(CALLED, "exactly sqs:SendMessage", allowed(f"{SENDER}-policy", "sqs:DeleteMessage", on=QUEUE)),
    Break(CALLED, "exactly sqs:SendMessage", statement(aws.ROLE_POLICY, f"{SENDER}-policy", "sqs:SendMessage")),
    Break("role-is-trusted-by-one-service", "apigateway.amazonaws.com and nobody", edited(aws.ROLE, f"{SENDER}-role", {
        "assumeRolePolicy": '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "sqs.amazonaws.com"}}]}',
    })),
    Break("role-is-used", "nothing of this stack uses it", part(f"{SERVICE} credentials", "arn:aws:iam::123456789012:role/other")),
    Break("encrypted-things-can-be-used", "through sqs.", statement(aws.ROLE_POLICY, f"{SENDER}-policy", "kms:GenerateDataKey")),
    Break(SHAPED, "passthroughBehavior must be never", part(f"{SERVICE} passthroughBehavior", "when_no_match")),
    Break(SHAPED, "needs one request template", part(f"{SERVICE} requestTemplates", {"text/plain": "x"})),
    Break(SHAPED, "an encoded MessageBody", part(f"{SERVICE} requestTemplates application/json", "Action=SendMessage&MessageBody=$input.body")),
    Break(SHAPED, "an encoded MessageBody", part(f"{SERVICE} requestTemplates application/json", "Action=SendMessage&MessageBody=$util.urlEncode($input.body)&MessageAttribute.1.Name=$input.params('a')")),
    Break(SHAPED, "the service reads a form", part(f"{SERVICE} requestParameters", None)),
    Break(OURS, "a pattern of 2xx", part(SERVICE + r" responses 2\d{2}", None)),
    Break(OURS, "must answer an error", part(f"{SERVICE} responses default", None)),
    Break(OURS, "must answer an error", part(f"{SERVICE} responses default statusCode", "202")),
    Break(OURS, "passes the service's text", part(f"{SERVICE} responses default responseTemplates", None)),
    Break(OURS, "503 is not declared", part(f"{SERVICE} responses default statusCode", "503")),
)
# fmt: on
