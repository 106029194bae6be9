"""Where objects rest: S3 buckets, as owners of the grants to them."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.grants import Grant, Statement, policy, tls_only, variable_name
from components.keys import DataKey
from components.place import Place
from settings import DataSettings

BALANCER_LOGS = "load-balancers"
"""The folder for access logs of load balancers."""


class Bucket(pulumi.ComponentResource):
    """A private, versioned S3 bucket that refuses plain HTTP and keeps old versions for a while.

    `encryption` is the stack's key; None means S3's own AES-256, which a bucket for access logs must use.
    `logs` receives the access logs; `balancer_logs` lets load balancers of this account write theirs into this bucket.
    The single settings are made one after the other: S3 refuses two changes of one
    bucket at the same time (OperationAborted).
    """

    def __init__(
        self,
        name: str,
        *,
        settings: DataSettings,
        place: Place,
        encryption: DataKey | None,
        logs: Bucket | None = None,
        balancer_logs: bool = False,
        expiration_days: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Bucket", name, None, opts)
        if balancer_logs and encryption is not None:
            raise ValueError("Elastic Load Balancing writes its logs with S3's own keys only")
        self.component = name
        self.takes_balancer_logs = balancer_logs
        self._settings = settings
        self._place = place
        self._encryption = encryption
        self._variable = variable_name(name, "BUCKET")
        self.bucket = aws.s3.Bucket(
            f"{name}-bucket",
            aws.s3.BucketArgs(force_destroy=not settings.protect),
            pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )
        self.name = self.bucket.bucket
        self.arn = self.bucket.arn
        self._last: pulumi.Resource = self.bucket
        self.ownership = self._owned_by_us()
        self.public_access_block = self._block_public_access()
        self.server_side_encryption = self._encrypt()
        self.versioning = self._keep_versions()
        self.lifecycle = self._expire(expiration_days)
        self.policy = self._refuse_plain_http(takes_logs=encryption is None)
        if logs is not None:
            self.logging = self._log_to(logs)
        self.register_outputs({"name": self.name, "arn": self.arn})

    @property
    def settled(self) -> pulumi.Resource:
        """The last of the bucket's own settings: what else touches the bucket waits for it."""
        return self._last

    def get(self, *prefixes: str) -> Grant:
        """Read objects, under prefixes only. A missing key answers 403, not 404, to a role that may not list."""
        return self._grant("s3:GetObject", prefixes, "Decrypt")

    def put(self, *prefixes: str) -> Grant:
        """Write objects, under prefixes only, in one request each."""
        return self._grant("s3:PutObject", prefixes, "GenerateDataKey")

    def delete(self, *prefixes: str) -> Grant:
        """Delete objects, under prefixes only; older versions stay until the lifecycle ends them."""
        return self._grant("s3:DeleteObject", prefixes)

    def list(self, *prefixes: str) -> Grant:
        """List keys, under prefixes only. Without a prefix, S3 also says of a missing key that it is missing (404): it asks
        for this right then and names no prefix.
        """
        condition = (
            {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}} if prefixes else {}
        )
        return Grant(
            [Statement(["s3:ListBucket"], [self.arn], condition)], {self._variable: self.name}
        )

    def _grant(self, action: str, prefixes: Sequence[str], *key_use: str) -> Grant:
        arns = [pulumi.Output.concat(self.arn, "/", prefix, "*") for prefix in prefixes or ("",)]
        statements = [Statement([action], arns)]
        if self._encryption and key_use:
            statements.append(self._encryption.use("s3", *key_use))
        return Grant(statements, {self._variable: self.name})

    def _next(self) -> pulumi.ResourceOptions:
        # What keeps the objects private and versioned is protected as they are.
        return pulumi.ResourceOptions(
            parent=self, depends_on=[self._last], protect=self._settings.protect
        )

    def _owned_by_us(self) -> aws.s3.BucketOwnershipControls:
        self._last = made = aws.s3.BucketOwnershipControls(
            f"{self.component}-ownership",
            aws.s3.BucketOwnershipControlsArgs(
                bucket=self.name,
                rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            ),
            self._next(),
        )
        return made

    def _block_public_access(self) -> aws.s3.BucketPublicAccessBlock:
        self._last = made = aws.s3.BucketPublicAccessBlock(
            f"{self.component}-public-access-block",
            aws.s3.BucketPublicAccessBlockArgs(
                bucket=self.name,
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            ),
            self._next(),
        )
        return made

    def _encrypt(self) -> aws.s3.BucketServerSideEncryptionConfiguration:
        default = (
            aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs
        )
        key = self._encryption
        self._last = made = aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self.component}-encryption",
            aws.s3.BucketServerSideEncryptionConfigurationInitArgs(
                bucket=self.name,
                rules=[
                    aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                        apply_server_side_encryption_by_default=default(
                            sse_algorithm="aws:kms" if key else "AES256",
                            kms_master_key_id=key.arn if key else None,
                        ),
                        # One data key per bucket for a while instead of a KMS call per object.
                        bucket_key_enabled=True if key else None,
                    )
                ],
            ),
            self._next(),
        )
        return made

    def _keep_versions(self) -> aws.s3.BucketVersioning:
        self._last = made = aws.s3.BucketVersioning(
            f"{self.component}-versioning",
            aws.s3.BucketVersioningInitArgs(
                bucket=self.name,
                versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(
                    status="Enabled"
                ),
            ),
            self._next(),
        )
        return made

    def _expire(self, days: int | None) -> aws.s3.BucketLifecycleConfiguration:
        rule = aws.s3.BucketLifecycleConfigurationRuleArgs
        self._last = made = aws.s3.BucketLifecycleConfiguration(
            f"{self.component}-lifecycle",
            aws.s3.BucketLifecycleConfigurationArgs(
                bucket=self.name,
                rules=[
                    rule(
                        id="tidy",
                        status="Enabled",
                        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                        abort_incomplete_multipart_upload=(
                            aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                                days_after_initiation=7
                            )
                        ),
                        noncurrent_version_expiration=(
                            aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                                noncurrent_days=self._settings.noncurrent_version_expiration_days
                            )
                        ),
                        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days)
                        if days
                        else None,
                    )
                ],
            ),
            self._next(),
        )
        return made

    def _refuse_plain_http(self, *, takes_logs: bool) -> aws.s3.BucketPolicy:
        statements = [tls_only([self.arn, pulumi.Output.concat(self.arn, "/*")], "s3:*")]
        if takes_logs:
            statements.append(
                {
                    "Sid": "AccessLogs",
                    "Effect": "Allow",
                    "Principal": {"Service": "logging.s3.amazonaws.com"},
                    "Action": "s3:PutObject",
                    "Resource": [pulumi.Output.concat(self.arn, "/*")],
                    "Condition": {"StringEquals": {"aws:SourceAccount": self._place.account}},
                }
            )
        if self.takes_balancer_logs:
            # As the guide has it (Enable access logs for your Application Load Balancer): the account stands in the path,
            # where balancers of others cannot write, and not in a condition.
            folder = f"/{BALANCER_LOGS}/AWSLogs/{self._place.account}/*"
            statements.append(
                {
                    "Sid": "LoadBalancerLogs",
                    "Effect": "Allow",
                    "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
                    "Action": "s3:PutObject",
                    "Resource": [pulumi.Output.concat(self.arn, folder)],
                }
            )
        self._last = made = aws.s3.BucketPolicy(
            f"{self.component}-policy",
            aws.s3.BucketPolicyArgs(bucket=self.name, policy=policy(statements)),
            self._next(),
        )
        return made

    def _log_to(self, logs: Bucket) -> aws.s3.BucketLogging:
        self._last = made = aws.s3.BucketLogging(
            f"{self.component}-logging",
            aws.s3.BucketLoggingInitArgs(
                bucket=self.name, target_bucket=logs.name, target_prefix=f"{self.component}/"
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[self._last, logs.settled]),
        )
        return made
