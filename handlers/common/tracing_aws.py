"""Every call of a botocore client as a subsegment of X-Ray, by botocore's own events."""

from __future__ import annotations

from typing import Any

from common import tracing

# What a call works on. Keys of objects and rows are not among them: people are named in them.
_RESOURCES = {
    "TableName": "table_name",
    "Bucket": "bucket_name",
    "QueueUrl": "queue_url",
    "TopicArn": "topic_arn",
    "FunctionName": "function_name",
    "StreamName": "stream_name",
    "SecretId": "secret_id",
}
_STEP = "sandpiper_step"


def trace(client: Any) -> None:
    """Record the calls of this client, where an invocation is sampled."""
    events = client.meta.events
    events.register("before-parameter-build.*.*", _begin)
    # The last one: botocore's own handler puts Lambda's header there.
    events.register_last("before-call.*.*", _pass_on)
    events.register("after-call.*.*", _end)
    events.register("after-call-error.*.*", _fail)


def _begin(params: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
    service = model.service_model
    step = tracing.step(service.metadata["endpointPrefix"])
    if not step.document:
        return
    named = params if isinstance(params, dict) else {}
    step.document["namespace"] = "aws"
    step.document["aws"] = {
        "operation": model.name,
        "region": context.get("client_region", ""),
        **{ours: str(named[theirs]) for theirs, ours in _RESOURCES.items() if theirs in named},
    }
    context[_STEP] = step


def _pass_on(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    step = context.get(_STEP)
    if step is not None:
        params["headers"]["X-Amzn-Trace-Id"] = step.header()


def _end(http_response: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    step = context.pop(_STEP, None)
    if step is None or not step.document:
        return
    told = parsed.get("ResponseMetadata", {})
    step.document["aws"]["request_id"] = told.get("RequestId", "")
    step.document["aws"]["retries"] = told.get("RetryAttempts", 0)
    status = http_response.status_code
    step.document["http"] = {"response": {"status": status}}
    step.document.update(tracing.flags(status))
    step.end()


def _fail(exception: BaseException, context: dict[str, Any], **_: Any) -> None:
    step = context.pop(_STEP, None)
    if step is not None:
        step.end(exception)
