"""Queues and the mappings that read them: which messages a function gets, which stay, and that none is lost."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.workers.queue_batches import named
from sandbox.workers.queue_seams import drop
from tests.sandbox.delivery_support import logged, reader, received, until
from tests.sandbox.functions_support import archive, role
from tests.sandbox.services_support import Made, clients, make

BODIES = """
import json

def handler(event, context):
    print("told", json.dumps([r["body"] for r in event["Records"]]))
    bad = [r for r in event["Records"] if "bad" in r["body"]]
    if any("crash" in r["body"] for r in bad):
        raise ValueError("no")
    if any("strange" in r["body"] for r in bad):
        return {"batchItemFailures": [{"itemIdentifier": "nobody"}]}
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in bad]}
"""
KIND = "lambda/eventSourceMapping:EventSourceMapping"


def queues(name: str, *, most: int = 2, visible: int = 1, **more: Any) -> tuple[Made, Made]:
    """A queue and its dead-letter queue."""
    fifo = {"fifoQueue": True} if more.get("fifoQueue") else {}
    dead = make("sqs/queue:Queue", f"{name}-dead", **fifo)
    redrive = json.dumps({"deadLetterTargetArn": dead["arn"], "maxReceiveCount": most})
    work = make(
        "sqs/queue:Queue", name, visibilityTimeoutSeconds=visible, redrivePolicy=redrive, **more
    )
    return work, dead


def read_by(queue: Made, source: str = BODIES, **more: Any) -> tuple[Made, Made]:
    """A function that reads the queue, and the mapping."""
    function = reader(queue.name, source, timeout=1)
    mapping = make(
        KIND,
        queue.name,
        eventSourceArn=queue["arn"],
        functionName=function["arn"],
        functionResponseTypes=["ReportBatchItemFailures"],
        **more,
    )
    return function, mapping


def send(queue: Made, *bodies: str, **more: Any) -> None:
    for body in bodies:
        clients().client("sqs").send_message(QueueUrl=queue["url"], MessageBody=body, **more)


def left(queue: Made) -> int:
    found = (
        clients()
        .client("sqs")
        .get_queue_attributes(QueueUrl=queue["url"], AttributeNames=["All"])["Attributes"]
    )
    return sum(int(found[key]) for key in found if key.startswith("ApproximateNumberOf"))


def bodies(function: Made) -> list[str]:
    return [body for line in logged(function) for body in json.loads(line)]


def test_messages_that_a_filter_drops_are_gone_even_where_the_function_fails() -> None:
    work, dead = queues("filtered-work")
    send(work, '{"kind": "bad crash"}', '{"kind": "other"}', "no JSON")
    pattern = json.dumps({"body": {"kind": [{"prefix": "bad"}]}})
    function, mapping = read_by(work, filterCriteria={"filters": [{"pattern": pattern}]})
    [letter] = received(dead)
    assert json.loads(letter["Body"]) == {"kind": "bad crash"}
    assert set(bodies(function)) == {'{"kind": "bad crash"}'}
    assert left(work) == left(dead) == 0
    mapping.delete()


def test_answer_that_names_unknown_messages_fails_the_whole_batch() -> None:
    work, dead = queues("strange-work")
    send(work, "good", "bad strange")
    _function, mapping = read_by(work)
    assert {m["Body"] for m in received(dead, 2)} == {"good", "bad strange"}
    mapping.delete()


def test_named_messages_come_again_and_the_others_are_done() -> None:
    work, dead = queues("partial-work")
    send(work, "good", "bad", "fine")
    function, mapping = read_by(work)
    [letter] = received(dead)
    assert (letter["Body"], letter["Attributes"]["ApproximateReceiveCount"]) == ("bad", "3")
    assert bodies(function).count("good") == bodies(function).count("fine") == 1
    mapping.delete()


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ("", set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ('{"batchItemFailures": [{"itemIdentifier": "b"}]}', {"b"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, {"a", "b"}),
        ({"batchItemFailures": [{"id": "a"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": "a"}, "b"]}, {"a", "b"}),
        ("not JSON", {"a", "b"}),
        ([], {"a", "b"}),
    ],
)
def test_partial_answers_count_as_lambda_counts_them(answer: Any, failed: set[str]) -> None:
    assert named(answer, {"a", "b"}) == failed


def test_group_of_a_fifo_queue_waits_for_its_failing_message_and_others_go_on() -> None:
    work, dead = queues("ordered-work", fifoQueue=True, contentBasedDeduplication=True, most=3)
    for body, group in (("bad 1", "a"), ("1", "b"), ("2", "b")):
        send(work, body, MessageGroupId=group)
    function, mapping = read_by(work, batchSize=1)
    send(work, "after", MessageGroupId="a")
    send(work, "after", MessageGroupId="a")  # the same content: once
    [letter] = received(dead)
    assert letter["Body"] == "bad 1"
    assert letter["Attributes"]["MessageGroupId"] == "a"
    until(lambda: left(work) == 0)
    seen = bodies(function)
    assert seen.index("1") < seen.index("2") < seen.index("after")
    assert [b for b in seen if b in ("bad 1", "after")] == ["bad 1", "bad 1", "bad 1", "after"]
    mapping.delete()


def test_nothing_is_lost_while_many_send_and_one_reads() -> None:
    work, dead = queues("busy-work", visible=30)
    function, mapping = read_by(work)

    def fill(number: int) -> None:
        sqs = clients().client("sqs")
        for start in range(0, 200, 10):
            entries = [{"Id": str(i), "MessageBody": f"{number}-{start + i}"} for i in range(10)]
            sqs.send_message_batch(QueueUrl=work["url"], Entries=entries)

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: left(work) == 0, 20)
    assert sorted(bodies(function)) == sorted(f"{n}-{i}" for n in range(4) for i in range(200))
    assert left(dead) == 0
    mapping.delete()


def test_throttled_batch_costs_its_messages_no_attempt() -> None:
    work, dead = queues("throttled-work", most=1, visible=30)
    slow = BODIES.replace(
        "    print", "    __import__('time').sleep(event.get('wait', 0))\n    print"
    )
    slow = slow.replace('event["Records"]]', 'event.get("Records", [])]').replace(
        'in event["Records"] if', 'in event.get("Records", []) if'
    )
    function = reader("throttled-work", slow, timeout=5, reservedConcurrentExecutions=1)
    mapping = make(KIND, "throttled", eventSourceArn=work["arn"], functionName=function["arn"])
    call = {"FunctionName": function["name"], "InvocationType": "Event"}
    clients().client("lambda").invoke(**call, Payload=b'{"wait": 1.5}')
    time.sleep(0.3)
    send(work, "kept")
    time.sleep(0.5)
    assert left(work) == 1
    until(lambda: left(work) == 0)
    assert bodies(function) == ["kept"]
    assert left(dead) == 0
    mapping.delete()


def test_what_is_appended_while_messages_go_stays() -> None:
    queue: dict[str, Any] = {"messages": [{"id": 1}, {"id": 2}]}

    def gone(message: dict[str, Any]) -> bool:
        if message["id"] == 2:
            queue["messages"].append({"id": 3})  # as a sender does, without a lock
        return message["id"] == 1

    assert drop(queue, gone) == [{"id": 1}]
    assert [each["id"] for each in queue["messages"]] == [2, 3]


def test_large_batch_needs_a_window_and_gets_all_there_is() -> None:
    work, _dead = queues("large-work", visible=30)
    send(work, *(str(n) for n in range(25)))
    with pytest.raises(ClientError, match="Maximum batch window"):
        read_by(work, batchSize=100)
    function = reader("large-work-2", BODIES, timeout=1)
    mapping = make(
        KIND,
        "large",
        eventSourceArn=work["arn"],
        functionName=function["arn"],
        batchSize=100,
        maximumBatchingWindowInSeconds=1,
    )
    [line] = until(lambda: logged(function))
    assert len(json.loads(line)) == 25
    mapping.delete()


def test_mapping_is_refused_without_rights_time_or_a_sound_pattern() -> None:
    work, _dead = queues("refused-work", visible=1)
    nobody = role("refused-nobody")
    idle = make(
        "lambda/function:Function",
        "refused-nobody",
        code=archive(BODIES),
        role=nobody["arn"],
        runtime="python3.13",
        handler="main.handler",
        timeout=1,
    )
    with pytest.raises(ClientError, match="does not have permissions to call ReceiveMessage"):
        make(KIND, "refused", eventSourceArn=work["arn"], functionName=idle["arn"])
    slow = reader("refused-slow", BODIES, timeout=2)
    with pytest.raises(ClientError, match="less than Function timeout"):
        make(KIND, "refused", eventSourceArn=work["arn"], functionName=slow["arn"])
    fine = reader("refused-fine", BODIES, timeout=1)
    pattern = json.dumps({"body": {"a": "not a list"}})
    with pytest.raises(ClientError, match="Invalid filter pattern"):
        make(
            KIND,
            "refused",
            eventSourceArn=work["arn"],
            functionName=fine["arn"],
            filterCriteria={"filters": [{"pattern": pattern}]},
        )
