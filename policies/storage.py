"""Buckets: private, versioned, tidy and logged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies import aws, documents
from policies.model import Registered, Stack, rule

PUBLIC_ACCESS = (
    "blockPublicAcls",
    "blockPublicPolicy",
    "ignorePublicAcls",
    "restrictPublicBuckets",
)
INLINE = (
    "acl",
    "corsRules",
    "grants",
    "lifecycleRules",
    "loggings",
    "objectLockConfiguration",
    "policy",
    "replicationConfiguration",
    "serverSideEncryptionConfiguration",
    "versioning",
    "website",
)
"""Arguments of Bucket that fight with the resources made for the same setting."""


PROTECTED = (
    aws.TABLE,
    aws.BUCKET,
    aws.KEY,
    aws.SECRET,
    aws.REPOSITORY,
    aws.USER_POOL,
)


@rule
def bucket_is_private(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """All four public access blocks, no ACLs, TLS only."""
    for bucket in stack.all(aws.BUCKET):
        block = _setting(stack, bucket, aws.BUCKET_ACCESS_BLOCK)
        if block is None or not all(block.get(key) is True for key in PUBLIC_ACCESS):
            yield bucket, f"needs a public access block with {', '.join(PUBLIC_ACCESS)}"
        ownership = _setting(stack, bucket, aws.BUCKET_OWNERSHIP)
        if ownership is None or ownership.get("rule.objectOwnership") != "BucketOwnerEnforced":
            yield bucket, "needs ownership controls with BucketOwnerEnforced"
        policy = _setting(stack, bucket, aws.BUCKET_POLICY)
        arn = bucket.output("arn")
        text = policy.get("policy") if policy else None
        if not documents.refuses_plain_http(text, [arn, f"{arn}/*"], ["s3:*"]):
            yield bucket, "its policy must deny s3:* without TLS on the bucket and its objects"
        for key in INLINE:
            if bucket.get(key) is not None:
                yield bucket, f"{key} is deprecated here; use the resource of its own"


@rule
def bucket_is_encrypted(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """With the data key, but for the bucket of access logs: S3 cannot write its logs into a KMS-encrypted one."""
    for bucket in stack.all(aws.BUCKET):
        setting = _setting(stack, bucket, aws.BUCKET_ENCRYPTION)
        written = (setting.get("rules") or [{}])[0] if setting else {}
        default = written.get("applyServerSideEncryptionByDefault") or {}
        if _takes_logs(stack, bucket):
            if default.get("sseAlgorithm") != "AES256":
                yield bucket, "takes access logs; its encryption must be AES256"
        elif default.get("sseAlgorithm") != "aws:kms" or not stack.at(
            str(default.get("kmsMasterKeyId")), aws.KEY
        ):
            yield bucket, "must be encrypted with the data key"
        elif written.get("bucketKeyEnabled") is not True:
            yield bucket, "set bucketKeyEnabled, or every object is a KMS call"


@rule
def bucket_keeps_and_tidies(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Versioned; old versions and unfinished uploads end."""
    for bucket in stack.all(aws.BUCKET):
        versioning = _setting(stack, bucket, aws.BUCKET_VERSIONING)
        if versioning is None or versioning.get("versioningConfiguration.status") != "Enabled":
            yield bucket, "must be versioned"
        lifecycle = _setting(stack, bucket, aws.BUCKET_LIFECYCLE)
        rules = [
            r
            for r in (lifecycle.get("rules") or [] if lifecycle else [])
            if r.get("status") == "Enabled"
        ]
        if not any(
            (r.get("noncurrentVersionExpiration") or {}).get("noncurrentDays") for r in rules
        ):
            yield bucket, "needs a lifecycle rule that ends noncurrent versions"
        if not any(
            (r.get("abortIncompleteMultipartUpload") or {}).get("daysAfterInitiation")
            for r in rules
        ):
            yield bucket, "needs a lifecycle rule that aborts incomplete multipart uploads"
        if any("filter" not in r for r in rules):
            yield bucket, 'each lifecycle rule names a filter; {"prefix": ""} is the whole bucket'


@rule
def bucket_is_logged(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Every access is logged to a bucket that admits S3's logging service, of this account only."""
    for bucket in stack.all(aws.BUCKET):
        if _takes_logs(stack, bucket):
            policy = _setting(stack, bucket, aws.BUCKET_POLICY)
            if policy is None or not any(
                _admits_logging(s) for s in documents.of(policy.get("policy"))
            ):
                yield (
                    bucket,
                    "takes access logs; its policy must admit logging.s3.amazonaws.com of this account",
                )
            continue
        logging = _setting(stack, bucket, aws.BUCKET_LOGGING)
        if logging is None or not stack.answering(
            "bucket", str(logging.get("targetBucket")), aws.BUCKET
        ):
            yield bucket, "needs access logging to a bucket of this stack"


@rule
def bucket_has_one_notification(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """S3 keeps one configuration per bucket: a second resource replaces the first, on and on."""
    for bucket in stack.all(aws.BUCKET):
        found = stack.having(aws.BUCKET_NOTIFICATION, bucket=bucket.output("bucket"))
        for notification in found[1:]:
            yield (
                notification,
                f"{bucket.name} already has a notification; put all its triggers into one",
            )
        entries: list[dict[str, Any]] = [e for n in found for e in n.get("lambdaFunctions") or []]
        if len({e.get("id") for e in entries}) < len(entries):
            yield found[0], "two of its filters have the same id; S3 refuses them"
        for place, one in enumerate(entries):
            if any(_overlap(one, other) for other in entries[place + 1 :]):
                yield (
                    found[0],
                    f"filter '{one.get('id')}' overlaps another one for the same event; S3 refuses both",
                )


@rule
def data_is_protected_in_production(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Tables, buckets, keys, secrets and images of production outlive a mistake."""
    if not stack.production:
        return
    for resource in stack.all(*PROTECTED):
        if not resource.protect:
            yield resource, "must be protected in production"
        for key in ("forceDestroy", "forceDelete"):
            if resource.get(key):
                yield resource, f"{key} empties it; not in production"


def _setting(stack: Stack, bucket: Registered, type_: str) -> Registered | None:
    return next(iter(stack.having(type_, bucket=bucket.output("bucket"))), None)


def _takes_logs(stack: Stack, bucket: Registered) -> bool:
    return bool(stack.having(aws.BUCKET_LOGGING, targetBucket=bucket.output("bucket")))


def _admits_logging(statement: documents.Statement) -> bool:
    return (
        statement.allows
        and statement.is_for("logging.s3.amazonaws.com")
        and statement.actions == ("s3:PutObject",)
        and bool(statement.only_if("StringEquals", "aws:SourceAccount"))
    )


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Some key could match both filters, for some event of both."""
    prefixes = [e.get("filterPrefix") or "" for e in (one, other)]
    suffixes = [e.get("filterSuffix") or "" for e in (one, other)]
    return (
        _same_event(one.get("events") or [], other.get("events") or [])
        and (prefixes[0].startswith(prefixes[1]) or prefixes[1].startswith(prefixes[0]))
        and (suffixes[0].endswith(suffixes[1]) or suffixes[1].endswith(suffixes[0]))
    )


def _same_event(ones: list[str], others: list[str]) -> bool:
    return any(
        a == b or a.rstrip("*").startswith(b.rstrip("*")) or b.rstrip("*").startswith(a.rstrip("*"))
        for a in ones
        for b in others
    )


RULES = (
    bucket_is_private,
    bucket_is_encrypted,
    bucket_keeps_and_tidies,
    bucket_is_logged,
    bucket_has_one_notification,
    data_is_protected_in_production,
)
