"""Container images that move, linger, go unscanned or are open to others."""

from __future__ import annotations

import json
from typing import Any

from policies import aws
from tests.support.breaking import Break, Mutation, edited, statement, without
from tests.support.breaks.everything import more

IMAGES = "inference-repository"
ENDS, ADMITS = f"{IMAGES}-lifecycle", f"{IMAGES}-policy"
KEEPS, READS = "repository-keeps-what-was-pushed", "repository-admits-lambda-only"
ENCRYPTION = "encryptionConfigurations.0"
FOR_EVER = json.dumps(
    {"rules": [{"selection": {"countNumber": 10}, "action": {"type": "transition"}}]}
)
EVERYBODY = {"StringLike": {"aws:SourceArn": "arn:aws:lambda:us-west-2:*:function:*"}}


def admitting(**changes: Any) -> Mutation:
    """Change what the repository lets Lambda do."""
    return more(statement(aws.REPOSITORY_POLICY, ADMITS, "LambdaReads", **changes))


# fmt: off
BREAKS = (
    Break(KEEPS, "must be IMMUTABLE", more(edited(aws.REPOSITORY, IMAGES, {"imageTagMutability": "MUTABLE"}))),
    Break(KEEPS, "scanOnPush", more(edited(aws.REPOSITORY, IMAGES, {"imageScanningConfiguration": None}))),
    Break(KEEPS, "with the data key", more(edited(aws.REPOSITORY, IMAGES, {f"{ENCRYPTION}.encryptionType": "AES256"}))),
    Break(KEEPS, "with the data key", more(edited(aws.REPOSITORY, IMAGES, {f"{ENCRYPTION}.kmsKey": None}))),
    Break(KEEPS, "with the data key", more(edited(aws.REPOSITORY, IMAGES, {"encryptionConfigurations": None}))),
    Break(KEEPS, "ends old images", more(without(aws.REPOSITORY_LIFECYCLE, ENDS))),
    Break(KEEPS, "ends old images", more(edited(aws.REPOSITORY_LIFECYCLE, ENDS, {"policy": "{}"}))),
    Break(KEEPS, "ends old images", more(edited(aws.REPOSITORY_LIFECYCLE, ENDS, {"policy": FOR_EVER}))),
    Break(READS, "and nothing else", more(without(aws.REPOSITORY_POLICY, ADMITS))),
    Break(READS, "and nothing else", admitting(Condition=None)),
    Break(READS, "and nothing else", admitting(Condition=EVERYBODY)),
    Break(READS, "and nothing else", admitting(Principal="*")),
    Break(READS, "and nothing else", admitting(Action=["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:PutImage"])),
    Break("everything-is-tagged", "needs the tags", more(edited(aws.REPOSITORY, IMAGES, {"tags": None}))),
    Break("data-is-protected-in-production", f"{IMAGES}: must be protected", more(), stack="prod"),
    Break("data-is-protected-in-production", "forceDelete empties it", more(edited(aws.REPOSITORY, IMAGES, {"forceDelete": True})), stack="prod"),
)
# fmt: on
