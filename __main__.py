"""The architecture on one page: what exists, what starts it, what it may touch. Sizes are in Pulumi.<stack>.yaml."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pulumi

import settings
from components import api, events, layers, openapi, secrets_manager, versions
from components.buckets import Bucket
from components.function import ServerlessFunction
from components.grants import Grant
from components.keys import DataKey
from components.messaging import Queue, Topic
from components.observability import Observability
from components.packaging import Handlers
from components.place import Place
from components.repositories import Repository
from components.schedules import Warming
from components.tables import Table
from components.tags import tag_everything

ROOT = Path(__file__).resolve().parent
config = settings.load()
place = Place.current(project=pulumi.get_project(), stack=config.stack)
tag_everything({"Project": "sandpiper", "Environment": config.stack, **config.tags})

# What exists.
key = DataKey("data", settings=config.data, place=place)
items = Table(
    "items",
    settings=config.data,
    encryption=key,
    key="id",
    indexes={"by-collection": ("collection", "id")},
    stream=True,
)
audit = Table("audit", settings=config.data, encryption=key, key="itemId", sort="sequence")
access_logs = Bucket(
    "access-logs", settings=config.data, place=place, encryption=None, expiration_days=90
)
uploads = Bucket("uploads", settings=config.data, place=place, encryption=key, logs=access_logs)
images = Bucket("images", settings=config.data, place=place, encryption=key, logs=access_logs)
outbox = Queue("notifications", settings=config.queue("notifications"), encryption=key)
failures = Queue("events-failures", encryption=key)
notices = Topic("notifications", encryption=key, place=place)
auth_secret = secrets_manager.Secret(
    "auth",
    value=secrets_manager.signing_key(
        "auth-key", settings=config.data, issuer=place.prefix, audience=f"{place.prefix}-api"
    ),
    description="Signs and checks the JWTs of the API",
    settings=config.data,
    encryption=key,
)
cursor_key = secrets_manager.Secret(
    "cursor-key",
    value=secrets_manager.random_text("cursor-key-value", settings=config.data),
    description="Signs the paging cursors of the API",
    settings=config.data,
    encryption=key,
)


# What runs, and what it may touch.
def layer(name: str, description: str, license_info: str) -> layers.Layer:
    """Dependencies, locked in layers/<name>/."""
    return layers.Layer(
        name,
        root=ROOT,
        place=place,
        packaging=config.packaging,
        description=description,
        license_info=license_info,
    )


common = layer("common", "JSON Web Tokens", "MIT")
imaging = layer("imaging", "Reading and scaling images", "MIT-CMU")
vision = layer("opencv", "Computer vision", "Apache-2.0")
modules = layer("nodejs", "Exact decimal numbers", "MIT")
shared = {"python": [common], "nodejs": [modules]}
handlers = Handlers(ROOT / "handlers", packaging=config.packaging)
functions: list[ServerlessFunction] = []


def function(name: str, *grants: Grant, uses: Sequence[layers.Layer] = ()) -> ServerlessFunction:
    """A function with exactly these rights; its sizes come from the stack file."""
    family, sizes = config.families[name], config.function(name)
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


browsers = api.answers_browsers(config.api)

front = api.ApiFront(
    "api",
    settings=config.api,
    stage_name=config.stack,
    encryption=key,
    place=place,
    schemas=openapi.read_schemas(ROOT / "schemas"),
    authorizer=function("authorizer", auth_secret.read()),
    routes=[
        api.Route(
            "GET /health", function("health", browsers), public=True, answers={200: "Health"}
        ),
        api.Route(
            "POST /items",
            function("create-item", items.put(), browsers),
            body="ItemInput",
            answers={201: "Item"},
        ),
        api.Route(
            "GET /items",
            function("list-items", items.query("by-collection"), cursor_key.read(), browsers),
            query=["limit", "cursor"],
            answers={200: "ItemPage"},
        ),
        api.Route(
            "GET /items/{id}",
            function("get-item", items.get(), browsers),
            answers={200: "Item", 404: ""},
        ),
        api.Route(
            "PUT /items/{id}",
            function("update-item", items.update(), browsers),
            body="ItemInput",
            headers=["If-Match"],
            answers={200: "Item", 404: "", 412: "", 428: ""},
        ),
        api.Route(
            "DELETE /items/{id}",
            function("delete-item", items.delete(), browsers),
            answers={204: ""},
        ),
    ],
)

# Called directly, or by a URL of their own. A stack may switch each of them off; what is built elsewhere is off until
# the stack file names its archive or image (docs/runtimes.md).
direct: dict[str, Callable[[], Grant]] = {
    "products": Grant,
    "checksum": Grant,
    "checksum-java": Grant,
    "checksum-dotnet": Grant,
    "checksum-ruby": Grant,
    "checksum-rust": Grant,
    "checksum-php": Grant,
    "inference": lambda: Bucket(
        "model", settings=config.data, place=place, encryption=key, logs=access_logs
    ).get("models/"),
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
            items, function("data-transformer", audit.put()), config.triggers.streams["items"]
        ),
        events.Schedule(
            function("cleanup-job", uploads.list("uploads/"), uploads.delete("uploads/")),
            config.triggers.schedules["cleanup-job"],
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
            config.triggers.schedules["version-cleaner"],
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
pulumi.export("itemsTable", items.name)
pulumi.export("auditTable", audit.name)
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
