"""Functions, what invokes them, what they may do: read back, and called."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest
from botocore.exceptions import ClientError

from tests.sandbox.services_support import ACCOUNT, REGION, Made, clients, make

ECHO = """
import os
def handler(event, context):
    return {"event": event, "mark": os.environ.get("MARK")}
"""


@pytest.fixture(scope="module")
def aws() -> Any:
    return clients().client


def archive(text: str = ECHO) -> pulumi.AssetArchive:
    return pulumi.AssetArchive({"main.py": pulumi.StringAsset(text)})


def role(name: str, *statements: dict[str, Any]) -> Made:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    made = make(
        "iam/role:Role",
        name,
        assumeRolePolicy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    if statements:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        make("iam/rolePolicy:RolePolicy", name, role=made["name"], policy=json.dumps(document))
    return made


@pytest.fixture(scope="module")
def execution_role() -> Made:
    return role("execution")


@pytest.fixture
def function(execution_role: Made) -> Iterator[Callable[..., Made]]:
    made: list[Made] = []

    def build(name: str, text: str = ECHO, /, **inputs: Any) -> Made:
        given = {"runtime": "python3.13", "handler": "main.handler", "publish": True, **inputs}
        made.append(
            make(
                "lambda/function:Function",
                name,
                code=archive(text),
                role=execution_role["arn"],
                **given,
            )
        )
        return made[-1]

    yield build
    for each in made:
        each.delete()


def invoke(aws: Any, target: str, event: Any = None) -> Any:
    answer = aws("lambda").invoke(FunctionName=target, Payload=json.dumps(event).encode())
    return json.loads(answer["Payload"].read())


def within(seconds: float, check: Callable[[], Any]) -> Any:
    limit = time.monotonic() + seconds
    while not (found := check()) and time.monotonic() < limit:
        time.sleep(0.05)
    return found


def test_function_is_created_as_declared(aws: Any, function: Any) -> None:
    made = function(
        "create-item",
        name="sandpiper-dev-create-item",
        architectures=["arm64"],
        memorySize=256,
        timeout=10,
        ephemeralStorage={"size": 1024},
        environment={"variables": {"MARK": "1"}},
        kmsKeyArn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k",
        tracingConfig={"mode": "Active"},
        loggingConfig={
            "logFormat": "JSON",
            "logGroup": "/aws/lambda/x",
            "applicationLogLevel": "INFO",
            "systemLogLevel": "WARN",
        },
        reservedConcurrentExecutions=5,
        tags={"stack": "dev"},
        skipDestroy=False,
        sourceCodeHash="x",
    )
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:sandpiper-dev-create-item"
    assert made["arn"] == arn
    assert made["version"] == "1"
    assert made["qualifiedArn"] == f"{arn}:1"
    assert (
        made["invokeArn"]
        == f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
    )
    there = aws("lambda").get_function(FunctionName=made["name"])
    configuration = there["Configuration"]
    assert configuration["Runtime"] == "python3.13"
    assert configuration["MemorySize"] == 256
    assert configuration["EphemeralStorage"] == {"Size": 1024}
    assert configuration["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
    assert configuration["CodeSha256"] == made["codeSha256"]
    assert there["Concurrency"]["ReservedConcurrentExecutions"] == 5
    assert there["Tags"] == {"stack": "dev"}
    assert made.notes == [
        "memory and /tmp sizes are recorded: this machine's are the limit",
        "tracing is recorded: a sandbox has no X-Ray",
    ]
    assert invoke(aws, made["name"], {"a": 1}) == {"event": {"a": 1}, "mark": "1"}


def test_function_changes_in_place_and_publishes_only_what_changed(aws: Any, function: Any) -> None:
    made = function(
        "changing",
        environment={"variables": {"MARK": "1"}},
        tags={"a": "1"},
        reservedConcurrentExecutions=3,
    )
    arn = made["arn"]
    made.update(tags={"b": "2"}, reservedConcurrentExecutions=None)
    assert made["version"] == "1"
    there = aws("lambda").get_function(FunctionName=made["name"])
    assert there["Tags"] == {"b": "2"}
    assert "Concurrency" not in there
    made.update(code=archive(ECHO.replace('"event": event', '"event": "new"')))
    assert made["version"] == "2"
    assert invoke(aws, made["qualifiedArn"]) == {"event": "new", "mark": "1"}
    made.update(environment=None, timeout=20)
    assert made["version"] == "3"
    assert invoke(aws, made["qualifiedArn"]) == {"event": "new", "mark": None}
    assert invoke(aws, f"{arn}:1") == {"event": None, "mark": "1"}
    assert aws("lambda").get_function_configuration(FunctionName=made["name"])["Timeout"] == 20
    assert made["arn"] == arn


def test_function_without_publish_has_no_version(function: Any) -> None:
    made = function("latest", publish=None)
    assert made["version"] == "$LATEST"
    assert made.update(timeout=4)["version"] == "$LATEST"


def test_function_whose_runtime_does_not_run_here_is_listed(function: Any) -> None:
    made = function("jvm", runtime="java21")
    assert "no java21 runs here: invoking it is refused" in made.notes


def test_alias_moves_to_the_new_version(aws: Any, function: Any) -> None:
    made = function("aliased")
    alias = make(
        "lambda/alias:Alias",
        "live",
        functionName=made["name"],
        functionVersion=made["version"],
        name="live",
        description="now",
    )
    assert alias["arn"] == alias.id == f"{made['arn']}:live"
    assert alias["invokeArn"].endswith(f"functions/{alias['arn']}/invocations")
    made.update(code=archive(ECHO.replace('"event": event', '"event": "new"')))
    alias.update(
        functionVersion=made["version"], routingConfig={"additionalVersionWeights": {"1": 0.1}}
    )
    assert alias.notes == ["its weights are recorded: every call goes to its main version"]
    alias.update(routingConfig=None, description=None)
    assert invoke(aws, alias["arn"])["event"] == "new"
    alias.update(name="other")
    names = [a["Name"] for a in aws("lambda").list_aliases(FunctionName=made["name"])["Aliases"]]
    assert names == ["other"]
    alias.delete()
    alias.delete()


def test_permission_is_replaced_in_place(aws: Any, function: Any) -> None:
    made = function("permitted")
    make("lambda/alias:Alias", "live", functionName=made["name"], functionVersion="1", name="live")
    permission = make(
        "lambda/permission:Permission",
        "from-api",
        action="lambda:InvokeFunction",
        function=made["name"],
        principal="apigateway.amazonaws.com",
        qualifier="live",
        sourceArn="arn:aws:execute-api:r:a:api/*/*",
        sourceAccount=ACCOUNT,
    )
    permission.update(sourceArn="arn:aws:execute-api:r:a:other/*/*")
    policy = json.loads(
        aws("lambda").get_policy(FunctionName=made["name"], Qualifier="live")["Policy"]
    )
    [statement] = policy["Statement"]
    assert statement["Resource"] == f"{made['arn']}:live"
    assert statement["Condition"]["ArnLike"]["AWS:SourceArn"] == "arn:aws:execute-api:r:a:other/*/*"
    assert statement["Sid"] == permission["statementId"]
    permission.delete()
    permission.delete()


def test_asynchronous_failures_reach_the_declared_destination(aws: Any, function: Any) -> None:
    made = function("failing", "def handler(event, context):\n    raise KeyError(event)\n")
    queue = make("sqs/queue:Queue", "failures")
    config = make(
        "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "failing",
        functionName=made["name"],
        maximumRetryAttempts=0,
        maximumEventAgeInSeconds=3600,
        destinationConfig={
            "onFailure": {"destination": queue["arn"]},
            "onSuccess": {"destination": queue["arn"]},
        },
    )
    assert config.id == made["name"]
    assert config.notes == ["nothing is sent to its on-success destination"]
    aws("lambda").invoke(FunctionName=made["name"], InvocationType="Event", Payload=b'{"n": 1}')
    got = aws("sqs").receive_message(QueueUrl=queue["url"], WaitTimeSeconds=5)["Messages"]
    assert json.loads(got[0]["Body"])["requestPayload"] == {"n": 1}
    config.delete()
    queue.delete()


def test_event_invoke_config_belongs_to_its_alias(aws: Any, function: Any) -> None:
    made = function("aliased-config")
    for name in ("live", "next"):
        make("lambda/alias:Alias", name, functionName=made["name"], functionVersion="1", name=name)
    config = make(
        "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "c",
        functionName=made["name"],
        qualifier="live",
        maximumRetryAttempts=0,
    )
    assert config.id == f"{made['name']}:live"
    config.update(maximumRetryAttempts=1, qualifier="next")
    read = aws("lambda").get_function_event_invoke_config
    assert read(FunctionName=made["name"], Qualifier="next")["MaximumRetryAttempts"] == 1
    with pytest.raises(ClientError, match="ResourceNotFound"):
        read(FunctionName=made["name"], Qualifier="live")
    config.delete()
    config.delete()


def test_mapping_feeds_the_alias_of_a_function(aws: Any, function: Any) -> None:
    sender = function(
        "receiver", 'def handler(event, context):\n    return {"batchItemFailures": []}\n'
    )
    alias = make(
        "lambda/alias:Alias", "live", functionName=sender["name"], functionVersion="1", name="live"
    )
    queue = make("sqs/queue:Queue", "work")
    mapping = make(
        "lambda/eventSourceMapping:EventSourceMapping",
        "work",
        eventSourceArn=queue["arn"],
        functionName=alias["arn"],
        batchSize=5,
        functionResponseTypes=["ReportBatchItemFailures"],
        scalingConfig={"maximumConcurrency": 2},
        filterCriteria={"filters": [{"pattern": json.dumps({"body": {"go": [True]}})}]},
        tags={"a": "1"},
    )
    there = aws("lambda").get_event_source_mapping(UUID=mapping["uuid"])
    assert there["FunctionArn"] == mapping["functionArn"] == alias["arn"]
    assert there["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    aws("sqs").send_message(QueueUrl=queue["url"], MessageBody='{"go": true}')

    def taken() -> bool:
        attributes = aws("sqs").get_queue_attributes(QueueUrl=queue["url"], AttributeNames=["All"])[
            "Attributes"
        ]
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return all(attributes[count] == "0" for count in counts)

    assert within(5, taken)
    mapping.update(batchSize=1, scalingConfig=None, filterCriteria=None, enabled=False)
    there = aws("lambda").get_event_source_mapping(UUID=mapping["uuid"])
    assert (there["BatchSize"], there["State"]) == (1, "Disabled")
    assert not there.get("ScalingConfig")
    other = make("sqs/queue:Queue", "other")
    before = mapping["uuid"]
    mapping.update(eventSourceArn=other["arn"])
    assert mapping["uuid"] != before
    for thing in (mapping, queue, other):
        thing.delete()


def test_stream_mapping_says_what_does_not_run(aws: Any, function: Any) -> None:
    made = function("transformer")
    dead = make("sqs/queue:Queue", "stream-failures")
    table = make(
        "dynamodb/table:Table",
        "streamed",
        attributes=[{"name": "id", "type": "S"}],
        hashKey="id",
        billingMode="PAY_PER_REQUEST",
        streamEnabled=True,
        streamViewType="NEW_AND_OLD_IMAGES",
    )
    mapping = make(
        "lambda/eventSourceMapping:EventSourceMapping",
        "streamed",
        eventSourceArn=table["streamArn"],
        functionName=made["arn"],
        startingPosition="TRIM_HORIZON",
        bisectBatchOnFunctionError=True,
        maximumRetryAttempts=3,
        maximumRecordAgeInSeconds=60,
        parallelizationFactor=1,
        destinationConfig={"onFailure": {"destinationArn": dead["arn"]}},
    )
    there = aws("lambda").get_event_source_mapping(UUID=mapping["uuid"])
    assert there["DestinationConfig"]["OnFailure"]["Destination"] == dead["arn"]
    assert mapping.notes == [
        "a failing stream batch is retried until its record age: bisecting, retry count, parallelism do not run"
    ]
    for thing in (mapping, table, dead):
        thing.delete()


def test_provisioned_concurrency_is_recorded(aws: Any, function: Any) -> None:
    made = function("warm")
    make("lambda/alias:Alias", "live", functionName=made["name"], functionVersion="1", name="live")
    config = make(
        "lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
        "warm",
        functionName=made["name"],
        qualifier="live",
        provisionedConcurrentExecutions=2,
    )
    assert config.id == f"{made['name']},live"
    config.update(provisionedConcurrentExecutions=3)
    there = aws("lambda").get_provisioned_concurrency_config(
        FunctionName=made["name"], Qualifier="live"
    )
    assert there["RequestedProvisionedConcurrentExecutions"] == 3
    config.delete()
    with pytest.raises(ClientError):
        aws("lambda").get_provisioned_concurrency_config(
            FunctionName=made["name"], Qualifier="live"
        )


def test_bucket_notification_invokes_a_permitted_function_only(aws: Any, function: Any) -> None:
    made = function("image-processor")
    alias = make(
        "lambda/alias:Alias", "live", functionName=made["name"], functionVersion="1", name="live"
    )
    bucket = make("s3/bucket:Bucket", "pictures")
    target = {
        "lambdaFunctionArn": alias["arn"],
        "events": ["s3:ObjectCreated:*"],
        "filterPrefix": "uploads/",
        "filterSuffix": ".jpg",
    }
    with pytest.raises(
        ValueError, match="Unable to validate the following destination configurations"
    ):
        make(
            "s3/bucketNotification:BucketNotification",
            "pictures",
            bucket=bucket.id,
            lambdaFunctions=[target],
        )
    make(
        "lambda/permission:Permission",
        "s3",
        action="lambda:InvokeFunction",
        function=made["name"],
        principal="s3.amazonaws.com",
        qualifier="live",
        sourceArn=bucket["arn"],
    )
    notification = make(
        "s3/bucketNotification:BucketNotification",
        "pictures",
        bucket=bucket.id,
        lambdaFunctions=[target],
        eventbridge=True,
    )
    there = aws("s3").get_bucket_notification_configuration(Bucket=bucket.id)
    [configured] = there["LambdaFunctionConfigurations"]
    assert configured["LambdaFunctionArn"] == alias["arn"]
    rules = {
        rule["Name"].lower(): rule["Value"] for rule in configured["Filter"]["Key"]["FilterRules"]
    }
    assert rules == {"prefix": "uploads/", "suffix": ".jpg"}
    queue = make("sqs/queue:Queue", "closed")
    with pytest.raises(ClientError, match="Unable to validate"):
        notification.update(queues=[{"queueArn": queue["arn"], "events": ["s3:ObjectRemoved:*"]}])
    notification.delete()
    assert "LambdaFunctionConfigurations" not in aws("s3").get_bucket_notification_configuration(
        Bucket=bucket.id
    )
    bucket.delete()


def test_role_and_its_policies(aws: Any) -> None:
    iam = aws("iam")
    made = role(
        "readable", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    )
    there = iam.get_role(RoleName=made["name"])["Role"]
    assert made["arn"] == there["Arn"]
    assert made["uniqueId"] == there["RoleId"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "scheduler.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    made.update(
        assumeRolePolicy=json.dumps(trust),
        description="d",
        maxSessionDuration=7200,
        tags={"a": "1"},
    )
    there = iam.get_role(RoleName=made["name"])["Role"]
    assert (
        there["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        == "scheduler.amazonaws.com"
    )
    assert (there["Description"], there["MaxSessionDuration"]) == ("d", 7200)
    assert there["Tags"] == [{"Key": "a", "Value": "1"}]
    made.update(
        inlinePolicies=[
            {
                "name": "own",
                "policy": json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
                        ],
                    }
                ),
            }
        ]
    )
    assert iam.list_role_policies(RoleName=made["name"])["PolicyNames"] == ["own"]
    made.delete()
    made.delete()


def test_role_policy_moves_and_goes(aws: Any) -> None:
    first, second = role("first"), role("second")
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}],
    }
    policy = make("iam/rolePolicy:RolePolicy", "p", role=first["name"], policy=json.dumps(document))
    assert policy.id == f"{first['name']}:{policy['name']}"
    policy.update(role=second["name"])
    names = [
        aws("iam").list_role_policies(RoleName=r["name"])["PolicyNames"] for r in (first, second)
    ]
    assert names == [[], [policy["name"]]]
    policy.delete()
    assert aws("iam").list_role_policies(RoleName=second["name"])["PolicyNames"] == []


def test_false_denials_are_mended_and_reported(aws: Any) -> None:
    made = role("mailer")
    statement = {
        "Effect": "Allow",
        "Action": "ses:SendEmail",
        "Resource": f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/a",
    }
    policy = make(
        "iam/rolePolicy:RolePolicy",
        "mailer",
        role=made["name"],
        policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    assert policy.compat == [
        "SES sending on `*`: the emulator does not judge it by the sender's identity"
    ]
    there = aws("iam").get_role_policy(RoleName=made["name"], PolicyName="sandbox-compat")[
        "PolicyDocument"
    ]
    assert there["Statement"] == [{"Effect": "Allow", "Action": ["ses:SendEmail"], "Resource": "*"}]
    policy.update(
        policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{**statement, "Action": "sns:Publish", "Resource": "*"}],
            }
        )
    )
    assert policy.compat == []
    assert aws("iam").list_role_policies(RoleName=made["name"])["PolicyNames"] == [policy["name"]]
    made.delete()


def test_role_of_a_service_needs_no_mending(aws: Any) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = make("iam/role:Role", "scheduler", assumeRolePolicy=document)
    target = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f:live"
    statement = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": target}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy = make("iam/rolePolicy:RolePolicy", "scheduler", role=made["name"], policy=document)
    assert policy.compat == []
    names = aws("iam").list_role_policies(RoleName=made["name"])["PolicyNames"]
    assert names == [policy["name"]]
    made.delete()


@pytest.mark.parametrize(
    ("statement", "asked"),
    [
        (
            {"Action": ["ssm:GetParametersByPath"], "Resource": "arn:aws:ssm:r:a:parameter/app/*"},
            ["ssm:GetParametersByPath"],
        ),
        (
            {"Action": "dynamodb:PartiQLSelect", "Resource": "t"},
            [
                "dynamodb:BatchExecuteStatement",
                "dynamodb:ExecuteStatement",
                "dynamodb:ExecuteTransaction",
            ],
        ),
        (
            {"Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:r:0:function:f:live"},
            "lambda:InvokeFunction",
        ),
        ({"Action": "s3:GetObject", "Resource": "*"}, None),
        ({"Action": "ses:SendEmail", "Resource": "*"}, None),
        (
            {
                "Action": "lambda:InvokeFunction",
                "Resource": ["arn:aws:lambda:r:0:function:f:live", "arn:aws:lambda:r:0:function:f"],
            },
            None,
        ),
    ],
)
def test_only_known_false_denials_get_an_addition(statement: dict[str, Any], asked: Any) -> None:
    from sandbox.services.iam_compat import additions

    made, reasons = additions([{"Statement": {"Effect": "Allow", **statement}}])
    assert [each["Action"] for each in made] == ([asked] if asked else [])
    assert len(reasons) == len(made)


def test_log_group_has_its_retention(aws: Any) -> None:
    group = make(
        "cloudwatch/logGroup:LogGroup",
        "g",
        name="/aws/lambda/g",
        retentionInDays=14,
        kmsKeyId=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k",
        tags={"a": "1"},
    )
    assert group["arn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/g"

    def there() -> dict[str, Any]:
        return aws("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/g")["logGroups"][0]

    assert there()["retentionInDays"] == 14
    group.update(retentionInDays=30, tags={"b": "2"})
    assert there()["retentionInDays"] == 30
    assert aws("logs").list_tags_for_resource(resourceArn=group["arn"])["tags"] == {"b": "2"}
    group.update(retentionInDays=None)
    assert "retentionInDays" not in there()
    group.delete()
    with pytest.raises(ClientError, match="ResourceAlreadyExists"):
        [make("cloudwatch/logGroup:LogGroup", "twice", name="/twice") for _ in range(2)]


def test_alarm_and_dashboard(aws: Any) -> None:
    cloudwatch = aws("cloudwatch")
    alarm = make(
        "cloudwatch/metricAlarm:MetricAlarm",
        "errors",
        comparisonOperator="GreaterThanOrEqualToThreshold",
        evaluationPeriods=1,
        metricName="Errors",
        namespace="AWS/Lambda",
        period=60,
        statistic="Sum",
        threshold=1,
        treatMissingData="notBreaching",
        dimensions={"FunctionName": "f"},
        alarmActions=[f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"],
        okActions=[f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"],
        alarmDescription="d",
        tags={"a": "1"},
    )
    [there] = cloudwatch.describe_alarms(AlarmNames=[alarm["name"]])["MetricAlarms"]
    assert there["AlarmArn"] == alarm["arn"]
    assert there["Dimensions"] == [{"Name": "FunctionName", "Value": "f"}]
    assert there["OKActions"] == [f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"]
    alarm.update(threshold=2.5, tags={"b": "2"})
    [there] = cloudwatch.describe_alarms(AlarmNames=[alarm["name"]])["MetricAlarms"]
    assert there["Threshold"] == 2.5
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["arn"])["Tags"] == [
        {"Key": "b", "Value": "2"}
    ]
    math = make(
        "cloudwatch/metricAlarm:MetricAlarm",
        "rate",
        comparisonOperator="GreaterThanThreshold",
        evaluationPeriods=1,
        threshold=0.1,
        metricQueries=[
            {"id": "rate", "expression": "errors/calls", "returnData": True},
            {
                "id": "errors",
                "metric": {
                    "metricName": "Errors",
                    "namespace": "AWS/Lambda",
                    "period": 60,
                    "stat": "Sum",
                    "dimensions": {"FunctionName": "f"},
                },
            },
        ],
    )
    assert math.notes == ["its metric math is not evaluated: the alarm keeps its first state"]
    board = make("cloudwatch/dashboard:Dashboard", "main", dashboardBody='{"widgets": []}')
    assert board["dashboardArn"] == f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{board.id}"
    board.update(dashboardName="other")
    names = [d["DashboardName"] for d in cloudwatch.list_dashboards()["DashboardEntries"]]
    assert names == ["other"]
    for thing in (board, math, alarm):
        thing.delete()
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_schedule_is_created_changed_and_removed(aws: Any, function: Any) -> None:
    made = function("cleanup-job")
    schedule = make(
        "scheduler/schedule:Schedule",
        "cleanup",
        scheduleExpression="cron(0 3 * * ? *)",
        scheduleExpressionTimezone="Europe/Oslo",
        flexibleTimeWindow={"mode": "FLEXIBLE", "maximumWindowInMinutes": 15},
        target={
            "arn": made["arn"],
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
            "input": "{}",
            "retryPolicy": {"maximumRetryAttempts": 3, "maximumEventAgeInSeconds": 3600},
            "deadLetterConfig": {"arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"},
        },
        state="ENABLED",
        kmsKeyArn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k",
    )
    assert schedule.id == f"default/{schedule['name']}"
    assert schedule.notes == [
        "it fires by UTC, not Europe/Oslo",
        "it fires on time: the flexible window is not used",
        "its dead-letter queue stays empty: the emulator drops what it cannot deliver",
    ]
    schedule.update(state="DISABLED", scheduleExpressionTimezone="UTC")
    there = aws("scheduler").get_schedule(Name=schedule["name"])
    assert there["Arn"] == schedule["arn"]
    assert there["State"] == "DISABLED"
    assert there["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 3
    schedule.delete()
    schedule.delete()


def test_rule_on_a_bus_reaches_its_target(aws: Any) -> None:
    queue = make("sqs/queue:Queue", "events")
    bus = make("cloudwatch/eventBus:EventBus", "orders", tags={"a": "1"})
    rule = make(
        "cloudwatch/eventRule:EventRule",
        "made",
        eventBusName=bus["name"],
        eventPattern=json.dumps({"source": ["shop"]}),
        tags={"a": "1"},
    )
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue["arn"],
    }
    make(
        "sqs/queuePolicy:QueuePolicy",
        "events",
        queueUrl=queue["url"],
        policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    target = make(
        "cloudwatch/eventTarget:EventTarget",
        "made",
        rule=rule["name"],
        eventBusName=bus["name"],
        arn=queue["arn"],
        inputTransformer={
            "inputPaths": {"id": "$.detail.id"},
            "inputTemplate": '{"order": "<id>"}',
        },
    )
    aws("events").put_events(
        Entries=[
            {
                "Source": "shop",
                "DetailType": "made",
                "Detail": '{"id": "7"}',
                "EventBusName": bus["name"],
            }
        ]
    )
    [got] = aws("sqs").receive_message(QueueUrl=queue["url"], WaitTimeSeconds=3)["Messages"]
    assert json.loads(got["Body"]) == {"order": "7"}
    rule.update(state="DISABLED", tags={"b": "2"})
    assert (
        aws("events").describe_rule(Name=rule["name"], EventBusName=bus["name"])["State"]
        == "DISABLED"
    )
    target.update(inputTransformer=None, input='{"fixed": 1}')
    [there] = aws("events").list_targets_by_rule(Rule=rule["name"], EventBusName=bus["name"])[
        "Targets"
    ]
    assert there["Input"] == '{"fixed": 1}'
    for thing in (target, rule, bus, queue):
        thing.delete()


def test_account_lookups_answer_the_sandbox() -> None:
    from sandbox.resources import INVOKES

    aws = clients()
    answers = {token.rpartition(":")[2]: answer(aws, {}) for token, answer in INVOKES.items()}
    assert answers["getCallerIdentity"]["accountId"] == ACCOUNT
    assert answers["getRegion"]["region"] == REGION
    assert answers["getPartition"]["dnsSuffix"] == "amazonaws.com"


def test_ready_zip_is_deployed_as_it_is(aws: Any, execution_role: Made, tmp_path: Any) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as target:
        target.writestr("main.py", ECHO)
    (tmp_path / "f.zip").write_bytes(held.getvalue())
    made = make(
        "lambda/function:Function",
        "zipped",
        code=pulumi.FileArchive(str(tmp_path / "f.zip")),
        role=execution_role["arn"],
        runtime="python3.13",
        handler="main.handler",
    )
    digest = hashlib.sha256(held.getvalue()).digest()
    assert made["sourceCodeHash"] == base64.b64encode(digest).decode()
    made.delete()
