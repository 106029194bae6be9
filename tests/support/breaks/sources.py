"""Queues in order, streams, log lines, devices, mail: sources that AWS would refuse, or that lose what they bring."""

from __future__ import annotations

import json

from policies import aws
from tests.support.breaking import (
    Break,
    Mutation,
    again,
    allowed,
    edited,
    not_waiting,
    registered,
    statement,
    without,
)
from tests.support.breaks.wired import HERE, cut

ORDERS, TRACKED = "order-processor-orders-mapping", "order-tracker-order-events-mapping"
CHANGES, MEASURED = "data-transformer-items-mapping", "telemetry-aggregator-telemetry-mapping"
FIFO, STREAM, READER = (
    "order-events-queue",
    "telemetry-stream",
    "telemetry-telemetry-aggregator-consumer",
)
LINES, GROUP = "error-collector-order-processor-filter", "sandpiper-tiny-error-collector"
DEVICES, DEVICES_ROLE = "telemetry-iot-rule", "telemetry-iot-role"
CONSUMES = "telemetry-aggregator-telemetry-consume-policy"
SENDER = "order-processor-policy"
DATA = f"arn:aws:kinesis:{HERE}:stream/telemetry-stream-0123456"
DEAD = json.dumps(
    {
        "deadLetterTargetArn": f"arn:aws:sqs:{HERE}:orders-dead-letter-queue-0123456",
        "maxReceiveCount": 5,
    }
)
BRIEF = json.dumps(
    {
        "deadLetterTargetArn": "arn:aws:sqs:us-west-2:123456789012:notifications-dead-letter-queue-0123456",
        "maxReceiveCount": 1,
    }
)
FILTERED, PLACED = "mapping-filter-is-taken", "mapping-names-its-place-and-window"
KIND, SAME = "fifo-queue-says-so", "dead-letters-are-of-the-same-kind"
SIZED, LISTENS = "data-stream-has-a-size", "log-subscription-is-one-that-logs-take"
IOT, MAILED = "topic-rule-is-one-that-iot-takes", "mail-is-sent-as-one-sender"
READS, INVOKES, NAMES = (
    "mapping-may-read-its-source",
    "everything-wired-may-invoke",
    "permission-names-its-source",
)
URL = "webhook-url"
IDENTITY = f"arn:aws:ses:{HERE}:identity"


def _filter(mapping: str, *patterns: str) -> Mutation:
    filters = [{"pattern": pattern} for pattern in patterns]
    return edited(aws.EVENT_SOURCE_MAPPING, mapping, {"filterCriteria": {"filters": filters}})


# fmt: off
MAPPINGS = (
    Break(FILTERED, "has 6 filters", cut(_filter(ORDERS, *['{"body": ["a"]}'] * 6))),
    Break(FILTERED, "longer than 4096", cut(_filter(ORDERS, '{"body": ["' + "a" * 4_096 + '"]}'))),
    Break(FILTERED, "must be a JSON object", cut(_filter(ORDERS, "body"))),
    Break(FILTERED, "body: must be a list", cut(_filter(ORDERS, '{"body": "a"}'))),
    Break(FILTERED, "'messageAttributes' is no part", cut(_filter(ORDERS, '{"messageAttributes": {"a": ["b"]}}'))),
    Break(FILTERED, "'body' is no part", cut(_filter(MEASURED, '{"body": ["a"]}'))),
    Break(FILTERED, "'NewImage' is no part", cut(_filter(CHANGES, '{"$or": [{"NewImage": {"id": {"S": ["a"]}}}]}'))),
    Break(FILTERED, "body.total.numeric: an operator stands in a list", cut(_filter(ORDERS, '{"body": {"total": {"numeric": [">=", 1000]}}}'))),
    Break(FILTERED, "numeric never matches", cut(_filter(CHANGES, '{"dynamodb": {"NewImage": {"price": {"N": [{"numeric": [">", 1]}]}}}}'))),
    Break(PLACED, "tumblingWindowInSeconds is 901", cut(edited(aws.EVENT_SOURCE_MAPPING, MEASURED, {"tumblingWindowInSeconds": 901}))),
    Break(PLACED, "excludes a parallelizationFactor", cut(edited(aws.EVENT_SOURCE_MAPPING, MEASURED, {"tumblingWindowInSeconds": 60, "parallelizationFactor": 2}))),
    Break(PLACED, "AT_TIMESTAMP is for Kinesis only", cut(edited(aws.EVENT_SOURCE_MAPPING, CHANGES, {"startingPosition": "AT_TIMESTAMP", "startingPositionTimestamp": "2026-11-21T00:00:00Z"}))),
    Break(PLACED, "goes with AT_TIMESTAMP", cut(edited(aws.EVENT_SOURCE_MAPPING, MEASURED, {"startingPosition": "AT_TIMESTAMP"}))),
    Break(PLACED, "goes with AT_TIMESTAMP", cut(edited(aws.EVENT_SOURCE_MAPPING, MEASURED, {"startingPositionTimestamp": "2026-11-21T00:00:00Z"}))),
    Break("mapping-asks-for-one-way-to-poll", "exclude each other", cut(edited(aws.EVENT_SOURCE_MAPPING, ORDERS, {"provisionedPollerConfig": {"minimumPollers": 2}, "scalingConfig": {"maximumConcurrency": 2}}))),
    Break("mapping-asks-for-one-way-to-poll", "must let lambda.amazonaws.com decrypt", cut(edited(aws.EVENT_SOURCE_MAPPING, ORDERS, {"kmsKeyArn": f"arn:aws:kms:{HERE}:key/data-key-0123456"}))),
    Break("fifo-mapping-is-what-sqs-takes", "batchSize is 11", cut(edited(aws.EVENT_SOURCE_MAPPING, TRACKED, {"batchSize": 11}))),
    Break("fifo-mapping-is-what-sqs-takes", "for standard queues only", cut(edited(aws.EVENT_SOURCE_MAPPING, TRACKED, {"maximumBatchingWindowInSeconds": 1}))),
    Break("queue-has-one-reader", f"{ORDERS} and {ORDERS}-again share its messages", cut(again(aws.EVENT_SOURCE_MAPPING, ORDERS, functionName=f"arn:aws:lambda:{HERE}:function:sandpiper-tiny-webhook:live"))),
    Break("changes-have-two-readers-at-most", "3 mappings read its stream", cut(again(aws.EVENT_SOURCE_MAPPING, CHANGES), again(aws.EVENT_SOURCE_MAPPING, MEASURED, eventSourceArn=f"arn:aws:dynamodb:{HERE}:table/items-table-0123456/stream/2026"))),
    Break("stream-mapping-gives-up-in-time", "startingPosition", cut(edited(aws.EVENT_SOURCE_MAPPING, MEASURED, {"startingPosition": "NOW"}))),
    Break("stream-mapping-gives-up-in-time", "failed records are lost", cut(edited(aws.EVENT_SOURCE_MAPPING, MEASURED, {"destinationConfig": None}))),
    Break(READS, "needs kinesis:ListShards", cut(statement(aws.ROLE_POLICY, CONSUMES, "kinesis:ListShards", Action=["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator"]))),
    Break(READS, "needs kinesis:SubscribeToShard", cut(statement(aws.ROLE_POLICY, CONSUMES, "kinesis:SubscribeToShard"))),
    Break(READS, f"may kinesis:SubscribeToShard on {DATA}", cut(allowed(CONSUMES, "kinesis:SubscribeToShard", on=DATA))),
    Break(READS, "may sqs:ChangeMessageVisibility on", cut(allowed("webhook-policy", "sqs:ChangeMessageVisibility", on=f"arn:aws:sqs:{HERE}:orders-queue-0123456"))),
    Break("encrypted-things-can-be-used", "needs kms:Decrypt on the data key through kinesis", cut(statement(aws.ROLE_POLICY, CONSUMES, "kms:Decrypt"))),
)

QUEUES = (
    Break(KIND, "fifoQueue: false is refused", cut(edited(aws.QUEUE, "orders-queue", {"fifoQueue": False}))),
    Break(KIND, "ends in .fifo", cut(edited(aws.QUEUE, FIFO, {"name": "order-events"}))),
    Break(KIND, "ends in .fifo", cut(edited(aws.QUEUE, "orders-queue", {"name": "orders.fifo"}))),
    Break(KIND, "contentBasedDeduplication is for FIFO", cut(edited(aws.QUEUE, "orders-queue", {"contentBasedDeduplication": False}))),
    Break(KIND, "deduplicationScope is for FIFO", cut(edited(aws.QUEUE, FIFO, {"fifoQueue": None}))),
    Break(KIND, "takes two equal messages for one", cut(edited(aws.QUEUE, FIFO, {"contentBasedDeduplication": True}))),
    Break(KIND, "deduplicationScope is group", cut(edited(aws.QUEUE, FIFO, {"deduplicationScope": "group"}))),
    Break(KIND, "fifoThroughputLimit is all", cut(edited(aws.QUEUE, FIFO, {"fifoThroughputLimit": "all"}))),
    Break(KIND, "perMessageGroupId needs", cut(edited(aws.QUEUE, FIFO, {"deduplicationScope": "queue"}))),
    Break(SAME, "must be FIFO if and only if", cut(edited(aws.QUEUE, FIFO, {"redrivePolicy": DEAD}))),
    Break(SAME, "order-events-dead-letter-queue must be", cut(edited(aws.QUEUE, "order-events-dead-letter-queue", {"fifoQueue": None}))),
    Break("queue-outlasts-an-outage", "gives up after 180 s", edited(aws.QUEUE, "notifications-queue", {"redrivePolicy": BRIEF, "visibilityTimeoutSeconds": 180}), stack="prod"),
    Break("destination-is-one-that-aws-takes", "standard sqs or sns", cut(edited(aws.EVENT_INVOKE, "image-processor-async", {"destinationConfig.onFailure.destination": f"arn:aws:sqs:{HERE}:order-events-queue-0123456.fifo"}))),
)

STREAMS = (
    Break("data-stream-is-private", "encryptionType must be KMS", cut(edited(aws.DATA_STREAM, STREAM, {"encryptionType": None}))),
    Break("data-stream-is-private", "set kmsKeyId", cut(edited(aws.DATA_STREAM, STREAM, {"kmsKeyId": "alias/aws/kinesis"}))),
    Break(SIZED, "streamMode is None", cut(edited(aws.DATA_STREAM, STREAM, {"streamModeDetails": None}))),
    Break(SIZED, "PROVISIONED needs", cut(edited(aws.DATA_STREAM, STREAM, {"shardCount": None}))),
    Break(SIZED, "ON_DEMAND takes no", cut(edited(aws.DATA_STREAM, STREAM, {"streamModeDetails.streamMode": "ON_DEMAND"}))),
    Break(SIZED, "retentionPeriod is 23", cut(edited(aws.DATA_STREAM, STREAM, {"retentionPeriod": 23}))),
    Break("fan-out-is-used", "no event source mapping reads it", cut(edited(aws.EVENT_SOURCE_MAPPING, MEASURED, {"eventSourceArn": DATA}))),
    Break("fan-out-is-used", "its stream is not of this stack", cut(edited(aws.STREAM_CONSUMER, READER, {"streamArn": f"{DATA}-elsewhere"}))),
    Break("fan-out-is-used", "has 21 consumers", cut(*(registered(aws.STREAM_CONSUMER, f"c{n}", streamArn=DATA) for n in range(20)))),
    Break(IOT, "letters, digits and underscores", cut(edited(aws.TOPIC_RULE, DEVICES, {"name": None}))),
    Break(IOT, "letters, digits and underscores", cut(edited(aws.TOPIC_RULE, DEVICES, {"name": "sandpiper-telemetry"}))),
    Break(IOT, "sqlVersion must be", cut(edited(aws.TOPIC_RULE, DEVICES, {"sqlVersion": "2015-10-08"}))),
    Break(IOT, "names no topic", cut(edited(aws.TOPIC_RULE, DEVICES, {"sql": "SELECT *"}))),
    Break(IOT, "into a stream of this stack", cut(edited(aws.TOPIC_RULE, DEVICES, {"kineses": None}))),
    Break(IOT, "set errorAction", cut(edited(aws.TOPIC_RULE, DEVICES, {"errorAction": None}))),
    Break("topic-rule-may-put-its-records", "exactly kinesis:PutRecord on telemetry-stream", cut(statement(aws.ROLE_POLICY, "telemetry-iot-policy", "kinesis:PutRecord"))),
    Break("topic-rule-may-put-its-records", "exactly kinesis:PutRecord on telemetry-stream", cut(allowed("telemetry-iot-policy", "kinesis:PutRecords", on=DATA))),
    Break("role-is-trusted-by-one-service", "must be trusted by iot.amazonaws.com", cut(statement(aws.ROLE, DEVICES_ROLE, "sts:AssumeRole", key="assumeRolePolicy", Principal={"Service": "lambda.amazonaws.com"}))),
    Break("role-is-trusted-by-one-service", "must name the rule in aws:SourceArn", cut(statement(aws.ROLE, DEVICES_ROLE, "sts:AssumeRole", key="assumeRolePolicy", Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}}))),
    Break("destination-may-be-reached", "must hold sqs:SendMessage", cut(statement(aws.ROLE_POLICY, "telemetry-iot-policy", "sqs:SendMessage"))),
    Break("encrypted-things-can-be-used", "needs kms:GenerateDataKey on the data key through kinesis", cut(statement(aws.ROLE_POLICY, "telemetry-iot-policy", "kms:GenerateDataKey"))),
)

LISTENERS = (
    Break(LISTENS, "its log group is not of this stack", cut(edited(aws.LOG_SUBSCRIPTION, LINES, {"logGroup": "/aws/lambda/elsewhere"}))),
    Break(LISTENS, "2 are taken", cut(*(registered(aws.LOG_SUBSCRIPTION, f"s{n}", logGroup="/aws/lambda/sandpiper-tiny-order-processor") for n in range(2)))),
    Break(LISTENS, "filterPattern must choose", cut(edited(aws.LOG_SUBSCRIPTION, LINES, {"filterPattern": ""}))),
    Break(LISTENS, "roleArn is for streams", cut(edited(aws.LOG_SUBSCRIPTION, LINES, {"roleArn": "arn:aws:iam::123456789012:role/x"}))),
    Break("function-does-not-read-its-own-log", "whose log it is", cut(edited(aws.LOG_SUBSCRIPTION, LINES, {"logGroup": f"/aws/lambda/{GROUP}"}))),
    Break("log-subscription-waits-for-its-permission", "error-collector-order-processor-permission", cut(not_waiting(aws.LOG_SUBSCRIPTION, LINES, "error-collector-order-processor-permission"))),
    Break(INVOKES, "(topic) may not invoke it", cut(without(aws.PERMISSION, "order-forwarder-orders-permission"))),
    Break(INVOKES, "(rule) may not invoke it", cut(edited(aws.PERMISSION, "audit-writer-audit-writer-permission", {"sourceArn": f"arn:aws:events:{HERE}:rule/elsewhere"}))),
    Break(INVOKES, "(log) may not invoke it", cut(edited(aws.PERMISSION, "error-collector-order-processor-permission", {"sourceArn": f"arn:aws:logs:{HERE}:log-group:/aws/lambda/sandpiper-tiny-order-processor"}))),
    Break(INVOKES, "(pool) may not invoke it", cut(without(aws.PERMISSION, "user-registrar-identity-permission"))),
    Break(NAMES, "names everything", cut(edited(aws.PERMISSION, "error-collector-order-processor-permission", {"sourceArn": f"arn:aws:logs:{HERE}:log-group:*"}))),
    Break("what-is-started-exists", "(topic)", cut(edited(aws.SUBSCRIPTION, "order-forwarder-orders-subscription", {"endpoint": f"arn:aws:lambda:{HERE}:function:elsewhere:live"}))),
    Break("what-is-started-exists", "(rule)", cut(edited(aws.EVENT_TARGET, "audit-writer-audit-writer-target", {"arn": f"arn:aws:lambda:{HERE}:function:elsewhere:live"}))),
    Break("what-is-started-exists", "(log)", cut(edited(aws.LOG_SUBSCRIPTION, LINES, {"destinationArn": f"arn:aws:lambda:{HERE}:function:elsewhere:live"}))),
    Break("what-is-started-exists", "(pool)", cut(edited(aws.USER_POOL, "identity-user-pool", {"lambdaConfig.postConfirmation": f"arn:aws:lambda:{HERE}:function:elsewhere:live"}))),
    Break("user-pool-gets-its-answer", "may be 5 s at most", cut(edited(aws.FUNCTION, "user-registrar-function", {"timeout": 6}))),
    *(
        Break("asynchronous-failures-end-somewhere", "starts it; it needs", cut(without(aws.EVENT_INVOKE, f"{name}-async")))
        for name in ("order-forwarder", "audit-writer", "error-collector")
    ),
    Break("environment-and-rights-agree", "may use events-bus, but no variable", cut(edited(aws.FUNCTION, "order-processor-function", {"environment.variables.EVENTS_BUS_NAME": None}))),
    Break("environment-and-rights-agree", "may use order-events-queue, but no variable", cut(edited(aws.FUNCTION, "webhook-function", {"environment.variables.ORDER_EVENTS_QUEUE_URL": None}))),
    Break("environment-and-rights-agree", "may use image-processor-live, but no variable", cut(edited(aws.FUNCTION, "content-router-function", {"environment.variables.IMAGE_PROCESSOR_FUNCTION": None}))),
    Break("environment-and-rights-agree", "is told of telemetry-stream", cut(edited(aws.FUNCTION, "webhook-function", {"environment.variables.TELEMETRY_STREAM_NAME": "telemetry-stream-0123456"}))),
    Break("labels-are-asked-for-by-right", "must hold rekognition:DetectLabels", cut(edited(aws.FUNCTION, "image-processor-function", {"environment.variables.LABELS": "on"}))),
    Break("labels-are-asked-for-by-right", "if and only if LABELS is on", cut(allowed("image-processor-policy", "rekognition:DetectLabels", on="*"))),
    Break("url-for-everybody-is-bounded", "set reservedConcurrentExecutions", cut(edited(aws.FUNCTION, "webhook-function", {"reservedConcurrentExecutions": None})), stack="prod"),
)

MAIL = (
    Break(MAILED, "may ses:SendEmail, ses:CreateEmailIdentity", cut(statement(aws.ROLE_POLICY, SENDER, "ses:SendEmail", Action=["ses:SendEmail", "ses:CreateEmailIdentity"]))),
    Break(MAILED, "may send mail as anybody", cut(statement(aws.ROLE_POLICY, SENDER, "ses:SendEmail", Condition=None))),
    Break(MAILED, "may send mail as anybody", cut(statement(aws.ROLE_POLICY, SENDER, "ses:SendEmail", Condition={"StringLike": {"ses:FromAddress": "*@example.com"}}))),
    Break(MAILED, f"through {IDENTITY}/other.com", cut(statement(aws.ROLE_POLICY, SENDER, "ses:SendEmail", Resource=[f"{IDENTITY}/other.com"]))),
    Break(MAILED, "through *, which is no identity", cut(statement(aws.ROLE_POLICY, SENDER, "ses:SendEmail", Resource=["*"]))),
    Break("rights-are-exact", 'allows ses:SendEmail on "*"', cut(statement(aws.ROLE_POLICY, SENDER, "ses:SendEmail", Resource=["*"]))),
    Break("sender-and-right-agree", "is None, and its role may write as", cut(edited(aws.FUNCTION, "order-processor-function", {"environment.variables.MAIL_FROM_ADDRESS": None}))),
    Break("sender-and-right-agree", "is a@example.com", cut(edited(aws.FUNCTION, "webhook-function", {"environment.variables.MAIL_FROM_ADDRESS": "a@example.com"}))),
    Break("identity-is-sent-from", "nobody sends mail from it", cut(edited(aws.EMAIL_IDENTITY, "mail-identity", {"emailIdentity": "other.com"}))),
)

BREAKS = (*MAPPINGS, *QUEUES, *STREAMS, *LISTENERS, *MAIL)
# fmt: on
