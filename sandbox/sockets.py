"""A client of the stack's own WebSocket, for `Box.socket` and whoever else has its address."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sandbox.errors import Mistake

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection


def connect(url: str, token: str = "", *, query: bool = False) -> ClientConnection:
    """Open a WebSocket with a bearer token, or with `?token=` where `query`; the answer closes with `with`.

    Raises `Mistake` for an empty URL, `websockets.exceptions.InvalidStatus` where the API refuses the connection.
    """
    if not url:
        raise Mistake("this stack exports no socketUrl: there is no WebSocket to open")
    from websockets.sync.client import connect as opened

    if query and token:
        url = f"{url}?{urlencode({'token': token})}"
    headers = {"Authorization": f"Bearer {token}"} if token and not query else None
    # A proxy of the user's environment does not lead to this machine; "legacy" is to be open at once, with or without
    # `with`, so that a refusal is told here.
    return opened(url, additional_headers=headers, proxy=None, legacy=True)
