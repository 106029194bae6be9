"""What stands beside a function: repositories, scaling, code signing, recursion, runtime updates."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.resources import REGISTRY
from tests.sandbox.functions_support import archive, invoke, role
from tests.sandbox.services_support import ACCOUNT, REGION, make


def test_repository_and_its_policies_are_real(aws: Any) -> None:
    repository = make(
        "ecr/repository:Repository",
        "inference",
        encryptionConfigurations=[{"encryptionType": "KMS", "kmsKey": "arn:aws:kms:r:a:key/k"}],
        imageScanningConfiguration={"scanOnPush": True},
        imageTagMutability="IMMUTABLE",
        forceDelete=False,
        tags={"a": "1"},
    )
    name = repository["name"]
    assert repository.id == name
    assert repository["arn"] == f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}"
    assert repository["repositoryUrl"].endswith(f"/{name}")
    assert repository["registryId"] == ACCOUNT
    assert repository.notes == ["images are not scanned"]
    rules = {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "any",
                    "countType": "imageCountMoreThan",
                    "countNumber": 10,
                },
                "action": {"type": "expire"},
            }
        ]
    }
    expiry = make(
        "ecr/lifecyclePolicy:LifecyclePolicy", "i", repository=name, policy=json.dumps(rules)
    )
    assert expiry.notes == ["its rules are recorded: no image expires"]
    rules["rules"][0]["selection"]["countNumber"] = 5
    expiry.update(policy=json.dumps(rules))
    there = aws("ecr").get_lifecycle_policy(repositoryName=name)
    assert json.loads(there["lifecyclePolicyText"]) == rules
    statement = {
        "Sid": "pull",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    policy = make(
        "ecr/repositoryPolicy:RepositoryPolicy", "i", repository=name, policy=json.dumps(document)
    )
    there = aws("ecr").get_repository_policy(repositoryName=name)
    assert json.loads(there["policyText"])["Statement"][0]["Sid"] == "pull"
    repository.update(
        imageTagMutability="MUTABLE", imageScanningConfiguration=None, tags={"b": "2"}
    )
    [there] = aws("ecr").describe_repositories(repositoryNames=[name])["repositories"]
    assert there["imageTagMutability"] == "MUTABLE"
    assert there["imageScanningConfiguration"] == {"scanOnPush": False}
    assert there["encryptionConfiguration"]["encryptionType"] == "KMS"
    tags = aws("ecr").list_tags_for_resource(resourceArn=repository["arn"])["tags"]
    assert tags == [{"Key": "b", "Value": "2"}]
    for thing in (policy, expiry, repository):
        thing.delete()
        thing.delete()
    with pytest.raises(ClientError, match="RepositoryNotFound"):
        aws("ecr").describe_repositories(repositoryNames=[name])


def test_scaling_is_declared_with_plausible_outputs() -> None:
    place = {
        "resourceId": "function:sandpiper-dev-create-item:live",
        "scalableDimension": "lambda:function:ProvisionedConcurrency",
        "serviceNamespace": "lambda",
    }
    target = make(
        "appautoscaling/target:Target", "t", minCapacity=1, maxCapacity=5, tags={"a": "1"}, **place
    )
    assert target.id == place["resourceId"]
    assert target["arn"].startswith(f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:")
    assert "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency" in target["roleArn"]
    policy = make(
        "appautoscaling/policy:Policy",
        "p",
        policyType="TargetTrackingScaling",
        targetTrackingScalingPolicyConfiguration={"targetValue": 0.7},
        **place,
    )
    assert policy["arn"].endswith(f"policyName/{policy['name']}")
    action = make(
        "appautoscaling/scheduledAction:ScheduledAction",
        "s",
        schedule="cron(0 8 * * ? *)",
        timezone="Europe/Oslo",
        scalableTargetAction={"minCapacity": 3},
        **place,
    )
    assert f"resource/lambda/{place['resourceId']}:scheduledActionName/" in action["arn"]


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("appautoscaling/target:Target", "nothing scales here"),
        ("appautoscaling/policy:Policy", "nothing scales here"),
        ("appautoscaling/scheduledAction:ScheduledAction", "nothing scales here"),
        ("lambda/codeSigningConfig:CodeSigningConfig", "signatures are not checked"),
        ("lambda/runtimeManagementConfig:RuntimeManagementConfig", "this machine's interpreters"),
    ],
)
def test_type_that_does_nothing_says_so(token: str, says: str) -> None:
    assert says in (REGISTRY[f"aws:{token}"].not_simulated or "")


def test_code_signing_and_runtime_updates_have_plausible_outputs() -> None:
    config = make(
        "lambda/codeSigningConfig:CodeSigningConfig",
        "releases",
        allowedPublishers={
            "signingProfileVersionArns": ["arn:aws:signer:r:a:/signing-profiles/p/1"]
        },
        policies={"untrustedArtifactOnDeployment": "Enforce"},
        description="d",
        tags={"a": "1"},
    )
    assert config["arn"] == config.id
    assert config["configId"] in config["arn"]
    updates = make(
        "lambda/runtimeManagementConfig:RuntimeManagementConfig",
        "f",
        functionName="sandpiper-dev-f",
        updateRuntimeOn="FunctionUpdate",
    )
    assert updates["functionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:sandpiper-dev-f"


def test_function_that_calls_itself_for_ever_is_stopped_unless_that_is_allowed(
    aws: Any, function: Any
) -> None:
    source = """
import json, os
import boto3
client = boto3.client("lambda")
def handler(event, context):
    if event["left"] == 0:
        return "the end"
    given = json.dumps({"left": event["left"] - 1})
    try:
        got = client.invoke(FunctionName=context.function_name, Payload=given)
    except client.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return json.loads(got["Payload"].read())
"""
    made = function("recursing")
    own = role(
        "recursing",
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": made["arn"]},
    )
    made.update(code=archive(source), role=own["arn"], timeout=20)
    config = make(
        "lambda/functionRecursionConfig:FunctionRecursionConfig",
        "recursing",
        functionName=made["name"],
        recursiveLoop="Terminate",
    )
    assert config.notes == [
        "only functions that call themselves or each other are stopped, not loops over a queue"
    ]
    assert invoke(aws, made["name"], {"left": 20}) == "RecursiveInvocationException"
    config.update(recursiveLoop="Allow")
    read = aws("lambda").get_function_recursion_config
    assert read(FunctionName=made["name"])["RecursiveLoop"] == "Allow"
    assert invoke(aws, made["name"], {"left": 20}) == "the end"
    config.delete()
    assert read(FunctionName=made["name"])["RecursiveLoop"] == "Terminate"
    made.delete()
    config.delete()
