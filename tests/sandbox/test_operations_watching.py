"""Alarms, metrics and traces of a running stack, as methods and as somebody types them."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Iterator
from typing import Any

import pytest

import sandbox
from sandbox.box import Box
from sandbox.cli import main
from sandbox.errors import Mistake
from sandbox.operations import commands, watching
from sandbox.operations.alarming import Alarm
from sandbox.operations.measuring import Metric
from sandbox.operations.tracing import Span, Trace
from tests.sandbox.cli_support import wait_for
from tests.sandbox.operations_support import PROGRAM, project

SOURCES = {
    "seller": """
        import json, os, socket, time
        import boto3

        def handler(event, context):
            if event.get("fail"):
                raise ValueError("no such lamp")
            began = time.time()
            boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
            told = dict(part.split("=") for part in os.environ["_X_AMZN_TRACE_ID"].split(";"))
            step = {"trace_id": told["Root"], "parent_id": told["Parent"], "id": "00000000000000aa", "type": "subsegment",
                    "name": "sell", "start_time": began, "end_time": time.time(), "annotations": {"lamp": event["id"]}}
            host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sender.sendto(b'{"format": "json", "version": 1}\\n' + json.dumps(step).encode(), (host, int(port)))
            return told["Root"]
        """,
    "packer": "def handler(event, context):\n    return None\n",
}
WATCHED = """
Resource("aws:iam/rolePolicy:RolePolicy", "traces", role=role.name, policy=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "xray:PutTraceSegments", "Resource": "*"}]}))
box = Resource("aws:sqs/queue:Queue", "boxes-queue")

def made(name):
    return Resource("aws:lambda/function:Function", name, role=role.arn, runtime="python3.12", timeout=2, handler=f"{name}.handler",
        tracingConfig={"mode": "Active"}, environment={"variables": {"QUEUE": box.url}},
        code=pulumi.AssetArchive({f"{name}.py": pulumi.FileAsset(f"handlers/{name}.py")}))

seller, packer = made("seller"), made("packer")
Resource("aws:lambda/eventSourceMapping:EventSourceMapping", "boxes", functionName=packer.arn, eventSourceArn=box.arn, batchSize=1)
page, ticket = Resource("aws:sns/topic:Topic", "page-topic"), Resource("aws:sns/topic:Topic", "ticket-topic")

def alarm(name, topic, metric, function):
    return Resource("aws:cloudwatch/metricAlarm:MetricAlarm", f"{name}-alarm", namespace="AWS/Lambda", metricName=metric,
        dimensions={"FunctionName": function.name}, statistic="Sum", period=60, evaluationPeriods=1, threshold=1,
        comparisonOperator="GreaterThanOrEqualToThreshold", treatMissingData="notBreaching", alarmActions=[topic.arn],
        alarmDescription="Calls fail. Runbook: docs/runbooks/function-errors.md")

alarms = {"seller-errors": alarm("seller-errors", page, "Errors", seller),
          "packer-errors": alarm("packer-errors", page, "Errors", packer),
          "seller-throttles": alarm("seller-throttles", ticket, "Throttles", seller)}
pulumi.export("alarms", {name: made.arn for name, made in alarms.items()})
pulumi.export("pageTopicArn", page.arn)
pulumi.export("ticketTopicArn", ticket.arn)
pulumi.export("functions", {name: {"name": made.name, "arn": made.arn} for name, made in (("seller", seller), ("packer", packer))})
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    made = project(tmp_path_factory.mktemp("watching"), {})
    for name, source in SOURCES.items():
        (made.root / "handlers" / f"{name}.py").write_text(textwrap.dedent(source))
    made.write(PROGRAM + WATCHED)
    with sandbox.running("dev", root=made.root, strict=False, alarm_seconds=0.5) as running:
        yield running


@pytest.fixture
def typed(box: Box, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """What a command prints of the box."""
    monkeypatch.setattr(commands, "operations", lambda _options: box)

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(arguments) == 0
        return capsys.readouterr().out

    return run


def test_failure_rings_one_alarm_which_stands_first(box: Box, typed: Any) -> None:
    wait_for(lambda: not any(alarm.rings for alarm in box.alarms()))
    assert box.invoke("seller", {"fail": True}).error
    wait_for(lambda: [alarm for alarm in box.alarms() if alarm.rings])
    first, *others = box.alarms()
    assert (first.name, first.severity) == ("seller-errors", "page")
    assert first.runbook == "docs/runbooks/function-errors.md"
    assert first.reason.startswith("Threshold Crossed")
    assert abs(first.since - time.time()) < 60
    assert [each.name for each in others] == ["packer-errors", "seller-throttles"]
    assert [each.severity for each in others] == ["page", "ticket"]
    wait_for(lambda: not any(alarm.rings for alarm in box.alarms()))
    assert [each["name"] for each in json.loads(typed("alarms", "--json"))] == [
        "packer-errors",
        "seller-errors",
        "seller-throttles",
    ]
    assert typed("alarms", "nothing") == "no alarms with 'nothing' in the name\n"


def test_ringing_alarm_is_printed_with_its_reason(
    typed: Any, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarm = Alarm("b", "ALARM", time.time() - 130, "Because.", "docs/r.md", "page", "", "arn")
    quiet = Alarm("aa", "INSUFFICIENT_DATA", 0.0, "", "", "", "", "arn")
    monkeypatch.setattr(box, "alarms", lambda: [alarm, quiet])
    assert typed("alarms").splitlines() == [
        "ALARM   page   b   for 2 min  docs/r.md",
        "  Because.",
        "NO DATA        aa",
        "1 ALARM, 1 INSUFFICIENT_DATA",
    ]


def test_metrics_show_the_last_minutes(box: Box, typed: Any) -> None:
    box.invoke("packer")
    name = box.outputs["functions"]["packer"]["name"]
    calls = [
        each
        for each in box.metrics("packer")
        if each.name == "Invocations" and each.dimensions == {"FunctionName": name}
    ]
    assert [(each.namespace, each.statistic) for each in calls] == [("AWS/Lambda", "Sum")]
    assert calls[0].total >= 1
    assert calls[0].last is not None
    shown = typed("metrics", "packer")
    assert f"AWS/Lambda FunctionName={name}\n" in shown
    assert "  Invocations " in shown
    told = json.loads(typed("metrics", "packer", "--json"))
    assert {each["namespace"] for each in told} >= {"AWS/Lambda"}
    assert typed("metrics", "of nothing") == "no metrics with 'of nothing' in the name\n"
    one = {"MetricName": "Lambdas", "Value": 1.0}
    box.client("cloudwatch").put_metric_data(Namespace="tiny", MetricData=[one])
    assert [each.name for each in box.metrics("tiny")] == ["Lambdas"]
    assert {each.namespace for each in box.metrics("Lambda")} == {"AWS/Lambda", "tiny"}


def test_metric_without_values_of_late_says_so_and_columns_stand_below_each_other(
    typed: Any, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "ApproximateNumberOfMessagesNotVisible"
    found = [
        Metric("AWS/SQS", long, {}, "Maximum", [None, 2.0]),
        Metric("AWS/SQS", "NumberOfMessagesSent", {}, "Sum", [None, None]),
    ]
    monkeypatch.setattr(box, "metrics", lambda _name: found)
    assert typed("metrics").splitlines() == [
        "AWS/SQS",
        f"  {long}  █ most 2",
        f"  {'NumberOfMessagesSent':<{len(long)}}    nothing lately",
    ]


def test_bars_grow_with_their_values() -> None:
    assert watching.bars([None, 0, 7, 3.5, None]) == " ▁█▅ "
    assert watching.bars([0.0, 0.0]) == "▁▁"
    assert watching.bars([]) == ""


def test_trace_is_a_tree_and_leads_to_what_its_message_began(box: Box, typed: Any) -> None:
    root = box.invoke("seller", {"id": "l1"}).payload
    found = wait_for(lambda: (t := box.traces(root)) and t[0].effects and t[0])
    assert found.id == root
    assert (found.title, found.functions, found.error) == ("seller", ("seller",), "")
    names = [(span.name, span.kind) for span in found.walk()]
    assert names[:2] == [("seller", "AWS::Lambda"), ("seller", "AWS::Lambda::Function")]
    step = next(span for span in found.walk() if span.name == "sell")
    assert step.annotations == {"lamp": "l1"}
    assert 0 < step.milliseconds < found.milliseconds
    [effect] = found.effects
    assert box.traces(effect)[0].causes == (root,)
    assert [each.title for each in box.related_traces(root)] == ["seller", "packer"]
    shown = typed("traces", root[-8:])
    assert "(function)" in shown
    assert "lamp=l1" in shown
    assert f"  after {root}" in shown
    assert [each["id"] for each in json.loads(typed("traces", root, "--json"))] == [root, effect]


def test_latest_traces_come_first_and_failures_say_why(box: Box, typed: Any) -> None:
    box.invoke("seller", {"fail": True})
    first = box.traces(most=1)[0]
    assert first.error == "ValueError: no such lamp"
    assert "! ValueError: no such lamp" in typed("traces", "--max", "1")
    assert json.loads(typed("traces", "--json", "--max", "1"))[0]["id"] == first.id
    with pytest.raises(Mistake, match="there is no such trace"):
        box.traces("1-00000000-0")


def test_waterfall_shows_where_time_went() -> None:
    inner = Span("step", "", 10.5, 11.0, "", {}, ())
    outer = Span("make", "AWS::Lambda", 10.0, 11.0, "fault", {}, (inner,))
    trace = Trace("1-a", "GET /x", 500, 10.0, 11.0, "fault", ("make",), (outer,))
    head, first, second = watching.tree(trace)
    assert head.endswith("1-a     1000 ms  GET /x 500 (make) ! fault")
    assert first == f"  make (call){' ' * 31} |{'=' * 40}|   1000.0 ms ! fault"
    assert second == f"    step{' ' * 36} |{' ' * 20}{'=' * 20}|    500.0 ms"
