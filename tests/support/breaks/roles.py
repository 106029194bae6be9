"""Roles with too many users, friends or rights; and rights that events need."""

from __future__ import annotations

from typing import Any

from policies.links import FUNCTION, ROLE, ROLE_POLICY
from tests.support.breaking import (
    Break,
    again,
    document,
    edited,
    registered,
    statement,
    without,
)

HEALTH_ROLE, HEALTH_POLICY = "health-role", "health-policy"
SCHEDULE_ROLE, SCHEDULE_POLICY = "cleanup-job-schedule-role", "cleanup-job-schedule-policy"
TRUST = "assumeRolePolicy"
ARN = "arn:aws:iam::123456789012:role/"
LIVE = "arn:aws:lambda:us-west-2:123456789012:function:sandpiper-dev-cleanup-job:live"
FAILURES = "arn:aws:sqs:us-west-2:123456789012:events-failures-queue-0123456"
QUEUE = "arn:aws:sqs:us-west-2:123456789012:notifications-queue-0123456"
ITEMS = "arn:aws:dynamodb:us-west-2:123456789012:table/items-table-0123456"


def trusted(role: str, **changes: Any) -> Any:
    return statement(ROLE, role, "sts:AssumeRole", key=TRUST, **changes)


def allowed(policy: str, *actions: str, on: str) -> Any:
    """One more statement in a policy."""

    def change(written: dict[str, Any]) -> None:
        written["Statement"].append({"Effect": "Allow", "Action": list(actions), "Resource": [on]})

    return document(ROLE_POLICY, policy, change)


def _two_trusts(written: dict[str, Any]) -> None:
    written["Statement"] *= 2


def _long(written: dict[str, Any]) -> None:
    written["Statement"] *= 60


# fmt: off
ROLES = (
    Break("function-has-a-role-of-its-own", "is not of this stack", edited(FUNCTION, "health-function", {"role": f"{ARN}other"})),
    Break("function-has-a-role-of-its-own", "shares its role", edited(FUNCTION, "health-function", {"role": f"{ARN}get-item-role-0123456"})),
    Break("role-is-trusted-by-one-service", "one Allow", document(ROLE, HEALTH_ROLE, _two_trusts, TRUST)),
    Break("role-is-trusted-by-one-service", "trusted by lambda.amazonaws.com and nobody else", trusted(HEALTH_ROLE, Principal={"AWS": "*"})),
    Break("role-is-trusted-by-one-service", "trusted by lambda.amazonaws.com", trusted(HEALTH_ROLE, Principal={"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]})),
    Break("role-is-trusted-by-one-service", "aws:SourceAccount", trusted(SCHEDULE_ROLE, Condition={"StringEquals": {"aws:SourceArn": "arn:aws:scheduler:us-west-2:123456789012:schedule-group/default"}})),
    Break("role-is-trusted-by-one-service", "aws:SourceArn", trusted(SCHEDULE_ROLE, Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}})),
    Break("role-is-used", "nothing of this stack uses it", without(FUNCTION, "health-function")),
    Break("role-is-used", "belongs to no role", edited(ROLE_POLICY, HEALTH_POLICY, {"role": "gone"})),
    Break("role-has-inline-policies-only", "attaches a managed policy", registered("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "foreign")),
    Break("role-has-inline-policies-only", "deprecated", edited(ROLE, HEALTH_ROLE, {"managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]})),
    Break("function-writes-its-own-log", "names no log group", edited(FUNCTION, "health-function", {"loggingConfig.logGroup": "/other"})),
    Break("function-writes-its-own-log", "exactly logs:CreateLogStream", edited(FUNCTION, "health-function", {"loggingConfig.logGroup": "/aws/lambda/sandpiper-dev-get-item"})),
    Break("function-writes-its-own-log", "must hold exactly", allowed(HEALTH_POLICY, "logs:CreateLogGroup", on="*")),
    Break("function-may-trace-when-it-traces", "if tracing is Active", edited(FUNCTION, "health-function", {"tracingConfig.mode": "PassThrough"})),
    Break("rights-are-exact", "allows 'dynamodb:*'", allowed(HEALTH_POLICY, "dynamodb:*", on=ITEMS)),
    Break("rights-are-exact", 'allows dynamodb:GetItem on "*"', allowed(HEALTH_POLICY, "dynamodb:GetItem", on="*")),
    Break("rights-are-exact", "name a resource of this stack", allowed(HEALTH_POLICY, "s3:GetObject", on="arn:aws:s3:::other/*")),
    Break("rights-are-exact", "on arn:aws:s3:::uploads-bucket-0123456*;", allowed(HEALTH_POLICY, "s3:GetObject", on="arn:aws:s3:::uploads-bucket-0123456*")),
    Break("rights-are-exact", "table/items-table-0123456/*;", allowed(HEALTH_POLICY, "dynamodb:Query", on=f"{ITEMS}/*")),
    Break("rights-are-exact", "effect 'Deny'", statement(ROLE_POLICY, HEALTH_POLICY, "logs:PutLogEvents", Effect="Deny")),
    Break("policy-is-well-formed", "not JSON with statements", edited(ROLE_POLICY, HEALTH_POLICY, {"policy": "{}"})),
    Break("policy-is-well-formed", "character that IAM refuses", edited(ROLE_POLICY, HEALTH_POLICY, {"policy": '{"Statement": [{"Sid": "\u2014"}]}'})),
    Break("policy-is-well-formed", "letters and digits", statement(ROLE_POLICY, HEALTH_POLICY, "logs:PutLogEvents", Sid="own-log")),
    Break("policy-is-well-formed", "trust policy is longer", document(ROLE, HEALTH_ROLE, _long, TRUST)),
    Break("policy-is-well-formed", "inline policies are longer", document(ROLE_POLICY, HEALTH_POLICY, _long)),
)

EVENTS = (
    Break("mapping-may-read-its-source", "needs sqs:DeleteMessage", statement(ROLE_POLICY, "notification-sender-consume-policy", "sqs:ReceiveMessage", Action=["sqs:ReceiveMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"])),
    Break("mapping-may-read-its-source", "needs dynamodb:GetRecords", statement(ROLE_POLICY, "data-transformer-consume-policy", "dynamodb:GetRecords")),
    Break("mapping-may-read-its-source", "without an event source", allowed(HEALTH_POLICY, "sqs:ReceiveMessage", on=QUEUE)),
    Break("failures-may-be-put-down", "must hold sqs:SendMessage", statement(ROLE_POLICY, "image-processor-failures-policy", "sqs:SendMessage")),
    Break("failures-may-be-put-down", "must hold sqs:SendMessage", statement(ROLE_POLICY, "data-transformer-consume-policy", "sqs:SendMessage")),
    Break("failures-may-be-put-down", "must hold sqs:SendMessage", statement(ROLE_POLICY, SCHEDULE_POLICY, "sqs:SendMessage")),
    Break("sending-is-needed", "where nothing of it ends", allowed(HEALTH_POLICY, "sqs:SendMessage", on=FAILURES)),
    Break("schedule-may-start-its-target", "on exactly the target", statement(ROLE_POLICY, SCHEDULE_POLICY, "lambda:InvokeFunction", Resource=[f"{LIVE}*"])),
    Break("schedule-may-start-its-target", "on exactly the target", statement(ROLE_POLICY, SCHEDULE_POLICY, "lambda:InvokeFunction")),
    Break("schedule-may-start-its-target", "a schedule needs none", allowed(SCHEDULE_POLICY, "dynamodb:GetItem", on=ITEMS)),
    Break("role-is-used", "nothing of this stack uses it", again(ROLE, SCHEDULE_ROLE)),
)

BREAKS = (*ROLES, *EVENTS)
# fmt: on
