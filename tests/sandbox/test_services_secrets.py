"""Keys and secrets: created, changed, removed as AWS removes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.services_support import ACCOUNT, REGION, make


def test_key_and_alias(aws: Any) -> None:
    kms = aws("kms")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
    key = make(
        "kms/key:Key",
        "data",
        description="data of one stack",
        policy=json.dumps(policy),
        enableKeyRotation=True,
        rotationPeriodInDays=365,
        deletionWindowInDays=7,
        multiRegion=False,
        tags={"stack": "dev"},
    )
    alias = make("kms/alias:Alias", "data", targetKeyId=key["keyId"])
    assert key["arn"] == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key['keyId']}"
    assert kms.get_key_rotation_status(KeyId=key.id)["KeyRotationEnabled"] is True
    assert alias.id.startswith("alias/data-")
    assert alias["targetKeyArn"] == key["arn"]
    assert kms.describe_key(KeyId=alias["name"])["KeyMetadata"]["KeyId"] == key.id
    key.update(
        description="other", enableKeyRotation=None, rotationPeriodInDays=None, tags={"x": "y"}
    )
    assert kms.describe_key(KeyId=key.id)["KeyMetadata"]["Description"] == "other"
    assert kms.get_key_rotation_status(KeyId=key.id)["KeyRotationEnabled"] is False
    assert kms.list_resource_tags(KeyId=key.id)["Tags"] == [{"TagKey": "x", "TagValue": "y"}]
    other = make("kms/key:Key", "other")
    alias.update(targetKeyId=other["keyId"])
    assert kms.describe_key(KeyId=alias["name"])["KeyMetadata"]["KeyId"] == other.id
    alias.delete()
    key.delete()
    assert kms.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_secret_and_its_values(aws: Any) -> None:
    manager = aws("secretsmanager")
    secret = make(
        "secretsmanager/secret:Secret",
        "auth",
        description="signing",
        kmsKeyId="alias/data",
        recoveryWindowInDays=0,
        tags={"a": "1"},
    )
    version = make(
        "secretsmanager/secretVersion:SecretVersion",
        "auth",
        secretId=secret.id,
        secretString='{"kid":"1"}',
    )
    assert version.id == f"{secret['arn']}|{version['versionId']}"
    assert version["versionStages"] == ["AWSCURRENT"]
    assert manager.get_secret_value(SecretId=secret.id)["SecretString"] == '{"kid":"1"}'
    first = version["versionId"]
    version.update(secretString='{"kid":"2"}')
    assert version["versionId"] != first
    assert manager.get_secret_value(SecretId=secret.id)["SecretString"] == '{"kid":"2"}'
    secret.update(description="other", tags={"b": "2"})
    there = manager.describe_secret(SecretId=secret.id)
    assert (there["Description"], there["Tags"]) == ("other", [{"Key": "b", "Value": "2"}])
    version.delete()
    secret.delete()
    with pytest.raises(ClientError, match="ResourceNotFound"):
        manager.describe_secret(SecretId=secret.id)


def test_secret_with_a_recovery_window_keeps_its_name_taken(aws: Any) -> None:
    secret = make("secretsmanager/secret:Secret", "kept", name="kept", recoveryWindowInDays=7)
    secret.delete()
    assert "DeletedDate" in aws("secretsmanager").describe_secret(SecretId=secret.id)
    with pytest.raises(ClientError, match="already exists"):
        make("secretsmanager/secret:Secret", "kept", name="kept")
