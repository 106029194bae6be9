"""What a role may be: one per function, trusted by one service, with exact actions on exact resources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from policies import (
    aws,
    canaries,
    chats,
    destinations,
    documents,
    links,
    log_subscriptions,
    mail,
    network,
    role_users,
    sockets,
    things,
    versions,
)
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
    "kinesis:ListStreams": "has no resource type; event source mappings call it",
    "rekognition:DetectLabels": "has no resource type: the picture comes with the call",
    **dict.fromkeys(network.INTERFACES, "Lambda asks before there is an interface to name"),
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

OTHER_DOCUMENTS = frozenset({aws.REPOSITORY_LIFECYCLE})
"""Types whose `policy` is none of IAM's."""

_ALLOWED_TEXT = re.compile(r"[\t\n\r\x20-\xff]*")
_SID = re.compile(r"[A-Za-z0-9]*")


@rule
def function_has_a_role_of_its_own(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A shared role gives each function what the others need; one from outside is somebody else's to judge."""
    users = Counter(str(f.get("role")) for f in stack.all(aws.FUNCTION))
    for function in stack.all(aws.FUNCTION):
        if links.acts_in_a_foreign_role(stack, function):
            continue
        if links.role_of(stack, function) is None:
            yield function, "its role is neither of this stack nor the ARN of one from outside"
        elif users[str(function.get("role"))] > 1:
            yield function, "shares its role with another function; give it one of its own"


@rule
def role_is_trusted_by_one_service(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Lambda for a function's role, API Gateway for a route's ...; the scheduler on behalf of this account only."""
    for role, service in role_users.users(stack):
        trust = documents.of(role.get("assumeRolePolicy"))
        if len(trust) != 1 or not trust[0].allows or trust[0].actions != ("sts:AssumeRole",):
            yield role, "its trust must be one Allow of sts:AssumeRole"
        elif not trust[0].is_for(service):
            yield role, f"must be trusted by {service} and nobody else"
        elif service == role_users.SCHEDULER:
            yield from _confused_deputy(role, trust[0], ":schedule-group/")
        elif service == things.SERVICE:
            yield from _confused_deputy(role, trust[0], ":rule/")


@rule
def role_is_used(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A role or policy without a user is a right without a reason."""
    used = {role.urn for role, _ in role_users.users(stack)}
    attached = {p.urn for role in stack.all(aws.ROLE) for p in links.policies_of(stack, role)}
    for role in stack.all(aws.ROLE):
        if role.urn not in used:
            yield role, "nothing of this stack uses it; remove it"
    for policy in stack.all(aws.ROLE_POLICY):
        if policy.urn not in attached:
            yield policy, "belongs to no role of this stack; remove it"


@rule
def role_has_inline_policies_only(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Managed policies give more than a function needs, and AWS widens them without notice."""
    for attachment in stack.all(
        aws.ROLE_POLICY_ATTACHMENT,
        aws.POLICY_ATTACHMENT,
    ):
        yield attachment, "attaches a managed policy; write the exact actions into a RolePolicy"
    for role in stack.all(aws.ROLE):
        if role.get("managedPolicyArns") or role.get("inlinePolicies"):
            yield role, "managedPolicyArns and inlinePolicies are deprecated; use RolePolicy"


@rule
def function_writes_its_own_log(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Exactly two actions on exactly one group. With CreateLogGroup, a late invocation brings a deleted group back."""
    for function in stack.all(aws.FUNCTION):
        group = stack.answering("name", str(function.get("loggingConfig.logGroup")), aws.LOG_GROUP)
        held = links.rights(stack, links.role_of(stack, function))
        given = documents.pairs(held, service="logs")
        if group is None:
            yield function, "names no log group of this stack in loggingConfig"
        elif links.acts_in_a_foreign_role(stack, function):
            continue
        elif given != {(action, f"{group.output('arn')}:*") for action in LOGS}:
            yield function, f"must hold exactly {', '.join(sorted(LOGS))} on {group.name}"


@rule
def function_may_trace_when_it_traces(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Lambda refuses an actively tracing function whose role may not write segments."""
    for function in stack.all(aws.FUNCTION):
        if links.acts_in_a_foreign_role(stack, function):
            continue
        held = links.rights(stack, links.role_of(stack, function))
        given = {action for action, _ in documents.pairs(held, service="xray")}
        if given != (XRAY if function.get("tracingConfig.mode") == "Active" else set()):
            yield (
                function,
                f"must hold {', '.join(sorted(XRAY))} if tracing is Active, else no X-Ray action",
            )


@rule
def gateway_may_write_its_logs(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """API Gateway tries the account's role when it is told of it, and refuses one that may do less."""
    for account in stack.all(aws.ACCOUNT):
        held = links.rights(stack, stack.at(str(account.get("cloudwatchRoleArn")), aws.ROLE))
        if documents.pairs(held) != {(action, "*") for action in ACCOUNT_LOG_ACTIONS}:
            yield account, f'its role must hold {", ".join(sorted(ACCOUNT_LOG_ACTIONS))} on "*"'


@rule
def rights_are_exact(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """No wildcard in an action; "*" as a resource only where AWS knows nothing narrower; only resources of this stack.

    What a stack file names outside of it, a destination or a file system, may be reached in exactly that way.
    """
    for policy in stack.all(aws.ROLE_POLICY):
        role = links.role_named(stack, policy.get("role"))
        known = _known_from_outside(stack, role) | mail.identities(policy)
        users = [f for f in stack.all(aws.FUNCTION) if role and links.role_of(stack, f) is role]
        for statement in documents.of(policy.get("policy")):
            if not statement.allows:
                if not any(network.keeps_code_out(statement, user) for user in users):
                    yield policy, f"has effect '{statement.effect}' on more than network rights"
            elif not (set(statement.actions) <= network.FILES and network.access_point(statement)):
                yield from ((policy, text) for text in _inexact(stack, statement, known))


@rule
def policy_is_well_formed(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """IAM takes tab, line ends and U+0020 to U+00FF, Sids of letters and digits, and limited sizes."""
    for resource, text in _documents(stack):
        yield from ((resource, problem) for problem in _malformed(text))
    for role in stack.all(aws.ROLE):
        if documents.size(str(role.get("assumeRolePolicy"))) > TRUST_SIZE:
            yield role, f"its trust policy is longer than {TRUST_SIZE} characters"
        inline = (documents.size(str(p.get("policy"))) for p in links.policies_of(stack, role))
        if sum(inline) > INLINE_SIZE:
            yield role, f"its inline policies are longer than {INLINE_SIZE} characters together"


def _malformed(text: str) -> Iterator[str]:
    statements = documents.statements(text)
    if not statements:
        yield "its policy document is not JSON with statements"
    if not _ALLOWED_TEXT.fullmatch(text):
        yield "its policy document has a character that IAM refuses"
    if not all(_SID.fullmatch(s.sid) for s in statements):
        yield "a Sid may hold letters and digits only"
    if not all(s.actions for s in statements):
        yield "a statement names no Action; NotAction would mean all others"


def _confused_deputy(
    role: Registered, trust: Statement, kind: str
) -> Iterator[tuple[Registered, str]]:
    account = trust.only_if("StringEquals", "aws:SourceAccount")
    sources = {s for o in ("StringEquals", "ArnEquals") for s in trust.only_if(o, "aws:SourceArn")}
    if len(account) != 1 or not account[0].isdigit():
        yield role, "its trust must name this account in aws:SourceAccount"
    # The schedule's group, not the schedule: that is what the scheduler sends.
    if len(sources) != 1 or not all(kind in s and "*" not in s for s in sources):
        what = "schedule group" if kind == ":schedule-group/" else "rule"
        yield role, f"its trust must name the {what} in aws:SourceArn"


def _known_from_outside(stack: Stack, role: Registered | None) -> set[tuple[str, str]]:
    """(action, resource) that a role may hold on what is not of this stack."""
    known = set(destinations.delivered_as(stack, role)) | sockets.connections(stack)
    known |= canaries.granted(stack, role) | log_subscriptions.granted(stack, role)
    known |= chats.granted(stack, role)
    arn = role.output("arn") if role else ""
    if arn and stack.having(aws.ACCOUNT, cloudwatchRoleArn=arn):
        known |= {(action, "*") for action in ACCOUNT_LOG_ACTIONS}
    return known


def _inexact(stack: Stack, statement: Statement, known: set[tuple[str, str]]) -> Iterator[str]:
    for action in statement.actions:
        if "*" in action or ":" not in action:
            yield f"allows '{action}'; name each action"
        for resource in statement.resources:
            if (action, resource) in known:
                continue
            if resource == "*":
                if action not in ON_EVERYTHING:
                    yield f'allows {action} on "*"; name the resource'
            elif not _is_part_of_a_resource(stack, action, resource):
                yield f"allows {action} on {resource}; name a resource of this stack"


def _is_part_of_a_resource(stack: Stack, action: str, arn: str) -> bool:
    """A resource of the stack, a part of it, all objects under a prefix, all streams of a log group, a function's versions."""
    owner = stack.at(arn.removesuffix("*"))
    if owner is None:
        return False
    rest = arn.removeprefix(owner.output("arn"))
    if "*" not in rest:
        return rest[:1] in {"", "/", ":"}
    if owner.type == aws.FUNCTION:
        return rest == ":*" and action == versions.DELETE
    return (
        rest[:1] in {"/", ":"}
        and rest.find("*") == len(rest) - 1
        and owner.type in {aws.BUCKET, aws.LOG_GROUP}
    )


def _documents(stack: Stack) -> Iterator[tuple[Registered, str]]:
    for role in stack.all(aws.ROLE):
        yield role, str(role.get("assumeRolePolicy"))
    for resource in stack.resources:
        if resource.type in OTHER_DOCUMENTS or not resource.type.startswith("aws:"):
            continue
        if isinstance(text := resource.get("policy"), str):
            yield resource, text


RULES = (
    function_has_a_role_of_its_own,
    role_is_trusted_by_one_service,
    role_is_used,
    role_has_inline_policies_only,
    function_writes_its_own_log,
    function_may_trace_when_it_traces,
    gateway_may_write_its_logs,
    rights_are_exact,
    policy_is_well_formed,
)
