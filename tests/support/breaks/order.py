"""Things that no longer wait for what must be there first."""

from __future__ import annotations

import json

from policies import aws
from tests.support.breaking import Break, Mutation, also, not_waiting, registered, without
from tests.support.breaks.everything import FOREIGN_QUEUE, more


def late(function: str, action: str, *, on: str) -> Mutation:
    """A right that Lambda asks for at once, in a policy of another component, which nobody waits for."""
    written = json.dumps({"Statement": [{"Effect": "Allow", "Action": action, "Resource": on}]})
    role = f"{function}-role-0123456"
    return more(registered(aws.ROLE_POLICY, "late-policy", role=role, policy=written))


# fmt: off
BREAKS = (
    Break("function-waits-for-its-rights", "must wait for health-policy", not_waiting(aws.FUNCTION, "health-function", "health-policy")),
    Break("function-waits-for-its-rights", "must wait for health-logs", also(not_waiting(aws.FUNCTION, "health-function", "health-logs"), not_waiting(aws.FUNCTION, "health-function", "health-policy"))),
    Break("mapping-waits-for-its-rights", "notification-sender-notifications-consume-policy", not_waiting(aws.EVENT_SOURCE_MAPPING, "notification-sender-notifications-mapping", "notification-sender-notifications-consume-policy")),
    Break("mapping-waits-for-its-rights", "data-transformer-items-consume-policy", not_waiting(aws.EVENT_SOURCE_MAPPING, "data-transformer-items-mapping", "data-transformer-items-consume-policy")),
    Break("function-waits-for-its-rights", "must wait for late-policy", late("get-item", "sqs:SendMessage", on=FOREIGN_QUEUE)),
    Break("function-waits-for-its-rights", "must wait for late-policy", late("health", "ec2:DescribeSubnets", on="*")),
    Break("function-waits-for-its-rights", "must wait for late-policy", late("health", "elasticfilesystem:ClientMount", on="*")),
    Break("destination-waits-for-its-right", "get-item-failures-policy", more(not_waiting(aws.EVENT_INVOKE, "get-item-async", "get-item-failures-policy"))),
    Break("destination-waits-for-its-right", "cleanup-job-failures-policy", not_waiting(aws.EVENT_INVOKE, "cleanup-job-async", "cleanup-job-failures-policy")),
    Break("schedule-waits-for-its-rights", "cleanup-job-schedule-policy", not_waiting(aws.SCHEDULE, "cleanup-job-schedule", "cleanup-job-schedule-policy")),
    Break("notification-waits-for-its-permissions", "image-processor-uploads-permission", not_waiting(aws.BUCKET_NOTIFICATION, "uploads-notification", "image-processor-uploads-permission")),
    Break("bucket-settings-follow-each-other", "at the same time", not_waiting(aws.BUCKET_VERSIONING, "images-versioning", "images-encryption")),
    Break("bucket-settings-follow-each-other", "at the same time", not_waiting(aws.BUCKET_NOTIFICATION, "uploads-notification", "uploads-logging")),
    Break("logging-waits-for-its-target", "access-logs-policy", not_waiting(aws.BUCKET_LOGGING, "images-logging", "access-logs-policy")),
    Break("stage-waits-for-its-logs", "API Gateway will make", without(aws.LOG_GROUP, "api-execution-logs")),
    Break("stage-waits-for-its-logs", "must wait for api-execution-logs", not_waiting(aws.REST_STAGE, "api-stage", "api-execution-logs")),
    Break("stage-waits-for-its-logs", "must wait for foreign", registered(aws.ACCOUNT, "foreign")),
    Break("stage-waits-for-its-logs", "must wait for health-policy", registered(aws.ACCOUNT, "foreign", cloudwatchRoleArn="arn:aws:iam::123456789012:role/health-role-0123456")),
)
# fmt: on
