"""Names, descriptions and tags: within AWS's limits, and on everything that can carry them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policies import aws
from policies.model import Registered, Stack, rule

AUTO_NAME = 8
"""What Pulumi adds to a logical name: a hyphen and seven hexadecimal digits."""

NAMED_BY_US = {
    aws.FUNCTION: "its log group's name derives from it",
    aws.ALIAS: "callers name it",
    aws.LAYER: "versions of one layer share its name",
    aws.LOG_GROUP: "AWS looks for it by name",
    aws.DASHBOARD: "the provider has no automatic name for it",
    aws.ALARM: "composite alarms, dashboards and people find it by name",
    aws.COMPOSITE: "the provider has no automatic name for it",
    aws.QUERY_DEFINITION: "people look for it by name, in the stack's folder",
    aws.BUDGET: "an account has each name once, and people look for it by name",
    aws.CANARY: "the function and the log group that Synthetics makes are called after it",
    aws.SAMPLING_RULE: "32 characters are taken, and the provider has no automatic name for it",
    aws.TRACE_GROUP: "the provider has no automatic name for it",
    aws.SLACK_CHANNEL: "the provider has no automatic name for it",
    aws.REST_API: "the description's title overwrites it",
    aws.KEY_ALIAS: "people look for it by name",
    aws.API: "metrics and log groups are found by it, and it need not be unique",
    aws.AUTHORIZER: "it is unique within its API only",
    aws.STAGE: "it stands in the address, or is $default",
    aws.TOPIC_RULE: "IoT takes letters, digits and underscores only, and Pulumi's names have hyphens",
}
"""Types with a name of our own, and why. Everything else is named by Pulumi: a fixed name makes replacement delete first."""

NAME_LIMITS = {
    aws.FUNCTION: 64,
    aws.ALIAS: 128,
    aws.LAYER: 140,
    aws.ROLE: 64,
    aws.ROLE_POLICY: 128,
    aws.LOG_GROUP: 512,
    aws.ALARM: 255,
    aws.COMPOSITE: 255,
    aws.METRIC_FILTER: 512,
    aws.QUERY_DEFINITION: 255,
    aws.BUDGET: 100,
    aws.SLACK_CHANNEL: 128,
    aws.CANARY: 255,
    aws.SAMPLING_RULE: 32,
    aws.TRACE_GROUP: 32,
    aws.DASHBOARD: 255,
    aws.TABLE: 255,
    aws.BUCKET: 63,
    aws.QUEUE: 80,
    aws.TOPIC: 256,
    aws.SECRET: 512,
    aws.SCHEDULE: 64,
    aws.KEY_ALIAS: 256,
    aws.REST_API: 1024,
    aws.API: 128,
    aws.AUTHORIZER: 128,
    aws.STAGE: 128,
    aws.USER_POOL: 128,
    aws.USER_POOL_CLIENT: 128,
    aws.LOAD_BALANCER: 32,
    aws.WEB_ACL: 128,
    aws.PERMISSION: 100,
    aws.SCALING_POLICY: 256,
    aws.SCHEDULED_ACTION: 256,
    aws.REPOSITORY: 256,
    aws.EVENT_ARCHIVE: 48,
    aws.EVENT_BUS: 256,
    aws.EVENT_RULE: 64,
    aws.EVENT_TARGET: 64,
    aws.LOG_SUBSCRIPTION: 512,
    aws.DATA_STREAM: 128,
    aws.STREAM_CONSUMER: 128,
    aws.TOPIC_RULE: 128,
}
DESCRIPTION_LIMITS = {
    aws.FUNCTION: 256,
    aws.LAYER: 256,
    aws.CODE_SIGNING: 256,
    aws.ROLE: 1000,
    aws.ALARM: 1024,
    aws.COMPOSITE: 1024,
    aws.KEY: 8192,
    aws.SECRET: 2048,
    aws.API: 1024,
    aws.STAGE: 1024,
    aws.WEB_ACL: 256,
    aws.SCHEDULE: 512,
    aws.EVENT_ARCHIVE: 512,
    aws.EVENT_BUS: 512,
    aws.EVENT_RULE: 512,
    aws.TOPIC_RULE: 256,
}
NAME_KEYS = (
    "name",
    "layerName",
    "dashboardName",
    "bucket",
    "alarmName",
    "ruleName",
    "groupName",
    "configurationName",
)

TAGGABLE = frozenset(
    {
        aws.CERTIFICATE,
        aws.API_KEY,
        aws.CLIENT_CERTIFICATE,
        aws.REST_DOMAIN,
        aws.REST_API,
        aws.REST_STAGE,
        aws.USAGE_PLAN,
        aws.API,
        aws.DOMAIN,
        aws.STAGE,
        aws.SCALABLE_TARGET,
        aws.GRAPHQL_API,
        aws.EVENT_BUS,
        aws.EVENT_RULE,
        aws.LOG_GROUP,
        aws.ALARM,
        aws.COMPOSITE,
        aws.BUDGET,
        aws.SLACK_CHANNEL,
        aws.USER_POOL,
        aws.TABLE,
        aws.REPOSITORY,
        aws.ROLE,
        aws.TOPIC_RULE,
        aws.DATA_STREAM,
        aws.STREAM_CONSUMER,
        aws.KEY,
        aws.CODE_SIGNING,
        aws.EVENT_SOURCE_MAPPING,
        aws.FUNCTION,
        aws.LISTENER,
        aws.LISTENER_RULE,
        aws.LOAD_BALANCER,
        aws.TARGET_GROUP,
        aws.ZONE,
        aws.BUCKET,
        aws.BUCKET_OBJECT,
        aws.SECRET,
        aws.EMAIL_IDENTITY,
        aws.TOPIC,
        aws.QUEUE,
        aws.CANARY,
        aws.WEB_ACL,
        aws.TRACE_GROUP,
        aws.SAMPLING_RULE,
    }
)
UNTAGGABLE = frozenset(
    {
        aws.CERTIFICATE_VALIDATION,
        aws.ACCOUNT,
        aws.BASE_PATH_MAPPING,
        aws.REST_DEPLOYMENT,
        aws.METHOD_SETTINGS,
        aws.USAGE_PLAN_KEY,
        aws.API_MAPPING,
        aws.AUTHORIZER,
        aws.DEPLOYMENT,
        aws.INTEGRATION,
        aws.ROUTE,
        aws.ROUTE_RESPONSE,
        aws.SCALING_POLICY,
        aws.SCHEDULED_ACTION,
        aws.DATA_SOURCE,
        aws.GRAPHQL_FUNCTION,
        aws.RESOLVER,
        aws.DASHBOARD,
        aws.EVENT_ARCHIVE,
        aws.EVENT_BUS_POLICY,
        aws.EVENT_TARGET,
        aws.LOG_SUBSCRIPTION,
        aws.METRIC_FILTER,
        aws.QUERY_DEFINITION,
        aws.USER_POOL_CLIENT,
        aws.REPOSITORY_LIFECYCLE,
        aws.REPOSITORY_POLICY,
        aws.ROLE_POLICY,
        aws.KEY_ALIAS,
        aws.ALIAS,
        aws.EVENT_INVOKE,
        aws.RECURSION,
        aws.FUNCTION_URL,
        aws.LAYER,
        aws.PERMISSION,
        aws.PROVISIONED,
        aws.RUNTIME_MANAGEMENT,
        aws.TARGET_GROUP_ATTACHMENT,
        aws.RECORD,
        aws.BUCKET_LIFECYCLE,
        aws.BUCKET_LOGGING,
        aws.BUCKET_NOTIFICATION,
        aws.BUCKET_OWNERSHIP,
        aws.BUCKET_POLICY,
        aws.BUCKET_ACCESS_BLOCK,
        aws.BUCKET_ENCRYPTION,
        aws.BUCKET_VERSIONING,
        aws.SCHEDULE,
        aws.SECRET_VERSION,
        aws.TOPIC_POLICY,
        aws.SUBSCRIPTION,
        aws.QUEUE_POLICY,
        aws.WEB_ACL_ASSOCIATION,
        aws.WEB_ACL_LOGGING,
    }
)
MOST_TAGS = 50

_TAG_TEXT = re.compile(r"[\w .:/=+@-]*")


@rule
def name_fits(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A name that is too long is refused by Pulumi or AWS half-way through an update."""
    for resource in stack.resources:
        limit = NAME_LIMITS.get(resource.type)
        given = _given_name(resource)
        length = len(given) if given else len(resource.name) + AUTO_NAME
        if limit is not None and length > limit:
            yield resource, f"its name has {length} characters; {limit} are taken"


@rule
def name_is_left_to_pulumi(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A fixed name makes a replacement delete first: an outage, and for data a loss."""
    for resource in stack.resources:
        free = resource.type in NAME_LIMITS and resource.type not in NAMED_BY_US
        if free and (name := _given_name(resource)):
            yield resource, f"is named '{name}'; leave the name to Pulumi"


@rule
def description_fits(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AWS refuses long descriptions, and empty ones."""
    for resource in stack.resources:
        limit = DESCRIPTION_LIMITS.get(resource.type)
        for key in ("description", "alarmDescription"):
            text = resource.get(key)
            if limit is not None and isinstance(text, str) and not 0 < len(text) <= limit:
                yield resource, f"its {key} has {len(text)} characters; 1 to {limit} are taken"


@rule
def everything_is_tagged(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Whatever can carry tags says whose it is and of which stage."""
    for resource in stack.resources:
        if not resource.type.startswith("aws:"):
            continue
        if resource.type in TAGGABLE:
            yield from _tags(stack, resource, resource.get("tags") or {})
        elif resource.type not in UNTAGGABLE:
            yield resource, f"say in policies/names.py whether {resource.type} can carry tags"


def _given_name(resource: Registered) -> str:
    if resource.type == aws.PERMISSION:
        return str(resource.get("statementId") or "")
    return next((str(n) for key in NAME_KEYS if (n := resource.get(key))), "")


def _tags(
    stack: Stack, resource: Registered, tags: dict[str, Any]
) -> Iterator[tuple[Registered, str]]:
    if not tags.get("Project") or not tags.get("Environment"):
        yield resource, "needs the tags Project and Environment"
    elif stack.name and tags["Environment"] != stack.name:
        yield resource, f"is tagged Environment={tags['Environment']} in stack {stack.name}"
    if len(tags) > MOST_TAGS:
        yield resource, f"has {len(tags)} tags; {MOST_TAGS} are taken"
    for key, value in tags.items():
        if (
            key.lower().startswith("aws:")
            or not 0 < len(key) <= 128
            or not _TAG_TEXT.fullmatch(key)
        ):
            yield resource, f"tag '{key}' has a key that AWS refuses"
        if not isinstance(value, str) or len(value) > 256 or not _TAG_TEXT.fullmatch(value):
            yield resource, f"tag '{key}' has a value that AWS refuses"


RULES = (name_fits, name_is_left_to_pulumi, description_fits, everything_is_tagged)
