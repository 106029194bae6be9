"""The architecture on one page: what exists, what starts it, what it may touch. Sizes are in Pulumi.<stack>.yaml."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pulumi

import settings
from components import (
    api,
    buses,
    events,
    layers,
    load_balancer,
    notices,
    secrets_manager,
    versions,
    watch,
)
from components.authorizers import TokenAuthorizer
from components.buckets import Bucket
from components.buses import Bus, Rule
from components.canary import Canary
from components.domains import Domains
from components.function import ServerlessFunction
from components.grants import Grant, recognise, section, variables
from components.graphql import GraphQl
from components.http_api import HttpApi, HttpRoute
from components.identity import Identity
from components.keys import DataKey
from components.mail import Mail
from components.messaging import Queue
from components.observability import Observability
from components.packaging import Handlers
from components.place import Place
from components.repositories import Repository
from components.schedules import Warming
from components.schemas import read_schemas
from components.socket_api import Socket, SocketRoutes
from components.streams import DataStream
from components.tables import Table
from components.tags import tag_everything
from components.topics import Topic

ITEMS_ONLY = [
    {"dynamodb": {image: {"collection": {"S": ["items"]}}}} for image in ("NewImage", "OldImage")
]
PICTURES = [".jpg", ".jpeg", ".png", ".webp", ".gif"]
# Lines of metrics have the level that gets through, whatever it is.
ERRORS = '{ ($.level = "ERROR") && ($._aws NOT EXISTS) }'
AUDITED = buses.parts("id", "time", "source", type="detail-type", detail="detail")

ROOT = Path(__file__).resolve().parent
config = settings.load()
place = Place.current(project=pulumi.get_project(), stack=config.stack)
tag_everything({"Project": "sandpiper", "Environment": config.stack, **config.tags})

# What exists.
key = DataKey("data", settings=config.data, place=place)
table = partial(Table, settings=config.data, encryption=key)
bucket = partial(Bucket, settings=config.data, place=place)
queue = partial(Queue, encryption=key)
secret = partial(secrets_manager.Secret, settings=config.data, encryption=key)

items = table(
    "items",
    key="id",
    indexes={"by-collection": ("collection", "id")},
    stream=True,
    ttl="expiresAt",
)
audit = table("audit", key="itemId", sort="sequence")
users = table("users", key="user_id")
connections = table(
    "connections",
    key="connectionId",
    sort="topic",
    indexes={"by-topic": ("topic", "connectionId")},
    ttl="expiresAt",
)
orders = table("orders", key="orderId")
state = table("state", key="id", ttl="expiresAt")
tables = [items, audit, users, connections, orders, state]
access_logs = bucket(
    "access-logs", encryption=None, expiration_days=90, balancer_logs=config.load_balancer.enabled
)
uploads = bucket("uploads", encryption=key, logs=access_logs)
images = bucket("images", encryption=key, logs=access_logs)
reports = bucket(
    "reports", encryption=key, logs=access_logs, expiration_days=config.reports.expiration_days
)
topics = {
    name: Topic(name, settings=said, encryption=key, place=place)
    for name, said in config.triggers.topics.items()
}
tells = notices.topics(encryption=key, place=place)
failures = queue("events-failures", senders=None)
bus = Bus("events", settings=config.bus, failures=failures, encryption=key)
order_news = Rule(
    "order-news", {"source": ["sandpiper.orders"]}, bus=bus, settings=config.rule("audit-writer")
)
documents = buses.created("documents", uploads, "incoming/", settings=config.rule("content-router"))
outbox = queue("notifications", settings=config.queue("notifications"), senders=[topics["orders"]])
new_orders = queue("orders", settings=config.queue("orders"))
order_events = queue("order-events", settings=config.queue("order-events"), fifo=True)
failures.admit(bus, order_news, documents, *topics.values(), *tells.values())
telemetry = DataStream(
    "telemetry", settings=config.telemetry, failures=failures, encryption=key, place=place
)
mail = Mail("mail", settings=config.mail, place=place)
auth_secret = secret(
    "auth",
    value=secrets_manager.signing_key(
        "auth-key", settings=config.data, issuer=place.prefix, audience=f"{place.prefix}-api"
    ),
    description="Signs and checks the JWTs of the API",
)
cursor_key = secret(
    "cursor-key",
    value=secrets_manager.random_text("cursor-key-value", settings=config.data),
    description="Signs the paging cursors of the API",
)
webhook_secret = secret(
    "webhook",
    value=secrets_manager.webhook_key("webhook-key", settings=config.data),
    description="Signs what payment and shipping call the webhook with",
)

# What runs, and what it may touch.
layer = partial(layers.Layer, root=ROOT, place=place, packaging=config.packaging)
common = layer("common", description="JSON Web Tokens", license_info="MIT")
imaging = layer("imaging", description="Reading and scaling images", license_info="MIT-CMU")
vision = layer("opencv", description="Computer vision", license_info="Apache-2.0")
powertools = layer("powertools", description="Doing things once", license_info="MIT-0")
modules = layer("nodejs", description="Exact decimals, signed requests", license_info="MIT")
shared = {"python": [common], "nodejs": [modules]}
handlers = Handlers(ROOT / "handlers", packaging=config.packaging)
functions: list[ServerlessFunction] = []


def function(name: str, *grants: Grant, uses: Sequence[layers.Layer] = ()) -> ServerlessFunction:
    """A function with exactly these rights; its sizes come from the stack file."""
    family, sizes = config.family(name), config.function(name)
    made = ServerlessFunction(
        name,
        settings=sizes,
        code=handlers.code(name, sizes, family),
        grants=grants,
        layers=[*shared.get(family, ()), *uses],
        failures=failures,
        encryption=key,
        place=place,
        log_sample_rate=config.log_sample_rate(name),
    )
    functions.append(made)
    return made


speaks = api.speaks(config.api, ROOT / "openapi.json")
authorizer = function("authorizer", auth_secret.read())
create_item = function("create-item", items.put(), speaks)
list_items = function("list-items", items.query("by-collection"), cursor_key.read(), speaks)
get_item = function("get-item", items.get(), speaks)
update_item = function("update-item", items.update(), speaks)
delete_item = function("delete-item", items.delete(), speaks)
health = function("health", speaks)

domains = Domains()
front = api.ApiFront(
    "api",
    settings=config.api,
    stage_name=config.stack,
    domains=domains,
    encryption=key,
    place=place,
    schemas=read_schemas(ROOT / "schemas"),
    authorizer=TokenAuthorizer(authorizer, config.api.authorizer_result_ttl_in_seconds),
    routes=[
        api.Route("GET /health", health, public=True, answers={200: "Health"}),
        api.Route(
            "POST /items",
            create_item,
            body="ItemInput",
            headers=["Idempotency-Key"],
            answers={201: "Item", 422: ""},
        ),
        api.Route("GET /items", list_items, query=["limit", "cursor"], answers={200: "ItemPage"}),
        api.Route("GET /items/{id}", get_item, answers={200: "Item", 404: ""}),
        api.Route(
            "PUT /items/{id}",
            update_item,
            body="ItemInput",
            headers=["If-Match"],
            answers={200: "Item", 404: "", 412: "", 428: ""},
        ),
        api.Route("DELETE /items/{id}", delete_item, answers={204: ""}),
        api.Route(
            "POST /notifications",
            api.Enqueue(outbox, "Sends a notification to everybody who subscribed to the topic"),
            body="NotificationInput",
            api_key=True,
            answers={202: "Accepted"},
        ),
    ],
)

identity = Identity(
    "identity",
    settings=config.identity,
    data=config.data,
    triggers={"post_confirmation": function("user-registrar", users.put())},
)
products = function("products", new_orders.send())
shop = HttpApi(
    "http",
    settings=config.http_api,
    authorizer=identity.jwt(),
    routes=[
        HttpRoute("GET /products", products),
        HttpRoute("POST /orders", products),
        HttpRoute("POST /users", function("create-user", users.put())),
    ],
    domains=domains,
    encryption=key,
    place=place,
)

socket = Socket("socket", settings=config.socket, stage_name=config.stack, place=place)
subscriptions = function(
    "subscriptions", connections.put(), connections.query(), connections.delete(), socket.push()
)
socket_routes = SocketRoutes(
    "socket-routes",
    socket,
    authorizer=authorizer,
    routes=dict.fromkeys(
        ["$connect", "$disconnect", "$default", "subscribe", "unsubscribe"], subscriptions
    ),
    domains=domains,
    encryption=key,
    account=front.account,
    certificate=front.certificate,
)

# Both are off until the stack file switches them on.
balancer = load_balancer.LoadBalancer(
    "balancer",
    settings=config.load_balancer,
    targets=[load_balancer.Target("/health", health)],
    logs=access_logs,
    place=place,
)
graphql = GraphQl(
    "graphql",
    settings=config.graphql,
    schema=ROOT / "graphql" / "schema.graphql",
    resolvers={
        "Query.item": get_item,
        "Query.items": list_items,
        "Mutation.createItem": create_item,
        "Mutation.updateItem": update_item,
        "Mutation.deleteItem": delete_item,
    },
    user_pool_id=identity.pool.id,
    encryption=key,
    place=place,
)

# What works behind them.
once = [state.get(), state.put(), state.update(), state.delete()]
derived = ("thumbnails/", "optimised/", "watermarked/", "metadata/")
webhook = function(
    "webhook",
    webhook_secret.read(),
    state.get(),
    state.put(),
    order_events.send(),
    section("WEBHOOK", config.webhook),
)
image_processor = function(
    "image-processor",
    uploads.get("uploads/", "incoming/"),
    uploads.list(),
    images.list(),
    images.get(*derived),
    images.put(*derived),
    *[recognise()] * config.images.labels,
    variables(WATERMARK_TEXT=config.images.watermark_text),
    uses=[imaging, *[vision] * config.packaging.opencv],
)
content_router = function(
    "content-router",
    uploads.get("incoming/"),
    uploads.list(),
    items.put(),
    reports.list(),
    reports.get("imports/", "texts/"),
    reports.put("imports/", "texts/"),
    image_processor.invoke(),
)
order_processor = function(
    "order-processor",
    orders.put(),
    orders.update(),
    topics["orders"].publish(),
    bus.put("sandpiper.orders"),
    mail.send(),
    new_orders.postpone(),
)
order_tracker = function(
    "order-tracker",
    orders.update(),
    bus.put("sandpiper.orders"),
    order_events.postpone(),
)
notification_sender = function(
    "notification-sender",
    topics["notifications"].publish(),
    mail.send(),
    outbox.postpone(),
    *once,
    uses=[powertools],
)
pushing = [connections.query("by-topic"), connections.delete(), socket.push()]
notification_pusher = function("notification-pusher", *pushing, *once, uses=[powertools])
change_publisher = function("change-publisher", *pushing)
data_transformer = function("data-transformer", audit.put(), bus.put("sandpiper.items"))
error_collector = function("error-collector", state.get(), state.put())
cleanup_job = function(
    "cleanup-job",
    uploads.list("uploads/", "incoming/"),
    uploads.delete("uploads/", "incoming/"),
    connections.scan(),
    connections.delete(),
)
report_generator = function(
    "report-generator",
    orders.scan(),
    items.query("by-collection"),
    reports.get("reports/"),
    reports.put("reports/"),
    topics["reports"].publish(),
    *once,
    variables(
        TIMEZONE=config.schedule("report-generator").schedule_expression_timezone,
        LINK_SECONDS=config.reports.link_seconds,
    ),
    uses=[powertools],
)
health_checker = function(
    "health-checker",
    items.get(),
    uploads.list("uploads/"),
    *(waiting.depth() for waiting in (new_orders, order_events, outbox)),
    variables(API_URL=front.url),
)
audit_writer = function("audit-writer", audit.put())

# Called directly, or by a URL of their own. A stack may switch each of them off; what is built elsewhere is off until
# the stack file names its archive or image (docs/runtimes.md).
others = ["checksum-java", "checksum-dotnet", "checksum-ruby", "checksum-rust", "checksum-php"]
direct: dict[str, Callable[[], Grant]] = {
    **dict.fromkeys(["checksum", *others], Grant),
    "network-probe": lambda: section("PROBE", config.probe),
    "inference": lambda: bucket("model", encryption=key, logs=access_logs).get("models/"),
}
for name in [name for name in direct if name in config.functions]:
    function(name, direct[name]())

# What starts them.
triggers: list[events.Upload | events.Trigger] = [
    events.Upload(uploads, image_processor, "uploads/", PICTURES, removed=True),
    events.Event(documents, content_router),
    events.Message(new_orders, order_processor),
    events.Message(order_events, order_tracker),
    events.Message(outbox, notification_sender),
    events.TopicMessage(topics["notifications"], notification_pusher),
    # A large order is worth a word to everybody.
    events.QueueSubscription(
        topics["orders"], outbox, {"total": [{"numeric": [">=", 1000]}]}, "MessageBody"
    ),
    events.Event(order_news, audit_writer, AUDITED),
    # What an Idempotency-Key was used for is a row of the table too, and no item.
    events.Change(items, data_transformer, config.stream("data-transformer"), ITEMS_ONLY),
    events.Change(items, change_publisher, config.stream("change-publisher"), ITEMS_ONLY),
    events.LogLines([image_processor, order_processor], error_collector, ERRORS),
    events.Schedule(cleanup_job, config.schedule("cleanup-job")),
    events.Schedule(report_generator, config.schedule("report-generator")),
    events.Schedule(health_checker, config.schedule("health-checker")),
    *(events.Subscribers(topic, config.topic(name)) for name, topic in topics.items()),
    events.Subscribers(tells["page"], config.observability.page),
    events.Subscribers(tells["ticket"], config.observability.ticket),
]
# Each of these is there once the stack file says what it needs.
optional: dict[str, Callable[[], events.Trigger]] = {
    "telemetry-aggregator": lambda: events.StreamRecord(
        telemetry,
        function("telemetry-aggregator", state.get(), state.put()),
        config.stream("telemetry-aggregator"),
    ),
    "order-forwarder": lambda: events.TopicMessage(
        topics["orders"],
        function("order-forwarder", *once, section("PARTNER", config.partner), uses=[powertools]),
        {"event": ["OrderPlaced"]},
    ),
}
triggers += [optional[name]() for name in optional if name in config.functions]
version_cleaner = function(
    "version-cleaner",
    versions.prune(
        [*(f.logical_name for f in functions), "version-cleaner"],
        keep=config.versions_to_keep,
        place=place,
    ),
)
triggers.append(events.Schedule(version_cleaner, config.schedule("version-cleaner")))
events.EventTriggers("events", triggers, failures=failures, encryption=key, place=place)

Warming("warming", functions, failures=failures, encryption=key, place=place)
repositories = {
    name: Repository(name, settings=sizes, data=config.data, encryption=key, place=place)
    for name, sizes in config.repositories.items()
}

Canary(
    "canary",
    settings=config.canary,
    code=ROOT / "canaries" / "health.py",
    url=front.url,
    data=config.data,
    logs=access_logs,
    encryption=key,
    place=place,
)
said, streams = config.observability, config.triggers.streams
observability = Observability(
    "observability",
    settings=said,
    budget=config.budget,
    logs=config.logs,
    traces=config.tracing,
    watched=[
        watch.service(place, health=config.schedule("health-checker"), canary=config.canary),
        watch.rest(front, said),
        watch.http(shop, said),
        watch.socket(socket_routes, said),
        *watch.load_balancer("balancer", balancer.balancer, said),
        *watch.graphql("graphql", graphql.api, said),
        *(watch.function(f, said, streams.get(f.logical_name)) for f in functions),
        *(watch.queue(each, said) for each in (outbox, new_orders, order_events, failures)),
        *watch.stream(telemetry),
        *map(watch.table, tables),
    ],
    functions=functions,
    notices=tells,
    place=place,
)

# What other stacks may read (docs/outputs.md).
pulumi.export("apiUrl", front.url)
pulumi.export("httpApiUrl", shop.url)
pulumi.export("socketUrl", socket.url)
pulumi.export("loadBalancerUrl", balancer.url)
pulumi.export("graphqlUrl", graphql.url)
pulumi.export("userPoolId", identity.pool.id)
pulumi.export("userPoolClientId", identity.client.id)
pulumi.export("apiKeyId", front.api_key_id)
for each in tables:
    pulumi.export(f"{each.component}Table", each.name)
for each in (uploads, images, reports):
    pulumi.export(f"{each.component}Bucket", each.name)
pulumi.export("notificationsQueueUrl", outbox.url)
pulumi.export("notificationsDeadLetterQueueUrl", outbox.dead_letter.url)
pulumi.export("notificationsTopicArn", topics["notifications"].arn)
pulumi.export("ordersQueueUrl", new_orders.url)
pulumi.export("ordersDeadLetterQueueUrl", new_orders.dead_letter.url)
pulumi.export("orderEventsQueueUrl", order_events.url)
pulumi.export("orderEventsDeadLetterQueueUrl", order_events.dead_letter.url)
pulumi.export("failuresQueueUrl", failures.url)
pulumi.export("topics", {name: topic.arn for name, topic in topics.items()})
pulumi.export("eventBusName", bus.name)
pulumi.export("telemetryStream", telemetry.name)
pulumi.export("webhookUrl", webhook.outputs.url)
pulumi.export("webhookSecretArn", webhook_secret.arn)
pulumi.export("pageTopicArn", tells["page"].arn)
pulumi.export("ticketTopicArn", tells["ticket"].arn)
pulumi.export("alarmsTopicArn", tells["page"].arn)
pulumi.export("alarms", observability.arns)
pulumi.export("insightsQueries", observability.queries)
pulumi.export("dashboardName", observability.dashboard.dashboard_name)
pulumi.export("authSecretArn", auth_secret.arn)
pulumi.export("dataKeyArn", key.arn)
pulumi.export("repositories", {name: made.url for name, made in repositories.items()})
pulumi.export("functions", {f.logical_name: f.outputs.exported() for f in functions})
