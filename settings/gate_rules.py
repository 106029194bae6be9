"""Rules over what stands at the gates of the APIs: routes, caching, quotas, source addresses, domains."""

import json
import re
from collections.abc import Iterator
from typing import Final

from settings import arns, route_names, wiring
from settings.api import STAGE_VARIABLE, STAGE_VARIABLES
from settings.draft import Draft
from settings.gates import DomainSettings
from settings.mistakes import Mistake, Path
from settings.text import is_credential, refused

LATEST_START: Final = {"DAY": 0, "WEEK": 6, "MONTH": 27}
"""Period of a quota -> greatest offset of its first day. Source: API Gateway API reference, QuotaSettings."""

POLICY_CHARACTERS: Final = 8192
"""Characters of a resource policy. Source: API Gateway quotas."""

RANGES_CHARACTERS: Final = 7168
"""Part of them for the ranges of addresses as JSON; the rest says what is done with them."""

COMMON_NAME: Final = 64
"""Characters of the name for which ACM makes a certificate. Source: ACM API reference, RequestCertificate."""

_BY_DOMAIN: Final = ("api", "http_api", "socket")


def routes_are_the_programs(draft: Draft) -> Iterator[Mistake]:
    """What is said of a route that does not exist would be forgotten."""
    for section in route_names.ROUTES:
        for route in getattr(draft, section).routes:
            if problem := route_names.wrong(section, route):
                yield Mistake((section, "routes", route), problem)


def caches_hold_answers_of_get(draft: Draft) -> Iterator[Mistake]:
    """A stage without a cache keeps nothing, and an answer to a change must not be given twice."""
    for name, route in draft.api.routes.items():
        path, ttl = ("api", "routes", name, "cache_ttl_in_seconds"), route.cache_ttl_in_seconds
        if ttl is None or name not in wiring.REST_ROUTES:
            continue
        if not name.startswith("GET "):
            yield Mistake(path, refused("must be left out: only answers to GET are kept", ttl))
        elif not draft.api.cache_cluster_enabled:
            what = "must be left out without a cache"
            line = refused(what, ttl, "set api.cache_cluster_enabled: true")
            yield Mistake(path, line, because=(("api", "cache_cluster_enabled"),))


def stage_variables_are_takable(draft: Draft) -> Iterator[Mistake]:
    """The gateway's own rules for names and values; whoever may read the stage reads them."""
    name_form, value_form = STAGE_VARIABLE
    for name, value in draft.api.variables.items():
        path = ("api", "variables", name)
        if not re.fullmatch(name_form, name):
            yield Mistake(path, "must be a name of 1 to 64 letters, digits and underscores")
        elif is_credential(value):
            what = "must not hold a credential; keep it in Secrets Manager and pass its ARN"
            yield Mistake(path, what)
        elif not re.fullmatch(value_form, value):
            what = "must be 1 to 512 letters, digits and characters of - . _ ~ : / ? # & = ,"
            yield Mistake(path, refused(what, value))
    if len(draft.api.variables) > STAGE_VARIABLES:
        what = f"must be at most {STAGE_VARIABLES} variables"
        yield Mistake(("api", "variables"), refused(what, len(draft.api.variables)))


def quota_starts_within_its_period(draft: Draft) -> Iterator[Mistake]:
    """AWS refuses an offset beyond the period."""
    plan = draft.api.usage_plan
    latest = LATEST_START[plan.quota_period]
    if plan.quota_offset > latest:
        limits = f"0 to {latest}" if latest else "0"
        what = f"must be {limits} days where quota_period is {plan.quota_period}"
        yield Mistake(("api", "usage_plan", "quota_offset"), refused(what, plan.quota_offset))


def source_ranges_fit_the_policy(draft: Draft) -> Iterator[Mistake]:
    """All ranges stand in the API's resource policy, which AWS limits."""
    size = len(json.dumps(draft.api.allow_source_ips))
    if size > RANGES_CHARACTERS:
        what = (
            f"must be at most {RANGES_CHARACTERS} characters as JSON: the API's resource policy may have "
            f"{POLICY_CHARACTERS}"
        )
        remedy = "name larger ranges, or use a firewall"
        yield Mistake(("api", "allow_source_ips"), refused(what, size, remedy))


def credentials_are_for_named_origins(draft: Draft) -> Iterator[Mistake]:
    """Cookies for nobody would be a switch that does nothing."""
    http = draft.http_api
    if http.cors_allow_credentials and not http.cors_allow_origins:
        what = "must be false without cors_allow_origins"
        because = (("http_api", "cors_allow_origins"),)
        path = ("http_api", "cors_allow_credentials")
        yield Mistake(path, refused(what, given=True), because=because)


def apis_stay_reachable(draft: Draft) -> Iterator[Mistake]:
    """An API that answers neither at its own name nor at AWS's answers nobody."""
    for section in _BY_DOMAIN:
        found = getattr(draft, section)
        if found.disable_execute_api_endpoint and found.domain is None:
            what = f"must be false without {section}.domain: nobody could reach the API"
            path = (section, "disable_execute_api_endpoint")
            yield Mistake(path, refused(what, given=True), because=((section, "domain"),))


def domains_can_be_shown_to_be_ours(draft: Draft) -> Iterator[Mistake]:
    """A domain needs a certificate: a given one, or a new one, for which ACM wants to find a record."""
    for section, domain in _domains(draft):
        path, made = (section, "domain"), domain.certificate_arn is None
        if made and domain.hosted_zone_id is None:
            what = "must name certificate_arn, hosted_zone_id or both: without a zone no certificate can be made"
            yield Mistake(path, what)
        elif made and len(domain.domain_name) > COMMON_NAME:
            what = f"must be 1 to {COMMON_NAME} characters without certificate_arn: ACM makes no other certificate"
            yield Mistake((*path, "domain_name"), refused(what, len(domain.domain_name)))


def domains_lead_to_one_api(draft: Draft) -> Iterator[Mistake]:
    """REST and HTTP APIs may share a domain by base path, a WebSocket API shares none; a domain is made once."""
    rest, http, socket = draft.api.domain, draft.http_api.domain, draft.socket.domain
    for section, other in (("api", rest), ("http_api", http)):
        if socket and other and socket.domain_name == other.domain_name:
            what = f"must be another name than {section}.domain has: a WebSocket API shares none"
            path, because = ("socket", "domain", "domain_name"), ((section, "domain"),)
            yield Mistake(path, refused(what, socket.domain_name), because=because)
    if rest and http and rest.domain_name == http.domain_name:
        yield from _shared(rest, http)


def _shared(rest: DomainSettings, http: DomainSettings) -> Iterator[Mistake]:
    path, because = ("http_api", "domain"), (("api", "domain"),)
    if rest.base_path == http.base_path:
        what = "must be another than api.domain.base_path, for both have one domain_name"
        yield Mistake((*path, "base_path"), refused(what, http.base_path), because=because)
    for key in ("certificate_arn", "hosted_zone_id"):
        if getattr(rest, key) != getattr(http, key):
            what = f"must be as in api.domain: a domain has one {key}"
            yield Mistake((*path, key), refused(what, getattr(http, key)), because=because)


def _domains(draft: Draft) -> Iterator[tuple[str, DomainSettings]]:
    for section in _BY_DOMAIN:
        domain: DomainSettings | None = getattr(draft, section).domain
        if domain is not None:
            yield section, domain


def certificates_are_in_the_stacks_region(draft: Draft) -> Iterator[Mistake]:
    """Regional APIs and load balancers take certificates of their own region only."""
    given: dict[Path, str | None] = {
        (section, "domain"): domain.certificate_arn for section, domain in _domains(draft)
    }
    given[("load_balancer",)] = draft.load_balancer.certificate_arn
    for path, text in given.items():
        found = arns.parsed(text or "")
        if found and draft.region and found.region != draft.region:
            what = f"must be in {draft.region}, the stack's region"
            where = (*path, "certificate_arn")
            yield Mistake(where, refused(what, found.region), because=(("aws:region",),))


RULES: Final = (
    routes_are_the_programs,
    caches_hold_answers_of_get,
    stage_variables_are_takable,
    quota_starts_within_its_period,
    source_ranges_fit_the_policy,
    credentials_are_for_named_origins,
    apis_stay_reachable,
    domains_can_be_shown_to_be_ours,
    domains_lead_to_one_api,
    certificates_are_in_the_stacks_region,
)
