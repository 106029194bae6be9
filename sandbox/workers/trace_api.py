"""The API of X-Ray: what was recorded, sampling rules and groups. Source: X-Ray API reference."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.workers import trace_filters, trace_queries, traces

Record = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
_MOST_IDS: Final = 5
"""Traces of one BatchGetTraces."""
_DEFAULT: Final = "Default"
_ARN: Final = f"arn:aws:xray:{os.environ.get('MINISTACK_REGION', 'us-east-1')}:000000000000"
_CREATED: Final = 1_500_000_000.0

_rules: dict[str, Record] = {}
_groups: dict[str, Record] = {}


class _Refusal(Exception):
    """A request that X-Ray refuses, with the name of its error."""

    def __init__(self, text: str, kind: str = "InvalidRequestException") -> None:
        super().__init__(text)
        self.kind = kind


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Any
) -> Answer:
    """Answer one request."""
    del method, headers, query_params
    answer = _OPERATIONS.get(path.strip("/"), _unknown)
    try:
        # Thousands of documents may be read: nobody else should wait for that.
        return _answer(200, await asyncio.to_thread(answer, json.loads(body or b"{}")))
    except _Refusal as refusal:
        told = {"__type": refusal.kind, "Message": str(refusal)}
        return _answer(400, told, {"x-amzn-ErrorType": refusal.kind})
    except (KeyError, ValueError, TypeError) as error:
        told = {"__type": "InvalidRequestException", "Message": f"invalid request: {error}"}
        return _answer(400, told, {"x-amzn-ErrorType": "InvalidRequestException"})


def _answer(status: int, document: Record, more: dict[str, str] | None = None) -> Answer:
    headers = {"Content-Type": "application/json", **(more or {})}
    return status, headers, json.dumps(document).encode()


def _unknown(_asked: Record) -> Record:
    raise _Refusal("the sandbox has no such operation of X-Ray", "UnknownOperationException")


def _put_segments(asked: Record) -> Record:
    refused = list[Record]()
    for text in asked["TraceSegmentDocuments"]:
        if why := traces.take(text):
            code, _, message = why.partition(": ")
            found = re.search(r'"id"\s*:\s*"([^"]*)"', text)
            refused.append({"Id": found[1] if found else "", "ErrorCode": code, "Message": message})
    return {"UnprocessedTraceSegments": refused}


def _summaries(asked: Record) -> Record:
    start, end = (_seconds(asked[name]) for name in ("StartTime", "EndTime"))
    if end <= start:
        raise _Refusal("StartTime must be before EndTime")
    if end - start > 86_400:
        raise _Refusal("Time range cannot be longer than 24 hours")
    expression = str(asked.get("FilterExpression") or "")
    try:
        matches = trace_filters.matcher(expression)
    except trace_filters.Unread as error:
        raise _Refusal(f"Invalid filter expression: {error}") from None
    names = [name for name in traces.store.names() if _begun(name) <= end]
    every = [made for name in names if (made := trace_queries.summary(name))]
    within = [made for made in every if start <= made["StartTime"] <= end]
    return {
        "ApproximateTime": time.time(),
        "TracesProcessedCount": len(within),
        "TraceSummaries": [made for made in within if matches(made)],
    }


def _begun(trace: str) -> int:
    """The second in which a trace began, by its id."""
    return int(trace.split("-")[1], 16)


def _seconds(value: Any) -> float:
    return float(value)


def _traces(asked: Record) -> Record:
    names = asked["TraceIds"]
    if len(names) > _MOST_IDS:
        raise _Refusal(f"TraceIds: {_MOST_IDS} at most")
    found = {name: trace_queries.trace(name) for name in names}
    return {
        "Traces": [made for made in found.values() if made],
        "UnprocessedTraceIds": [name for name, made in found.items() if made is None],
    }


def _create_rule(asked: Record) -> Record:
    rule = asked["SamplingRule"]
    name = rule["RuleName"]
    if name in _rules or name == _DEFAULT:
        raise _Refusal(f"{name}: a rule with that name already exists")
    rule.setdefault("RuleARN", f"{_ARN}:sampling-rule/{name}")
    now = time.time()
    _rules[name] = {"SamplingRule": rule, "CreatedAt": now, "ModifiedAt": now}
    return {"SamplingRuleRecord": _rules[name]}


def _update_rule(asked: Record) -> Record:
    change = asked["SamplingRuleUpdate"]
    record = _rule(change)
    kept = {name: value for name, value in change.items() if value is not None}
    record["SamplingRule"].update(kept)
    record["ModifiedAt"] = time.time()
    return {"SamplingRuleRecord": record}


def _delete_rule(asked: Record) -> Record:
    record = _rule(asked)
    del _rules[record["SamplingRule"]["RuleName"]]
    return {"SamplingRuleRecord": record}


def _rule(asked: Record) -> Record:
    named = asked.get("RuleName") or str(asked.get("RuleARN", "")).rpartition("/")[2]
    if named not in _rules:
        raise _Refusal(f"{named}: the sampling rule does not exist")
    return _rules[named]


def _get_rules(_asked: Record) -> Record:
    rule = {
        "RuleName": _DEFAULT,
        "RuleARN": f"{_ARN}:sampling-rule/{_DEFAULT}",
        "ResourceARN": "*",
        "Priority": 10_000,
        "FixedRate": 0.05,
        "ReservoirSize": 1,
        "ServiceName": "*",
        "ServiceType": "*",
        "Host": "*",
        "HTTPMethod": "*",
        "URLPath": "*",
        "Version": 1,
        "Attributes": {},
    }
    default = {"SamplingRule": rule, "CreatedAt": _CREATED, "ModifiedAt": _CREATED}
    return {"SamplingRuleRecords": [*_rules.values(), default]}


def _create_group(asked: Record) -> Record:
    name = asked["GroupName"]
    if name in _groups:
        raise _Refusal(f"{name}: a group with that name already exists")
    arn = f"{_ARN}:group/{name}"
    kept = ("FilterExpression", "GroupName", "InsightsConfiguration")
    _groups[name] = {"GroupARN": arn, **{key: asked[key] for key in kept if asked.get(key)}}
    return {"Group": _groups[name]}


def _group(asked: Record) -> Record:
    named = asked.get("GroupName") or str(asked.get("GroupARN", "")).rpartition("/")[2]
    if named not in _groups:
        raise _Refusal(f"{named}: the group does not exist")
    return {"Group": _groups[named]}


def _update_group(asked: Record) -> Record:
    found = _group(asked)
    kept = ("FilterExpression", "InsightsConfiguration")
    found["Group"].update({key: asked[key] for key in kept if asked.get(key) is not None})
    return found


def _delete_group(asked: Record) -> Record:
    del _groups[_group(asked)["Group"]["GroupName"]]
    return {}


_OPERATIONS: Final[dict[str, Callable[[Record], Record]]] = {
    "CreateGroup": _create_group,
    "CreateSamplingRule": _create_rule,
    "DeleteGroup": _delete_group,
    "DeleteSamplingRule": _delete_rule,
    "GetGroup": _group,
    "GetSamplingRules": _get_rules,
    "Groups": lambda _asked: {"Groups": list(_groups.values())},
    "ListTagsForResource": lambda _asked: {"Tags": []},
    "SamplingStatisticSummaries": lambda _asked: {"SamplingStatisticSummaries": []},
    "TelemetryRecords": lambda _asked: {},
    "TraceSegments": _put_segments,
    "TraceSummaries": _summaries,
    "Traces": _traces,
    "UpdateGroup": _update_group,
    "UpdateSamplingRule": _update_rule,
}
"""By the paths of the API."""
