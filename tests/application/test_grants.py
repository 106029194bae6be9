"""Dropping any one action that the emulator judges breaks what it is for: no function holds an action in vain.

The actions that the emulator does not judge (keys, logs, traces, polling, delivery of failures) are held by rules, in
tests/policies.
"""

from __future__ import annotations

import base64
import gzip
import io
import itertools
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image

import sandbox
from sandbox.box import Box
from tests.application.conftest import QUICK
from tests.application.test_events_webhook import call, signed
from tests.support.effects import order, unique

Use = Callable[[Box], bool]
ITEM = {"name": "lamp", "price": "1.00"}
EVENTS = Path(__file__).resolve().parents[1] / "events"
_pixels = io.BytesIO()
Image.new("RGB", (20, 20)).save(_pixels, "JPEG")
PICTURE = _pixels.getvalue()
# What is uploaded for whom: key, content type and content. S3 tells the image processor of no .JPG.
UPLOADS = {
    "image-processor": ("uploads/x.JPG", "image/jpeg", PICTURE),
    "picture": ("incoming/x.jpg", "image/jpeg", PICTURE),
    "text": ("incoming/x.txt", "text/plain", b"x"),
    "csv": ("incoming/x.csv", "text/csv", b"name,price\nlamp,1.00\n"),
}
_later = itertools.count()


@pytest.fixture(scope="module")
def fresh() -> Iterator[Box]:
    """A sandbox of its own: an environment that has read a secret once would not ask again. With the timeouts of the
    stack, so that who failed stands in the way for as long as there.
    """
    # Without the authorizer's cache every request asks the authorizer.
    uncached = {"api": {"authorizer_result_ttl_in_seconds": 0}}
    config = {"graphql": QUICK["graphql"], **uncached}
    with sandbox.running("dev", config=config) as running:
        yield running


def create(box: Box) -> bool:
    return box.http.post("/items", token=True, json=ITEM).status == 201


def read(box: Box) -> bool:
    return box.http.get(f"/items/{_item(box)}", token=True).status == 200


def list_(box: Box) -> bool:
    return box.http.get("/items?limit=1", token=True).status == 200


def page(box: Box) -> bool:
    _item(box)
    _item(box)
    return list_(box)


def update(box: Box) -> bool:
    answer = box.http.put(f"/items/{_item(box)}", token=True, json=ITEM, headers={"If-Match": "*"})
    return answer.status == 200


def delete(box: Box) -> bool:
    return box.http.delete(f"/items/{_item(box)}", token=True).status == 204


def authorize(box: Box) -> bool:
    return box.http.get("/items/x", token=True).status == 404


def thumbnail(box: Box) -> bool:
    """A new event each time: what an event asked for is not made twice."""
    return box.invoke("image-processor", _uploaded(box, "image-processor")).error is None


def audit(box: Box) -> bool:
    record = {
        "eventID": "1",
        "eventName": "REMOVE",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "ApproximateCreationDateTime": 1,
            "Keys": {"id": {"S": "x"}},
            "SequenceNumber": "1",
        },
    }
    return box.invoke("data-transformer", {"Records": [record]}).payload == {
        "batchItemFailures": []
    }


def notify(box: Box) -> bool:
    record = {"messageId": "1", "body": '{"message": "x"}', "eventSource": "aws:sqs"}
    return box.invoke("notification-sender", {"Records": [record]}).payload == {
        "batchItemFailures": []
    }


def join(box: Box) -> bool:
    user = {"user_id": f"u-{uuid4()}", "name": "Ada", "email": "ada@example.com"}
    event = {**_event("http_api_create_user"), "body": json.dumps(user), "isBase64Encoded": False}
    return box.invoke("create-user", event).payload["statusCode"] == 200


def connect(box: Box) -> bool:
    return box.invoke("subscriptions", _event("socket_connect")).payload == {"statusCode": 200}


def unsubscribe(box: Box) -> bool:
    """A message's status is always 200: what it asked for shows in the table."""
    event = _event("socket_unsubscribe")
    connection = {"S": event["requestContext"]["connectionId"]}
    key = {"connectionId": connection, "topic": {"S": "items"}}
    dynamodb, table = box.client("dynamodb"), box.outputs["connectionsTable"]
    dynamodb.put_item(TableName=table, Item=key)
    box.invoke("subscriptions", event)
    return "Item" not in dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)


def reply(box: Box) -> bool:
    """Who may post is told that the connection is gone."""
    return '"outcome": "gone"' in box.invoke("subscriptions", _event("socket_default")).log


def disconnect(box: Box) -> bool:
    return box.invoke("subscriptions", _event("socket_disconnect")).payload == {"statusCode": 200}


def find_subscribers(box: Box) -> bool:
    return box.invoke("change-publisher", _change()).payload == {"batchItemFailures": []}


def sweep(box: Box) -> bool:
    """Who is gone is found out by posting, and deleted."""
    gone = {"connectionId": {"S": "gone="}, "topic": {"S": "items"}}
    dynamodb, table = box.client("dynamodb"), box.outputs["connectionsTable"]
    dynamodb.put_item(TableName=table, Item=gone)
    box.invoke("change-publisher", _change())
    return "Item" not in dynamodb.get_item(TableName=table, Key=gone, ConsistentRead=True)


def clean(box: Box) -> bool:
    return box.invoke("cleanup-job", {}).error is None


def clean_connections(box: Box) -> bool:
    """With a WebSocket that was opened long ago, so that there is one to delete."""
    row = {"connectionId": "old=", "topic": "connected", "connectedAt": "2026-01-01T00:00:00.000Z"}
    table = box.outputs["connectionsTable"]
    box.client("dynamodb").put_item(TableName=table, Item=_texts(**row))
    return clean(box)


def delete_upload(box: Box) -> bool:
    """As the role itself: no object of a test is old enough for cleanup-job, which refuses less than a day."""
    s3 = _as_role(box, "cleanup-job")
    return _allowed(
        lambda: s3.delete_object(Bucket=box.outputs["uploadsBucket"], Key="uploads/old")
    )


def read_report(box: Box) -> bool:
    """As the role itself, which signs the links to its reports: they allow what it may."""
    where = {"Bucket": box.outputs["reportsBucket"], "Key": "reports/x.csv"}
    box.client("s3").put_object(**where, Body=b"x")
    s3 = _as_role(box, "report-generator")
    return _allowed(lambda: s3.get_object(**where))


def prune(box: Box) -> bool:
    """One version more than are kept, so that there is one to remove."""
    client, name = box.client("lambda"), box.outputs["functions"]["health"]["name"]
    for number in range(6):
        client.update_function_configuration(FunctionName=name, Description=f"{number}")
        client.publish_version(FunctionName=name)
    answer = box.invoke("version-cleaner", {})
    return answer.error is None and answer.payload["deleted"] > 0


def write_audit(box: Box) -> bool:
    event = {"id": unique(), "time": "2026-01-01T12:00:00Z", "source": "sandpiper.orders"}
    event |= {"type": "Order Placed", "detail": {"orderId": "o"}}
    return box.invoke("audit-writer", event).error is None


def register(box: Box) -> bool:
    event = _event("cognito_post_confirmation")
    event["request"]["userAttributes"]["sub"] = unique()
    return box.invoke("user-registrar", event).error is None


def count(box: Box) -> bool:
    """Each time of another device: a row counts no record twice."""
    event = _event("kinesis_telemetry")
    event["Records"] = event["Records"][:1]
    measured = {"device": unique(), "metric": "m", "value": 1, "at": "2026-01-01T12:00:00Z"}
    event["Records"][0]["kinesis"]["data"] = base64.b64encode(
        json.dumps(measured).encode()
    ).decode()
    return _all_done(box, "telemetry-aggregator", event)


def collect(box: Box) -> bool:
    line = {"id": unique(), "timestamp": 1, "message": "boom"}
    content = {"messageType": "DATA_MESSAGE", "logGroup": "/aws/lambda/x", "logEvents": [line]}
    packed = base64.b64encode(gzip.compress(json.dumps(content).encode())).decode()
    return box.invoke("error-collector", {"awslogs": {"data": packed}}).error is None


def check_health(box: Box) -> bool:
    return box.invoke("health-checker", {}).error is None


def place(box: Box) -> bool:
    return _all_done(box, "order-processor", _message(json.dumps(order(unique("o")))))


def follow(box: Box) -> bool:
    order_id = unique("o")
    row = {**_texts(orderId=order_id, state="placed", confirmation="sent"), "version": {"N": "1"}}
    row |= {"total": {"N": "1"}, **_texts(placedAt="2026-01-01T12:00:00.000Z")}
    box.client("dynamodb").put_item(TableName=box.outputs["ordersTable"], Item=row)
    change = {"id": unique(), "type": "order.paid", "orderId": order_id}
    body = json.dumps({**change, "occurredAt": "2026-01-01T12:00:00Z"})
    return _all_done(box, "order-tracker", _message(body))


def postpone(function: str) -> Use:
    """When a message that failed comes back: where it may not be said, that is logged and nothing else."""

    def use(box: Box) -> bool:
        answer = box.invoke(function, _message("not JSON"))
        assert answer.payload["batchItemFailures"], answer
        return "visibility not changed" not in answer.log

    return use


def notify_by_mail(box: Box) -> bool:
    """Each time with an id of its own: what was sent is not sent again."""
    return _sent(box, unique())


def notify_again(box: Box) -> bool:
    """After a failure, at once: who failed no longer says that somebody is at it."""
    message = unique()
    with _without(box, "notification-sender", "sns:Publish"):
        assert not _sent(box, message)
    return _sent(box, message)


def notify_twice(box: Box) -> bool:
    message = unique()
    return _sent(box, message) and _sent(box, message)


def push_twice(box: Box) -> bool:
    message = unique()
    return _pushed(box, message) and _pushed(box, message)


def report_twice(box: Box) -> bool:
    _forget(box)
    return _reported(box, "orders") and _reported(box, "orders")


def push(box: Box) -> bool:
    return _pushed(box, unique())


def push_again(box: Box) -> bool:
    message = unique()
    with _without(box, "notification-pusher", "dynamodb:Query"):
        assert not _pushed(box, message)
    return _pushed(box, message)


def sweep_pushed(box: Box) -> bool:
    """Who is gone is found out by posting, and deleted."""
    gone = _texts(connectionId="gone=", topic="notifications")
    dynamodb, table = box.client("dynamodb"), box.outputs["connectionsTable"]
    dynamodb.put_item(TableName=table, Item=gone)
    _pushed(box, unique())
    return "Item" not in dynamodb.get_item(TableName=table, Key=gone, ConsistentRead=True)


def report(kind: str) -> Use:
    """As if nothing had been done today: there is one report of a kind and day."""

    def use(box: Box) -> bool:
        _forget(box)
        return _reported(box, kind)

    return use


def report_again(box: Box) -> bool:
    _forget(box)
    with _without(box, "report-generator", "sns:Publish"):
        assert not _reported(box, "orders")
    return _reported(box, "orders")


def route(kind: str) -> Use:
    """What the content router makes of an object: a new event each time."""

    def use(box: Box) -> bool:
        answer = box.invoke("content-router", _uploaded(box, kind))
        return answer.error is None and answer.payload["route"] == kind

    return use


def miss_picture(box: Box) -> bool:
    event = _uploaded(box, "image-processor")
    event["Records"][0]["s3"]["object"]["key"] = "uploads/gone.jpg"
    return box.invoke("image-processor", event).payload == {
        "written": 0,
        "removed": 0,
        "skipped": 1,
    }


def miss_object(box: Box) -> bool:
    event = _uploaded(box, "text")
    event["detail"]["object"]["key"] = "incoming/gone.txt"
    return box.invoke("content-router", event).payload == {"route": "skipped"}


def hook(box: Box) -> bool:
    ident, body = unique("msg"), b'{"type": "order.paid", "data": {"orderId": "nobody"}}'
    return call(box, body, signed(box, ident, body)).status == 202


def sell(box: Box) -> bool:
    event = _event("http_api_create_user")
    event["routeKey"], event["rawPath"] = "POST /orders", "/orders"
    event["requestContext"] |= {"routeKey": "POST /orders"}
    event["requestContext"]["http"] |= {"method": "POST", "path": "/orders"}
    event |= {"body": json.dumps(order(unique("o"))), "isBase64Encoded": False}
    return box.invoke("products", event).payload["statusCode"] == 201


JUDGED: list[tuple[str, str, Use]] = [
    # The secrets come first: an environment that has read one keeps it.
    ("authorizer", "secretsmanager:GetSecretValue", authorize),
    ("list-items", "secretsmanager:GetSecretValue", page),
    ("webhook", "secretsmanager:GetSecretValue", hook),
    ("create-item", "dynamodb:PutItem", create),
    ("get-item", "dynamodb:GetItem", read),
    ("list-items", "dynamodb:Query", list_),
    ("update-item", "dynamodb:UpdateItem", update),
    ("delete-item", "dynamodb:DeleteItem", delete),
    ("image-processor", "s3:GetObject", thumbnail),
    ("image-processor", "s3:PutObject", thumbnail),
    ("data-transformer", "dynamodb:PutItem", audit),
    ("notification-sender", "sns:Publish", notify),
    ("create-user", "dynamodb:PutItem", join),
    ("subscriptions", "dynamodb:PutItem", connect),
    ("subscriptions", "dynamodb:DeleteItem", unsubscribe),
    ("subscriptions", "dynamodb:Query", disconnect),
    ("subscriptions", "execute-api:ManageConnections", reply),
    ("change-publisher", "dynamodb:Query", find_subscribers),
    ("change-publisher", "execute-api:ManageConnections", sweep),
    ("change-publisher", "dynamodb:DeleteItem", sweep),
    ("cleanup-job", "s3:ListBucket", clean),
    ("cleanup-job", "s3:DeleteObject", delete_upload),
    ("version-cleaner", "lambda:ListVersionsByFunction", prune),
    ("version-cleaner", "lambda:ListAliases", prune),
    ("version-cleaner", "lambda:DeleteFunction", prune),
    ("data-transformer", "events:PutEvents", audit),
    ("audit-writer", "dynamodb:PutItem", write_audit),
    ("user-registrar", "dynamodb:PutItem", register),
    ("telemetry-aggregator", "dynamodb:GetItem", count),
    ("telemetry-aggregator", "dynamodb:PutItem", count),
    ("error-collector", "dynamodb:GetItem", collect),
    ("error-collector", "dynamodb:PutItem", collect),
    ("health-checker", "dynamodb:GetItem", check_health),
    ("health-checker", "s3:ListBucket", check_health),
    ("health-checker", "sqs:GetQueueAttributes", check_health),
    ("cleanup-job", "dynamodb:Scan", clean),
    ("cleanup-job", "dynamodb:DeleteItem", clean_connections),
    ("order-processor", "dynamodb:PutItem", place),
    ("order-processor", "dynamodb:UpdateItem", place),
    ("order-processor", "sns:Publish", place),
    ("order-processor", "events:PutEvents", place),
    ("order-processor", "ses:SendEmail", place),
    ("order-processor", "sqs:ChangeMessageVisibility", postpone("order-processor")),
    ("order-tracker", "dynamodb:UpdateItem", follow),
    ("order-tracker", "events:PutEvents", follow),
    ("order-tracker", "sqs:ChangeMessageVisibility", postpone("order-tracker")),
    ("notification-sender", "ses:SendEmail", notify_by_mail),
    ("notification-sender", "sqs:ChangeMessageVisibility", postpone("notification-sender")),
    ("notification-sender", "dynamodb:PutItem", notify_by_mail),
    ("notification-sender", "dynamodb:UpdateItem", notify_by_mail),
    ("notification-sender", "dynamodb:DeleteItem", notify_again),
    ("notification-pusher", "dynamodb:Query", push),
    ("notification-pusher", "execute-api:ManageConnections", sweep_pushed),
    ("notification-pusher", "dynamodb:PutItem", push),
    ("notification-pusher", "dynamodb:UpdateItem", push),
    ("notification-pusher", "dynamodb:DeleteItem", push_again),
    ("report-generator", "dynamodb:Scan", report("orders")),
    ("report-generator", "dynamodb:Query", report("items")),
    ("report-generator", "s3:PutObject", report("items")),
    ("report-generator", "s3:GetObject", read_report),
    ("report-generator", "sns:Publish", report("items")),
    ("report-generator", "dynamodb:PutItem", report("items")),
    ("report-generator", "dynamodb:UpdateItem", report("items")),
    ("report-generator", "dynamodb:DeleteItem", report_again),
    ("content-router", "s3:GetObject", route("text")),
    ("content-router", "s3:PutObject", route("text")),
    ("content-router", "dynamodb:PutItem", route("csv")),
    ("content-router", "lambda:InvokeFunction", route("picture")),
    ("webhook", "dynamodb:GetItem", hook),
    ("webhook", "dynamodb:PutItem", hook),
    ("webhook", "sqs:SendMessage", hook),
    ("products", "sqs:SendMessage", sell),
]


# The sandbox does not ask for these, or the function does not: it works without them here, and why it holds them.
IDLE: list[tuple[str, str, Use, str]] = [
    ("image-processor", "s3:ListBucket", miss_picture, "S3 says 404, not 403, to who may list"),
    ("content-router", "s3:ListBucket", miss_object, "S3 says 404, not 403, to who may list"),
    *(
        (function, "dynamodb:GetItem", use, "Powertools reads what a refused write does not return")
        for function, use in (
            ("notification-sender", notify_twice),
            ("notification-pusher", push_twice),
            ("report-generator", report_twice),
        )
    ),
]


def test_dropping_one_action_breaks_what_it_is_for(fresh: Box) -> None:
    missed = []
    for function, action, use in JUDGED:
        with _without(fresh, function, action):
            if use(fresh):
                missed.append(f"{function} works without {action}")
        if not use(fresh):
            missed.append(f"{function} does not work with {action} given back")
    assert not missed, "\n".join(missed)


def test_what_is_held_for_aws_alone_is_not_missed_in_the_sandbox(fresh: Box) -> None:
    """Else it belongs into the table above."""
    for function, action, use, reason in IDLE:
        with _without(fresh, function, action):
            assert use(fresh), f"{function} misses {action}; it says: {reason}"


def test_every_action_of_a_handler_is_judged_above(fresh: Box) -> None:
    by_rules = {"kms", "logs", "xray"}
    held = {
        (function, action)
        for function in fresh.outputs["functions"]
        for where, document in _policies(fresh, function)
        if where["PolicyName"].startswith(f"{function}-policy")
        for statement in document["Statement"]
        for action in statement["Action"]
        if action.split(":")[0] not in by_rules
    }
    judged = [(function, action) for function, action, _ in JUDGED]
    judged += [(function, action) for function, action, _, _ in IDLE]
    assert sorted(held) == sorted(judged)


def _item(box: Box) -> str:
    """A new item, put by the administrator."""
    number = len(box.client("dynamodb").scan(TableName=box.outputs["itemsTable"])["Items"])
    item_id = f"0190c2d4-0000-7000-8000-{number:012d}"
    box.client("dynamodb").put_item(TableName=box.outputs["itemsTable"], Item=_row(item_id))
    return item_id


def _row(item_id: str) -> dict[str, Any]:
    then = {"S": "2026-01-31T12:00:00.000Z"}
    row: dict[str, Any] = {"name": {"S": "x"}, "createdAt": then, "updatedAt": then}
    row |= {"id": {"S": item_id}, "collection": {"S": "items"}, "tags": {"L": []}}
    return row | {"price": {"N": "1"}, "version": {"N": "1"}}


def _event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _texts(**columns: str) -> dict[str, Any]:
    """A row of texts, as DynamoDB has it."""
    return {name: {"S": text} for name, text in columns.items()}


def _message(body: str) -> dict[str, Any]:
    """A queue's batch with one message."""
    record = _event("sqs_orders")["Records"][0]
    return {"Records": [{**record, "messageId": unique(), "body": body}]}


def _all_done(box: Box, function: str, batch: dict[str, Any]) -> bool:
    return box.invoke(function, batch).payload == {"batchItemFailures": []}


def _sent(box: Box, message: str) -> bool:
    content = {"message": "x", "email": "ann@example.com", "id": message}
    return _all_done(box, "notification-sender", _message(json.dumps(content)))


def _pushed(box: Box, message: str) -> bool:
    event = _event("sns_notifications")
    event["Records"][0]["Sns"]["MessageId"] = message
    return box.invoke("notification-pusher", event).error is None


def _reported(box: Box, kind: str) -> bool:
    return box.invoke("report-generator", {"report_type": kind, "format": "csv"}).error is None


def _forget(box: Box) -> None:
    """What was done once may be done again."""
    dynamodb, table = box.client("dynamodb"), box.outputs["stateTable"]
    for row in dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]:
        if row["id"]["S"].startswith("once#"):
            dynamodb.delete_item(TableName=table, Key={"id": row["id"]})


def _uploaded(box: Box, kind: str) -> dict[str, Any]:
    """Upload once; an event of it that is later than all before."""
    bucket, (key, content_type, body) = box.outputs["uploadsBucket"], UPLOADS[kind]
    s3 = box.client("s3")
    if "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix=key):
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)
    there = {"key": key, "sequencer": f"ff{next(_later):014x}"}
    if kind == "image-processor":
        event = _event("s3_upload")
        event["Records"][0]["s3"] = {"bucket": {"name": bucket}, "object": there}
        return event
    event = _event("eventbridge_object_created")
    event["detail"] |= {
        "bucket": {"name": bucket},
        "object": {**there, "version-id": unique()},
    }
    return event


def _as_role(box: Box, function: str) -> Any:
    """S3 for who may do what a function may."""
    role = box.outputs["functions"][function]["roleArn"]
    keys = box.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.client(
        "s3",
        endpoint_url=box.endpoint,
        region_name=box.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=Config(s3={"addressing_style": "path"}),
    )


def _allowed(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied"  # noqa: PT017
        return False
    return True


def _change() -> dict[str, Any]:
    """A stream's batch with one new item."""
    row = _row("0190c2d4-0000-7000-8000-00000000ffff")
    change = {
        "ApproximateCreationDateTime": 1,
        "Keys": {"id": row["id"]},
        "NewImage": row,
        "SequenceNumber": "1",
    }
    record = {"eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb"}
    return {"Records": [{**record, "dynamodb": change}]}


def _policies(box: Box, function: str) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Where each policy of a function's role is, and what it says."""
    iam = box.client("iam")
    role = box.outputs["functions"][function]["roleArn"].rsplit("/", 1)[1]
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        where = {"RoleName": role, "PolicyName": name}
        yield where, iam.get_role_policy(**where)["PolicyDocument"]


@contextmanager
def _without(box: Box, function: str, action: str) -> Generator[None]:
    """Every policy of the role without the action: the sandbox restates a few rights in one of its own."""
    iam = box.client("iam")
    changed = []
    for where, document in _policies(box, function):
        said = document["Statement"]
        less = [{**s, "Action": [a for a in s["Action"] if a != action]} for s in said]
        if less != said:
            changed.append((where, document))
            kept = {**document, "Statement": [s for s in less if s["Action"]]}
            if kept["Statement"]:
                iam.put_role_policy(**where, PolicyDocument=json.dumps(kept))
            else:
                iam.delete_role_policy(**where)
    assert changed, f"{function} does not hold {action}"
    try:
        yield
    finally:
        for where, document in changed:
            iam.put_role_policy(**where, PolicyDocument=json.dumps(document))
