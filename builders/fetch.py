"""A file over HTTP(S), by the standard library: proxies and certificates as the environment sets them."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from typing import Final

from builders.errors import BuildError

_SECONDS: Final = 30
_TRIES: Final = 3
_WAITS: Final = 0.5
"""Seconds before the second try; twice as long before each further one."""

_TRANSIENT: Final = {408, 425, 429, 500, 502, 503, 504}


def get(address: str, *, what: str, authorization: str | None = None) -> bytes:
    """The content at an address; `what` names it in the BuildError that says why it cannot be had.

    What may pass by itself is tried again, three times in all.
    """
    _refuse_unusable(address, what)
    wait, tries = _WAITS, _TRIES
    while True:
        try:
            return _read(address, authorization)
        except urllib.error.HTTPError as error:
            error.close()
            reason, transient = f"answers {error.code} {error.reason}", error.code in _TRANSIENT
        except (OSError, http.client.HTTPException) as error:
            reason, transient = f"cannot be reached ({getattr(error, 'reason', error)})", True
        except ValueError:
            # The error itself would show the token.
            reason, transient = "or its token in .npmrc holds what HTTP cannot send", False
        tries -= 1
        if not transient or not tries:
            raise BuildError(f"{what}: {plain(address)} {reason}{_remedy(reason)}") from None
        time.sleep(wait)
        wait *= 2


def _read(address: str, authorization: str | None) -> bytes:
    request = urllib.request.Request(address)  # noqa: S310 - http and https only, by `_refuse_unusable`
    if authorization:
        # Not redirected: a registry may send us to a storage service, which must not learn the token.
        request.add_unredirected_header("Authorization", authorization)
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - as above
        return answer.read()


def _refuse_unusable(address: str, what: str) -> None:
    if not (address.isascii() and address.lower().startswith(("http://", "https://"))):
        raise BuildError(f"{what}: {plain(address)} is no http or https address")


def _remedy(reason: str) -> str:
    if " 404 " in reason:
        return "; `make lock` takes a version that is there"
    if " 401 " in reason or " 403 " in reason:
        return "; .npmrc names no valid token for it"
    return "; NPM_CONFIG_REGISTRY or .npmrc name another registry"


def plain(address: str) -> str:
    """An address without credentials that may stand in it."""
    return re.sub(r"//[^/]*@", "//", address, count=1)
