"""The data key: not usable, too usable, or closed to a service that needs it."""

from __future__ import annotations

from typing import Any

from policies import aws
from tests.support.breaking import Break, allowed, document, edited, statement
from tests.support.breaks.everything import DATA_KEY, HERE, more

CONTEXT = "kms:EncryptionContext:aws:scheduler:schedule:arn"


def without_key_use(policy: str) -> Any:
    def change(written: dict[str, Any]) -> None:
        written["Statement"] = [
            s for s in written["Statement"] if not s["Action"][0].startswith("kms:")
        ]

    return document(aws.ROLE_POLICY, policy, change)


def key_use(policy: str, **changes: Any) -> Any:
    return statement(aws.ROLE_POLICY, policy, "kms:Decrypt", **changes)


def key_policy(sid: str, **changes: Any) -> Any:
    return statement(aws.KEY, "data-key", sid, **changes)


# fmt: off
BREAKS = (
    Break("encrypted-things-can-be-used", "Decrypt on the data key through dynamodb.", without_key_use("get-item-policy")),
    Break("encrypted-things-can-be-used", "through secretsmanager.", without_key_use("authorizer-policy")),
    Break("encrypted-things-can-be-used", "GenerateDataKey on the data key through s3.", without_key_use("image-processor-policy")),
    Break("encrypted-things-can-be-used", "through sqs.", without_key_use("notification-sender-notifications-consume-policy")),
    Break("encrypted-things-can-be-used", "through sns.", without_key_use("notification-sender-policy")),
    Break("encrypted-things-can-be-used", "through arn:aws:scheduler:", without_key_use("cleanup-job-schedule-policy")),
    Break("encrypted-things-can-be-used", "GenerateDataKey on the data key through sqs.", without_key_use("image-processor-failures-policy")),
    Break("encrypted-things-can-be-used", "through dynamodb.", without_key_use("data-transformer-items-consume-policy")),
    Break("key-is-used-for-a-reason", "without naming one service", key_use("get-item-policy", Condition=None)),
    Break("key-is-used-for-a-reason", "which nothing it does needs", key_use("get-item-policy", Action=["kms:Decrypt", "kms:Encrypt"])),
    Break("key-is-used-for-a-reason", "which nothing it does needs", allowed("health-policy", "kms:Decrypt", on=DATA_KEY)),
    Break("key-turns-and-lingers", "enableKeyRotation", edited(aws.KEY, "data-key", {"enableKeyRotation": False})),
    Break("key-turns-and-lingers", "is 3;", edited(aws.KEY, "data-key", {"deletionWindowInDays": 3})),
    Break("key-turns-and-lingers", "30 in production", edited(aws.KEY, "data-key", {"deletionWindowInDays": 7}), stack="prod"),
    Break("key-policy-admits-the-services", "account's root", key_policy("Root")),
    Break("key-policy-admits-the-services", "names a role", key_policy("Root", Principal={"AWS": "arn:aws:iam::123456789012:role/x"})),
    Break("key-policy-admits-the-services", "CloudWatch Logs", key_policy("Logs")),
    Break("key-policy-admits-the-services", "CloudWatch Logs", key_policy("Logs", Condition=None)),
    Break("key-policy-admits-the-services", "CloudWatch Logs", key_policy("Logs", Action=["kms:Decrypt*"])),
    Break("key-policy-admits-the-services", "alarms stay silent", key_policy("Alarms")),
    Break("key-policy-admits-the-services", "alarms stay silent", key_policy("Alarms", Condition=None)),
    Break("variables-are-encrypted", "set kmsKeyArn", edited(aws.FUNCTION, "health-function", {"kmsKeyArn": None})),
    Break("variables-are-encrypted", "set kmsKeyArn", edited(aws.FUNCTION, "health-function", {"kmsKeyArn": "alias/aws/lambda"})),
    Break("variables-are-encrypted", "set kmsKeyArn", edited(aws.FUNCTION, "health-function", {"kmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/elsewhere"})),
    Break("variables-are-encrypted", "set kmsKeyArn", edited(aws.FUNCTION, "health-function", {"kmsKeyArn": "arn:aws:sqs:us-west-2:123456789012:notifications-queue-0123456"})),
    Break("variables-are-encrypted", "if and only if", more(edited(aws.FUNCTION, "health-function", {"environment": None}))),
    Break("encrypted-things-can-be-used", "through arn:aws:scheduler:", more(without_key_use("warming-policy"))),
    Break("key-is-used-for-a-reason", "schedule/default/*, which", more(key_use("warming-policy", Condition={"ArnLike": {CONTEXT: f"arn:aws:scheduler:{HERE}:schedule/default/*"}}))),
    Break("variables-are-encrypted", "if and only if", edited(aws.FUNCTION, "health-function", {"environment": None})),
)
# fmt: on
