"""What starts functions: streams, archives, subscriptions of logs, rules of things, identities that send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.workers import log_patterns
from tests.sandbox.delivery_support import permit, reader, told, until
from tests.sandbox.services_support import ACCOUNT, REGION, Made, make

_QUIET = "def handler(event, context):\n    return None\n"


def test_stream_keeps_what_is_set_and_changes_in_place(aws: Any) -> None:
    kinesis = aws("kinesis")
    stream = make(
        "kinesis/stream:Stream",
        "readings",
        shardCount=2,
        retentionPeriod=48,
        encryptionType="KMS",
        kmsKeyId="alias/data",
        streamModeDetails={"streamMode": "PROVISIONED"},
        tags={"a": "1", "b": "2"},
    )
    consumer = make(
        "kinesis/streamConsumer:StreamConsumer", "fast", streamArn=stream["arn"], tags={"a": "1"}
    )
    found = kinesis.describe_stream_summary(StreamName=stream["name"])["StreamDescriptionSummary"]
    assert (found["OpenShardCount"], found["RetentionPeriodHours"]) == (2, 48)
    assert (found["EncryptionType"], found["KeyId"]) == ("KMS", "alias/data")
    assert found["ConsumerCount"] == 1
    assert consumer["arn"].startswith(f"{stream['arn']}/consumer/{consumer['name']}:")
    kinesis.put_record(StreamName=stream["name"], Data=b"kept", PartitionKey="a")
    stream.update(retentionPeriod=None, encryptionType=None, kmsKeyId=None, tags={"b": "3"})
    found = kinesis.describe_stream_summary(StreamName=stream["name"])["StreamDescriptionSummary"]
    assert (found["RetentionPeriodHours"], found["EncryptionType"]) == (24, "NONE")
    listed = kinesis.list_tags_for_stream(StreamName=stream["name"])["Tags"]
    assert listed == [{"Key": "b", "Value": "3"}]
    assert stream.notes == []
    consumer.update(tags=None)
    consumer.delete()
    stream.delete()
    with pytest.raises(ClientError):
        kinesis.describe_stream_summary(StreamName=stream["name"])


def test_bus_changes_without_losing_its_rules_and_its_archive_changes_too(aws: Any) -> None:
    events = aws("events")
    bus = make("cloudwatch/eventBus:EventBus", "happenings", description="one", tags={"a": "1"})
    rule = make(
        "cloudwatch/eventRule:EventRule",
        "all",
        eventBusName=bus["name"],
        eventPattern=json.dumps({"source": ["a"]}),
    )
    kept = make(
        "cloudwatch/eventArchive:EventArchive",
        "happenings",
        eventSourceArn=bus["arn"],
        retentionDays=30,
        eventPattern=json.dumps({"source": ["a"]}),
    )
    bus.update(description=None, tags={"b": "2"})
    assert events.describe_event_bus(Name=bus["name"])["Description"] == ""
    assert [each["Name"] for each in events.list_rules(EventBusName=bus["name"])["Rules"]] == [
        rule["name"]
    ]
    assert events.list_tags_for_resource(ResourceARN=bus["arn"])["Tags"] == [
        {"Key": "b", "Value": "2"}
    ]
    kept.update(retentionDays=None, eventPattern=None)
    found = events.describe_archive(ArchiveName=kept["name"])
    assert (found["RetentionDays"], found["EventPattern"]) == (0, "")
    assert found["EventSourceArn"] == bus["arn"]
    for each in (kept, rule, bus):
        each.delete()


def test_log_subscription_needs_a_permission_and_goes_again(aws: Any) -> None:
    group = make("cloudwatch/logGroup:LogGroup", "told")
    hears = reader("log-reader", _QUIET)
    wanted = {
        "logGroup": group["name"],
        "destinationArn": hears["arn"],
        "filterPattern": '{ $.level = "ERROR" }',
    }
    kind = "cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
    with pytest.raises(ValueError, match="given CloudWatch Logs permission"):
        make(kind, "errors", **wanted)
    permitted = make(
        "lambda/permission:Permission",
        "logs",
        action="lambda:InvokeFunction",
        function=hears["name"],
        principal="logs.amazonaws.com",
        sourceArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group['name']}:*",
    )
    filtered = make(kind, "errors", **wanted)
    assert filtered.notes == []
    filtered.update(filterPattern="ERROR")
    listed = aws("logs").describe_subscription_filters(logGroupName=group["name"])
    (found,) = listed["subscriptionFilters"]
    assert (found["filterPattern"], found["destinationArn"]) == ("ERROR", hears["arn"])
    more = make(kind, "more", **wanted)
    with pytest.raises(ValueError, match="AWS allows no more"):
        make(kind, "third", **wanted)
    for each in (more, filtered, permitted, hears, group):
        each.delete()


def _listening(name: str, stream: Made) -> Made:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "iot.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    made = make(
        "iam/role:Role",
        name,
        assumeRolePolicy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    allowed = {"Effect": "Allow", "Action": "kinesis:PutRecord", "Resource": stream["arn"]}
    make(
        "iam/rolePolicy:RolePolicy",
        name,
        role=made["name"],
        policy=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    return made


def _records(aws: Any, stream: Made) -> list[Any]:
    kinesis = aws("kinesis")
    begin = kinesis.get_shard_iterator(
        StreamName=stream["name"],
        ShardId="shardId-000000000000",
        ShardIteratorType="TRIM_HORIZON",
    )
    return kinesis.get_records(ShardIterator=begin["ShardIterator"])["Records"]


def test_rule_over_devices_puts_what_they_say_into_a_stream(aws: Any) -> None:
    stream = make("kinesis/stream:Stream", "from-devices", shardCount=1)
    rights = _listening("from-devices", stream)
    rule = make(
        "iot/topicRule:TopicRule",
        "telemetry",
        name="telemetry",
        enabled=True,
        sql="SELECT * FROM 'sandpiper/+/telemetry'",
        sqlVersion="2016-03-23",
        kineses=[
            {
                "roleArn": rights["arn"],
                "streamName": stream["name"],
                "partitionKey": "${device}/${topic(1)}",
            }
        ],
        errorAction={
            "sqs": {
                "queueUrl": "u",
                "roleArn": rights["arn"],
                "useBase64": False,
            }
        },
    )
    found = aws("iot").get_topic_rule(ruleName=rule["name"])["rule"]
    (action,) = found["actions"]
    assert action["kinesis"]["streamName"] == stream["name"]
    assert found["errorAction"]["sqs"]["queueUrl"] == "u"
    assert rule.notes == []
    message = json.dumps({"device": "d-1", "value": 5})
    aws("iot-data").publish(topic="sandpiper/d-1/telemetry", payload=message.encode())
    [record] = until(lambda: _records(aws, stream))
    assert json.loads(record["Data"]) == {"device": "d-1", "value": 5}
    assert record["PartitionKey"] == "d-1/sandpiper"
    rule.update(enabled=False)
    assert aws("iot").get_topic_rule(ruleName=rule["name"])["rule"]["ruleDisabled"] is True
    rule.delete()
    stream.delete()


def test_identity_counts_as_verified_until_it_goes(aws: Any) -> None:
    options = make("sesv2/configurationSet:ConfigurationSet", "mail", tags={"a": "1"})
    identity = make(
        "sesv2/emailIdentity:EmailIdentity",
        "sender",
        emailIdentity="orders@example.com",
        configurationSetName=options["configurationSetName"],
    )
    found = aws("sesv2").get_email_identity(EmailIdentity="orders@example.com")
    assert found["VerifiedForSendingStatus"] is True
    assert identity["arn"].endswith(":identity/orders@example.com")
    identity.update(tags={"a": "2"})
    identity.delete()
    options.delete()
    with pytest.raises(ClientError):
        aws("sesv2").get_email_identity(EmailIdentity="orders@example.com")


def test_function_is_told_of_another_functions_errors_only(aws: Any) -> None:
    speaking = (
        "import json, logging\n\ndef handler(event, context):\n"
        "    logging.error('went wrong', extra={'order': event['n']})\n    logging.warning('so so')\n"
    )
    speaker = reader("log-speaker", speaking, loggingConfig={"logFormat": "JSON"})
    hearer = reader(
        "log-hearer",
        "import base64, gzip, json\n\ndef handler(event, context):\n"
        "    print('told', gzip.decompress(base64.b64decode(event['awslogs']['data'])).decode())\n",
    )
    group = make("cloudwatch/logGroup:LogGroup", "speaker", name=f"/aws/lambda/{speaker['name']}")
    source = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group['name']}:*"
    permit(hearer, "logs.amazonaws.com", source)
    told_of = make(
        "cloudwatch/logSubscriptionFilter:LogSubscriptionFilter",
        "errors",
        logGroup=group["name"],
        destinationArn=hearer["arn"],
        filterPattern='{ $.level = "ERROR" }',
    )
    aws("lambda").invoke(FunctionName=speaker["name"], Payload=b'{"n": 7}')
    [data] = told(hearer)
    [event] = data["logEvents"]
    assert json.loads(event["message"])["order"] == 7
    assert (data["messageType"], data["logGroup"]) == ("DATA_MESSAGE", group["name"])
    assert data["subscriptionFilters"] == [told_of["name"]]
    assert event["id"].isdecimal()
    odd = told_of.update(filterPattern="[ip, user]")
    assert odd.notes == [
        "nothing is sent: its pattern is not read here (a pattern over fields in brackets: [ip, user])"
    ]


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR here", True),
        ("ERROR", "an error here", False),
        ('"two words" -not', "two words", True),
        ('"two words" -not', "two words not", False),
        ("?one ?other", "the other", True),
        ("?one ?other", "nobody", False),
        ('{ $.level = "ERROR" }', '{"level": "ERROR"}', True),
        ('{ $.level = "ERROR" }', "ERROR in plain text", False),
        ("{ $.level = ERR* && $.size > 5 }", '{"level": "ERROR", "size": 6}', True),
        ("{ $.level = ERR* && $.size > 5 }", '{"level": "ERROR", "size": 5}', False),
        ("{ ($.a = 1) || ($.b[0].c = 2) }", '{"b": [{"c": 2}]}', True),
        ("{ $.a = 1 }", '{"a": true}', False),
        ("{ $.a != 1 }", '{"b": 1}', False),
        ("{ $.a NOT EXISTS }", '{"b": 1}', True),
        ("{ $.a IS NULL }", '{"a": null}', True),
        ("{ $.a IS TRUE }", '{"a": 1}', False),
        ("{ $.a = %^x+$% }", '{"a": "xxx"}', True),
    ],
)
def test_filter_pattern_matches_as_cloudwatch_does(
    pattern: str, message: str, matches: bool
) -> None:
    assert log_patterns.matcher(pattern)(message) is matches


@pytest.mark.parametrize(
    "pattern", ["[a, b]", "{ $.a", "{ a = 1 }", "{ $.a < x }", "{ $.a = 1 2 }"]
)
def test_pattern_that_is_not_read_is_named(pattern: str) -> None:
    with pytest.raises(log_patterns.Unread):
        log_patterns.matcher(pattern)


def test_log_events_are_found_by_a_condition_on_their_fields(aws: Any) -> None:
    logs, group = aws("logs"), "/sought"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    lines = ['{"id": "c-1", "level": "ERROR"}', '{"id": "c-2", "level": "INFO"}', "Error c-1"]
    events = [{"timestamp": 1 + place, "message": line} for place, line in enumerate(lines)]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)

    def found(pattern: str) -> list[str]:
        answer = logs.filter_log_events(logGroupName=group, filterPattern=pattern)
        return [each["message"] for each in answer["events"]]

    assert found('{ $.id = "c-1" }') == lines[:1]
    assert found('{ $.level = "ERROR" || $.id = "c-2" }') == lines[:2]
    assert found("Error") == lines[2:]
    assert found("") == lines
    for refused in ("{ $.id", "%(%"):
        with pytest.raises(ClientError, match=r"InvalidParameterException.*Invalid filter pattern"):
            found(refused)
