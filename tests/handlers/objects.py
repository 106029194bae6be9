"""Buckets that keep what is put, with the conditions of S3 and its answers for what is not there."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from typing import Any

from botocore.response import StreamingBody

from tests.handlers.fakes import Aws, AwsError

MOMENT = datetime(2025, 11, 24, 0, 10, 10, 123000, tzinfo=UTC)


class Objects:
    """Objects by bucket and key; `aws` is whose calls they answer."""

    def __init__(self, aws: Aws) -> None:
        self.held: dict[tuple[str, str], dict[str, Any]] = {}
        self.aws = aws
        aws.on("GetObject", self._get)
        aws.on("HeadObject", self._head)
        aws.on("PutObject", self._put)

    def add(self, bucket: str, key: str, data: bytes, content_type: str = "", **more: Any) -> str:
        """Put an object as someone else would; its ETag without quotes."""
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        self.held[bucket, key] = {
            "Body": data,
            "ETag": f'"{etag}"',
            "ContentType": content_type,
            "Metadata": {},
            "LastModified": MOMENT,
            **more,
        }
        return etag

    def keys(self, bucket: str) -> list[str]:
        return sorted(key for held, key in self.held if held == bucket)

    def body(self, bucket: str, key: str) -> bytes:
        return self.held[bucket, key]["Body"]

    def puts(self) -> list[str]:
        return [call["Key"] for name, call in self.aws.calls if name == "PutObject"]

    def _get(self, call: dict[str, Any]) -> dict[str, Any]:
        held = self.held.get((call["Bucket"], call["Key"]))
        if held is None:
            raise AwsError("NoSuchKey", status=404)
        if call.get("IfMatch", held["ETag"]) != held["ETag"]:
            raise AwsError("PreconditionFailed", status=412)
        data = held["Body"]
        body = StreamingBody(io.BytesIO(data), len(data))
        return {**held, "Body": body, "ContentLength": len(data)}

    def _head(self, call: dict[str, Any]) -> dict[str, Any]:
        held = self.held.get((call["Bucket"], call["Key"]))
        if held is None:
            raise AwsError("404", status=404)
        answer = {**held, "ContentLength": len(held["Body"])}
        answer.pop("Body")
        return answer

    def _put(self, call: dict[str, Any]) -> dict[str, Any]:
        where = call["Bucket"], call["Key"]
        there = self.held.get(where)
        if call.get("IfNoneMatch") == "*" and there:
            raise AwsError("PreconditionFailed", status=412)
        if "IfMatch" in call and not there:
            raise AwsError("NoSuchKey", status=404)
        if there and call.get("IfMatch", there["ETag"]) != there["ETag"]:
            raise AwsError("PreconditionFailed", status=412)
        body = call["Body"]  # botocore has made a file of it
        self.add(
            *where,
            body if isinstance(body, bytes) else body.read(),
            call["ContentType"],
            Metadata=call["Metadata"],
        )
        return {}
