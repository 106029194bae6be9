"""Outcomes that end nowhere, and rights to put them down that nobody needs; and who may remove versions."""

from __future__ import annotations

from policies import aws
from tests.support.breaking import Break, allowed, edited, statement
from tests.support.breaks.everything import (
    FOREIGN_BUCKET,
    FOREIGN_QUEUE,
    FOREIGN_TOPIC,
    FUNCTIONS,
    more,
)

GET, CONFIG = "get-item-function", "get-item-async"
DEAD, FAILED = "deadLetterConfig.targetArn", "destinationConfig.onFailure.destination"
DONE = "destinationConfig.onSuccess.destination"
FAILURES = "arn:aws:sqs:us-west-2:123456789012:events-failures-queue-0123456"
BUS = "arn:aws:events:us-west-2:123456789012:event-bus/somebodys"
OTHER = "arn:aws:lambda:us-west-2:123456789012:function:somebodys:live"
CLEANER = "version-cleaner-policy"
TAKEN, REACHED = "destination-is-one-that-aws-takes", "destination-may-be-reached"
DELETE = "lambda:DeleteFunction"

# fmt: off
DESTINATIONS = (
    Break(TAKEN, "standard sqs or sns target", more(edited(aws.FUNCTION, GET, {DEAD: f"{FOREIGN_QUEUE}.fifo"}))),
    Break(TAKEN, "standard sqs or sns target", more(edited(aws.FUNCTION, GET, {DEAD: f"{FOREIGN_TOPIC}.fifo"}))),
    Break(TAKEN, "standard sqs or sns target", more(edited(aws.FUNCTION, GET, {DEAD: OTHER}))),
    Break(TAKEN, "standard sqs or sns target", more(edited(aws.FUNCTION, GET, {DEAD: "somebodys-failures"}))),
    Break(TAKEN, "must be in us-west-2", more(edited(aws.FUNCTION, GET, {DEAD: FOREIGN_QUEUE.replace("us-west-2", "eu-west-1")}))),
    Break(TAKEN, "its failure destination", more(edited(aws.EVENT_INVOKE, CONFIG, {FAILED: f"{FOREIGN_QUEUE}.fifo"}))),
    Break(TAKEN, "its failure destination", more(edited(aws.EVENT_INVOKE, CONFIG, {FAILED: "arn:aws:dynamodb:us-west-2:123456789012:table/failures"}))),
    Break(TAKEN, "its success destination", more(edited(aws.EVENT_INVOKE, CONFIG, {DONE: FOREIGN_BUCKET}))),
    Break(TAKEN, "must be in us-west-2", more(edited(aws.EVENT_INVOKE, CONFIG, {DONE: BUS.replace("us-west-2", "eu-west-1")}))),
    Break(TAKEN, "is the function itself", more(edited(aws.EVENT_INVOKE, CONFIG, {DONE: f"{FUNCTIONS}-get-item:live"}))),
    Break(TAKEN, "is the function itself", more(edited(aws.EVENT_INVOKE, CONFIG, {FAILED: f"{FUNCTIONS}-get-item"}))),
    Break(TAKEN, "standard sqs target", edited(aws.SCHEDULE, "cleanup-job-schedule", {"target.deadLetterConfig.arn": FOREIGN_TOPIC})),
    Break(TAKEN, "must be in us-west-2", edited(aws.SCHEDULE, "cleanup-job-schedule", {"target.deadLetterConfig.arn": FOREIGN_QUEUE.replace("us-west-2", "eu-west-1")})),
    Break(TAKEN, "standard sqs or sns or s3", edited(aws.EVENT_SOURCE_MAPPING, "data-transformer-items-mapping", {"destinationConfig.onFailure.destinationArn": OTHER})),
    Break(REACHED, f"must hold sqs:SendMessage on {FOREIGN_QUEUE}", more(statement(aws.ROLE_POLICY, "get-item-policy", "sqs:SendMessage"))),
    Break(REACHED, f"must hold sns:Publish on {FOREIGN_TOPIC}", more(statement(aws.ROLE_POLICY, "get-item-failures-policy", "sns:Publish"))),
    Break(REACHED, f"must hold s3:PutObject on {FOREIGN_BUCKET}/*", more(statement(aws.ROLE_POLICY, "get-item-failures-policy", "s3:PutObject"))),
    Break(REACHED, f"must hold s3:ListBucket on {FOREIGN_BUCKET}", more(statement(aws.ROLE_POLICY, "get-item-failures-policy", "s3:ListBucket"))),
    Break(REACHED, f"must hold events:PutEvents on {BUS}", more(edited(aws.EVENT_INVOKE, CONFIG, {DONE: BUS}))),
    Break(REACHED, f"must hold lambda:InvokeFunction on {OTHER}", more(edited(aws.EVENT_INVOKE, CONFIG, {DONE: OTHER}))),
    Break(REACHED, "must hold sqs:SendMessage", statement(aws.ROLE_POLICY, "image-processor-failures-policy", "sqs:SendMessage")),
    Break(REACHED, "must hold sqs:SendMessage", statement(aws.ROLE_POLICY, "data-transformer-items-consume-policy", "sqs:SendMessage")),
    Break(REACHED, "must hold sqs:SendMessage", statement(aws.ROLE_POLICY, "cleanup-job-schedule-policy", "sqs:SendMessage")),
    Break("sending-is-needed", "where nothing of it ends", allowed("health-policy", "sqs:SendMessage", on=FAILURES)),
    Break("failures-raise-an-alarm", "collects failures", edited(aws.FUNCTION, GET, {DEAD: "arn:aws:sqs:us-west-2:123456789012:notifications-queue-0123456"})),
)

VERSIONS = (
    Break("nobody-may-delete-a-function", f"may delete {FUNCTIONS}-health;", statement(aws.ROLE_POLICY, CLEANER, DELETE, Resource=[f"{FUNCTIONS}-health"])),
    Break("nobody-may-delete-a-function", f"may delete {FUNCTIONS}-health*;", allowed("health-policy", DELETE, on=f"{FUNCTIONS}-health*")),
    Break("nobody-may-delete-a-function", f"may delete {FUNCTIONS}-*:*;", allowed("health-policy", DELETE, on=f"{FUNCTIONS}-*:*")),
    Break("nobody-may-delete-a-function", "may delete *;", allowed("health-policy", "Lambda:delete*", on="*")),
    Break("nobody-may-delete-a-function", "may delete *;", allowed("health-policy", "*", on="*")),
    *(
        Break("cleaner-may-remove-versions", f"needs {action} on {FUNCTIONS}-health", statement(aws.ROLE_POLICY, CLEANER, action))
        for action in ("lambda:ListVersionsByFunction", "lambda:ListAliases", DELETE)
    ),
    Break("cleaner-knows-every-function", "health-function: version-cleaner-function is not told", edited(aws.FUNCTION, "health-function", {"name": "sandpiper-dev-unheard-of"})),
    Break("cleaner-may-remove-versions", "does not name it", allowed("cleanup-job-policy", DELETE, on=f"{FUNCTIONS}-create-item:*")),
    Break("cleaner-may-remove-versions", "does not name it", allowed("health-policy", "lambda:ListAliases", on=f"{FUNCTIONS}-create-item")),
    Break("cleaner-may-remove-versions", "'gone', which is no function", edited(aws.FUNCTION, "version-cleaner-function", {"environment.variables.FUNCTION_NAMES": "gone"})),
)

BREAKS = (*DESTINATIONS, *VERSIONS)
# fmt: on
