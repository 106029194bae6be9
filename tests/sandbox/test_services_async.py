"""Asynchronous calls: attempts, destinations, dead letters, and what reserved concurrency lets through."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextvars import ContextVar, copy_context
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.workers import async_seams
from sandbox.workers.lambda_seams import REQUEST_ID
from tests.sandbox.functions_support import invoke, within
from tests.sandbox.services_support import ACCOUNT, REGION, Made, clients, make

FAILING = """
def handler(event, context):
    print("attempt", context.aws_request_id)
    raise KeyError("no such order")
"""
DOUBLING = 'def handler(event, context):\n    return {"twice": event["n"] * 2}\n'


@pytest.fixture
def queue(request: pytest.FixtureRequest) -> Iterator[Made]:
    made = make("sqs/queue:Queue", request.node.name[:60])
    yield made
    made.delete()


def message(aws: Any, queue: Made) -> dict[str, Any]:
    got = aws("sqs").receive_message(
        QueueUrl=queue["url"], WaitTimeSeconds=8, MessageAttributeNames=["All"]
    )
    [found] = got["Messages"]
    return found


def start(aws: Any, target: str, event: Any) -> None:
    aws("lambda").invoke(
        FunctionName=target, InvocationType="Event", Payload=json.dumps(event).encode()
    )


def settings(made: Made, **more: Any) -> Made:
    alias = make(
        "lambda/alias:Alias", "live", functionName=made["name"], functionVersion="1", name="live"
    )
    make(
        "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "live",
        functionName=made["name"],
        qualifier="live",
        **more,
    )
    return alias


def logged(aws: Any, made: Made, word: str) -> list[str]:
    group, logs = f"/aws/lambda/{made['name']}", aws("logs")
    try:
        events = logs.filter_log_events(logGroupName=group)["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [e["message"] for e in events if e["message"].startswith(word)]


def test_success_reaches_its_destination_as_awss_record(
    aws: Any, function: Any, queue: Made
) -> None:
    made = function("doubling", DOUBLING)
    alias = settings(made, destinationConfig={"onSuccess": {"destination": queue["arn"]}})
    start(aws, alias["arn"], {"n": 4})
    record = json.loads(message(aws, queue)["Body"])
    assert record.pop("timestamp").endswith("Z")
    assert record["requestContext"].pop("requestId")
    assert record == {
        "version": "1.0",
        "requestContext": {
            "functionArn": alias["arn"],
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"n": 4},
        "responseContext": {"statusCode": 200, "executedVersion": "1"},
        "responsePayload": {"twice": 8},
    }


def test_failure_reaches_its_destination_after_the_retries(
    aws: Any, function: Any, queue: Made
) -> None:
    made = function("failing-twice", FAILING)
    places = {"onFailure": {"destination": queue["arn"]}}
    alias = settings(made, maximumRetryAttempts=1, destinationConfig=places)
    start(aws, alias["arn"], {"n": 1})
    record = json.loads(message(aws, queue)["Body"])
    context = record["requestContext"]
    assert context["condition"] == "RetriesExhausted"
    assert context["approximateInvokeCount"] == 2
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorType"] == "KeyError"
    # Both attempts have the request id of the event.
    assert logged(aws, made, "attempt") == [f"attempt {context['requestId']}"] * 2


def test_throttled_event_ages_without_an_attempt(aws: Any, function: Any, queue: Made) -> None:
    made = function("closed", DOUBLING, reservedConcurrentExecutions=0)
    aws("lambda").put_function_event_invoke_config(
        FunctionName=made["name"],
        MaximumEventAgeInSeconds=1,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": queue["arn"]}},
    )
    start(aws, made["name"], {"n": 1})
    record = json.loads(message(aws, queue)["Body"])
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert record["requestPayload"] == {"n": 1}


def test_dead_letter_is_the_event_itself_with_the_reason_beside_it(
    aws: Any, function: Any, queue: Made
) -> None:
    made = function("lettered", FAILING, deadLetterConfig={"targetArn": queue["arn"]})
    alias = settings(made, maximumRetryAttempts=0)
    start(aws, alias["arn"], {"order": 7})
    letter = message(aws, queue)
    assert json.loads(letter["Body"]) == {"order": 7}
    attributes = letter["MessageAttributes"]
    assert attributes["ErrorCode"] == {"StringValue": "200", "DataType": "Number"}
    assert attributes["ErrorMessage"]["StringValue"] == "'no such order'"
    assert attributes["RequestID"]["StringValue"]


def test_topic_bus_bucket_and_function_take_a_record(aws: Any, function: Any, queue: Made) -> None:
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]},
        "Action": "sqs:SendMessage",
        "Resource": queue["arn"],
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    make("sqs/queuePolicy:QueuePolicy", "results", queueUrl=queue["url"], policy=document)
    topic = make("sns/topic:Topic", "results")
    aws("sns").subscribe(
        TopicArn=topic["arn"],
        Protocol="sqs",
        Endpoint=queue["arn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    bus = make("cloudwatch/eventBus:EventBus", "results")
    rule = make(
        "cloudwatch/eventRule:EventRule",
        "results",
        eventBusName=bus["name"],
        eventPattern=json.dumps(
            {"detail-type": ["Lambda Function Invocation Result - Success"], "source": ["lambda"]}
        ),
    )
    target = make(
        "cloudwatch/eventTarget:EventTarget",
        "results",
        rule=rule["name"],
        eventBusName=bus["name"],
        arn=queue["arn"],
    )
    bucket = make("s3/bucket:Bucket", "results")
    last = function(
        "last", "def handler(e, c):\n    print('told', e['responsePayload']['twice'])\n"
    )
    made = function("telling", DOUBLING)
    alias = settings(made, destinationConfig={"onSuccess": {"destination": topic["arn"]}})
    change = aws("lambda").put_function_event_invoke_config

    def send_to(kind: str, arn: str, event: Any) -> None:
        place = {kind: {"Destination": arn}}
        change(
            FunctionName=made["name"],
            Qualifier="live",
            MaximumRetryAttempts=0,
            DestinationConfig=place,
        )
        start(aws, alias["arn"], event)

    send_to("OnSuccess", topic["arn"], {"n": 1})
    assert json.loads(message(aws, queue)["Body"])["responsePayload"] == {"twice": 2}
    send_to("OnSuccess", bus["arn"], {"n": 2})
    event = json.loads(message(aws, queue)["Body"])
    assert event["detail"]["responsePayload"] == {"twice": 4}
    assert alias["arn"] in event["resources"]
    send_to("OnSuccess", last["arn"], {"n": 3})
    assert within(5, lambda: logged(aws, last, "told")) == ["told 6"]
    send_to("OnFailure", bucket["arn"], {"wrong": True})
    [key] = [
        o["Key"]
        for o in within(5, lambda: aws("s3").list_objects_v2(Bucket=bucket.id).get("Contents"))
    ]
    assert key.startswith(f"aws/lambda/async/{made['name']}/")
    stored = json.loads(aws("s3").get_object(Bucket=bucket.id, Key=key)["Body"].read())
    assert stored["responsePayload"]["errorType"] == "KeyError"
    for thing in (target, rule, bus, topic):
        thing.delete()


def test_settings_of_the_function_itself_do_not_cover_its_alias(
    aws: Any, function: Any, queue: Made
) -> None:
    made = function("uncovered", FAILING)
    make("lambda/alias:Alias", "live", functionName=made["name"], functionVersion="1", name="live")
    make(
        "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "bare",
        functionName=made["name"],
        maximumRetryAttempts=0,
        destinationConfig={"onFailure": {"destination": queue["arn"]}},
    )
    start(aws, f"{made['name']}:live", {})
    assert within(8, lambda: len(logged(aws, made, "attempt")) == 3)
    start(aws, made["name"], {"bare": True})
    assert json.loads(message(aws, queue)["Body"])["requestPayload"] == {"bare": True}


def test_destination_from_outside_is_left_out_and_said(function: Any) -> None:
    made = function("reaching-out", DOUBLING)
    outside = f"arn:aws:sqs:{REGION}:123456789012:theirs"
    config = make(
        "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "out",
        functionName=made["name"],
        destinationConfig={"onFailure": {"destination": outside}},
    )
    assert config.notes == [f"{outside} is from outside: nothing is sent there"]


HOLDING = """
import pathlib, time
def handler(event, context):
    (folder := pathlib.Path(event)).joinpath("begun").touch()
    while not (folder / "enough").exists():
        time.sleep(0.01)
"""


def test_reserved_concurrency_answers_429_through_the_alias(
    aws: Any, function: Any, tmp_path: Path
) -> None:
    made = function("reserved", HOLDING, reservedConcurrentExecutions=1, timeout=5)
    make("lambda/alias:Alias", "live", functionName=made["name"], functionVersion="1", name="live")
    first = threading.Thread(target=invoke, args=(aws, f"{made['name']}:live", str(tmp_path)))
    first.start()
    assert within(5, (tmp_path / "begun").exists)
    aws("lambda").invoke(FunctionName=f"{made['name']}:live", InvocationType="DryRun")
    with pytest.raises(ClientError) as refused:
        once(made)
    (tmp_path / "enough").touch()
    first.join()
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert answer["Error"]["Code"] == "TooManyRequestsException"
    assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def once(made: Made) -> None:
    """One call without botocore's own retries of a throttled one."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "lambda",
        endpoint_url=clients().endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    client.invoke(FunctionName=f"{made['name']}:live")


class Emulated:
    """What the seam of asynchronous calls uses of MiniStack's module; `settings` may be an error of the emulator's."""

    _LAMBDA_ASYNC_RETRY_BASE_SECONDS = 61
    _functions: Mapping[str, Any] = {}

    def __init__(self, settings: dict[str, Any] | Exception, **result: Any) -> None:
        self.settings, self.result = settings, result
        self.ids: list[str] = []
        self._request_account_id = self._request_region = ContextVar("unused")

    def _account_region_from_function_config(self, _config: Any) -> tuple[str, str]:
        return ACCOUNT, REGION

    def _event_invoke_config(self, _func: Any, _qualifier: str | None) -> dict[str, Any]:
        if isinstance(self.settings, Exception):
            raise self.settings
        return self.settings

    def _execute_function(self, _func: Any, _event: Any) -> dict[str, Any]:
        self.ids.append(REQUEST_ID.get())
        return self.result


RECORD = {
    "FunctionName": "f",
    "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f",
    "DeadLetterConfig": {"TargetArn": "dead"},
}


def test_event_that_grows_too_old_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, Any] = {}
    monkeypatch.setattr(
        async_seams.destinations, "send", lambda _, target, what, *__: sent.update({target: what})
    )
    places = {"OnSuccess": {"Destination": "done"}, "OnFailure": {"Destination": "failed"}}
    settings = {"MaximumEventAgeInSeconds": 60, "DestinationConfig": places}
    async_seams._Call(Emulated(settings, error=True), RECORD, {"n": 1}).run()
    assert sent.keys() == {"failed", "dead"}
    assert sent["dead"] == {"n": 1}
    context = sent["failed"]["requestContext"]
    assert context["condition"] == "EventAgeExceeded"
    assert context["approximateInvokeCount"] == 1


def test_event_that_the_emulator_fails_at_is_named_in_its_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async_seams._Call(Emulated(LookupError("it was reset")), RECORD, {}).run()
    assert re.fullmatch(
        rf"{RECORD['FunctionArn']}: event [0-9a-f-]{{36}} is lost", caplog.messages[0]
    )
    assert "LookupError: it was reset" in caplog.text


def test_what_a_destination_starts_has_no_part_in_the_events_request_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids: list[str] = []
    monkeypatch.setattr(async_seams.destinations, "send", lambda *_: ids.append(REQUEST_ID.get()))
    emulated = Emulated({"DestinationConfig": {"OnSuccess": {"Destination": "there"}}})
    copy_context().run(async_seams._Call(emulated, RECORD, {}).run)
    assert ids == [""]
    assert [len(each) for each in emulated.ids] == [36]


def test_account_of_the_sandbox_is_inside() -> None:
    from sandbox.services.outside import is_outside

    r = type("R", (), {"aws": clients()})()
    assert not is_outside(r, f"arn:aws:sqs:{REGION}:{ACCOUNT}:ours")
    assert not is_outside(r, "arn:aws:s3:::bucket")
    assert is_outside(r, f"arn:aws:sqs:{REGION}:123456789012:theirs")


def test_burst_of_events_starts_few_environments_and_runs_them_all(aws: Any, function: Any) -> None:
    slow = "import os, time\n\ndef handler(event, context):\n    time.sleep(0.05)\n    print('ran', os.getpid())\n"
    made = function("bursting", slow)
    for number in range(60):
        start(aws, made["name"], {"n": number})
    assert within(20, lambda: len(logged(aws, made, "ran")) == 60)
    assert len(set(logged(aws, made, "ran"))) <= async_seams._AT_ONCE
