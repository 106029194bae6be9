"""Caches that mix callers up, stand open or are missing, and method settings that name nothing."""

from __future__ import annotations

from typing import Any

from policies import aws
from policies.gateways import EXTENSION
from tests.support.breaking import Break, Mutation, edited, without
from tests.support.breaks.api import part
from tests.support.breaks.everything import more

OWN, CLOSED, THERE = (
    "cached-answers-are-the-callers-own",
    "cache-is-closed",
    "production-has-cache-and-certificate",
)
ITEMS = "api-get-items-method-settings"
KEYS = f"paths /items get {EXTENSION} cacheKeyParameters"


def kept(key: str, value: Any) -> Mutation:
    return more(edited(aws.METHOD_SETTINGS, ITEMS, {f"settings.{key}": value}))


# fmt: off
BREAKS = (
    Break(OWN, "without method.request.querystring.cursor", more(part(KEYS, ["method.request.querystring.limit", "method.request.header.Origin"]))),
    Break(OWN, "without method.request.header.Origin", more(part(KEYS, ["method.request.querystring.limit", "method.request.querystring.cursor"]))),
    Break(OWN, "without method.request.path.id", more(part(f"paths /items/{{id}} get {EXTENSION} cacheKeyParameters", None))),
    Break(OWN, "POST /items is cached; only GET", more(edited(aws.METHOD_SETTINGS, ITEMS, {"methodPath": "~1items/POST"}))),
    Break(OWN, "GET /health is cached without", more(edited(aws.METHOD_SETTINGS, "api-method-settings", {"settings.cacheTtlInSeconds": 60}))),
    Break(CLOSED, "cacheClusterSize must be", more(edited(aws.REST_STAGE, "api-stage", {"cacheClusterSize": "1"}))),
    Break(CLOSED, "has no cache cluster", more(edited(aws.REST_STAGE, "api-stage", {"cacheClusterEnabled": False}))),
    Break(CLOSED, "cacheTtlInSeconds is 3601", kept("cacheTtlInSeconds", 3601)),
    Break(CLOSED, "must say cachingEnabled", kept("cachingEnabled", None)),
    Break(CLOSED, "set cacheDataEncrypted", kept("cacheDataEncrypted", False)),
    Break(CLOSED, "any caller may empty", kept("requireAuthorizationForCacheControl", None)),
    Break(CLOSED, "HeaderStrategy must be", kept("unauthorizedCacheControlHeaderStrategy", None)),
    Break(THERE, "needs a cache cluster", edited(aws.REST_STAGE, "api-stage", {"cacheClusterEnabled": False}), stack="prod"),
    Break(THERE, "and a method that uses it", without(aws.METHOD_SETTINGS, ITEMS), stack="prod"),
    Break(THERE, "needs a client certificate", edited(aws.REST_STAGE, "api-stage", {"clientCertificateId": None}), stack="prod"),
    Break("method-settings-name-a-method", "methodPath items/GET is no method", more(edited(aws.METHOD_SETTINGS, ITEMS, {"methodPath": "items/GET"}))),
    Break("stage-is-throttled-and-measured", "throttlingBurstLimit", kept("throttlingBurstLimit", None)),
)
# fmt: on
