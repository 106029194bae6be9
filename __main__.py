"""The architecture on one page: what exists, what starts it, what it may touch. Sizes are in Pulumi.<stack>.yaml."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pulumi

import settings
from components import api, events, layers, load_balancer, secrets_manager, versions
from components.authorizers import TokenAuthorizer
from components.buckets import Bucket
from components.domains import Domains
from components.function import ServerlessFunction
from components.grants import Grant
from components.graphql import GraphQl
from components.http_api import HttpApi, HttpRoute
from components.identity import Identity
from components.keys import DataKey
from components.messaging import Queue
from components.observability import Observability
from components.packaging import Handlers
from components.place import Place
from components.repositories import Repository
from components.schedules import Warming
from components.schemas import read_schemas
from components.socket_api import Socket, SocketRoutes
from components.tables import Table
from components.tags import tag_everything
from components.topics import Topic

ROOT = Path(__file__).resolve().parent
config = settings.load()
place = Place.current(project=pulumi.get_project(), stack=config.stack)
tag_everything({"Project": "sandpiper", "Environment": config.stack, **config.tags})

# What exists.
key = DataKey("data", settings=config.data, place=place)
table = partial(Table, settings=config.data, encryption=key)
bucket = partial(Bucket, settings=config.data, place=place)
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
identity = Identity("identity", settings=config.identity, data=config.data)
access_logs = bucket(
    "access-logs", encryption=None, expiration_days=90, balancer_logs=config.load_balancer.enabled
)
uploads = bucket("uploads", encryption=key, logs=access_logs)
images = bucket("images", encryption=key, logs=access_logs)
outbox = Queue("notifications", settings=config.queue("notifications"), encryption=key)
failures = Queue("events-failures", encryption=key)
notices = Topic("notifications", encryption=key, place=place)
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

# What runs, and what it may touch.
layer = partial(layers.Layer, root=ROOT, place=place, packaging=config.packaging)
common = layer("common", description="JSON Web Tokens", license_info="MIT")
imaging = layer("imaging", description="Reading and scaling images", license_info="MIT-CMU")
vision = layer("opencv", description="Computer vision", license_info="Apache-2.0")
modules = layer("nodejs", description="Exact decimal numbers", license_info="MIT")
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

products = function("products")
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
SocketRoutes(
    "socket-routes",
    socket,
    authorizer=authorizer,
    routes=dict.fromkeys(
        ["$connect", "$disconnect", "$default", "subscribe", "unsubscribe"], subscriptions
    ),
    domains=domains,
    encryption=key,
    account=front.account,
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

# Called directly, or by a URL of their own. A stack may switch each of them off; what is built elsewhere is off until
# the stack file names its archive or image (docs/runtimes.md).
others = ["checksum-java", "checksum-dotnet", "checksum-ruby", "checksum-rust", "checksum-php"]
direct: dict[str, Callable[[], Grant]] = {
    **dict.fromkeys(["checksum", *others], Grant),
    "inference": lambda: bucket("model", encryption=key, logs=access_logs).get("models/"),
}
for name in [name for name in direct if name in config.functions]:
    function(name, direct[name]())

# What starts the rest.
events.EventTriggers(
    "events",
    [
        events.Upload(
            uploads,
            function(
                "image-processor",
                uploads.get("uploads/"),
                images.put("thumbnails/"),
                uses=[imaging, *[vision] * config.packaging.opencv],
            ),
            prefix="uploads/",
            suffixes=[".jpg", ".jpeg", ".png", ".webp"],
        ),
        events.Message(outbox, function("notification-sender", notices.publish())),
        events.Change(
            items, function("data-transformer", audit.put()), config.stream("data-transformer")
        ),
        events.Change(
            items,
            function(
                "change-publisher",
                connections.query("by-topic"),
                connections.delete(),
                socket.push(),
            ),
            config.stream("change-publisher"),
        ),
        events.Schedule(
            function("cleanup-job", uploads.list("uploads/"), uploads.delete("uploads/")),
            config.schedule("cleanup-job"),
        ),
        events.Schedule(
            function(
                "version-cleaner",
                versions.prune(
                    [*(f.logical_name for f in functions), "version-cleaner"],
                    keep=config.versions_to_keep,
                    place=place,
                ),
            ),
            config.schedule("version-cleaner"),
        ),
    ],
    failures=failures,
    encryption=key,
    place=place,
)

Warming("warming", functions, failures=failures, encryption=key, place=place)
repositories = {
    name: Repository(name, settings=sizes, data=config.data, encryption=key, place=place)
    for name, sizes in config.repositories.items()
}

observability = Observability(
    "observability",
    settings=config.observability,
    functions=functions,
    failure_queues={
        "notifications-dead-letter": outbox.dead_letter,
        "events-failures": failures.queue,
    },
    api=front,
    encryption=key,
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
pulumi.export("itemsTable", items.name)
pulumi.export("auditTable", audit.name)
pulumi.export("usersTable", users.name)
pulumi.export("connectionsTable", connections.name)
pulumi.export("uploadsBucket", uploads.name)
pulumi.export("imagesBucket", images.name)
pulumi.export("notificationsQueueUrl", outbox.url)
pulumi.export("notificationsDeadLetterQueueUrl", outbox.dead_letter.url)
pulumi.export("notificationsTopicArn", notices.arn)
pulumi.export("alarmsTopicArn", observability.topic.arn)
pulumi.export("dashboardName", observability.dashboard.dashboard_name)
pulumi.export("authSecretArn", auth_secret.arn)
pulumi.export("dataKeyArn", key.arn)
pulumi.export("repositories", {name: made.url for name, made in repositories.items()})
pulumi.export("functions", {f.logical_name: f.outputs.exported() for f in functions})
