"""For each section of a stack file a program that takes it, and little besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from components import notices, watch
from components.api import ApiFront, Route, speaks
from components.authorizers import TokenAuthorizer
from components.buckets import Bucket
from components.buses import Bus, Rule
from components.canary import Canary
from components.events import (
    Change,
    Event,
    EventTriggers,
    Message,
    StreamRecord,
    Subscribers,
    Trigger,
)
from components.events import Schedule as ScheduleTrigger
from components.function import ServerlessFunction
from components.graphql import GraphQl
from components.http_api import HttpApi, HttpRoute
from components.http_authorizers import JwtAuthorizer
from components.identity import Identity
from components.keys import DataKey
from components.layers import Layer
from components.load_balancer import LoadBalancer, Target
from components.mail import Mail
from components.messaging import Queue
from components.observability import Observability
from components.repositories import Repository
from components.schemas import Schemas
from components.secrets_manager import Secret, random_text, signing_key
from components.socket_api import Socket, SocketRoutes
from components.streams import DataStream
from components.tables import Table
from components.topics import Topic
from components.watching import Watched
from settings import (
    ApiSettings,
    BudgetSettings,
    BusSettings,
    CanarySettings,
    DataSettings,
    GraphQlSettings,
    HttpApiSettings,
    IdentitySettings,
    LoadBalancerSettings,
    LogSettings,
    MailSettings,
    ObservabilitySettings,
    PackagingSettings,
    QueueSettings,
    RepositorySettings,
    RuleSettings,
    ScheduleSettings,
    SocketSettings,
    StreamSettings,
    TelemetrySettings,
    TopicSettings,
    TracingSettings,
)
from settings.fields import Model
from tests.support.program import ROOT
from tests.support.tiny import Parts


def api(parts: Parts, settings: ApiSettings) -> None:
    function = parts.function("f", speaks(settings, ROOT / "openapi.json"))
    routes = [Route(endpoint, function) for endpoint in ("GET /a", *settings.routes)]
    ApiFront(
        "front",
        settings=settings,
        routes=[*routes, Route("PUT /paid", function, api_key=True)],
        authorizer=TokenAuthorizer(function, settings.authorizer_result_ttl_in_seconds),
        schemas=Schemas(),
        stage_name="tiny",
        domains=parts.domains,
        encryption=parts.key,
        place=parts.place,
    )


def http_api(parts: Parts, settings: HttpApiSettings) -> None:
    function = parts.function("f")
    HttpApi(
        "http",
        settings=settings,
        routes=[HttpRoute(endpoint, function) for endpoint in ("GET /a", *settings.routes)],
        authorizer=JwtAuthorizer("users", issuer="https://i", audience=["a"]),
        domains=parts.domains,
        encryption=parts.key,
        place=parts.place,
    )


def socket(parts: Parts, settings: SocketSettings) -> None:
    made = Socket("socket", settings=settings, stage_name="tiny", place=parts.place)
    function = parts.function("f", made.push())
    SocketRoutes(
        "routes",
        made,
        routes={"$connect": function, "$default": function},
        authorizer=parts.function("gate"),
        domains=parts.domains,
        encryption=parts.key,
    )


def identity(parts: Parts, settings: IdentitySettings) -> None:
    Identity("identity", settings=settings, data=DataSettings())


def load_balancer(parts: Parts, settings: LoadBalancerSettings) -> None:
    target = Target("/health", parts.function("f"))
    LoadBalancer("balancer", settings=settings, targets=[target], place=parts.place)


def graphql(parts: Parts, settings: GraphQlSettings) -> None:
    GraphQl(
        "graphql",
        settings=settings,
        schema=ROOT / "graphql" / "schema.graphql",
        resolvers={"Query.item": parts.function("f")},
        user_pool_id="us-west-2_a",
        encryption=parts.key,
        place=parts.place,
    )


def data(parts: Parts, settings: DataSettings) -> None:
    key = DataKey("other", settings=settings, place=parts.place)
    Table("t", settings=settings, encryption=key, key="id", stream=True)
    Bucket("b", settings=settings, place=parts.place, encryption=key)
    value = random_text("r", settings=settings)
    Secret("s", value=value, description="d", settings=settings, encryption=key)
    signing_key("k", settings=settings, issuer="i", audience="a")
    Repository("i", settings=RepositorySettings(), data=settings, encryption=key, place=parts.place)


def queue(parts: Parts, settings: QueueSettings) -> None:
    Queue("in-order", settings=settings, encryption=parts.key, fifo=True)
    made = Queue("q", settings=settings, encryption=parts.key)
    join(parts, Message(made, parts.function("f")))


def stream(parts: Parts, settings: StreamSettings) -> None:
    table = Table("t", settings=DataSettings(), encryption=parts.key, key="id", stream=True)
    join(parts, Change(table, parts.function("f"), settings))


def schedule(parts: Parts, settings: ScheduleSettings) -> None:
    join(parts, ScheduleTrigger(parts.function("f"), settings))


def topic(parts: Parts, settings: TopicSettings) -> None:
    made = Topic("t", settings=settings, encryption=parts.key, place=parts.place)
    join(
        parts,
        Subscribers(made, settings),
        Queue("undelivered", encryption=parts.key, senders=[made]),
    )


def rule(parts: Parts, settings: RuleSettings) -> None:
    made = Rule("r", {"source": ["a"]}, settings=settings)
    undelivered = Queue("undelivered", encryption=parts.key, senders=[made])
    join(parts, Event(made, parts.function("f")), undelivered)


def telemetry(parts: Parts, settings: TelemetrySettings) -> None:
    made = DataStream(
        "s", settings=settings, failures=parts.failures, encryption=parts.key, place=parts.place
    )
    if settings.enabled:
        join(parts, StreamRecord(made, parts.function("f"), StreamSettings()))


def bus(parts: Parts, settings: BusSettings) -> None:
    Bus("b", settings=settings, failures=parts.failures, encryption=parts.key)


def mail(parts: Parts, settings: MailSettings) -> None:
    parts.function("f", Mail("m", settings=settings, place=parts.place).send())


def join(parts: Parts, trigger: Trigger, failures: Queue | None = None) -> None:
    EventTriggers(
        "events",
        [trigger],
        failures=failures or parts.failures,
        encryption=parts.key,
        place=parts.place,
    )


def observability(parts: Parts, settings: ObservabilitySettings) -> None:
    function = parts.function("f", reserved_concurrent_executions=10)
    work = Queue("work", settings=QueueSettings(), encryption=parts.key)
    front = parts.front(function, "GET /a", name="api")
    watched = [
        watch.rest(front, settings),
        watch.function(function, settings),
        watch.queue(work, settings),
    ]
    looking(parts, [function], settings, watched=watched)


def budget(parts: Parts, settings: BudgetSettings) -> None:
    looking(parts, [], budget=settings)


def logs(parts: Parts, settings: LogSettings) -> None:
    function = parts.function("f", log_sample_rate=settings.sample_rate)
    looking(parts, [function], logs=settings)


def tracing(parts: Parts, settings: TracingSettings) -> None:
    looking(parts, [], traces=settings)


def canary(parts: Parts, settings: CanarySettings) -> None:
    Canary(
        "canary",
        settings=settings,
        code=ROOT / "canaries" / "health.py",
        url="https://api.example.com",
        data=DataSettings(),
        logs=Bucket("logs", settings=DataSettings(), place=parts.place, encryption=None),
        encryption=parts.key,
        place=parts.place,
    )


def looking(
    parts: Parts,
    functions: Sequence[ServerlessFunction],
    settings: ObservabilitySettings | None = None,
    *,
    watched: Sequence[Watched] = (),
    **more: Any,
) -> None:
    """An Observability with its topics and whoever is told."""
    said = settings or ObservabilitySettings()
    tells = notices.topics(encryption=parts.key, place=parts.place)
    undelivered = Queue("undelivered", encryption=parts.key, senders=[*tells.values()])
    EventTriggers(
        "events",
        [Subscribers(tells["page"], said.page), Subscribers(tells["ticket"], said.ticket)],
        failures=undelivered,
        encryption=parts.key,
        place=parts.place,
    )
    Observability(
        "o",
        settings=said,
        watched=watched,
        functions=functions,
        notices=tells,
        place=parts.place,
        **more,
    )


def packaging(parts: Parts, settings: PackagingSettings) -> None:
    off = settings.model_copy(update={"build": False})
    layer = Layer(
        "common", root=ROOT, place=parts.place, packaging=off, description="d", license_info="MIT"
    )
    parts.function("f", layers=[layer])


def repository(parts: Parts, settings: RepositorySettings) -> None:
    loose = DataSettings()
    Repository("i", settings=settings, data=loose, encryption=parts.key, place=parts.place)


TAKERS: Mapping[str, tuple[type[Model], Callable[[Parts, Any], None]]] = {
    "api": (ApiSettings, api),
    "http_api": (HttpApiSettings, http_api),
    "socket": (SocketSettings, socket),
    "identity": (IdentitySettings, identity),
    "load_balancer": (LoadBalancerSettings, load_balancer),
    "graphql": (GraphQlSettings, graphql),
    "data": (DataSettings, data),
    "queues": (QueueSettings, queue),
    "streams": (StreamSettings, stream),
    "schedules": (ScheduleSettings, schedule),
    "topics": (TopicSettings, topic),
    "rules": (RuleSettings, rule),
    "telemetry": (TelemetrySettings, telemetry),
    "bus": (BusSettings, bus),
    "mail": (MailSettings, mail),
    "observability": (ObservabilitySettings, observability),
    "budget": (BudgetSettings, budget),
    "logs": (LogSettings, logs),
    "tracing": (TracingSettings, tracing),
    "canary": (CanarySettings, canary),
    "packaging": (PackagingSettings, packaging),
    "repositories": (RepositorySettings, repository),
}
