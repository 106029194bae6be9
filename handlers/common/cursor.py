"""Page cursors: the id of a page's last item, signed.

Unsigned, a cursor would let a caller start a query at any key. The signature covers a label, so
that a cursor of one list is worth nothing on another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

_LABEL = b"sandpiper items by-collection v1\0"
_MAC_BYTES = 16


class Forged(Exception):
    """The text is not a cursor that was signed with this key."""


def seal(item_id: str, key: str) -> str:
    """The cursor after this item, of URL-safe characters."""
    return _encode(_mac(item_id.encode(), key) + item_id.encode())


def unseal(cursor: str, key: str) -> str:
    """The id inside a cursor; raises Forged for what `seal` did not return with this key."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise Forged from None
    mac, item_id = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    # Encoding once more refuses the other spellings that base64 allows (its last character has
    # spare bits).
    if not hmac.compare_digest(mac, _mac(item_id, key)) or _encode(raw) != cursor:
        raise Forged
    return item_id.decode()


def _mac(item_id: bytes, key: str) -> bytes:
    return hmac.digest(key.encode(), _LABEL + item_id, hashlib.sha256)[:_MAC_BYTES]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
