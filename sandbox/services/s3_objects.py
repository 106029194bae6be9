"""S3: objects that the program itself puts into a bucket."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final

import pulumi

from sandbox.resources import AGAIN, Outputs, Resource, resource
from sandbox.services.archives import files_of, zip_bytes
from sandbox.services.shared import REGION, pairs, remove, tags

_API: Final = {
    "acl": "ACL",
    "bucketKeyEnabled": "BucketKeyEnabled",
    "cacheControl": "CacheControl",
    "contentDisposition": "ContentDisposition",
    "contentEncoding": "ContentEncoding",
    "contentLanguage": "ContentLanguage",
    "contentType": "ContentType",
    "kmsKeyId": "SSEKMSKeyId",
    "metadata": "Metadata",
    "objectLockLegalHoldStatus": "ObjectLockLegalHoldStatus",
    "objectLockMode": "ObjectLockMode",
    "objectLockRetainUntilDate": "ObjectLockRetainUntilDate",
    "serverSideEncryption": "ServerSideEncryption",
    "storageClass": "StorageClass",
    "websiteRedirect": "WebsiteRedirectLocation",
}
_IGNORED: Final = {
    **REGION,
    "checksumAlgorithm": "no checksum guards anything on loopback",
    "etag": "it only tells Pulumi that the content changed",
    "forceDestroy": "an object goes with all its versions here",
    "overrideProvider": "it concerns Pulumi's default tags",
    "sourceHash": "it only tells Pulumi that the content changed",
}


def stored(r: Resource) -> Outputs:
    """The object, put; under another key or in another bucket the old one goes."""
    bucket, wanted = r.take("bucket"), tags(r)
    body = _body(r)
    key = r.take("key", r.name)
    if r.old and r.changed & {"bucket", "key"}:
        _delete(r)
    answer = r.call(
        "s3",
        "put_object",
        Bucket=bucket,
        Key=key,
        Body=body,
        **{name: r.take(given) for given, name in _API.items()},
    )
    if wanted:
        r.call(
            "s3", "put_object_tagging", Bucket=bucket, Key=key, Tagging={"TagSet": pairs(wanted)}
        )
    return {
        "id": key,
        "bucket": bucket,
        "key": key,
        "arn": f"arn:aws:s3:::{bucket}/{key}",
        "etag": answer["ETag"].strip('"'),
        "versionId": answer.get("VersionId", ""),
        "tagsAll": wanted,
    }


def _body(r: Resource) -> bytes:
    """The content from whichever input holds it: text, base64, a file or an archive."""
    text, encoded, source = (r.take(name) for name in ("content", "contentBase64", "source"))
    if text is not None:
        return str(text).encode()
    if encoded is not None:
        return base64.b64decode(encoded)
    return _bytes_of(source) if source is not None else b""


def _bytes_of(source: Any) -> bytes:
    if isinstance(source, pulumi.FileArchive) and Path(source.path).is_file():
        return Path(source.path).read_bytes()
    if isinstance(source, pulumi.AssetArchive | pulumi.FileArchive):
        return zip_bytes(source)
    return next(iter(files_of(source).values()))


def _delete(r: Resource) -> None:
    """Every version goes, as the provider does it."""
    old = r.old or {}
    bucket, key = old["bucket"], old["key"]
    found = r.call("s3", "list_object_versions", Bucket=bucket, Prefix=key)
    for each in found.get("Versions", []) + found.get("DeleteMarkers", []):
        if each["Key"] == key:
            remove(r, "s3", "delete_object", Bucket=bucket, Key=key, VersionId=each["VersionId"])


for _kind in ("bucketObject:BucketObject", "bucketObjectv2:BucketObjectv2"):
    resource(f"aws:s3/{_kind}", update=AGAIN, ignored=_IGNORED)(stored).deletes(_delete)
