"""What is counted in CloudWatch, where it is asked for, and metrics that are made of log events."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.workers import measure_seams
from sandbox.workers.metric_store import Store
from tests.sandbox.services_support import make
from tests.sandbox.workers_support import Launcher

ORDERS = """import json, time
def handler(event, context):
    told = {"Namespace": "Shop", "Dimensions": [["Stack"], ["Stack", "State"]], "Metrics": [{"Name": "Orders", "Unit": "Count"}]}
    aws = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [told]}
    print(json.dumps({"_aws": aws, "Stack": "s", "State": "placed", "Orders": [1, 2]}))
    print(json.dumps({"level": "ERROR", "size": 7, "who": "x"}))
    print(json.dumps({"level": "INFO", "size": 9, "who": "x"}))
    if event.get("fail"):
        raise KeyError("x")
    return {"statusCode": event.get("status", 200), "body": ""}
"""


class Counts:
    """Sums and counts of metrics since the test began."""

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch
        self._since = time.time() - 3600

    def of(self, namespace: str, name: str, **dimensions: str) -> tuple[float, float]:
        """Sum and number of the values of exactly these dimensions."""
        points = self._cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": n, "Value": v} for n, v in dimensions.items()],
            StartTime=self._since,
            EndTime=time.time() + 60,
            Period=86_400,
            Statistics=["Sum", "SampleCount"],
        )["Datapoints"]
        return sum(p["Sum"] for p in points), sum(p["SampleCount"] for p in points)

    def comes(self, wanted: float, namespace: str, name: str, **dimensions: str) -> None:
        """Wait until a sum is reached."""
        until = time.monotonic() + 5
        while self.of(namespace, name, **dimensions)[0] < wanted:
            assert time.monotonic() < until, self.of(namespace, name, **dimensions)
            time.sleep(0.02)


@pytest.fixture
def counts(box: Launcher) -> Counts:
    return Counts(box.client("cloudwatch"))


def test_calls_of_a_function_are_counted_for_it_and_for_the_alias(
    box: Launcher, counts: Counts
) -> None:
    name = box.function(ORDERS)
    functions = box.client("lambda")
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    assert box.invoke(name, {}).error is None
    for event in ({}, {"fail": 1}):
        functions.invoke(FunctionName=f"{name}:live", Payload=json.dumps(event))
    of_it, alias = {"FunctionName": name}, {"FunctionName": name, "Resource": f"{name}:live"}
    assert counts.of("AWS/Lambda", "Invocations", **of_it) == (3, 3)
    assert counts.of("AWS/Lambda", "Invocations", **alias) == (2, 2)
    assert counts.of("AWS/Lambda", "Errors", **of_it) == (1, 3)
    assert counts.of("AWS/Lambda", "Errors", **alias) == (1, 2)
    assert counts.of("AWS/Lambda", "ConcurrentExecutions", **of_it) == (3, 3)
    milliseconds, number = counts.of("AWS/Lambda", "Duration", **of_it)
    assert number == 3
    assert 0 < milliseconds < 500


def test_throttled_call_is_no_invocation(box: Launcher, counts: Counts) -> None:
    name = box.function(ORDERS)
    box.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="TooManyRequests"):
        box.invoke(name, {})
    assert counts.of("AWS/Lambda", "Throttles", FunctionName=name) == (1, 1)
    assert counts.of("AWS/Lambda", "Invocations", FunctionName=name) == (0, 0)
    assert counts.of("AWS/Lambda", "Errors", FunctionName=name) == (0, 0)


def test_embedded_metrics_have_every_set_of_their_dimensions(box: Launcher, counts: Counts) -> None:
    before = counts.of("Shop", "Orders", Stack="s")
    box.invoke(box.function(ORDERS), {})
    after = counts.of("Shop", "Orders", Stack="s")
    assert (after[0] - before[0], after[1] - before[1]) == (3, 2)
    assert counts.of("Shop", "Orders", Stack="s", State="placed") == after
    assert counts.of("Shop", "Orders") == (0, 0), "metrics are mixed over their dimensions"


def test_metric_filter_measures_what_its_pattern_finds(box: Launcher, counts: Counts) -> None:
    name = box.function(ORDERS)
    box.invoke(name, {})
    change = {
        "metricName": "Sizes",
        "metricNamespace": "Shop",
        "metricValue": "$.size",
        "dimensions": {"Who": "$.who"},
    }
    group = f"/aws/lambda/{name}"
    box.client("logs").put_metric_filter(
        logGroupName=group,
        filterName="sizes",
        filterPattern='{ $.level = "ERROR" && $.size > 5 }',
        metricTransformations=[change],
    )
    box.invoke(name, {})
    assert counts.of("Shop", "Sizes", Who="x") == (7, 1)


def test_requests_of_a_rest_api_are_counted_by_api_and_stage(box: Launcher, counts: Counts) -> None:
    path = box.api(box.function("def handler(e, c):\n    return {'statusCode': 503}\n"))
    api = box.client("apigateway").get_rest_api(restApiId=path.split("/")[3])["name"]
    before = [counts.of("AWS/ApiGateway", name, ApiName=api) for name in ("Count", "5XXError")]
    assert box.get(path)[0] == 503
    after = [counts.of("AWS/ApiGateway", name, ApiName=api) for name in ("Count", "5XXError")]
    assert [(a[0] - b[0], a[1] - b[1]) for a, b in zip(after, before, strict=True)] == [(1, 1)] * 2
    stage = {"ApiName": api, "Stage": path.split("/")[4].split("?")[0]}
    for name in ("4XXError", "Latency", "IntegrationLatency"):
        assert counts.of("AWS/ApiGateway", name, **stage)[1] >= 1


def test_queue_is_looked_into_and_what_comes_and_goes_is_counted(
    fast: Launcher,
) -> None:
    counts, queues = Counts(fast.client("cloudwatch")), fast.client("sqs")
    url = queues.create_queue(QueueName="counted")["QueueUrl"]
    queues.send_message(QueueUrl=url, MessageBody="hello")
    counts.comes(1, "AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName="counted")
    [message] = queues.receive_message(QueueUrl=url)["Messages"]
    counts.comes(1, "AWS/SQS", "ApproximateNumberOfMessagesNotVisible", QueueName="counted")
    entry = {"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}
    queues.delete_message_batch(QueueUrl=url, Entries=[entry])
    for name in ("Sent", "Received", "Deleted"):
        assert counts.of("AWS/SQS", f"NumberOfMessages{name}", QueueName="counted") == (1, 1)
    assert counts.of("AWS/SQS", "SentMessageSize", QueueName="counted") == (5, 1)


def test_topic_and_stream_are_counted(box: Launcher, counts: Counts) -> None:
    topic = box.client("sns").create_topic(Name="counted")["TopicArn"]
    box.client("sns").publish(TopicArn=topic, Message="m")
    assert counts.of("AWS/SNS", "NumberOfMessagesPublished", TopicName="counted") == (1, 1)
    streams = box.client("kinesis")
    streams.create_stream(StreamName="counted", ShardCount=1)
    streams.get_waiter("stream_exists").wait(StreamName="counted", WaiterConfig={"Delay": 1})
    streams.put_record(StreamName="counted", Data=b"abcd", PartitionKey="1")
    rows = [{"Data": b"abcdef", "PartitionKey": "2"}] * 2
    streams.put_records(StreamName="counted", Records=rows)
    assert counts.of("AWS/Kinesis", "IncomingRecords", StreamName="counted") == (3, 2)
    assert counts.of("AWS/Kinesis", "IncomingBytes", StreamName="counted")[0] == 16


def test_requests_to_a_table_are_counted_by_operation(box: Launcher, counts: Counts) -> None:
    tables = box.client("dynamodb")
    tables.create_table(
        TableName="counted",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    row = {"id": {"S": "1"}}
    new = {"ConditionExpression": "attribute_not_exists(id)"}
    tables.put_item(TableName="counted", Item=row, **new)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        tables.put_item(TableName="counted", Item=row, **new)
    tables.batch_get_item(RequestItems={"counted": {"Keys": [row]}})
    tables.transact_write_items(TransactItems=[{"Put": {"TableName": "counted", "Item": row}}])
    for operation in ("PutItem", "BatchGetItem", "TransactWriteItems"):
        at = {"TableName": "counted", "Operation": operation}
        milliseconds, number = counts.of("AWS/DynamoDB", "SuccessfulRequestLatency", **at)
        assert number == 1
        assert 0 < milliseconds < 500
    refused = counts.of("AWS/DynamoDB", "ConditionalCheckFailedRequests", TableName="counted")
    assert refused == (1, 1)


def test_metrics_are_listed_and_asked_for_as_aws_has_them(box: Launcher) -> None:
    cloudwatch, now = box.client("cloudwatch"), time.time()
    for kind, values in (("a", [1, 2, 3]), ("b", [10])):
        cloudwatch.put_metric_data(
            Namespace="Asked",
            MetricData=[
                {
                    "MetricName": "m",
                    "Dimensions": [{"Name": "Kind", "Value": kind}],
                    "Timestamp": now - 60,
                    "Values": values,
                }
            ],
        )
    listed = cloudwatch.list_metrics(Namespace="Asked", Dimensions=[{"Name": "Kind"}])["Metrics"]
    assert [metric["Dimensions"][0]["Value"] for metric in listed] == ["a", "b"]
    assert cloudwatch.list_metrics(Namespace="Asked", MetricName="other")["Metrics"] == []

    def query(ident: str, kind: str, statistic: str) -> dict[str, Any]:
        metric = {
            "Namespace": "Asked",
            "MetricName": "m",
            "Dimensions": [{"Name": "Kind", "Value": kind}],
        }
        stat = {"Metric": metric, "Period": 3600, "Stat": statistic}
        return {"Id": ident, "MetricStat": stat, "ReturnData": False}

    answer = cloudwatch.get_metric_data(
        StartTime=now - 3600,
        EndTime=now,
        MetricDataQueries=[
            query("a", "a", "Sum"),
            query("share", "a", "PR(:2)"),
            {**query("b", "b", "p99"), "ReturnData": True, "Label": "mine"},
            {"Id": "e", "Expression": "IF(a > 5, b / a, 0) + share"},
        ],
    )
    found = {
        each["Id"]: (each["Label"], sum(each["Values"])) for each in answer["MetricDataResults"]
    }
    assert found == {"b": ("mine", 10), "e": ("e", pytest.approx(10 / 6 + 200 / 3))}
    with pytest.raises(ClientError, match="not simulated"):
        cloudwatch.get_metric_data(
            StartTime=now - 60,
            EndTime=now,
            MetricDataQueries=[
                query("a", "a", "Sum"),
                {"Id": "e", "Expression": "SEARCH('x', 'Sum')"},
            ],
        )


def test_old_clients_are_answered_in_xml(box: Launcher) -> None:
    box.client("cloudwatch").put_metric_data(
        Namespace="Old", MetricData=[{"MetricName": "m", "Value": 4}]
    )
    body = (
        "Action=GetMetricStatistics&Namespace=Old&MetricName=m&Period=3600&Statistics.member.1=Sum"
        "&ExtendedStatistics.member.1=p50&StartTime=2020-01-01T00:00:00Z&EndTime=2100-01-01T00:00:00Z"
    )
    answer = asked(box, body)
    assert "<Sum>4.0</Sum>" in answer
    assert "<key>p50</key><value>4.0</value>" in answer
    listed = asked(box, "Action=ListMetrics&Namespace=Old")
    assert "<Metrics><member><Namespace>Old</Namespace><MetricName>m</MetricName>" in listed


def asked(box: Launcher, body: str) -> str:
    """The answer to a call in CloudWatch's oldest protocol."""
    import urllib.request

    import botocore.auth
    import botocore.awsrequest
    import botocore.credentials

    url = f"http://127.0.0.1:{box.port}/"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    request = botocore.awsrequest.AWSRequest("POST", url, kind, body)
    credentials = botocore.credentials.Credentials("test", "test")
    botocore.auth.SigV4Auth(credentials, "monitoring", "us-west-2").add_auth(request)
    sent = urllib.request.Request(url, body.encode(), dict(request.headers), method="POST")
    with urllib.request.urlopen(sent) as answer:  # noqa: S310 - loopback
        return answer.read().decode()


def test_metric_filter_as_a_resource(aws: Any) -> None:
    make("cloudwatch/logGroup:LogGroup", "filtered", name="/filtered")
    change: dict[str, Any] = {
        "name": "m",
        "namespace": "N",
        "value": "1",
        "dimensions": {"a": "$.a"},
    }
    made = make(
        "cloudwatch/logMetricFilter:LogMetricFilter",
        "errors",
        logGroupName="/filtered",
        pattern='{ $.a = "x" }',
        metricTransformation=change,
    )
    [there] = aws("logs").describe_metric_filters(logGroupName="/filtered")["metricFilters"]
    assert there["filterPattern"] == '{ $.a = "x" }'
    assert there["metricTransformations"] == [
        {"metricName": "m", "metricNamespace": "N", "metricValue": "1", "dimensions": {"a": "$.a"}}
    ]
    made.update(
        pattern="ERROR", metricTransformation={**change, "dimensions": None, "defaultValue": "0"}
    )
    [there] = aws("logs").describe_metric_filters(logGroupName="/filtered")["metricFilters"]
    assert there["metricTransformations"][0]["defaultValue"] == 0
    assert made.notes == []
    with pytest.raises(ValueError, match="exclude each other"):
        made.update(metricTransformation={**change, "defaultValue": "0"})
    assert made.update(pattern="[a, b]", metricTransformation=change).notes
    made.delete()
    assert aws("logs").describe_metric_filters(logGroupName="/filtered")["metricFilters"] == []


def test_saved_query_as_a_resource(aws: Any) -> None:
    made = make(
        "cloudwatch/queryDefinition:QueryDefinition",
        "slowest",
        name="shop/slowest",
        queryString="fields @timestamp | sort @duration desc",
        logGroupNames=["/a"],
    )
    assert made.notes == []
    made.update(queryString="stats count(*) by level")
    assert made.notes == ["it is kept; the emulator's Logs Insights knows no stats"]
    prefix = {"queryDefinitionNamePrefix": "shop/"}
    [there] = aws("logs").describe_query_definitions(**prefix)["queryDefinitions"]
    assert there["queryDefinitionId"] == made.id
    assert (there["queryString"], there["logGroupNames"]) == ("stats count(*) by level", ["/a"])
    made.delete()
    made.delete()
    assert aws("logs").describe_query_definitions(**prefix)["queryDefinitions"] == []


@pytest.fixture(scope="session")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """A launcher with minutes of a second."""
    launcher = Launcher(tmp_path_factory.mktemp("fast"), SANDPIPER_MINUTE="1")
    yield launcher
    launcher.stop()


def test_what_devices_send_counts_in_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Store()
    monkeypatch.setattr(measure_seams, "STORE", own)
    seam = next(s for s in measure_seams.seams() if s.attribute == "put_record_internal")
    arn = "arn:aws:kinesis:r:a:stream/telemetry"
    for came in (True, False):
        put = seam.build(ModuleType("kinesis"), lambda *_given, came=came: came)
        assert put(arn, "key", b"12345") is came
    at = (("StreamName", "telemetry"),)
    sums = {s.key[1]: s.buckets[0].total for s in own.all() if s.key[2] == at}
    assert sums == {
        "IncomingRecords": 1,
        "IncomingBytes": 5,
        "WriteProvisionedThroughputExceeded": 0,
    }
