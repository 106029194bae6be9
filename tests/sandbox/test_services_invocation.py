"""What invokes a function without being asked to: queues, streams, buckets, retries."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.functions_support import role, within
from tests.sandbox.services_support import make


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
    assert config.notes == []
    config.update(maximumRetryAttempts=1, qualifier="next")
    read = aws("lambda").get_function_event_invoke_config
    assert read(FunctionName=made["name"], Qualifier="next")["MaximumRetryAttempts"] == 1
    with pytest.raises(ClientError, match="ResourceNotFound"):
        read(FunctionName=made["name"], Qualifier="live")
    config.delete()
    config.delete()


def test_mapping_feeds_the_alias_of_a_function(aws: Any, function: Any) -> None:
    reads = role("receiver", {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"})
    answer = 'def handler(event, context):\n    return {"batchItemFailures": []}\n'
    sender = function("receiver", answer, role=reads["arn"])
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
    reads = role("transformer", {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"})
    made = function("transformer", role=reads["arn"])
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
        parallelizationFactor=2,
        destinationConfig={"onFailure": {"destinationArn": dead["arn"]}},
    )
    there = aws("lambda").get_event_source_mapping(UUID=mapping["uuid"])
    assert there["DestinationConfig"]["OnFailure"]["Destination"] == dead["arn"]
    assert mapping.notes == [
        "its parallelization is recorded: one batch of a shard at a time is read"
    ]
    for thing in (mapping, table, dead):
        thing.delete()


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
    kind = "s3/bucketNotification:BucketNotification"
    permission = {
        "action": "lambda:InvokeFunction",
        "function": made["name"],
        "principal": "s3.amazonaws.com",
        "sourceArn": bucket["arn"],
    }
    refused = "Unable to validate the following destination configurations"
    with pytest.raises(ValueError, match=refused):
        make(kind, "pictures", bucket=bucket.id, lambdaFunctions=[target])
    make("lambda/permission:Permission", "not-the-alias", **permission)
    with pytest.raises(ValueError, match=refused):
        make(kind, "pictures", bucket=bucket.id, lambdaFunctions=[target])
    make("lambda/permission:Permission", "the-alias", qualifier="live", **permission)
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
