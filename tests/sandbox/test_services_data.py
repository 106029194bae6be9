"""Types that hold data or messages: what is created, changed and removed is read back from the emulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.resources import RestartNeeded
from tests.sandbox.services_support import ACCOUNT, REGION, clients, make


@pytest.fixture(scope="module")
def aws() -> Any:
    return clients().client


def items(name: str, **inputs: Any) -> Any:
    return make(
        "dynamodb/table:Table",
        name,
        attributes=[{"name": "id", "type": "S"}, {"name": "collection", "type": "S"}],
        billingMode="PAY_PER_REQUEST",
        hashKey="id",
        globalSecondaryIndexes=[
            {
                "name": "by-collection",
                "keySchemas": [
                    {"attributeName": "collection", "keyType": "HASH"},
                    {"attributeName": "id", "keyType": "RANGE"},
                ],
                "projectionType": "ALL",
            }
        ],
        **inputs,
    )


def test_table_is_created_as_declared(aws: Any) -> None:
    table = items(
        "items",
        streamEnabled=True,
        streamViewType="NEW_AND_OLD_IMAGES",
        serverSideEncryption={
            "enabled": True,
            "kmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k",
        },
        pointInTimeRecovery={"enabled": True, "recoveryPeriodInDays": 35},
        ttl={"attributeName": "expires", "enabled": True},
        tags={"stack": "dev"},
        region=REGION,
    )
    there = aws("dynamodb").describe_table(TableName=table["name"])["Table"]
    assert table["name"].startswith("items-")
    assert (
        table["arn"]
        == there["TableArn"]
        == f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table['name']}"
    )
    assert table["streamArn"] == there["LatestStreamArn"]
    assert table["streamLabel"] == there["LatestStreamLabel"]
    assert [key["AttributeName"] for key in there["GlobalSecondaryIndexes"][0]["KeySchema"]] == [
        "collection",
        "id",
    ]
    assert there["SSEDescription"]["KMSMasterKeyArn"].endswith("key/k")
    ttl = aws("dynamodb").describe_time_to_live(TableName=table["name"])
    assert ttl["TimeToLiveDescription"]["AttributeName"] == "expires"
    assert table["tagsAll"] == {"stack": "dev"}
    assert table.notes == ["point-in-time recovery is recorded; nothing is backed up"]
    table.delete()
    table.delete()


def test_table_keeps_its_items_while_it_changes(aws: Any) -> None:
    table = items("changing", tags={"old": "1"}, deletionProtectionEnabled=True)
    name = table["name"]
    aws("dynamodb").put_item(TableName=name, Item={"id": {"S": "1"}, "owner": {"S": "o"}})
    table.update(
        streamEnabled=True,
        streamViewType="KEYS_ONLY",
        attributes=[{"name": "id", "type": "S"}, {"name": "owner", "type": "S"}],
        globalSecondaryIndexes=[
            {"name": "by-owner", "hashKey": "owner", "projectionType": "KEYS_ONLY"}
        ],
        ttl={"attributeName": "gone", "enabled": True},
        tags={"new": "2"},
    )
    there = aws("dynamodb").describe_table(TableName=name)["Table"]
    assert [index["IndexName"] for index in there["GlobalSecondaryIndexes"]] == ["by-owner"]
    assert table["streamArn"] == there["LatestStreamArn"]
    found = aws("dynamodb").query(
        TableName=name,
        IndexName="by-owner",
        KeyConditionExpression="#o = :o",
        ExpressionAttributeNames={"#o": "owner"},
        ExpressionAttributeValues={":o": {"S": "o"}},
    )
    assert found["Count"] == 1
    tags = aws("dynamodb").list_tags_of_resource(ResourceArn=table["arn"])["Tags"]
    assert tags == [{"Key": "new", "Value": "2"}]
    with pytest.raises(ClientError, match="deletion protection"):
        table.delete()
    table.update(deletionProtectionEnabled=None, streamEnabled=None, streamViewType=None)
    assert table["streamArn"] == ""
    table.delete()
    assert name not in aws("dynamodb").list_tables()["TableNames"]


def test_table_with_another_key_needs_a_restart() -> None:
    table = items("moved")
    with pytest.raises(RestartNeeded, match="hashKey of a table cannot change and keep its items"):
        table.update(hashKey="collection")
    table.delete()


def test_provisioned_table_changes_its_capacity(aws: Any) -> None:
    table = make(
        "dynamodb/table:Table",
        "provisioned",
        attributes=[{"name": "a", "type": "S"}, {"name": "b", "type": "N"}],
        hashKey="a",
        rangeKey="b",
        readCapacity=1,
        writeCapacity=2,
        localSecondaryIndexes=[{"name": "local", "rangeKey": "b", "projectionType": "ALL"}],
    )
    table.update(readCapacity=3)
    there = aws("dynamodb").describe_table(TableName=table["name"])["Table"]
    assert there["ProvisionedThroughput"]["ReadCapacityUnits"] == 3
    assert [key["KeyType"] for key in there["KeySchema"]] == ["HASH", "RANGE"]
    table.delete()


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


def tls_only(arn: str) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "*",
        "Resource": arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


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
    assert json.loads(stored["Attributes"]["Policy"])["Statement"] == [allow]
    assert policy.notes == [
        "its TLS-only statement is not enforced: the sandbox speaks plain HTTP on loopback"
    ]
    bucket = make("s3/bucket:Bucket", "tls")
    rule = make(
        "s3/bucketPolicy:BucketPolicy",
        "tls",
        bucket=bucket.id,
        policy=json.dumps({"Version": "2012-10-17", "Statement": [tls_only(bucket["arn"])]}),
    )
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        aws("s3").get_bucket_policy(Bucket=bucket.id)
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


def test_queue_with_dead_letters_answers_at_its_url(aws: Any) -> None:
    sqs = aws("sqs")
    dead = make("sqs/queue:Queue", "dead", messageRetentionSeconds=1209600)
    queue = make(
        "sqs/queue:Queue",
        "work",
        visibilityTimeoutSeconds=180,
        kmsMasterKeyId="alias/data",
        kmsDataKeyReusePeriodSeconds=300,
        redrivePolicy=json.dumps({"deadLetterTargetArn": dead["arn"], "maxReceiveCount": 8}),
        fifoQueue=False,
        contentBasedDeduplication=False,
        tags={"a": "1", "b": "2"},
    )
    assert queue["url"] == queue.id == f"{clients().endpoint}/{ACCOUNT}/{queue['name']}"
    attributes = sqs.get_queue_attributes(QueueUrl=queue["url"], AttributeNames=["All"])[
        "Attributes"
    ]
    assert attributes["VisibilityTimeout"] == "180"
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 8
    sqs.send_message(QueueUrl=queue["url"], MessageBody="kept")
    queue.update(visibilityTimeoutSeconds=None, redrivePolicy=None, tags={"b": "3"})
    attributes = sqs.get_queue_attributes(QueueUrl=queue["url"], AttributeNames=["All"])[
        "Attributes"
    ]
    assert attributes["VisibilityTimeout"] == "30"
    assert "RedrivePolicy" not in attributes
    assert attributes["ApproximateNumberOfMessages"] == "1"
    assert sqs.list_queue_tags(QueueUrl=queue["url"])["Tags"] == {"b": "3"}
    queue.delete()
    dead.delete()
    with pytest.raises(ClientError):
        sqs.get_queue_attributes(QueueUrl=queue["url"], AttributeNames=["All"])


def test_fifo_queue_and_topic_get_their_suffix(aws: Any) -> None:
    queue = make("sqs/queue:Queue", "ordered", fifoQueue=True, contentBasedDeduplication=True)
    topic = make("sns/topic:Topic", "ordered", fifoTopic=True, contentBasedDeduplication=True)
    assert queue["name"].endswith(".fifo")
    assert topic["arn"].endswith(".fifo")
    attributes = aws("sqs").get_queue_attributes(QueueUrl=queue["url"], AttributeNames=["All"])[
        "Attributes"
    ]
    assert attributes["FifoQueue"] == "true"
    with pytest.raises(RestartNeeded, match="fifoQueue of a queue"):
        queue.update(fifoQueue=None)
    queue.delete()
    topic.delete()


def test_topic_delivers_what_its_subscription_lets_through(aws: Any) -> None:
    queue = make("sqs/queue:Queue", "inbox")
    topic = make(
        "sns/topic:Topic",
        "notices",
        displayName="Notices",
        kmsMasterKeyId="alias/data",
        tags={"a": "1"},
    )
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic["arn"],
    }
    policy = make(
        "sns/topicPolicy:TopicPolicy",
        "notices",
        arn=topic["arn"],
        policy=json.dumps({"Version": "2012-10-17", "Statement": [tls_only(topic["arn"]), allow]}),
    )
    send = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue["arn"],
    }
    make(
        "sqs/queuePolicy:QueuePolicy",
        "inbox",
        queueUrl=queue["url"],
        policy=json.dumps({"Version": "2012-10-17", "Statement": [send]}),
    )
    subscription = make(
        "sns/topicSubscription:TopicSubscription",
        "inbox",
        topic=topic["arn"],
        protocol="sqs",
        endpoint=queue["arn"],
        rawMessageDelivery=True,
        filterPolicy=json.dumps({"kind": ["loud"]}),
    )
    sns, sqs = aws("sns"), aws("sqs")
    assert subscription["pendingConfirmation"] is False
    for kind in ("quiet", "loud"):
        sns.publish(
            TopicArn=topic["arn"],
            Message=kind,
            MessageAttributes={"kind": {"DataType": "String", "StringValue": kind}},
        )
    got = sqs.receive_message(QueueUrl=queue["url"], MaxNumberOfMessages=10, WaitTimeSeconds=1)[
        "Messages"
    ]
    assert [message["Body"] for message in got] == ["loud"]
    subscription.update(filterPolicy=None, rawMessageDelivery=None)
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription["arn"])["Attributes"]
    assert attributes["RawMessageDelivery"] == "false"
    assert not attributes.get("FilterPolicy")
    topic.update(displayName="Other", tags={"b": "2"})
    attributes = sns.get_topic_attributes(TopicArn=topic["arn"])["Attributes"]
    assert attributes["DisplayName"] == "Other"
    assert sns.list_tags_for_resource(ResourceArn=topic["arn"])["Tags"] == [
        {"Key": "b", "Value": "2"}
    ]
    assert policy["owner"] == ACCOUNT
    for thing in (subscription, policy, topic, queue):
        thing.delete()
    assert topic["arn"] not in [t["TopicArn"] for t in sns.list_topics()["Topics"]]


def test_subscription_moves_to_another_endpoint(aws: Any) -> None:
    topic = make("sns/topic:Topic", "moving")
    subscription = make(
        "sns/topicSubscription:TopicSubscription",
        "m",
        topic=topic["arn"],
        protocol="email",
        endpoint="a@example.com",
    )
    assert subscription.notes == ["no e-mail leaves the sandbox"]
    before = subscription["arn"]
    subscription.update(endpoint="b@example.com")
    there = aws("sns").list_subscriptions_by_topic(TopicArn=topic["arn"])["Subscriptions"]
    assert [s["Endpoint"] for s in there] == ["b@example.com"]
    assert subscription["arn"] != before
    topic.delete()


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
