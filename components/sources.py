"""Where a function's code comes from, in the words of Lambda's API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class Code:
    """An archive made or found here, and the handler inside it (`module.function`)."""

    archive: pulumi.Archive
    handler: str
    unzipped: int = 0
    """Bytes, where they are known: Lambda counts them together with the layers."""

    def with_files(self, added: Mapping[str, Path]) -> Code:
        """The same code with further files beside it; a ready zip stays what it is."""
        if not added or not isinstance(self.archive, pulumi.AssetArchive):
            return self
        more = {name: pulumi.FileAsset(str(file)) for name, file in added.items()}
        size = sum(file.stat().st_size for file in added.values())
        archive = pulumi.AssetArchive({**self.archive.assets, **more})
        return replace(self, archive=archive, unzipped=self.unzipped + size)

    def put_into(self, args: aws.lambda_.FunctionArgs) -> None:
        """Say where the code is."""
        args.code, args.handler = self.archive, self.handler


@dataclass(frozen=True)
class StoredCode:
    """An archive that lies in S3 already, in the function's own region."""

    bucket: str
    key: str
    handler: str
    version: str | None = None
    digest: str | None = None
    """Base64 of its SHA-256: without it or a version, a new object under the old key goes unnoticed."""
    unzipped: int = 0

    def put_into(self, args: aws.lambda_.FunctionArgs) -> None:
        """Say where the code is."""
        args.s3_bucket, args.s3_key, args.s3_object_version = self.bucket, self.key, self.version
        args.handler, args.source_code_hash = self.handler, self.digest


@dataclass(frozen=True)
class ImageCode:
    """A container image in ECR; it brings its own runtime and handler."""

    uri: str
    entry_point: Sequence[str] = ()
    command: Sequence[str] = ()
    working_directory: str | None = None
    unzipped: int = 0

    def put_into(self, args: aws.lambda_.FunctionArgs) -> None:
        """Say where the image is, and that runtime, handler and layers are its own affair."""
        args.package_type, args.image_uri = "Image", self.uri
        args.runtime = args.handler = args.layers = None
        if self.entry_point or self.command or self.working_directory:
            args.image_config = aws.lambda_.FunctionImageConfigArgs(
                entry_points=list(self.entry_point) or None,
                commands=list(self.command) or None,
                working_directory=self.working_directory,
            )


AnyCode = Code | StoredCode | ImageCode
