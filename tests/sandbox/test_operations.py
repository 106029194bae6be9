"""Events sent, schedules fired, letters read and brought back, on a small program of queues, streams and topics."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.errors import Mistake
from sandbox.operations import checking, replays, targets, webhooks
from sandbox.operations.letters import Letter
from sandbox.state import State
from tests.sandbox.operations_support import EVENTS, SOURCES, running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("operations"), SOURCES, EVENTS) as box:
        yield box


@pytest.fixture(autouse=True)
def _nothing_is_left(stack: Box) -> Iterator[None]:
    yield
    stack.clear_faults()
    sqs = stack.client("sqs")
    for url in sqs.list_queues()["QueueUrls"]:
        if "dead-letter" in url or "/failures-queue" in url:
            sqs.purge_queue(QueueUrl=url)


@pytest.fixture
def mended(stack: Box) -> Iterator[Callable[[], None]]:
    """Lets the functions do what they refuse; refused again after the test."""
    key = {"TableName": stack.outputs["rowsTable"]}
    rows = stack.client("dynamodb")
    yield lambda: rows.put_item(**key, Item={"id": {"S": "mended"}})
    rows.delete_item(**key, Key={"id": {"S": "mended"}})


@pytest.fixture
def ident() -> str:
    return uuid.uuid4().hex[:12]


def within(seconds: float, find: Callable[[], Any]) -> Any:
    until = time.monotonic() + seconds
    while not (found := find()) and time.monotonic() < until:
        time.sleep(0.05)
    assert found, "it did not come"
    return found


def told(stack: Box, ident: str) -> Any:
    """What a function noted under an id, once it has."""
    rows, key = stack.client("dynamodb"), {"id": {"S": ident}}

    def find() -> Any:
        return rows.get_item(
            TableName=stack.outputs["rowsTable"], Key=key, ConsistentRead=True
        ).get("Item")

    return json.loads(within(15, find)["told"]["S"])


def letters_of(stack: Box, queue: str, text: str, count: int = 1) -> list[Letter]:
    def find() -> list[Letter]:
        found = [letter for letter in stack.dead_letters(queue) if text in letter.body]
        return found if len(found) >= count else []

    return within(15, find)


def bury(stack: Box, body: Any, **attributes: str) -> None:
    """Put a letter into the queue of failures as a service does."""
    sqs = stack.client("sqs")
    url = next(url for url in sqs.list_queues()["QueueUrls"] if "/failures-queue" in url)
    given = {k: {"DataType": "String", "StringValue": v} for k, v in attributes.items()}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body), MessageAttributes=given)


def test_message_of_a_queue_arrives_with_its_attributes(stack: Box, ident: str) -> None:
    sent = stack.send_sqs(
        "orders", {"id": ident}, attributes={"colour": "red", "total:Number": "5"}
    )
    record = told(stack, ident)
    assert [record["messageId"]] == sent
    assert record["messageAttributes"]["colour"]["stringValue"] == "red"
    assert record["messageAttributes"]["total"]["dataType"] == "Number"


def test_many_messages_go_by_tens(stack: Box, ident: str) -> None:
    seen: list[tuple[int, int]] = []
    bodies = [{"id": f"{ident}-{number}"} for number in range(23)]
    sent = stack.send_sqs("orders", *bodies, progress=lambda done, of: seen.append((done, of)))
    assert len(set(sent)) == 23
    assert seen == [(10, 23), (20, 23), (23, 23)]
    assert all(told(stack, body["id"]) for body in bodies)


def test_messages_of_a_group_arrive_in_order_and_a_repeated_id_once(stack: Box, ident: str) -> None:
    stack.send_sqs("steps", {"id": f"{ident}-1"}, {"id": f"{ident}-2"}, group="g")
    assert told(stack, f"{ident}-2")["attributes"]["MessageGroupId"] == "g"
    for _ in range(2):
        stack.send_sqs("steps", {"id": f"{ident}-3"}, group="g", dedup=ident)
    assert told(stack, f"{ident}-3")["attributes"]["MessageDeduplicationId"] == ident


def test_message_of_a_topic_reaches_its_subscribers(stack: Box, ident: str) -> None:
    stack.send_sns("news", {"id": ident}, subject="news")
    assert json.loads(told(stack, ident)["body"]) == {"id": ident}


def test_event_names_the_rules_that_it_matches(stack: Box) -> None:
    [rule] = stack.send_events("Bought", {"total": 6}, source="shop")["rules"]
    assert rule.startswith("shop-")
    assert stack.send_events("Bought", {"total": 5}, source="shop")["rules"] == []
    assert stack.send_events("Bought", {"total": 6})["rules"] == []
    assert stack.send_events("Bought", {}, bus="default")["bus"] == "default"


def test_event_reaches_its_target_as_the_rule_words_it(stack: Box, ident: str) -> None:
    client = stack.client("lambda")
    client.add_permission(
        FunctionName=stack.outputs["functions"]["sweeper"]["name"],
        StatementId=ident,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=stack.outputs["sweepsRule"],
    )
    stack.send_events("Dust", {"room": ident}, source="broom")
    wanted = {"sweep": ident, "note": f"room {ident}", "told": {"room": ident}}
    assert told(stack, ident) == wanted


def test_file_lies_where_it_is_put(stack: Box, tmp_path: Path) -> None:
    file = tmp_path / "a lamp.png"
    file.write_bytes(b"lamp")
    made = stack.send_s3(file)
    assert (made["key"], made["contentType"]) == ("uploads/a lamp.png", "image/png")
    assert made["bucket"] == stack.outputs["uploadsBucket"]
    again = stack.send_s3(b"[]", "incoming/rows.json", bucket="uploadsBucket")
    assert again["contentType"] == "application/json"
    found = stack.client("s3").get_object(Bucket=made["bucket"], Key="incoming/rows.json")
    assert found["Body"].read() == b"[]"


def test_folder_marker_is_read_by_who_may_read_the_folder(stack: Box, ident: str) -> None:
    bucket = stack.outputs["uploadsBucket"]
    version = {"Version": "2012-10-17"}
    trusted = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    allowed = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        "Resource": f"arn:aws:s3:::{bucket}/{ident}/*",
    }
    iam = stack.client("iam")
    role = iam.create_role(
        RoleName=ident, AssumeRolePolicyDocument=json.dumps({**version, "Statement": [trusted]})
    )["Role"]
    rights = json.dumps({**version, "Statement": [allowed]})
    iam.put_role_policy(RoleName=ident, PolicyName="read", PolicyDocument=rights)
    keys = stack.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName=ident)[
        "Credentials"
    ]
    s3 = boto3.client(
        "s3",
        endpoint_url=stack.endpoint,
        region_name=stack.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=Config(s3={"addressing_style": "path"}),
    )
    for key in (f"{ident}/", f"{ident}/a//b/", f"{ident}/ä b/"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
        assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == 0
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"{ident}/"}]})
    with pytest.raises(ClientError, match="403"):
        s3.head_object(Bucket=bucket, Key=f"other-{ident}/")


def test_signature_is_the_one_of_the_specification() -> None:
    # The example of the specification's own libraries; its key is given in Base64 there.
    key = base64.b64decode("plJ3nmyCDGBKInavdOK15jsl")
    body = '{"event_type":"ping","data":{"success":true}}'
    made = webhooks.signature(key, "msg_loFOjxBNrRLzqYUf", 1731705121, body)
    assert made == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


def test_schedule_fires_now_with_its_own_input(stack: Box) -> None:
    run = stack.tick("sweeper")
    assert (run.status, run.function) == ("success", "sweeper")
    assert run.log == ["sweeping {'sweep': 'sweeper'}"]
    assert told(stack, "sweeper") == {"sweep": "sweeper"}
    names = [each["Name"] for each in stack.client("scheduler").list_schedules()["Schedules"]]
    assert not [name for name in names if "-now-" in name]


def test_failing_run_of_a_schedule_says_so(stack: Box) -> None:
    stack.fault("sweeper", before="handler", where="sweeper")
    run = stack.tick("sweeper")
    assert run.status == "error"
    assert run.request in str(run.log)
    assert "a fault that was asked for: exit before handler" in run.log


def test_letter_says_where_from_how_often_and_why(stack: Box, ident: str) -> None:
    [sent] = stack.send_sqs("orders", {"id": ident, "bad": True})
    [letter] = letters_of(stack, "orders", ident)
    assert (letter.id, letter.queue) == (sent, "orders-dead-letter")
    assert (letter.kind, letter.source) == ("message", "orders")
    assert letter.condition == "MaxReceiveCountExceeded"
    assert letter.error == "Poison: no such lamp"
    assert letter.receives == 1
    assert 0 <= letter.age < 60


def test_looking_at_letters_receives_none(stack: Box, ident: str) -> None:
    stack.send_sqs("orders", {"id": ident, "bad": True})
    letters_of(stack, "orders-dead-letter", ident)
    [again] = letters_of(stack, "orders", ident)
    assert again.receives == 1
    url = stack.client("sqs").get_queue_url(QueueName=_physical(stack, "orders-dead-letter"))
    found = stack.client("sqs").get_queue_attributes(
        QueueUrl=url["QueueUrl"], AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )
    assert found["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "0"


def _physical(stack: Box, queue: str) -> str:
    return next(
        url.rpartition("/")[2]
        for url in stack.client("sqs").list_queues()["QueueUrls"]
        if f"/{queue}-queue" in url
    )


def test_message_goes_back_with_its_attributes(
    stack: Box, ident: str, mended: Callable[[], None]
) -> None:
    stack.send_sqs("orders", {"id": ident, "bad": True}, attributes={"colour": "red"})
    letters_of(stack, "orders", ident)
    mended()
    done = stack.redrive("orders")
    assert done.moved >= 1
    assert done.kept == {}
    assert told(stack, ident)["messageAttributes"]["colour"]["stringValue"] == "red"
    assert stack.dead_letters("orders") == []


@pytest.mark.parametrize(
    ("written", "value", "said"),
    [
        ("n:Number", "1e", "its value is no number"),
        ("n:Number", "9" * 39, "its value is no number"),
        ("n:Number", "NaN", "its value is no number"),
        ("n:String.Array", "{}", "its value is no JSON array"),
        ("n:", "", "its value is empty"),
        ("n:Number.", "1", "no type 'Number.'"),
        ("AWS.n", "1", "a name has 1 to 256"),
        ("a..b", "1", "a name has 1 to 256"),
        ("a b", "1", "a name has 1 to 256"),
    ],
)
def test_attribute_that_is_refused_is_one_line(written: str, value: str, said: str) -> None:
    with pytest.raises(Mistake, match=f"^--attribute {written}: {said}") as caught:
        checking.attributes({written: value}, topic=True)
    assert caught.value.code == 2


def test_attributes_are_typed() -> None:
    given = {"a": "x", "b:Number.int": "-1.5e3", "c:Binary": "AP8=", "d:String.Array": '["x"]'}
    assert checking.attributes(given, topic=True) == {
        "a": {"DataType": "String", "StringValue": "x"},
        "b": {"DataType": "Number.int", "StringValue": "-1.5e3"},
        "c": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        "d": {"DataType": "String.Array", "StringValue": '["x"]'},
    }
    with pytest.raises(Mistake, match=r"^--attribute: a message has 10 at most \(got 11\)"):
        checking.attributes({f"n{number}": "x" for number in range(11)})


def test_stream_that_is_switched_off_names_the_switch() -> None:
    state = State()
    state.exports = {"telemetryStream": ""}
    for name in ("telemetry", "telemetryStream"):
        with pytest.raises(Mistake) as caught:
            targets.named(state, "stream", name)
        said = "`telemetry.enabled: true` in the stack file switches it on"
        assert str(caught.value) == f"no stream '{name}': {said}"


def test_only_the_oldest_go_back_where_there_is_a_limit(
    stack: Box, ident: str, mended: Callable[[], None]
) -> None:
    stack.redrive("orders")
    for number in range(3):
        stack.send_sqs("orders", {"id": f"{ident}-{number}", "bad": True})
        letters_of(stack, "orders", ident, number + 1)
    mended()
    assert stack.redrive("orders-dead-letter", most=2).moved == 2
    assert told(stack, f"{ident}-0")
    assert told(stack, f"{ident}-1")
    assert [json.loads(letter.body)["id"] for letter in stack.dead_letters("orders")] == [
        f"{ident}-2"
    ]


def test_letters_that_fail_again_do_not_keep_it_going(stack: Box, ident: str) -> None:
    stack.send_sqs("orders", *({"id": f"{ident}-{n}", "bad": True} for n in range(12)))
    before = letters_of(stack, "orders", ident, 12)
    seen: list[int] = []
    done = stack.redrive("orders", progress=lambda done, _of: seen.append(done))
    assert done.moved == seen[-1] >= 12
    after = letters_of(stack, "orders", ident, 12)
    assert {letter.id for letter in after}.isdisjoint(letter.id for letter in before)


def test_steps_of_a_group_go_back_in_order_with_their_ids(
    stack: Box, ident: str, mended: Callable[[], None]
) -> None:
    for number in range(3):
        body = {"id": f"{ident}-{number}", "bad": True}
        stack.send_sqs("steps", body, group=ident, dedup=f"{ident}-{number}")
    letters_of(stack, "steps", ident, 3)
    mended()
    assert stack.redrive("steps").moved == 3
    attributes = [told(stack, f"{ident}-{number}")["attributes"] for number in range(3)]
    assert {each["MessageGroupId"] for each in attributes} == {ident}
    # SQS has seen these ids within five minutes: they come back with an ending, not at all else.
    for number, each in enumerate(attributes):
        assert each["MessageDeduplicationId"].startswith(f"{ident}-{number}-redrive-")
    numbers = [int(each["SequenceNumber"]) for each in attributes]
    assert numbers == sorted(numbers)


def test_asynchronous_call_that_failed_is_made_again(
    stack: Box, ident: str, mended: Callable[[], None]
) -> None:
    stack.client("lambda").invoke(
        FunctionName=stack.outputs["functions"]["sweeper"]["name"],
        InvocationType="Event",
        Payload=json.dumps({"sweep": ident, "bad": True}).encode(),
    )
    [letter] = letters_of(stack, "failures", ident)
    assert (letter.kind, letter.source, letter.receives) == ("invocation", "sweeper", 1)
    assert (letter.condition, letter.error) == ("RetriesExhausted", "ValueError: no broom")
    mended()
    assert stack.redrive("failures").kept == {}
    assert told(stack, ident) == {"sweep": ident, "bad": True}


def test_batch_of_a_stream_is_read_again_and_stays_while_it_fails(
    stack: Box, ident: str, mended: Callable[[], None]
) -> None:
    row = {"id": {"S": ident}, "raw": {"B": b"\x00\xff"}}
    stack.client("dynamodb").put_item(TableName=stack.outputs["changesTable"], Item=row)
    [letter] = within(15, lambda: [x for x in stack.dead_letters("failures") if x.kind == "batch"])
    assert (letter.source, letter.condition) == ("reader", "RetryAttemptsExhausted")
    assert letter.error == "LookupError: not yet"
    assert letter.records.startswith("shardId-00000000000000000000-00000000: record ")
    done = stack.redrive("failures")
    assert done.kept == {letter.id: "it failed again: LookupError: not yet"}
    mended()
    assert stack.redrive("failures").moved == 1
    record = told(stack, f"change-{ident}")
    assert record["dynamodb"]["NewImage"]["raw"] == {"B": "AP8="}
    assert (
        record["eventSourceARN"]
        .partition("/stream/")[0]
        .endswith("table/" + stack.outputs["changesTable"])
    )


def test_batch_says_which_records_and_what_was_logged_of_them(stack: Box, ident: str) -> None:
    name = stack.outputs["functions"]["taker"]["name"]
    arn = stack.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    logs, now = stack.client("logs"), int(time.time() * 1000)
    lines = [
        {"level": "ERROR", "reason": "of another batch", "eventId": "shardId-1:31"},
        {"level": "ERROR", "reason": "not a measurement", "eventId": "shardId-1:20"},
        {"level": "ERROR", "message": "no record is named"},
        {"level": "INFO", "message": "fine", "eventId": "shardId-1:20"},
    ]
    stack.invoke("taker")
    logs.create_log_stream(logGroupName=f"/aws/lambda/{name}", logStreamName=ident)
    logs.put_log_events(
        logGroupName=f"/aws/lambda/{name}",
        logStreamName=ident,
        logEvents=[{"timestamp": now + n, "message": json.dumps(x)} for n, x in enumerate(lines)],
    )
    info = {"shardId": "shardId-1", "startSequenceNumber": "10", "endSequenceNumber": "30"}
    first = datetime.fromtimestamp(now / 1000 - 1, UTC).isoformat()
    info |= {"batchSize": 3, "approximateArrivalOfFirstRecord": first}
    context = {
        "functionArn": arn,
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 2,
    }
    bury(stack, {"requestContext": context, "KinesisBatchInfo": info})
    [letter] = letters_of(stack, "failures", "shardId-1")
    assert (letter.source, letter.error, letter.receives) == ("taker", "not a measurement", 2)
    assert letter.records == "shardId-1: 3 records 10 to 30"
    bury(stack, {"requestContext": context, "KinesisBatchInfo": {**info, "shardId": "shardId-2"}})
    [letter] = letters_of(stack, "failures", "shardId-2")
    assert letter.error == "no record is named"


def test_letter_of_a_function_that_is_gone_has_its_name(stack: Box, ident: str) -> None:
    arn = f"arn:aws:lambda:us-west-2:000000000000:function:gone-{ident}:live"
    info = {"shardId": "shardId-1", "startSequenceNumber": "1", "endSequenceNumber": "1"}
    bury(
        stack,
        {"requestContext": {"functionArn": arn}, "KinesisBatchInfo": {**info, "batchSize": 1}},
    )
    [letter] = letters_of(stack, "failures", ident)
    assert (letter.source, letter.error) == (f"gone-{ident}", "")
    assert letter.records == "shardId-1: record 1"


def test_one_letter_is_thrown_away(stack: Box, ident: str) -> None:
    for number in range(12):
        bury(stack, f"{ident}-{number}")
    [chosen] = letters_of(stack, "failures", f"{ident}-11")
    assert stack.discard("failures", chosen.id).body == chosen.body
    left = stack.dead_letters("failures")
    assert [json.loads(each.body) for each in left] == [f"{ident}-{n}" for n in range(11)]
    with pytest.raises(Mistake, match=f"^failures holds no letter {chosen.id}") as caught:
        stack.discard("failures", chosen.id)
    assert caught.value.code == 2
    # What was looked through is there for others at once.
    assert len(stack.redrive("failures").kept) == 11


def test_letter_of_a_group_is_thrown_away(stack: Box, ident: str) -> None:
    for number in range(3):
        body = {"id": f"{ident}-{number}", "bad": True}
        stack.send_sqs("steps", body, group=ident, dedup=f"{ident}-{number}")
    chosen = letters_of(stack, "steps", ident, 3)[1]
    gone = stack.discard("steps", chosen.id)
    assert (gone.id, gone.error) == (chosen.id, "Poison: no such lamp")
    left = [json.loads(each.body)["id"] for each in stack.dead_letters("steps")]
    assert left == [f"{ident}-0", f"{ident}-2"]


def test_batch_that_the_stream_no_longer_has_stays_with_the_reason(stack: Box, ident: str) -> None:
    reader = stack.client("lambda").get_function(
        FunctionName=stack.outputs["functions"]["reader"]["name"]
    )["Configuration"]["FunctionArn"]
    table = stack.client("dynamodb").describe_table(TableName=stack.outputs["changesTable"])[
        "Table"
    ]
    info = {
        "shardId": "shardId-00000000000000000000-00000000",
        "startSequenceNumber": "1",
        "endSequenceNumber": "2",
        "batchSize": 2,
        "streamArn": table["LatestStreamArn"],
    }
    context = {"functionArn": reader, "condition": "RetryAttemptsExhausted", "requestId": ident}
    bury(stack, {"requestContext": context, "DDBStreamBatchInfo": info})
    letters_of(stack, "failures", ident)
    assert "the stream no longer has these records" in stack.redrive("failures").kept.values()


def test_event_that_reached_no_target_reaches_it_as_the_rule_words_it(
    stack: Box, ident: str
) -> None:
    target = stack.client("lambda").get_function(
        FunctionName=stack.outputs["functions"]["sweeper"]["name"]
    )["Configuration"]["FunctionArn"]
    event = {"id": ident, "source": "broom", "detail-type": "Dust", "detail": {"room": ident}}
    why = {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "may not"}
    bury(stack, event, RULE_ARN=stack.outputs["sweepsRule"], TARGET_ARN=target, **why)
    [letter] = letters_of(stack, "failures", ident)
    assert letter.kind == "event"
    assert letter.source.startswith("sweeps-")
    assert letter.error == "NO_PERMISSIONS: may not"
    stack.redrive("failures")
    assert told(stack, ident)["note"] == f"room {ident}"


def test_input_of_a_schedule_that_reached_nothing_reaches_its_target(
    stack: Box, ident: str
) -> None:
    target = stack.client("lambda").get_function(
        FunctionName=stack.outputs["functions"]["sweeper"]["name"]
    )["Configuration"]["FunctionArn"]
    schedule = "arn:aws:scheduler:us-west-2:000000000000:schedule/default/nightly"
    bury(stack, {"sweep": ident}, SCHEDULE_ARN=schedule, TARGET_ARN=target)
    [letter] = letters_of(stack, "failures", ident)
    assert (letter.kind, letter.source) == ("schedule", "nightly")
    stack.redrive("failures")
    assert told(stack, ident) == {"sweep": ident}


def test_message_of_a_topic_that_reached_no_function_reaches_it(stack: Box, ident: str) -> None:
    subscriptions = stack.client("sns").list_subscriptions()["Subscriptions"]
    [arn] = [each["SubscriptionArn"] for each in subscriptions if each["Protocol"] == "lambda"]
    envelope = {
        "Type": "Notification",
        "MessageId": "1",
        "TopicArn": arn.rpartition(":")[0],
        "Message": ident,
        "UnsubscribeURL": f"https://sns.example.com/?Action=Unsubscribe&SubscriptionArn={arn}",
    }
    bury(stack, envelope, ErrorCode="403", ErrorMessage="may not")
    [letter] = letters_of(stack, "failures", ident)
    assert (letter.kind, letter.source, letter.error) == ("publication", "dust", "may not")
    stack.redrive("failures")
    [record] = told(stack, ident)["Records"]
    assert (record["EventSource"], record["EventSubscriptionArn"]) == ("aws:sns", arn)
    assert record["Sns"]["Message"] == ident


@pytest.fixture
def listening(stack: Box, ident: str) -> Iterator[tuple[str, str]]:
    """A rule over devices and the name of its stream, which is not there."""
    iam, iot, sqs = (stack.client(name) for name in ("iam", "iot", "sqs"))
    allowed = {
        "Effect": "Allow",
        "Action": ["kinesis:PutRecord", "sqs:SendMessage"],
        "Resource": "*",
    }
    trusted = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "iot.amazonaws.com"},
    }
    version = {"Version": "2012-10-17"}
    role = iam.create_role(
        RoleName=f"devices-{ident}",
        AssumeRolePolicyDocument=json.dumps({**version, "Statement": [trusted]}),
    )["Role"]
    iam.put_role_policy(
        RoleName=role["RoleName"],
        PolicyName="put",
        PolicyDocument=json.dumps({**version, "Statement": [allowed]}),
    )
    url = next(url for url in sqs.list_queues()["QueueUrls"] if "/failures-queue" in url)
    into = {
        "streamName": f"late-{ident}",
        "roleArn": role["Arn"],
        "partitionKey": "${device}/${topic(2)}",
    }
    rule = {
        "sql": f"SELECT *, timestamp() AS received FROM 'devices/{ident}'",  # noqa: S608 - no database
        "actions": [{"kinesis": into}],
        "errorAction": {"sqs": {"queueUrl": url, "roleArn": role["Arn"], "useBase64": False}},
    }
    name = f"rule_{ident}"
    iot.create_topic_rule(ruleName=name, topicRulePayload=rule)
    yield name, into["streamName"]
    iot.delete_topic_rule(ruleName=name)


def _say(stack: Box, ident: str, payload: str) -> Letter:
    stack.client("iot-data").publish(topic=f"devices/{ident}", payload=payload.encode())
    [letter] = letters_of(stack, "failures", f"devices/{ident}")
    return letter


def test_message_of_a_device_that_reached_no_stream_is_put_there(
    stack: Box, ident: str, listening: tuple[str, str]
) -> None:
    name, stream = listening
    began = time.time()
    letter = _say(stack, ident, '{"device": "d-1", "value": 5}')
    assert (letter.kind, letter.source) == ("device", name)
    assert letter.error.startswith("KinesisAction: LookupError: there is no stream")
    kept = stack.redrive("failures").kept
    assert list(kept) == [letter.id]
    assert "ResourceNotFoundException" in kept[letter.id]
    kinesis = stack.client("kinesis")
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)
    assert stack.redrive("failures").kept == {}
    first = kinesis.get_shard_iterator(
        StreamName=stream, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )
    [record] = kinesis.get_records(ShardIterator=first["ShardIterator"])["Records"]
    message = json.loads(record["Data"])
    received = message.pop("received") / 1000
    assert message == {"device": "d-1", "value": 5}
    assert record["PartitionKey"] == f"d-1/{ident}"
    assert began - 0.2 < received < time.time()
    assert stack.dead_letters("failures") == []
    kinesis.delete_stream(StreamName=stream)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ('{"value": 5}', "its payload has no 'device', by which the rule puts it into the stream"),
        ("hello", "its payload is no JSON object: nothing can count it, delete it by hand"),
    ],
)
def test_message_of_a_device_that_no_stream_takes_stays(
    stack: Box, ident: str, listening: tuple[str, str], payload: str, said: str
) -> None:
    letter = _say(stack, ident, payload)
    assert stack.redrive("failures").kept == {letter.id: said}


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        ("S3Action", "rule gone failed at more than its stream: publish its payload on a/b again,"),
        ("KinesisAction", "there is no rule gone any more: publish its payload on a/b again,"),
    ],
)
def test_letter_of_a_device_says_what_can_be_done_by_hand(
    stack: Box, failed: str, said: str
) -> None:
    failures = [{"failedAction": failed, "failedResource": "x", "errorMessage": "no"}]
    payload = base64.b64encode(b'{"device": "d-1"}').decode()
    told = {"ruleName": "gone", "topic": "a/b", "base64OriginalPayload": payload}
    bury(stack, {**told, "failures": failures})
    [letter] = letters_of(stack, "failures", "a/b")
    assert (letter.kind, letter.error) == ("device", f"{failed}: no")
    assert stack.redrive("failures").kept[letter.id].startswith(said)


def test_rule_whose_statement_chooses_is_not_done_again(
    stack: Box, ident: str, listening: tuple[str, str]
) -> None:
    name, _ = listening
    iot = stack.client("iot")
    rule = iot.get_topic_rule(ruleName=name)["rule"]
    changed = {"sql": f"SELECT device FROM 'devices/{ident}'"}  # noqa: S608 - no database
    kept = {key: rule[key] for key in ("actions", "errorAction")}
    iot.replace_topic_rule(ruleName=name, topicRulePayload={**kept, **changed})
    letter = _say(stack, ident, '{"device": "d-1"}')
    said = stack.redrive("failures").kept[letter.id]
    assert said.startswith(f"rule {name} does more than put all of it into one stream: publish")


def test_letter_that_nobody_understands_stays(stack: Box, ident: str) -> None:
    bury(stack, ident)
    [letter] = letters_of(stack, "failures", ident)
    assert letter.kind == "unknown"
    done = stack.redrive("failures")
    assert done.kept[letter.id] == "nothing says what it is, or for whom: send it by hand"
    assert letters_of(stack, "failures", ident)


EVENT = {"id": "7", "detail": {"name": 'a "lamp"', "total": 5, "tags": ["x"]}}


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ({}, EVENT),
        ({"Input": '{"fixed": 1}'}, {"fixed": 1}),
        ({"InputPath": "$.detail.total"}, 5),
        ({"InputPath": "$.detail.colour"}, None),
        ({"InputPath": "$"}, EVENT),
    ],
)
def test_target_gets_what_it_wants_of_an_event(target: dict[str, Any], wanted: Any) -> None:
    assert json.loads(replays.as_wanted(target, json.dumps(EVENT))) == wanted


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ('{"n": <name>}', {"n": 'a "lamp"'}),
        ('{"n": "one <name> for <total>"}', {"n": 'one a "lamp" for 5'}),
        ('{"t": <total>, "all": <tags>, "none": <gone>}', {"t": 5, "all": ["x"], "none": None}),
        ('{"t": "<tags>"}', {"t": '["x"]'}),
        ('{"unknown": "<other>"}', {"unknown": "<other>"}),
    ],
)
def test_template_of_a_target_is_filled_in(template: str, wanted: Any) -> None:
    paths = {name: f"$.detail.{name}" for name in ("name", "total", "tags")} | {
        "gone": "$.no.where"
    }
    target = {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    assert json.loads(replays.as_wanted(target, json.dumps(EVENT))) == wanted


@pytest.mark.parametrize(
    ("verb", "given", "more", "said"),
    [
        ("send_sqs", ("ordres", "x"), {}, "no queue 'ordres'; did you mean 'orders'?"),
        ("send_sns", ("newz", "x"), {}, "no topic 'newz'; did you mean 'news'?"),
        (
            "send_s3",
            (b"", "k"),
            {"bucket": "upload"},
            "no bucket 'upload'; did you mean 'uploads'?",
        ),
        ("send_s3", (b"",), {}, "bytes have no name: give the key"),
        ("send_s3", ("no.such",), {}, "no.such: No such file or directory"),
        ("send_events", ("A", {}), {"bus": "evens"}, "no bus 'evens'; did you mean 'events'?"),
        ("send_kinesis", ({},), {}, "no stream 'telemetry'; there are: none"),
        ("send_sqs", ("steps", "x"), {}, "queue 'steps' keeps an order: name the message group"),
        ("send_sqs", ("orders", "x"), {"group": "g"}, "queue 'orders' keeps no order: it takes"),
        ("send_sqs", ("steps", "x", "y"), {"group": "g", "dedup": "d"}, "--dedup: of several"),
        ("send_webhook", ({},), {}, "this stack exports no webhookUrl"),
        ("tick", ("sweper",), {}, "no schedule 'sweper'; did you mean 'sweeper'?"),
        ("dead_letters", ("nothing",), {}, "no queue 'nothing'; there are: failures, orders,"),
        ("redrive", ("nothing",), {}, "no queue 'nothing'; there are:"),
    ],
)
def test_what_is_not_there_is_one_line(
    stack: Box, verb: str, given: tuple[Any, ...], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(Mistake) as caught:
        getattr(stack, verb)(*given, **more)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
