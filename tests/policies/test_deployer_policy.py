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
    aws.EVENT_BUS: "events:CreateEventBus",
    aws.EVENT_RULE: "events:PutRule",
    aws.DATA_STREAM: "kinesis:CreateStream",
}
"""Type -> the action that makes one, on its own ARN."""
SCHEDULES = "arn:aws:scheduler:us-west-2:123456789012:schedule/default"


def _arns(run: Run) -> Iterator[tuple[str, str]]:
    """(action, ARN) of everything in a run that is made under its own name."""
    for type_, action in MAKING.items():
        yield from ((action, made.output("arn")) for made in run.all(type_))
    for schedule in run.all(aws.SCHEDULE):
        yield "scheduler:CreateSchedule", f"{SCHEDULES}/{schedule.name}-0123456"


def _statements(text: str) -> list[dict[str, Any]]:
    return json.loads(text)["Statement"]


def test_deployer_may_make_what_each_stack_has(run: Run) -> None:
    # Production's firewall is one of the options.
    held = documents.pairs((*documents.of(PLAIN), *documents.of(OPTIONS)))
    refused = [
        (action, arn)
        for action, arn in _arns(run)
        if not any(action == a and fnmatchcase(arn, pattern) for a, pattern in held)
    ]
    assert refused == []


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
    for text in (PLAIN, OPTIONS):
        sids = [said["Sid"] for said in _statements(text)]
        assert len(set(sids)) == len(sids)
        for said in _statements(text):
            assert len(said["Action"]) == len(set(said["Action"])), said["Sid"]
            assert "*" not in "".join(said["Action"]), said["Sid"]
