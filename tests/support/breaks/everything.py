"""The application asked for everything at once: each thing that a stack file may say at one of its functions.

The shipped stacks ask for little of it. Rules must be content with this, and awake when a part of it is broken.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from policies.links import FUNCTION, REPOSITORY
from policies.repositories import LIFECYCLE, READ, REPOSITORY_POLICY
from tests.support.breaking import Mutation, also, edited, made, waiting
from tests.support.program import ACCOUNT, REGION, Run, run_stack

HERE = f"{REGION}:{ACCOUNT}"
FUNCTIONS = f"arn:aws:lambda:{HERE}:function:sandpiper-dev"
TAGS = {"Project": "sandpiper", "Environment": "dev"}
ROLES = f"arn:aws:iam::{ACCOUNT}:role"
DATA_KEY = f"arn:aws:kms:{HERE}:key/data-key-0123456"

ACCESS_POINT = f"arn:aws:elasticfilesystem:{HERE}:access-point/fsap-0123456789abcdef0"
FOREIGN_QUEUE = f"arn:aws:sqs:{HERE}:somebodys-failures"
FOREIGN_TOPIC = f"arn:aws:sns:{HERE}:somebodys-successes"
FOREIGN_BUCKET = "arn:aws:s3:::somebodys-failures"
FOREIGN_LAYER = f"arn:aws:lambda:{REGION}:017000801446:layer:AWSLambdaPowertoolsPythonV3:18"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/inference"

ASKED_FOR: dict[str, dict[str, Any]] = {
    "health": {
        "vpc_config": {
            "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "security_group_ids": ["sg-0123456789abcdef0"],
        },
        "file_system_config": {"arn": ACCESS_POINT, "local_mount_path": "/mnt/shared"},
        "kms_key_arn": f"arn:aws:kms:{HERE}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    },
    "get-item": {
        "dead_letter": FOREIGN_QUEUE,
        "on_success": FOREIGN_TOPIC,
        "on_failure": FOREIGN_BUCKET,
        "warming_schedule": "rate(5 minutes)",
    },
    "create-item": {
        "reserved_concurrent_executions": 5,
        "provisioned_concurrent_executions": 2,
        "provisioned_concurrency_scaling": {
            "min_capacity": 1,
            "max_capacity": 4,
            "scheduled_actions": {
                "morning": {
                    "schedule": "cron(0 8 ? * MON-FRI *)",
                    "min_capacity": 3,
                    "max_capacity": 4,
                }
            },
        },
    },
    "list-items": {
        "function_url": {
            "principals": [f"{ROLES}/caller"],
            "cors": {
                "allow_origins": ["https://app.example.com"],
                "allow_methods": ["GET"],
                "allow_credentials": True,
                "max_age": 600,
            },
        }
    },
    "delete-item": {"execution_role_arn": f"{ROLES}/teams/somebodys-role"},
    "notification-sender": {"snap_start": True},
    "image-processor": {"warming_schedule": "rate(5 minutes)"},
    "data-transformer": {"recursive_loop": "Allow", "update_runtime_on": "FunctionUpdate"},
    "authorizer": {"layers": [FOREIGN_LAYER]},
    "checksum": {
        "s3_bucket": "releases",
        "s3_key": "checksum.zip",
        "code_signing": {
            "signing_profile_version_arns": [
                f"arn:aws:signer:{HERE}:/signing-profiles/release/a1B2c3D4e5"
            ]
        },
    },
}


def _of_an_image() -> Mutation:
    lambdas = {"ArnLike": {"aws:SourceArn": f"{FUNCTIONS}-update-item"}}
    reads = {
        "Sid": "LambdaReads",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": sorted(READ),
        "Condition": lambdas,
    }
    counted = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10}
    ends = {"rulePriority": 1, "selection": counted, "action": {"type": "expire"}}
    here = {"repository": "inference"}
    return also(
        made(
            REPOSITORY,
            "inference-repository",
            {
                "imageTagMutability": "IMMUTABLE",
                "imageScanningConfiguration": {"scanOnPush": True},
                "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": DATA_KEY}],
                "tags": TAGS,
            },
            outputs={"name": "inference", "repositoryUrl": REGISTRY},
        ),
        made(
            LIFECYCLE,
            "inference-repository-lifecycle",
            {**here, "policy": json.dumps({"rules": [ends]})},
        ),
        made(
            REPOSITORY_POLICY,
            "inference-repository-policy",
            {**here, "policy": json.dumps({"Statement": [reads]})},
        ),
        edited(
            FUNCTION,
            "update-item-function",
            {
                "packageType": "Image",
                "imageUri": f"{REGISTRY}:2026-11-21",
                "imageConfig": {"commands": ["app.handler"]},
                **dict.fromkeys(("code", "runtime", "handler", "layers")),
            },
        ),
        waiting(FUNCTION, "update-item-function", "inference-repository-policy"),
    )


@functools.cache
def asked_for() -> Run:
    """The dev stack with all of it."""
    run = run_stack("dev", config={"sandpiper:functions": ASKED_FOR})
    return Run("dev", resources=_of_an_image()(run.resources))


def more(*mutations: Mutation) -> Mutation:
    """Break something of all that, instead of the shipped stack."""
    broken = also(*mutations)
    return lambda _: broken(list(asked_for().resources))
