"""What a request logs, by which docs/cost.md counts."""

from __future__ import annotations

import json
from typing import Any

from sandbox.box import Box
from tests.support.effects import eventually, unique
from tools import costs

ADDED = 26
"""Bytes that CloudWatch Logs counts for each event besides its text. Source: CloudWatch Logs quotas, PutLogEvents."""
READERS = ("change-publisher", "data-transformer")


def size(events: list[dict[str, Any]]) -> int:
    """What events of a log are paid for, in bytes."""
    return sum(len(event["message"].encode()) + ADDED for event in events)


def events(box: Box, group: str) -> list[dict[str, Any]]:
    """All events of the first log group whose name begins so."""
    logs = box.client("logs")
    named = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupName"]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=named)
    return [event for page in pages for event in page["events"]]


def logged(box: Box, function: str, correlation: str) -> list[dict[str, Any]]:
    """The events of the invocation that worked under a correlation id, Lambda's own included; none before its report."""
    whole = events(box, f"/aws/lambda/sandpiper-dev-{function}")
    own = [e["message"] for e in whole if f'"correlation_id": "{correlation}"' in e["message"]]
    requests = {json.loads(message)["requestId"] for message in own}
    found = [event for event in whole if any(one in event["message"] for one in requests)]
    return found if any("platform.report" in event["message"] for event in found) else []


def access_line(box: Box) -> float:
    """An average line of the REST API's access log, in bytes."""
    lines = eventually(lambda: events(box, "/aws/apigateway/sandpiper-dev-api-"))
    return size(lines) / len(lines)


def covers(said: float, measured: float) -> bool:
    """Whether a figure of the document covers what was measured, and not by far."""
    return 0.6 * said <= measured <= said


def test_a_read_logs_what_the_document_says(box: Box) -> None:
    name = unique()
    box.http.get("/items?limit=1", token=box.token(), headers={"X-Correlation-Id": name})
    read = size(eventually(lambda: logged(box, "list-items", name))) + access_line(box)
    assert covers(costs.REQUEST_BYTES, read), read


def test_a_write_logs_what_the_document_says(box: Box) -> None:
    name, item = unique(), {"name": "lamp", "price": "1.00"}
    box.http.post("/items", token=box.token(), json=item, headers={"X-Correlation-Id": name})
    told = [eventually(lambda n=n: logged(box, n, name)) for n in ("create-item", *READERS)]
    written = sum(map(size, told)) + access_line(box)
    assert covers(costs.REQUEST_BYTES + costs.WRITE_BYTES, written), written


def test_a_health_check_logs_and_counts_what_the_document_says(box: Box) -> None:
    assert box.invoke("health-checker").error is None
    lines = [line for line in box.logs("health-checker") if "_aws" in line]
    checked = eventually(lambda: logged(box, "health-checker", lines[-1]["correlation_id"]))
    # Whose id the request of GET /health has is its gateway's: any of them is as long as this one.
    asked = events(box, "/aws/lambda/sandpiper-dev-health")
    one = size(asked) / sum("platform.report" in event["message"] for event in asked)
    whole = size(checked) + one + access_line(box)
    assert covers(costs.CHECK_BYTES, whole), whole
    metrics = {
        (directive["Namespace"], metric["Name"])
        for line in lines
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }
    assert len(metrics) == costs.HEALTH_METRICS
