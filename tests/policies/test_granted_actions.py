"""Dropping any single granted action is noticed: here by a rule, where the emulator does not judge the action."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from policies import (
    Registered,
    Stack,
    aws,
    canaries,
    chats,
    destinations,
    encryption,
    event_rights,
    functions,
    graphql_apis,
    log_subscriptions,
    mail,
    network,
    roles,
    service_integrations,
    sockets,
    versions,
)
from tests.support.breaks.everything import asked_for
from tests.support.program import Run

JUDGED_END_TO_END = {
    "dynamodb:DeleteItem": "delete-item, subscriptions, change-publisher",
    "dynamodb:GetItem": "get-item",
    "dynamodb:Scan": "cleanup-job, report-generator",
    "dynamodb:PutItem": "create-item, data-transformer, create-user, subscriptions",
    "dynamodb:Query": "list-items, subscriptions, change-publisher",
    "dynamodb:UpdateItem": "update-item",
    "s3:DeleteObject": "cleanup-job",
    "s3:GetObject": "image-processor",
    "s3:ListBucket": "cleanup-job",
    "s3:PutObject": "image-processor",
    "secretsmanager:GetSecretValue": "authorizer, list-items",
    "sns:Publish": "notification-sender",
}
"""Calls that handlers make themselves, and who makes them: the emulator refuses them without the right, so the tests of
the running application find a dropped one.
"""


RULES_ABOUT_RIGHTS = (
    *roles.RULES,
    *event_rights.RULES,
    *destinations.RULES,
    *network.RULES,
    *versions.RULES,
    *functions.RULES,
    *mail.RULES,
    *sockets.RULES,
    *service_integrations.RULES,
    *graphql_apis.RULES,
    *encryption.RULES,
    *canaries.RULES,
    *chats.RULES,
    *log_subscriptions.RULES,
)


CANARY = "canary-policy"
"""What a canary may do, in the stacks that have one."""


@dataclass(frozen=True)
class Granted:
    """One action of one statement (its JSON) of one policy; grants may say the same of one table more than once."""

    policy: str
    statement: str
    action: str

    def __str__(self) -> str:
        return f"{self.policy}-{self.action}"


def _granted(run: Run) -> list[Granted]:
    found = [
        Granted(policy.name, json.dumps(statement), action)
        for policy in run.all(aws.ROLE_POLICY)
        for statement in json.loads(policy.properties["policy"])["Statement"]
        for action in statement["Action"]
    ]
    return list(dict.fromkeys(found))


def _is_noticed(resources: list[Registered]) -> bool:
    stack = Stack(resources, name="dev")
    return any(list(rule(stack)) for rule in RULES_ABOUT_RIGHTS)


def _dropped(run: Run, granted: Granted) -> list[Registered]:
    """The program without the right, wherever the role has it: mappings and handlers may ask for the same of a queue."""
    role = run.one(aws.ROLE_POLICY, granted.policy).get("role")
    resource = json.loads(granted.statement)["Resource"]
    return [
        _less(r, granted, resource) if r.type == aws.ROLE_POLICY and r.get("role") == role else r
        for r in run.resources
    ]


def _less(policy: Registered, granted: Granted, resource: list[str]) -> Registered:
    document = json.loads(policy.properties["policy"])
    for statement in document["Statement"]:
        same = json.dumps(statement) == granted.statement
        if same or (
            granted.action.startswith("sqs:")
            and statement["Resource"] == resource
            and granted.action in statement["Action"]
        ):
            statement["Action"].remove(granted.action)
    document["Statement"] = [s for s in document["Statement"] if s["Action"]]
    return replace(policy, properties={**policy.properties, "policy": json.dumps(document)})


def test_dropping_any_single_granted_action_fails(dev: Run) -> None:
    unnoticed = [
        str(granted)
        for granted in _granted(dev)
        if granted.action not in JUDGED_END_TO_END and not _is_noticed(_dropped(dev, granted))
    ]
    assert unnoticed == []


def test_dropping_an_action_that_a_stack_file_asks_for_fails(dev: Run) -> None:
    full = asked_for()
    added = set(_granted(full)) - set(_granted(dev))
    assert {granted.action.split(":")[0] for granted in added} >= {
        "ec2",
        "elasticfilesystem",
        "lambda",
        "s3",
        "sns",
        "sqs",
    }
    unnoticed = [
        str(granted)
        for granted in added
        # The forwarder's use of its table is judged end to end, as every function's is.
        if not (granted.action.startswith("dynamodb:") and granted.action in JUDGED_END_TO_END)
        and not _is_noticed(_dropped(full, granted))
    ]
    assert unnoticed == []


def test_every_stack_grants_the_same(run: Run, dev: Run) -> None:
    # The canary's are judged above.
    given = {str(granted) for granted in _granted(run) if granted.policy != CANARY}
    assert given == {str(granted) for granted in _granted(dev)}


def test_actions_judged_end_to_end_are_those_of_the_program(dev: Run) -> None:
    own_calls = {
        granted.action
        for granted in _granted(dev)
        if not granted.action.startswith(
            (
                "events:",
                "execute-api:",
                "kinesis:",
                "kms:",
                "lambda:",
                "logs:",
                "ses:",
                "sqs:",
                "xray:",
            )
        )
        and "Stream" not in granted.action
        and granted.action not in {"dynamodb:GetRecords", "dynamodb:GetShardIterator"}
    }
    assert own_calls == set(JUDGED_END_TO_END)


def test_every_class_of_action_is_granted_somewhere(dev: Run) -> None:
    """The test above would pass over an empty list."""
    assert {granted.action.split(":")[0] for granted in _granted(dev)} == {
        "dynamodb",
        "events",
        "execute-api",
        "kinesis",
        "kms",
        "lambda",
        "logs",
        "s3",
        "secretsmanager",
        "ses",
        "sns",
        "sqs",
        "xray",
    }
