"""Mail by SES: which function may send, as which sender, and that its environment names that sender."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies import aws, documents, links
from policies.documents import Statement
from policies.model import Registered, Stack, rule

SEND = frozenset({"ses:SendEmail", "ses:SendRawEmail"})
FROM, TOLD = "ses:FromAddress", "MAIL_FROM_ADDRESS"

_IDENTITY = re.compile(r"arn:aws[a-z-]*:ses:[a-z0-9-]+:\d{12}:identity/(\S+)", re.ASCII)
_CONFIGURATION = re.compile(
    r"arn:aws[a-z-]*:ses:[a-z0-9-]+:\d{12}:configuration-set/[\w-]+", re.ASCII
)


@rule
def mail_is_sent_as_one_sender(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Without the condition, whoever may use a domain may write as everybody in it."""
    for policy in stack.all(aws.ROLE_POLICY):
        for said in documents.of(policy.get("policy")):
            if said.allows and any(action.startswith("ses:") for action in said.actions):
                yield from ((policy, text) for text in _careless(said))


@rule
def sender_and_right_agree(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """The sender that a function is told of is the one that its role may write as."""
    for function in stack.all(aws.FUNCTION):
        if links.acts_in_a_foreign_role(stack, function):
            continue
        held = [s for s in links.rights(stack, links.role_of(stack, function)) if _sends(s)]
        allowed = {address for s in held for address in s.only_if("StringEquals", FROM)}
        told = links.environment(function).get(TOLD)
        if allowed != ({told} if told else set()):
            yield function, f"{TOLD} is {told}, and its role may write as {sorted(allowed)}"


@rule
def identity_is_sent_from(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """An account and region has an identity once: two stacks that make it take it from each other."""
    used = {
        arn.rsplit("identity/", 1)[-1]
        for role in stack.all(aws.ROLE)
        for said in links.rights(stack, role)
        if _sends(said)
        for arn in said.resources
    }
    for identity in stack.all(aws.EMAIL_IDENTITY):
        if identity.get("emailIdentity") not in used:
            yield identity, "nobody sends mail from it; let the account make it, or use it"


def identities(policy: Registered) -> set[tuple[str, str]]:
    """(action, resource) by which a policy sends mail from an identity that no stack owns."""
    return {
        (action, arn)
        for said in documents.of(policy.get("policy"))
        if _sends(said) and not list(_careless(said))
        for action in said.actions
        for arn in said.resources
    }


def _sends(said: Statement) -> bool:
    return said.allows and bool(set(said.actions) & SEND)


def _careless(said: Statement) -> Iterator[str]:
    if not set(said.actions) <= SEND:
        yield f"may {', '.join(said.actions)}; sending mail takes {' and '.join(sorted(SEND))} only"
    senders = said.only_if("StringEquals", FROM)
    if len(senders) != 1:
        yield f"may send mail as anybody; name the sender ({FROM})"
        return
    domain = senders[0].rpartition("@")[2]
    for arn in said.resources:
        found = _IDENTITY.fullmatch(arn)
        if not _CONFIGURATION.fullmatch(arn) and not (
            found and (found[1] == senders[0] or f".{domain}".endswith(f".{found[1]}"))
        ):
            yield f"may send mail through {arn}, which is no identity of {senders[0]}"


RULES = (mail_is_sent_as_one_sender, sender_and_right_agree, identity_is_sent_from)
