"""One request is found again: by its correlation id in the logs of all that it caused, and as a tree in X-Ray."""

from __future__ import annotations

import io
import json
import re
import time
from datetime import datetime
from typing import Any

import pytest
from PIL import Image

from sandbox.box import Box
from tests.support import segments
from tests.support.effects import eventually, unique

HEADER = "X-Correlation-Id"
ITEM = {"name": "lamp", "price": "1.00"}
SECONDS = 25.0

Line = dict[str, Any]


def lines(box: Box, function: str, ident: str) -> list[Line]:
    """What a function logged of a request."""
    return [
        line
        for line in box.logs(function)
        if isinstance(line, dict) and line.get("correlation_id") == ident
    ]


def followed(box: Box, ident: str, *functions: str) -> dict[str, list[Line]]:
    """The lines of a request, once each of these functions has some."""

    def found() -> dict[str, list[Line]]:
        there = {name: lines(box, name, ident) for name in functions}
        return there if all(there.values()) else {}

    return eventually(found, SECONDS)


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30)).save(file, "JPEG")
    return file.getvalue()


# The correlation id.


def test_a_request_is_followed_through_the_stream_of_its_table(box: Box) -> None:
    ident = unique("request")
    answer = box.http.post("/items", token=True, json=ITEM, headers={HEADER: ident})
    assert (answer.status, answer.headers[HEADER]) == (201, ident)
    followed(box, ident, "create-item", "data-transformer", "change-publisher")


def test_an_order_is_followed_through_queue_bus_and_topics(box: Box) -> None:
    """From Node over a queue to Python, from there by the bus, a topic, another queue and another topic."""
    ident, order = unique("request"), unique("order")
    answer = box.http.post(
        f"{box.outputs['httpApiUrl']}/orders",
        token=box.token(cognito=True),
        json={
            "orderId": order,
            "customerEmail": "ann@example.com",
            "items": [{"id": "press", "quantity": 2, "price": "999"}],
        },
        headers={HEADER: ident},
    )
    assert (answer.status, answer.headers[HEADER]) == (201, ident)
    passed = ("products", "order-processor", "audit-writer", "notification-sender")
    found = followed(box, ident, *passed)
    assert {line["service"] for each in found.values() for line in each} == {"sandpiper"}


def test_a_notification_is_followed_although_no_function_took_it(box: Box) -> None:
    """The gateway itself sends it on, and can only give it the id that it gives to each request."""
    body = {"subject": "Hello", "message": unique()}
    answer = box.http.post(
        "/notifications", token=True, json=body, headers={"X-Api-Key": box.api_key()}
    )
    ident = answer.headers[HEADER]
    assert (answer.status, ident) == (202, answer.headers["x-amzn-requestid"])
    followed(box, ident, "notification-sender")


def test_a_document_is_followed_to_whom_its_picture_is_given(box: Box) -> None:
    key = f"incoming/{unique()}.jpg"
    box.send_s3(picture(), key, content_type="image/jpeg")

    def arrived() -> str:
        found = [line for line in box.logs("content-router") if key in json.dumps(line)]
        return found[0]["correlation_id"] if found else ""

    followed(box, eventually(arrived, SECONDS), "content-router", "image-processor")


@pytest.mark.parametrize("given", [None, "two words", 'quoted"', "x" * 129])
def test_a_request_without_an_id_that_is_one_is_known_by_the_gateways(
    box: Box, given: str | None
) -> None:
    headers = {} if given is None else {HEADER: given}
    answer = box.http.get("/health", headers=headers)
    ident = answer.headers[HEADER]
    assert ident == answer.headers["x-amzn-requestid"]
    followed(box, ident, "health")


# The trace.


def physical(box: Box, function: str) -> str:
    """A function's name in AWS."""
    return str(box.outputs["functions"][function]["name"])


def journal(box: Box, function: str, request: str) -> list[Line]:
    """All that a function and Lambda itself logged of a call, in this order, once Lambda has said how it ended."""
    group = box.outputs["functions"][function]["logGroup"]
    pages = box.client("logs").get_paginator("filter_log_events")

    def whole() -> list[Line]:
        told = pages.paginate(logGroupName=group, filterPattern=f'"{request}"')
        found = [json.loads(event["message"]) for page in told for event in page["events"]]
        return found if found and found[-1].get("type") == "platform.report" else []

    return eventually(whole)


def moment(line: Line) -> float:
    """When a line was written, in seconds since the epoch."""
    return datetime.fromisoformat(line.get("timestamp") or line["time"]).timestamp()


def timed(box: Box, root: segments.Segment, function: str) -> segments.Segment:
    """The call of a function in a trace: as long as Lambda says, and around what it logged meanwhile."""
    service = root.find(name=physical(box, function), origin="AWS::Lambda")
    (own,) = service.children
    assert own.document["origin"] == "AWS::Lambda::Function"
    (call,) = [each for each in own.children if each.document["name"] == "Invocation"]
    written = journal(box, function, service.document["aws"]["request_id"])
    assert written[0]["type"] == "platform.start"
    lasted = written[-1]["record"]["metrics"]["durationMs"]
    # Some runtimes are timed from outside, where a busy machine adds a little.
    slack = 0.005 + lasted / 10_000
    assert abs(call.milliseconds - lasted) < slack * 1000
    moments = [moment(line) for line in written]
    # Lines have whole milliseconds.
    assert moments == sorted(moments)
    assert abs(call.start - moments[0]) < slack
    assert abs(call.end - moments[-1]) < slack
    return call


def test_a_request_is_one_tree_whose_times_are_those_of_the_logs(box: Box) -> None:
    ident = unique("request")
    answer = box.http.post("/items", token=True, json=ITEM, headers={HEADER: ident})
    (line,) = [
        each for each in lines(box, "create-item", ident) if each["message"] == "request answered"
    ]
    sent = re.match(r"Root=([^;]+);", answer.headers["X-Amzn-Trace-Id"])
    assert sent
    assert sent[1] == line["xray_trace_id"]
    stage = "sandpiper-dev-api/dev"
    root = segments.tree(box, line["xray_trace_id"], physical(box, "create-item"), stage)
    assert root.document["origin"] == "AWS::ApiGateway::Stage"
    assert root.document["http"]["response"]["status"] == 201
    call = timed(box, root, "create-item")
    assert call.milliseconds + 1 >= line["milliseconds"]
    (put,) = call.children
    assert put.document["namespace"] == "aws"
    assert put.document["aws"]["operation"] == "PutItem"
    assert put.document["annotations"]["correlation_id"] == ident
    assert 0 < put.milliseconds < line["milliseconds"]


def test_what_a_queue_brought_is_a_trace_of_its_own_that_names_the_one_before(box: Box) -> None:
    ident, order = unique("request"), unique("order")
    box.http.post(
        f"{box.outputs['httpApiUrl']}/orders",
        token=box.token(cognito=True),
        json={
            "orderId": order,
            "customerEmail": "ann@example.com",
            "items": [{"id": "press", "quantity": 2, "price": "999"}],
        },
        headers={HEADER: ident},
    )
    passed = ("products", "order-processor", "audit-writer", "notification-sender")
    found = followed(box, ident, *passed)
    (first,) = {line["xray_trace_id"] for line in found["products"]}
    (second,) = {line["xray_trace_id"] for line in found["order-processor"]}
    assert {line["xray_trace_id"] for line in found["audit-writer"]} == {second}
    sent = timed(box, segments.tree(box, first, physical(box, "products")), "products")
    assert [each.document["aws"]["operation"] for each in sent.children] == ["SendMessage"]
    called = (physical(box, "order-processor"), physical(box, "audit-writer"))
    root = segments.tree(box, second, *called)
    (link,) = root.document["links"]
    assert (link["trace_id"], link["attributes"]) == (first, {"ReferenceType": "parent"})
    timed(box, root, "order-processor")
    timed(box, root, "audit-writer")
    # A topic and a queue further on.
    (third,) = {line["xray_trace_id"] for line in found["notification-sender"]}
    root = segments.tree(box, third, physical(box, "notification-sender"))
    assert [each["trace_id"] for each in root.document["links"]] == [second]


# Secrets.

CANARY = "cAnArY7xQ"
"""In none of the data that tests of this sandbox send otherwise."""


def said(box: Box) -> dict[str, str]:
    """All that may be read of what happened: log groups, metrics, traces; by what it is."""
    logs, found = box.client("logs"), dict[str, str]()
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
            found[name] = "\n".join(e["message"] for each in pages for e in each["events"])
    metrics = box.client("cloudwatch").get_paginator("list_metrics").paginate()
    found["metrics"] = json.dumps([page["Metrics"] for page in metrics])
    client, now = box.client("xray"), time.time()
    summaries = client.get_paginator("get_trace_summaries")
    pages = summaries.paginate(StartTime=now - 3600, EndTime=now + 60)
    ids = [trace["Id"] for page in pages for trace in page["TraceSummaries"]]
    for start in range(0, len(ids), 5):
        traces = client.batch_get_traces(TraceIds=ids[start : start + 5])["Traces"]
        found[f"traces {start}"] = json.dumps(traces)
    return found


def tell_secrets(box: Box) -> list[str]:
    """Send the canary wherever something can be sent; texts of which each stands in a line once all is done."""
    ident, url = unique("request"), box.outputs["httpApiUrl"]
    headers = {
        HEADER: ident,
        "Authorization": f"Bearer {CANARY}.{CANARY}.{CANARY}",
        "Cookie": f"session={CANARY}",
        "X-Api-Key": CANARY,
        "Idempotency-Key": f'"{CANARY}"',
    }
    secrets = {"password": CANARY, "token": CANARY, "note": CANARY}
    person = box.token(cognito=True)
    # Refused by who looks at tokens, by schemas, by handlers; and taken.
    box.http.post("/items", json=ITEM, headers=headers)
    box.http.post(f"{url}/orders", json=secrets, headers=headers)
    mine = {name: value for name, value in headers.items() if name != "Authorization"}
    box.http.post("/items", token=True, json={**ITEM, **secrets}, headers=mine)
    box.http.post("/items", token=True, body=f'{{"name": "{CANARY}', headers=mine)
    box.http.post("/items", token=True, json={**ITEM, "name": CANARY}, headers=mine)
    box.http.post(f"{url}/orders", token=person, json={"items": CANARY}, headers=mine)
    box.http.get(f"/items?cursor={CANARY}", token=True)
    box.send_webhook(secrets, ident=unique(), key=CANARY)
    # Exceptions of functions, some with a text of others in them.
    box.send_sqs("notifications", f"{ident} {CANARY}", {"id": ident, "message": 7, "email": CANARY})
    box.send_sqs("orders", {"orderId": ident, "customerEmail": CANARY, "items": [secrets]})
    box.invoke("audit-writer", {"detail": secrets, "password": CANARY})
    box.invoke("content-router", {"detail": {"object": {"key": CANARY}}})
    box.send_s3(CANARY.encode(), f"incoming/{ident}.jpg", content_type="image/jpeg")
    box.send_s3(f'"{CANARY}'.encode(), f"incoming/{ident}.csv", content_type="text/csv")
    return [f"incoming/{ident}.jpg", f"incoming/{ident}.csv", ident]


def test_no_secret_is_in_any_log_metric_or_trace(box: Box) -> None:
    texts = tell_secrets(box)

    def done() -> bool:
        router = json.dumps(box.logs("content-router"))
        refused = json.dumps([box.logs("notification-sender"), box.logs("order-processor")])
        return all(text in router for text in texts[:2]) and "message refused" in refused

    eventually(done, SECONDS)
    found = said(box)
    # What is no secret is found.
    assert texts[0] in found[box.outputs["functions"]["content-router"]["logGroup"]]
    assert any(name.startswith("traces") and texts[-1] in text for name, text in found.items())
    told = [line for text in found.values() for line in text.splitlines() if CANARY in line]
    assert told == []
