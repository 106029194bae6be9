"""Which alarms each thing must have: a function, an API, a queue, a stream, a table, and the service as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from policies import alarms, aws, deliveries, documents, gateways, links, metrics
from policies.alarm_values import VOLUMES
from policies.metrics import Metric
from policies.model import Registered, Stack, rule

OPERATIONS = frozenset(
    {
        "GetItem",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "Query",
        "Scan",
        "BatchGetItem",
        "BatchWriteItem",
        "TransactGetItems",
        "TransactWriteItems",
    }
)
"""Operations by which DynamoDB counts its own errors."""
HEALTH = "Healthy"
NEEDS = "needs an alarm on"


@dataclass(frozen=True)
class Wanted:
    """An alarm that something must have: it reads all of these metrics of a namespace, by these dimensions at least."""

    namespace: str
    names: tuple[str, ...]
    dimensions: dict[str, str] = field(default_factory=dict[str, str])


@rule
def something_raises_alarms(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A stack without any alarm is told once, not once for everything that should have one."""
    watched = sorted(stack.all(aws.FUNCTION, aws.REST_STAGE), key=lambda each: each.name)
    place = next(iter((*stack.all(aws.DASHBOARD), *watched)), None)
    if alarms.silent(stack) and place is not None:
        yield (
            place,
            "no alarm in the whole stack; nobody hears of errors unless alarms_enabled is set",
        )


@rule
def failures_raise_an_alarm(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Nobody looks into a dead-letter queue unasked; there, one message is one too many."""
    arns, waiting = deliveries.collectors(stack), "ApproximateNumberOfMessagesVisible"
    for queue in _unless_silent(stack, aws.QUEUE):
        if queue.output("arn") not in arns:
            continue
        found = metrics.reading(stack, "AWS/SQS", waiting, QueueName=queue.output("name"))
        if not any((alarm.get("threshold") or 0) <= 1 for alarm in found):
            yield queue, f"collects failures; it {NEEDS} {waiting}, from 1 on"


@rule
def queue_raises_alarms(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """What is worked off too slowly: by the age of the oldest message, and by their number."""
    for queue in _unless_silent(stack, aws.QUEUE):
        if documents.json_object(queue.get("redrivePolicy")) is not None:
            names = ("ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible")
            yield from _lacking(stack, queue, [_of_queue(queue, name) for name in names])


@rule
def function_raises_alarms(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """The share of its errors, throttles, a duration close to its timeout, more invocations than anybody expects.

    And where it has them: its reservation, its stream, its executions that are kept ready.
    """
    readers, ready = _readers(stack), _ready(stack)
    for function in _unless_silent(stack, aws.FUNCTION):
        name = str(function.get("name"))
        wanted = [("Errors", "Invocations"), ("Throttles",), ("Duration",), ("Invocations",)]
        if (function.get("reservedConcurrentExecutions") or -1) > 1:
            wanted.append(("ConcurrentExecutions",))
        if function.urn in readers:
            wanted.append(("IteratorAge",))
        found = [Wanted("AWS/Lambda", names, {"FunctionName": name}) for names in wanted]
        if name in ready:
            by = {"FunctionName": name, "Resource": f"{name}:{ready[name]}"}
            spilled = ("ProvisionedConcurrencySpilloverInvocations",)
            found.append(Wanted("AWS/Lambda", spilled, by))
        yield from _lacking(stack, function, found)


@rule
def api_raises_alarms(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """An answer 5xx is our fault, whichever function gave it; a surge of 4xx, slow answers, authorizers that fail."""
    for stage in _unless_silent(stack, aws.REST_STAGE):
        api = _api_of(stack, stage)
        by = {"ApiName": str(api.get("name") if api else ""), "Stage": str(stage.get("stageName"))}
        yield from _lacking(stack, stage, _of_api(by, "5XXError", "4XXError"))
    for stage in _unless_silent(stack, aws.STAGE):
        api = gateways.api_of(stack, stage)
        by = {"ApiId": str(stage.get("apiId")), "Stage": str(stage.get("name"))}
        if api is not None and api.get("protocolType") == gateways.SOCKET:
            broken = ("IntegrationError", "ExecutionError")
            yield from _lacking(stack, stage, [Wanted("AWS/ApiGateway", broken, by)])
        else:
            yield from _lacking(stack, stage, _of_api(by, "5xx", "4xx"))


@rule
def failing_authorizers_are_counted(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """An authorizer that crashes is a 500 like any other, and nobody comes in: only the access log tells it apart."""
    asking = {by.urn for kind, by, _ in gateways.started(stack) if kind == "authorizer"}
    for stage in _unless_silent(stack, aws.REST_STAGE, aws.STAGE):
        api = _api_of(stack, stage)
        if api is None or api.urn not in asking:
            continue
        group = stack.at(str(stage.get("accessLogSettings.destinationArn")), aws.LOG_GROUP)
        found = stack.having(aws.METRIC_FILTER, logGroupName=group.output("name")) if group else []
        made = {str(f.get("metricTransformation.name")) for f in found}
        by = {metrics.API: api.get("name")}
        if not any(metrics.reading(stack, metrics.OURS, name, **by) for name in made):
            yield (
                stage,
                "needs a metric filter on its access log for authorizers that fail, and an alarm",
            )


@rule
def other_ways_in_raise_alarms(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """The load balancer's and the GraphQL API's 5xx answers, and slow ones."""
    for balancer in _unless_silent(stack, aws.LOAD_BALANCER):
        by = {"LoadBalancer": balancer.output("arnSuffix")}
        names = ("HTTPCode_ELB_5XX_Count", "TargetResponseTime")
        found = [Wanted("AWS/ApplicationELB", (name,), by) for name in names]
        yield from _lacking(stack, balancer, found)
    for api in _unless_silent(stack, aws.GRAPHQL_API):
        by = {"GraphQLAPIId": api.output("id")}
        found = [Wanted("AWS/AppSync", (name,), by) for name in ("5XXError", "Latency")]
        yield from _lacking(stack, api, found)


@rule
def table_raises_alarms(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Throttled reads and writes, of each index as well, and DynamoDB's own errors in each operation that somebody may call."""
    used = _operations(stack)
    for table in _unless_silent(stack, aws.TABLE):
        by = {"TableName": table.output("name")}
        throttles = ("ReadThrottleEvents", "WriteThrottleEvents")
        errors = (
            Wanted("AWS/DynamoDB", ("SystemErrors",), {**by, "Operation": operation})
            for operation in sorted(used.get(table.urn, ()))
        )
        refused = [
            Wanted("AWS/DynamoDB", throttles, {**by, "GlobalSecondaryIndexName": index["name"]})
            for index in table.get("globalSecondaryIndexes") or []
        ]
        wanted = [Wanted("AWS/DynamoDB", throttles, by), *refused, *errors]
        yield from _lacking(stack, table, wanted)


@rule
def data_stream_raises_an_alarm(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """What its shards do not take is refused to whoever writes."""
    for stream in _unless_silent(stack, aws.DATA_STREAM):
        by = {"StreamName": stream.output("name")}
        refused = ("WriteProvisionedThroughputExceeded",)
        yield from _lacking(stack, stream, [Wanted("AWS/Kinesis", refused, by)])


@rule
def service_reports_that_it_is_well(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Who checks the service's health says so, and a composite alarm says when it is down."""
    checkers = [
        f for f in _unless_silent(stack, aws.FUNCTION) if f.name == "health-checker-function"
    ]
    for function in checkers:
        beating = metrics.reading(stack, metrics.OURS, HEALTH)
        if not beating:
            yield function, f"{NEEDS} {HEALTH}, whose silence rings"
        names = {alarms.called(alarm) for alarm in beating}
        if not any(names & set(alarms.asked(c)) for c in stack.all(aws.COMPOSITE)):
            yield function, "needs a composite alarm that says when the service is down"


@rule
def canary_raises_an_alarm(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A canary that nobody hears is a cost."""
    for canary in _unless_silent(stack, aws.CANARY):
        by = {"CanaryName": str(canary.output("name"))}
        wanted = Wanted("CloudWatchSynthetics", ("SuccessPercent",), by)
        yield from _lacking(stack, canary, [wanted])


def _api_of(stack: Stack, stage: Registered) -> Registered | None:
    if stage.type == aws.REST_STAGE:
        return stack.answering("id", str(stage.get("restApi")), aws.REST_API)
    return gateways.api_of(stack, stage)


def _unless_silent(stack: Stack, *types: str) -> list[Registered]:
    return [] if alarms.silent(stack) else stack.all(*types)


def _of_queue(queue: Registered, name: str) -> Wanted:
    return Wanted("AWS/SQS", (name,), {"QueueName": queue.output("name")})


def _of_api(by: dict[str, str], broken: str, refused: str) -> list[Wanted]:
    names = ((broken, "Count"), (refused, "Count"), ("Latency",))
    return [Wanted("AWS/ApiGateway", each, by) for each in names]


def _lacking(
    stack: Stack, resource: Registered, wanted: Iterable[Wanted]
) -> Iterator[tuple[Registered, str]]:
    # What a composite alarm speaks for says nothing by itself.
    telling = [alarm for alarm in stack.all(aws.ALARM) if alarm.get("alarmActions")]
    read = [metrics.watched(alarm) for alarm in telling]
    for one in wanted:
        if not any(_fits(one, found) for found in read):
            *_, last = one.dimensions.items() or [("", "")]
            told = {"Operation", "GlobalSecondaryIndexName"}
            of = f" of {last[1]}" if last[0] in told else ""
            yield resource, f"{NEEDS} {' and '.join(one.names)}{of}"


def _fits(wanted: Wanted, found: list[Metric]) -> bool:
    """All metrics that are wanted are read; one that says how much there is, alone, by itself."""
    names = {
        metric.name
        for metric in found
        if metric.namespace == wanted.namespace
        and wanted.dimensions.items() <= metric.dimensions.items()
    }
    if set(wanted.names) <= VOLUMES:
        return names == set(wanted.names) and len(found) == len(names)
    return set(wanted.names) <= names


def _readers(stack: Stack) -> set[str]:
    """URNs of the functions that read a stream."""
    return {s.invoked.function.urn for s in links.starts(stack) if s.kind == "stream"}


def _ready(stack: Stack) -> dict[str, str]:
    """Name of each function with executions that are kept ready -> the alias that has them."""
    return {str(c.get("functionName")): str(c.get("qualifier")) for c in stack.all(aws.PROVISIONED)}


def _operations(stack: Stack) -> dict[str, set[str]]:
    """URN of each table -> the operations on it or its indexes that some role may call."""
    found: dict[str, set[str]] = {}
    for policy in stack.all(aws.ROLE_POLICY):
        for action, arn in documents.pairs(documents.of(policy.get("policy")), service="dynamodb"):
            table, operation = stack.at(arn, aws.TABLE), action.partition(":")[2]
            if table is not None and operation in OPERATIONS:
                found.setdefault(table.urn, set()).add(operation)
    return found


RULES = (
    something_raises_alarms,
    failures_raise_an_alarm,
    queue_raises_alarms,
    function_raises_alarms,
    api_raises_alarms,
    failing_authorizers_are_counted,
    other_ways_in_raise_alarms,
    table_raises_alarms,
    data_stream_raises_an_alarm,
    service_reports_that_it_is_well,
    canary_raises_an_alarm,
)
