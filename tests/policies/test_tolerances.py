"""What rules let pass on purpose: choices that AWS takes, and what is given from outside."""

from __future__ import annotations

import json

import pytest

import policies
from policies import Finding, aws, urls
from tests.support.breaking import Mutation, allowed, also, edited, registered, statement
from tests.support.breaks.everything import FOREIGN_LAYER, FOREIGN_TOPIC, REGISTRY, more
from tests.support.program import ACCOUNT, REGION

HERE = f"{REGION}:{ACCOUNT}"
MODULES = f"arn:aws:lambda:{HERE}:layer:modules:1"
NOTICES = f"arn:aws:sns:{HERE}:notifications-topic-0123456"


def findings(*mutations: Mutation) -> list[Finding]:
    return policies.check(more(*mutations)([]), stack="dev")


def delivering(arn: str, action: str) -> Mutation:
    """Put asynchronous failures down at another place."""
    rights = ((action, arn), ("sns:Publish", FOREIGN_TOPIC))
    statements = [{"Effect": "Allow", "Action": a, "Resource": on} for a, on in rights]
    document = json.dumps({"Statement": statements})
    return also(
        edited(
            aws.EVENT_INVOKE, "get-item-async", {"destinationConfig.onFailure.destination": arn}
        ),
        edited(aws.ROLE_POLICY, "get-item-failures-policy", {"policy": document}),
    )


TOLERATED = {
    "an image named by its digest": edited(
        aws.FUNCTION, "update-item-function", {"imageUri": f"{REGISTRY}@sha256:{'0' * 64}"}
    ),
    "an image from somebody's repository": edited(
        aws.FUNCTION,
        "update-item-function",
        {"imageUri": f"999999999999.dkr.ecr.{REGION}.amazonaws.com/teams/model:1.2"},
    ),
    "a layer for Node.js that names no architecture": also(
        registered(
            aws.LAYER,
            "modules-layer",
            outputs={"arn": MODULES},
            layerName="modules",
            compatibleRuntimes=["nodejs22.x", "nodejs24.x"],
        ),
        edited(aws.FUNCTION, "list-items-function", {"runtime": "nodejs22.x", "layers": [MODULES]}),
    ),
    "two layers given from outside": edited(
        aws.FUNCTION,
        "authorizer-function",
        {"layers.2": FOREIGN_LAYER.replace("Powertools", "Other")},
    ),
    "unsigned code where a warning is enough": also(
        edited(
            aws.CODE_SIGNING,
            "checksum-code-signing",
            {"policies.untrustedArtifactOnDeployment": "Warn"},
        ),
        edited(
            aws.FUNCTION,
            "checksum-function",
            {"s3Bucket": None, "s3Key": None, "code": "archive"},
        ),
    ),
    "rights on the file systems of the account, through the access point": statement(
        aws.ROLE_POLICY,
        "health-policy",
        "elasticfilesystem:ClientMount",
        Resource=[f"arn:aws:elasticfilesystem:{HERE}:file-system/*"],
    ),
    "images for all functions of the account": statement(
        aws.REPOSITORY_POLICY,
        "inference-repository-policy",
        "LambdaReads",
        Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    ),
    "failures to somebody's queue": delivering(f"arn:aws:sqs:{HERE}:somebodys", "sqs:SendMessage"),
    "failures to somebody's function": delivering(
        f"arn:aws:lambda:{HERE}:function:somebodys", "lambda:InvokeFunction"
    ),
    "failures to somebody's event bus": delivering(
        f"arn:aws:events:{HERE}:event-bus/somebodys", "events:PutEvents"
    ),
    "failures to a topic of this stack, of which the code knows nothing": also(
        delivering(NOTICES, "sns:Publish"),
        allowed(
            "get-item-failures-policy",
            "kms:GenerateDataKey",
            "kms:Decrypt",
            on=f"arn:aws:kms:{HERE}:key/data-key-0123456",
            Condition={"StringEquals": {"kms:ViaService": f"sns.{REGION}.amazonaws.com"}},
        ),
    ),
    "an answer streamed by Node.js": also(
        edited(aws.FUNCTION, "list-items-function", {"runtime": "nodejs22.x", "layers": None}),
        edited(aws.FUNCTION_URL, "list-items-url", {"invokeMode": "RESPONSE_STREAM"}),
    ),
    "a page of any origin without credentials": edited(
        aws.FUNCTION_URL, "list-items-url", {"cors": {"allowOrigins": ["*"], "allowMethods": ["*"]}}
    ),
}


@pytest.mark.parametrize("what", TOLERATED)
def test_rules_let_pass(what: str) -> None:
    assert [str(finding) for finding in findings(TOLERATED[what])] == []


def test_url_on_the_list_of_public_ones_may_be_called_by_anybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = {**urls.PUBLIC, "list-items": "a webhook that checks its own signature"}
    monkeypatch.setattr(urls, "PUBLIC", listed)
    opened = edited(aws.FUNCTION_URL, "list-items-url", {"authorizationType": "NONE"})
    said = [f for f in findings(opened) if f.rule == "url-asks-who-is-calling"]
    assert said == []
