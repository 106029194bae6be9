"""Uploaded objects: what an event says of one, and objects that are written over older ones only.

S3 delivers an event at least once and in no order. What is made of an upload therefore carries a
stamp in its own metadata (which object, which content, which of its events), and is replaced by
what a later event made, never by an earlier one.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from common import aws, correlation
from common.records import ForeignEventError

if TYPE_CHECKING:
    from collections.abc import Mapping

UPLOADS = "uploads/"
INCOMING = "incoming/"
READ_TIMEOUT = 10  # seconds
# What S3 and its clients say when nobody named a type.
# What a key's suffix and a content type say of a picture's format, in Pillow's words.
PICTURE_SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
}
PICTURE_TYPES = {
    "image/jpeg": "JPEG",
    "image/jpg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
}
NO_TYPE = ("", "binary/octet-stream", "application/octet-stream")
_LONGEST_KEY = 1024  # bytes, a limit of S3
_CREATED = "ObjectCreated:"
# An expiry by the bucket's lifecycle has an event name of its own.
_REMOVED = ("ObjectRemoved:", "LifecycleExpiration:")
# GetObject and HeadObject name it differently. A role that may not list the bucket gets 403 instead.
_GONE = frozenset({"NoSuchKey", "404", "NotFound"})
_UNMET = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict"})
_ATTEMPTS = 4  # at one object, each lost to another writer

OLDER, SAME, NEWER = -1, 0, 1


class Refused(Exception):
    """The object can never be worked on; the text says why."""


class Outdated(Exception):
    """A later event of the same object was worked on meanwhile."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An object of the uploads bucket, as an event names it. Unknown members are ""."""

    bucket: str
    key: str
    etag: str
    version: str
    sequencer: str
    time: str
    removed: bool = False

    @property
    def folder(self) -> str:
        """`uploads/` or `incoming/`; raises Refused for a key outside of them."""
        for prefix in (UPLOADS, INCOMING):
            if self.key.startswith(prefix):
                return prefix
        raise Refused("the key is neither under uploads/ nor under incoming/")

    def target(self, folder: str, suffix: str = "") -> str:
        """The key of what is made of it: `uploads/a/b.png` -> `FOLDER/a/b.pngSUFFIX`.

        Raises Refused for a key that climbs folders and for a target over 1024 bytes.
        """
        rest = self.key.removeprefix(self.folder)
        if not rest or rest.endswith("/"):
            raise Refused("the key names a folder")
        # S3 takes them literally, what reads the bucket later (a shell, a web server) may not.
        if any(part in (".", "..") for part in rest.split("/")):
            raise Refused("the key climbs folders")
        target = f"{folder}{rest}{suffix}"
        if len(target.encode(errors="replace")) > _LONGEST_KEY:
            raise Refused(f"a key under {folder} would be longer than {_LONGEST_KEY} bytes")
        return target

    def stamp(self) -> dict[str, str]:
        """What tells this event's results from those of others, as S3 object metadata (ASCII)."""
        return {"folder": self.folder, "etag": self.etag, "sequencer": self.sequencer}

    def against(self, stamp: Mapping[str, str] | None) -> int:
        """How this event stands to the one that left the stamp: OLDER, SAME or NEWER.

        Sequencers are hexadecimal and may differ in length; AWS has the shorter one padded with
        zeros on the right. They compare events of one key only: uploads/a and incoming/a share
        their results, and there the last one written counts.
        """
        if not stamp or stamp.get("folder") != self.folder:
            return NEWER
        there, mine = stamp.get("sequencer", "").lower(), self.sequencer.lower()
        length = max(len(there), len(mine))
        there, mine = there.ljust(length, "0"), mine.ljust(length, "0")
        if self.sequencer and mine < there:
            return OLDER
        return SAME if mine == there and stamp.get("etag") == self.etag else NEWER


def of_record(record: Mapping[str, Any]) -> Upload:
    """The upload of an S3 notification's record, whose key is encoded as forms are.

    Raises ForeignEventError for a record that tells neither of a creation nor of a removal, and
    Refused for a key that is not UTF-8.
    """
    try:
        name = str(record["eventName"]).removeprefix("s3:")
        bucket, found = record["s3"]["bucket"]["name"], record["s3"]["object"]
        encoded = found["key"]
    except (KeyError, TypeError, IndexError):
        raise ForeignEventError("the record names no object of S3") from None
    if not name.startswith((_CREATED, *_REMOVED)) or not isinstance(encoded, str):
        raise ForeignEventError("the record tells neither of a creation nor of a removal")
    try:
        key = unquote_plus(encoded, errors="strict")
    except UnicodeDecodeError:
        raise Refused("the key is not UTF-8") from None
    removed = name.startswith(_REMOVED)
    time = str(record.get("eventTime", ""))
    return _upload(bucket, key, found, version="versionId", etag="eTag", time=time, removed=removed)


def of_event(event: Mapping[str, Any]) -> Upload:
    """The upload of EventBridge's "Object Created", whose key is as it is."""
    try:
        bucket, found = event["detail"]["bucket"]["name"], event["detail"]["object"]
        key = found["key"]
    except (KeyError, TypeError, IndexError):
        raise ForeignEventError("the event names no object of S3") from None
    if not isinstance(key, str):
        raise ForeignEventError("the event names no object of S3")
    time = str(event.get("time", ""))
    return _upload(bucket, key, found, version="version-id", etag="etag", time=time, removed=False)


def named(record: Mapping[str, Any]) -> str:
    """The key as a record has it, for a log line; "" for a record without one."""
    found = record.get("s3", {}).get("object")
    return str(found.get("key", "")) if isinstance(found, dict) else ""


def _upload(
    bucket: object,
    key: str,
    found: Mapping[str, Any],
    *,
    version: str,
    etag: str,
    time: str,
    removed: bool,
) -> Upload:
    return Upload(
        bucket=str(bucket),
        key=key,
        etag=bare(str(found.get(etag, ""))),
        version=str(found.get(version, "")),
        sequencer=str(found.get("sequencer", "")),
        time=time,
        removed=removed,
    )


def media_type(content_type: str) -> str:
    """A content type without its parameters, in lower case: `text/csv`."""
    return content_type.partition(";")[0].strip().lower()


def bare(etag: str) -> str:
    """An entity tag without its quotes: headers have them, events do not."""
    return etag.strip('"')


def is_gone(error: BaseException) -> bool:
    """Whether S3 answered that there is no such object."""
    return aws.error_code(error) in _GONE


def is_unmet(error: BaseException) -> bool:
    """Whether S3 answered that a condition of the call does not hold."""
    return aws.error_code(error) in _UNMET


def client() -> Any:
    """The S3 client."""
    return aws.client("s3", read_timeout=READ_TIMEOUT)


def head(bucket: str, key: str) -> dict[str, Any] | None:
    """HeadObject's answer, None when there is no such object."""
    try:
        return client().head_object(Bucket=bucket, Key=key)
    except Exception as error:
        if not is_gone(error):
            raise
    return None


def result(bucket: str, key: str) -> tuple[dict[str, str] | None, dict[str, Any]]:
    """The stamp and the JSON content of what was made of an upload; None and {} without one."""
    try:
        found = client().get_object(Bucket=bucket, Key=key)
    except Exception as error:
        if not is_gone(error):
            raise
        return None, {}
    with closing(found["Body"]) as body:
        return found.get("Metadata", {}), json.loads(body.read())


def put(
    upload: Upload, body: bytes, *, bucket: str, key: str, content_type: str, again: bool = False
) -> bool:
    """Write what was made of an upload, unless the same or a later event's is there.

    True when written, False when the same event's is there (`again` writes over that too). Raises
    Outdated for a later event's, and what boto3 raises. Where nothing is there it costs one call.
    """
    condition: dict[str, str] = {"IfNoneMatch": "*"}
    for _ in range(_ATTEMPTS):
        try:
            client().put_object(
                Bucket=bucket,
                Key=key,
                Body=body,
                ContentType=content_type,
                Metadata={**upload.stamp(), **correlation.metadata()},
                **condition,
            )
        except Exception as error:
            if not (is_unmet(error) or is_gone(error)):
                raise
        else:
            return True
        there = head(bucket, key)
        if there is None:
            condition = {"IfNoneMatch": "*"}
            continue
        order = upload.against(there.get("Metadata"))
        if order == OLDER:
            raise Outdated(f"{key} was made of a later event")
        if order == SAME and not again:
            return False
        condition = {"IfMatch": there["ETag"]}
    raise RuntimeError(f"{key} is being written by others, try again")
