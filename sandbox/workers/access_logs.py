"""Access logs of API stages: one line for each request or message, in the format that the stage declares.

Sources: API Gateway developer guide, "Variables for access logging" of REST, "Customize HTTP API access logs", and
"Monitor WebSocket API execution with CloudWatch metrics" of WebSocket APIs. What is not known, or not so here, is `-`.
"""

import functools
import hashlib
import re
import time
from collections.abc import Mapping
from typing import Any, Final

from sandbox.workers import gateway_metrics, records
from sandbox.workers.visits import Call, Visit

_VARIABLE: Final = re.compile(r"\$context\.(\w+(?:[.-]\w+)*)")
_NOTHING: Final = "-"
_REFUSED: Final = (401, 403)
_MALFORMED: Final = "The response from the Lambda Authorizer function doesn't match the format that API Gateway expects."

Values = dict[str, Any]


def write(visit: Visit, settings: Mapping[str, Any] | None, answer: Values) -> None:
    """Write the line of a visit that is over, where its stage has a log; `answer` are the values that only its end tells."""
    gateway_metrics.count(visit, int(answer.get("status") or 0))
    place = str((settings or {}).get("destinationArn") or "")
    wanted = str((settings or {}).get("format") or "")
    if ":log-group:" not in place or not wanted:
        return
    group = place.partition(":log-group:")[2].removesuffix(":*")
    values = _values(visit, answer)
    parts = _parts(wanted)
    told = [part if n % 2 == 0 else _text(_value(visit, values, part)) for n, part in parts]
    records.write(group, _stream(visit.api_id, visit.stage), ["".join(told)])


@functools.lru_cache(maxsize=64)
def _parts(wanted: str) -> tuple[tuple[int, str], ...]:
    """A format in parts: text and the name of a variable in turn."""
    return tuple(enumerate(_VARIABLE.split(wanted)))


@functools.lru_cache(maxsize=64)
def _stream(api_id: str, stage: str) -> str:
    return hashlib.md5(f"{api_id}/{stage}".encode(), usedforsecurity=False).hexdigest()


def _values(visit: Visit, answer: Values) -> Values:
    ended = time.time()
    whole = time.gmtime(visit.started)
    values: Values = {
        "accountId": visit.account,
        "apiId": visit.api_id,
        "stage": visit.stage,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", whole),
        "requestTimeEpoch": int(visit.started * 1000),
        "responseLatency": round((ended - visit.started) * 1000),
        **visit.context,
        **_of_integration(visit.integration),
        **_of_authorizer(visit, int(answer.get("status") or 0)),
        **answer,
    }
    values.setdefault("extendedRequestId", values.get("requestId"))
    return values


def _of_integration(call: Call | None) -> Values:
    """What came of the function behind the route; it has answered with 200 even where it failed."""
    if call is None:
        return {}
    told = call.answer if isinstance(call.answer, dict) and not call.error else {}
    failure = call.error or None
    return {
        "requestId": call.request or None,
        "integrationLatency": call.milliseconds,
        "integration.latency": call.milliseconds,
        "integrationStatus": told.get("statusCode"),
        "integration.status": told.get("statusCode"),
        "integration.integrationStatus": call.status,
        "integrationErrorMessage": failure,
        "integration.error": failure,
    }


def _of_authorizer(visit: Visit, status: int) -> Values:
    call = visit.authorizer
    if call is None:
        return {}
    failure = call.error or (_MALFORMED if status >= 500 and visit.integration is None else "")
    return {
        "authorizer.error": failure or None,
        "authorizer.latency": call.milliseconds,
        "authorizer.status": status if status in _REFUSED else call.status,
        "authorizer.integrationStatus": call.status,
    }


def _value(visit: Visit, values: Values, name: str) -> Any:
    """A variable by its name; what the gateway told the function counts too (`authorizer.claims.sub`)."""
    if values.get(name) is not None:
        return values[name]
    call = visit.integration
    found: Any = call.context if call else None
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _text(value: Any) -> str:
    if value is None or value == "" or isinstance(value, Mapping | list):
        return _NOTHING
    return str(value).lower() if isinstance(value, bool) else str(value)
