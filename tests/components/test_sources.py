"""Each kind of trigger: what it makes, what it lets through, where its failures end, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pulumi
import pytest

from components import buses, events
from components.buckets import Bucket
from components.buses import Bus, Rule
from components.identity import Identity
from components.mail import Mail
from components.messaging import Queue
from components.streams import DataStream
from components.tables import Table
from components.topics import Topic
from settings import (
    BusSettings,
    IdentitySettings,
    MailSettings,
    QueueSettings,
    RuleSettings,
    ScheduleSettings,
    StreamSettings,
    TelemetrySettings,
    TopicSettings,
)
from tests.support.program import Run
from tests.support.tiny import LOOSE, Parts, tiny

MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"
PERMISSION = "aws:lambda/permission:Permission"
POLICY = "aws:iam/rolePolicy:RolePolicy"
QUEUE, QUEUE_POLICY = "aws:sqs/queue:Queue", "aws:sqs/queuePolicy:QueuePolicy"
RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
FILTER = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
ACCOUNT = "123456789012"
FAILURES = f"arn:aws:sqs:us-west-2:{ACCOUNT}:failures-queue-0123456"
WHERE = f"us-west-2:{ACCOUNT}"

Triggers = Callable[[Parts], Sequence[Any]]


def wired(made: Triggers) -> Run:
    """A program with these triggers and nothing else."""

    def program(parts: Parts) -> None:
        events.EventTriggers(
            "events", made(parts), failures=parts.failures, encryption=parts.key, place=parts.place
        )

    return tiny(program)


def refused(made: Triggers) -> str:
    """The line with which the program ends."""
    with pytest.raises(pulumi.RunError) as ended:
        wired(made)
    return str(ended.value)


def bucket(parts: Parts) -> Bucket:
    """A bucket."""
    return Bucket("b", settings=LOOSE, place=parts.place, encryption=parts.key)


def topic(parts: Parts, name: str = "news") -> Topic:
    """A topic whose undelivered messages the failures queue takes."""
    made = Topic(name, encryption=parts.key, place=parts.place)
    parts.failures.senders += (made,)
    return made


def statements(run: Run, policy: str) -> list[dict[str, Any]]:
    """The statements of a role's policy."""
    return json.loads(run.one(POLICY, policy).get("policy"))["Statement"]


# Objects


def test_objects_that_are_removed_are_told_of_only_where_asked_for() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        b, f = bucket(parts), parts.function("f")
        return [events.Upload(b, f, "a/"), events.Upload(b, f, "b/", removed=True)]

    (notification,) = wired(made).all(NOTIFICATION)
    created, both = (each["events"] for each in notification.get("lambdaFunctions"))
    assert created == ["s3:ObjectCreated:*"]
    assert both == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (("a/", ""), ("a/", ".jpg"), True),
        (("a/", ".jpg"), ("a/b/", ".jpg"), True),
        (("", ".jpg"), ("x/", "g"), True),
        (("a/", ".jpg"), ("a/", ".jpeg"), False),
        (("a/", ".jpg"), ("b/", ".jpg"), False),
        (("a", ""), ("b", ""), False),
    ],
)
def test_two_filters_that_fit_the_same_key_are_refused(
    one: tuple[str, str], other: tuple[str, str], overlap: bool
) -> None:
    def made(parts: Parts) -> Sequence[Any]:
        b, f, g = bucket(parts), parts.function("f"), parts.function("g")
        return [events.Upload(b, f, one[0], [one[1]]), events.Upload(b, g, other[0], [other[1]])]

    if not overlap:
        assert len(wired(made).all(NOTIFICATION)) == 1
        return
    line = refused(made)
    assert line.startswith("b: S3 takes no two filters that fit the same key: ")
    assert f"f {one[0]}*{one[1]}" in line
    assert f"g {other[0]}*{other[1]}" in line


def test_a_bucket_that_rules_listen_to_tells_eventbridge_in_its_one_notification() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        b, f = bucket(parts), parts.function("f")
        rule = buses.created("docs", b, "in/", settings=RuleSettings())
        parts.failures.senders += (rule,)
        return [events.Upload(b, f, "a/"), events.Event(rule, parts.function("g"))]

    run = wired(made)
    (notification,) = run.all(NOTIFICATION)
    assert notification.get("eventbridge") is True
    assert len(notification.get("lambdaFunctions")) == 1
    rule = run.one(RULE, "docs-rule")
    # S3 tells the account's own bus and no other.
    assert rule.get("eventBusName") is None
    detail = json.loads(rule.get("eventPattern"))["detail"]
    assert detail == {
        "bucket": {"name": ["b-bucket-0123456"]},
        "object": {"key": [{"prefix": "in/"}]},
    }


def test_suffixes_must_be_a_list() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        return [events.Upload(bucket(parts), parts.function("f"), "a/", ".jpg")]

    line = refused(made)
    assert line == "f: suffixes of an upload must be a list (got '.jpg'); write ['.jpg']"


# Queues


def test_a_queue_in_order_has_a_dead_letter_queue_in_order() -> None:
    run = tiny(
        lambda parts: Queue("steps", settings=QueueSettings(), fifo=True, encryption=parts.key)
    )
    for name in ("steps-queue", "steps-dead-letter-queue"):
        assert run.one(QUEUE, name).get("fifoQueue") is True
    assert run.one(QUEUE, "steps-queue").get("deduplicationScope") == "messageGroup"
    assert run.one(QUEUE, "steps-queue").get("fifoThroughputLimit") == "perMessageGroupId"


def test_a_standard_queue_says_nothing_of_order() -> None:
    run = tiny(lambda parts: Queue("steps", settings=QueueSettings(), encryption=parts.key))
    queue = run.one(QUEUE, "steps-queue")
    for key in ("fifoQueue", "deduplicationScope", "fifoThroughputLimit"):
        assert queue.get(key) is None


def test_a_queue_takes_messages_of_its_senders_and_of_no_other_service() -> None:
    def program(parts: Parts) -> None:
        Queue("inbox", encryption=parts.key, senders=[topic(parts)])

    policy = json.loads(tiny(program).one(QUEUE_POLICY, "inbox-queue-policy").get("policy"))
    deny, allow = policy["Statement"]
    assert (deny["Effect"], deny["Sid"]) == ("Deny", "TlsOnly")
    assert allow == {
        "Sid": "FromSnsNews",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": [f"arn:aws:sqs:{WHERE}:inbox-queue-0123456"],
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:{WHERE}:news-topic-0123456"}},
    }


def test_two_functions_that_read_one_queue_are_refused() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        queue = Queue("work", settings=QueueSettings(), encryption=parts.key)
        return [events.Message(queue, parts.function(name)) for name in ("f", "g")]

    assert refused(made).startswith("work: f and g would each get a part of its messages; give")


def test_filters_of_a_queue_stand_in_its_mapping() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        queue = Queue("work", settings=QueueSettings(), encryption=parts.key)
        return [events.Message(queue, parts.function("f"), [{"body": {"kind": ["a"]}}])]

    (mapping,) = wired(made).all(MAPPING)
    (one,) = mapping.get("filterCriteria.filters")
    assert json.loads(one["pattern"]) == {"body": {"kind": ["a"]}}


def test_a_function_that_reads_two_queues_has_a_mapping_and_rights_for_each() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        f = parts.function("f")
        queues = [Queue(n, settings=QueueSettings(), encryption=parts.key) for n in ("one", "two")]
        return [events.Message(queue, f) for queue in queues]

    run = wired(made)
    assert sorted(m.name for m in run.all(MAPPING)) == ["f-one-mapping", "f-two-mapping"]
    for source in ("one", "two"):
        first = statements(run, f"f-{source}-consume-policy")[0]
        assert first["Resource"] == [f"arn:aws:sqs:{WHERE}:{source}-queue-0123456"]
        mapping = run.one(MAPPING, f"f-{source}-mapping")
        assert run.one(POLICY, f"f-{source}-consume-policy").urn in mapping.depends_on


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ([{"body": {"kind": "a"}}], "body.kind must be a list with at least one value (got 'a')"),
        ([{"body": {"kind": []}}], "body.kind must be a list with at least one value (got [])"),
        ([{"body": ["a"]}] * 6, "must be at most 5 filters (got 6)"),
        ([{"body": ["a" * 4096]}], "must be at most 4096 characters of JSON (got 4110)"),
    ],
)
def test_filters_that_lambda_refuses_are_refused(filters: list[Any], said: str) -> None:
    def made(parts: Parts) -> Sequence[Any]:
        queue = Queue("work", settings=QueueSettings(), encryption=parts.key)
        return [events.Message(queue, parts.function("f"), filters)]

    line = refused(made)
    assert line.startswith("filters of f-work")
    assert line.endswith(said)


# Streams


def stream(parts: Parts, **said: Any) -> DataStream:
    """A stream that is there."""
    return DataStream(
        "t",
        settings=TelemetrySettings(enabled=True, **said),
        failures=parts.failures,
        encryption=parts.key,
        place=parts.place,
    )


def test_a_stream_that_is_off_is_nothing_and_its_name_is_empty() -> None:
    def program(parts: Parts) -> None:
        off = DataStream(
            "t",
            settings=TelemetrySettings(),
            failures=parts.failures,
            encryption=parts.key,
            place=parts.place,
        )
        pulumi.export("name", off.name)

    run = tiny(program)
    assert run.outputs["name"] == ""
    assert not [r for r in run.resources if "kinesis" in r.type]


def test_records_of_a_stream_are_read_with_finite_retries_and_a_way_out() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        said = StreamSettings(tumbling_window_in_seconds=30)
        return [events.StreamRecord(stream(parts), parts.function("f"), said)]

    run = wired(made)
    mapping = run.one(MAPPING, "f-t-mapping")
    assert mapping.get("eventSourceArn") == f"arn:aws:kinesis:{WHERE}:stream/t-stream-0123456"
    assert mapping.get("destinationConfig.onFailure.destinationArn") == FAILURES
    assert mapping.get("maximumRetryAttempts") == 3
    assert mapping.get("tumblingWindowInSeconds") == 30
    assert mapping.get("functionResponseTypes") == ["ReportBatchItemFailures"]
    assert run.one("aws:kinesis/stream:Stream", "t-stream").get("encryptionType") == "KMS"
    rights = [a for s in statements(run, "f-t-consume-policy") for a in s["Action"]]
    assert "kinesis:SubscribeToShard" not in rights
    assert {"kinesis:GetRecords", "sqs:SendMessage", "kms:Decrypt"} <= set(rights)


def test_enhanced_fan_out_reads_by_a_consumer_of_the_functions_own() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        source = stream(parts, enhanced_fan_out=True)
        return [events.StreamRecord(source, parts.function("f"), StreamSettings())]

    run = wired(made)
    consumer = run.one("aws:kinesis/streamConsumer:StreamConsumer", "t-f-consumer")
    assert run.one(MAPPING, "f-t-mapping").get("eventSourceArn") == consumer.outputs["arn"]
    subscribing = [
        s
        for s in statements(run, "f-t-consume-policy")
        if s["Action"] == ["kinesis:SubscribeToShard"]
    ]
    assert [s["Resource"] for s in subscribing] == [[consumer.outputs["arn"]]]


def test_a_stream_on_demand_has_no_number_of_shards() -> None:
    run = tiny(lambda parts: stream(parts, stream_mode="ON_DEMAND"))
    made = run.one("aws:kinesis/stream:Stream", "t-stream")
    assert made.get("shardCount") is None
    assert made.get("streamModeDetails.streamMode") == "ON_DEMAND"


def test_devices_write_into_the_stream_by_a_rule_with_a_role_of_its_own() -> None:
    run = tiny(lambda parts: stream(parts, iot_rule_enabled=True))
    rule = run.one("aws:iot/topicRule:TopicRule", "t-iot-rule")
    assert rule.get("name") == "sandpiper_tiny_t"
    assert rule.get("sql").endswith("FROM 'sandpiper/+/telemetry'")
    role = run.one("aws:iam/role:Role", "t-iot-role")
    trust = json.loads(role.get("assumeRolePolicy"))["Statement"][0]
    assert trust["Principal"] == {"Service": "iot.amazonaws.com"}
    assert trust["Condition"]["ArnEquals"] == {
        "aws:SourceArn": f"arn:aws:iot:{WHERE}:rule/sandpiper_tiny_t"
    }
    (kinesis,) = rule.get("kineses")
    assert kinesis["roleArn"] == rule.get("errorAction.sqs.roleArn") == role.outputs["arn"]
    assert run.one(POLICY, "t-iot-policy").urn in rule.depends_on


def test_a_table_without_a_stream_starts_no_function() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        table = Table("rows", settings=LOOSE, encryption=parts.key, key="id")
        return [events.Change(table, parts.function("f"), StreamSettings())]

    assert refused(made).endswith("starts no function; make it with stream=True")


def test_changes_of_a_table_may_be_filtered() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        table = Table("rows", settings=LOOSE, encryption=parts.key, key="id", stream=True)
        only = {"eventName": ["INSERT"]}
        return [events.Change(table, parts.function("f"), StreamSettings(), [only])]

    (mapping,) = wired(made).all(MAPPING)
    assert mapping.name == "f-rows-mapping"
    assert [json.loads(f["pattern"]) for f in mapping.get("filterCriteria.filters")] == [
        {"eventName": ["INSERT"]}
    ]


# Topics


def test_a_topic_starts_a_function_with_what_its_filter_lets_through() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        return [
            events.TopicMessage(topic(parts), parts.function("f"), {"kind": ["a", {"prefix": "b"}]})
        ]

    run = wired(made)
    subscription = run.one(SUBSCRIPTION, "f-news-subscription")
    permission = run.one(PERMISSION, "f-news-permission")
    assert subscription.get("protocol") == "lambda"
    assert subscription.get("endpoint").endswith(":function:sandpiper-tiny-f:live")
    assert json.loads(subscription.get("filterPolicy")) == {"kind": ["a", {"prefix": "b"}]}
    assert subscription.get("filterPolicyScope") == "MessageAttributes"
    assert json.loads(subscription.get("redrivePolicy")) == {"deadLetterTargetArn": FAILURES}
    assert permission.get("principal") == "sns.amazonaws.com"
    assert permission.get("sourceArn") == f"arn:aws:sns:{WHERE}:news-topic-0123456"
    assert permission.urn in subscription.depends_on
    assert run.one("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "f-async")


def test_a_topic_copies_into_a_queue_that_takes_from_it() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        news = topic(parts)
        inbox = Queue("inbox", encryption=parts.key, senders=[news], settings=QueueSettings())
        policy = {"total": [{"numeric": [">=", 1000]}]}
        return [events.QueueSubscription(news, inbox, policy, scope="MessageBody")]

    run = wired(made)
    subscription = run.one(SUBSCRIPTION, "news-inbox-subscription")
    assert subscription.get("rawMessageDelivery") is True
    assert subscription.get("filterPolicyScope") == "MessageBody"
    assert subscription.get("endpoint") == f"arn:aws:sqs:{WHERE}:inbox-queue-0123456"
    assert run.one(QUEUE_POLICY, "inbox-queue-policy").urn in subscription.depends_on


def test_a_queue_that_takes_nothing_from_a_topic_is_refused() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        inbox = Queue("inbox", encryption=parts.key, settings=QueueSettings())
        return [events.QueueSubscription(topic(parts), inbox)]

    assert refused(made).startswith("inbox: takes nothing from topic news; name it")


def test_a_topic_whose_undelivered_messages_would_be_lost_is_refused() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        news = Topic("news", encryption=parts.key, place=parts.place)
        return [events.TopicMessage(news, parts.function("f"))]

    assert refused(made).startswith("failures: what news cannot deliver would be lost; name it")


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"a": "b"}, "a must be a list with at least one value (got 'b')"),
        (
            {"a": {"numeric": [">=", 5]}},
            "a must stand in a list, as in [{'numeric': ...}] (got {'numeric': ['>=', 5]})",
        ),
        ({name: ["x"] for name in "abcdef"}, "must have at most 5 keys (got 6)"),
        ({name: ["x"] * 13 for name in "ab"}, "must be at most 150 combinations (got 169)"),
    ],
)
def test_filter_policies_that_sns_refuses_are_refused(policy: Any, said: str) -> None:
    def made(parts: Parts) -> Sequence[Any]:
        return [events.TopicMessage(topic(parts), parts.function("f"), policy)]

    assert refused(made).endswith(said)


def test_a_topic_signs_with_sha_256() -> None:
    run = tiny(topic)
    made = run.one("aws:sns/topic:Topic", "news-topic")
    assert made.get("signatureVersion") == 2
    assert made.get("tracingConfig") == "PassThrough"


def test_a_stack_file_subscribes_people_services_queues_and_devices() -> None:
    said = TopicSettings(
        email=("a@example.com", "b@example.com"),
        https=("https://hooks.example.com/x",),
        sqs=(f"arn:aws:sqs:{WHERE}:warehouse",),
        application=(
            f"arn:aws:sns:{WHERE}:endpoint/APNS/shop/01234567-89ab-cdef-0123-456789abcdef",
        ),
    )
    run = wired(lambda parts: [events.Subscribers(topic(parts), said)])
    found = {s.name: s for s in run.all(SUBSCRIPTION)}
    assert sorted(found) == [
        "news-application-1-subscription",
        "news-email-1-subscription",
        "news-email-2-subscription",
        "news-https-1-subscription",
        "news-sqs-1-subscription",
    ]
    assert found["news-email-2-subscription"].get("endpoint") == "b@example.com"
    for name, subscription in found.items():
        lost = subscription.get("redrivePolicy")
        assert (lost is None) == ("email" in name)


# Rules


def a_bus(parts: Parts, **said: Any) -> Bus:
    """A bus."""
    settings = BusSettings(**said)
    return Bus("shop", settings=settings, failures=parts.failures, encryption=parts.key)


def on_a_bus(
    parts: Parts, pattern: Any = None, template: buses.Template | None = None
) -> Sequence[Any]:
    """A function that a rule on a bus starts."""
    bus = a_bus(parts)
    rule = Rule("news", pattern or {"source": ["shop"]}, settings=RuleSettings(), bus=bus)
    parts.failures.senders += (rule,)
    return [events.Event(rule, parts.function("f"), template)]


def test_a_rule_starts_a_function_and_keeps_what_it_cannot_deliver() -> None:
    run = wired(on_a_bus)
    target = run.one(TARGET, "f-news-target")
    assert target.get("deadLetterConfig.arn") == FAILURES
    assert target.get("retryPolicy") == {
        "maximumRetryAttempts": 24,
        "maximumEventAgeInSeconds": 21600,
    }
    assert target.get("roleArn") is None
    assert target.get("eventBusName") == "shop-bus-0123456"
    permission = run.one(PERMISSION, "f-news-permission")
    assert permission.get("principal") == "events.amazonaws.com"
    rule_arn = f"arn:aws:events:{WHERE}:rule/shop-bus-0123456/news-rule-0123456"
    assert permission.get("sourceArn") == rule_arn
    archive = run.one("aws:cloudwatch/eventArchive:EventArchive", "shop-archive")
    assert archive.get("retentionDays") == 30


def test_what_a_bus_cannot_read_is_kept() -> None:
    bus = tiny(a_bus).one("aws:cloudwatch/eventBus:EventBus", "shop-bus")
    assert bus.get("deadLetterConfig.arn") == FAILURES
    assert bus.get("kmsKeyIdentifier")


def test_a_queue_admits_who_had_to_know_it_first() -> None:
    def program(parts: Parts) -> None:
        late = Queue("late", senders=None, encryption=parts.key)
        bus = Bus("shop", settings=BusSettings(), failures=late, encryption=parts.key)
        late.admit(bus)

    _, allow = json.loads(tiny(program).one(QUEUE_POLICY, "late-queue-policy").get("policy"))[
        "Statement"
    ]
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}


def test_a_bus_keeps_no_archive_where_settings_say_so() -> None:
    run = tiny(lambda parts: a_bus(parts, archive_enabled=False))
    assert not run.all("aws:cloudwatch/eventArchive:EventArchive")


def test_a_function_may_get_parts_of_an_event_only() -> None:
    template = buses.parts("id", type="detail-type")
    run = wired(lambda parts: on_a_bus(parts, template=template))
    given = run.one(TARGET, "f-news-target").get("inputTransformer")
    assert given == {
        "inputPaths": {"id": "$.id", "type": "$.detail-type"},
        "inputTemplate": '{"id": <id>, "type": <type>}',
    }


def test_a_function_may_get_the_same_input_for_every_event() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        (event,) = on_a_bus(parts)
        return [events.Event(event.rule, event.function, constant={"kind": "tick", "n": 1})]

    target = wired(made).one(TARGET, "f-news-target")
    assert json.loads(target.get("input")) == {"kind": "tick", "n": 1}
    assert target.get("inputTransformer") is None


def test_a_template_and_a_constant_are_refused_together() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        (event,) = on_a_bus(parts)
        return [events.Event(event.rule, event.function, buses.parts("id"), {"n": 1})]

    assert refused(made) == "f-news: EventBridge takes a template or a constant, not both"


def test_mappings_can_be_paused_and_counted() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        said = QueueSettings(enabled=False, metrics_enabled=True)
        queue = Queue("work", settings=said, encryption=parts.key)
        read = StreamSettings(enabled=False)
        return [
            events.Message(queue, parts.function("f")),
            events.StreamRecord(stream(parts), parts.function("g"), read),
        ]

    run = wired(made)
    paused = run.one(MAPPING, "f-work-mapping")
    assert paused.get("enabled") is False
    assert paused.get("metricsConfig.metrics") == ["EventCount"]
    assert run.one(MAPPING, "g-t-mapping").get("enabled") is False
    assert run.one(MAPPING, "g-t-mapping").get("metricsConfig") is None


def test_a_pattern_that_eventbridge_refuses_is_refused() -> None:
    line = refused(lambda parts: on_a_bus(parts, {"detail": {"id": 5}}))
    assert line == "rule news: detail.id must be a list with at least one value (got 5)"


def test_a_rule_whose_undelivered_events_would_be_lost_is_refused() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        rule = Rule("news", {"source": ["shop"]}, settings=RuleSettings())
        return [events.Event(rule, parts.function("f"))]

    assert refused(made).startswith("failures: what news cannot deliver would be lost; name it")


def test_events_are_put_in_the_name_of_one_source_only() -> None:
    def program(parts: Parts) -> None:
        bus = a_bus(parts)
        parts.function("f", bus.put("shop.orders"))

    run = tiny(program)
    (allowed,) = (s for s in statements(run, "f-policy") if s["Action"] == ["events:PutEvents"])
    assert allowed["Condition"] == {"StringEquals": {"events:source": "shop.orders"}}


# Log lines, sign-ups, schedules, mail


def test_log_lines_of_a_function_start_another_one() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        logging = [parts.function("one"), parts.function("two")]
        return [events.LogLines(logging, parts.function("f"), '{ $.level = "ERROR" }')]

    run = wired(made)
    for name in ("one", "two"):
        permission = run.one(PERMISSION, f"f-{name}-permission")
        group = f"arn:aws:logs:{WHERE}:log-group:/aws/lambda/sandpiper-tiny-{name}"
        assert permission.get("sourceArn") == f"{group}:*"
        assert permission.get("sourceAccount") == ACCOUNT
        made_filter = run.one(FILTER, f"f-{name}-filter")
        assert made_filter.get("filterPattern") == '{ $.level = "ERROR" }'
        assert permission.urn in made_filter.depends_on


def test_a_function_is_not_started_by_what_it_logs_itself() -> None:
    def made(parts: Parts) -> Sequence[Any]:
        f = parts.function("f")
        return [events.LogLines([f], f, "")]

    assert refused(made).startswith(
        "f-f: a function cannot be started by what it logs itself; take"
    )


def test_a_pool_asks_functions_that_let_it() -> None:
    def program(parts: Parts) -> None:
        f = parts.function("f")
        asked: dict[Any, Any] = {"post_confirmation": f, "pre_sign_up": f}
        Identity("people", settings=IdentitySettings(), data=LOOSE, triggers=asked)

    run = tiny(program)
    pool = run.one("aws:cognito/userPool:UserPool", "people-user-pool")
    assert set(pool.get("lambdaConfig")) == {"postConfirmation", "preSignUp"}
    (permission,) = run.all(PERMISSION)
    assert permission.get("principal") == "cognito-idp.amazonaws.com"
    assert permission.get("sourceArn") == pool.outputs["arn"]


def test_a_schedule_gives_its_function_the_input_of_the_stack_file() -> None:
    said = ScheduleSettings(input={"kind": "daily", "parts": [1]}, end_date="2027-01-31T00:00:00Z")
    run = wired(lambda parts: [events.Schedule(parts.function("f"), said)])
    schedule = run.one("aws:scheduler/schedule:Schedule", "f-schedule")
    assert json.loads(schedule.get("target.input")) == {"kind": "daily", "parts": [1]}
    assert schedule.get("endDate") == "2027-01-31T00:00:00Z"


def sending(run: Run) -> list[dict[str, Any]]:
    """What a function may send."""
    return [s for s in statements(run, "f-policy") if s["Action"] == ["ses:SendEmail"]]


def with_mail(**said: Any) -> Run:
    """A function that may send mail."""

    def program(parts: Parts) -> None:
        mail = Mail("mail", settings=MailSettings(**said), place=parts.place)
        parts.function("f", mail.send())

    return tiny(program)


def test_mail_is_sent_from_one_address_only() -> None:
    run = with_mail(from_address="shop@example.com", configuration_set="plain")
    (allowed,) = sending(run)
    assert allowed["Condition"] == {"StringEquals": {"ses:FromAddress": "shop@example.com"}}
    assert allowed["Resource"] == [
        f"arn:aws:ses:{WHERE}:identity/shop@example.com",
        f"arn:aws:ses:{WHERE}:identity/example.com",
        f"arn:aws:ses:{WHERE}:configuration-set/plain",
    ]
    variables = run.one("aws:lambda/function:Function", "f-function").get("environment.variables")
    assert variables["MAIL_FROM_ADDRESS"] == "shop@example.com"
    assert variables["MAIL_CONFIGURATION_SET"] == "plain"
    assert not run.all("aws:sesv2/emailIdentity:EmailIdentity")


def test_without_an_address_nobody_may_send_mail() -> None:
    run = with_mail()
    assert not sending(run)
    variables = run.one("aws:lambda/function:Function", "f-function").get("environment.variables")
    assert "MAIL_FROM_ADDRESS" not in variables


def test_an_address_is_confirmed_by_the_stack_where_settings_say_so() -> None:
    run = with_mail(from_address="shop@example.com", create_identity=True)
    identity = run.one("aws:sesv2/emailIdentity:EmailIdentity", "mail-identity")
    assert identity.get("emailIdentity") == "shop@example.com"
