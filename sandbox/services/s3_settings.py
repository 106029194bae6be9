"""S3: what is set on a bucket by a resource of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.resources import AGAIN, Outputs, Resource, resource
from sandbox.services.shared import REGION, nested, remove

_IGNORED: Final = {**REGION, "expectedBucketOwner": "a sandbox has one account"}


def _put(
    r: Resource, operation: str, value: Mapping[str, Any], rename: Mapping[str, str] | None = None
) -> Outputs:
    name = r.take("bucket")
    given = nested(r, "s3", operation, value, rename)
    r.call("s3", operation, Bucket=name, **given)
    return {"id": name, "bucket": name}


def _delete(r: Resource, operation: str, **parameters: Any) -> None:
    remove(r, "s3", operation, Bucket=(r.old or {})["bucket"], **parameters)


@resource("aws:s3/bucketOwnershipControls:BucketOwnershipControls", update=AGAIN, ignored=_IGNORED)
def ownership_controls(r: Resource) -> Outputs:
    return _put(
        r, "put_bucket_ownership_controls", {"ownershipControls": {"rules": r.take("rule")}}
    )


@ownership_controls.deletes
def delete_ownership_controls(r: Resource) -> None:
    _delete(r, "delete_bucket_ownership_controls")


@resource(
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    update=AGAIN,
    ignored={**_IGNORED, "skipDestroy": "the block goes with its bucket"},
)
def public_access_block(r: Resource) -> Outputs:
    names = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    return _put(
        r,
        "put_public_access_block",
        {"publicAccessBlockConfiguration": {name: bool(r.take(name)) for name in names}},
    )


@public_access_block.deletes
def delete_public_access_block(r: Resource) -> None:
    _delete(r, "delete_public_access_block")


@resource(
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    update=AGAIN,
    ignored=_IGNORED,
)
def encryption(r: Resource) -> Outputs:
    return _put(
        r,
        "put_bucket_encryption",
        {"serverSideEncryptionConfiguration": {"rules": r.take("rules")}},
    )


@encryption.deletes
def delete_encryption(r: Resource) -> None:
    _delete(r, "delete_bucket_encryption")


@resource("aws:s3/bucketVersioning:BucketVersioning", update=AGAIN, ignored=_IGNORED)
def versioning(r: Resource) -> Outputs:
    """A bucket that never had versioning is "Disabled" for the provider; the API has no such value."""
    settings = r.take("versioningConfiguration")
    settings = settings[0] if isinstance(settings, list) else settings
    if settings.get("status") == "Disabled" and not r.old:
        name = r.take("bucket")
        return {"id": name, "bucket": name}
    return _put(
        r,
        "put_bucket_versioning",
        {"versioningConfiguration": settings, "mfa": r.take("mfa")},
        {"versioningConfiguration.mfaDelete": "MFADelete"},
    )


@versioning.deletes
def delete_versioning(r: Resource) -> None:
    _delete(r, "put_bucket_versioning", VersioningConfiguration={"Status": "Suspended"})


@resource("aws:s3/bucketLogging:BucketLogging", update=AGAIN, ignored=_IGNORED)
def logging(r: Resource) -> Outputs:
    names = ("targetBucket", "targetPrefix", "targetGrants", "targetObjectKeyFormat")
    r.note("its access logs are not written: the setting is recorded")
    enabled = {name: r.take(name) for name in names}
    return _put(r, "put_bucket_logging", {"bucketLoggingStatus": {"loggingEnabled": enabled}})


@logging.deletes
def delete_logging(r: Resource) -> None:
    _delete(r, "put_bucket_logging", BucketLoggingStatus={})


@resource(
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    update=AGAIN,
    ignored={**_IGNORED, "timeouts": "the emulator applies rules at once"},
)
def lifecycle(r: Resource) -> Outputs:
    rules = [_rule(rule) for rule in r.take("rules", [])]
    r.note("its rules are recorded, not run: nothing expires in a sandbox")
    return _put(
        r,
        "put_bucket_lifecycle_configuration",
        {
            "lifecycleConfiguration": {"rules": rules},
            "transitionDefaultMinimumObjectSize": r.take("transitionDefaultMinimumObjectSize"),
        },
    )


@lifecycle.deletes
def delete_lifecycle(r: Resource) -> None:
    _delete(r, "delete_bucket_lifecycle")


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule without a filter is one for the whole bucket, which the API wants said."""
    given = {key: value for key, value in rule.items() if value is not None}
    if not given.get("filter") and not given.get("prefix"):
        given.pop("prefix", None)
        given["filter"] = {"prefix": ""}
    return given


@resource("aws:s3/bucketPolicy:BucketPolicy", update=AGAIN, ignored=_IGNORED)
def bucket_policy(r: Resource) -> Outputs:
    name = r.take("bucket")
    r.call("s3", "put_bucket_policy", Bucket=name, Policy=r.take("policy"))
    return {"id": name, "bucket": name}


@bucket_policy.deletes
def delete_bucket_policy(r: Resource) -> None:
    _delete(r, "delete_bucket_policy")
