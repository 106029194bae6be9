"""Buckets, tables and secrets that are open, unencrypted, unlogged or unprotected."""

from __future__ import annotations

from policies import aws
from tests.support.breaking import Break, again, edited, statement, unprotected, without

DEFAULT = "rules.0.applyServerSideEncryptionByDefault"
UPLOADS = "arn:aws:s3:::uploads-bucket-0123456"

# fmt: off
BREAKS = (
    Break("bucket-is-private", "public access block", without(aws.BUCKET_ACCESS_BLOCK, "images-public-access-block")),
    *(
        Break("bucket-is-private", "public access block", edited(aws.BUCKET_ACCESS_BLOCK, "uploads-public-access-block", {key: False}))
        for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    ),
    Break("bucket-is-private", "BucketOwnerEnforced", edited(aws.BUCKET_OWNERSHIP, "images-ownership", {"rule.objectOwnership": "ObjectWriter"})),
    Break("bucket-is-private", "without TLS", without(aws.BUCKET_POLICY, "images-policy")),
    Break("bucket-is-private", "without TLS", statement(aws.BUCKET_POLICY, "uploads-policy", "TlsOnly", Resource=[UPLOADS])),
    Break("bucket-is-private", "without TLS", statement(aws.BUCKET_POLICY, "access-logs-policy", "TlsOnly", Effect="Allow")),
    Break("bucket-is-private", "versioning is deprecated", edited(aws.BUCKET, "images-bucket", {"versioning.enabled": True})),
    Break("bucket-is-encrypted", "with the data key", edited(aws.BUCKET_ENCRYPTION, "images-encryption", {f"{DEFAULT}.sseAlgorithm": "AES256"})),
    Break("bucket-is-encrypted", "with the data key", edited(aws.BUCKET_ENCRYPTION, "images-encryption", {f"{DEFAULT}.kmsMasterKeyId": None})),
    Break("bucket-is-encrypted", "must be AES256", edited(aws.BUCKET_ENCRYPTION, "access-logs-encryption", {f"{DEFAULT}.sseAlgorithm": "aws:kms"})),
    Break("bucket-is-encrypted", "bucketKeyEnabled", edited(aws.BUCKET_ENCRYPTION, "uploads-encryption", {"rules.0.bucketKeyEnabled": None})),
    Break("bucket-keeps-and-tidies", "must be versioned", edited(aws.BUCKET_VERSIONING, "images-versioning", {"versioningConfiguration.status": "Suspended"})),
    Break("bucket-keeps-and-tidies", "ends noncurrent versions", edited(aws.BUCKET_LIFECYCLE, "images-lifecycle", {"rules.0.noncurrentVersionExpiration": None})),
    Break("bucket-keeps-and-tidies", "multipart uploads", edited(aws.BUCKET_LIFECYCLE, "images-lifecycle", {"rules.0.abortIncompleteMultipartUpload": None})),
    Break("bucket-keeps-and-tidies", "ends noncurrent versions", edited(aws.BUCKET_LIFECYCLE, "images-lifecycle", {"rules.0.status": "Disabled"})),
    Break("bucket-keeps-and-tidies", "names a filter", edited(aws.BUCKET_LIFECYCLE, "images-lifecycle", {"rules.0.filter": None})),
    Break("bucket-is-logged", "needs access logging", without(aws.BUCKET_LOGGING, "uploads-logging")),
    Break("bucket-is-logged", "admit logging.s3", statement(aws.BUCKET_POLICY, "access-logs-policy", "AccessLogs")),
    Break("bucket-is-logged", "admit logging.s3", statement(aws.BUCKET_POLICY, "access-logs-policy", "AccessLogs", Condition=None)),
    Break("bucket-has-one-notification", "already has a notification", again(aws.BUCKET_NOTIFICATION, "uploads-notification")),
    Break("bucket-has-one-notification", "overlaps", edited(aws.BUCKET_NOTIFICATION, "uploads-notification", {"lambdaFunctions.0.filterSuffix": ".webp"})),
    Break("bucket-has-one-notification", "overlaps", edited(aws.BUCKET_NOTIFICATION, "uploads-notification", {"lambdaFunctions.0.filterSuffix": None})),
    Break("bucket-has-one-notification", "the same id", edited(aws.BUCKET_NOTIFICATION, "uploads-notification", {"lambdaFunctions.0.id": "image-processor-uploads-png"})),
    Break("nothing-starts-itself", "image-processor-function -> uploads-notification (uploads/) -> image-processor-function", statement(aws.ROLE_POLICY, "image-processor-policy", "s3:PutObject", Resource=[f"{UPLOADS}/uploads/thumbnails/*"])),
    Break("nothing-starts-itself", "image-processor-function -> uploads-notification (uploads/) -> image-processor-function", statement(aws.ROLE_POLICY, "image-processor-policy", "s3:PutObject", Resource=[f"{UPLOADS}/*"])),
    Break("data-is-protected-in-production", "must be protected", unprotected(aws.TABLE, "audit-table"), stack="prod"),
    Break("data-is-protected-in-production", "must be protected", unprotected(aws.BUCKET, "uploads-bucket"), stack="prod"),
    Break("data-is-protected-in-production", "must be protected", unprotected(aws.KEY, "data-key"), stack="prod"),
    Break("data-is-protected-in-production", "must be protected", unprotected(aws.SECRET, "auth-secret"), stack="prod"),
    Break("data-is-protected-in-production", "forceDestroy", edited(aws.BUCKET, "images-bucket", {"forceDestroy": True}), stack="prod"),
    Break("table-is-on-demand-and-encrypted", "PAY_PER_REQUEST", edited(aws.TABLE, "items-table", {"billingMode": "PROVISIONED"})),
    Break("table-is-on-demand-and-encrypted", "the data key", edited(aws.TABLE, "items-table", {"serverSideEncryption.kmsKeyArn": None})),
    Break("table-is-on-demand-and-encrypted", "the data key", edited(aws.TABLE, "items-table", {"serverSideEncryption.enabled": False})),
    Break("table-lists-its-keys-only", "exactly its keys", edited(aws.TABLE, "items-table", {"attributes": [{"name": "id", "type": "S"}]})),
    Break("table-lists-its-keys-only", "exactly its keys", edited(aws.TABLE, "audit-table", {"attributes.0.name": "price"})),
    Break("table-lists-its-keys-only", "hashKey is deprecated", edited(aws.TABLE, "items-table", {"globalSecondaryIndexes.0.hashKey": "collection"})),
    Break("table-can-be-restored", "point-in-time recovery", edited(aws.TABLE, "items-table", {"pointInTimeRecovery.enabled": False}), stack="staging"),
    Break("table-can-be-restored", "point-in-time recovery", edited(aws.TABLE, "items-table", {"pointInTimeRecovery.enabled": False}), stack="prod"),
    Break("table-can-be-restored", "must agree", edited(aws.TABLE, "items-table", {"deletionProtectionEnabled": True})),
    Break("table-can-be-restored", "must agree", edited(aws.TABLE, "items-table", {"deletionProtectionEnabled": False}), stack="prod"),
    Break("table-can-be-restored", "NEW_AND_OLD_IMAGES", edited(aws.TABLE, "items-table", {"streamViewType": "KEYS_ONLY"})),
    Break("secret-is-encrypted-and-recoverable", "the data key", edited(aws.SECRET, "auth-secret", {"kmsKeyId": None})),
    Break("secret-is-encrypted-and-recoverable", "is 3;", edited(aws.SECRET, "auth-secret", {"recoveryWindowInDays": 3})),
    Break("secret-is-encrypted-and-recoverable", "is None;", edited(aws.SECRET, "auth-secret", {"recoveryWindowInDays": None})),
    Break("secret-is-encrypted-and-recoverable", "30 in production", edited(aws.SECRET, "auth-secret", {"recoveryWindowInDays": 7}), stack="prod"),
)
# fmt: on
