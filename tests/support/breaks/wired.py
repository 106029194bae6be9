"""A program of every kind of trigger and little else, named as the application names them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

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
    FunctionSettings,
    FunctionUrlSettings,
    IdentitySettings,
    MailSettings,
    QueueSettings,
    RuleSettings,
    ScheduleSettings,
    StreamSettings,
    TelemetrySettings,
    TopicSettings,
)
from tests.support.breaking import Mutation, also
from tests.support.program import Run
from tests.support.tiny import LOOSE, Parts, tiny

HERE = "us-west-2:123456789012"
SLOW = QueueSettings(visibility_timeout_seconds=180)
IOT = TelemetrySettings(enabled=True, enhanced_fan_out=True, iot_rule_enabled=True)


def _program(parts: Parts) -> None:
    key, place, f = parts.key, parts.place, parts.function
    orders_topic, notices = (
        Topic(name, encryption=key, place=place) for name in ("orders", "notifications")
    )
    failures = Queue("events-failures", encryption=key, senders=None)
    bus = Bus("events", settings=BusSettings(), failures=failures, encryption=key)
    uploads = Bucket("uploads", settings=LOOSE, place=place, encryption=key)
    images = Bucket("images", settings=LOOSE, place=place, encryption=key)
    written = Rule(
        "audit-writer", {"source": ["sandpiper.orders"]}, settings=RuleSettings(), bus=bus
    )
    incoming = buses.created("content-router", uploads, "incoming/", settings=RuleSettings())
    failures.admit(orders_topic, notices, written, incoming, bus)
    outbox = Queue("notifications", encryption=key, settings=SLOW, senders=[orders_topic])
    orders = Queue("orders", encryption=key, settings=SLOW)
    order_events = Queue("order-events", encryption=key, settings=SLOW, fifo=True)
    items = Table("items", settings=LOOSE, encryption=key, key="id", stream=True)
    state = Table("state", settings=LOOSE, encryption=key, key="id")
    telemetry = DataStream(
        "telemetry", settings=IOT, failures=failures, encryption=key, place=place
    )
    mail = Mail(
        "mail",
        settings=MailSettings(from_address="orders@example.com", create_identity=True),
        place=place,
    )
    processor = f(
        "order-processor", orders_topic.publish(), bus.put("sandpiper.orders"), mail.send()
    )
    pictures = f("image-processor", uploads.get("uploads/"), images.put("thumbnails/"))
    transformer = f("data-transformer", state.put(), bus.put("sandpiper.items"))
    f(
        "webhook",
        order_events.send(),
        settings=FunctionSettings(function_url=FunctionUrlSettings(authorization_type="NONE")),
    )
    Identity(
        "identity",
        settings=IdentitySettings(),
        data=LOOSE,
        triggers={"post_confirmation": f("user-registrar", state.put(), timeout=5)},
    )
    triggers: Sequence[events.Upload | events.Trigger] = [
        events.Upload(uploads, pictures, "uploads/", [".jpg"], removed=True),
        events.Event(incoming, f("content-router", items.put(), pictures.invoke())),
        events.Message(orders, processor, [{"body": {"orderId": [{"exists": True}]}}]),
        events.Message(order_events, f("order-tracker", state.update())),
        events.Message(outbox, f("notification-sender", notices.publish())),
        events.Change(
            items,
            transformer,
            StreamSettings(),
            [{"dynamodb": {"Keys": {"id": {"S": [{"exists": True}]}}}}],
        ),
        events.StreamRecord(telemetry, f("telemetry-aggregator", state.update()), StreamSettings()),
        events.TopicMessage(notices, f("notification-pusher", state.query())),
        events.TopicMessage(
            orders_topic, f("order-forwarder", state.get()), {"event": ["OrderPlaced"]}
        ),
        events.QueueSubscription(
            orders_topic, outbox, {"total": [{"numeric": [">=", 1000]}]}, scope="MessageBody"
        ),
        events.Subscribers(
            notices, TopicSettings(email=("a@example.com",), https=("https://a.example.com/",))
        ),
        events.Event(
            written,
            f("audit-writer", state.put()),
            buses.Template(
                {"id": "$.id", "detail": "$.detail"}, '{"id": <id>, "detail": <detail>}'
            ),
        ),
        events.LogLines(
            [processor, pictures], f("error-collector", state.update()), '{ $.level = "ERROR" }'
        ),
        events.Schedule(
            f("report-generator", state.scan()),
            ScheduleSettings(schedule_expression="rate(1 day)", input={"report_type": "orders"}),
        ),
    ]
    events.EventTriggers("events", triggers, failures=failures, encryption=key, place=place)


@functools.cache
def wired() -> Run:
    """The program, run once."""
    return tiny(_program)


def cut(*mutations: Mutation) -> Mutation:
    """Break something of it, instead of the shipped stack."""
    broken = also(*mutations)
    return lambda _: broken(list(wired().resources))
