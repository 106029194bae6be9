"""Lambda: where a function's code comes from, and what is deployed in place of code that cannot run here.

What cannot be had (an object of a bucket that is not here, Go without its toolchain) never fails an `up`: the function
is deployed with a package that says why, invoking it is refused with that reason, and `up` tries again the next time.
"""

from __future__ import annotations

import base64
import hashlib
import platform
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pulumi

from sandbox import sources
from sandbox.resources import Resource
from sandbox.services.archives import built_once, make_zip, zip_bytes
from sandbox.workers.refusals import REASON

INPUTS: Final = frozenset(
    {"code", "s3Bucket", "s3Key", "s3ObjectVersion", "imageUri", "architectures"}
)
"""A change of any of these is a change of code."""


@dataclass(frozen=True)
class Code:
    """A function's code. `place`: what CreateFunction's `Code` wants. `refusal`: why it is not the real one."""

    place: dict[str, Any]
    refusal: str | None = None

    @cached_property
    def digest(self) -> str | None:
        """Base64 SHA-256 of what is deployed, where that is known before."""
        content = self.place.get("ZipFile")
        return None if content is None else _digest(content)


def code(r: Resource) -> Code:
    """The function's code from whichever input names it; `builders.BuildError` where its sources do not build."""
    bucket, key, version, image, archive = (
        r.take(name) for name in ("s3Bucket", "s3Key", "s3ObjectVersion", "imageUri", "code")
    )
    r.take("sourceCodeHash")
    if image is not None:
        return Code({"ImageUri": image})
    if bucket is not None:
        return _stored(r, bucket, key, version)
    source = sources.of_function(archive.path) if isinstance(archive, pulumi.FileArchive) else None
    return _built(source, fresh=r.old is None) if source else Code({"ZipFile": zip_bytes(archive)})


def digest_of_image(uri: str) -> str:
    """The digest an image's URI names, in hexadecimal as Lambda shows it; of the URI itself where it names a tag."""
    named = uri.rpartition("@sha256:")
    return named[2] if named[1] else hashlib.sha256(uri.encode()).hexdigest()


def _stored(r: Resource, bucket: str, key: str, version: str | None) -> Code:
    from botocore.exceptions import ClientError

    place = {"S3Bucket": bucket, "S3Key": key}
    given = {"VersionId": version} if version else {}
    try:
        r.call("s3", "head_object", Bucket=bucket, Key=key, **given)
    except ClientError:
        return refused(f"s3://{bucket}/{key} is not in this sandbox")
    return Code(place | ({"S3ObjectVersion": version} if version else {}))


def _built(source: sources.Source, *, fresh: bool) -> Code:
    """The function's sources, built for this machine, from the cache where these very ones were built before."""
    from builders import BuildError, elf, go

    if sys.platform != "linux":
        return refused("what is built for Lambda runs on Linux only")
    architecture = elf.here()
    if architecture is None:
        return refused(f"Lambda knows no {platform.machine()}, which this machine is")
    cache = source.root / ".sandbox" / "cache" / "functions"
    kept = cache / go.archive_name(source.folder, architecture)
    if not kept.is_file() and go.toolchain() is None:
        return refused("no Go toolchain is on this machine (https://go.dev/dl)")

    def build(archive: Path) -> None:
        go.build(source.folder, archive, architecture=architecture, exact=False)

    try:
        return Code({"ZipFile": built_once(kept, build)})
    except BuildError as error:
        if fresh:
            return refused(str(error))
        raise  # what ran before goes on running


def refused(reason: str) -> Code:
    """A package that holds the reason why there is no code."""
    return Code({"ZipFile": make_zip({REASON: reason.encode()})}, reason)


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
