"""The calls of a botocore client as subsegments of X-Ray, by botocore's own events."""

from __future__ import annotations

from typing import Any

from common import aws, tracing

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
_KEPT = "sandpiper_segment"  # in the context of a call, which botocore hands to each event


def record(client: Any) -> None:
    """Record the calls of this client, where an invocation is sampled."""
    events = client.meta.events
    events.register("before-parameter-build.*.*", _begin)
    events.register("before-call.*.*", _pass_on)
    events.register("after-call.*.*", _end)
    events.register("after-call-error.*.*", _fail)


def _begin(params: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
    segment = tracing.segment(model.service_model.metadata["endpointPrefix"], {})
    if segment is None:
        return
    named = params if isinstance(params, dict) else {}
    segment.document["namespace"] = "aws"
    segment.document["aws"] = {
        "operation": model.name,
        "region": str(context.get("client_region", "")),
        **{ours: str(named[theirs]) for theirs, ours in _RESOURCES.items() if theirs in named},
    }
    context[_KEPT] = segment


def _pass_on(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if segment := context.get(_KEPT):
        params["headers"]["X-Amzn-Trace-Id"] = segment.header()


def _end(http_response: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    segment = context.pop(_KEPT, None)
    if segment is None:
        return
    told = parsed.get("ResponseMetadata", {})
    segment.document["aws"] |= {
        "request_id": told.get("RequestId", ""),
        "retries": told.get("RetryAttempts", 0),
    }
    segment.answered(http_response.status_code)
    if refused := parsed.get("Error"):
        from common import segments  # it is there, where a segment is

        code = str(refused.get("Code", ""))
        segment.document |= segments.cause(code, str(refused.get("Message", "")), {"remote": True})
        if aws.is_throttled(code):
            segment.document["throttle"] = True
    segment.end()


def _fail(exception: BaseException, context: dict[str, Any], **_: Any) -> None:
    segment = context.pop(_KEPT, None)
    if segment is not None:
        segment.end(exception)
