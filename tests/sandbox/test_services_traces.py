"""What is declared for watching and does not run here, objects that the program puts, and traces of requests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from botocore.exceptions import ClientError

from sandbox.workers import deliveries, subscription_seams, trace_filters, traces
from tests.sandbox.functions_support import invoke, role, within
from tests.sandbox.rest_api_support import call
from tests.sandbox.services_support import ACCOUNT, REGION, make


@pytest.mark.parametrize(
    ("kind", "inputs", "arn"),
    [
        (
            "budgets/budget:Budget",
            {"name": "monthly"},
            f"arn:aws:budgets::{ACCOUNT}:budget/monthly",
        ),
        (
            "synthetics/canary:Canary",
            {"name": "health"},
            f"arn:aws:synthetics:{REGION}:{ACCOUNT}:canary:health",
        ),
    ],
)
def test_what_is_only_declared_has_the_outputs_that_aws_gives(
    kind: str, inputs: dict[str, Any], arn: str
) -> None:
    made = make(kind, "n", tags={"a": "1"}, **inputs)
    assert made["arn"] == arn
    assert made["tagsAll"] == {"a": "1"}


def test_sampling_rules_and_groups_are_kept(aws: Any) -> None:
    rule = make(
        "xray/samplingRule:SamplingRule",
        "shop",
        ruleName="shop-dev",
        priority=1000,
        fixedRate=0.05,
        reservoirSize=1,
        serviceName="*",
        serviceType="*",
        host="*",
        httpMethod="*",
        urlPath="*",
        resourceArn="*",
        version=1,
        tags={"a": "1"},
    )
    assert rule["arn"] == f"arn:aws:xray:{REGION}:{ACCOUNT}:sampling-rule/shop-dev"

    def rules() -> dict[str, Any]:
        found = aws("xray").get_sampling_rules()["SamplingRuleRecords"]
        return {each["SamplingRule"]["RuleName"]: each["SamplingRule"] for each in found}

    assert rules()["shop-dev"]["RuleARN"] == rule["arn"]
    assert rules()["shop-dev"]["HTTPMethod"] == "*"
    rule.update(fixedRate=0.5)
    assert (rules()["shop-dev"]["FixedRate"], rules()["Default"]["FixedRate"]) == (0.5, 0.05)
    with pytest.raises(ClientError, match="already exists"):
        make("xray/samplingRule:SamplingRule", "again", ruleName="shop-dev")
    group = make("xray/group:Group", "slow", groupName="slow", filterExpression="duration > 5")
    [there] = aws("xray").get_groups()["Groups"]
    assert (there["GroupARN"], there["FilterExpression"]) == (group["arn"], "duration > 5")
    group.update(filterExpression="fault")
    assert aws("xray").get_group(GroupName="slow")["Group"]["FilterExpression"] == "fault"
    for each in (rule, group):
        each.delete()
        with pytest.raises(ClientError, match="does not exist"):
            each.delete()
    assert list(rules()) == ["Default"]


def test_chat_channels_have_plausible_outputs() -> None:
    for kind, place in (("slack", "slack-channel"), ("teams", "microsoft-teams-channel")):
        made = make(
            f"chatbot/{kind}ChannelConfiguration:{kind.title()}ChannelConfiguration",
            "chat",
            configurationName="page",
        )
        arn = f"arn:aws:chatbot::{ACCOUNT}:chat-configuration/{place}/page"
        assert (made.id, made["chatConfigurationArn"]) == (arn, arn)


def test_object_of_the_program_lies_in_its_bucket(aws: Any) -> None:
    s3 = aws("s3")
    make("s3/bucket:Bucket", "code", bucket="code-of-traces", forceDestroy=True)
    made = make(
        "s3/bucketObject:BucketObject",
        "page",
        bucket="code-of-traces",
        key="page.txt",
        content="one",
        contentType="text/plain",
        metadata={"by": "us"},
        tags={"a": "1"},
    )

    def there(key: str) -> Any:
        return s3.get_object(Bucket="code-of-traces", Key=key)

    answer = there("page.txt")
    assert (answer["Body"].read(), answer["ContentType"], answer["Metadata"]) == (
        b"one",
        "text/plain",
        {"by": "us"},
    )
    assert f'"{made["etag"]}"' == answer["ETag"]
    made.update(content=None, source=pulumi.StringAsset("two"), key="other.txt")
    assert there("other.txt")["Body"].read() == b"two"
    with pytest.raises(ClientError, match="NoSuchKey"):
        there("page.txt")
    archive = pulumi.AssetArchive({"index.py": pulumi.StringAsset("pass")})
    packed = make(
        "s3/bucketObjectv2:BucketObjectv2",
        "canary.zip",
        bucket="code-of-traces",
        source=archive,
        sourceHash="x",
    )
    assert there("canary.zip")["Body"].read().startswith(b"PK")
    for each in (packed, made):
        each.delete()
    assert "Contents" not in s3.list_objects_v2(Bucket="code-of-traces")


RIGHTS = [
    *("xray:PutTraceSegments", "xray:PutTelemetryRecords", "lambda:InvokeFunction"),
    *("sqs:*", "sns:*", "events:*", "s3:*"),
]
SENDER = """
import json, os, socket, time
import boto3

def handler(event, context):
    told = dict(part.split("=") for part in os.environ["_X_AMZN_TRACE_ID"].split(";"))
    if event.get("fail"):
        raise KeyError("no such thing")
    step = {"trace_id": told["Root"], "parent_id": told["Parent"], "id": "53995c3f42cd8ad8", "type": "subsegment",
            "name": "resize", "start_time": time.time(), "annotations": {"picture": "cat", "tries": 2}}
    if os.environ.get("QUEUE"):
        boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody="{}")
    step["end_time"] = time.time()
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    text = json.dumps({"format": "json", "version": 1}) + "\\n" + json.dumps(step)
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(text.encode(), (host, int(port)))
    header = (event.get("headers") or {}).get("X-Amzn-Trace-Id")
    return {"statusCode": 200, "body": json.dumps({"told": told, "header": header})}
"""


@pytest.fixture(scope="module")
def tracing_role() -> Any:
    return role("tracing", {"Effect": "Allow", "Action": RIGHTS, "Resource": "*"})


@pytest.fixture
def traced(function: Any, tracing_role: Any) -> Callable[..., Any]:
    def build(name: str, text: str = SENDER, mode: str = "Active", **inputs: Any) -> Any:
        given = {"role": tracing_role["arn"], "tracingConfig": {"mode": mode}, **inputs}
        return function(name, text, **given)

    return build


def trace_of(aws: Any, name: str) -> list[dict[str, Any]]:
    """The segments of a trace."""
    found = aws("xray").batch_get_traces(TraceIds=[name])["Traces"]
    return [json.loads(each["Document"]) for trace in found for each in trace["Segments"]]


def traces_of(aws: Any, function: str) -> list[dict[str, Any]]:
    """Summaries of the traces in which a function took part."""
    now = time.time()
    return aws("xray").get_trace_summaries(
        StartTime=now - 600, EndTime=now + 60, FilterExpression=f'service("{function}")'
    )["TraceSummaries"]


def told(aws: Any, target: str, event: Any = None) -> dict[str, str]:
    return json.loads(invoke(aws, target, event or {})["body"])["told"]


def test_a_call_leaves_segments_of_service_function_and_steps(aws: Any, traced: Any) -> None:
    made = traced("traced-alone")
    first, second = told(aws, made["name"]), told(aws, made["name"])
    assert first["Sampled"] == "1"
    assert first["Root"] != second["Root"]
    service, of_function = within(5, lambda: trace_of(aws, first["Root"]))
    assert (service["origin"], of_function["origin"]) == ("AWS::Lambda", "AWS::Lambda::Function")
    assert service["name"] == of_function["name"] == made["name"]
    assert of_function["parent_id"] == service["id"]
    assert service["http"]["response"]["status"] == 200
    begun, handled = of_function["subsegments"]
    assert (begun["name"], handled["name"]) == ("Initialization", "Invocation")
    assert begun["end_time"] <= handled["start_time"]
    assert handled["id"] == first["Parent"]
    [step] = handled["subsegments"]
    assert step["name"] == "resize"
    assert handled["start_time"] <= step["start_time"] <= step["end_time"] <= handled["end_time"]
    [again] = trace_of(aws, second["Root"])[1]["subsegments"]
    assert again["name"] == "Invocation"


def test_summaries_are_found_by_expressions(aws: Any, traced: Any) -> None:
    made = traced("traced-filtered")
    root = told(aws, made["name"])["Root"]
    invoke(aws, made["name"], {"fail": True})
    good, bad = traces_of(aws, made["name"])
    assert good["Id"] == root
    assert (good["HasFault"], bad["HasFault"]) == (False, True)
    assert good["Annotations"]["picture"][0]["AnnotationValue"] == {"StringValue": "cat"}
    segment = trace_of(aws, bad["Id"])[1]
    assert segment["fault"] is True
    assert segment["cause"]["exceptions"][0]["type"] == "KeyError"
    now = time.time()
    own = f'service("{made["name"]}")'
    for expression, expected in (
        (f"{own} AND fault", [bad["Id"]]),
        (f"{own} AND NOT fault", [root]),
        (f"{own} AND ok = true", [root]),
        (f'{own} AND annotation.picture = "cat"', [root]),
        (f"{own} AND annotation[tries] >= 2 AND duration < 60", [root]),
        (f"{own} AND (responsetime > 60 OR error)", []),
    ):
        found = aws("xray").get_trace_summaries(
            StartTime=now - 600, EndTime=now + 60, FilterExpression=expression
        )
        assert [each["Id"] for each in found["TraceSummaries"]] == expected, expression
    with pytest.raises(ClientError, match="Invalid filter expression"):
        aws("xray").get_trace_summaries(
            StartTime=now - 600, EndTime=now, FilterExpression="nonsense ="
        )


def test_a_message_links_the_trace_of_its_reader(aws: Any, traced: Any) -> None:
    queue = make("sqs/queue:Queue", "traced-queue", visibilityTimeoutSeconds=30)
    environment = {"variables": {"QUEUE": queue["url"]}}
    sender = traced("traced-sender", environment=environment)
    reader = traced("traced-reader", "def handler(event, context): return {}")
    make(
        "lambda/eventSourceMapping:EventSourceMapping",
        "traced-mapping",
        eventSourceArn=queue["arn"],
        functionName=reader["name"],
        batchSize=1,
    )
    root = told(aws, sender["name"])["Root"]
    [found] = within(10, lambda: traces_of(aws, reader["name"]))
    assert found["Id"] != root
    service = trace_of(aws, found["Id"])[0]
    assert [link["trace_id"] for link in service["links"]] == [root]
    assert "parent_id" not in service


def _lets(listener: Any, service: str, source: str) -> None:
    make(
        "lambda/permission:Permission",
        f"{listener.name}-{service}",
        action="lambda:InvokeFunction",
        function=listener["name"],
        principal=f"{service}.amazonaws.com",
        sourceArn=source,
    )


def _by_topic(listener: Any) -> str:
    topic = make("sns/topic:Topic", "traced-topic")
    _lets(listener, "sns", topic["arn"])
    make(
        "sns/topicSubscription:TopicSubscription",
        "traced-topic",
        topic=topic["arn"],
        protocol="lambda",
        endpoint=listener["arn"],
    )
    return f"boto3.client('sns').publish(TopicArn='{topic['arn']}', Message='m')"


def _by_bus(listener: Any) -> str:
    pattern = json.dumps({"source": ["traced"]})
    rule = make("cloudwatch/eventRule:EventRule", "traced-rule", eventPattern=pattern)
    _lets(listener, "events", rule["arn"])
    make(
        "cloudwatch/eventTarget:EventTarget",
        "traced-rule",
        rule=rule["name"],
        arn=listener["arn"],
    )
    entry = {"Source": "traced", "DetailType": "t", "Detail": "{}"}
    return f"boto3.client('events').put_events(Entries=[{entry}])"


def _by_bucket(listener: Any) -> str:
    bucket = make("s3/bucket:Bucket", "traced-bucket", bucket="traced-bucket")
    _lets(listener, "s3", bucket["arn"])
    started = {"lambdaFunctionArn": listener["arn"], "events": ["s3:ObjectCreated:*"]}
    make(
        "s3/bucketNotification:BucketNotification",
        "traced-bucket",
        bucket="traced-bucket",
        lambdaFunctions=[started],
    )
    return "boto3.client('s3').put_object(Bucket='traced-bucket', Key='k', Body=b'1')"


def _by_call(listener: Any) -> str:
    return (
        f"boto3.client('lambda').invoke(FunctionName='{listener['name']}', InvocationType='Event')"
    )


@pytest.mark.parametrize("way", [_by_topic, _by_bus, _by_bucket, _by_call])
def test_a_trace_goes_on_with_what_starts_a_function(
    aws: Any, traced: Any, way: Callable[[Any], str]
) -> None:
    name = way.__name__.replace("_", "-")
    listener = traced(f"traced-listener{name}", "def handler(event, context): return {}")
    source = f"import boto3, os\ndef handler(event, context):\n    {way(listener)}\n"
    source += "    return os.environ['_X_AMZN_TRACE_ID']\n"
    header = invoke(aws, traced(f"traced-publisher{name}", source)["name"])
    root, parent = (part.partition("=")[2] for part in header.split(";")[:2])
    [found] = within(10, lambda: traces_of(aws, listener["name"]))
    assert found["Id"] == root
    heard = [each for each in trace_of(aws, root) if each["name"] == listener["name"]]
    assert heard[0]["parent_id"] == parent


def test_a_function_that_passes_through_records_nothing(aws: Any, traced: Any) -> None:
    source = "import os\ndef handler(event, context): return os.environ['_X_AMZN_TRACE_ID']\n"
    passing = traced("traced-passing", source, mode="PassThrough")
    assert invoke(aws, passing["name"]).endswith(";Sampled=0")
    caller = "import boto3, os\ndef handler(event, context):\n"
    caller += f"    answer = boto3.client('lambda').invoke(FunctionName='{passing['name']}')\n"
    caller += "    return [os.environ['_X_AMZN_TRACE_ID'], answer['Payload'].read().decode()]\n"
    active = traced("traced-caller", caller)
    header, below = invoke(aws, active["name"])
    assert json.loads(below) == header
    assert traces_of(aws, passing["name"]) == []


def test_a_function_without_the_right_leaves_no_trace(aws: Any, function: Any) -> None:
    mute = function("traced-mute", SENDER, tracingConfig={"mode": "Active"})
    root = told(aws, mute["name"])["Root"]
    assert trace_of(aws, root) == []


def test_a_caller_may_name_the_trace_and_leave_it_unsampled(aws: Any, traced: Any) -> None:
    api = rest_api(aws, traced("traced-api"))
    root = f"1-{int(time.time()):08x}-{'ab' * 12}"
    answer = call(api, **{"X-Amzn-Trace-Id": f"Root={root};Parent={'cd' * 8};Sampled=1"})
    assert answer.json["told"]["Root"] == root
    stage, service, _function = trace_of(aws, root)
    assert (stage["origin"], stage["parent_id"]) == ("AWS::ApiGateway::Stage", "cd" * 8)
    assert stage["http"]["response"]["status"] == 200
    [lambdas] = stage["subsegments"]
    assert (lambdas["name"], lambdas["id"]) == ("Lambda", service["parent_id"])
    assert answer.headers["X-Amzn-Trace-Id"].startswith(f"Root={root}")
    fresh = call(api)
    named = fresh.json["header"]
    assert fresh.headers["X-Amzn-Trace-Id"].startswith(named)
    assert fresh.json["told"]["Root"] == named.removeprefix("Root=")
    quiet = f"1-{int(time.time()):08x}-{'ef' * 12}"
    silent = call(api, **{"X-Amzn-Trace-Id": f"Root={quiet};Sampled=0"})
    assert silent.status == 502  # its step has no parent to name
    assert trace_of(aws, quiet) == []


def rest_api(aws: Any, function: Any) -> str:
    """The address of an API whose root is the function, with tracing and an access log."""
    client = aws("apigateway")
    api = client.create_rest_api(name="traced")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    place = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    client.put_method(**place, authorizationType="NONE")
    client.put_integration(
        **place, type="AWS_PROXY", integrationHttpMethod="POST", uri=function["invokeArn"]
    )
    make(
        "lambda/permission:Permission",
        f"api-{api}",
        action="lambda:InvokeFunction",
        function=function["name"],
        principal="apigateway.amazonaws.com",
        sourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*",
    )
    deployed = client.create_deployment(restApiId=api)["id"]
    group = make("cloudwatch/logGroup:LogGroup", f"access-{api}", name=f"/access/{api}")
    stage = make(
        "apigateway/stage:Stage",
        "live",
        restApi=api,
        stageName="live",
        deployment=deployed,
        xrayTracingEnabled=True,
        accessLogSettings={"destinationArn": group["arn"], "format": ACCESS},
    )
    assert stage.notes == []
    return f"{stage['invokeUrl']}/"


ACCESS = json.dumps(
    {
        "requestId": "$context.requestId",
        "ip": "$context.identity.sourceIp",
        "requestTime": "$context.requestTime",
        "line": "$context.httpMethod $context.path",
        "status": "$context.status",
        "length": "$context.responseLength",
        "latency": "$context.responseLatency",
        "integration": "$context.integrationErrorMessage",
        "authorizer": "$context.authorizer.error",
        "trace": "$context.xrayTraceId",
        "type": "$context.error.responseType",
    }
)


def lines_of(aws: Any, group: str) -> list[dict[str, str]]:
    found = aws("logs").filter_log_events(logGroupName=group)["events"]
    return [json.loads(each["message"]) for each in found]


def test_a_rest_stage_writes_its_access_log(aws: Any, traced: Any) -> None:
    url = rest_api(aws, traced("traced-logged"))
    api = url.split("/")[-3]
    good, missing = call(url), call(f"{url}nothing")
    first, second = lines_of(aws, f"/access/{api}")
    assert first["requestId"] == good.headers["x-amzn-requestid"]
    assert (first["line"], first["status"], first["ip"]) == ("GET /live/", "200", "127.0.0.1")
    assert int(first["length"]) == len(good.text)
    assert int(first["latency"]) >= 0
    assert first["integration"] == first["authorizer"] == first["type"] == "-"
    assert f"Root={first['trace']}" in good.headers["X-Amzn-Trace-Id"]
    time.strptime(first["requestTime"], "%d/%b/%Y:%H:%M:%S +0000")
    assert (second["status"], second["type"]) == ("403", "MISSING_AUTHENTICATION_TOKEN")
    assert missing.status == 403


def test_segments_may_be_sent_over_the_api_and_bad_ones_are_named(aws: Any) -> None:
    root = f"1-{int(time.time()):08x}-{'12' * 12}"
    now = time.time()
    good = {
        "name": "shop",
        "id": "1" * 16,
        "trace_id": root,
        "start_time": now,
        "end_time": now + 1,
    }
    inner = {**good, "id": "2" * 16, "parent_id": "1" * 16, "type": "subsegment", "name": "step"}
    nameless = {**good, "id": "3" * 16, "name": ""}
    documents = [json.dumps(inner), json.dumps(good), json.dumps(nameless), "no JSON"]
    answer = aws("xray").put_trace_segments(TraceSegmentDocuments=documents)
    refused = answer["UnprocessedTraceSegments"]
    assert [each["ErrorCode"] for each in refused] == ["ParseError", "ParseError"]
    assert refused[0]["Id"] == "3" * 16
    [shop] = trace_of(aws, root)
    assert [each["name"] for each in shop["subsegments"]] == ["step"]
    again = {**good, "end_time": now + 2}
    aws("xray").put_trace_segments(TraceSegmentDocuments=[json.dumps(again)])
    assert trace_of(aws, root)[0]["end_time"] == again["end_time"]
    unknown = f"1-{int(now):08x}-{'34' * 12}"
    found = aws("xray").batch_get_traces(TraceIds=[unknown])
    assert (found["Traces"], found["UnprocessedTraceIds"]) == ([], [unknown])
    for asked, said in (
        ({"StartTime": now, "EndTime": now - 1}, "before EndTime"),
        ({"StartTime": now - 90_000, "EndTime": now}, "24 hours"),
    ):
        with pytest.raises(ClientError, match=said):
            aws("xray").get_trace_summaries(**asked)
    with pytest.raises(ClientError, match="no such operation"):
        aws("xray").get_encryption_config()


def test_old_traces_make_room_for_new_ones() -> None:
    def document(number: int, name: str = "n") -> dict[str, Any]:
        return {"trace_id": f"t{number}", "id": "a", "name": name}

    few = traces.Store(most_traces=2)
    for number in range(4):
        few.put(document(number))
    assert few.names() == ["t2", "t3"]
    small = traces.Store(most_bytes=1_000)
    for number in range(4):
        small.put(document(number, "n" * 400))
    assert small.names() == ["t2", "t3"]
    small.put(document(9, "n" * 4_000))
    assert small.names() == ["t9"]
    assert small.documents("t2") == []


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("Sampled=1", None),
        ("Root=1-2-3", None),
        ("Root=1-5759e988-bd862e3fe1be46a994272793", (None, "")),
        (
            "Root=1-5759e988-bd862e3fe1be46a994272793; Parent=53995c3f42cd8ad8; Sampled=1",
            (True, "53995c3f42cd8ad8"),
        ),
        ("Self=1-2;Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0;Lineage=a:1", (False, "")),
        ("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=x;Sampled=?", (None, "")),
    ],
)
def test_headers_are_read_as_services_write_them(header: str | None, expected: Any) -> None:
    found = traces.read(header)
    assert (found and (found.sampled, found.parent)) == expected


@pytest.mark.parametrize(
    "expression",
    ["fault AND", "(fault", "fault)", 'service("a"', "annotation[x = 1", "duration > x", "@"],
)
def test_expressions_that_are_none_are_refused(expression: str) -> None:
    with pytest.raises(trace_filters.Unread):
        trace_filters.matcher(expression)


def test_who_is_told_of_a_log_begins_a_trace_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(deliveries, "start", lambda *_: seen.append(traces.current()))
    told = {
        "filterName": "f",
        "filterPattern": "",
        "destinationArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:other",
    }
    logs = SimpleNamespace(
        _log_groups={"/aws/lambda/one": {"subscriptionFilters": {"f": told}}},
        get_account_id=lambda: ACCOUNT,
        get_region=lambda: REGION,
    )
    tell = next(s for s in subscription_seams.seams() if s.attribute.startswith("_fanout"))
    outside = traces.Context("1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8")
    with traces.within(outside):
        tell.build(logs, None)("/aws/lambda/one", "s", [{"message": "ERROR"}])
    assert seen == [None]
