"""The data key: what is encrypted with it, and who may use it through which service."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from policies import aws, documents, links
from policies.documents import Statement
from policies.model import Registered, Stack, rule

KEY_USE: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:Scan",
            "dynamodb:GetRecords",
            "kinesis:GetRecords",
            "s3:GetObject",
            "s3:GetObjectVersion",
            "sqs:ReceiveMessage",
            "secretsmanager:GetSecretValue",
        ),
        frozenset({"kms:Decrypt"}),
    ),
    **dict.fromkeys(
        ("s3:PutObject", "kinesis:PutRecord", "kinesis:PutRecords"),
        frozenset({"kms:GenerateDataKey"}),
    ),
    "sqs:SendMessage": frozenset({"kms:GenerateDataKey", "kms:Decrypt"}),
    "sns:Publish": frozenset({"kms:GenerateDataKey", "kms:Decrypt"}),
    "secretsmanager:PutSecretValue": frozenset({"kms:GenerateDataKey", "kms:Decrypt"}),
}
"""What a caller must be allowed on the key of an encrypted resource besides the action itself (each service's guide to
customer managed keys). Actions that touch no content (ListBucket, DeleteObject, ListStreams ...) need nothing.
"""

_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]+", re.ASCII)


@dataclass(frozen=True)
class Use:
    """One action on one key through one service, as `kms:ViaService` spells it (`sqs.us-west-2.amazonaws.com`)."""

    action: str
    key: str
    through: str


@rule
def encrypted_things_can_be_used(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A right on an encrypted table, bucket, queue, topic or secret is worth nothing without the right on its key.

    Each policy brings its own: what waits for a trigger's policy must find all of the trigger's rights there.
    """
    for policy in stack.all(aws.ROLE_POLICY):
        for use in sorted(_needed(stack, policy) - _held(policy), key=str):
            yield policy, f"needs {use.action} on the data key through {use.through}"


@rule
def key_is_used_for_a_reason(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Every right on the key is narrowed to a service that the policy uses; the key opens everything else too."""
    for policy in stack.all(aws.ROLE_POLICY):
        for statement in documents.of(policy.get("policy")):
            uses = any(a.startswith("kms:") for a in statement.actions)
            if uses and statement.allows and len(_through(statement)) != 1:
                yield policy, "uses the data key without naming one service in kms:ViaService"
        for use in sorted(_held(policy) - _needed(stack, policy), key=str):
            through = use.through or "any service"
            yield policy, f"may {use.action} through {through}, which nothing it does needs"


@rule
def key_turns_and_lingers(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Rotated every year; deleted only after a wait, the longest one in production."""
    for key in stack.all(aws.KEY):
        if key.get("enableKeyRotation") is not True:
            yield key, "set enableKeyRotation"
        days = key.get("deletionWindowInDays")
        if not isinstance(days, int) or not 7 <= days <= 30 or (stack.production and days < 30):
            yield key, f"deletionWindowInDays is {days}; say 7 to 30, and 30 in production"


@rule
def variables_are_encrypted(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A function's environment is encrypted with a key of ours; a key without an environment differs for ever."""
    for function in stack.all(aws.FUNCTION):
        arn = str(function.get("kmsKeyArn") or "")
        found = _KEY_ARN.fullmatch(arn)
        near = found is not None and links.place_of(function).region in {found[1], ""}
        known = stack.at(arn, aws.KEY) is not None or (near and stack.at(arn) is None)
        if bool(links.environment(function)) != known or (arn and not known):
            yield (
                function,
                "set kmsKeyArn to the data key, or one given for it, if and only if there are environment variables",
            )


def _held(policy: Registered) -> set[Use]:
    return {
        Use(action, resource, through)
        for s in documents.of(policy.get("policy"))
        for action in s.actions
        if action.startswith("kms:")
        for resource in s.resources
        for through in _through(s) or ("",)
    }


def _through(statement: Statement) -> tuple[str, ...]:
    """The service that stands between role and key; for the scheduler, which asks KMS itself, the schedule's ARN."""
    return statement.only_if("StringEquals", "kms:ViaService") or statement.only_if(
        "ArnLike", "kms:EncryptionContext:aws:scheduler:schedule:arn"
    )


def _needed(stack: Stack, policy: Registered) -> set[Use]:
    needed: set[Use] = set()
    for statement in documents.of(policy.get("policy")):
        for action in statement.actions:
            for resource in statement.resources:
                owner = stack.at(resource.removesuffix("*"))
                key = key_of(stack, owner) if owner else None
                if key:
                    through = _service(key, action.split(":")[0])
                    needed |= {Use(use, key, through) for use in KEY_USE.get(action, ())}
    return needed | _schedule_needs(stack, policy)


def _schedule_needs(stack: Stack, policy: Registered) -> set[Use]:
    """The scheduler reads a schedule's own, encrypted payload with the schedule's role.

    Schedules that share a role may be named by one pattern, as long as it means none but them.
    """
    role = links.role_named(stack, policy.get("role"))
    arn = role.output("arn") if role else ""
    mine = [s for s in stack.all(aws.SCHEDULE) if arn and s.get("target.roleArn") == arn]
    others = [s.name for s in stack.all(aws.SCHEDULE) if s not in mine]
    held = {use.through for use in _held(policy)}
    needed: set[Use] = set()
    for schedule in mine:
        key = str(schedule.get("kmsKeyArn") or "")
        if key.count(":") < 5:
            continue
        _, partition, _, region, account, _ = key.split(":", 5)
        group = f"arn:{partition}:scheduler:{region}:{account}:schedule/default/"
        shared = (
            through
            for through in held
            if (len(mine) > 1 or links.warms(schedule))
            and fnmatchcase(f"{group}{schedule.name}-0", through)
            and not any(fnmatchcase(f"{group}{name}-0", through) for name in others)
        )
        needed.add(Use("kms:Decrypt", key, next(shared, f"{group}{schedule.name}-*")))
    return needed


def key_of(stack: Stack, resource: Registered) -> str:
    """The ARN of the key that encrypts a resource; empty where AWS's own key does."""
    if resource.type == aws.BUCKET:
        for encryption in stack.having(aws.BUCKET_ENCRYPTION, bucket=resource.output("bucket")):
            for written in encryption.get("rules") or []:
                default = written.get("applyServerSideEncryptionByDefault") or {}
                return str(default.get("kmsMasterKeyId") or "")
    path = {
        aws.TABLE: "serverSideEncryption.kmsKeyArn",
        aws.QUEUE: "kmsMasterKeyId",
        aws.TOPIC: "kmsMasterKeyId",
        aws.SECRET: "kmsKeyId",
        aws.DATA_STREAM: "kmsKeyId",
        aws.EVENT_BUS: "kmsKeyIdentifier",
        aws.LOG_GROUP: "kmsKeyId",
    }.get(resource.type, "")
    return str(resource.get(path) or "") if path else ""


def _service(key: str, service: str) -> str:
    """A service's regional name, its region read from the key's ARN."""
    parts = key.split(":")
    return f"{service}.{parts[3]}.amazonaws.com" if len(parts) > 3 else service


RULES = (
    encrypted_things_can_be_used,
    key_is_used_for_a_reason,
    key_turns_and_lingers,
    variables_are_encrypted,
)
