"""What API Gateway counts of its APIs, under AWS/ApiGateway: by API and by stage.

Source: API Gateway developer guide, "Amazon API Gateway dimensions and metrics", "Working with metrics for HTTP APIs",
"Monitor WebSocket API execution with CloudWatch metrics". Metrics of single methods and routes, which cost extra on AWS, are
not counted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from sandbox.workers.metric_store import STORE
from sandbox.workers.visits import Call, Visit

NAMESPACE: Final = "AWS/ApiGateway"
_MILLISECONDS: Final = ("Latency", "IntegrationLatency")

Counts = dict[str, float]


def count(visit: Visit, status: int) -> None:
    """Count a request or a message that is over. What reaches no stage is not counted."""
    from ministack.services import apigateway, apigateway_v1

    at = (visit.account, visit.region, visit.api_id)
    if (api := apigateway_v1._rest_apis.get_scoped(*at)) is not None:
        stages: Mapping[str, Any] = apigateway_v1._stages_v1.get_scoped(*at) or {}
        if visit.stage in stages:
            _add(
                "ApiName",
                str(api["name"]),
                visit.stage,
                _of_requests(visit, status, "4XXError", "5XXError"),
            )
        return
    api = apigateway._apis.get_scoped(*at) or {}
    stages = apigateway._stages.get_scoped(*at) or {}
    if visit.stage not in stages and visit.stage != "$default":
        return
    if api.get("protocolType") == "WEBSOCKET":
        _add("ApiId", visit.api_id, visit.stage, _of_messages(visit, status))
    else:
        _add("ApiId", visit.api_id, visit.stage, _of_requests(visit, status, "4xx", "5xx"))


def pushed(api_id: str, stage: str) -> None:
    """Count a message that went out to a WebSocket."""
    _add("ApiId", api_id, stage, {"MessageCount": 1})


def _of_requests(visit: Visit, status: int, of_clients: str, of_servers: str) -> Counts:
    counts: Counts = {
        "Count": 1,
        of_clients: 400 <= status < 500,
        of_servers: status >= 500,
        "Latency": round((time.time() - visit.started) * 1000),
    }
    if call := visit.integration:
        counts["IntegrationLatency"] = call.milliseconds
    return counts


def _of_messages(visit: Visit, status: int) -> Counts:
    call = visit.integration
    counts: Counts = {
        "ClientError": call is None and 400 <= status < 500,
        "IntegrationError": call is not None and not call.error and _answered(call) >= 400,
        "ExecutionError": call is not None and bool(call.error),
    }
    kind = visit.context.get("eventType")
    if call is not None and kind == "CONNECT":
        counts["ConnectCount"] = 1
    elif kind == "MESSAGE":
        counts["MessageCount"] = 1
    if call is not None:
        counts["IntegrationLatency"] = call.milliseconds
    return counts


def _answered(call: Call) -> int:
    told = str(call.answer.get("statusCode")) if isinstance(call.answer, dict) else ""
    return int(told) if told.isdigit() else 200


def _add(dimension: str, name: str, stage: str, counts: Mapping[str, float]) -> None:
    whole, part = ((dimension, name),), ((dimension, name), ("Stage", stage))
    for metric, value in counts.items():
        unit = "Milliseconds" if metric in _MILLISECONDS else "Count"
        STORE.add((NAMESPACE, metric, whole), float(value), unit)
        STORE.add((NAMESPACE, metric, part), float(value), unit)
