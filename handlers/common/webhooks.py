"""Webhooks as Standard Webhooks signs them (github.com/standard-webhooks, version 1): HMAC-SHA256
over id, timestamp and the body's own bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from typing import NamedTuple

_ID = re.compile(r"[!-~]{1,128}")  # what SQS takes as a deduplication id
_SECONDS = re.compile(r"[0-9]{1,12}")
_MARK = "whsec_"
_MOST_SIGNATURES = 10  # one for each key while keys are changed


class Forged(Exception):
    """Not signed by its sender, or not of now; the text says which part is wrong."""


class Stamp(NamedTuple):
    """The three headers of a webhook: webhook-id, webhook-timestamp, webhook-signature."""

    id: str
    timestamp: str
    signatures: str

    @property
    def seconds(self) -> int:
        """When it was sent, in seconds since 1970."""
        return int(self.timestamp)


def check_age(stamp: Stamp, *, tolerance: int) -> None:
    """Raises Forged for headers of another shape, and when the timestamp is more than `tolerance`
    seconds away from now, on either side.
    """
    if not _ID.fullmatch(stamp.id):
        raise Forged("webhook-id must be 1 to 128 printable ASCII characters without spaces.")
    if not _SECONDS.fullmatch(stamp.timestamp):
        raise Forged("webhook-timestamp must be seconds since 1970.")
    if abs(time.time() - stamp.seconds) > tolerance:
        raise Forged(f"webhook-timestamp is more than {tolerance} seconds away.")


def is_signed(stamp: Stamp, body: bytes, *, key: str) -> bool:
    """Whether one of the signatures is this key's, as `signature` takes it. Takes the same time for
    every wrong signature.
    """
    wanted = signature(stamp.id, stamp.timestamp, body, key=key).encode()
    given = stamp.signatures.split(" ", _MOST_SIGNATURES)[:_MOST_SIGNATURES]
    return any(hmac.compare_digest(wanted, each.encode(errors="replace")) for each in given)


def signature(identity: str, timestamp: str, body: bytes, *, key: str) -> str:
    """A webhook's signature, "v1,BASE64". The key is "whsec_BASE64", as senders' libraries want it;
    any other text is the key as it is.
    """
    content = f"{identity}.{timestamp}.".encode() + body
    digest = hmac.new(_bytes(key), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _bytes(key: str) -> bytes:
    marked = key.startswith(_MARK)
    return base64.b64decode(key.removeprefix(_MARK)) if marked else key.encode()
