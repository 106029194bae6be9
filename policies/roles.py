"""What a role may be: one per function, trusted by one service, with exact actions on exact resources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from policies import documents, links
from policies.documents import Statement
from policies.model import Registered, Stack, rule

INLINE_SIZE = 10_240
"""Characters of all inline policies of a role together, white space not counted (IAM quotas)."""
TRUST_SIZE = 2_048
"""Characters of a trust policy (IAM quotas)."""

XRAY = frozenset({"xray:PutTraceSegments", "xray:PutTelemetryRecords"})
LOGS = frozenset({"logs:CreateLogStream", "logs:PutLogEvents"})

ON_EVERYTHING = {
    "xray:PutTraceSegments": "X-Ray has no resource types",
    "xray:PutTelemetryRecords": "X-Ray has no resource types",
    "dynamodb:ListStreams": "has no resource type; event source mappings call it",
}
"""Actions that may have the resource "*", and why."""

# API Gateway's account-level role serves every API of the account and region; AWS refuses a narrower one.
ACCOUNT_LOG_ACTIONS = frozenset(
    f"logs:{verb}"
    for verb in (
        "CreateLogGroup",
        "CreateLogStream",
        "DescribeLogGroups",
        "DescribeLogStreams",
        "PutLogEvents",
        "GetLogEvents",
        "FilterLogEvents",
    )
)

_ALLOWED_TEXT = re.compile(r"[\t\n\r\x20-\xff]*")
_SID = re.compile(r"[A-Za-z0-9]*")


@rule
def function_has_a_role_of_its_own(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A shared role gives each function what the others need."""
    users = Counter(str(f.get("role")) for f in stack.all(links.FUNCTION))
    for function in stack.all(links.FUNCTION):
        if links.role_of(stack, function) is None:
            yield function, "its role is not of this stack; give it one of its own"
        elif users[str(function.get("role"))] > 1:
            yield function, "shares its role with another function; give it one of its own"


@rule
def role_is_trusted_by_one_service(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Lambda for a function's role, the scheduler for a schedule's, on behalf of this account only."""
    for role, service in _users(stack):
        trust = documents.of(role.get("assumeRolePolicy"))
        if len(trust) != 1 or not trust[0].allows or trust[0].actions != ("sts:AssumeRole",):
            yield role, "its trust must be one Allow of sts:AssumeRole"
        elif not trust[0].is_for(service):
            yield role, f"must be trusted by {service} and nobody else"
        elif service == "scheduler.amazonaws.com":
            yield from _confused_deputy(role, trust[0])


@rule
def role_is_used(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A role or policy without a user is a right without a reason."""
    used = {role.urn for role, _ in _users(stack)}
    attached = {p.urn for role in stack.all(links.ROLE) for p in links.policies_of(stack, role)}
    for role in stack.all(links.ROLE):
        if role.urn not in used:
            yield role, "nothing of this stack uses it; remove it"
    for policy in stack.all(links.ROLE_POLICY):
        if policy.urn not in attached:
            yield policy, "belongs to no role of this stack; remove it"


@rule
def role_has_inline_policies_only(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Managed policies give more than a function needs, and AWS widens them without notice."""
    for attachment in stack.all(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:iam/policyAttachment:PolicyAttachment",
    ):
        yield attachment, "attaches a managed policy; write the exact actions into a RolePolicy"
    for role in stack.all(links.ROLE):
        if role.get("managedPolicyArns") or role.get("inlinePolicies"):
            yield role, "managedPolicyArns and inlinePolicies are deprecated; use RolePolicy"


@rule
def function_writes_its_own_log(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Exactly two actions on exactly one group. With CreateLogGroup, a late invocation brings a deleted group back."""
    for function in stack.all(links.FUNCTION):
        group = stack.answering(
            "name", str(function.get("loggingConfig.logGroup")), links.LOG_GROUP
        )
        held = links.rights(stack, links.role_of(stack, function))
        given = {
            (a, r) for s in held for a in s.actions for r in s.resources if a.startswith("logs:")
        }
        if group is None:
            yield function, "names no log group of this stack in loggingConfig"
        elif given != {(action, f"{group.output('arn')}:*") for action in LOGS}:
            yield function, f"must hold exactly {', '.join(sorted(LOGS))} on {group.name}"


@rule
def function_may_trace_when_it_traces(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Lambda refuses an actively tracing function whose role may not write segments."""
    for function in stack.all(links.FUNCTION):
        held = links.rights(stack, links.role_of(stack, function))
        given = {a for s in held for a in s.actions if a.startswith("xray:")}
        if given != (XRAY if function.get("tracingConfig.mode") == "Active" else set()):
            yield (
                function,
                f"must hold {', '.join(sorted(XRAY))} if tracing is Active, else no X-Ray action",
            )


@rule
def rights_are_exact(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """No wildcard in an action; "*" as a resource only where AWS knows nothing narrower; only resources of this stack."""
    broad = _account_log_roles(stack)
    for policy in stack.all(links.ROLE_POLICY):
        for statement in documents.of(policy.get("policy")):
            if not statement.allows:
                yield policy, f"has a statement with effect '{statement.effect}'; grants only allow"
            for action in statement.actions:
                yield from _inexact(
                    stack, policy, statement, action, exempt=policy.get("role") in broad
                )


@rule
def policy_is_well_formed(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """IAM takes tab, line ends and U+0020 to U+00FF, Sids of letters and digits, and limited sizes."""
    for resource, text in _documents(stack):
        if not documents.statements(text):
            yield resource, "its policy document is not JSON with statements"
        if not _ALLOWED_TEXT.fullmatch(text):
            yield resource, "its policy document has a character that IAM refuses"
        if not all(_SID.fullmatch(s.sid) for s in documents.statements(text)):
            yield resource, "a Sid may hold letters and digits only"
    for role in stack.all(links.ROLE):
        if documents.size(str(role.get("assumeRolePolicy"))) > TRUST_SIZE:
            yield role, f"its trust policy is longer than {TRUST_SIZE} characters"
        if (
            sum(documents.size(str(p.get("policy"))) for p in links.policies_of(stack, role))
            > INLINE_SIZE
        ):
            yield role, f"its inline policies are longer than {INLINE_SIZE} characters together"


def _users(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """(role, the service that must be able to assume it) for everything that uses a role."""
    for function in stack.all(links.FUNCTION):
        yield from _used(stack, function.get("role"), "lambda.amazonaws.com")
    for schedule in stack.all(links.SCHEDULE):
        yield from _used(stack, schedule.get("target.roleArn"), "scheduler.amazonaws.com")
    for account in stack.all(links.ACCOUNT):
        yield from _used(stack, account.get("cloudwatchRoleArn"), "apigateway.amazonaws.com")


def _used(stack: Stack, arn: object, service: str) -> Iterator[tuple[Registered, str]]:
    role = stack.at(str(arn), links.ROLE)
    if role is not None:
        yield role, service


def _confused_deputy(role: Registered, trust: Statement) -> Iterator[tuple[Registered, str]]:
    account = trust.only_if("StringEquals", "aws:SourceAccount")
    groups = trust.only_if("StringEquals", "aws:SourceArn")
    if len(account) != 1 or not account[0].isdigit():
        yield role, "its trust must name this account in aws:SourceAccount"
    # The schedule's group, not the schedule: that is what the scheduler sends.
    if len(groups) != 1 or ":schedule-group/" not in groups[0] or "*" in groups[0]:
        yield role, "its trust must name the schedule group in aws:SourceArn"


def _account_log_roles(stack: Stack) -> set[str]:
    arns = [str(a.get("cloudwatchRoleArn")) for a in stack.all(links.ACCOUNT)]
    roles = [role for arn in arns if (role := stack.at(arn, links.ROLE))]
    return {name for role in roles for name in (role.output("name"), role.output("id"))}


def _inexact(
    stack: Stack, policy: Registered, statement: Statement, action: str, *, exempt: bool
) -> Iterator[tuple[Registered, str]]:
    if "*" in action or ":" not in action:
        yield policy, f"allows '{action}'; name each action"
    if exempt and action in ACCOUNT_LOG_ACTIONS:
        return
    for resource in statement.resources:
        if resource == "*":
            if action not in ON_EVERYTHING:
                yield policy, f'allows {action} on "*"; name the resource'
        elif not _is_part_of_a_resource(stack, resource):
            yield policy, f"allows {action} on {resource}; name a resource of this stack"


def _is_part_of_a_resource(stack: Stack, arn: str) -> bool:
    """A resource of the stack, a part of it, or all objects under a prefix, all streams of a log group."""
    owner = stack.at(arn.removesuffix("*"))
    if owner is None:
        return False
    rest = arn.removeprefix(owner.output("arn"))
    many = "*" in rest
    return rest[:1] in {"", "/", ":"} and (
        not many
        or (rest.find("*") == len(rest) - 1 and owner.type in {links.BUCKET, links.LOG_GROUP})
    )


def _documents(stack: Stack) -> Iterator[tuple[Registered, str]]:
    for role in stack.all(links.ROLE):
        yield role, str(role.get("assumeRolePolicy"))
    for resource in stack.resources:
        if isinstance(text := resource.get("policy"), str) and resource.type.startswith("aws:"):
            yield resource, text


RULES = (
    function_has_a_role_of_its_own,
    role_is_trusted_by_one_service,
    role_is_used,
    role_has_inline_policies_only,
    function_writes_its_own_log,
    function_may_trace_when_it_traces,
    rights_are_exact,
    policy_is_well_formed,
)
