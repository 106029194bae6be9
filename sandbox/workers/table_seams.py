"""DynamoDB's requests counted, under AWS/DynamoDB: how long each took that was answered, and conditions that did not hold.

Source: DynamoDB developer guide, "DynamoDB metrics and dimensions". What a request consumed is not counted: the emulator weighs
no reads. Throttles and errors of DynamoDB's own happen only where a test asks for them (`fault_metrics`).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers.metric_store import STORE
from sandbox.workers.seams import Seam

_OPERATIONS: Final = {
    "_batch_get_item": "BatchGetItem",
    "_batch_write_item": "BatchWriteItem",
    "_delete_item": "DeleteItem",
    "_get_item": "GetItem",
    "_put_item": "PutItem",
    "_query": "Query",
    "_scan": "Scan",
    "_transact_get_items": "TransactGetItems",
    "_transact_write_items": "TransactWriteItems",
    "_update_item": "UpdateItem",
}
_CONDITION: Final = b"ConditionalCheckFailed"

Record = Mapping[str, Any]


def seams() -> list[Seam]:
    """Return the seams of requests to tables."""
    return [
        Seam(
            "ministack.services.dynamodb",
            function,
            ("data",),
            f"{operation} is not counted",
            _counted(operation),
        )
        for function, operation in _OPERATIONS.items()
    ]


def _counted(operation: str) -> Callable[[ModuleType, Callable[[Record], Any]], Any]:
    def build(_module: ModuleType, original: Callable[[Record], Any]) -> Callable[[Record], Any]:
        def act(data: Record) -> Any:
            started = time.perf_counter()
            answer = original(data)
            milliseconds = round((time.perf_counter() - started) * 1000, 3)
            for table in _tables(data):
                _count(table, operation, milliseconds, answer)
            return answer

        return act

    return build


def _tables(data: Record) -> Iterator[str]:
    """The tables of a request, each once; an ARN counts as its table's name."""
    found = [data["TableName"]] if data.get("TableName") else []
    if isinstance(data.get("RequestItems"), dict):
        found += data["RequestItems"]
    for item in data.get("TransactItems") or []:
        found += [part["TableName"] for part in item.values() if "TableName" in part]
    yield from dict.fromkeys(str(each).rpartition("/")[2] for each in found)


def _count(table: str, operation: str, milliseconds: float, answer: Any) -> None:
    if answer[0] == 200:
        at = (("Operation", operation), ("TableName", table))
        STORE.add(("AWS/DynamoDB", "SuccessfulRequestLatency", at), milliseconds, "Milliseconds")
    elif _CONDITION in answer[2]:
        at = (("TableName", table),)
        STORE.add(("AWS/DynamoDB", "ConditionalCheckFailedRequests", at), 1, "Count")
