"""Buckets, tables and secrets that are open, unencrypted, unlogged or unprotected."""

from __future__ import annotations

from policies.encryption import ENCRYPTION
from policies.links import BUCKET, KEY, NOTIFICATION, ROLE_POLICY, SECRET, TABLE
from tests.support.breaking import Break, again, edited, statement, unprotected, without

BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
POLICY, LOGGING = "aws:s3/bucketPolicy:BucketPolicy", "aws:s3/bucketLogging:BucketLogging"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
DEFAULT = "rules.0.applyServerSideEncryptionByDefault"
UPLOADS = "arn:aws:s3:::uploads-bucket-0123456"

# fmt: off
BREAKS = (
    Break("bucket-is-private", "public access block", without(BLOCK, "images-public-access-block")),
    *(
        Break("bucket-is-private", "public access block", edited(BLOCK, "uploads-public-access-block", {key: False}))
        for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    ),
    Break("bucket-is-private", "BucketOwnerEnforced", edited(OWNERSHIP, "images-ownership", {"rule.objectOwnership": "ObjectWriter"})),
    Break("bucket-is-private", "without TLS", without(POLICY, "images-policy")),
    Break("bucket-is-private", "without TLS", statement(POLICY, "uploads-policy", "TlsOnly", Resource=[UPLOADS])),
    Break("bucket-is-private", "without TLS", statement(POLICY, "access-logs-policy", "TlsOnly", Effect="Allow")),
    Break("bucket-is-private", "versioning is deprecated", edited(BUCKET, "images-bucket", {"versioning.enabled": True})),
    Break("bucket-is-encrypted", "with the data key", edited(ENCRYPTION, "images-encryption", {f"{DEFAULT}.sseAlgorithm": "AES256"})),
    Break("bucket-is-encrypted", "with the data key", edited(ENCRYPTION, "images-encryption", {f"{DEFAULT}.kmsMasterKeyId": None})),
    Break("bucket-is-encrypted", "must be AES256", edited(ENCRYPTION, "access-logs-encryption", {f"{DEFAULT}.sseAlgorithm": "aws:kms"})),
    Break("bucket-is-encrypted", "bucketKeyEnabled", edited(ENCRYPTION, "uploads-encryption", {"rules.0.bucketKeyEnabled": None})),
    Break("bucket-keeps-and-tidies", "must be versioned", edited(VERSIONING, "images-versioning", {"versioningConfiguration.status": "Suspended"})),
    Break("bucket-keeps-and-tidies", "ends noncurrent versions", edited(LIFECYCLE, "images-lifecycle", {"rules.0.noncurrentVersionExpiration": None})),
    Break("bucket-keeps-and-tidies", "multipart uploads", edited(LIFECYCLE, "images-lifecycle", {"rules.0.abortIncompleteMultipartUpload": None})),
    Break("bucket-keeps-and-tidies", "ends noncurrent versions", edited(LIFECYCLE, "images-lifecycle", {"rules.0.status": "Disabled"})),
    Break("bucket-keeps-and-tidies", "names a filter", edited(LIFECYCLE, "images-lifecycle", {"rules.0.filter": None})),
    Break("bucket-is-logged", "needs access logging", without(LOGGING, "uploads-logging")),
    Break("bucket-is-logged", "admit logging.s3", statement(POLICY, "access-logs-policy", "AccessLogs")),
    Break("bucket-is-logged", "admit logging.s3", statement(POLICY, "access-logs-policy", "AccessLogs", Condition=None)),
    Break("bucket-has-one-notification", "already has a notification", again(NOTIFICATION, "uploads-notification")),
    Break("bucket-has-one-notification", "overlaps", edited(NOTIFICATION, "uploads-notification", {"lambdaFunctions.0.filterSuffix": ".webp"})),
    Break("bucket-has-one-notification", "overlaps", edited(NOTIFICATION, "uploads-notification", {"lambdaFunctions.0.filterSuffix": None})),
    Break("bucket-has-one-notification", "the same id", edited(NOTIFICATION, "uploads-notification", {"lambdaFunctions.0.id": "image-processor-uploads-png"})),
    Break("trigger-does-not-feed-itself", "into the same bucket", statement(ROLE_POLICY, "image-processor-policy", "s3:PutObject", Resource=[f"{UPLOADS}/uploads/thumbnails/*"])),
    Break("trigger-does-not-feed-itself", "into the same bucket", statement(ROLE_POLICY, "image-processor-policy", "s3:PutObject", Resource=[f"{UPLOADS}/*"])),
    Break("data-is-protected-in-production", "must be protected", unprotected(TABLE, "audit-table"), stack="prod"),
    Break("data-is-protected-in-production", "must be protected", unprotected(BUCKET, "uploads-bucket"), stack="prod"),
    Break("data-is-protected-in-production", "must be protected", unprotected(KEY, "data-key"), stack="prod"),
    Break("data-is-protected-in-production", "must be protected", unprotected(SECRET, "auth-secret"), stack="prod"),
    Break("data-is-protected-in-production", "forceDestroy", edited(BUCKET, "images-bucket", {"forceDestroy": True}), stack="prod"),
    Break("table-is-on-demand-and-encrypted", "PAY_PER_REQUEST", edited(TABLE, "items-table", {"billingMode": "PROVISIONED"})),
    Break("table-is-on-demand-and-encrypted", "the data key", edited(TABLE, "items-table", {"serverSideEncryption.kmsKeyArn": None})),
    Break("table-is-on-demand-and-encrypted", "the data key", edited(TABLE, "items-table", {"serverSideEncryption.enabled": False})),
    Break("table-lists-its-keys-only", "exactly its keys", edited(TABLE, "items-table", {"attributes": [{"name": "id", "type": "S"}]})),
    Break("table-lists-its-keys-only", "exactly its keys", edited(TABLE, "audit-table", {"attributes.0.name": "price"})),
    Break("table-lists-its-keys-only", "hashKey is deprecated", edited(TABLE, "items-table", {"globalSecondaryIndexes.0.hashKey": "collection"})),
    Break("table-can-be-restored", "point-in-time recovery", edited(TABLE, "items-table", {"pointInTimeRecovery.enabled": False}), stack="staging"),
    Break("table-can-be-restored", "point-in-time recovery", edited(TABLE, "items-table", {"pointInTimeRecovery.enabled": False}), stack="prod"),
    Break("table-can-be-restored", "must agree", edited(TABLE, "items-table", {"deletionProtectionEnabled": True})),
    Break("table-can-be-restored", "must agree", edited(TABLE, "items-table", {"deletionProtectionEnabled": False}), stack="prod"),
    Break("table-can-be-restored", "NEW_AND_OLD_IMAGES", edited(TABLE, "items-table", {"streamViewType": "KEYS_ONLY"})),
    Break("secret-is-encrypted-and-recoverable", "the data key", edited(SECRET, "auth-secret", {"kmsKeyId": None})),
    Break("secret-is-encrypted-and-recoverable", "is 3;", edited(SECRET, "auth-secret", {"recoveryWindowInDays": 3})),
    Break("secret-is-encrypted-and-recoverable", "is None;", edited(SECRET, "auth-secret", {"recoveryWindowInDays": None})),
    Break("secret-is-encrypted-and-recoverable", "30 in production", edited(SECRET, "auth-secret", {"recoveryWindowInDays": 7}), stack="prod"),
)
# fmt: on
