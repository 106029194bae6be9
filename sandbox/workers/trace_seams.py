"""X-Ray: who belongs to which trace, what gateway and Lambda record of it, and the API that shows it.

A trace goes the ways it goes on AWS: in the header of a request, from a REST API to its function, with an SDK's call, with
a message of a queue (whose reader begins a trace of its own that is linked), through topics, buses and buckets, and with
asynchronous calls. A function in the mode PassThrough hands it on and records nothing. Sources: Lambda developer guide,
"Visualize Lambda function invocations using AWS X-Ray"; X-Ray developer guide, "Tracing event-driven applications".
"""

import contextvars
import time
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers import trace_api, traces, visits
from sandbox.workers.lambda_seams import LAMBDA, REQUEST_ID
from sandbox.workers.seams import Seam
from sandbox.workers.trace_segments import Invocation, Span
from sandbox.workers.traces import Context

_MOST_LINKS: Final = 20
"""Traces that one segment is linked to."""

Record = dict[str, Any]
Handler = Callable[..., Awaitable[Any]]


_environment: contextvars.ContextVar[Context | None] = contextvars.ContextVar(
    "_environment", default=None
)
"""What the function that is called now finds in `_X_AMZN_TRACE_ID`."""
_measured: contextvars.ContextVar[list[Span] | None] = contextvars.ContextVar(
    "_measured", default=None
)
"""Filled in by who runs the function."""


def seams() -> list[Seam]:
    """Return the seams of traces."""
    return [*_of_functions(), *_of_requests()]


def _of_functions() -> list[Seam]:
    return [
        Seam(
            LAMBDA,
            "_execute_function_dispatch",
            ("func", "config", "event", "request_id", "started"),
            "functions leave no traces",
            _traced,
        ),
        Seam(
            LAMBDA,
            "_execute_function",
            ("func", "event"),
            "nobody knows which functions a gateway called",
            _visited,
            needs=("_function_config_scope_mismatch",),
        ),
        Seam(
            LAMBDA,
            "_xray_trace_id_for_invocation",
            ("config", "inbound_trace_header"),
            "every call of a function is a trace of its own",
            _of_the_call,
        ),
    ]


def _of_requests() -> list[Seam]:
    return [
        Seam(
            "ministack.services.sqs",
            "_build_send_sys_attrs",
            ("now", "sys_attrs_input"),
            "messages do not know the trace that they were sent in",
            _with_header,
        ),
        Seam(
            "ministack.services.sqs",
            "_ensure_msg_fields",
            ("m",),
            "messages that a topic or a bus sends on do not know the trace that they came from",
            _with_header_of_service,
        ),
        Seam(
            "ministack.app",
            "_handle_pre_body_request",
            ("method", "path", "headers", "query_params", "request_id"),
            "the calls of a function begin traces of their own",
            _followed,
        ),
        Seam(
            "ministack.app",
            "detect_service",
            ("method", "path", "headers", "query_params"),
            "there is no X-Ray",
            _with_service,
            needs=("SERVICE_HANDLERS",),
        ),
    ]


def measured(init_ms: float | None, duration_ms: float) -> None:
    """Say how long the call took that is traced now: its handler, and the loading before where there was one."""
    held = _measured.get()
    if held is not None:
        ended = time.time()
        held.append(Span(ended - duration_ms / 1000, ended, init_ms))


def _followed(_module: ModuleType, original: Handler) -> Handler:
    async def handle(
        method: str, path: str, headers: dict[str, str], query_params: Any, request_id: str
    ) -> Any:
        traces.follow(traces.read(headers.get(traces.HEADER)))
        return await original(method, path, headers, query_params, request_id)

    return handle


def _with_service(module: ModuleType, original: Callable[..., str]) -> Callable[..., str]:
    module.SERVICE_HANDLERS["xray"] = trace_api.handle

    def detect(method: str, path: str, headers: Record, query_params: Any) -> str:
        if "/xray/aws4_request" in str(headers.get("authorization", "")):
            return "xray"
        return original(method, path, headers, query_params)

    return detect


def _of_the_call(_module: ModuleType, _original: Callable[..., Any]) -> Callable[..., Any]:
    def header(_config: Mapping[str, Any], _inbound: str | None = None) -> str | None:
        context = _environment.get()
        return None if context is None else str(context)

    return header


def _with_header(_module: ModuleType, original: Callable[..., Record]) -> Callable[..., Record]:
    def build(now: float, sys_attrs_input: Any) -> Record:
        made = original(now, sys_attrs_input)
        # What the sender names itself wins.
        if context := traces.current():
            made.setdefault("AWSTraceHeader", str(context))
        return made

    return build


def _with_header_of_service(
    _module: ModuleType, original: Callable[[Record], None]
) -> Callable[[Record], None]:
    def complete(m: Record) -> None:
        fresh = "sys" not in m
        original(m)
        if fresh and (context := traces.current()):
            m["sys"]["AWSTraceHeader"] = str(context)

    return complete


def _visited(module: ModuleType, original: Callable[..., Record]) -> Callable[..., Record]:
    """Note the call in the visit of the gateway that makes it; a throttled one leaves a segment here."""

    def execute(func: Record, event: Any) -> Record:
        config = func.get("config") or func
        if module._function_config_scope_mismatch(config):
            return original(func, event)  # It comes back here in the function's own scope.
        call = visits.begin(config, event)
        outside = visits.enter(None)
        context = traces.current()
        if call is not None and context is not None and context.sampled:
            context = context.below(call.id)
        try:
            with traces.within(context):
                result = original(func, event)
                if result.get("throttle"):
                    _record_throttle(config)
        finally:
            visits.leave(outside)
        if call is not None:
            visits.end(call, result)
        return result

    return execute


def _record_throttle(config: Record) -> None:
    now = time.time()
    invocation = Invocation(config, "", now)
    if invocation.recorded:
        flags = {"error": True, "throttle": True, "http": {"response": {"status": 429}}}
        traces.store.put(invocation.of_service(now) | flags)


def _traced(_module: ModuleType, original: Callable[..., Record]) -> Callable[..., Record]:
    def dispatch(func: Record, config: Record, event: Any, request_id: str, started: float) -> Any:
        ident = REQUEST_ID.get() or request_id
        invocation = Invocation(config, ident, started, _links(event))
        told = _environment.set(invocation.environment)
        held: list[Span] = []
        token = _measured.set(held)
        try:
            with traces.within(invocation.environment):
                result = original(func, config, event, request_id, started)
        finally:
            _environment.reset(told)
            _measured.reset(token)
        if invocation.recorded:
            invocation.record(result, held[-1] if held else Span(started, time.time()))
        return result

    return dispatch


def _links(event: Any) -> list[Context]:
    """The traces in which the messages of a batch were sent."""
    records = event.get("Records") if isinstance(event, dict) else None
    found: dict[str, Context] = {}
    for record in records if isinstance(records, list) else []:
        attributes = record.get("attributes") if isinstance(record, dict) else None
        if isinstance(attributes, dict) and "AWSTraceHeader" in attributes:
            context = traces.read(attributes["AWSTraceHeader"])
            if context is not None:
                found.setdefault(context.root, context)
    return list(found.values())[:_MOST_LINKS]
