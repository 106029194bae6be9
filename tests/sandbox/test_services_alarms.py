"""Alarms ring for what really happened, in the words of CloudWatch, and clear again."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from sandbox.workers.alarm_states import reason
from sandbox.workers.alarm_watch import Watched
from sandbox.workers.metric_store import STORE, key_of
from tests.sandbox.services_support import ACCOUNT, REGION, make
from tests.sandbox.workers_support import Launcher

MINUTE = 0.3
MOODY = "def handler(event, context):\n    return 1 / (0 if event.get('fail') else 1)\n"
_numbers = itertools.count()


class Bench:
    """An emulator whose minutes are short, and its alarms."""

    def __init__(self, launcher: Launcher) -> None:
        self.box = launcher
        self.cloudwatch = launcher.client("cloudwatch")
        self.region = self.cloudwatch.meta.region_name

    def alarm(self, **inputs: Any) -> str:
        """Put an alarm; without a metric of its own it watches `m` of a namespace that is its name."""
        name = f"alarm-{next(_numbers):03}"
        if not {"Metrics", "MetricName"} & set(inputs):
            inputs |= {"Namespace": name, "MetricName": "m"}
        if "MetricName" in inputs:
            inputs = {"Statistic": "Sum", "Period": 60, **inputs}
        usual = {
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        }
        self.cloudwatch.put_metric_alarm(AlarmName=name, **{**usual, **inputs})
        return name

    def put(self, namespace: str, value: float, **dimensions: str) -> None:
        named = [{"Name": n, "Value": v} for n, v in dimensions.items()]
        datum = {"MetricName": "m", "Value": value, "Dimensions": named}
        self.cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])

    def of(self, name: str) -> Mapping[str, Any]:
        kinds = ["MetricAlarm", "CompositeAlarm"]
        answer = self.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=kinds)
        [found] = answer["MetricAlarms"] + answer["CompositeAlarms"]
        return found

    def becomes(self, name: str, state: str, seconds: float = 6) -> Mapping[str, Any]:
        """Wait until an alarm has a state."""
        until = time.monotonic() + seconds
        while (found := self.of(name))["StateValue"] != state:
            assert time.monotonic() < until, found
            time.sleep(0.02)
        return found

    def topic(self) -> tuple[str, Callable[[], list[Any]]]:
        """A topic, and what a queue that is subscribed to it got so far."""
        name = f"topic-{next(_numbers):03}"
        arn = self.box.client("sns").create_topic(Name=name)["TopicArn"]
        queues, queue = self.box.client("sqs"), arn.replace(":sns:", ":sqs:")
        url = queues.create_queue(QueueName=name)["QueueUrl"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        self.box.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)

        def got() -> list[Any]:
            answer = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

        return arn, got


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    launcher = Launcher(tmp_path_factory.mktemp("alarms"), SANDPIPER_MINUTE=str(MINUTE))
    yield Bench(launcher)
    launcher.stop()


def metric(ident: str, name: str, function: str, period: int = 60) -> dict[str, Any]:
    dimensions = [{"Name": "FunctionName", "Value": function}]
    named = {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": dimensions}
    return {
        "Id": ident,
        "MetricStat": {"Metric": named, "Period": period, "Stat": "Sum"},
        "ReturnData": False,
    }


def rate(function: str) -> list[dict[str, Any]]:
    """Share of errors where there are three calls or more."""
    expression = "IF(invocations >= 3, 100 * errors / invocations, 0)"
    return [
        metric("errors", "Errors", function, 300),
        metric("invocations", "Invocations", function, 300),
        {"Id": "rate", "Expression": expression, "ReturnData": True},
    ]


def test_error_rate_rings_for_its_own_function_only_and_clears(bench: Bench) -> None:
    box = bench.box
    mine, other = box.function(MOODY), box.function(MOODY)
    topic, got = bench.topic()
    told = {"AlarmActions": [topic], "OKActions": [topic], "Threshold": 5}
    ringing = bench.alarm(Metrics=rate(mine), AlarmDescription="Runbook: r.md", **told)
    quiet = bench.alarm(Metrics=rate(other), **told)
    whole = f"alarm-{next(_numbers):03}"
    bench.cloudwatch.put_composite_alarm(
        AlarmName=whole, AlarmRule=f"ALARM({ringing}) OR ALARM({quiet})", AlarmActions=[topic]
    )
    assert bench.becomes(ringing, "OK")["StateReason"].startswith(
        "Threshold Crossed: no datapoints"
    )
    for _ in range(2):  # Too few to count.
        box.invoke(mine, {"fail": 1})
    box.invoke(other, {})
    time.sleep(MINUTE)
    assert bench.of(ringing)["StateValue"] == "OK"
    for _ in range(3):
        box.invoke(mine, {"fail": 1})
        box.invoke(other, {})
    found = bench.becomes(ringing, "ALARM")
    assert found["StateReason"].startswith(
        "Threshold Crossed: 1 out of the last 1 datapoint [100.0 ("
    )
    assert json.loads(found["StateReasonData"])["recentDatapoints"] == [100.0]
    assert found["Metrics"][2]["Expression"].startswith("IF(")
    bench.becomes(whole, "ALARM")
    assert bench.of(quiet)["StateValue"] == "OK"
    first, second = sorted(got(), key=lambda each: json.loads(each["Message"])["AlarmName"])
    assert [json.loads(each["Message"])["AlarmName"] for each in (first, second)] == [
        ringing,
        whole,
    ]
    message = json.loads(first["Message"])
    assert first["Subject"].startswith(f'ALARM: "{ringing}" in ')
    assert (message["OldStateValue"], message["NewStateValue"]) == ("OK", "ALARM")
    assert message["AlarmDescription"] == "Runbook: r.md"
    assert message["Trigger"]["Metrics"][2]["Expression"].startswith("IF(")
    bench.becomes(ringing, "OK")
    bench.becomes(whole, "OK")
    [cleared] = got()
    assert cleared["Subject"].startswith(f'OK: "{ringing}" in ')
    history = bench.cloudwatch.describe_alarm_history(AlarmName=ringing)["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in history][:2] == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to ALARM",
    ]


def test_alarm_sees_only_the_dimensions_that_it_names(bench: Bench) -> None:
    dimensions = [{"Name": "Kind", "Value": "a"}]
    name = bench.alarm(Namespace="Dimensions", MetricName="m", Dimensions=dimensions)
    bench.put("Dimensions", 5, Kind="b")
    bench.put("Dimensions", 5)
    seen = bench.alarm(Namespace="Dimensions", MetricName="m")
    bench.becomes(seen, "ALARM")
    assert bench.becomes(name, "OK")["Dimensions"] == dimensions
    bench.put("Dimensions", 5, Kind="a")
    bench.becomes(name, "ALARM")
    asked = {"Namespace": "Dimensions", "MetricName": "m"}
    for wanted, over in ((name, dimensions), (seen, [])):
        answer = bench.cloudwatch.describe_alarms_for_metric(**asked, Dimensions=over)
        assert [alarm["AlarmName"] for alarm in answer["MetricAlarms"]] == [wanted]


def test_extended_statistics_and_shares_are_judged(bench: Bench) -> None:
    slow = bench.alarm(
        Metrics=[_stat("p", "Shares", "p90")],
        Threshold=100,
    )
    share = bench.alarm(
        Metrics=[_stat("p", "Shares", "PR(:50)")],
        Threshold=90,
        ComparisonOperator="LessThanThreshold",
    )
    datum = {"MetricName": "m", "Values": [10.0, 500.0], "Counts": [8.0, 2.0]}
    bench.cloudwatch.put_metric_data(Namespace="Shares", MetricData=[datum])
    assert "[500.0 (" in bench.becomes(slow, "ALARM")["StateReason"]
    assert "[80.0 (" in bench.becomes(share, "ALARM")["StateReason"]


def _stat(ident: str, namespace: str, statistic: str) -> dict[str, Any]:
    named = {"Namespace": namespace, "MetricName": "m"}
    return {"Id": ident, "MetricStat": {"Metric": named, "Period": 60, "Stat": statistic}}


def test_so_many_of_so_many_periods_have_to_breach(bench: Bench) -> None:
    name = bench.alarm(EvaluationPeriods=3, DatapointsToAlarm=2)
    bench.becomes(name, "OK")
    bench.put(name, 5)
    time.sleep(MINUTE / 2)
    assert bench.of(name)["StateValue"] == "OK"
    time.sleep(MINUTE)
    bench.put(name, 5)
    bench.becomes(name, "ALARM")


def test_one_of_several_filled_periods_rings_and_clears_when_they_are_over(bench: Bench) -> None:
    name = f"filled-{next(_numbers):03}"
    filled = {"Id": "value", "Expression": "FILL(m, 0) + FILL(n, 0)", "ReturnData": True}
    read = [{**_stat(ident, f"{name}-{ident}", "Sum"), "ReturnData": False} for ident in "mn"]
    alarm = bench.alarm(Metrics=[*read, filled], EvaluationPeriods=6, DatapointsToAlarm=1)
    bench.becomes(alarm, "OK")
    bench.put(f"{name}-n", 1)
    rang = time.monotonic()
    bench.becomes(alarm, "ALARM")
    bench.becomes(alarm, "OK")
    assert time.monotonic() - rang > 4 * MINUTE


def silent(name: str) -> dict[str, Any]:
    """An alarm for which silence breaches."""
    return {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:r:a:alarm:{name}",
        "Namespace": name,
        "MetricName": "m",
        "Statistic": "Minimum",
        "Period": 300,
        "EvaluationPeriods": 3,
        "Threshold": 1,
        "ComparisonOperator": "LessThanThreshold",
        "TreatMissingData": "breaching",
    }


def test_silence_rings_only_after_its_time_and_only_of_a_metric_that_came() -> None:
    now = time.time()
    never = Watched(silent("never"), lambda: None)
    assert never.judge(now + 3600)[0].state is None
    assert never.due is None
    came, key = Watched(silent("came"), lambda: None), key_of("came", "m")
    STORE.add(key, 1, moment=now)
    states = [came.judge(now + minutes * 60)[0].state for minutes in (0, 5, 14)]
    assert states == ["OK", "OK", "OK"]
    found, _ = came.judge(now + 31 * 60)
    assert found.state == "ALARM"
    assert "3 missing datapoints were treated as [Breaching]" in reason(came.rule, found)
    came.since = now + 30 * 60  # The machine slept until then.
    assert came.judge(now + 31 * 60)[0].state is None
    assert came.due == pytest.approx(now + 45 * 60, abs=2)


def test_alarm_that_has_cleared_does_not_ring_again_for_the_same_values() -> None:
    now = time.time()
    ringing = {
        "EvaluationPeriods": 1,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    watched = Watched({**silent("once"), **ringing, "Metrics": rate("once")}, lambda: None)
    for name, after in (("Invocations", 10), ("Errors", 0)):
        key = key_of("AWS/Lambda", name, {"FunctionName": "once"})
        STORE.add(key, 10, moment=now)
        STORE.add(key, after, moment=now + 100)
    found = [watched.judge(now + seconds)[0].state for seconds in range(100, 1500, 50)]
    changes = [(a, b) for a, b in itertools.pairwise(found) if a != b]
    assert changes == [("ALARM", "OK")]


def test_missing_data_that_is_just_missing_is_insufficient(bench: Bench) -> None:
    name = bench.alarm(TreatMissingData="missing")
    bench.put(name, 0)
    bench.becomes(name, "OK")
    found = bench.becomes(name, "INSUFFICIENT_DATA")
    assert found["StateReason"] == "Insufficient Data: 1 datapoint was unknown."


def test_missing_data_that_is_ignored_keeps_the_state(bench: Bench) -> None:
    name = bench.alarm(TreatMissingData="ignore")
    bench.put(name, 5)
    bench.becomes(name, "ALARM")
    time.sleep(4 * MINUTE)
    assert bench.of(name)["StateValue"] == "ALARM"
    bench.put(name, 0)
    bench.becomes(name, "OK")


def test_alarm_without_data_takes_no_actions(bench: Bench) -> None:
    """On AWS each alarm of a new stack says once that all is well."""
    topic, got = bench.topic()
    name = bench.alarm(OKActions=[topic])
    bench.becomes(name, "OK")
    assert got() == []


def test_topic_that_does_not_let_cloudwatch_in_is_told_nothing(bench: Bench) -> None:
    topic, got = bench.topic()
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    bench.box.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=policy
    )
    name = bench.alarm(AlarmActions=[topic])
    bench.put(name, 5)
    bench.becomes(name, "ALARM")
    assert got() == []
    assert f"cloudwatch.amazonaws.com may not publish to {topic}" in bench.box.log.read_text()


def test_state_that_was_set_by_hand_holds_for_a_minute(bench: Bench) -> None:
    topic, got = bench.topic()
    name = bench.alarm(AlarmActions=[topic])
    bench.becomes(name, "OK")
    bench.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")
    [message] = got()
    assert json.loads(message["Message"])["NewStateReason"] == "a drill"
    bench.becomes(name, "OK")


def test_alarm_that_is_declared_anew_or_deleted_is_judged_so(bench: Bench) -> None:
    name = bench.alarm()
    bench.put(name, 5)
    bench.becomes(name, "ALARM")
    bench.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=name,
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=50,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    bench.becomes(name, "OK")
    bench.cloudwatch.delete_alarms(AlarmNames=[name])
    bench.put(name, 500)
    time.sleep(MINUTE)
    assert bench.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


def test_what_is_not_simulated_keeps_its_first_state_and_says_so(bench: Bench) -> None:
    band = {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(calls, 2)", "ReturnData": True}
    calls = {**metric("calls", "Invocations", "f"), "ReturnData": True}
    name = f"alarm-{next(_numbers):03}"
    bench.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Metrics=[calls, band],
        ThresholdMetricId="band",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanUpperThreshold",
    )
    found = bench.of(name)
    assert found["StateValue"] == "INSUFFICIENT_DATA"
    assert found["StateReason"] == "Not simulated: ANOMALY_DETECTION_BAND is not simulated"
    assert found["ThresholdMetricId"] == "band"


def test_queue_with_a_message_rings(bench: Bench) -> None:
    queues, name = bench.box.client("sqs"), f"letters-{next(_numbers):03}"
    url = queues.create_queue(QueueName=name)["QueueUrl"]
    depth = bench.alarm(
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": name}],
        Statistic="Maximum",
    )
    bench.becomes(depth, "OK")
    queues.send_message(QueueUrl=url, MessageBody="dead")
    bench.becomes(depth, "ALARM")
    queues.purge_queue(QueueUrl=url)
    bench.becomes(depth, "OK")


def composite(rule: str, **inputs: Any) -> Any:
    return make("cloudwatch/compositeAlarm:CompositeAlarm", "down", alarmRule=rule, **inputs)


def test_composite_alarm_as_a_resource(aws: Any) -> None:
    child = make(
        "cloudwatch/metricAlarm:MetricAlarm",
        "child",
        comparisonOperator="GreaterThanThreshold",
        evaluationPeriods=1,
        metricName="m",
        namespace="N",
        period=60,
        statistic="Sum",
        threshold=1,
    )
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:page"
    made = composite(
        f"ALARM({child['name']})", alarmName="down", alarmActions=[topic], tags={"a": "1"}
    )
    types = {"AlarmTypes": ["CompositeAlarm"]}
    [there] = aws("cloudwatch").describe_alarms(AlarmNames=["down"], **types)["CompositeAlarms"]
    assert there["AlarmArn"] == made["arn"]
    assert (there["AlarmRule"], there["AlarmActions"]) == (f"ALARM({child['name']})", [topic])
    made.update(alarmRule=f"NOT OK({child['name']})", okActions=[topic], tags={"b": "2"})
    [there] = aws("cloudwatch").describe_alarms(AlarmNames=["down"], **types)["CompositeAlarms"]
    assert (there["AlarmRule"], there["OKActions"]) == (f"NOT OK({child['name']})", [topic])
    tags = aws("cloudwatch").list_tags_for_resource(ResourceARN=made["arn"])["Tags"]
    assert tags == [{"Key": "b", "Value": "2"}]
    made.update(alarmName="other")
    made.delete()
    child.delete()
    assert (
        aws("cloudwatch").describe_alarms(AlarmNames=["down", "other"], **types)["CompositeAlarms"]
        == []
    )


@pytest.mark.parametrize(
    ("queries", "note"),
    [
        ([{"id": "a", "expression": "ANOMALY_DETECTION_BAND(m, 2)"}], "anomaly detection is not"),
        ([{"id": "a", "expression": "SEARCH('x', 'Sum', 60)"}], "its metric math is not read here"),
        (
            [
                {
                    "id": "m",
                    "metric": {
                        "namespace": "AWS/EC2",
                        "metricName": "CPU",
                        "stat": "Sum",
                        "period": 60,
                    },
                }
            ],
            "nothing measures CPU of AWS/EC2 here",
        ),
    ],
)
def test_alarm_that_is_not_judged_says_so(queries: list[Any], note: str) -> None:
    made = make(
        "cloudwatch/metricAlarm:MetricAlarm",
        "unjudged",
        comparisonOperator="GreaterThanThreshold",
        evaluationPeriods=1,
        threshold=1,
        metricQueries=[{**query, "returnData": True} for query in queries],
    )
    [said] = made.notes
    assert said.startswith(note)
    made.delete()
