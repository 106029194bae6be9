"""What topics, buses and buckets hand on: to whom they may, in which shape, and where the rest goes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.delivery_support import (
    admit,
    logged,
    permit,
    reader,
    received,
    texts,
    told,
    until,
)
from tests.sandbox.services_support import ACCOUNT, REGION, Made, make

FAILING = 'def handler(event, context):\n    print("told 1")\n    raise ValueError("no")\n'


def subscription(name: str, topic: Made, protocol: str, endpoint: str, **more: Any) -> Made:
    return make(
        "sns/topicSubscription:TopicSubscription",
        name,
        topic=topic["arn"],
        protocol=protocol,
        endpoint=endpoint,
        **more,
    )


def test_topic_starts_a_permitted_function_with_the_whole_record(aws: Any) -> None:
    topic, heard = make("sns/topic:Topic", "heard"), reader("topic-reader")
    permit(heard, "sns.amazonaws.com", topic["arn"])
    made = subscription("heard", topic, "lambda", heard["arn"])
    attribute = {"event": {"DataType": "String", "StringValue": "OrderPlaced"}}
    aws("sns").publish(TopicArn=topic["arn"], Message="hello", MessageAttributes=attribute)
    [event] = told(heard)
    [record] = event["Records"]
    assert (record["EventSource"], record["EventSubscriptionArn"]) == ("aws:sns", made["arn"])
    message = record["Sns"]
    assert (message["Message"], message["Subject"]) == ("hello", None)
    assert message["MessageAttributes"] == {"event": {"Type": "String", "Value": "OrderPlaced"}}
    assert {"SigningCertUrl", "UnsubscribeUrl"} <= message.keys()
    assert "SigningCertURL" not in message


def test_failing_function_of_a_topic_is_tried_again_and_ends_in_its_destination(aws: Any) -> None:
    topic, bad, letters = (
        make("sns/topic:Topic", "trying"),
        reader("topic-failing", FAILING),
        make("sqs/queue:Queue", "topic-failing"),
    )
    make(
        "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "failing",
        functionName=bad["name"],
        maximumRetryAttempts=1,
        destinationConfig={"onFailure": {"destination": letters["arn"]}},
    )
    permit(bad, "sns.amazonaws.com", topic["arn"])
    subscription("trying", topic, "lambda", bad["arn"])
    aws("sns").publish(TopicArn=topic["arn"], Message="m")
    [letter] = received(letters)
    record = json.loads(letter["Body"])
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["requestPayload"]["Records"][0]["Sns"]["Message"] == "m"


@pytest.mark.parametrize("kind", ["lambda", "sqs"])
def test_undeliverable_message_of_a_topic_is_a_dead_letter(aws: Any, kind: str) -> None:
    topic, letters = make("sns/topic:Topic", f"lost-{kind}"), make("sqs/queue:Queue", f"l-{kind}")
    admit(letters, "sns.amazonaws.com", topic["arn"])
    target = reader("topic-denied") if kind == "lambda" else make("sqs/queue:Queue", "topic-denied")
    subscription(
        kind,
        topic,
        kind,
        target["arn"],
        redrivePolicy=json.dumps({"deadLetterTargetArn": letters["arn"]}),
        **({"rawMessageDelivery": True} if kind == "sqs" else {}),
    )
    aws("sns").publish(TopicArn=topic["arn"], Message='{"total": 5}')
    [letter] = received(letters)
    body = json.loads(letter["Body"])
    assert (body if kind == "sqs" else json.loads(body["Message"])) == {"total": 5}
    assert texts(letter)["ErrorCode"] == "403"


def test_filters_on_attributes_and_on_the_body_choose_what_a_queue_gets(aws: Any) -> None:
    topic = make("sns/topic:Topic", "filtered")
    big, placed = make("sqs/queue:Queue", "big"), make("sqs/queue:Queue", "placed")
    for queue in (big, placed):
        admit(queue, "sns.amazonaws.com", topic["arn"])
    subscription(
        "big",
        topic,
        "sqs",
        big["arn"],
        rawMessageDelivery=True,
        filterPolicyScope="MessageBody",
        filterPolicy=json.dumps({"total": [{"numeric": [">=", 1000]}]}),
    )
    subscription(
        "placed",
        topic,
        "sqs",
        placed["arn"],
        filterPolicy=json.dumps({"event": [{"prefix": "Order"}]}),
    )
    for total in (999.99, 1000, 2500.5):
        aws("sns").publish(TopicArn=topic["arn"], Message=json.dumps({"total": total}))
    told_of = {"event": {"DataType": "String", "StringValue": "OrderPlaced"}}
    aws("sns").publish(TopicArn=topic["arn"], Message="not JSON", MessageAttributes=told_of)
    assert sorted(json.loads(m["Body"])["total"] for m in received(big, 2)) == [1000, 2500.5]
    [message] = received(placed)
    assert json.loads(message["Body"])["Message"] == "not JSON"


def _rule(name: str, target: str, **more: Any) -> tuple[Made, Made]:
    bus = make("cloudwatch/eventBus:EventBus", name)
    rule = make(
        "cloudwatch/eventRule:EventRule",
        name,
        eventBusName=bus["name"],
        eventPattern=json.dumps({"source": ["sandpiper.orders"]}),
    )
    make(
        "cloudwatch/eventTarget:EventTarget",
        name,
        rule=rule["name"],
        eventBusName=bus["name"],
        arn=target,
        **more,
    )
    return bus, rule


def _put(aws: Any, bus: Made, detail: Any, source: str = "sandpiper.orders") -> None:
    entry = {
        "Source": source,
        "DetailType": "Order Placed",
        "Detail": json.dumps(detail),
        "EventBusName": bus["name"],
    }
    assert aws("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_bus_starts_a_permitted_function_with_what_the_transformer_makes(aws: Any) -> None:
    heard = reader("bus-reader")
    bus, rule = _rule(
        "heard",
        heard["arn"],
        inputTransformer={
            "inputPaths": {"id": "$.id", "type": "$.detail-type", "detail": "$.detail"},
            "inputTemplate": '{"id": <id>, "type": <type>, "detail": <detail>}',
        },
    )
    permit(heard, "events.amazonaws.com", rule["arn"])
    _put(aws, bus, {"orderId": "o-1", "name": 'quote " and é'})
    _put(aws, bus, {}, source="another")
    [event] = told(heard)
    assert event.pop("id")
    assert event == {"type": "Order Placed", "detail": {"orderId": "o-1", "name": 'quote " and é'}}


def test_failing_function_of_a_bus_is_tried_again(aws: Any) -> None:
    bad = reader("bus-failing", FAILING)
    bus, rule = _rule("failing", bad["arn"])
    permit(bad, "events.amazonaws.com", rule["arn"])
    _put(aws, bus, {})
    until(lambda: len(logged(bad)) == 3)


@pytest.mark.parametrize(
    ("kind", "code"),
    [("denied", "NO_PERMISSIONS"), ("gone", "NO_RESOURCE"), ("queue", "NO_PERMISSIONS")],
)
def test_undeliverable_event_is_a_dead_letter_that_says_why(aws: Any, kind: str, code: str) -> None:
    letters = make("sqs/queue:Queue", f"bus-{kind}")
    arns = {
        "denied": lambda: reader("bus-denied")["arn"],
        "gone": lambda: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:nobody",
        "queue": lambda: make("sqs/queue:Queue", "bus-closed")["arn"],
    }
    target = arns[kind]()
    bus, rule = _rule(
        f"lost-{kind}", target, deadLetterConfig={"arn": letters["arn"]}, inputPath="$.detail"
    )
    admit(letters, "events.amazonaws.com", rule["arn"])
    _put(aws, bus, {"n": 1})
    [letter] = received(letters)
    body = json.loads(letter["Body"])
    assert (body["source"], body["detail"]) == ("sandpiper.orders", {"n": 1})
    why = texts(letter)
    assert (why["ERROR_CODE"], why["RULE_ARN"], why["TARGET_ARN"]) == (code, rule["arn"], target)


def test_archive_replays_what_passed_and_says_that_it_is_a_replay(aws: Any) -> None:
    heard, events = reader("replay-reader"), aws("events")
    bus, rule = _rule("replayed", heard["arn"])
    permit(heard, "events.amazonaws.com", rule["arn"])
    kept = make("cloudwatch/eventArchive:EventArchive", "replayed", eventSourceArn=bus["arn"])
    _put(aws, bus, {"n": 1})
    [first] = told(heard)
    events.start_replay(
        ReplayName="again",
        EventSourceArn=kept["arn"],
        EventStartTime=0,
        EventEndTime=4102444800,
        Destination={"Arn": bus["arn"]},
    )
    _, again = told(heard, 2)
    assert again.pop("replay-name") == "again"
    assert again == first


def _bucket(name: str, *, versioned: bool) -> Made:
    bucket = make("s3/bucket:Bucket", name, forceDestroy=True)
    if versioned:
        make(
            "s3/bucketVersioning:BucketVersioning",
            name,
            bucket=bucket["bucket"],
            versioningConfiguration={"status": "Enabled"},
        )
    return bucket


@pytest.mark.parametrize("versioned", [True, False])
def test_bucket_tells_of_what_comes_and_goes(aws: Any, versioned: bool) -> None:
    name = f"told-{versioned}".lower()
    bucket, heard, other = _bucket(name, versioned=versioned), reader(name), reader(f"bus-{name}")
    permit(heard, "s3.amazonaws.com", bucket["arn"], sourceAccount=ACCOUNT)
    rule = make(
        "cloudwatch/eventRule:EventRule",
        name,
        eventPattern=json.dumps(
            {
                "source": ["aws.s3"],
                "detail": {
                    "bucket": {"name": [bucket["bucket"]]},
                    "object": {"key": [{"prefix": "in/"}]},
                },
            }
        ),
    )
    make("cloudwatch/eventTarget:EventTarget", name, rule=rule["name"], arn=other["arn"])
    permit(other, "events.amazonaws.com", rule["arn"])
    make(
        "s3/bucketNotification:BucketNotification",
        name,
        bucket=bucket["bucket"],
        eventbridge=True,
        lambdaFunctions=[
            {
                "lambdaFunctionArn": heard["arn"],
                "events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
                "filterPrefix": "in/",
                "filterSuffix": ".jpg",
            }
        ],
    )
    key, s3 = "in/a b+é(1).jpg", aws("s3")
    put = s3.put_object(Bucket=bucket["bucket"], Key=key, Body=b"12345")
    [first] = told(heard)
    [record] = first["Records"]
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["object"]["key"] == "in/a+b%2B%C3%A9%281%29.jpg"
    assert record["s3"]["object"]["size"] == 5
    assert record["s3"]["object"].get("versionId") == put.get("VersionId")
    s3.delete_object(Bucket=bucket["bucket"], Key=key)
    gone = told(heard, 2)[1]["Records"][0]
    expected = "DeleteMarkerCreated" if versioned else "Delete"
    assert gone["eventName"] == f"ObjectRemoved:{expected}"
    assert "size" not in gone["s3"]["object"]
    assert gone["s3"]["object"]["sequencer"] > record["s3"]["object"]["sequencer"]
    created, deleted = told(other, 2)
    assert (created["detail-type"], created["detail"]["object"]["key"]) == ("Object Created", key)
    assert created["detail"]["object"].get("version-id") == put.get("VersionId")
    assert deleted["detail-type"] == "Object Deleted"
    assert "size" not in deleted["detail"]["object"]
    assert created["resources"] == [bucket["arn"]]


def test_notification_needs_a_permission_for_this_bucket_and_targets_that_do_not_overlap(
    aws: Any,
) -> None:
    bucket, heard = _bucket("apart", versioned=False), reader("apart")
    kind = "s3/bucketNotification:BucketNotification"

    def target(*events: str, prefix: str = "", suffix: str = "") -> dict[str, Any]:
        return {
            "lambdaFunctionArn": heard["arn"],
            "events": list(events),
            "filterPrefix": prefix,
            "filterSuffix": suffix,
        }

    created = target("s3:ObjectCreated:*", prefix="in/", suffix=".jpg")
    permit(heard, "s3.amazonaws.com", "arn:aws:s3:::another")
    with pytest.raises(ValueError, match="has no permission for s3"):
        make(kind, "apart", bucket=bucket["bucket"], lambdaFunctions=[created])
    make(
        "lambda/permission:Permission",
        "apart-own",
        action="lambda:InvokeFunction",
        function=heard["name"],
        principal="s3.amazonaws.com",
        sourceArn=bucket["arn"],
    )
    removed = target("s3:ObjectRemoved:*", prefix="in/", suffix=".jpg")
    other = target("s3:ObjectCreated:Put", prefix="in/", suffix=".png")
    make(kind, "apart", bucket=bucket["bucket"], lambdaFunctions=[created, removed, other])
    within = target("s3:ObjectCreated:Put", prefix="in/deep/", suffix=".jpg")
    with pytest.raises(ValueError, match="Configurations overlap"):
        make(kind, "apart", bucket=bucket["bucket"], lambdaFunctions=[created, within])
    assert aws("s3").get_bucket_location(Bucket=bucket["bucket"])


def test_alias_is_started_by_what_was_permitted_after_its_version(aws: Any) -> None:
    heard, topic = reader("aliased-reader", publish=True), make("sns/topic:Topic", "aliased")
    alias = make(
        "lambda/alias:Alias", "live", functionName=heard["name"], functionVersion="1", name="live"
    )
    subscription("aliased", topic, "lambda", alias["arn"])
    permit(heard, "sns.amazonaws.com", topic["arn"], qualifier="live")
    aws("sns").publish(TopicArn=topic["arn"], Message="hello")
    assert told(heard)[0]["Records"][0]["Sns"]["Message"] == "hello"
