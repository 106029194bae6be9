"""Who belongs to whom: from a function to its role, from a route to its function, from a queue to its dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies import documents
from policies.documents import Statement
from policies.model import Registered, Stack

FUNCTION = "aws:lambda/function:Function"
ALIAS = "aws:lambda/alias:Alias"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
ASYNC = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
TABLE = "aws:dynamodb/table:Table"
BUCKET = "aws:s3/bucket:Bucket"
NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"
QUEUE = "aws:sqs/queue:Queue"
TOPIC = "aws:sns/topic:Topic"
SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 (a type, not a password)
KEY = "aws:kms/key:Key"
SCHEDULE = "aws:scheduler/schedule:Schedule"
REST_API = "aws:apigateway/restApi:RestApi"
ACCOUNT = "aws:apigateway/account:Account"


@dataclass(frozen=True)
class Invoked:
    """A function as something calls it; `alias` is None where the bare function is called."""

    function: Registered
    alias: Registered | None


@dataclass(frozen=True)
class Target:
    """What a resource says it starts: `kind` is one of api, authorizer, upload, queue, stream, schedule."""

    kind: str
    by: Registered
    arn: str


@dataclass(frozen=True)
class Start:
    """Something that makes AWS invoke a function; `by` is the resource that says so."""

    kind: str
    by: Registered
    invoked: Invoked


def invoked(stack: Stack, arn: str) -> Invoked | None:
    """The function, and the alias if it is called by one, behind a function's or an alias's ARN."""
    found = stack.at(arn, FUNCTION, ALIAS)
    if found is None:
        return None
    if found.type == FUNCTION:
        return Invoked(found, None)
    function = named_function(stack, found.get("functionName"))
    return Invoked(function, found) if function else None


def named_function(stack: Stack, name: object) -> Registered | None:
    """The function with this physical name."""
    return next(iter(stack.having(FUNCTION, name=name)), None)


def starts(stack: Stack) -> Iterator[Start]:
    """Everything in the stack that makes AWS invoke a function of the stack."""
    for target in targets(stack):
        function = invoked(stack, target.arn)
        if function is not None:
            yield Start(target.kind, target.by, function)


def targets(stack: Stack) -> Iterator[Target]:
    """Everything in the stack that names a function to start, whether there is one or not."""
    yield from _routes(stack)
    for notification in stack.all(NOTIFICATION):
        for entry in notification.get("lambdaFunctions") or []:
            yield Target("upload", notification, str(entry.get("lambdaFunctionArn")))
    for mapping in stack.all(MAPPING):
        kind = "queue" if source(stack, mapping, QUEUE) else "stream"
        yield Target(kind, mapping, str(mapping.get("functionName")))
    for schedule in stack.all(SCHEDULE):
        yield Target("schedule", schedule, str(schedule.get("target.arn")))


def source(stack: Stack, mapping: Registered, type_: str) -> Registered | None:
    """What an event source mapping reads from, if it is of this type. A stream belongs to its table."""
    return stack.at(str(mapping.get("eventSourceArn")), type_)


def role_of(stack: Stack, function: Registered) -> Registered | None:
    """The execution role."""
    return stack.at(str(function.get("role")), ROLE)


def policies_of(stack: Stack, role: Registered | None) -> list[Registered]:
    """The inline policies of a role."""
    if role is None:
        return []
    names = {role.output("name"), role.output("id")}
    return [p for p in stack.all(ROLE_POLICY) if p.get("role") in names]


def rights(stack: Stack, role: Registered | None) -> list[Statement]:
    """Every statement that a role's policies give it."""
    return [s for p in policies_of(stack, role) for s in documents.of(p.get("policy"))]


def may(held: list[Statement], action: str, resource: str) -> bool:
    """Some statement allows exactly this action on exactly this resource."""
    return any(s.allows and action in s.actions and resource in s.resources for s in held)


def environment(function: Registered) -> dict[str, str]:
    """A function's environment variables."""
    return dict(function.get("environment.variables") or {})


def dead_letters(stack: Stack) -> dict[str, int]:
    """ARN of each queue that another one redrives to -> the receives before that happens."""
    found: dict[str, int] = {}
    for queue in stack.all(QUEUE):
        redrive = documents.json_object(queue.get("redrivePolicy"))
        if redrive is not None:
            found[str(redrive.get("deadLetterTargetArn"))] = int(redrive.get("maxReceiveCount", 0))
    return found


def failure_destinations(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """(resource, ARN) of everything that AWS drops failures into by way of a role."""
    for mapping in stack.all(MAPPING):
        yield from _destination(mapping, "destinationConfig.onFailure.destinationArn")
    for config in stack.all(ASYNC):
        yield from _destination(config, "destinationConfig.onFailure.destination")
    for schedule in stack.all(SCHEDULE):
        yield from _destination(schedule, "target.deadLetterConfig.arn")


def _destination(resource: Registered, path: str) -> Iterator[tuple[Registered, str]]:
    arn = resource.get(path)
    if isinstance(arn, str) and arn:
        yield resource, arn


def _routes(stack: Stack) -> Iterator[Target]:
    for api in stack.all(REST_API):
        body = api_description(api)
        for path in body.get("paths", {}).values():
            for operation in path.values():
                integration = operation.get("x-amazon-apigateway-integration", {})
                if integration.get("type") != "mock":
                    yield Target("api", api, arn_in_uri(integration.get("uri")))
        for scheme in body.get("components", {}).get("securitySchemes", {}).values():
            uri = scheme.get("x-amazon-apigateway-authorizer", {}).get("authorizerUri")
            yield Target("authorizer", api, arn_in_uri(uri))


def api_description(api: Registered) -> Mapping[str, Any]:
    """The OpenAPI document of a REST API as data; empty where it is no JSON object."""
    return documents.json_object(api.get("body")) or {}


def arn_in_uri(uri: object) -> str:
    """The function's or alias's ARN inside an integration URI of API Gateway; empty where there is none."""
    parts = str(uri or "").split("/functions/")
    return parts[1].removesuffix("/invocations") if len(parts) == 2 else ""
