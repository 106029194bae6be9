"""The cache of a REST stage: whose answer it gives to whom, who may empty it, and that production has one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies import aws, gateways, links
from policies.model import Registered, Stack, rule

SIZES = frozenset({"0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"})
"""Gigabytes of a cache cluster, as text (CreateStage)."""
LONGEST_SECONDS = 3600
STRATEGIES = frozenset(
    {"FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER", "SUCCEED_WITHOUT_RESPONSE_HEADER"}
)
ORIGINS = "CORS_ALLOW_ORIGINS"
"""The variable by which a function knows the origins it answers; its answers then depend on the caller's Origin."""

_PLACES = {"path": "path", "query": "querystring", "header": "header"}


@rule
def cached_answers_are_the_callers_own(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Whatever an answer depends on is part of the cache's key, or one caller gets what another one asked for.

    Only GET is cached; whether an authorizer lets the caller in is asked before the cache is.
    """
    for api in stack.all(aws.REST_API):
        cached = {
            path
            for stage in gateways.rest_stages(stack, api)
            for path in _cached(stack, stage, api)
        }
        for endpoint, operation in gateways.operations(api):
            if endpoint not in cached:
                continue
            if not endpoint.startswith("GET "):
                yield api, f"{endpoint} is cached; only GET may be"
            keys = set(operation.get(gateways.EXTENSION, {}).get("cacheKeyParameters") or ())
            for needed in sorted(_depends_on(stack, operation) - keys):
                yield api, f"{endpoint} is cached without {needed} in cacheKeyParameters"


@rule
def cache_is_closed(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Encrypted, emptied only by those who may, in a cluster of a size that there is; without a cluster nothing is kept."""
    for stage in stack.all(aws.REST_STAGE):
        on = stage.get("cacheClusterEnabled") is True
        if on and stage.get("cacheClusterSize") not in SIZES:
            yield stage, f"cacheClusterSize must be one of {', '.join(sorted(SIZES, key=float))}"
        for settings in gateways.method_settings(stack, stage):
            written = settings.get("settings") or {}
            if not on and written.get("cachingEnabled"):
                yield settings, "caches in a stage that has no cache cluster"
            if on:
                yield from ((settings, text) for text in _open(written))


@rule
def production_has_cache_and_certificate(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """In production answers that may be kept are kept, and the gateway can prove itself to a backend."""
    if not stack.production:
        return
    for api in stack.all(aws.REST_API):
        for stage in gateways.rest_stages(stack, api):
            if stage.get("cacheClusterEnabled") is not True or not _cached(stack, stage, api):
                yield stage, "needs a cache cluster in production, and a method that uses it"
            certificate = str(stage.get("clientCertificateId"))
            if stack.answering("id", certificate, aws.CLIENT_CERTIFICATE) is None:
                yield stage, "needs a client certificate of this stack in production"


def _open(written: dict[str, Any]) -> Iterator[str]:
    seconds = written.get("cacheTtlInSeconds")
    if not isinstance(seconds, int) or not 0 <= seconds <= LONGEST_SECONDS:
        yield f"cacheTtlInSeconds is {seconds}; say 0 to {LONGEST_SECONDS}"
    if not isinstance(written.get("cachingEnabled"), bool):
        yield "must say cachingEnabled"
    if written.get("cacheDataEncrypted") is not True:
        yield "set cacheDataEncrypted"
    if written.get("requireAuthorizationForCacheControl") is not True:
        yield "set requireAuthorizationForCacheControl, or any caller may empty the cache"
    if written.get("unauthorizedCacheControlHeaderStrategy") not in STRATEGIES:
        yield f"unauthorizedCacheControlHeaderStrategy must be one of {', '.join(sorted(STRATEGIES))}"


def _cached(stack: Stack, stage: Registered, api: Registered) -> set[str]:
    """The endpoints whose answers a stage keeps: by settings of their own, or as any GET."""
    if stage.get("cacheClusterEnabled") is not True:
        return set()
    kept = {
        str(s.get("methodPath")): bool(
            s.get("settings.cachingEnabled") and s.get("settings.cacheTtlInSeconds")
        )
        for s in gateways.method_settings(stack, stage)
    }
    found = set[str]()
    for endpoint, _ in gateways.operations(api):
        by_default = kept.get("*/*", False) and endpoint.startswith("GET ")
        if kept.get(gateways.method_path(endpoint), by_default):
            found.add(endpoint)
    return found


def _depends_on(stack: Stack, operation: dict[str, Any]) -> set[str]:
    """What an answer depends on: the method's parameters, and Origin where the function answers browsers."""
    needed = {
        f"method.request.{_PLACES[parameter['in']]}.{parameter['name']}"
        for parameter in operation.get("parameters", [])
        if parameter.get("in") in _PLACES
    }
    uri = operation.get(gateways.EXTENSION, {}).get("uri")
    called = links.invoked(stack, gateways.arn_in_uri(uri))
    if called is not None and links.environment(called.function).get(ORIGINS):
        needed.add("method.request.header.Origin")
    return needed


RULES = (
    cached_answers_are_the_callers_own,
    cache_is_closed,
    production_has_cache_and_certificate,
)
