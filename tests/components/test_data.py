"""What keeps data: tables, buckets, queues, topics, secrets and the key of them all."""

from __future__ import annotations

import json

import pytest

from components.messaging import Queue
from settings import QueueSettings
from tests.support.program import Run
from tests.support.tiny import Parts, tiny

TABLE, BUCKET, QUEUE = "aws:dynamodb/table:Table", "aws:s3/bucket:Bucket", "aws:sqs/queue:Queue"
KEY, SECRET = "aws:kms/key:Key", "aws:secretsmanager/secret:Secret"
POOL = "aws:cognito/userPool:UserPool"
DATA = (TABLE, BUCKET, KEY, SECRET, POOL)


def test_items_are_found_by_id_and_listed_by_collection(run: Run) -> None:
    table = run.one(TABLE, "items-table")
    assert (table.get("hashKey"), table.get("rangeKey")) == ("id", None)
    (index,) = table.get("globalSecondaryIndexes")
    assert index["name"] == "by-collection"
    assert index["projectionType"] == "ALL"
    keys = [(k["attributeName"], k["keyType"]) for k in index["keySchemas"]]
    assert keys == [("collection", "HASH"), ("id", "RANGE")]
    assert table.get("streamViewType") == "NEW_AND_OLD_IMAGES"


def test_audit_rows_are_ordered_by_sequence_and_have_no_stream(run: Run) -> None:
    table = run.one(TABLE, "audit-table")
    assert (table.get("hashKey"), table.get("rangeKey")) == ("itemId", "sequence")
    assert not table.get("streamEnabled")


def test_users_are_found_by_their_id(run: Run) -> None:
    table = run.one(TABLE, "users-table")
    assert (table.get("hashKey"), table.get("rangeKey")) == ("user_id", None)


def test_connections_are_found_by_topic_and_forgotten_by_themselves(run: Run) -> None:
    table = run.one(TABLE, "connections-table")
    assert (table.get("hashKey"), table.get("rangeKey")) == ("connectionId", "topic")
    (index,) = table.get("globalSecondaryIndexes")
    keys = [(k["attributeName"], k["keyType"]) for k in index["keySchemas"]]
    assert keys == [("topic", "HASH"), ("connectionId", "RANGE")]
    assert table.get("ttl") == {"enabled": True, "attributeName": "expiresAt"}


def test_development_leaves_nothing_behind(dev: Run) -> None:
    assert not [r.name for r in dev.resources if r.protect or r.retain_on_delete]
    assert all(b.get("forceDestroy") is True for b in dev.all(BUCKET))
    assert all(s.get("recoveryWindowInDays") == 0 for s in dev.all(SECRET))
    assert all(t.get("deletionProtectionEnabled") is False for t in dev.all(TABLE))
    assert dev.one(KEY, "data-key").get("deletionWindowInDays") == 7


BUCKET_SETTINGS = (
    "bucketOwnershipControls:BucketOwnershipControls",
    "bucketPublicAccessBlock:BucketPublicAccessBlock",
    "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "bucketVersioning:BucketVersioning",
    "bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "bucketPolicy:BucketPolicy",
)


def test_production_protects_exactly_its_data_and_what_guards_it(prod: Run) -> None:
    protected = {r.name for r in prod.resources if r.protect}
    keeps = {f"aws:s3/{name}" for name in BUCKET_SETTINGS} | {
        "aws:secretsmanager/secretVersion:SecretVersion",
        "random:index/randomPassword:RandomPassword",
        "random:index/randomUuid:RandomUuid",
    }
    assert protected == {r.name for r in prod.resources if r.type in {*DATA, *keeps}}
    assert all(b.get("forceDestroy") is False for b in prod.all(BUCKET))
    assert all(t.get("deletionProtectionEnabled") is True for t in prod.all(TABLE))


@pytest.mark.parametrize(("stack", "days"), [("dev", None), ("staging", 35), ("prod", 35)])
def test_tables_can_be_restored_where_settings_say(
    stack: str, days: int | None, request: pytest.FixtureRequest
) -> None:
    run: Run = request.getfixturevalue("runs")(stack)
    for table in run.all(TABLE):
        recovery = {"enabled": bool(days), **({"recoveryPeriodInDays": days} if days else {})}
        assert table.get("pointInTimeRecovery") == recovery


def test_recovery_period_comes_from_the_stack_file(custom: Run) -> None:
    assert custom.one(TABLE, "items-table").get("pointInTimeRecovery.recoveryPeriodInDays") == 7


def test_access_logs_and_reports_end_and_uploads_stay(run: Run) -> None:
    type_ = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    ends = {
        lifecycle.name: lifecycle.get("rules")[0].get("expiration") for lifecycle in run.all(type_)
    }
    assert ends.pop("access-logs-lifecycle") == {"days": 90}
    assert ends.pop("reports-lifecycle") == {"days": 365}
    if run.stack == "prod":
        assert ends.pop("canary-results-lifecycle") == {"days": 31}
    assert set(ends.values()) == {None}


def test_each_bucket_logs_into_a_folder_of_its_own(run: Run) -> None:
    logging = run.all("aws:s3/bucketLogging:BucketLogging")
    buckets = {b.name.removesuffix("-bucket") for b in run.all(BUCKET)} - {"access-logs"}
    assert {"uploads", "images"} <= buckets
    assert {(log.get("bucket"), log.get("targetPrefix")) for log in logging} == {
        (f"{name}-bucket-0123456", f"{name}/") for name in buckets
    }
    assert {log.get("targetBucket") for log in logging} == {"access-logs-bucket-0123456"}


def test_queue_hides_messages_six_times_as_long_as_its_consumer_may_take(
    run: Run, custom: Run
) -> None:
    assert run.one(QUEUE, "notifications-queue").get("visibilityTimeoutSeconds") == 6 * 30
    assert custom.one(QUEUE, "notifications-queue").get("visibilityTimeoutSeconds") == 6 * 30 + 2


def test_poison_messages_end_in_the_dead_letter_queue(run: Run, custom: Run) -> None:
    redrive = json.loads(run.one(QUEUE, "notifications-queue").get("redrivePolicy"))
    assert redrive["maxReceiveCount"] == 8
    dead = run.one(QUEUE, "notifications-dead-letter-queue")
    assert redrive["deadLetterTargetArn"] == dead.output("arn")
    redrive = json.loads(custom.one(QUEUE, "notifications-queue").get("redrivePolicy"))
    assert redrive["maxReceiveCount"] == 9


def test_queue_of_failures_has_no_dead_letters_and_starts_nothing() -> None:
    def program(parts: Parts) -> None:
        with pytest.raises(AttributeError, match="failures: no dead-letter queue"):
            _ = parts.failures.dead_letter
        assert Queue("work", settings=QueueSettings(), encryption=parts.key).dead_letter

    names = {queue.name for queue in tiny(program).all(QUEUE)}
    assert names == {"failures-queue", "work-queue", "work-dead-letter-queue"}


def test_alarms_are_mailed_only_where_an_address_is_given(dev: Run, custom: Run) -> None:
    type_ = "aws:sns/topicSubscription:TopicSubscription"
    assert "email" not in {subscription.get("protocol") for subscription in dev.all(type_)}
    (subscription,) = (s for s in custom.all(type_) if s.get("protocol") == "email")
    assert (subscription.get("protocol"), subscription.get("endpoint")) == (
        "email",
        "team@example.com",
    )


def test_signing_secret_names_key_issuer_and_audience(run: Run) -> None:
    version = run.one("aws:secretsmanager/secretVersion:SecretVersion", "auth-value")
    secret = json.loads(version.get("secretString"))
    assert secret.keys() == {"kid", "key", "iss", "aud"}
    assert (secret["iss"], secret["aud"]) == (
        f"sandpiper-{run.stack}",
        f"sandpiper-{run.stack}-api",
    )


def test_generated_values_are_long_enough_to_sign_with(run: Run) -> None:
    for password in run.all("random:index/randomPassword:RandomPassword"):
        # 64 letters and digits are 381 bits; HMAC-SHA-256 wants 256.
        assert password.get("length") >= 43
        assert password.get("special") is False


def test_one_key_encrypts_everything(run: Run) -> None:
    (key,) = run.all(KEY)
    (alias,) = run.all("aws:kms/alias:Alias")
    assert alias.get("name") == f"alias/sandpiper-{run.stack}"
    assert alias.get("targetKeyId") == key.output("keyId")
