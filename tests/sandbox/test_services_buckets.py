"""S3 buckets and everything set on them: read back from the emulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.services_support import ACCOUNT, REGION, make, tls_only


def test_bucket_and_all_its_settings(aws: Any) -> None:
    s3 = aws("s3")
    logs = make("s3/bucket:Bucket", "Logs", forceDestroy=True)
    bucket = make("s3/bucket:Bucket", "uploads", forceDestroy=True, tags={"stack": "dev"})
    name = bucket["bucket"]
    assert logs["bucket"].startswith("logs-")
    assert bucket["arn"] == f"arn:aws:s3:::{name}"
    assert bucket["bucketRegionalDomainName"] == f"{name}.s3.{REGION}.amazonaws.com"
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == REGION
    made = [
        make(
            "s3/bucketOwnershipControls:BucketOwnershipControls",
            "o",
            bucket=name,
            rule={"objectOwnership": "BucketOwnerEnforced"},
        ),
        make(
            "s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            "p",
            bucket=name,
            blockPublicAcls=True,
            blockPublicPolicy=True,
            ignorePublicAcls=True,
            restrictPublicBuckets=True,
        ),
        make(
            "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "e",
            bucket=name,
            rules=[
                {
                    "applyServerSideEncryptionByDefault": {
                        "sseAlgorithm": "aws:kms",
                        "kmsMasterKeyId": "k",
                    },
                    "bucketKeyEnabled": True,
                }
            ],
        ),
        make(
            "s3/bucketVersioning:BucketVersioning",
            "v",
            bucket=name,
            versioningConfiguration={"status": "Enabled"},
            expectedBucketOwner=ACCOUNT,
        ),
        make(
            "s3/bucketLogging:BucketLogging",
            "l",
            bucket=name,
            targetBucket=logs["bucket"],
            targetPrefix="uploads/",
            targetObjectKeyFormat={"partitionedPrefix": {"partitionDateSource": "EventTime"}},
        ),
        make(
            "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            "c",
            bucket=name,
            rules=[
                {
                    "id": "old",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "noncurrentVersionExpiration": {"noncurrentDays": 30},
                },
                {
                    "id": "parts",
                    "status": "Enabled",
                    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
                },
                {
                    "id": "both",
                    "status": "Enabled",
                    "filter": {"and": {"prefix": "a", "tags": {"k": "v"}}},
                    "expiration": {"days": 9},
                },
            ],
        ),
    ]
    assert s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    assert s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"][
        "RestrictPublicBuckets"
    ]
    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == "k"
    assert rule["BucketKeyEnabled"] is True
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]["TargetPrefix"] == "uploads/"
    rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert [r["ID"] for r in rules] == ["old", "parts", "both"]
    assert rules[2]["Filter"]["And"]["Tags"] == [{"Key": "k", "Value": "v"}]
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "stack", "Value": "dev"}]
    made[3].update(versioningConfiguration={"status": "Suspended"})
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Suspended"
    made[2].update(rules=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}])
    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    for setting in reversed(made):
        setting.delete()
    bucket.update(tags=None)
    with pytest.raises(ClientError):
        s3.get_bucket_tagging(Bucket=name)
    bucket.delete()
    logs.delete()


def test_bucket_with_objects_goes_only_when_force_destroy_is_set(aws: Any) -> None:
    s3 = aws("s3")
    bucket = make("s3/bucket:Bucket", "full")
    make(
        "s3/bucketVersioning:BucketVersioning",
        "full",
        bucket=bucket.id,
        versioningConfiguration={"status": "Enabled"},
    )
    for _ in range(2):
        s3.put_object(Bucket=bucket.id, Key="a/b", Body=b"x")
    s3.delete_object(Bucket=bucket.id, Key="a/b")
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        bucket.delete()
    bucket.update(forceDestroy=True)
    bucket.delete()
    bucket.delete()
    assert bucket.id not in [b["Name"] for b in s3.list_buckets()["Buckets"]]


def test_bucket_name_longer_than_aws_allows_is_refused() -> None:
    with pytest.raises(ValueError, match="has 68 characters, AWS allows 63"):
        make("s3/bucket:Bucket", "b" * 60)


def test_policies_lose_only_their_tls_rule(aws: Any) -> None:
    allow = {
        "Sid": "a",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    queue = make("sqs/queue:Queue", "q")
    policy = make(
        "sqs/queuePolicy:QueuePolicy",
        "q",
        queueUrl=queue["url"],
        policy=json.dumps({"Version": "2012-10-17", "Statement": [tls_only(queue["arn"]), allow]}),
    )
    stored = aws("sqs").get_queue_attributes(QueueUrl=queue["url"], AttributeNames=["Policy"])
    statements = [tls_only(queue["arn"]), allow]
    assert json.loads(stored["Attributes"]["Policy"])["Statement"] == statements
    assert policy.notes == []
    bucket = make("s3/bucket:Bucket", "tls")
    only = json.dumps({"Version": "2012-10-17", "Statement": [tls_only(bucket["arn"])]})
    rule = make("s3/bucketPolicy:BucketPolicy", "tls", bucket=bucket.id, policy=only)
    # Loopback counts as TLS: the policy is kept whole, and refuses nobody here.
    assert json.loads(aws("s3").get_bucket_policy(Bucket=bucket.id)["Policy"]) == json.loads(only)
    aws("s3").put_object(Bucket=bucket.id, Key="a", Body=b"")
    aws("s3").delete_object(Bucket=bucket.id, Key="a")
    rule.update(
        policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {**allow, "Action": "s3:GetObject", "Resource": f"{bucket['arn']}/*"}
                ],
            }
        )
    )
    assert "GetObject" in aws("s3").get_bucket_policy(Bucket=bucket.id)["Policy"]
    for thing in (rule, bucket, policy, queue):
        thing.delete()
