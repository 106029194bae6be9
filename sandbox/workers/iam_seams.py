"""Which action a request is, and on which resource: what a role's policy is judged by.

MiniStack judges a call of an alias or a version by the bare function where the qualifier stands in the query, and takes
several actions for a neighbour's; the key of an object loses the strokes at its end there, and every second one of two.
Source: service authorization reference, "Actions, resources, and condition keys for
AWS Lambda", "... for Amazon SNS" and "... for Amazon SQS".
"""

import json
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers.seams import Seam

ACTIONS = "ministack.core.iam_actions"

_OF_A_FUNCTION = {
    ("GET", "aliases", True): "GetAlias",
    ("PUT", "aliases", True): "UpdateAlias",
    ("DELETE", "aliases", True): "DeleteAlias",
    ("GET", "concurrency", False): "GetFunctionConcurrency",
    ("DELETE", "concurrency", False): "DeleteFunctionConcurrency",
    ("PUT", "url", False): "UpdateFunctionUrlConfig",
    ("DELETE", "url", False): "DeleteFunctionUrlConfig",
    ("GET", "urls", False): "ListFunctionUrlConfigs",
    ("GET", "event-invoke-config", False): "GetFunctionEventInvokeConfig",
    ("PUT", "event-invoke-config", False): "PutFunctionEventInvokeConfig",
    ("POST", "event-invoke-config", False): "UpdateFunctionEventInvokeConfig",
    ("DELETE", "event-invoke-config", False): "DeleteFunctionEventInvokeConfig",
    ("GET", "event-invoke-config", True): "ListFunctionEventInvokeConfigs",
    ("GET", "provisioned-concurrency", False): "GetProvisionedConcurrencyConfig",
    ("PUT", "provisioned-concurrency", False): "PutProvisionedConcurrencyConfig",
    ("DELETE", "provisioned-concurrency", False): "DeleteProvisionedConcurrencyConfig",
    ("GET", "recursion-config", False): "GetFunctionRecursionConfig",
    ("PUT", "recursion-config", False): "PutFunctionRecursionConfig",
    ("PUT", "code-signing-config", False): "PutFunctionCodeSigningConfig",
    ("DELETE", "code-signing-config", False): "DeleteFunctionCodeSigningConfig",
    ("POST", "response-streaming-invocations", False): "InvokeFunction",
}
"""(method, what of the function, whether one of several is named) to the action."""


_BATCHES = {
    "sns:PublishBatch": "sns:Publish",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
"""Calls for several messages, and the action that allows each of them."""


_REQUEST: Final = ("service", "method", "path", "headers", "body", "query_params")


def seams() -> list[Seam]:
    """Return the seams of rights."""
    return [
        Seam(
            ACTIONS,
            "_lambda_action",
            ("method", "path"),
            "changes of aliases and URLs are judged as other actions",
            _named,
        ),
        Seam(
            ACTIONS,
            "extract_resource_arn",
            (*_REQUEST, "region", "account_id"),
            "rights on an alias or a version are judged on the bare function, those on folder markers of S3 on another key",
            _exact,
        ),
        Seam(
            ACTIONS,
            "extract_iam_action",
            _REQUEST,
            "batches of messages are judged as actions that IAM does not know",
            _single,
        ),
        Seam(
            ACTIONS,
            "request_tag_context",
            ("service", "iam_action", "body", "params"),
            "rights that name the source of an event (events:source) let nobody put events in",
            _with_source,
        ),
    ]


def _named(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def action(method: str, path: str) -> Any:
        parts = [part for part in path.split("/") if part]
        if len(parts) > 3 and parts[1] == "functions":
            found = _OF_A_FUNCTION.get((method, parts[3], len(parts) > 4))
            if found:
                return found
        return original(method, path)

    return action


def _exact(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def resource(
        service: str,
        method: str,
        path: str,
        headers: Any,
        body: Any,
        query_params: Mapping[str, Any],
        region: str,
        account_id: str,
    ) -> Any:
        arn = original(service, method, path, headers, body, query_params, region, account_id)
        if service == "s3":
            return _with_whole_key(arn, path)
        if service == "lambda" and ":function:" in str(arn):
            return _qualified(arn, query_params)
        return arn

    return resource


def _with_whole_key(arn: Any, path: str) -> Any:
    """The ARN of an object by its key as it is: `incoming/` is one, and so is `a//b`."""
    bucket, _, key = path.removeprefix("/").partition("/")
    # The path of a batch names no key.
    named = bool(key) and str(arn).startswith(f"arn:aws:s3:::{bucket}/")
    return f"arn:aws:s3:::{bucket}/{key}" if named else arn


def _qualified(arn: str, query_params: Mapping[str, Any]) -> str:
    given = (query_params or {}).get("Qualifier")
    qualifier = given[0] if isinstance(given, list) and given else given
    return f"{arn}:{qualifier}" if qualifier and arn.count(":") == 6 else arn


def _single(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def action(*request: Any, **named: Any) -> Any:
        found = original(*request, **named)
        return _BATCHES.get(found, found)

    return action


def _with_source(_module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    def context(service: str, iam_action: str, body: bytes, params: Any) -> dict[str, Any]:
        known = original(service, iam_action, body, params)
        return {**known, **_source(body)} if iam_action == "events:PutEvents" else known

    return context


def _source(body: bytes) -> dict[str, Any]:
    """Who the events of a request are from. AWS judges each by itself; here one request has one judgement, so several
    sources are one that no right names.
    """
    try:
        entries = json.loads(body)["Entries"]
        sources = {str(entry["Source"]) for entry in entries}
    except (ValueError, KeyError, TypeError):
        return {}
    return {"events:source": sources.pop() if len(sources) == 1 else " and ".join(sorted(sources))}
