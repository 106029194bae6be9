"""Queues and topics: their settings, and messages that come through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.resources import RestartNeeded
from tests.sandbox.services_support import ACCOUNT, clients, make, tls_only


def test_queue_with_dead_letters_answers_at_its_url(aws: Any) -> None:
    sqs = aws("sqs")
    dead = make("sqs/queue:Queue", "dead", messageRetentionSeconds=1209600)
    queue = make(
        "sqs/queue:Queue",
        "work",
        visibilityTimeoutSeconds=180,
        kmsMasterKeyId="alias/data",
        kmsDataKeyReusePeriodSeconds=300,
        redrivePolicy=json.dumps({"deadLetterTargetArn": dead["arn"], "maxReceiveCount": 8}),
        fifoQueue=False,
        contentBasedDeduplication=False,
        tags={"a": "1", "b": "2"},
    )
    assert queue["url"] == queue.id == f"{clients().endpoint}/{ACCOUNT}/{queue['name']}"
    attributes = sqs.get_queue_attributes(QueueUrl=queue["url"], AttributeNames=["All"])[
        "Attributes"
    ]
    assert attributes["VisibilityTimeout"] == "180"
    assert not {"FifoQueue", "ContentBasedDeduplication"} & attributes.keys()
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 8
    sqs.send_message(QueueUrl=queue["url"], MessageBody="kept")
    queue.update(visibilityTimeoutSeconds=None, redrivePolicy=None, tags={"b": "3"})
    attributes = sqs.get_queue_attributes(QueueUrl=queue["url"], AttributeNames=["All"])[
        "Attributes"
    ]
    assert attributes["VisibilityTimeout"] == "30"
    assert "RedrivePolicy" not in attributes
    assert attributes["ApproximateNumberOfMessages"] == "1"
    assert sqs.list_queue_tags(QueueUrl=queue["url"])["Tags"] == {"b": "3"}
    queue.delete()
    dead.delete()
    with pytest.raises(ClientError):
        sqs.get_queue_attributes(QueueUrl=queue["url"], AttributeNames=["All"])


def test_fifo_queue_and_topic_get_their_suffix(aws: Any) -> None:
    queue = make("sqs/queue:Queue", "ordered", fifoQueue=True, contentBasedDeduplication=True)
    topic = make("sns/topic:Topic", "ordered", fifoTopic=True, contentBasedDeduplication=True)
    assert queue["name"].endswith(".fifo")
    assert topic["arn"].endswith(".fifo")
    attributes = aws("sqs").get_queue_attributes(QueueUrl=queue["url"], AttributeNames=["All"])[
        "Attributes"
    ]
    assert attributes["FifoQueue"] == "true"
    with pytest.raises(RestartNeeded, match="fifoQueue of a queue"):
        queue.update(fifoQueue=None)
    queue.delete()
    topic.delete()


def test_topic_delivers_what_its_subscription_lets_through(aws: Any) -> None:
    queue = make("sqs/queue:Queue", "inbox")
    topic = make(
        "sns/topic:Topic",
        "notices",
        displayName="Notices",
        kmsMasterKeyId="alias/data",
        tags={"a": "1"},
    )
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic["arn"],
    }
    policy = make(
        "sns/topicPolicy:TopicPolicy",
        "notices",
        arn=topic["arn"],
        policy=json.dumps({"Version": "2012-10-17", "Statement": [tls_only(topic["arn"]), allow]}),
    )
    send = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue["arn"],
    }
    make(
        "sqs/queuePolicy:QueuePolicy",
        "inbox",
        queueUrl=queue["url"],
        policy=json.dumps({"Version": "2012-10-17", "Statement": [send]}),
    )
    subscription = make(
        "sns/topicSubscription:TopicSubscription",
        "inbox",
        topic=topic["arn"],
        protocol="sqs",
        endpoint=queue["arn"],
        rawMessageDelivery=True,
        filterPolicy=json.dumps({"kind": ["loud"]}),
    )
    sns, sqs = aws("sns"), aws("sqs")
    assert subscription["pendingConfirmation"] is False
    for kind in ("quiet", "loud"):
        sns.publish(
            TopicArn=topic["arn"],
            Message=kind,
            MessageAttributes={"kind": {"DataType": "String", "StringValue": kind}},
        )
    got = sqs.receive_message(QueueUrl=queue["url"], MaxNumberOfMessages=10, WaitTimeSeconds=1)[
        "Messages"
    ]
    assert [message["Body"] for message in got] == ["loud"]
    subscription.update(filterPolicy=None, rawMessageDelivery=None)
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription["arn"])["Attributes"]
    assert attributes["RawMessageDelivery"] == "false"
    assert not attributes.get("FilterPolicy")
    topic.update(displayName="Other", tags={"b": "2"})
    attributes = sns.get_topic_attributes(TopicArn=topic["arn"])["Attributes"]
    assert attributes["DisplayName"] == "Other"
    assert sns.list_tags_for_resource(ResourceArn=topic["arn"])["Tags"] == [
        {"Key": "b", "Value": "2"}
    ]
    assert policy["owner"] == ACCOUNT
    for thing in (subscription, policy, topic, queue):
        thing.delete()
    assert topic["arn"] not in [t["TopicArn"] for t in sns.list_topics()["Topics"]]


def test_subscription_moves_to_another_endpoint(aws: Any) -> None:
    topic = make("sns/topic:Topic", "moving")
    subscription = make(
        "sns/topicSubscription:TopicSubscription",
        "m",
        topic=topic["arn"],
        protocol="email",
        endpoint="a@example.com",
    )
    assert subscription.notes == ["no e-mail leaves the sandbox"]
    before = subscription["arn"]
    subscription.update(endpoint="b@example.com")
    there = aws("sns").list_subscriptions_by_topic(TopicArn=topic["arn"])["Subscriptions"]
    assert [s["Endpoint"] for s in there] == ["b@example.com"]
    assert subscription["arn"] != before
    topic.delete()
