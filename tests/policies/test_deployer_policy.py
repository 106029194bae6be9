"""docs/deployer-policy*.json: who deploys may make what the program has, under the names that Pulumi gives it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from policies import aws, documents
from policies.roles import INLINE_SIZE
from tests.support.breaks.everything import asked_for
from tests.support.program import ROOT, Run

PLAIN = (ROOT / "docs" / "deployer-policy.json").read_text(encoding="utf-8")
WATCHING = (ROOT / "docs" / "deployer-policy-observability.json").read_text(encoding="utf-8")
OPTIONS = (ROOT / "docs" / "deployer-policy-options.json").read_text(encoding="utf-8")
MAKING = {
    aws.TABLE: "dynamodb:CreateTable",
    aws.BUCKET: "s3:CreateBucket",
    aws.QUEUE: "sqs:CreateQueue",
    aws.TOPIC: "sns:CreateTopic",
    aws.SECRET: "secretsmanager:CreateSecret",
    aws.FUNCTION: "lambda:CreateFunction",
    aws.LOG_GROUP: "logs:CreateLogGroup",
    aws.ROLE: "iam:CreateRole",
    aws.ALARM: "cloudwatch:PutMetricAlarm",
    aws.COMPOSITE: "cloudwatch:PutCompositeAlarm",
    aws.EVENT_BUS: "events:CreateEventBus",
    aws.EVENT_RULE: "events:PutRule",
    aws.DATA_STREAM: "kinesis:CreateStream",
}
"""Type -> the action that makes one, on its own ARN."""
OPTIONAL_OF_A_FUNCTION = {
    aws.PROVISIONED: "lambda:PutProvisionedConcurrencyConfig",
    aws.RECURSION: "lambda:PutFunctionRecursionConfig",
    aws.RUNTIME_MANAGEMENT: "lambda:PutRuntimeManagementConfig",
    aws.CODE_SIGNING: "lambda:PutFunctionCodeSigningConfig",
}
"""Type -> the action that makes one; a stack file asks for it by a setting."""
MANAGED_SIZE = 6_144
"""Characters of a managed policy (IAM quotas)."""
SCHEDULES = "arn:aws:scheduler:us-west-2:123456789012:schedule/default"


def _arns(run: Run) -> Iterator[tuple[str, str]]:
    """(action, ARN) of everything in a run that is made under its own name."""
    for type_, action in MAKING.items():
        yield from ((action, made.output("arn")) for made in run.all(type_))
    for schedule in run.all(aws.SCHEDULE):
        yield "scheduler:CreateSchedule", f"{SCHEDULES}/{schedule.name}-0123456"
    for budget in run.all(aws.BUDGET):
        yield "budgets:ModifyBudget", f"arn:aws:budgets::123456789012:budget/{budget.get('name')}"
    for one in run.all(aws.SAMPLING_RULE):
        place = "arn:aws:xray:us-west-2:123456789012"
        yield "xray:CreateSamplingRule", f"{place}:sampling-rule/{one.get('ruleName')}"
    for one in run.all(aws.METRIC_FILTER):
        group = f"arn:aws:logs:us-west-2:123456789012:log-group:{one.get('logGroupName')}"
        yield "logs:PutMetricFilter", group
    for canary in run.all(aws.CANARY):
        place = "arn:aws:synthetics:us-west-2:123456789012"
        yield "synthetics:CreateCanary", f"{place}:canary:{canary.output('name')}"


THREE_MORE = ("customer-returns", "loyalty-accounts", "supplier-invoices")


def _grown() -> str:
    """The policy when a queue, a table and a function of each of three names have come; nothing is there to add for functions."""
    document = json.loads(PLAIN)
    by_sid = {said["Sid"]: said["Resource"] for said in document["Statement"]}
    by_sid["Queues"] += [f"arn:aws:sqs:*:*:{name}-*" for name in THREE_MORE]
    by_sid["Tables"] += [f"arn:aws:dynamodb:*:*:table/{name}-table-*" for name in THREE_MORE]
    return json.dumps(document)


def _of_function(name: str) -> Iterator[tuple[str, str]]:
    """(action, ARN) of what comes with a function."""
    place = "us-west-2:123456789012"
    yield "lambda:CreateFunction", f"arn:aws:lambda:{place}:function:sandpiper-dev-{name}"
    yield "iam:CreateRole", f"arn:aws:iam::123456789012:role/{name}-role-0123456"
    yield "iam:PassRole", f"arn:aws:iam::123456789012:role/{name}-role-0123456"
    yield "logs:CreateLogGroup", f"arn:aws:logs:{place}:log-group:/aws/lambda/sandpiper-dev-{name}"
    yield (
        "cloudwatch:PutMetricAlarm",
        f"arn:aws:cloudwatch:{place}:alarm:sandpiper-dev-{name}-errors",
    )
    yield "scheduler:CreateSchedule", f"{SCHEDULES}/{name}-schedule-0123456"


def _statements(text: str) -> list[dict[str, Any]]:
    return json.loads(text)["Statement"]


def test_deployer_may_make_what_each_stack_has(run: Run) -> None:
    # Production's firewall and its canary are among the options.
    every = (PLAIN, WATCHING, OPTIONS)
    held = documents.pairs(said for text in every for said in documents.of(text))
    refused = [
        (action, arn)
        for action, arn in _arns(run)
        if not any(action == a and fnmatchcase(arn, pattern) for a, pattern in held)
    ]
    assert refused == [], "add each to the Resource of its statement, docs/deployer-policy.json"


def test_deployer_may_pass_roles_to_the_services_that_take_them(run: Run) -> None:
    def passed(text: str) -> set[str]:
        return {
            service
            for said in documents.of(text)
            if "iam:PassRole" in said.actions
            for service in said.only_if("StringEquals", "iam:PassedToService")
        }

    def trusted(program: Run) -> set[str]:
        return {
            service
            for role in program.all(aws.ROLE)
            for said in documents.of(role.get("assumeRolePolicy"))
            for service in said.principals["Service"]
        }

    assert trusted(run) == passed(PLAIN)
    assert trusted(asked_for()) == passed(PLAIN) | passed(OPTIONS)


def test_policy_fits_a_role_and_names_each_action_once_for_a_purpose() -> None:
    assert documents.size(PLAIN) <= INLINE_SIZE
    assert documents.size(WATCHING) <= MANAGED_SIZE
    for text in (PLAIN, WATCHING, OPTIONS):
        sids = [said["Sid"] for said in _statements(text)]
        assert len(set(sids)) == len(sids)
        for said in _statements(text):
            assert len(said["Action"]) == len(set(said["Action"])), said["Sid"]
            assert "*" not in "".join(said["Action"]), said["Sid"]


def test_three_more_queues_tables_and_functions_fit() -> None:
    assert documents.size(_grown()) <= INLINE_SIZE
    held = documents.pairs((*documents.of(PLAIN), *documents.of(WATCHING)))
    for name in THREE_MORE:
        for action, arn in _of_function(name):
            assert any(action == a and fnmatchcase(arn, pattern) for a, pattern in held), arn


def test_options_hold_what_no_shipped_stack_needs_of_a_function(run: Run) -> None:
    assert {OPTIONAL_OF_A_FUNCTION[t] for t in OPTIONAL_OF_A_FUNCTION if run.all(t)} == set()
    assert {action for action, _ in documents.pairs(documents.of(PLAIN))}.isdisjoint(
        OPTIONAL_OF_A_FUNCTION.values()
    )
    assert {action for action, _ in documents.pairs(documents.of(OPTIONS))} >= set(
        OPTIONAL_OF_A_FUNCTION.values()
    )
