"""Things that no longer wait for what must be there first."""

from __future__ import annotations

from policies.links import ACCOUNT, ASYNC, FUNCTION, LOG_GROUP, MAPPING, NOTIFICATION, SCHEDULE
from tests.support.breaking import Break, also, not_waiting, registered, without

STAGE = "aws:apigateway/stage:Stage"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"

# fmt: off
BREAKS = (
    Break("function-waits-for-its-rights", "must wait for health-policy", not_waiting(FUNCTION, "health-function", "health-policy")),
    Break("function-waits-for-its-rights", "must wait for health-logs", also(not_waiting(FUNCTION, "health-function", "health-logs"), not_waiting(FUNCTION, "health-function", "health-policy"))),
    Break("mapping-waits-for-its-rights", "notification-sender-consume-policy", not_waiting(MAPPING, "notification-sender-mapping", "notification-sender-consume-policy")),
    Break("mapping-waits-for-its-rights", "data-transformer-consume-policy", not_waiting(MAPPING, "data-transformer-mapping", "data-transformer-consume-policy")),
    Break("failure-destination-waits-for-its-right", "cleanup-job-failures-policy", not_waiting(ASYNC, "cleanup-job-async", "cleanup-job-failures-policy")),
    Break("schedule-waits-for-its-rights", "cleanup-job-schedule-policy", not_waiting(SCHEDULE, "cleanup-job-schedule", "cleanup-job-schedule-policy")),
    Break("notification-waits-for-its-permissions", "image-processor-uploads-permission", not_waiting(NOTIFICATION, "uploads-notification", "image-processor-uploads-permission")),
    Break("bucket-settings-follow-each-other", "at the same time", not_waiting(VERSIONING, "images-versioning", "images-encryption")),
    Break("bucket-settings-follow-each-other", "at the same time", not_waiting(NOTIFICATION, "uploads-notification", "uploads-logging")),
    Break("logging-waits-for-its-target", "access-logs-policy", not_waiting("aws:s3/bucketLogging:BucketLogging", "images-logging", "access-logs-policy")),
    Break("stage-waits-for-its-logs", "API Gateway will make", without(LOG_GROUP, "api-execution-logs")),
    Break("stage-waits-for-its-logs", "must wait for api-execution-logs", not_waiting(STAGE, "api-stage", "api-execution-logs")),
    Break("stage-waits-for-its-logs", "must wait for foreign", registered(ACCOUNT, "foreign")),
    Break("stage-waits-for-its-logs", "must wait for health-policy", registered(ACCOUNT, "foreign", cloudwatchRoleArn="arn:aws:iam::123456789012:role/health-role-0123456")),
)
# fmt: on
