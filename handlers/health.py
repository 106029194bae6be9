"""GET /health: the one public route. It says that the API and its functions run, and touches
nothing behind them.
"""

from __future__ import annotations

import os

from common import http


@http.endpoint
def handler(request: http.Request) -> http.Answer:
    """200 with `status` and `service`."""
    del request
    return http.answer(
        200, {"status": "ok", "service": os.environ.get("SERVICE_NAME", "sandpiper")}
    )
