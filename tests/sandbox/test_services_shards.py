"""Kinesis streams and the mappings that read them: order, beginnings, failures, windows."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.delivery_support import logged, reader, received, until
from tests.sandbox.functions_support import archive, role
from tests.sandbox.services_support import Made, clients, make

READER = """
import base64, json

def handler(event, context):
    read = [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]]
    print("told", json.dumps(read))
    if any("crash" in each for each in read):
        raise ValueError("poison")
    bad = [r for r, each in zip(event["Records"], read) if "bad" in each]
    return {"batchItemFailures": [{"itemIdentifier": r["kinesis"]["sequenceNumber"]} for r in bad]}
"""
COUNTING = """
import json

def handler(event, context):
    count = event["state"].get("count", 0) + len(event["Records"])
    print("told", json.dumps([event["isFinalInvokeForWindow"], count, event["window"], event["shardId"]]))
    return {"state": {"count": count}}
"""
KIND = "lambda/eventSourceMapping:EventSourceMapping"


def stream(name: str, shards: int = 1) -> Made:
    return make("kinesis/stream:Stream", name, shardCount=shards)


def put(made: Made, *texts: str, key: str = "k") -> list[str]:
    kinesis = clients().client("kinesis")
    return [
        kinesis.put_record(StreamName=made["name"], Data=text.encode(), PartitionKey=key)[
            "SequenceNumber"
        ]
        for text in texts
    ]


def read_by(made: Made, source: str = READER, **more: Any) -> tuple[Made, Made]:
    function = reader(made.name, source)
    given = {"startingPosition": "TRIM_HORIZON", **more}
    mapping = make(
        KIND,
        made.name,
        eventSourceArn=given.pop("arn", made["arn"]),
        functionName=function["arn"],
        **given,
    )
    assert mapping.notes == []
    return function, mapping


def lines(function: Made) -> list[list[Any]]:
    return [json.loads(line) for line in logged(function)]


def test_function_reads_each_shard_in_order_in_awss_shape() -> None:
    made = stream("ordered", 2)
    for number in range(6):
        put(made, f"a{number}", key="a")
        put(made, f"b{number}", key="e")
    function, mapping = read_by(made, batchSize=4)
    until(lambda: len([each for line in lines(function) for each in line]) == 12)
    seen = [each for line in lines(function) for each in line]
    for mark in "ab":
        assert [each for each in seen if each[0] == mark] == [f"{mark}{n}" for n in range(6)]
    put(made, "later")
    until(lambda: ["later"] in lines(function))
    mapping.delete()


def test_record_has_the_fields_that_aws_gives() -> None:
    made = stream("shaped")
    [mark] = put(made, "x")
    told = 'import json\ndef handler(event, context):\n    print("told", json.dumps(event["Records"]))\n'
    function, mapping = read_by(made, told)
    [[record]] = until(lambda: lines(function))
    assert record["eventID"] == f"shardId-000000000000:{mark}"
    assert record["eventSource"] == "aws:kinesis"
    assert record["eventSourceARN"] == made["arn"]
    assert ":role/" in record["invokeIdentityArn"]
    assert base64.b64decode(record["kinesis"]["data"]) == b"x"
    assert isinstance(record["kinesis"]["approximateArrivalTimestamp"], float)
    mapping.delete()


def test_poison_is_isolated_and_told_of_while_the_rest_goes_on() -> None:
    made, letters = stream("poisoned"), make("sqs/queue:Queue", "poisoned")
    marks = put(made, "1", "2", "crash", "4", "5")
    function, mapping = read_by(
        made,
        bisectBatchOnFunctionError=True,
        maximumRetryAttempts=1,
        destinationConfig={"onFailure": {"destinationArn": letters["arn"]}},
    )
    [letter] = received(letters, seconds=15)
    record = json.loads(letter["Body"])
    block = record["KinesisBatchInfo"]
    assert block["startSequenceNumber"] == block["endSequenceNumber"] == marks[2]
    assert (block["batchSize"], block["streamArn"]) == (1, made["arn"])
    assert block["shardId"] == "shardId-000000000000"
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    put(made, "6")
    until(lambda: any("6" in line for line in lines(function)))
    done = [each for line in lines(function) if "crash" not in line for each in line]
    assert done == ["1", "2", "4", "5", "6"]
    mapping.delete()


def test_named_record_comes_again_and_what_is_before_it_does_not() -> None:
    made, letters = stream("named"), make("sqs/queue:Queue", "named")
    put(made, "1", "bad", "3")
    function, mapping = read_by(
        made,
        functionResponseTypes=["ReportBatchItemFailures"],
        maximumRetryAttempts=1,
        destinationConfig={"onFailure": {"destinationArn": letters["arn"]}},
    )
    [letter] = received(letters, seconds=15)
    assert json.loads(letter["Body"])["KinesisBatchInfo"]["batchSize"] == 2
    assert lines(function) == [["1", "bad", "3"], ["bad", "3"]]
    mapping.delete()


def test_old_records_are_told_of_and_not_read() -> None:
    made, letters = stream("aged"), make("sqs/queue:Queue", "aged")
    put(made, "old")
    time.sleep(1.2)
    function, mapping = read_by(
        made,
        maximumRecordAgeInSeconds=1,
        destinationConfig={"onFailure": {"destinationArn": letters["arn"]}},
    )
    [letter] = received(letters)
    assert json.loads(letter["Body"])["requestContext"]["condition"] == "MaxRecordAgeExceeded"
    put(made, "new")
    until(lambda: lines(function) == [["new"]])
    mapping.delete()


def test_mapping_begins_where_it_is_told_to() -> None:
    made = stream("begun")
    put(made, "before")
    time.sleep(1.1)
    since = time.time()
    put(made, "after")
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
    function, mapping = read_by(
        made, startingPosition="AT_TIMESTAMP", startingPositionTimestamp=moment
    )
    until(lambda: lines(function) == [["after"]])
    newest = reader("begun-latest", READER)
    latest = make(
        KIND,
        "latest",
        eventSourceArn=made["arn"],
        functionName=newest["arn"],
        startingPosition="LATEST",
    )
    put(made, "last")
    until(lambda: lines(newest) == [["last"]])
    for each in (mapping, latest):
        each.delete()


def test_filter_sees_the_data_as_json() -> None:
    made = stream("filtered")
    put(made, '{"metric": "heat", "value": 5}', '{"metric": "heat", "value": 50}', "no JSON")
    pattern = json.dumps({"data": {"value": [{"numeric": [">", 10]}]}})
    function, mapping = read_by(made, filterCriteria={"filters": [{"pattern": pattern}]})
    until(lambda: lines(function) == [['{"metric": "heat", "value": 50}']])
    mapping.delete()


def test_window_carries_its_state_to_a_last_call() -> None:
    made = stream("windowed")
    put(made, "1", "2")
    function, mapping = read_by(made, COUNTING, tumblingWindowInSeconds=2)
    put(made, "3")
    finals = until(lambda: [each for each in lines(function) if each[0]])
    assert finals[0][3] == "shardId-000000000000"
    assert finals[0][2]["start"] < finals[0][2]["end"]
    until(lambda: sum(x[1] for x in lines(function) if x[0]) == 3)
    mapping.delete()


def test_consumer_is_a_source_too_and_rights_are_asked_for() -> None:
    made = stream("fanned")
    consumer = make("kinesis/streamConsumer:StreamConsumer", "fanned", streamArn=made["arn"])
    put(made, "x")
    function, mapping = read_by(made, arn=consumer["arn"])
    until(lambda: lines(function) == [["x"]])
    found = clients().client("lambda").get_event_source_mapping(UUID=mapping["uuid"])
    assert found["EventSourceArn"] == consumer["arn"]
    assert not [key for key in found if key.startswith("Sandbox")]
    mapping.delete()
    nobody = make(
        "lambda/function:Function",
        "fanned-nobody",
        code=archive(READER),
        role=role("fanned-nobody")["arn"],
        runtime="python3.13",
        handler="main.handler",
    )
    with pytest.raises(ClientError, match="Cannot access stream"):
        make(
            KIND,
            "nobody",
            eventSourceArn=made["arn"],
            functionName=nobody["arn"],
            startingPosition="LATEST",
        )
