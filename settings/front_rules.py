"""Rules over who signs in, and over the load balancer."""

from collections.abc import Iterator
from typing import Final

from settings.draft import Draft
from settings.mistakes import Mistake
from settings.text import refused

LEAST_SUBNETS: Final = 2
"""Subnets, in different zones, without which there is no load balancer."""

_DAY: Final = 24 * 60
"""Minutes."""


def refresh_tokens_outlive_the_others(draft: Draft) -> Iterator[Mistake]:
    """Cognito refuses a refresh token that is gone no later than what it shall renew."""
    identity = draft.identity
    for key in ("access_token_validity_minutes", "id_token_validity_minutes"):
        minutes, days = getattr(identity, key), identity.refresh_token_validity_days
        if minutes >= days * _DAY:
            what = f"must be longer than {key}, {minutes} minutes"
            path = ("identity", "refresh_token_validity_days")
            yield Mistake(path, refused(what, days), because=(("identity", key),))


def threats_are_watched_by_plus(draft: Draft) -> Iterator[Mistake]:
    """Cognito has threat protection in one plan only."""
    identity = draft.identity
    if identity.threat_protection != "OFF" and identity.user_pool_tier != "PLUS":
        what = f"must be OFF where user_pool_tier is {identity.user_pool_tier}: PLUS has it"
        path, because = ("identity", "threat_protection"), (("identity", "user_pool_tier"),)
        yield Mistake(path, refused(what, identity.threat_protection), because=because)


def load_balancer_has_its_parts(draft: Draft) -> Iterator[Mistake]:
    """A load balancer stands in two zones, behind security groups, and speaks TLS."""
    balancer = draft.load_balancer
    if not balancer.enabled:
        return
    because = (("load_balancer", "enabled"),)
    if len(balancer.subnet_ids) < LEAST_SUBNETS:
        what = f"must be {LEAST_SUBNETS} subnets or more, in different zones, where enabled is true"
        line = refused(what, len(balancer.subnet_ids))
        yield Mistake(("load_balancer", "subnet_ids"), line, because=because)
    if not balancer.security_group_ids:
        what = "must be 1 to 5 security groups where enabled is true"
        line = refused(what, len(balancer.security_group_ids))
        yield Mistake(("load_balancer", "security_group_ids"), line, because=because)
    if balancer.certificate_arn is None:
        what = "must be given where enabled is true: it answers HTTPS only"
        yield Mistake(("load_balancer", "certificate_arn"), what, because=because)


RULES: Final = (
    refresh_tokens_outlive_the_others,
    threats_are_watched_by_plus,
    load_balancer_has_its_parts,
)
