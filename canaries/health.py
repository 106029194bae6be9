"""What the canary runs: one request to the health route, which must answer 200 with a JSON object in time.

Synthetics calls `handler` and takes an exception for a failed run. Nothing but Python's own library is needed.
"""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Any

SECONDS = 10


def handler(_event: Any, _context: Any) -> str:
    """Ask; raises RuntimeError, TypeError, HTTPError or URLError where the service does not answer as it should."""
    url = os.environ["HEALTH_URL"]
    if not url.startswith(("https://", "http://")):
        raise RuntimeError(f"HEALTH_URL must be an http address, not {url}")
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 checked above
        if answer.status != 200:
            raise RuntimeError(f"{url} answered {answer.status}")
        body = json.loads(answer.read(1_000_000))
    if not isinstance(body, dict):
        raise TypeError(f"{url} answered {type(body).__name__}, not an object")
    return "healthy"
