"""Roles with too many users, friends or rights; and rights that events need."""

from __future__ import annotations

from typing import Any

from policies import aws
from tests.support.breaking import (
    Break,
    again,
    allowed,
    document,
    edited,
    registered,
    statement,
    without,
)
from tests.support.breaks.everything import FOREIGN_QUEUE, FUNCTIONS, more

HEALTH_ROLE, HEALTH_POLICY = "health-role", "health-policy"
SCHEDULE_ROLE, SCHEDULE_POLICY = "cleanup-job-schedule-role", "cleanup-job-schedule-policy"
TRUST = "assumeRolePolicy"
ARN = "arn:aws:iam::123456789012:role/"
LIVE = "arn:aws:lambda:us-west-2:123456789012:function:sandpiper-dev-cleanup-job:live"
QUEUE = "arn:aws:sqs:us-west-2:123456789012:notifications-queue-0123456"
ITEMS = "arn:aws:dynamodb:us-west-2:123456789012:table/items-table-0123456"


def trusted(role: str, **changes: Any) -> Any:
    return statement(aws.ROLE, role, "sts:AssumeRole", key=TRUST, **changes)


def denied(**changes: Any) -> Any:
    """Change what denies network rights to the function's own code."""

    def change(written: dict[str, Any]) -> None:
        one = next(s for s in written["Statement"] if s["Effect"] == "Deny")
        one.update(changes)
        for part in [part for part, value in changes.items() if value is None]:
            del one[part]

    return document(aws.ROLE_POLICY, HEALTH_POLICY, change)


def _two_trusts(written: dict[str, Any]) -> None:
    written["Statement"] *= 2


def _long(written: dict[str, Any]) -> None:
    written["Statement"] *= 60


# fmt: off
ROLES = (
    Break("function-has-a-role-of-its-own", "neither of this stack", edited(aws.FUNCTION, "health-function", {"role": "health-role"})),
    Break("function-has-a-role-of-its-own", "neither of this stack", edited(aws.FUNCTION, "health-function", {"role": "arn:aws:iam::123456789012:user/other"})),
    Break("function-has-a-role-of-its-own", "shares its role", edited(aws.FUNCTION, "health-function", {"role": f"{ARN}get-item-role-0123456"})),
    Break("role-is-trusted-by-one-service", "one Allow", document(aws.ROLE, HEALTH_ROLE, _two_trusts, TRUST)),
    Break("role-is-trusted-by-one-service", "trusted by lambda.amazonaws.com and nobody else", trusted(HEALTH_ROLE, Principal={"AWS": "*"})),
    Break("role-is-trusted-by-one-service", "trusted by lambda.amazonaws.com", trusted(HEALTH_ROLE, Principal={"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]})),
    Break("role-is-trusted-by-one-service", "aws:SourceAccount", trusted(SCHEDULE_ROLE, Condition={"StringEquals": {"aws:SourceArn": "arn:aws:scheduler:us-west-2:123456789012:schedule-group/default"}})),
    Break("role-is-trusted-by-one-service", "aws:SourceArn", trusted(SCHEDULE_ROLE, Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}})),
    Break("role-is-used", "nothing of this stack uses it", edited(aws.FUNCTION, "health-function", {"role": f"{ARN}other"})),
    Break("role-is-used", "nothing of this stack uses it", without(aws.FUNCTION, "health-function")),
    Break("role-is-used", "belongs to no role", edited(aws.ROLE_POLICY, HEALTH_POLICY, {"role": "gone"})),
    Break("role-has-inline-policies-only", "attaches a managed policy", registered(aws.ROLE_POLICY_ATTACHMENT, "foreign")),
    Break("role-has-inline-policies-only", "deprecated", edited(aws.ROLE, HEALTH_ROLE, {"managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]})),
    Break("function-writes-its-own-log", "names no log group", edited(aws.FUNCTION, "health-function", {"loggingConfig.logGroup": "/other"})),
    Break("function-writes-its-own-log", "names no log group", more(edited(aws.FUNCTION, "delete-item-function", {"loggingConfig.logGroup": "/other"}))),
    Break("function-writes-its-own-log", "exactly logs:CreateLogStream", edited(aws.FUNCTION, "health-function", {"loggingConfig.logGroup": "/aws/lambda/sandpiper-dev-get-item"})),
    Break("function-writes-its-own-log", "must hold exactly", allowed(HEALTH_POLICY, "logs:CreateLogGroup", on="*")),
    Break("function-may-trace-when-it-traces", "if tracing is Active", edited(aws.FUNCTION, "health-function", {"tracingConfig.mode": "PassThrough"})),
    Break("gateway-may-write-its-logs", "its role must hold", more(statement(aws.ROLE_POLICY, "api-account-logs-policy", "logs:PutLogEvents", Action=["logs:PutLogEvents"]))),
    Break("rights-are-exact", "allows 'dynamodb:*'", allowed(HEALTH_POLICY, "dynamodb:*", on=ITEMS)),
    Break("rights-are-exact", 'allows dynamodb:GetItem on "*"', allowed(HEALTH_POLICY, "dynamodb:GetItem", on="*")),
    Break("rights-are-exact", "name a resource of this stack", allowed(HEALTH_POLICY, "s3:GetObject", on="arn:aws:s3:::other/*")),
    Break("rights-are-exact", "on arn:aws:s3:::uploads-bucket-0123456*;", allowed(HEALTH_POLICY, "s3:GetObject", on="arn:aws:s3:::uploads-bucket-0123456*")),
    Break("rights-are-exact", "table/items-table-0123456/*;", allowed(HEALTH_POLICY, "dynamodb:Query", on=f"{ITEMS}/*")),
    Break("rights-are-exact", "effect 'Deny'", statement(aws.ROLE_POLICY, HEALTH_POLICY, "logs:PutLogEvents", Effect="Deny")),
    Break("rights-are-exact", "effect 'Deny'", more(denied(Condition={"ArnEquals": {"lambda:SourceFunctionArn": f"{FUNCTIONS}-get-item"}}))),
    Break("rights-are-exact", "effect 'Deny'", more(denied(Condition=None))),
    Break("rights-are-exact", "effect 'Deny'", more(denied(Action=["ec2:CreateNetworkInterface", "logs:PutLogEvents"]))),
    Break("rights-are-exact", f"allows sqs:SendMessage on {FOREIGN_QUEUE}", more(edited(aws.FUNCTION, "get-item-function", {"deadLetterConfig": None}))),
    Break("rights-are-exact", f"allows sqs:SendMessage on {FOREIGN_QUEUE}", more(allowed(HEALTH_POLICY, "sqs:SendMessage", on=FOREIGN_QUEUE))),
    Break("rights-are-exact", f"allows sqs:ReceiveMessage on {FOREIGN_QUEUE}", more(allowed("get-item-policy", "sqs:ReceiveMessage", on=FOREIGN_QUEUE))),
    Break("rights-are-exact", 'elasticfilesystem:ClientWrite on "*"', more(statement(aws.ROLE_POLICY, HEALTH_POLICY, "elasticfilesystem:ClientMount", Condition=None))),
    Break("rights-are-exact", "'elasticfilesystem:*'", more(statement(aws.ROLE_POLICY, HEALTH_POLICY, "elasticfilesystem:ClientMount", Action=["elasticfilesystem:*"]))),
    Break("rights-are-exact", 'logs:GetLogEvents on "*"', more(without(aws.ACCOUNT, "api-account*"))),
    Break("rights-are-exact", "lambda:InvokeFunction on", allowed(HEALTH_POLICY, "lambda:InvokeFunction", on=f"{FUNCTIONS}-get-item:*")),
    Break("policy-is-well-formed", "not JSON with statements", edited(aws.ROLE_POLICY, HEALTH_POLICY, {"policy": "{}"})),
    Break("policy-is-well-formed", "character that IAM refuses", edited(aws.ROLE_POLICY, HEALTH_POLICY, {"policy": '{"Statement": [{"Sid": "\u2014"}]}'})),
    Break("policy-is-well-formed", "letters and digits", statement(aws.ROLE_POLICY, HEALTH_POLICY, "logs:PutLogEvents", Sid="own-log")),
    Break("policy-is-well-formed", "names no Action", statement(aws.ROLE_POLICY, HEALTH_POLICY, "logs:PutLogEvents", Action=None, NotAction=["iam:PassRole"])),
    Break("policy-is-well-formed", "not JSON with statements", more(edited(aws.REPOSITORY_POLICY, "inference-repository-policy", {"policy": "{}"}))),
    Break("policy-is-well-formed", "trust policy is longer", document(aws.ROLE, HEALTH_ROLE, _long, TRUST)),
    Break("policy-is-well-formed", "inline policies are longer", document(aws.ROLE_POLICY, HEALTH_POLICY, _long)),
)

EVENTS = (
    Break("mapping-may-read-its-source", "needs sqs:DeleteMessage", statement(aws.ROLE_POLICY, "notification-sender-notifications-consume-policy", "sqs:ReceiveMessage", Action=["sqs:ReceiveMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"])),
    Break("mapping-may-read-its-source", "needs dynamodb:GetRecords", statement(aws.ROLE_POLICY, "data-transformer-items-consume-policy", "dynamodb:GetRecords")),
    Break("mapping-may-read-its-source", "without an event source", allowed(HEALTH_POLICY, "sqs:ReceiveMessage", on=QUEUE)),
    Break("schedule-may-start-its-target", "on exactly the target", statement(aws.ROLE_POLICY, SCHEDULE_POLICY, "lambda:InvokeFunction", Resource=[f"{LIVE}*"])),
    Break("schedule-may-start-its-target", "on exactly the target", statement(aws.ROLE_POLICY, SCHEDULE_POLICY, "lambda:InvokeFunction")),
    Break("schedule-may-start-its-target", "a schedule needs none", allowed(SCHEDULE_POLICY, "dynamodb:GetItem", on=ITEMS)),
    Break("schedule-may-start-its-target", "on exactly the target", more(statement(aws.ROLE_POLICY, "warming-policy", "lambda:InvokeFunction", Resource=[f"{FUNCTIONS}-get-item:live"]))),
    Break("schedule-may-start-its-target", "on exactly the target", more(allowed("warming-policy", "lambda:InvokeFunction", on=f"{FUNCTIONS}-health:live"))),
    Break("schedule-may-start-its-target", "only warming schedules", more(edited(aws.SCHEDULE, "warming-get-item", {"target.input": None}))),
    Break("warming-only-warms", "its input must be", more(edited(aws.SCHEDULE, "warming-get-item", {"target.input": '{"warming": 1}'}))),
    Break("warming-only-warms", "its input must be", more(edited(aws.SCHEDULE, "warming-get-item", {"target.input": '{"warming": true, "id": 1}'}))),
    Break("warming-only-warms", "choose one of the two", more(registered(aws.PROVISIONED, "p", functionName="sandpiper-dev-get-item", qualifier="live"))),
    Break("role-is-used", "nothing of this stack uses it", again(aws.ROLE, SCHEDULE_ROLE)),
)

BREAKS = (*ROLES, *EVENTS)
# fmt: on
