"""ServerlessFunction: what it may do, what it is told, how big it is."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest
from pulumi_aws import iam

import policies
from components.function import FunctionTweaks
from components.grants import Grant, Statement
from components.schedules import Warming
from tests.support.program import Run, run_stack
from tests.support.tiny import Parts, memory, tiny

FUNCTION, ROLE_POLICY = "aws:lambda/function:Function", "aws:iam/rolePolicy:RolePolicy"
ASYNC = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
PROVISIONED = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"

ITEMS = "arn:aws:dynamodb:us-west-2:123456789012:table/items-table-0123456"
AUDIT = "arn:aws:dynamodb:us-west-2:123456789012:table/audit-table-0123456"
UPLOADS, IMAGES = "arn:aws:s3:::uploads-bucket-0123456", "arn:aws:s3:::images-bucket-0123456"
AUTH = "arn:aws:secretsmanager:us-west-2:123456789012:secret:auth-secret-0123456"
CURSOR = "arn:aws:secretsmanager:us-west-2:123456789012:secret:cursor-key-secret-0123456"
USERS = "arn:aws:dynamodb:us-west-2:123456789012:table/users-table-0123456"
CONNECTIONS = "arn:aws:dynamodb:us-west-2:123456789012:table/connections-table-0123456"
WEBHOOK = "arn:aws:secretsmanager:us-west-2:123456789012:secret:webhook-secret-0123456"

ORDERS = "arn:aws:dynamodb:us-west-2:123456789012:table/orders-table-0123456"
STATE = "arn:aws:dynamodb:us-west-2:123456789012:table/state-table-0123456"
REPORTS = "arn:aws:s3:::reports-bucket-0123456"
QUEUES = "arn:aws:sqs:us-west-2:123456789012"
NEW_ORDERS, ORDER_EVENTS = (
    f"{QUEUES}:orders-queue-0123456",
    f"{QUEUES}:order-events-queue-0123456.fifo",
)
OUTBOX = f"{QUEUES}:notifications-queue-0123456"
PROCESSOR = "image-processor"
BUS = "arn:aws:events:us-west-2:123456789012:event-bus/events-bus-0123456"
SENDER = "arn:aws:ses:us-west-2:123456789012:identity"


def table(arn: str, *verbs: str) -> set[tuple[str, str]]:
    """Rights to a table, and to what it is encrypted with."""
    return {(f"dynamodb:{verb}", arn) for verb in verbs} | {("kms:Decrypt", "dynamodb")}


def reading(bucket: str, *prefixes: str) -> set[tuple[str, str]]:
    """Rights to read objects."""
    return {("s3:GetObject", f"{bucket}/{prefix}*") for prefix in prefixes} | {
        ("kms:Decrypt", "s3")
    }


def writing(bucket: str, *prefixes: str) -> set[tuple[str, str]]:
    """Rights to write objects."""
    puts = {("s3:PutObject", f"{bucket}/{prefix}*") for prefix in prefixes}
    return puts | {("kms:GenerateDataKey", "s3")}


def sending(service: str, action: str, arn: str) -> set[tuple[str, str]]:
    """Rights to send into something encrypted."""
    return {(action, arn), ("kms:GenerateDataKey", service), ("kms:Decrypt", service)}


def telling(topic: str) -> set[tuple[str, str]]:
    """Rights to publish."""
    arn = f"arn:aws:sns:us-west-2:123456789012:{topic}-topic-0123456"
    return sending("sns", "sns:Publish", arn)


ONCE = table(STATE, "GetItem", "PutItem", "UpdateItem", "DeleteItem")
MAILING = {
    ("ses:SendEmail", f"{SENDER}/orders@example.com"),
    ("ses:SendEmail", f"{SENDER}/example.com"),
}
DERIVED = ("thumbnails/", "optimised/", "watermarked/", "metadata/")

MAY: dict[str, set[tuple[str, str]]] = {
    "create-item": table(ITEMS, "PutItem"),
    "get-item": table(ITEMS, "GetItem"),
    "list-items": {
        *table(f"{ITEMS}/index/by-collection", "Query"),
        ("secretsmanager:GetSecretValue", CURSOR),
        ("kms:Decrypt", "secretsmanager"),
    },
    "update-item": table(ITEMS, "UpdateItem"),
    "delete-item": table(ITEMS, "DeleteItem"),
    "health": set(),
    "authorizer": {("secretsmanager:GetSecretValue", AUTH), ("kms:Decrypt", "secretsmanager")},
    "create-user": table(USERS, "PutItem"),
    "user-registrar": table(USERS, "PutItem"),
    "subscriptions": table(CONNECTIONS, "PutItem", "Query", "DeleteItem"),
    "products": sending("sqs", "sqs:SendMessage", NEW_ORDERS),
    "checksum": set(),
    "webhook": {
        ("secretsmanager:GetSecretValue", WEBHOOK),
        ("kms:Decrypt", "secretsmanager"),
        *table(STATE, "GetItem", "PutItem"),
        *sending("sqs", "sqs:SendMessage", ORDER_EVENTS),
    },
    "image-processor": {
        *reading(UPLOADS, "uploads/", "incoming/"),
        ("s3:ListBucket", UPLOADS),
        ("s3:ListBucket", IMAGES),
        *reading(IMAGES, *DERIVED),
        *writing(IMAGES, *DERIVED),
    },
    "content-router": {
        *reading(UPLOADS, "incoming/"),
        ("s3:ListBucket", UPLOADS),
        ("s3:ListBucket", REPORTS),
        *table(ITEMS, "PutItem"),
        *reading(REPORTS, "imports/", "texts/"),
        *writing(REPORTS, "imports/", "texts/"),
        ("lambda:InvokeFunction", PROCESSOR),
    },
    "order-processor": {
        *table(ORDERS, "PutItem", "UpdateItem"),
        *telling("orders"),
        ("events:PutEvents", BUS),
        *MAILING,
        ("sqs:ChangeMessageVisibility", NEW_ORDERS),
    },
    "order-tracker": {
        *table(ORDERS, "UpdateItem"),
        ("events:PutEvents", BUS),
        ("sqs:ChangeMessageVisibility", ORDER_EVENTS),
    },
    "notification-sender": {
        *telling("notifications"),
        *MAILING,
        *ONCE,
        ("sqs:ChangeMessageVisibility", OUTBOX),
    },
    "notification-pusher": {
        *table(f"{CONNECTIONS}/index/by-topic", "Query"),
        *table(CONNECTIONS, "DeleteItem"),
        *ONCE,
    },
    "change-publisher": {
        *table(f"{CONNECTIONS}/index/by-topic", "Query"),
        *table(CONNECTIONS, "DeleteItem"),
    },
    "data-transformer": {*table(AUDIT, "PutItem"), ("events:PutEvents", BUS)},
    "audit-writer": table(AUDIT, "PutItem"),
    "telemetry-aggregator": table(STATE, "GetItem", "PutItem"),
    "error-collector": table(STATE, "GetItem", "PutItem"),
    "cleanup-job": {
        ("s3:ListBucket", UPLOADS),
        ("s3:DeleteObject", f"{UPLOADS}/uploads/*"),
        ("s3:DeleteObject", f"{UPLOADS}/incoming/*"),
        *table(CONNECTIONS, "Scan", "DeleteItem"),
    },
    "report-generator": {
        *table(ORDERS, "Scan"),
        *table(f"{ITEMS}/index/by-collection", "Query"),
        *reading(REPORTS, "reports/"),
        *writing(REPORTS, "reports/"),
        *telling("reports"),
        *ONCE,
    },
    "health-checker": {
        *table(ITEMS, "GetItem"),
        ("s3:ListBucket", UPLOADS),
        *(("sqs:GetQueueAttributes", queue) for queue in (NEW_ORDERS, ORDER_EVENTS, OUTBOX)),
    },
}
PUSHES = {"subscriptions", "change-publisher", "notification-pusher"}
BROWSERS = {"create-item", "get-item", "list-items", "update-item", "delete-item", "health"}
MAILS = {"MAIL_FROM_ADDRESS"}
TOLD: dict[str, set[str]] = {
    "create-item": {"ITEMS_TABLE"},
    "get-item": {"ITEMS_TABLE"},
    "list-items": {"ITEMS_TABLE", "CURSOR_KEY_SECRET_ARN"},
    "update-item": {"ITEMS_TABLE"},
    "delete-item": {"ITEMS_TABLE"},
    "health": set(),
    "authorizer": {"AUTH_SECRET_ARN"},
    "create-user": {"USERS_TABLE"},
    "user-registrar": {"USERS_TABLE"},
    "subscriptions": {"CONNECTIONS_TABLE", "SOCKET_ENDPOINT"},
    "products": {"ORDERS_QUEUE_URL"},
    "checksum": set(),
    "webhook": {
        "WEBHOOK_SECRET_ARN",
        "WEBHOOK_TOLERANCE_SECONDS",
        "STATE_TABLE",
        "ORDER_EVENTS_QUEUE_URL",
    },
    "image-processor": {"UPLOADS_BUCKET", "IMAGES_BUCKET", "WATERMARK_TEXT"},
    "content-router": {
        "UPLOADS_BUCKET",
        "REPORTS_BUCKET",
        "ITEMS_TABLE",
        "IMAGE_PROCESSOR_FUNCTION",
    },
    "order-processor": {
        "ORDERS_TABLE",
        "ORDERS_TOPIC_ARN",
        "EVENTS_BUS_NAME",
        "ORDERS_QUEUE_URL",
        *MAILS,
    },
    "order-tracker": {"ORDERS_TABLE", "EVENTS_BUS_NAME", "ORDER_EVENTS_QUEUE_URL"},
    "notification-sender": {
        "NOTIFICATIONS_TOPIC_ARN",
        "NOTIFICATIONS_QUEUE_URL",
        "STATE_TABLE",
        *MAILS,
    },
    "notification-pusher": {"CONNECTIONS_TABLE", "SOCKET_ENDPOINT", "STATE_TABLE"},
    "change-publisher": {"CONNECTIONS_TABLE", "SOCKET_ENDPOINT"},
    "data-transformer": {"AUDIT_TABLE", "EVENTS_BUS_NAME"},
    "audit-writer": {"AUDIT_TABLE"},
    "telemetry-aggregator": {"STATE_TABLE"},
    "error-collector": {"STATE_TABLE"},
    "cleanup-job": {"UPLOADS_BUCKET", "CONNECTIONS_TABLE"},
    "report-generator": {
        "ORDERS_TABLE",
        "ITEMS_TABLE",
        "REPORTS_BUCKET",
        "REPORTS_TOPIC_ARN",
        "STATE_TABLE",
        "TIMEZONE",
        "LINK_SECONDS",
    },
    "health-checker": {
        "ITEMS_TABLE",
        "UPLOADS_BUCKET",
        "ORDERS_QUEUE_URL",
        "ORDER_EVENTS_QUEUE_URL",
        "NOTIFICATIONS_QUEUE_URL",
        "API_URL",
    },
    "version-cleaner": {"FUNCTION_NAMES", "VERSIONS_TO_KEEP"},
}


def rights(run: Run, policy: str) -> set[tuple[str, str]]:
    """(action, resource) of a policy; for the key, the service through which it may be used."""
    document = json.loads(run.one(ROLE_POLICY, policy).properties["policy"])
    return {
        (action, _through(statement) or resource)
        for statement in document["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def _through(statement: dict[str, Any]) -> str:
    through = statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", "")
    return str(through).split(".")[0]


@pytest.mark.parametrize("name", sorted(MAY))
def test_function_gets_only_the_grants_it_asks_for(name: str, run: Run) -> None:
    logs = run.one("aws:cloudwatch/logGroup:LogGroup", f"{name}-logs").output("arn")
    own = {("logs:CreateLogStream", f"{logs}:*"), ("logs:PutLogEvents", f"{logs}:*")}
    own |= {("execute-api:ManageConnections", _posts(run))} if name in PUSHES else set()
    traces = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}
    processor = run.one(FUNCTION, "image-processor-function").output("arn")
    may = {(a, f"{processor}:live" if r == PROCESSOR else r) for a, r in MAY[name]}
    assert rights(run, f"{name}-policy") == may | own | traces


@pytest.mark.parametrize("name", sorted(TOLD))
def test_function_is_told_only_of_what_it_uses(name: str, run: Run) -> None:
    variables = run.one(FUNCTION, f"{name}-function").get("environment.variables")
    speaks = {"CORS_ALLOW_ORIGINS"} if name in BROWSERS else set()
    checked = {"CHECKED_ANSWERS"} if speaks and run.stack == "dev" else set()
    assert set(variables) == {"LOG_LEVEL", "SERVICE_NAME", "STACK"} | TOLD[name] | speaks | checked
    assert variables["SERVICE_NAME"] == "sandpiper"
    assert variables["STACK"] == f"sandpiper-{run.stack}"


@pytest.mark.parametrize("name", sorted(PUSHES))
def test_who_pushes_may_post_to_connections_of_this_stage_only(name: str, run: Run) -> None:
    held = {pair for pair in rights(run, f"{name}-policy") if pair[0].startswith("execute-api")}
    assert held == {("execute-api:ManageConnections", _posts(run))}
    told = run.one(FUNCTION, f"{name}-function").get("environment.variables")
    assert told["SOCKET_ENDPOINT"] == run.outputs["socketUrl"].replace("wss://", "https://")


def _posts(run: Run) -> str:
    api = f"arn:aws:execute-api:us-west-2:123456789012:sandpiper-{run.stack}-socket"
    return f"{api}/{run.stack}/POST/@connections/*"


def test_listing_is_narrowed_to_the_prefix(dev: Run) -> None:
    policy = dev.one(ROLE_POLICY, "cleanup-job-policy").properties["policy"]
    (listing,) = (s for s in json.loads(policy)["Statement"] if s["Action"] == ["s3:ListBucket"])
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["uploads/*", "incoming/*"]}}


def test_function_and_its_log_group_are_named_after_project_stack_and_function(
    run: Run,
) -> None:
    stack = run.stack
    for name in MAY:
        function = run.one(FUNCTION, f"{name}-function")
        group = run.one("aws:cloudwatch/logGroup:LogGroup", f"{name}-logs")
        assert function.get("name") == f"sandpiper-{stack}-{name}"
        assert group.get("name") == f"/aws/lambda/sandpiper-{stack}-{name}"
        assert function.get("loggingConfig.logGroup") == group.get("name")


def test_every_function_is_called_by_the_alias_live(run: Run) -> None:
    aliases = run.all("aws:lambda/alias:Alias")
    assert {a.get("functionName") for a in aliases} == {f.get("name") for f in run.all(FUNCTION)}
    assert {a.get("name") for a in aliases} == {"live"}


def test_sizes_come_from_the_stack_file(custom: Run) -> None:
    function = custom.one(FUNCTION, "create-item-function")
    assert function.get("memorySize") == 1024
    assert function.get("timeout") == 12
    assert function.get("architectures") == ["x86_64"]
    assert function.get("reservedConcurrentExecutions") == 5
    assert function.get("environment.variables.FEATURE_X") == "on"
    assert function.get("loggingConfig.applicationLogLevel") == "DEBUG"


def test_what_a_function_does_decides_its_size_where_the_stack_file_is_silent(dev: Run) -> None:
    assert dev.one(FUNCTION, "image-processor-function").get("memorySize") == 1769
    assert dev.one(FUNCTION, "cleanup-job-function").get("timeout") == 120


def test_executions_are_kept_warm_only_where_asked(custom: Run, dev: Run) -> None:
    type_ = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
    (warm,) = custom.all(type_)
    assert warm.name == "create-item-provisioned-concurrency"
    assert warm.get("qualifier") == "live"
    assert warm.get("provisionedConcurrentExecutions") == 2
    assert dev.all(type_) == []


def test_untraced_function_may_not_trace(custom: Run) -> None:
    assert custom.one(FUNCTION, "get-item-function").get("tracingConfig.mode") == "PassThrough"
    assert not any(action.startswith("xray:") for action, _ in rights(custom, "get-item-policy"))


def test_variable_that_the_program_sets_itself_is_refused_with_its_name() -> None:
    thing = Grant([Statement(["s3:GetObject"], ["arn:x"])], {"THING": "x"})
    with pytest.raises(
        pulumi.RunError, match=r"functions\.f\.environment\.THING: must not be a name"
    ):
        tiny(lambda parts: parts.function("f", thing, environment={"THING": "mine"}))


def test_tweaks_have_the_last_word() -> None:
    def describe(args: iam.RoleArgs) -> None:
        args.description = "tweaked"

    def program(parts: Parts) -> None:
        parts.function("f", memory_size=256, tweaks=memory(3000))
        parts.function("g", tweaks=FunctionTweaks(role=describe))

    run = tiny(program)
    assert run.one(FUNCTION, "f-function").get("memorySize") == 3000
    assert run.one(FUNCTION, "g-function").get("memorySize") == 256
    assert run.one("aws:iam/role:Role", "g-role").get("description") == "tweaked"


def test_function_declared_twice_is_refused() -> None:
    def program(parts: Parts) -> None:
        parts.function("f")
        parts.function("f")

    with pytest.raises(ValueError, match="duplicate resource name"):
        tiny(program)


def test_function_without_grants_may_log_and_trace_and_nothing_else() -> None:
    run = tiny(lambda parts: parts.function("f"))
    assert {action.split(":")[0] for action, _ in rights(run, "f-policy")} == {"logs", "xray"}


def test_version_cleaner_may_remove_versions_of_every_function_and_never_a_function(
    run: Run,
) -> None:
    functions = {
        f"arn:aws:lambda:us-west-2:123456789012:function:{f.get('name')}" for f in run.all(FUNCTION)
    }
    held = rights(run, "version-cleaner-policy")
    assert {arn for action, arn in held if action == "lambda:ListVersionsByFunction"} == functions
    assert {arn for action, arn in held if action == "lambda:ListAliases"} == functions
    deletes = {arn for action, arn in held if action == "lambda:DeleteFunction"}
    assert deletes == {f"{arn}:*" for arn in functions}


def test_role_from_outside_is_used_and_gets_nothing_from_here() -> None:
    role = "arn:aws:iam::123456789012:role/given"

    def program(parts: Parts) -> None:
        function = parts.function("f", execution_role_arn=role)
        function.catch_failures()

    run = tiny(program)
    assert run.one(FUNCTION, "f-function").get("role") == role
    assert run.all("aws:iam/role:Role") == []
    assert run.all(ROLE_POLICY) == []
    assert run.one(ASYNC, "f-async").get("maximumRetryAttempts") == 2


def test_function_in_a_vpc_lets_lambda_make_interfaces_and_its_own_code_not() -> None:
    network = {
        "subnet_ids": ["subnet-0123456789abcdef0"],
        "security_group_ids": ["sg-0123456789abcdef0"],
    }
    run = tiny(lambda parts: parts.function("f", vpc_config=network))
    function = run.one(FUNCTION, "f-function")
    assert function.get("vpcConfig.subnetIds") == network["subnet_ids"]
    assert function.get("replaceSecurityGroupsOnDestroy") is True
    document = json.loads(run.one(ROLE_POLICY, "f-policy").get("policy"))
    allow, deny = [s for s in document["Statement"] if "ec2:CreateNetworkInterface" in s["Action"]]
    assert (allow["Effect"], deny["Effect"]) == ("Allow", "Deny")
    arn = "arn:aws:lambda:us-west-2:123456789012:function:sandpiper-tiny-f"
    assert deny["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": arn}}
    assert run.one(ROLE_POLICY, "f-policy").urn in function.depends_on


@pytest.mark.parametrize(
    ("arn", "actions"),
    [
        ("arn:aws:sqs:us-west-2:123456789012:a", {"sqs:SendMessage"}),
        ("arn:aws:sns:us-west-2:123456789012:a", {"sns:Publish"}),
        ("arn:aws:lambda:us-west-2:123456789012:function:a", {"lambda:InvokeFunction"}),
        ("arn:aws:events:us-west-2:123456789012:event-bus/a", {"events:PutEvents"}),
        ("arn:aws:s3:::abc", {"s3:PutObject", "s3:ListBucket"}),
    ],
)
def test_destination_comes_with_the_right_to_deliver_there(arn: str, actions: set[str]) -> None:
    run = tiny(lambda parts: parts.function("f", on_failure=arn))
    config = run.one(ASYNC, "f-async")
    assert config.get("destinationConfig.onFailure.destination") == arn
    assert config.get("qualifier") == "live"
    held = rights(run, "f-failures-policy")
    assert {action for action, _ in held} == actions
    assert {resource.removesuffix("/*") for _, resource in held} == {arn}
    assert run.one(ROLE_POLICY, "f-failures-policy").urn in config.depends_on


def test_success_has_a_destination_beside_the_one_for_failures() -> None:
    bus = "arn:aws:events:us-west-2:123456789012:event-bus/a"
    run = tiny(lambda parts: parts.function("f", on_success=bus))
    config = run.one(ASYNC, "f-async")
    assert config.get("destinationConfig.onSuccess.destination") == bus
    queue = run.one("aws:sqs/queue:Queue", "failures-queue").output("arn")
    assert config.get("destinationConfig.onFailure.destination") == queue


def test_dead_letters_may_be_put_down_before_the_function_is_made() -> None:
    topic = "arn:aws:sns:us-west-2:123456789012:lost"
    run = tiny(lambda parts: parts.function("f", dead_letter=topic))
    function = run.one(FUNCTION, "f-function")
    assert function.get("deadLetterConfig.targetArn") == topic
    assert ("sns:Publish", topic) in rights(run, "f-policy")
    assert run.one(ROLE_POLICY, "f-policy").urn in function.depends_on


def test_scaling_follows_the_alias_and_the_next_update_leaves_it_alone() -> None:
    scaling = {
        "min_capacity": 1,
        "max_capacity": 9,
        "target_value": 0.5,
        "scheduled_actions": {
            "morning": {
                "schedule": "cron(0 8 * * ? *)",
                "timezone": "Europe/Berlin",
                "min_capacity": 4,
            }
        },
    }
    run = tiny(
        lambda parts: parts.function(
            "f", provisioned_concurrent_executions=2, provisioned_concurrency_scaling=scaling
        )
    )
    target = run.one("aws:appautoscaling/target:Target", "f-scaling")
    assert target.get("resourceId") == "function:sandpiper-tiny-f:live"
    assert (target.get("minCapacity"), target.get("maxCapacity")) == (1, 9)
    tracking = "targetTrackingScalingPolicyConfiguration"
    policy = run.one("aws:appautoscaling/policy:Policy", "f-scaling-policy")
    assert policy.get(f"{tracking}.targetValue") == 0.5
    assert policy.get("resourceId") == target.get("resourceId")
    action = run.one("aws:appautoscaling/scheduledAction:ScheduledAction", "f-scaling-morning")
    assert action.get("scalableTargetAction") == {"minCapacity": 4}
    assert action.get("timezone") == "Europe/Berlin"
    config = run.one(PROVISIONED, "f-provisioned-concurrency")
    assert run.ignored[config.urn] == {"provisionedConcurrentExecutions"}
    assert config.urn in target.depends_on


def test_url_takes_signed_calls_and_leads_to_the_alias(run: Run) -> None:
    url = run.one("aws:lambda/functionUrl:FunctionUrl", "products-url")
    assert url.get("authorizationType") == "AWS_IAM"
    assert url.get("qualifier") == "live"
    assert run.outputs["functions"]["products"]["url"] == url.output("functionUrl")
    assert "url" not in run.outputs["functions"]["health"]


def test_caller_of_a_url_is_named_twice() -> None:
    caller = "arn:aws:iam::210987654321:role/partner"
    run = tiny(lambda parts: parts.function("f", function_url={"principals": [caller]}))
    permissions = {p.get("action"): p for p in run.all("aws:lambda/permission:Permission")}
    assert set(permissions) == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert {p.get("principal") for p in permissions.values()} == {caller}
    assert {p.get("qualifier") for p in permissions.values()} == {"live"}
    assert permissions["lambda:InvokeFunctionUrl"].get("functionUrlAuthType") == "AWS_IAM"
    assert permissions["lambda:InvokeFunction"].get("invokedViaFunctionUrl") is True
    assert permissions["lambda:InvokeFunction"].get("functionUrlAuthType") is None


def test_account_is_named_by_its_root_and_the_longest_name_still_fits_a_statement() -> None:
    long = f"arn:aws:iam::210987654321:role/aws-reserved/sso.amazonaws.com/{'x' * 64}"
    callers = ["210987654321", long, long[:-1] + "y"]
    run = tiny(lambda parts: parts.function("f" * 40, function_url={"principals": callers}))
    permissions = run.all("aws:lambda/permission:Permission")
    assert len({p.name for p in permissions}) == 6
    assert max(len(p.name) for p in permissions) + len("-0123456") <= 100
    assert {p.get("principal") for p in permissions} == {
        "arn:aws:iam::210987654321:root",
        *callers[1:],
    }


def test_limits_that_a_timetable_moves_are_left_alone() -> None:
    scaling = {"min_capacity": 1, "max_capacity": 9}
    morning = {"morning": {"schedule": "cron(0 8 * * ? *)", "min_capacity": 4}}

    def program(parts: Parts) -> None:
        for name, actions in (("f", {}), ("g", morning)):
            parts.function(
                name,
                provisioned_concurrent_executions=2,
                provisioned_concurrency_scaling={**scaling, "scheduled_actions": actions},
            )

    run = tiny(program)
    ignored = [run.ignored[t.urn] for t in run.all("aws:appautoscaling/target:Target")]
    assert sorted(map(sorted, ignored)) == [[], ["maxCapacity", "minCapacity"]]


def test_warming_of_one_function_and_of_two_breaks_no_rule() -> None:
    for names in (["products"], ["products", "health"]):
        warm = {name: {"warming_schedule": "rate(5 minutes)"} for name in names}
        run = run_stack("dev", config={"sandpiper:functions": warm})
        assert [str(found) for found in policies.check(run.resources, stack="dev")] == []


def test_warming_calls_what_asks_for_it_in_one_role() -> None:
    def program(parts: Parts) -> None:
        made = [
            parts.function("f", warming_schedule="rate(5 minutes)"),
            parts.function("g", warming_schedule="rate(1 minute)"),
            parts.function("h"),
        ]
        Warming("warming", made, failures=parts.failures, encryption=parts.key, place=parts.place)

    run = tiny(program)
    schedules = {s.name: s for s in run.all("aws:scheduler/schedule:Schedule")}
    assert set(schedules) == {"warming-f", "warming-g"}
    assert schedules["warming-f"].get("scheduleExpression") == "rate(5 minutes)"
    assert json.loads(schedules["warming-f"].get("target.input")) == {"warming": True}
    starts = {
        arn for action, arn in rights(run, "warming-policy") if action == "lambda:InvokeFunction"
    }
    assert starts == {
        f"arn:aws:lambda:us-west-2:123456789012:function:sandpiper-tiny-{n}:live" for n in "fg"
    }


def test_without_a_warming_schedule_there_is_no_role_for_one(dev: Run) -> None:
    assert not [r for r in dev.resources if "warming-" in r.name]


def test_outputs_say_what_other_stacks_may_know(run: Run) -> None:
    told = run.outputs["functions"]["create-item"]
    assert told["sourceCodeHash"] == "c2hhMjU2"
    assert told["sourceCodeSize"] == 1024
    assert told["lastModified"] == "2026-11-21T00:00:00.000+0000"
    assert told["runtime"] == "python3.13"
    assert told["handler"] == "create_item.handler"


def test_component_has_typed_outputs_for_the_program_itself() -> None:
    def program(parts: Parts) -> None:
        made = parts.function("f", memory_size=512).outputs
        pulumi.export(
            "of", pulumi.Output.all(made.name, made.version, made.timeout, made.memory_size)
        )
        pulumi.export("url", made.url)

    run = tiny(program)
    assert run.outputs["of"] == ["sandpiper-tiny-f", "1", 10, 512]
    assert run.outputs.get("url") is None


def test_tags_say_what_a_function_is(run: Run) -> None:
    tags = run.one(FUNCTION, "cleanup-job-function").get("tags")
    assert tags["Name"] == f"sandpiper-{run.stack}-cleanup-job"
    assert (tags["Service"], tags["Schedule"], tags["HasLayers"]) == ("sandpiper", "daily", "true")
    assert tags["Runtime"] == "python3.13"
    assert (tags["Project"], tags["Environment"]) == ("sandpiper", run.stack)
    assert run.one(FUNCTION, "checksum-function").get("tags")["HasLayers"] == "false"


def test_what_is_built_elsewhere_is_there_once_its_code_is_named() -> None:
    stored = {"s3_bucket": "releases", "s3_key": "a.zip"}
    elsewhere = {
        "checksum-java": stored,
        "checksum-dotnet": stored,
        "checksum-rust": stored,
        "checksum-php": {"source_dir": "handlers/checksum_php"},
        "checksum-ruby": {"source_dir": "handlers/checksum_ruby"},
        "inference": {
            "image_uri": "123456789012.dkr.ecr.us-west-2.amazonaws.com/inference:1",
            "memory_size": 10240,
        },
    }
    config = {"sandpiper:functions": elsewhere, "sandpiper:repositories": {"inference": {}}}
    run = run_stack("dev", config=config)
    runtimes = {n: run.one(FUNCTION, f"{n}-function").get("runtime") for n in elsewhere}
    assert runtimes == {
        "checksum-java": "java21",
        "checksum-dotnet": "dotnet10",
        "checksum-rust": "provided.al2023",
        "checksum-php": "provided.al2023",
        "checksum-ruby": "ruby3.4",
        "inference": None,
    }
    told = run.one(FUNCTION, "inference-function").get("environment.variables")
    assert (told["INFERENCE_MODE"], told["BATCH_SIZE"]) == ("production", "32")
    assert told["MODEL_BUCKET"] == run.one("aws:s3/bucket:Bucket", "model-bucket").output("bucket")
    assert list(run.outputs["repositories"]) == ["inference"]
    assert [str(finding) for finding in policies.check(run.resources, stack="dev")] == []


def test_repository_keeps_tags_scans_pushes_and_lets_old_images_go() -> None:
    run = run_stack("prod", config={"sandpiper:repositories": {"inference": {"keep_images": 7}}})
    repository = run.one("aws:ecr/repository:Repository", "inference-repository")
    assert repository.get("imageTagMutability") == "IMMUTABLE"
    assert repository.get("imageScanningConfiguration") == {"scanOnPush": True}
    assert repository.get("encryptionConfigurations")[0]["encryptionType"] == "KMS"
    assert (repository.protect, repository.get("forceDelete")) == (True, False)
    lifecycle = json.loads(
        run.one("aws:ecr/lifecyclePolicy:LifecyclePolicy", "inference-repository-lifecycle").get(
            "policy"
        )
    )
    assert lifecycle["rules"][0]["selection"]["countNumber"] == 7
