"""The state table, as far as `common.state` asks for it."""

from __future__ import annotations

from typing import Any

from tests.handlers.fakes import Aws, AwsError


class StateTable:
    """Rows by id. `before_put` may be set to something that happens ahead of each write."""

    def __init__(self, aws: Aws) -> None:
        self.rows: dict[str, Any] = {}
        self.before_put: Any = lambda: None
        aws.on("GetItem", self._get)
        aws.on("PutItem", self._put)

    def _get(self, call: dict[str, Any]) -> dict[str, Any]:
        assert call["TableName"] == "state"
        assert call["ConsistentRead"] is True
        row = self.rows.get(call["Key"]["id"]["S"])
        return {"Item": row} if row else {}

    def _put(self, call: dict[str, Any]) -> dict[str, Any]:
        assert call["TableName"] == "state"
        before, self.before_put = self.before_put, lambda: None
        before()
        row = self.rows.get(call["Item"]["id"]["S"], {})
        if not _holds(row, call):
            raise AwsError("ConditionalCheckFailedException")
        self.rows[call["Item"]["id"]["S"]] = call["Item"]
        return {}


def _holds(row: dict[str, Any], call: dict[str, Any]) -> bool:
    condition = call.get("ConditionExpression")
    values = call.get("ExpressionAttributeValues", {})
    if condition is None:
        return True
    if condition == "attribute_not_exists(#id)":
        return not row
    if condition == "#revision = :revision":
        return row.get("revision") == values[":revision"]
    assert condition == (
        "attribute_not_exists(#id) OR #expiresAt < :now OR (#status = :busy AND #leaseUntil < :now)"
    )
    now = float(values[":now"]["N"])
    if not row or float(row["expiresAt"]["N"]) < now:
        return True
    return row["status"] == values[":busy"] and float(row["leaseUntil"]["N"]) < now
