"""What starts the other functions: uploads, changes, messages, schedules. Cause, then effect."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from sandbox.box import Box
from tests.application.conftest import eventually

NewItem = Callable[..., dict[str, Any]]


def picture(size: tuple[int, int], kind: str) -> bytes:
    """A picture of one colour, encoded."""
    out = io.BytesIO()
    Image.new("RGB", size, (200, 40, 40)).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("key", "kind"),
    [("a.jpg", "JPEG"), ("b.jpeg", "JPEG"), ("c d+é.png", "PNG"), ("deep/e.webp", "WEBP")],
)
def test_an_uploaded_picture_gets_a_thumbnail(box: Box, key: str, kind: str) -> None:
    s3 = box.client("s3")
    s3.put_object(
        Bucket=box.outputs["uploadsBucket"], Key=f"uploads/{key}", Body=picture((800, 400), kind)
    )
    thumbnail = eventually(lambda: _object(box, "imagesBucket", f"thumbnails/{key}"))
    with Image.open(io.BytesIO(thumbnail)) as image:
        assert (image.size, image.format) == ((200, 100), kind)


@pytest.mark.parametrize("key", ["uploads/notes.txt", "elsewhere/a.jpg", "uploads/a.gif"])
def test_what_the_filter_leaves_out_starts_nothing(box: Box, key: str) -> None:
    before = len(box.logs("image-processor"))
    marker = f"{uuid.uuid4()}.jpg"
    s3 = box.client("s3")
    bucket = box.outputs["uploadsBucket"]
    s3.put_object(Bucket=bucket, Key=key, Body=picture((10, 10), "JPEG"))
    # A later upload that does start the function shows that the earlier one has had its time.
    s3.put_object(Bucket=bucket, Key=f"uploads/{marker}", Body=picture((10, 10), "JPEG"))
    eventually(lambda: _object(box, "imagesBucket", f"thumbnails/{marker}"))
    lines = json.dumps(box.logs("image-processor")[before:])
    assert marker in lines
    assert key not in lines


def test_changes_of_an_item_reach_the_audit_table_in_order(box: Box, new_item: NewItem) -> None:
    item = new_item(name="audited")
    path = f"/items/{item['id']}"
    token = box.token()
    changed = {"name": "audited twice", "price": 2}
    assert box.http.put(path, token=token, json=changed, headers={"If-Match": "*"}).status == 200
    assert box.http.delete(path, token=token).status == 204
    rows = eventually(lambda: _audit(box, item["id"], 3))
    assert [row["action"]["S"] for row in rows] == ["INSERT", "MODIFY", "REMOVE"]
    assert "before" not in rows[0]
    assert rows[1]["before"]["M"]["name"] == {"S": "audited"}
    assert rows[1]["after"]["M"]["name"] == {"S": "audited twice"}
    assert "after" not in rows[2]


def test_a_message_is_published_and_only_the_poison_one_ends_in_the_dead_letter_queue(
    box: Box,
) -> None:
    sqs = box.client("sqs")
    inbox = _subscribed_queue(box)
    good = [f"good {uuid.uuid4()}" for _ in range(3)]
    queue = box.outputs["notificationsQueueUrl"]
    _give_up_after(box, queue, receives=2)
    entries = [json.dumps({"subject": "Hello", "message": text}) for text in good]
    for body in [entries[0], "not json", *entries[1:]]:
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    received: list[str] = []
    eventually(lambda: _receive(box, inbox, received) and len(received) >= 3)
    assert sorted(received) == sorted(good)
    dead: list[str] = []
    dead_queue = box.outputs["notificationsDeadLetterQueueUrl"]
    eventually(lambda: _receive(box, dead_queue, dead) and dead, seconds=40)
    assert dead == ["not json"]
    _receive(box, inbox, received)
    assert len(received) == len(good)


def test_cleanup_deletes_old_uploads_only(box: Box) -> None:
    s3, bucket = box.client("s3"), box.outputs["uploadsBucket"]
    s3.put_object(Bucket=bucket, Key="uploads/fresh.txt", Body=b"x")
    answer = box.invoke("cleanup-job", {})
    assert answer.error is None, answer
    assert answer.payload == {"deleted": 0}
    assert _object(box, "uploadsBucket", "uploads/fresh.txt") == b"x"


def test_a_failed_asynchronous_invocation_ends_in_the_failures_queue(box: Box) -> None:
    function = box.outputs["functions"]["image-processor"]
    box.client("lambda").invoke(
        FunctionName=function["qualifiedArn"], InvocationType="Event", Payload=b'{"Records": [{}]}'
    )
    failed: list[str] = []
    queue = _failures_queue(box)
    eventually(lambda: _receive(box, queue, failed) and failed, seconds=30)
    record = json.loads(failed[0])
    assert record["requestPayload"] == {"Records": [{}]}
    assert record["requestContext"]["condition"] == "RetriesExhausted"


def _give_up_after(box: Box, queue: str, *, receives: int) -> None:
    """Fewer receives than AWS advises and settings allow: each costs a visibility timeout of waiting."""
    sqs = box.client("sqs")
    held = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])
    policy = json.loads(held["Attributes"]["RedrivePolicy"])
    assert policy["maxReceiveCount"] == 5
    policy["maxReceiveCount"] = receives
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(policy)})


def _failures_queue(box: Box) -> str:
    urls = box.client("sqs").list_queues(QueueNamePrefix="events-failures-queue-")["QueueUrls"]
    assert len(urls) == 1
    return urls[0]


def _object(box: Box, bucket: str, key: str) -> bytes | None:
    s3 = box.client("s3")
    try:
        return s3.get_object(Bucket=box.outputs[bucket], Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None


def _audit(box: Box, item_id: str, count: int) -> list[dict[str, Any]]:
    rows = box.client("dynamodb").query(
        TableName=box.outputs["auditTable"],
        KeyConditionExpression="itemId = :i",
        ExpressionAttributeValues={":i": {"S": item_id}},
    )["Items"]
    return rows if len(rows) >= count else []


def _subscribed_queue(box: Box) -> str:
    sqs = box.client("sqs")
    url = sqs.create_queue(QueueName=f"inbox-{uuid.uuid4()}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    own = arn["Attributes"]["QueueArn"]
    # As on AWS, a queue takes from a topic only what its own policy allows.
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": own,
        "Condition": {"ArnEquals": {"aws:SourceArn": box.outputs["notificationsTopicArn"]}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    box.client("sns").subscribe(
        TopicArn=box.outputs["notificationsTopicArn"],
        Protocol="sqs",
        Endpoint=own,
        Attributes={"RawMessageDelivery": "true"},
    )
    return url


def _receive(box: Box, queue: str, into: list[str]) -> bool:
    sqs = box.client("sqs")
    answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    for message in answer.get("Messages", []):
        into.append(message["Body"])
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return True
