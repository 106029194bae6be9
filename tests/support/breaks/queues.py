"""Queues, topics and mappings that lose, repeat or reveal messages."""

from __future__ import annotations

import json

from policies import aws
from tests.support.breaking import Break, again, edited, statement, without

WORK, DEAD, FAILURES = (
    "notifications-queue",
    "notifications-dead-letter-queue",
    "events-failures-queue",
)
FROM_QUEUE, FROM_STREAM = (
    "notification-sender-notifications-mapping",
    "data-transformer-items-mapping",
)
DEAD_ARN = "arn:aws:sqs:us-west-2:123456789012:notifications-dead-letter-queue-0123456"
SOON = json.dumps({"deadLetterTargetArn": DEAD_ARN, "maxReceiveCount": 3})

# fmt: off
BREAKS = (
    Break("queue-is-private", "kmsMasterKeyId", edited(aws.QUEUE, WORK, {"kmsMasterKeyId": None})),
    Break("queue-is-private", "kmsMasterKeyId", edited(aws.QUEUE, DEAD, {"kmsMasterKeyId": "alias/aws/sqs"})),
    Break("queue-is-private", "without TLS", without(aws.QUEUE_POLICY, "notifications-queue-policy")),
    Break("queue-is-private", "without TLS", statement(aws.QUEUE_POLICY, "events-failures-queue-policy", "TlsOnly", Condition=None)),
    Break("queue-is-private", "without TLS", statement(aws.QUEUE_POLICY, "events-failures-queue-policy", "TlsOnly", Principal={"AWS": "arn:aws:iam::123456789012:root"})),
    Break("topic-is-private", "kmsMasterKeyId", edited(aws.TOPIC, "notifications-topic", {"kmsMasterKeyId": "alias/aws/sns"})),
    Break("topic-is-private", "without TLS", without(aws.TOPIC_POLICY, "notifications-topic-policy")),
    Break("topic-is-private", "aws:SourceAccount", statement(aws.TOPIC_POLICY, "ticket-topic-policy", "PublishCloudwatch", Condition=None)),
    Break("consumed-queue-has-dead-letters", "must name a dead-letter queue", edited(aws.QUEUE, WORK, {"redrivePolicy": None})),
    Break("consumed-queue-has-dead-letters", "after 3 receives", edited(aws.QUEUE, WORK, {"redrivePolicy": SOON})),
    Break("consumed-queue-has-dead-letters", "14 days", edited(aws.QUEUE, DEAD, {"messageRetentionSeconds": 345_600})),
    Break("consumed-queue-has-dead-letters", "14 days", edited(aws.QUEUE, FAILURES, {"messageRetentionSeconds": None})),
    Break("queue-hides-messages-long-enough", "at least 180", edited(aws.QUEUE, WORK, {"visibilityTimeoutSeconds": 179})),
    Break("queue-hides-messages-long-enough", "at least 180", edited(aws.QUEUE, WORK, {"visibilityTimeoutSeconds": None})),
    Break("queue-hides-messages-long-enough", "at least 240", edited(aws.FUNCTION, "notification-sender-function", {"timeout": 40})),
    Break("queue-hides-messages-long-enough", "at least 185", edited(aws.EVENT_SOURCE_MAPPING, FROM_QUEUE, {"maximumBatchingWindowInSeconds": 5})),
    Break("queue-mapping-is-what-sqs-takes", "ReportBatchItemFailures", edited(aws.EVENT_SOURCE_MAPPING, FROM_QUEUE, {"functionResponseTypes": None})),
    Break("queue-mapping-is-what-sqs-takes", "startingPosition is for streams", edited(aws.EVENT_SOURCE_MAPPING, FROM_QUEUE, {"startingPosition": "LATEST"})),
    Break("queue-mapping-is-what-sqs-takes", "destinationConfig is for streams", edited(aws.EVENT_SOURCE_MAPPING, FROM_QUEUE, {"destinationConfig.onFailure.destinationArn": DEAD_ARN})),
    Break("queue-mapping-is-what-sqs-takes", "batchSize above 10", edited(aws.EVENT_SOURCE_MAPPING, FROM_QUEUE, {"batchSize": 11})),
    Break("queue-mapping-is-what-sqs-takes", "maximumConcurrency is 1", edited(aws.EVENT_SOURCE_MAPPING, FROM_QUEUE, {"scalingConfig.maximumConcurrency": 1})),
    Break("queue-mapping-is-what-sqs-takes", "maximumBatchingWindowInSeconds is 301", edited(aws.EVENT_SOURCE_MAPPING, FROM_QUEUE, {"maximumBatchingWindowInSeconds": 301})),
    Break("stream-mapping-gives-up-in-time", "set maximumRetryAttempts", edited(aws.EVENT_SOURCE_MAPPING, FROM_STREAM, {"maximumRetryAttempts": None})),
    Break("stream-mapping-gives-up-in-time", "maximumRetryAttempts is -1", edited(aws.EVENT_SOURCE_MAPPING, FROM_STREAM, {"maximumRetryAttempts": -1})),
    Break("stream-mapping-gives-up-in-time", "set maximumRecordAgeInSeconds", edited(aws.EVENT_SOURCE_MAPPING, FROM_STREAM, {"maximumRecordAgeInSeconds": None})),
    Break("stream-mapping-gives-up-in-time", "maximumRecordAgeInSeconds is -1", edited(aws.EVENT_SOURCE_MAPPING, FROM_STREAM, {"maximumRecordAgeInSeconds": -1})),
    Break("stream-mapping-gives-up-in-time", "bisectBatchOnFunctionError", edited(aws.EVENT_SOURCE_MAPPING, FROM_STREAM, {"bisectBatchOnFunctionError": False})),
    Break("stream-mapping-gives-up-in-time", "failed records are lost", edited(aws.EVENT_SOURCE_MAPPING, FROM_STREAM, {"destinationConfig": None})),
    Break("stream-mapping-gives-up-in-time", "ReportBatchItemFailures", edited(aws.EVENT_SOURCE_MAPPING, FROM_STREAM, {"functionResponseTypes": []})),
    Break("stream-mapping-gives-up-in-time", "startingPosition", edited(aws.EVENT_SOURCE_MAPPING, FROM_STREAM, {"startingPosition": None})),
    Break("mapping-reads-this-stack-once", "reads nothing of this stack", edited(aws.EVENT_SOURCE_MAPPING, FROM_STREAM, {"eventSourceArn": "arn:aws:sqs:us-west-2:1:x"})),
    Break("mapping-reads-this-stack-once", "set streamEnabled", edited(aws.TABLE, "items-table", {"streamEnabled": False})),
    Break("mapping-reads-this-stack-once", "another mapping", again(aws.EVENT_SOURCE_MAPPING, FROM_QUEUE)),
)
# fmt: on
