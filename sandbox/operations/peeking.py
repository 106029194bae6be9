"""What the emulator holds and nobody receives by looking: messages in queues, mails that were sent."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any


def messages(endpoint: str, service: str, **asked: str) -> dict[str, Any]:
    """The messages that `sqs` or `ses` has, by account, as the emulator tells them."""
    query = f"?{urllib.parse.urlencode(asked)}" if asked else ""
    url = f"{endpoint}/_ministack/{service}/messages{query}"
    # A proxy that the user's environment names has no business on loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)["messages"]
    return found
