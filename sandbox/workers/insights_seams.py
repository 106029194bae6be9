"""Saved queries of Logs Insights: kept and listed, which MiniStack does not do. Running one is another matter: it knows no `stats`.

Source: CloudWatch Logs API reference, PutQueryDefinition, DescribeQueryDefinitions, DeleteQueryDefinition.
"""

import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any, Final

from sandbox.workers.seams import Seam

_LOGS: Final = "ministack.services.cloudwatch_logs"
_LONGEST: Final = 10_000
"""Characters of a query."""
_PAGE: Final = 1000

Record = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
_saved: dict[str, Record] = {}


def seams() -> list[Seam]:
    """Return the seams of saved queries."""
    call = ("method", "path", "headers", "body", "query_params")
    return [
        Seam(_LOGS, "handle_request", call, "there are no saved queries", _with_saved),
        Seam(_LOGS, "reset", (), "saved queries survive a reset", _forgetting),
    ]


def _with_saved(_module: ModuleType, original: Callable[..., Awaitable[Any]]) -> Any:
    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Any
    ) -> Any:
        operation = str(headers.get("x-amz-target", "")).rpartition(".")[2]
        if operation not in _OPERATIONS:
            return await original(method, path, headers, body, query_params)
        status, told = _OPERATIONS[operation](json.loads(body or b"{}"))
        content = {"Content-Type": "application/x-amz-json-1.1"}
        return status, content, json.dumps(told).encode()

    return handle


def _put(asked: Record) -> tuple[int, Record]:
    name, text = str(asked.get("name") or ""), str(asked.get("queryString") or "")
    if not name or not 0 < len(text) <= _LONGEST:
        return _refused("InvalidParameterException", "a query has a name and a text")
    ident = str(asked.get("queryDefinitionId") or uuid.uuid4())
    if asked.get("queryDefinitionId") and ident not in _saved:
        return _refused("ResourceNotFoundException", f"there is no query {ident}")
    _saved[ident] = {
        "queryDefinitionId": ident,
        "name": name,
        "queryString": text,
        "lastModified": int(time.time() * 1000),
        "logGroupNames": asked.get("logGroupNames") or [],
    }
    return 200, {"queryDefinitionId": ident}


def _describe(asked: Record) -> tuple[int, Record]:
    prefix = str(asked.get("queryDefinitionNamePrefix") or "")
    found = sorted((q for q in _saved.values() if q["name"].startswith(prefix)), key=_name)
    begin = int(asked.get("nextToken") or 0)
    size = int(asked.get("maxResults") or _PAGE)
    told: Record = {"queryDefinitions": found[begin : begin + size]}
    if len(found) > begin + size:
        told["nextToken"] = str(begin + size)
    return 200, told


def _name(query: Record) -> str:
    return str(query["name"])


def _delete(asked: Record) -> tuple[int, Record]:
    ident = str(asked.get("queryDefinitionId"))
    if _saved.pop(ident, None) is None:
        return _refused("ResourceNotFoundException", f"there is no query {ident}")
    return 200, {"success": True}


def _refused(code: str, text: str) -> tuple[int, Record]:
    return 400, {"__type": code, "message": text}


_OPERATIONS: Final[Mapping[str, Callable[[Record], tuple[int, Record]]]] = {
    "PutQueryDefinition": _put,
    "DescribeQueryDefinitions": _describe,
    "DeleteQueryDefinition": _delete,
}


def _forgetting(_module: ModuleType, original: Callable[[], None]) -> Callable[[], None]:
    def reset() -> None:
        original()
        _saved.clear()

    return reset
