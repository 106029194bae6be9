"""docs/security.md says what the program does: its tables of grants and of what is left out are held to it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatch

import yaml

from policies import Stack, aws, documents, links
from policies.documents import Statement
from tests.conftest import STACKS
from tests.support.breaks.everything import asked_for
from tests.support.program import ROOT, Run

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
SUPPRESSIONS = yaml.safe_load((ROOT / "policies" / "suppressions.yaml").read_text(encoding="utf-8"))
THROUGH = {
    "dynamodb": "DynamoDB",
    "kinesis": "Kinesis",
    "s3": "S3",
    "secretsmanager": "Secrets Manager",
    "sns": "SNS",
    "sqs": "SQS",
}
"""Services between a role and the key, as the document calls them."""
ROWS = {
    "acm": "domain",
    "apigateway": "REST API",
    "apigatewayv2": "HTTP API",
    "appautoscaling": "",
    "appsync": "GraphQL API (off)",
    "budgets": "budget",
    "chatbot": "chat channel (off)",
    "cloudwatch": "alarm",
    "cognito": "user pool",
    "dynamodb": "table",
    "ecr": "container repository",
    "iam": "execution role",
    "iot": "AWS IoT rule (off)",
    "kinesis": "data stream",
    "kms": "key",
    "lambda": "function",
    "lb": "load balancer (off)",
    "route53": "domain",
    "s3": "bucket",
    "scheduler": "schedule",
    "secretsmanager": "secret",
    "sesv2": "identity for mail (off)",
    "sns": "topic",
    "sqs": "queue",
    "synthetics": "canary (prod)",
    "wafv2": "firewall of the REST API (prod)",
    "xray": "sampling rule",
}
"""Service -> its first row among the defaults; none where there is nothing to protect."""
OWN_LOG, SCHEDULE = "its own log group", "the schedule's encryption context"
SENDER = "the sender's identity"

Right = tuple[str, str]
"""(action, resource or, for KMS, through what)."""


def table(heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, as lists of cells."""
    below = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = below.split("\n|---", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def documented(run: Run) -> dict[str, set[Right]]:
    """Role (without `-role`) -> its rights by the table."""
    functions = [f.name for f in run.all(aws.FUNCTION)]
    found: dict[str, set[Right]] = defaultdict(set)
    there = {role.name.removesuffix("-role") for role in run.all(aws.ROLE)}
    for said, actions, resource, _ in table("Grants"):
        roles = said.removesuffix(" (prod)")
        if said != roles and roles not in there:
            continue
        every = roles == "every function"
        names = (
            [f.removesuffix("-function") for f in functions] if every else re.split(r", ", roles)
        )
        for name in names:
            found[name] |= set(_rights(actions, resource, functions))
    return found


def _rights(actions: str, resource: str, functions: list[str]) -> Iterator[Right]:
    plain = resource in {OWN_LOG, SENDER}
    named = [resource] if plain else re.findall(r"`([^`]+)`", resource)[:1]
    if named and named[0].startswith("*-function"):
        rest = named[0].removeprefix("*-function")
        named = [f"{function}{rest}" for function in functions]
    for part in actions.split(";"):
        through = re.search(r" via (.+)$", part)
        for action in re.findall(r"`([^`]+)`", part):
            yield from ((action, on) for on in ([through[1]] if through else named))


def granted(run: Run) -> dict[str, set[Right]]:
    """Role (without `-role`) -> its rights by the program."""
    stack = Stack(run.resources, name=run.stack)
    found: dict[str, set[Right]] = {}
    for role in run.all(aws.ROLE):
        group = f"sandpiper-{run.stack}-{role.name.removesuffix('-role')}"
        found[role.name.removesuffix("-role")] = {
            (action, on)
            for said in links.rights(stack, role)
            for action, arn in documents.pairs([said])
            for on in (
                [_through(said)] if action.startswith("kms:") else [_name(stack, arn, group)]
            )
        }
    return found


def _through(said: Statement) -> str:
    services = said.only_if("StringEquals", "kms:ViaService")
    return THROUGH[services[0].split(".")[0]] if services else SCHEDULE


def _name(stack: Stack, arn: str, group: str) -> str:
    """A resource by its name in the program, with the part of it that is meant."""
    owner = stack.at(arn.removesuffix("*"))
    if ":ses:" in arn:
        return SENDER
    if ":log-group:/aws/lambda/cwsyn-" in arn:
        return OWN_LOG
    if owner is None:
        socket = next(a for a in stack.all(aws.API) if a.get("protocolType") == "WEBSOCKET")
        said = arn.replace(socket.output("executionArn"), socket.name)
        return said.replace(f"/{stack.name}/", "/<stage>/")
    if owner.type == aws.LOG_GROUP:
        return OWN_LOG if str(owner.get("name")).endswith(f"/{group}") else owner.name
    rest = arn.removeprefix(owner.output("arn"))
    return owner.name + re.sub(r"^/stream/.+", "/stream", rest)


def test_every_right_of_every_role_stands_in_the_table(run: Run) -> None:
    assert documented(run) == granted(run)


def test_table_of_grants_names_every_function(dev: Run) -> None:
    rows = table("Grants")
    named = {name for roles, *_ in rows for name in roles.split(", ")}
    assert {f.name.removesuffix("-function") for f in dev.all(aws.FUNCTION)} <= named


def test_every_service_of_the_whole_program_has_its_defaults_written_down() -> None:
    types = {r.type for r in asked_for().resources if r.type.startswith("aws:")}
    assert {type_.split(":")[1].split("/")[0] for type_ in types} == set(ROWS)
    assert {row for row in ROWS.values() if row} <= {row for row, _ in table("Defaults")}


def test_what_is_left_out_is_what_the_suppressions_name() -> None:
    said = {
        (check, stack)
        for _, where, checks, _ in table("What is left out, and why")
        for check in checks.split(", ")
        for stack in (STACKS if where == "all" else where.split(", "))
    }
    assert said == {
        (s["check"], stack) for s in SUPPRESSIONS for stack in STACKS if fnmatch(stack, s["stack"])
    }
