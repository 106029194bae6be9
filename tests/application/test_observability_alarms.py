"""What breaks rings its own alarm and those declared above it, and no other; what is mended says so.

A minute of CloudWatch lasts a quarter of a second here, so that alarms ring and are over within seconds.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path

import pytest

import sandbox
from sandbox.box import Box
from tests.support.alarms import PATIENCE, Bell, deployed, throttled
from tests.support.effects import Effects, eventually, order, unique

MINUTE = 0.25
ROOT = Path(__file__).parents[2]
CONFIG = {
    # Few calls suffice; errors are held against the calls of twenty minutes, which last 5 s.
    "observability": {
        "minimum_invocations": 5,
        "minimum_requests": 5,
        "error_rate_period": 1200,
        "latency_threshold_milliseconds": 2400,
    },
    "functions": {"create-item": {"timeout": 3}},
    # Its alarm rings by silence, of which there is plenty.
    "triggers": {"schedules": {"health-checker": {"enabled": False}}},
}
BURNT = {f"api-slo-availability-{each}" for each in ("fast", "slow")}
PARTS = {f"api-slo-availability-{each}" for each in ("fast-1h", "fast-5m", "slow-6h", "slow-30m")}
BAD = "def handler(event, context):\n    return event['nobody sends this']\n"

Call = Callable[[], int]


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A dev stack of its own: other tests break things too."""
    with sandbox.running("dev", config=CONFIG, alarm_seconds=MINUTE) as running:
        yield running


@pytest.fixture(scope="module")
def effects(box: Box) -> Effects:
    return Effects(box)


@pytest.fixture(scope="module")
def hearing(box: Box, effects: Effects) -> Bell:
    return Bell(box, effects)


@pytest.fixture
def bell(hearing: Bell) -> Bell:
    """Silent at first."""
    hearing.forget()
    return hearing


@pytest.fixture(scope="module")
def create(box: Box) -> Call:
    """POST /items; the status of the answer."""
    token = box.token()

    def post() -> int:
        return box.http.post("/items", token=token, json={"name": "lamp", "price": "1.00"}).status

    # The first call of an environment takes long, and that is not what is looked for.
    assert post() == 201
    return post


@pytest.fixture(scope="module")
def ask(box: Box) -> Call:
    """GET /products, of the other API."""
    token, url = box.token(cognito=True), f"{box.outputs['httpApiUrl']}/products"

    def get() -> int:
        return box.http.get(url, token=token).status

    assert get() == 200
    return get


def times(count: int, *calls: Call) -> Callable[[], None]:
    """Each of these calls, so often."""

    def repeat() -> None:
        for _ in range(count):
            for call in calls:
                call()

    return repeat


def check(box: Box, bell: Bell, expected: set[str], quiet: AbstractSet[str] = frozenset()) -> None:
    """These rang, besides parts that tell nobody: each told its topic of both, and named its runbook."""
    assert bell.rang() - quiet == expected
    declared = {alarm.name: alarm for alarm in box.alarms()}
    assert {name for name in expected | quiet if not declared[name].severity} == quiet
    for severity in ("page", "ticket"):
        told = bell.told(severity)
        assert told.keys() == {name for name in expected if declared[name].severity == severity}
        for name, messages in told.items():
            first, last = messages[0], messages[-1]
            assert (first["OldStateValue"], first["NewStateValue"]) == ("OK", "ALARM"), name
            assert (last["OldStateValue"], last["NewStateValue"]) == ("ALARM", "OK"), name
            runbook = first["AlarmDescription"].partition("Runbook: ")[2]
            assert (ROOT / runbook).is_file(), first["AlarmDescription"]
            assert runbook == declared[name].runbook


def test_bad_code_rings_for_its_function_its_api_and_what_was_promised(
    box: Box, bell: Bell, create: Call
) -> None:
    expected = {"create-item-errors", "api-5xx", *BURNT}
    with deployed(box, "create-item", BAD):
        assert create() == 502
        bell.rings(expected, times(5, create))
    assert create() == 201
    bell.clears(times(20, create))
    check(box, bell, expected, PARTS)


def test_throttled_functions_of_both_apis_are_the_service_being_down(
    box: Box, bell: Bell, create: Call, ask: Call
) -> None:
    expected = {"create-item-throttles", "products-throttles", "api-5xx", "http-5xx"}
    expected |= {"service-down", *BURNT}
    with throttled(box, "create-item", "products"):
        assert min(create(), ask()) >= 500
        bell.rings(expected, times(5, create, ask))
    assert (create(), ask()) == (201, 200)
    bell.clears(times(10, create, ask))
    check(box, bell, expected, PARTS)


def test_a_slow_function_rings_before_it_times_out(box: Box, bell: Bell, create: Call) -> None:
    expected = {"create-item-duration", "api-latency"}
    with box.fault("create-item", "slow", before="handler", seconds=2.6, times=None):
        bell.rings(expected, times(1, create))
    bell.clears(times(1, create))
    check(box, bell, expected)


def test_a_poison_message_rings_for_where_it_lies(box: Box, bell: Bell, effects: Effects) -> None:
    url, sqs = box.outputs["ordersQueueUrl"], box.client("sqs")
    asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    policy = json.loads(asked["Attributes"]["RedrivePolicy"])
    # It is tried eight times, a second apart; two are like eight.
    hasty = {"RedrivePolicy": json.dumps({**policy, "maxReceiveCount": 2})}
    sqs.set_queue_attributes(QueueUrl=url, Attributes=hasty)
    mark = unique("poison")
    box.send_sqs("orders", order(unique("good")), mark)
    bell.rings({"orders-dead-letter-depth"}, lambda: None)
    (letter,) = effects.letters("orders", mark)
    box.discard("orders", letter.id)
    bell.clears()
    check(box, bell, {"orders-dead-letter-depth"})


def test_one_error_among_many_calls_is_quiet_and_one_in_twenty_is_not(box: Box, bell: Bell) -> None:
    """A copy of the alarm with half its threshold tells when this one has been judged and kept silent."""
    event = {
        "id": unique(),
        "time": "2026-11-21T00:00:00Z",
        "source": "sandpiper.orders",
        "type": "Order Placed",
        "detail": {"orderId": unique("o")},
    }

    def good() -> str | None:
        return box.invoke("audit-writer", event).error

    def bad() -> str | None:
        return box.invoke("audit-writer", {}).error

    with lower(box, "audit-writer-errors", threshold=2) as its_state:
        assert {good() for _ in range(38)} == {None}
        assert bad()
        eventually(lambda: its_state() == "ALARM")
        assert bell.rang() == set()
        # On a slow machine the calls from before are over: one in five then.
        bell.rings({"audit-writer-errors"}, lambda: (bad(), good(), good(), good(), good()))
    bell.clears(good)
    check(box, bell, {"audit-writer-errors"})


@contextmanager
def lower(box: Box, alarm: str, threshold: float) -> Generator[Callable[[], str]]:
    """A copy of an alarm that rings sooner and tells nobody; what asks for its state."""
    client, name = box.client("cloudwatch"), unique("lower")
    whole = box.outputs["alarms"][alarm].rpartition(":")[2]
    (found,) = client.describe_alarms(AlarmNames=[whole])["MetricAlarms"]
    kept = ("EvaluationPeriods", "ComparisonOperator", "TreatMissingData", "Metrics")
    asked = {member: found[member] for member in kept}
    client.put_metric_alarm(AlarmName=name, Threshold=threshold, **asked)

    def state() -> str:
        (copy,) = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return str(copy["StateValue"])

    try:
        yield state
    finally:
        client.delete_alarms(AlarmNames=[name])


def test_nothing_rings_where_nothing_happens(box: Box, bell: Bell) -> None:
    """A clock that has run down after five silent minutes tells that they are over."""
    client, name = box.client("cloudwatch"), unique("clock")
    client.put_metric_alarm(
        AlarmName=name,
        Namespace=name,
        MetricName="ticks",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=5,
        Threshold=2,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="missing",
    )

    def state() -> str:
        (clock,) = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return str(clock["StateValue"])

    client.put_metric_data(Namespace=name, MetricData=[{"MetricName": "ticks", "Value": 1}])
    eventually(lambda: state() == "OK")
    eventually(lambda: state() == "INSUFFICIENT_DATA")
    client.delete_alarms(AlarmNames=[name])
    assert bell.rang() == set()
    assert {alarm.state for alarm in box.alarms() if alarm.severity} == {"OK"}


# What the functions count.


def counted(box: Box) -> Counter[str]:
    """What functions have counted since the sandbox began, by name and state."""
    client, now = box.client("cloudwatch"), time.time()
    (page,) = client.get_paginator("list_metrics").paginate(Namespace="Sandpiper")
    found = Counter[str]()
    for metric in page["Metrics"]:
        told = client.get_metric_statistics(
            **metric,
            StartTime=now - 3600,
            EndTime=now + 60,
            Period=60,
            Statistics=["Sum"],
        )
        dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        assert dimensions.pop("Stack") == "sandpiper-dev"
        name = " ".join([metric["MetricName"], *dimensions.values()])
        found[name] += int(sum(point["Sum"] for point in told["Datapoints"]))
    return found


def test_what_happened_is_counted_once_however_often_it_was_asked(
    box: Box, effects: Effects
) -> None:
    before, token, ident = counted(box), box.token(), unique("order")
    body, headers = {"name": "lamp", "price": "1.00"}, {"Idempotency-Key": f'"{ident}"'}
    made = [box.http.post("/items", token=token, json=body, headers=headers) for _ in range(3)]
    (url,) = {f"/items/{answer.json()['id']}" for answer in made}
    assert [box.http.delete(url, token=token).status for _ in range(2)] == [204, 204]
    box.send_sqs("orders", order(ident, price="1000.00"), order(ident, price="1000.00"))
    told = effects.inbox("notifications")
    assert eventually(lambda: effects.placed(ident), PATIENCE)
    eventually(lambda: [text for text in effects.peek(told) if ident in text], PATIENCE)
    expected = {
        "ItemsCreated": 1,
        "ItemsDeleted": 1,
        "Orders placed": 1,
        "Orders confirmed": 1,
        "NotificationsSent": 1,
    }
    eventually(lambda: (counted(box) - before).keys() == expected.keys())
    assert counted(box) - before == expected
