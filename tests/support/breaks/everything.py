"""The application with all that a stack file may ask for besides, each thing at one of its functions.

The shipped stacks ask for little of it. Rules must be content with this, and awake when a part of it is broken.
"""

from __future__ import annotations

import json
from typing import Any

from policies.concurrency import ACTION, DIMENSION, METRIC, POLICY, TARGET
from policies.links import (
    ASYNC,
    FUNCTION,
    PERMISSION,
    PROVISIONED,
    REPOSITORY,
    ROLE,
    ROLE_POLICY,
    SCHEDULE,
    URL,
)
from policies.network import FILES, INTERFACES
from policies.packaging import SIGNING
from policies.repositories import LIFECYCLE, READ, REPOSITORY_POLICY
from policies.versions import LIST
from tests.support.breaking import (
    Mutation,
    Resources,
    allowed,
    also,
    edited,
    made,
    waiting,
    without,
)
from tests.support.program import ACCOUNT, REGION

HERE = f"{REGION}:{ACCOUNT}"
FUNCTIONS = f"arn:aws:lambda:{HERE}:function:sandpiper-dev"
TAGS = {"Project": "sandpiper", "Environment": "dev"}
ROLES = f"arn:aws:iam::{ACCOUNT}:role"

ACCESS_POINT = f"arn:aws:elasticfilesystem:{HERE}:access-point/fsap-0123456789abcdef0"
FOREIGN_KEY = f"arn:aws:kms:{HERE}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
FOREIGN_QUEUE = f"arn:aws:sqs:{HERE}:somebodys-failures"
FOREIGN_TOPIC = f"arn:aws:sns:{HERE}:somebodys-successes"
FOREIGN_BUCKET = "arn:aws:s3:::somebodys-failures"
FOREIGN_ROLE = f"{ROLES}/teams/somebodys-role"
FOREIGN_LAYER = f"arn:aws:lambda:{REGION}:017000801446:layer:AWSLambdaPowertoolsPythonV3:18"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/inference"
DATA_KEY = f"arn:aws:kms:{HERE}:key/data-key-0123456"
CALLER = f"{ROLES}/caller"


def _written(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _may(*actions: str, on: list[str], **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [*actions], "Resource": on, **condition}


def _in_a_network() -> Mutation:
    own_code = {"ArnEquals": {"lambda:SourceFunctionArn": f"{FUNCTIONS}-health"}}
    mounted = {"StringEquals": {"elasticfilesystem:AccessPointArn": ACCESS_POINT}}
    return also(
        edited(
            FUNCTION,
            "health-function",
            {
                "vpcConfig": {
                    "subnetIds": ["subnet-0a", "subnet-0b"],
                    "securityGroupIds": ["sg-0a"],
                },
                "fileSystemConfig": {"arn": ACCESS_POINT, "localMountPath": "/mnt/shared"},
                "kmsKeyArn": FOREIGN_KEY,
            },
        ),
        allowed("health-policy", *sorted(INTERFACES), on="*"),
        allowed("health-policy", *sorted(INTERFACES), on="*", Effect="Deny", Condition=own_code),
        allowed("health-policy", *sorted(FILES), on="*", Condition=mounted),
    )


def _with_destinations() -> Mutation:
    rights = _written(
        _may("sns:Publish", on=[FOREIGN_TOPIC]),
        _may("s3:PutObject", on=[f"{FOREIGN_BUCKET}/*"]),
        _may("s3:ListBucket", on=[FOREIGN_BUCKET]),
    )
    return also(
        edited(FUNCTION, "get-item-function", {"deadLetterConfig": {"targetArn": FOREIGN_QUEUE}}),
        allowed("get-item-policy", "sqs:SendMessage", on=FOREIGN_QUEUE),
        made(
            ROLE_POLICY,
            "get-item-failures-policy",
            {"role": "get-item-role-0123456", "policy": rights},
            beside="get-item-function",
        ),
        made(
            ASYNC,
            "get-item-async",
            {
                "functionName": "sandpiper-dev-get-item",
                "qualifier": "live",
                "maximumRetryAttempts": 1,
                "maximumEventAgeInSeconds": 600,
                "destinationConfig": {
                    "onSuccess": {"destination": FOREIGN_TOPIC},
                    "onFailure": {"destination": FOREIGN_BUCKET},
                },
            },
            after=["get-item-failures-policy"],
        ),
    )


def _scaled() -> Mutation:
    alias = {"functionName": "sandpiper-dev-create-item", "qualifier": "live"}
    named = {
        "resourceId": "function:sandpiper-dev-create-item:live",
        "serviceNamespace": "lambda",
        "scalableDimension": DIMENSION,
    }
    limits = {"minCapacity": 1, "maxCapacity": 4, "tags": TAGS}
    tracking = {
        "targetValue": 0.7,
        "predefinedMetricSpecification": {"predefinedMetricType": METRIC},
    }
    by_use = {
        "policyType": "TargetTrackingScaling",
        "targetTrackingScalingPolicyConfiguration": tracking,
    }
    by_time = {
        "schedule": "cron(0 8 ? * MON-FRI *)",
        "scalableTargetAction": {"minCapacity": 3, "maxCapacity": 5},
    }
    provisioned, target = "create-item-provisioned-concurrency", "create-item-scaling"
    return also(
        edited(FUNCTION, "create-item-function", {"reservedConcurrentExecutions": 5}),
        made(PROVISIONED, provisioned, {**alias, "provisionedConcurrentExecutions": 2}),
        made(TARGET, target, {**named, **limits}, after=[provisioned]),
        made(POLICY, f"{target}-policy", {**named, **by_use}, after=[target]),
        made(ACTION, f"{target}-morning", {**named, **by_time}, after=[target]),
    )


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
        made(REPOSITORY_POLICY, "inference-repository-policy", {**here, "policy": _written(reads)}),
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


def _by_a_url() -> Mutation:
    alias = {"function": "sandpiper-dev-list-items", "qualifier": "live", "principal": CALLER}
    return also(
        made(
            URL,
            "list-items-url",
            {
                "functionName": "sandpiper-dev-list-items",
                "qualifier": "live",
                "authorizationType": "AWS_IAM",
                "invokeMode": "BUFFERED",
                "cors": {
                    "allowOrigins": ["https://app.example.com"],
                    "allowMethods": ["GET"],
                    "allowCredentials": True,
                    "maxAge": 600,
                },
            },
        ),
        made(
            PERMISSION,
            "list-items-url-permission",
            {**alias, "action": "lambda:InvokeFunctionUrl", "functionUrlAuthType": "AWS_IAM"},
        ),
        made(
            PERMISSION,
            "list-items-url-invoke-permission",
            {**alias, "action": "lambda:InvokeFunction", "invokedViaFunctionUrl": True},
        ),
    )


def _kept_warm() -> Mutation:
    schedules = f"arn:aws:scheduler:{HERE}:schedule"
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Condition": {
            "StringEquals": {
                "aws:SourceAccount": ACCOUNT,
                "aws:SourceArn": f"{schedules}-group/default",
            }
        },
    }
    pattern = {"kms:EncryptionContext:aws:scheduler:schedule:arn": f"{schedules}/default/warming-*"}
    rights = _written(
        _may("lambda:InvokeFunction", on=[f"{FUNCTIONS}-{f}:live" for f in WARM]),
        _may("kms:Decrypt", on=[DATA_KEY], Condition={"ArnLike": pattern}),
    )
    name, arn = "warming-role-0123456", f"{ROLES}/warming-role-0123456"
    return also(
        made(
            ROLE,
            "warming-role",
            {"assumeRolePolicy": _written(trust), "tags": TAGS},
            outputs={"name": name, "arn": arn},
        ),
        made(ROLE_POLICY, "warming-policy", {"role": name, "policy": rights}),
        *(
            made(
                SCHEDULE,
                f"warming-{function}",
                {
                    "scheduleExpression": "rate(5 minutes)",
                    "kmsKeyArn": DATA_KEY,
                    "target": {
                        "arn": f"{FUNCTIONS}-{function}:live",
                        "roleArn": arn,
                        "input": json.dumps({"warming": True}),
                    },
                },
                after=["warming-policy"],
            )
            for function in WARM
        ),
    )


WARM = ("get-item", "image-processor")
"""Both have a place for asynchronous failures."""


def _signed() -> Mutation:
    profile = f"arn:aws:signer:{HERE}:/signing-profiles/release/a1B2c3D4e5"
    arn = f"arn:aws:lambda:{HERE}:code-signing-config:csc-0123456789abcdef0"
    return also(
        made(
            SIGNING,
            "data-transformer-code-signing",
            {
                "allowedPublishers": {"signingProfileVersionArns": [profile]},
                "policies": {"untrustedArtifactOnDeployment": "Enforce"},
                "tags": TAGS,
            },
            outputs={"arn": arn},
        ),
        edited(
            FUNCTION,
            "data-transformer-function",
            {"code": None, "s3Bucket": "releases", "s3Key": "f.zip", "codeSigningConfigArn": arn},
        ),
    )


def _cleaning() -> Mutation:
    named = [f"{FUNCTIONS}-health", f"{FUNCTIONS}-get-item"]
    told = ",".join(arn.rpartition(":")[2] for arn in named)
    return also(
        edited(FUNCTION, "cleanup-job-function", {"environment.variables.FUNCTION_NAMES": told}),
        *(allowed("cleanup-job-policy", *LIST, on=arn) for arn in named),
        *(allowed("cleanup-job-policy", "lambda:DeleteFunction", on=f"{arn}:*") for arn in named),
    )


def everything(resources: Resources) -> Resources:
    """All of it, put into the dev stack's resources."""
    return also(
        _in_a_network(),
        _with_destinations(),
        _scaled(),
        _of_an_image(),
        _by_a_url(),
        _kept_warm(),
        _signed(),
        _cleaning(),
        edited(
            FUNCTION,
            "notification-sender-function",
            {"snapStart": {"applyOn": "PublishedVersions"}},
        ),
        edited(FUNCTION, "authorizer-function", {"layers.1": FOREIGN_LAYER}),
        edited(FUNCTION, "delete-item-function", {"role": FOREIGN_ROLE}),
        without(ROLE, "delete-item-role"),
        without(ROLE_POLICY, "delete-item-policy"),
    )(resources)


def more(*mutations: Mutation) -> Mutation:
    """Break something of all that."""
    return also(everything, *mutations)
