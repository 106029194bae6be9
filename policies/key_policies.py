"""What the data key's own policy says: of the account, of nobody by name, and of services that come by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from policies import alarms, aws, budgets, deliveries, documents, links
from policies.documents import Statement
from policies.encryption import key_of
from policies.model import Registered, Stack, rule

SAID = "aws:SourceAccount is what events.amazonaws.com says, and others are asked nothing"
BUS_USE = ("kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt")
"""What EventBridge calls on the key of a bus (EventBridge user guide, key policies)."""
MOST_KEY_POLICY = 32_768

LOG_ACTIONS = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt", "kms:GenerateDataKey", "kms:Describe")


@rule
def key_policy_admits_the_services(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Services that come as themselves are named; roles are not: a role that does not exist makes KMS refuse it."""
    for key in stack.all(aws.KEY):
        said = documents.of(key.get("policy"))
        if not any(_is_root(s) for s in said):
            yield (
                key,
                "its policy must give the account's root kms:*, or no IAM policy has any effect on it",
            )
        if len(str(key.get("policy") or "")) > MOST_KEY_POLICY:
            yield key, f"its policy is longer than {MOST_KEY_POLICY} characters"
        if any(s.resources != ("*",) for s in said):
            yield key, 'in its policy the resource is always "*", which means this key'
        if key.get("bypassPolicyLockoutSafetyCheck"):
            yield key, "bypassPolicyLockoutSafetyCheck may lock everybody out for good"
        if any(
            ":role/" in who or ":user/" in who for s in said for who in s.principals.get("AWS", ())
        ):
            yield key, "its policy names a role or user; let the role's own policy give the right"
        if _logs_with(stack, key) and not any(_admits_logs(s) for s in said):
            yield (
                key,
                "its policy must admit CloudWatch Logs for log groups of this account (encryption context)",
            )
        yield from _publishers(stack, key, said)


def _is_root(statement: Statement) -> bool:
    who = statement.principals.get("AWS", ())
    return (
        statement.allows
        and statement.actions == ("kms:*",)
        and all(w.endswith(":root") for w in who)
        and bool(who)
    )


def _logs_with(stack: Stack, key: Registered) -> bool:
    return any(g.get("kmsKeyId") == key.output("arn") for g in stack.all(aws.LOG_GROUP))


def _admits_logs(statement: Statement) -> bool:
    who = statement.principals.get("Service", ())
    groups = statement.only_if("ArnLike", "kms:EncryptionContext:aws:logs:arn")
    enough = all(any(a.startswith(wanted) for a in statement.actions) for wanted in LOG_ACTIONS)
    return (
        statement.allows
        and enough
        and len(who) == 1
        and who[0].startswith("logs.")
        and bool(groups)
        and all(":log-group:" in g for g in groups)
    )


def _publishers(
    stack: Stack, key: Registered, said: tuple[Statement, ...]
) -> Iterator[tuple[Registered, str]]:
    """Alarms and topics come as services; alarms carry the account, as AWS says."""
    topics = {
        t.output("arn") for t in stack.all(aws.TOPIC) if key_of(stack, t) == key.output("arn")
    }
    if any(topics & set(a.get("alarmActions") or ()) for a in alarms.every(stack)):
        alarming = [s for s in said if _admits_publisher(s, "cloudwatch.amazonaws.com")]
        if not any(s.only_if("StringEquals", "aws:SourceAccount") for s in alarming):
            yield (
                key,
                "its policy must admit cloudwatch.amazonaws.com of this account, or alarms stay silent",
            )
    for service in sorted(_delivering(stack, key)):
        admitting = [s for s in said if _admits_publisher(s, service)]
        if not admitting:
            yield (
                key,
                f"its policy must admit {service}, or what it delivers to encrypted queues vanishes",
            )
        elif not any(_comes_as_named(stack, s, service) for s in admitting):
            yield key, f"its policy asks of {service} what it does not always say; {SAID}"
    buses = [b for b in stack.all(aws.EVENT_BUS) if key_of(stack, b) == key.output("arn")]
    for action in BUS_USE if buses else ():
        if not any(_lets_buses(s, action) for s in said):
            yield key, f"its policy must let {deliveries.EVENTS} {action} for encrypted buses"


def _delivering(stack: Stack, key: Registered) -> set[str]:
    """Services that put something by themselves into a queue or topic that this key encrypts."""
    return {
        delivery.service
        for delivery in deliveries.deliveries(stack)
        if (owner := stack.at(delivery.arn)) and key_of(stack, owner) == key.output("arn")
    }


def _comes_as_named(stack: Stack, statement: Statement, service: str) -> bool:
    """Its conditions are those that the service meets: S3 and SNS are asked on the queue instead.

    EventBridge says the account, but not where it publishes to a topic.
    """
    publishes = any(links.service_of(t.get("arn")) == "sns" for t in stack.all(aws.EVENT_TARGET))
    if service != deliveries.EVENTS or publishes:
        return not statement.conditions
    asked = {(operator, key) for operator, keys in statement.conditions.items() for key in keys}
    return asked <= {("StringEquals", "aws:SourceAccount")}


def _lets_buses(statement: Statement, action: str) -> bool:
    given = {a.removesuffix("*") for a in statement.actions}
    services = statement.principals.get("Service", ())
    return statement.allows and deliveries.EVENTS in services and action in given


def _admits_publisher(statement: Statement, service: str) -> bool:
    return (
        statement.allows
        and service in statement.principals.get("Service", ())
        and "kms:Decrypt" in statement.actions
        and any(a in {"kms:GenerateDataKey", "kms:GenerateDataKey*"} for a in statement.actions)
    )


@rule
def key_policy_admits_budgets(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Whoever publishes to an encrypted topic uses its key."""
    told = {arn for budget in stack.all(aws.BUDGET) for arn in budgets.topics(budget)}
    keys = {key_of(stack, topic) for arn in told if (topic := stack.at(arn, aws.TOPIC))}
    for key in stack.all(aws.KEY):
        said = documents.of(key.get("policy"))
        admitted = any(_admits_publisher(s, budgets.SERVICE) for s in said)
        if key.output("arn") in keys and not admitted:
            yield key, f"its policy must admit {budgets.SERVICE}, or nobody hears of costs"


RULES = (key_policy_admits_the_services, key_policy_admits_budgets)
