"""Real boto3 clients that never reach a socket: botocore checks and serialises each call, a fake
answers it.
"""

from __future__ import annotations

import functools
import re
import threading
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSResponse

if TYPE_CHECKING:
    from collections.abc import Callable

Call = tuple[str, dict[str, Any]]
Row = dict[str, Any]


class AwsError(Exception):
    """Raised by a fake: the client under test then raises the ClientError with this code."""

    def __init__(self, code: str, *, status: int = 400, **members: Any) -> None:
        super().__init__(code)
        self.status = status
        self.parsed = {"Error": {"Code": code, "Message": f"fake {code}"}, **members}


class Aws:
    """Clients by service whose calls go to `answers[operation](params)` and are kept in `calls`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def on(self, operation: str, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.answers[operation] = answer

    def fail(self, operation: str, error: Exception) -> None:
        def failing(_: dict[str, Any]) -> dict[str, Any]:
            raise error

        self.answers[operation] = failing

    def client(self, service: str) -> Any:
        client = _client(service)
        _current[service] = self
        return client


_current: dict[str, Aws] = {}
_parameters: dict[tuple[str, int], dict[str, Any]] = {}  # by service and thread


@functools.cache
def _client(service: str) -> Any:
    client = boto3.client(
        service,
        region_name="us-west-2",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        endpoint_url="http://127.0.0.1:9",
    )

    def remember(params: dict[str, Any], **_: Any) -> None:
        _parameters[service, threading.get_ident()] = dict(params)

    def respond(model: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        aws = _current[service]
        params = _parameters[service, threading.get_ident()]
        aws.calls.append((model.name, params))
        if model.name not in aws.answers:
            # Not an Exception: a handler that answers for every exception must not hide this.
            raise SystemExit(f"unexpected call {model.name}")
        try:
            parsed, status = aws.answers[model.name](params), 200
        except AwsError as error:
            parsed, status = error.parsed, error.status
        return AWSResponse("", status, {}, None), parsed

    # First in line: what boto3 adds to a call (an encoding, a checksum) is not the handler's.
    client.meta.events.register_first("before-parameter-build", remember)
    client.meta.events.register("before-call", respond)
    return client


class Table:
    """A table of items that understands the expressions the handlers send, and no others."""

    def __init__(self, aws: Aws) -> None:
        self.rows: dict[str, Row] = {}
        self.page = 1000
        aws.on("PutItem", self._put)
        aws.on("GetItem", self._get)
        aws.on("DeleteItem", self._delete)
        aws.on("Query", self._query)
        aws.on("UpdateItem", self._update)
        aws.on("TransactWriteItems", self._transact)

    def _put(self, call: dict[str, Any]) -> dict[str, Any]:
        self.rows[call["Item"]["id"]["S"]] = call["Item"]
        return {}

    def _get(self, call: dict[str, Any]) -> dict[str, Any]:
        row = self.rows.get(call["Key"]["id"]["S"])
        return {"Item": row} if row else {}

    def _delete(self, call: dict[str, Any]) -> dict[str, Any]:
        row = self.rows.pop(call["Key"]["id"]["S"], None)
        return {"Attributes": row} if row and call.get("ReturnValues") == "ALL_OLD" else {}

    def _query(self, call: dict[str, Any]) -> dict[str, Any]:
        after = call.get("ExclusiveStartKey", {}).get("id", {}).get("S", "")
        listed = [key for key, row in self.rows.items() if row.get("collection") == {"S": "items"}]
        found = [self.rows[key] for key in sorted(listed) if key > after]
        page = found[: min(call["Limit"], self.page)]
        answer: dict[str, Any] = {"Items": page, "Count": len(page)}
        if len(page) < len(found) or len(page) == call["Limit"]:  # DynamoDB does not look ahead
            answer["LastEvaluatedKey"] = {"id": page[-1]["id"], "collection": {"S": "items"}}
        return answer

    def _transact(self, call: dict[str, Any]) -> dict[str, Any]:
        claim, item = (action["Put"] for action in call["TransactItems"])
        condition = "attribute_not_exists(#id) OR #expiresAt < :now"
        assert claim["ConditionExpression"] == condition
        names = {"#id": "id", "#expiresAt": "expiresAt"}
        assert claim["ExpressionAttributeNames"] == names
        assert claim["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
        now = int(claim["ExpressionAttributeValues"][":now"]["N"])
        there = self.rows.get(claim["Item"]["id"]["S"])
        if there and int(there["expiresAt"]["N"]) >= now:
            reasons = [{"Code": "ConditionalCheckFailed", "Item": there}, {"Code": "None"}]
            raise AwsError("TransactionCanceledException", CancellationReasons=reasons)
        self._put(claim)
        return self._put(item)

    def _update(self, call: dict[str, Any]) -> dict[str, Any]:
        row = self.rows.get(call["Key"]["id"]["S"])
        values = call["ExpressionAttributeValues"]
        expected = re.fullmatch(
            r"attribute_exists\(#id\)(?: AND #version IN \(([^)]*)\))?", call["ConditionExpression"]
        )
        assert expected, call["ConditionExpression"]
        if row is None:
            raise AwsError("ConditionalCheckFailedException")
        if expected[1] and row["version"] not in [values[v] for v in expected[1].split(", ")]:
            raise AwsError("ConditionalCheckFailedException", Item=row)
        changed = self.rows[row["id"]["S"]] = _updated(row, call)
        return {"Attributes": changed}


def _updated(row: Row, call: dict[str, Any]) -> Row:
    names, values = call["ExpressionAttributeNames"], call["ExpressionAttributeValues"]
    sets, _, removes = call["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
    changed = dict(row)
    used = {"#id", "#version"}
    for assignment in sets.split(", "):
        target, source = assignment.split(" = ")
        used.add(target)
        if source == "#version + :one":
            changed["version"] = {"N": str(int(row["version"]["N"]) + 1)}
        else:
            changed[names[target]] = values[source]
    for target in removes.split(", ") if removes else []:
        used.add(target)
        changed.pop(names[target], None)
    assert used == set(names)  # DynamoDB refuses a name that no expression uses
    return changed
