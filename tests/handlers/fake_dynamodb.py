"""Tables in memory that judge conditions and apply updates, as far as the functions that are told
things twice write them: attribute_exists, attribute_not_exists, comparisons, IN, AND, OR, NOT,
brackets;
SET (values, sums, if_not_exists) and REMOVE.
"""

from __future__ import annotations

import copy
import re
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.handlers.fakes import AwsError

if TYPE_CHECKING:
    from tests.handlers.fakes import Aws

Row = dict[str, dict[str, Any]]

_TOKEN = re.compile(r"\s*(<=|>=|<>|[()=<>,+-]|[#:]?[A-Za-z_][\w.]*)")


class Tables:
    """`rows["orders"]["o-1"]` is the row of that key; `keys` names the key of each table."""

    def __init__(self, aws: Aws, **keys: str) -> None:
        self.keys = keys
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in keys}
        self._lock = threading.Lock()
        aws.on("GetItem", self._get)
        aws.on("PutItem", self._put)
        aws.on("UpdateItem", self._update)
        aws.on("DeleteItem", self._delete)

    def _place(self, call: dict[str, Any]) -> tuple[dict[str, Row], str]:
        given = call.get("Key") or call["Item"]
        name = call["TableName"]
        return self.rows[name], given[self.keys[name]]["S"]

    def _get(self, call: dict[str, Any]) -> dict[str, Any]:
        table, key = self._place(call)
        return {"Item": copy.deepcopy(table[key])} if key in table else {}

    def _put(self, call: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            table, key = self._place(call)
            _judge(call, table.get(key, {}))
            table[key] = copy.deepcopy(call["Item"])
            return {}

    def _delete(self, call: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            table, key = self._place(call)
            _judge(call, table.get(key, {}))
            table.pop(key, None)
            return {}

    def _update(self, call: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            table, key = self._place(call)
            before = table.get(key, {})
            _judge(call, before)
            table[key] = {**call["Key"], **_updated(call, before)}
            wanted = call.get("ReturnValues", "NONE")
            return {"Attributes": copy.deepcopy(table[key])} if wanted != "NONE" else {}


def _judge(call: dict[str, Any], row: Row) -> None:
    expressions = [call.get("ConditionExpression", ""), call.get("UpdateExpression", "")]
    used = set(re.findall(r"[#:]\w+", " ".join(expressions)))
    given = {*call.get("ExpressionAttributeNames", {}), *call.get("ExpressionAttributeValues", {})}
    assert used == given, "DynamoDB refuses names and values that no expression uses"
    if not expressions[0] or _Expression(call, row, expressions[0]).holds():
        return
    wanted = call.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    raise AwsError(
        "ConditionalCheckFailedException",
        **({"Item": copy.deepcopy(row)} if row and wanted else {}),
    )


def _updated(call: dict[str, Any], row: Row) -> Row:
    changed = copy.deepcopy(row)
    parts = re.split(r"\b(SET|REMOVE)\b", call["UpdateExpression"])
    for verb, part in zip(parts[1::2], parts[2::2], strict=True):
        expression = _Expression(call, row, part)
        while expression.tokens:
            name = expression.name()
            if verb == "REMOVE":
                changed.pop(name, None)
            else:
                expression.take("=")
                changed[name] = expression.sum()
            if expression.tokens:
                expression.take(",")
    return changed


class _Expression:
    """A recursive descent over one expression's tokens."""

    def __init__(self, call: dict[str, Any], row: Row, text: str) -> None:
        self.tokens: list[str] = _TOKEN.findall(text)
        assert "".join(self.tokens) == re.sub(r"\s", "", text), text
        self._names = call.get("ExpressionAttributeNames", {})
        self._values = call.get("ExpressionAttributeValues", {})
        self._row = row

    def take(self, wanted: str | None = None) -> str:
        token = self.tokens.pop(0)
        assert wanted in (None, token)
        return token

    def name(self) -> str:
        token = self.take()
        return self._names[token] if token.startswith("#") else token

    def holds(self) -> bool:
        result = self._all()
        while self.tokens[:1] == ["OR"]:
            self.take()
            result = self._all() or result
        return result

    def _all(self) -> bool:
        result = self._one()
        while self.tokens[:1] == ["AND"]:
            self.take()
            result = self._one() and result
        return result

    def _one(self) -> bool:
        if self.tokens[0] == "NOT":
            self.take()
            return not self._one()
        if self.tokens[0] == "(":
            self.take()
            result = self.holds()
            self.take(")")
            return result
        if self.tokens[0] in ("attribute_exists", "attribute_not_exists"):
            wanted = self.take() == "attribute_exists"
            self.take("(")
            there = self.name() in self._row
            self.take(")")
            return there is wanted
        left, sign = self._operand(), self.take()
        if sign == "IN":
            return left in self._list()
        right = self._operand()
        return left is not None and right is not None and _compare(left, sign, right)

    def _list(self) -> list[Any]:
        found: list[Any] = []
        closing = self.take("(")
        while closing != ")":
            found.append(self._operand())
            closing = self.take()
        return found

    def _operand(self) -> dict[str, Any] | None:
        if self.tokens[0].startswith(":"):
            return self._values[self.take()]
        return self._row.get(self.name())

    def sum(self) -> dict[str, Any]:
        result = self._term()
        while self.tokens[:1] in (["+"], ["-"]):
            sign = self.take()
            other = Decimal(self._term()["N"])
            result = {"N": str(Decimal(result["N"]) + (other if sign == "+" else -other))}
        return result

    def _term(self) -> dict[str, Any]:
        if self.tokens[0] == "if_not_exists":
            self.take()
            self.take("(")
            there = self._row.get(self.name())
            self.take(",")
            other = self.sum()
            self.take(")")
            return there or other
        value = self._operand()
        assert value is not None, "DynamoDB refuses to take a value from what is not there"
        return value


def _compare(left: dict[str, Any], sign: str, right: dict[str, Any]) -> bool:
    if set(left) != set(right):
        return sign == "<>"
    (kind, one), (_, other) = *left.items(), *right.items()
    if kind == "N":
        one, other = Decimal(one), Decimal(other)
    return {
        "=": one == other,
        "<>": one != other,
        "<": one < other,
        ">": one > other,
        "<=": one <= other,
        ">=": one >= other,
    }[sign]
