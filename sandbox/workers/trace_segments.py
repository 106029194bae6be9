"""The segments that Lambda and API Gateway record of a request.

Sources: Lambda developer guide, "Visualize Lambda function invocations using AWS X-Ray"; X-Ray developer guide, "X-Ray
segment documents"; API Gateway developer guide, "Trace user requests to REST APIs using X-Ray".
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from sandbox.workers import rights, traces
from sandbox.workers.traces import Context, Document
from sandbox.workers.visits import Call, Visit

_RIGHT: Final = "xray:PutTraceSegments"
_JUDGED_SECONDS: Final = 2.0
"""How long a judgement over a role holds: its policies are seldom changed, and to weigh them takes time."""

Record = dict[str, Any]

_judged: dict[str, tuple[float, bool]] = {}


@dataclass(frozen=True)
class Span:
    """When a handler began and ended, in seconds since the epoch; how long it was loaded before, None for not at all."""

    begun: float
    ended: float
    init_ms: float | None = None


class Invocation:
    """One call of a function, as X-Ray sees it."""

    def __init__(
        self, config: Record, request_id: str, started: float, links: list[Context] | None = None
    ) -> None:
        self._config, self._request, self._started = config, request_id, started
        self._links = links or []
        self._came = traces.current() or traces.new()
        active = (config.get("TracingConfig") or {}).get("Mode") == "Active"
        self._sampled = active and self._came.sampled is not False
        self.recorded = self._sampled and _may_send(config)
        self._service, self._function, self._handler = (traces.new_id() for _ in range(3))

    @property
    def environment(self) -> Context:
        """What the function is told: its own segment is the parent of what it does, where it has one."""
        if self._sampled:
            return self._came.below(self._handler)
        return Context(self._came.root, self._came.parent, bool(self._came.sampled))

    def record(self, result: Record, span: Span) -> None:
        """Keep both segments of the call."""
        failed = _failure(result)
        service = self.of_service(span.ended) | {"http": {"response": {"status": 200}}} | failed
        traces.store.put(service)
        traces.store.put(self._of_function(span) | failed)

    def of_service(self, now: float) -> Document:
        """The segment of the service: from the call to its answer."""
        arn = ":".join(str(self._config["FunctionArn"]).split(":")[:7])
        document: Document = {
            "id": self._service,
            "trace_id": self._came.root,
            "name": self._config["FunctionName"],
            "start_time": self._started,
            "end_time": now,
            "aws": {"request_id": self._request},
            "origin": "AWS::Lambda",
            "resource_arn": arn,
        }
        if self._came.parent:
            document["parent_id"] = self._came.parent
        if self._links:
            document["links"] = [
                {
                    "trace_id": link.root,
                    "id": link.parent,
                    "attributes": {"ReferenceType": "parent"},
                }
                for link in self._links
            ]
        return document

    def _of_function(self, span: Span) -> Document:
        """The segment of the function: loading, where there was any, and handler."""
        arn = str(self._config["FunctionArn"])
        loaded = max(self._started, span.begun - (span.init_ms or 0) / 1000)
        phases = [{**_phase("Invocation", span.begun, span.ended), "id": self._handler}]
        if span.init_ms is not None:
            phases.insert(0, _phase("Initialization", loaded, span.begun))
        return {
            "id": self._function,
            "trace_id": self._came.root,
            "parent_id": self._service,
            "name": self._config["FunctionName"],
            "start_time": loaded,
            "end_time": span.ended,
            "aws": {
                "account_id": arn.split(":")[4],
                "function_arn": arn,
                "resource_names": [self._config["FunctionName"]],
            },
            "origin": "AWS::Lambda::Function",
            "subsegments": phases,
        }


def _phase(name: str, start: float, end: float) -> Document:
    return {"id": traces.new_id(), "name": name, "start_time": start, "end_time": end}


def _failure(result: Record) -> Document:
    if not result.get("error"):
        return {}
    body = result.get("body")
    told = body if isinstance(body, dict) else {"errorMessage": str(body)}
    kind, message = str(told.get("errorType", "Error")), str(told.get("errorMessage", ""))
    return {"fault": True, "cause": traces.cause(kind, message)}


def _may_send(config: Record) -> bool:
    """Whether the function's role lets it send segments; without that right X-Ray shows nothing of it."""
    role, now = str(config.get("Role", "")), time.monotonic()
    known = _judged.get(role)
    if known is None or known[0] < now:
        place = ":".join(str(config["FunctionArn"]).split(":")[3:5])
        allowed = rights.may(role, _RIGHT, f"arn:aws:xray:{place}:*")
        known = _judged[role] = (now + _JUDGED_SECONDS, allowed)
    return known[1]


class StageSegment:
    """The segment of a REST stage, and of each function that it called."""

    def __init__(self, came: traces.Context, *, recorded: bool) -> None:
        self._recorded = recorded and came.sampled is not False
        self._id, self._came = traces.new_id(), came
        self.context = came.below(self._id) if self._recorded else came

    def end(self, visit: Visit, api: str, told: Record) -> None:
        """Keep the segment, which ends now."""
        if not self._recorded:
            return
        status = int(told["status"])
        seen = visit.context
        document = {
            "id": self._id,
            "trace_id": self._came.root,
            "name": f"{api}/{visit.stage}",
            "start_time": visit.started,
            "end_time": time.time(),
            "http": {
                "request": {
                    "method": seen["httpMethod"],
                    "url": f"https://{visit.api_id}.execute-api.{visit.region}.amazonaws.com{seen['path']}",
                    "client_ip": seen["identity.sourceIp"],
                    "user_agent": seen["identity.userAgent"],
                },
                "response": {"status": status, "content_length": told["responseLength"]},
            },
            "aws": {
                "api_gateway": {
                    "account_id": visit.account,
                    "rest_api_id": visit.api_id,
                    "stage": visit.stage,
                    "request_id": told["requestId"],
                }
            },
            "origin": "AWS::ApiGateway::Stage",
            "resource_arn": f"arn:aws:apigateway:{visit.region}::/restapis/{visit.api_id}/stages/{visit.stage}",
            "subsegments": [_subsegment(call) for call in visit.calls],
            **_flags(status),
        }
        if self._came.parent:
            document["parent_id"] = self._came.parent
        traces.store.put(document)


def _subsegment(call: Call) -> Record:
    """A call of a function, as the gateway sees it: it failed only where Lambda did."""
    return {
        "id": call.id,
        "name": "Lambda",
        "namespace": "aws",
        "start_time": call.started,
        "end_time": call.ended or time.time(),
        "http": {"response": {"status": call.status}},
        "aws": {
            "operation": "Invoke",
            "function_name": call.function,
            "resource_names": [call.function],
        },
        **_flags(call.status),
    }


def _flags(status: int) -> Record:
    flags: Record = {}
    if 400 <= status < 500:
        flags["error"] = True
    if status == 429:
        flags["throttle"] = True
    if status >= 500:
        flags["fault"] = True
    return flags
