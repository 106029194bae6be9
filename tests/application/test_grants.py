"""Dropping any one action that the emulator judges breaks what it is for: no function holds an action in vain.

The actions that the emulator does not judge (keys, logs, traces, polling) are held by rules, in tests/policies.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from PIL import Image

import sandbox
from sandbox.box import Box
from tests.application.conftest import QUICK

Use = Callable[[Box], bool]
ITEM = {"name": "lamp", "price": "1.00"}
EVENTS = Path(__file__).resolve().parents[1] / "events"


@pytest.fixture(scope="module")
def fresh() -> Iterator[Box]:
    """A sandbox of its own: an environment that has read a secret once would not ask again."""
    # Without the authorizer's cache every request asks the authorizer.
    uncached = {"api": {"authorizer_result_ttl_in_seconds": 0}}
    with sandbox.running("dev", config={**QUICK, **uncached}) as running:
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
    out = io.BytesIO()
    Image.new("RGB", (20, 20)).save(out, "JPEG")
    bucket = box.outputs["uploadsBucket"]
    box.client("s3").put_object(Bucket=bucket, Key="uploads/x.jpg", Body=out.getvalue())
    record = {"s3": {"bucket": {"name": bucket}, "object": {"key": "uploads/x.jpg"}}}
    event = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", **record}]}
    return box.invoke("image-processor", event).error is None


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


def delete_upload(box: Box) -> bool:
    """As the role itself: no object of a test is old enough for cleanup-job, which refuses less than a day."""
    role = box.outputs["functions"]["cleanup-job"]["roleArn"]
    keys = box.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    s3 = boto3.client(
        "s3",
        endpoint_url=box.endpoint,
        region_name=box.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=Config(s3={"addressing_style": "path"}),
    )
    try:
        s3.delete_object(Bucket=box.outputs["uploadsBucket"], Key="uploads/old")
    except s3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied"  # noqa: PT017
        return False
    return True


def prune(box: Box) -> bool:
    """One version more than are kept, so that there is one to remove."""
    client, name = box.client("lambda"), box.outputs["functions"]["health"]["name"]
    for number in range(6):
        client.update_function_configuration(FunctionName=name, Description=f"{number}")
        client.publish_version(FunctionName=name)
    answer = box.invoke("version-cleaner", {})
    return answer.error is None and answer.payload["deleted"] > 0


JUDGED: list[tuple[str, str, Use]] = [
    # The two secrets come first: an environment that has read one keeps it.
    ("authorizer", "secretsmanager:GetSecretValue", authorize),
    ("list-items", "secretsmanager:GetSecretValue", page),
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
]


def test_dropping_one_action_breaks_what_it_is_for(fresh: Box) -> None:
    missed = []
    for function, action, use in JUDGED:
        with _without(fresh, function, action):
            if use(fresh):
                missed.append(f"{function} works without {action}")
        if not use(fresh):
            missed.append(f"{function} does not work with {action} given back")
    assert missed == []


def test_every_action_of_a_handler_is_judged_above(fresh: Box) -> None:
    by_rules = {"kms", "logs", "xray", "sqs"}
    held = set()
    for function in fresh.outputs["functions"]:
        for statement in _policy(fresh, function)[1]["Statement"]:
            held |= {
                (function, action)
                for action in statement["Action"]
                if action.split(":")[0] not in by_rules
            }
    assert held == {(function, action) for function, action, _ in JUDGED}


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


def _policy(box: Box, function: str) -> tuple[dict[str, str], dict[str, Any]]:
    iam = box.client("iam")
    role = box.outputs["functions"][function]["roleArn"].rsplit("/", 1)[1]
    named = [
        name
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        if name.startswith(f"{function}-policy")
    ]
    where = {"RoleName": role, "PolicyName": named[0]}
    document = iam.get_role_policy(**where)["PolicyDocument"]
    return where, document


@contextmanager
def _without(box: Box, function: str, action: str) -> Iterator[None]:
    where, document = _policy(box, function)
    iam = box.client("iam")
    less = [{**s, "Action": [a for a in s["Action"] if a != action]} for s in document["Statement"]]
    less = [s for s in less if s["Action"]]
    assert less != document["Statement"], f"{function} does not hold {action}"
    iam.put_role_policy(**where, PolicyDocument=json.dumps({**document, "Statement": less}))
    try:
        yield
    finally:
        iam.put_role_policy(**where, PolicyDocument=json.dumps(document))
