"""Topics and rules whose messages vanish on their way, and doors that let others' in."""

from __future__ import annotations

import json

from policies import aws
from tests.support.breaking import Break, again, edited, not_waiting, statement, without
from tests.support.breaks.wired import HERE, cut

QUEUES = f"arn:aws:sqs:{HERE}"
FAILURES = f"{QUEUES}:events-failures-queue-0123456"
OUTBOX_POLICY, FAILURES_POLICY = "notifications-queue-policy", "events-failures-queue-policy"
FORWARDER, PUSHER = (
    "order-forwarder-orders-subscription",
    "notification-pusher-notifications-subscription",
)
COPY, WEB = "orders-notifications-subscription", "notifications-https-1-subscription"
AUDIT = "audit-writer-audit-writer-target"
TOPIC = f"arn:aws:sns:{HERE}:orders-topic-0123456"
UPLOADS = "uploads-notification"
PROMISED = json.dumps({"deadLetterTargetArn": f"{QUEUES}:order-events-queue-0123456.fifo"})
MANY = json.dumps({f"k{n}": ["a"] for n in range(6)})
WIDE = json.dumps({"a": ["x"] * 13, "b": ["y"] * 12})
DEEP = json.dumps({"a": {"b": {"c": ["x"] * 51}}})
REACHES, ADMITS = "delivery-reaches-a-standard-target", "target-admits-what-is-delivered"
NOBODY, TAKES = "target-admits-nobody-else", "subscription-is-one-that-sns-takes"
FILTER, KEEPS = "subscription-filter-is-taken", "subscription-keeps-what-it-cannot-deliver"
KEY = "key-policy-admits-the-services"

# fmt: off
DELIVERIES = (
    Break(REACHES, "which is FIFO", cut(edited(aws.SUBSCRIPTION, COPY, {"endpoint": f"{QUEUES}:order-events-queue-0123456.fifo"}))),
    Break(REACHES, "which is FIFO", cut(edited(aws.SUBSCRIPTION, COPY, {"endpoint": f"{QUEUES}:elsewhere.fifo"}))),
    Break(REACHES, "which is FIFO", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"redrivePolicy": PROMISED}))),
    Break(REACHES, "which is FIFO", cut(edited(aws.EVENT_TARGET, AUDIT, {"deadLetterConfig.arn": f"{QUEUES}:order-events-queue-0123456.fifo"}))),
    Break(REACHES, "which is FIFO", cut(edited(aws.BUCKET_NOTIFICATION, UPLOADS, {"queues": [{"queueArn": f"{QUEUES}:order-events-queue-0123456.fifo"}]}))),
    Break(REACHES, "is no queue and no topic", cut(edited(aws.EVENT_TARGET, AUDIT, {"deadLetterConfig.arn": f"arn:aws:lambda:{HERE}:function:sandpiper-tiny-webhook"}))),
    Break(REACHES, "is not of this stack", cut(edited(aws.EVENT_TARGET, AUDIT, {"deadLetterConfig.arn": f"{QUEUES}:elsewhere"}))),
    Break(REACHES, "is not of this stack", cut(edited(aws.BUCKET_NOTIFICATION, UPLOADS, {"topics": [{"topicArn": f"arn:aws:sns:{HERE}:elsewhere"}]}))),
    Break(ADMITS, f"sns.amazonaws.com in for {TOPIC} (orders-notifications", cut(statement(aws.QUEUE_POLICY, OUTBOX_POLICY, "FromSnsOrders"))),
    Break(ADMITS, "(order-forwarder-orders-subscription)", cut(statement(aws.QUEUE_POLICY, FAILURES_POLICY, "FromSnsOrders"))),
    Break(ADMITS, "must let events.amazonaws.com in", cut(statement(aws.QUEUE_POLICY, FAILURES_POLICY, "FromEventsAuditWriter"))),
    Break(ADMITS, "must let events.amazonaws.com in", cut(statement(aws.QUEUE_POLICY, FAILURES_POLICY, "FromEventsAuditWriter", Principal={"Service": "sns.amazonaws.com"}))),
    Break(ADMITS, "must let sns.amazonaws.com in", cut(statement(aws.QUEUE_POLICY, OUTBOX_POLICY, "FromSnsOrders", Resource=[FAILURES]))),
    Break(ADMITS, "must let events.amazonaws.com in for", cut(statement(aws.QUEUE_POLICY, FAILURES_POLICY, "FromEventsEvents"))),
    Break(ADMITS, "must let s3.amazonaws.com in for arn:aws:s3:::uploads", cut(edited(aws.BUCKET_NOTIFICATION, UPLOADS, {"queues": [{"queueArn": FAILURES}]}))),
    Break(ADMITS, "must let events.amazonaws.com in for", cut(edited(aws.EVENT_TARGET, AUDIT, {"arn": TOPIC}))),
    Break(NOBODY, "for everybody; name the source", cut(statement(aws.QUEUE_POLICY, OUTBOX_POLICY, "FromSnsOrders", Condition=None))),
    Break(NOBODY, "which is nothing of this stack", cut(without(aws.TOPIC, "orders-topic"))),
    Break(NOBODY, "for arn:aws:sns:*, which is nothing of this stack", cut(statement(aws.QUEUE_POLICY, OUTBOX_POLICY, "FromSnsOrders", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sns:*"}}))),
    Break(NOBODY, "and nothing else", cut(statement(aws.QUEUE_POLICY, OUTBOX_POLICY, "FromSnsOrders", Action="sqs:*"))),
    Break(NOBODY, "not one AWS service", cut(statement(aws.QUEUE_POLICY, OUTBOX_POLICY, "FromSnsOrders", Principal="*"))),
    Break("delivery-waits-for-its-policy", OUTBOX_POLICY, cut(not_waiting(aws.SUBSCRIPTION, COPY, OUTBOX_POLICY))),
    Break("delivery-waits-for-its-policy", FAILURES_POLICY, cut(not_waiting(aws.SUBSCRIPTION, FORWARDER, FAILURES_POLICY))),
    Break("delivery-waits-for-its-policy", FAILURES_POLICY, cut(not_waiting(aws.EVENT_TARGET, AUDIT, FAILURES_POLICY))),
    Break("consumed-queue-has-dead-letters", "14 days", cut(edited(aws.QUEUE, "orders-queue", {"messageRetentionSeconds": 60}), edited(aws.EVENT_TARGET, AUDIT, {"deadLetterConfig.arn": f"{QUEUES}:orders-queue-0123456"}))),
    Break("something-raises-alarms", "no alarm in the whole stack", cut()),
    Break("failures-raise-an-alarm", "events-failures-queue: collects failures", cut(), stack="prod"),
)

SUBSCRIPTIONS = (
    Break(TAKES, "protocol is http;", cut(edited(aws.SUBSCRIPTION, WEB, {"protocol": "http"}))),
    Break(TAKES, "protocol is sms;", cut(edited(aws.SUBSCRIPTION, WEB, {"protocol": "sms"}))),
    Break(TAKES, "must be an https:// address", cut(edited(aws.SUBSCRIPTION, WEB, {"endpoint": "http://a.example.com/"}))),
    Break(TAKES, "must be an ARN of sqs", cut(edited(aws.SUBSCRIPTION, COPY, {"endpoint": "https://sqs.us-west-2.amazonaws.com/1/x"}))),
    Break(TAKES, "must be an ARN of sns", cut(edited(aws.SUBSCRIPTION, WEB, {"protocol": "application"}))),
    Break(TAKES, "its topic is not of this stack", cut(edited(aws.SUBSCRIPTION, WEB, {"topic": f"arn:aws:sns:{HERE}:elsewhere"}))),
    Break(TAKES, "reaches queues only", cut(edited(aws.TOPIC, "notifications-topic", {"fifoTopic": True}))),
    Break(TAKES, "rawMessageDelivery is for", cut(edited(aws.SUBSCRIPTION, PUSHER, {"rawMessageDelivery": True}))),
    Break(TAKES, "another subscription", cut(again(aws.SUBSCRIPTION, PUSHER))),
    Break(KEEPS, f"{FORWARDER}: set redrivePolicy", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"redrivePolicy": None}))),
    Break(KEEPS, f"{WEB}: set redrivePolicy", cut(edited(aws.SUBSCRIPTION, WEB, {"redrivePolicy": None}))),
    Break(KEEPS, f"{COPY}: set redrivePolicy", cut(edited(aws.SUBSCRIPTION, COPY, {"redrivePolicy": json.dumps({"deadLetterTargetArn": f"{QUEUES}:elsewhere"})}))),
    Break(FILTER, "filterPolicyScope is Body", cut(edited(aws.SUBSCRIPTION, COPY, {"filterPolicyScope": "Body"}))),
    Break(FILTER, "without a filterPolicy", cut(edited(aws.SUBSCRIPTION, COPY, {"filterPolicy": None}))),
    Break(FILTER, "event: must be a list", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": '{"event": "OrderPlaced"}'}))),
    Break(FILTER, "a: must be a list", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": '{"a": {"b": ["x"]}}'}))),
    Break(FILTER, "matches nothing", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": '{"event": []}'}))),
    Break(FILTER, "must be a JSON object", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": "{}"}))),
    Break(FILTER, "must be a JSON object", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": "event"}))),
    Break(FILTER, "'wildcard' is not one of", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": '{"event": [{"wildcard": "a*"}]}'}))),
    Break(FILTER, "one operator at a time", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": '{"event": [{"prefix": "a", "suffix": "b"}]}'}))),
    Break(FILTER, "prefix takes a text", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": '{"event": [{"prefix": 1}]}'}))),
    Break(FILTER, "exists takes true or false", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": '{"event": [{"exists": "yes"}]}'}))),
    Break(FILTER, "numeric takes one or two of", cut(edited(aws.SUBSCRIPTION, COPY, {"filterPolicy": '{"total": [{"numeric": [">=", "1000"]}]}'}))),
    Break(FILTER, "numeric takes one or two of", cut(edited(aws.SUBSCRIPTION, COPY, {"filterPolicy": '{"total": [{"numeric": [">=", 1, "<"]}]}'}))),
    Break(FILTER, 'total.numeric: an operator stands in a list; write [{"numeric": ...}]', cut(edited(aws.SUBSCRIPTION, COPY, {"filterPolicy": '{"total": {"numeric": [">=", 1000]}}'}))),
    Break(FILTER, "prefix: an operator stands in a list", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": '{"prefix": ["Order"]}'}))),
    Break(FILTER, "a list within a list", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": '{"event": [["a"]]}'}))),
    Break(FILTER, "has 6 names", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": MANY}))),
    Break(FILTER, "makes 156 combinations", cut(edited(aws.SUBSCRIPTION, FORWARDER, {"filterPolicy": WIDE}))),
    Break(FILTER, "makes 153 combinations", cut(edited(aws.SUBSCRIPTION, COPY, {"filterPolicy": DEEP}))),
    Break("subscription-waits-for-its-permission", "order-forwarder-orders-permission", cut(not_waiting(aws.SUBSCRIPTION, FORWARDER, "order-forwarder-orders-permission"))),
)

KEYS = (
    Break(KEY, "must admit sns.amazonaws.com", cut(statement(aws.KEY, "data-key", "Senders", Principal={"Service": "events.amazonaws.com"}))),
    Break(KEY, "must admit events.amazonaws.com", cut(statement(aws.KEY, "data-key", "Senders", Principal={"Service": "sns.amazonaws.com"}))),
    Break(KEY, "must admit sns.amazonaws.com", cut(statement(aws.KEY, "data-key", "Senders", Action=["kms:GenerateDataKey*"]))),
    Break(KEY, "must admit s3.amazonaws.com", cut(edited(aws.BUCKET_NOTIFICATION, UPLOADS, {"queues": [{"queueArn": FAILURES}]}))),
    Break(KEY, "asks of sns.amazonaws.com what it does not always say", cut(statement(aws.KEY, "data-key", "Senders", Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}}))),
    Break(KEY, "asks of events.amazonaws.com what", cut(edited(aws.EVENT_TARGET, AUDIT, {"arn": TOPIC}), statement(aws.KEY, "data-key", "Senders", Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}}))),
    Break(KEY, "asks of events.amazonaws.com what", cut(statement(aws.KEY, "data-key", "Senders", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:events:*"}}))),
    Break(KEY, "kms:DescribeKey for encrypted buses", cut(statement(aws.KEY, "data-key", "Senders", Action=["kms:Decrypt", "kms:GenerateDataKey*"]))),
    Break(KEY, "is longer than 32768", cut(statement(aws.KEY, "data-key", "Senders", Sid="x" * 32_768))),
    Break(KEY, 'the resource is always "*"', cut(statement(aws.KEY, "data-key", "Senders", Resource=f"arn:aws:kms:{HERE}:key/1"))),
    Break(KEY, "bypassPolicyLockoutSafetyCheck", cut(edited(aws.KEY, "data-key", {"bypassPolicyLockoutSafetyCheck": True}))),
)

BREAKS = (*DELIVERIES, *SUBSCRIPTIONS, *KEYS)
# fmt: on
