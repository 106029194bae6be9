"""Orders topic -> a partner's HTTP API: every order is posted once, its id the Idempotency-Key.

What the partner cannot take now is tried again for a moment here, and then by Lambda; after that it
lies in the failures queue with all that replaying it takes. A partner who is down is left alone by
all environments at once: then an invocation fails without a call.
"""

from __future__ import annotations

import functools
import http.client
import json
import os
import time
from typing import Any

from common import correlation, ids, logs, once, outbound, records, tracing, warming
from common.circuit import Circuit
from common.jitter import jittered

_ATTEMPTS = 3
_FIRST_PAUSE = 0.2  # seconds; each further one is twice as long
_LONGEST_PAUSE = 3  # seconds
# Statuses that another attempt may change.
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_RESERVE = 3.0  # seconds of the invocation that are kept to write down how it ended

once.prepare()


class PartnerError(Exception):
    """The partner did not take the order."""


@warming.aware
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """How many orders were posted. Raises what kept one from being posted: Lambda tries again."""
    logs.begin(context, event)
    found = records.of(event, "aws:sns")
    for record in correlation.each(found):
        text = record["Sns"]["Message"]
        order = _order_id(text)
        post = functools.partial(_forward, order, text, context)
        with tracing.step("forward order", order=order):
            once.run(f"forward#{order}", post, context=context)
    return {"forwarded": len(found)}


def _order_id(text: str) -> str:
    """Raises ValueError for a message that is no placed order, without quoting it."""
    try:
        content = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise ValueError("the message is not JSON") from None
    order = content.get("orderId") if isinstance(content, dict) else None
    if not isinstance(order, str) or not ids.is_key(order):
        raise ValueError("the message has no orderId")
    return order


def _forward(order: str, text: str, context: Any) -> None:
    seconds = int(os.environ["PARTNER_TIMEOUT_SECONDS"])
    circuit = Circuit(
        "partner",
        threshold=int(os.environ["PARTNER_FAILURE_THRESHOLD"]),
        seconds=int(os.environ["PARTNER_OPEN_SECONDS"]),
        trial=seconds * _ATTEMPTS,
    )
    after_failures = circuit.enter()
    try:
        status = _persistent_post(order, text.encode(), seconds, context)
    except (OSError, http.client.HTTPException) as error:
        circuit.failed()
        raise PartnerError(f"no answer: {type(error).__name__}") from None
    if status in _AGAIN:
        circuit.failed()
        raise PartnerError(f"the partner is busy: {status}")
    # Whatever else it says, it is there.
    circuit.succeeded(after_failures=after_failures)
    if not 200 <= status <= 299:
        raise PartnerError(f"the partner refuses the order: {status}")
    logs.info("order forwarded", orderId=order, status=status)


def _persistent_post(order: str, body: bytes, seconds: int, context: Any) -> int:
    """The last status of up to three attempts, with growing pauses between them."""
    private = os.environ.get("PARTNER_PRIVATE_NETWORK") == "true"
    target = outbound.Target(os.environ["PARTNER_URL"], private=private)
    headers = {"Content-Type": "application/json", "Idempotency-Key": order}
    attempt, after = 0, 0
    while True:
        attempt += 1
        try:
            answer = outbound.post(target, body, headers, seconds=seconds)
            after = answer.retry_after
            if answer.status not in _AGAIN or _is_last(attempt, after, seconds, context):
                return answer.status
        except (OSError, http.client.HTTPException):
            if _is_last(attempt, after, seconds, context):
                raise
        time.sleep(max(after, jittered(_FIRST_PAUSE * 2 ** (attempt - 1))))


def _is_last(attempt: int, after: int, seconds: int, context: Any) -> bool:
    """Whether another attempt would be one too many, or end too late."""
    left = context.get_remaining_time_in_millis() / 1000 - _RESERVE
    return attempt >= _ATTEMPTS or after > _LONGEST_PAUSE or left < seconds + _LONGEST_PAUSE
