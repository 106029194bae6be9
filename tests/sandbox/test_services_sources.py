"""What starts functions: streams, archives, subscriptions of logs, rules of things, identities that send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.functions_support import archive, role
from tests.sandbox.services_support import ACCOUNT, REGION, Made, make

_QUIET = "def handler(event, context):\n    return None\n"


def function(name: str, source: str = _QUIET) -> Made:
    """A function that may do everything."""
    rights = role(name, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    return make(
        "lambda/function:Function",
        name,
        code=archive(source),
        role=rights["arn"],
        runtime="python3.13",
        handler="main.handler",
    )


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
    told = kinesis.list_tags_for_stream(StreamName=stream["name"])["Tags"]
    assert told == [{"Key": "b", "Value": "3"}]
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
    reader = function("log-reader")
    wanted = {
        "logGroup": group["name"],
        "destinationArn": reader["arn"],
        "filterPattern": '{ $.level = "ERROR" }',
    }
    kind = "cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
    with pytest.raises(ValueError, match="given CloudWatch Logs permission"):
        make(kind, "errors", **wanted)
    permit = make(
        "lambda/permission:Permission",
        "logs",
        action="lambda:InvokeFunction",
        function=reader["name"],
        principal="logs.amazonaws.com",
        sourceArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group['name']}:*",
    )
    told = make(kind, "errors", **wanted)
    assert told.notes == []
    told.update(filterPattern="ERROR")
    listed = aws("logs").describe_subscription_filters(logGroupName=group["name"])
    (found,) = listed["subscriptionFilters"]
    assert (found["filterPattern"], found["destinationArn"]) == ("ERROR", reader["arn"])
    more = make(kind, "more", **wanted)
    with pytest.raises(ValueError, match="AWS allows no more"):
        make(kind, "third", **wanted)
    for each in (more, told, permit, reader, group):
        each.delete()


def test_rule_over_devices_keeps_its_actions(aws: Any) -> None:
    stream = make("kinesis/stream:Stream", "from-devices", shardCount=1)
    rights = role("from-devices", {"Effect": "Allow", "Action": "*", "Resource": "*"})
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
                "partitionKey": "${topic(2)}",
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
    assert action["kinesis"]["partitionKey"] == "${topic(2)}"
    assert found["errorAction"]["sqs"]["queueUrl"] == "u"
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
