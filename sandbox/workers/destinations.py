"""What is left of an asynchronous call, to where the function's settings send it.

Each target takes it through its service's own front door inside the emulator, in the shape that service documents, so
that subscriptions, filters and rules behind it work as for any other sender.
"""

import asyncio
import importlib
import json
import logging
import time
import uuid
from collections.abc import Mapping
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

logger = logging.getLogger("sandbox.workers")
Record = dict[str, Any]
Attributes = Mapping[str, tuple[str, str]]
"""Message attributes: name to (data type, text)."""

_JSON = {"content-type": "application/x-amz-json-1.0"}


def send(
    lambda_svc: ModuleType, target: str, record: Any, attributes: Attributes | None = None
) -> None:
    """Hand a record to the ARN `target`; what does not take it is named in the emulator's log."""
    service = target.split(":")[2] if target.count(":") >= 5 else ""
    try:
        if service == "lambda":
            return _function(lambda_svc, target, record)
        asyncio.run(_SENDERS[service](target, record, attributes or {}))
    except Exception as error:
        logger.warning("%s did not take what is left of an asynchronous call: %s", target, error)


def _function(lambda_svc: ModuleType, target: str, record: Any) -> None:
    func, config, _name = lambda_svc._get_func_record_for_ref(target)
    if not func or not config:
        raise LookupError("there is no such function")
    lambda_svc.invoke_async_with_retry({**func, "config": config}, record)


async def _queue(target: str, record: Any, attributes: Attributes) -> None:
    name = target.rpartition(":")[2]
    found = await _ask("sqs", {"x-amz-target": "AmazonSQS.GetQueueUrl"}, {"QueueName": name})
    message = {
        "QueueUrl": found["QueueUrl"],
        "MessageBody": json.dumps(record),
        "MessageAttributes": {
            key: {"DataType": kind, "StringValue": text} for key, (kind, text) in attributes.items()
        },
    }
    await _ask("sqs", {"x-amz-target": "AmazonSQS.SendMessage"}, message)


async def _topic(target: str, record: Any, attributes: Attributes) -> None:
    form = {"Action": "Publish", "TopicArn": target, "Message": json.dumps(record)}
    for number, (key, (kind, text)) in enumerate(attributes.items(), 1):
        entry = f"MessageAttributes.entry.{number}"
        form |= {f"{entry}.Name": key, f"{entry}.Value.DataType": kind}
        form[f"{entry}.Value.StringValue"] = text
    headers = {"content-type": "application/x-www-form-urlencoded"}
    await _call("sns", "POST", "/", headers, urlencode(form).encode())


async def _bus(target: str, record: Any, _attributes: Attributes) -> None:
    done = record["requestContext"]["condition"] == "Success"
    entry = {
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {'Success' if done else 'Failure'}",
        "Detail": json.dumps(record),
        "EventBusName": target,
        "Resources": [target, record["requestContext"]["functionArn"]],
    }
    answer = await _ask(
        "eventbridge", {"x-amz-target": "AWSEvents.PutEvents"}, {"Entries": [entry]}
    )
    if answer.get("FailedEntryCount"):
        raise RuntimeError(answer["Entries"][0].get("ErrorMessage", "the event was refused"))


async def _bucket(target: str, record: Any, _attributes: Attributes) -> None:
    bucket, function = (
        target.rpartition(":")[2],
        record["requestContext"]["functionArn"].split(":")[6],
    )
    now = time.gmtime()
    day, moment = time.strftime("%Y/%m/%d", now), time.strftime("%Y-%m-%dT%H.%M.%S", now)
    key = f"aws/lambda/async/{function}/{day}/{moment}-{uuid.uuid4()}"
    headers = {"content-type": "application/json"}
    # The service itself writes: no caller's rights are asked for.
    content = json.dumps(record).encode()
    await _call("s3", "PUT", f"/{bucket}/{key}", headers, content, internal=True)


_SENDERS = {"sqs": _queue, "sns": _topic, "events": _bus, "s3": _bucket}


async def _ask(service: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Record:
    answer = await _call(service, "POST", "/", {**_JSON, **headers}, json.dumps(body).encode())
    return json.loads(answer or b"{}")


async def _call(
    service: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    **how: bool,
) -> bytes:
    from ministack.core.iam_evaluator import pin_request_origin

    # A reader of a stream works for no request: without this, queues that take from TLS only refuse what it sends.
    pin_request_origin("127.0.0.1", True)  # noqa: FBT003 as it is called
    module = importlib.import_module(f"ministack.services.{service}")
    call = module.handle_request(method, path, dict(headers), body, {}, **how)
    status, _headers, answer = await call
    if status >= 400:
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
        raise RuntimeError(text[:300])
    return answer if isinstance(answer, bytes) else str(answer).encode()
