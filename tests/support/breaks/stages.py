"""Stages of HTTP and WebSocket APIs that are silent, unlimited, stale or early."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies import aws
from tests.support.breaking import (
    Break,
    Mutation,
    edited,
    not_waiting,
    registered,
    without,
)
from tests.support.breaks.everything import more

LOGGED = "api-stage-writes-an-access-log"
LIMITED = "api-stage-limits-and-counts"
ONE_WAY = "api-stage-is-deployed-one-way"
HELD = "api-deployment-holds-every-route"
DECLARED = "socket-execution-log-is-declared"
SAID = "stage-variables-can-be-said"


def http(changes: Mapping[str, Any]) -> Mutation:
    return edited(aws.STAGE, "http-stage", changes)


def socket(changes: Mapping[str, Any]) -> Mutation:
    return edited(aws.STAGE, "socket-stage", changes)


# fmt: off
BREAKS = (
    Break(LOGGED, "needs an access log", http({"accessLogSettings": None})),
    Break(LOGGED, "encrypted log group", edited(aws.LOG_GROUP, "socket-access-logs", {"kmsKeyId": None})),
    Break(LOGGED, "must begin with /aws/vendedlogs/", edited(aws.LOG_GROUP, "http-access-logs", {"name": "/aws/http/access"})),
    Break(LOGGED, "one line of JSON", http({"accessLogSettings.format": "$context.requestId $context.status"})),
    Break(LOGGED, "one line of JSON", socket({"accessLogSettings.format": '{"ip": "$context.identity.sourceIp"}'})),
    Break(LIMITED, "throttlingRateLimit must be", http({"defaultRouteSettings.throttlingRateLimit": None})),
    Break(LIMITED, "throttlingBurstLimit must be", socket({"defaultRouteSettings.throttlingBurstLimit": 0})),
    Break(LIMITED, "throttlingRateLimit must be", http({"defaultRouteSettings": None})),
    Break(LIMITED, "set detailedMetricsEnabled", http({"defaultRouteSettings.detailedMetricsEnabled": False})),
    Break(LIMITED, "set dataTraceEnabled to false", socket({"defaultRouteSettings.dataTraceEnabled": True})),
    Break(LIMITED, "loggingLevel must be", socket({"defaultRouteSettings.loggingLevel": "OFF"})),
    Break(LIMITED, "AWS refuses them here", http({"defaultRouteSettings.loggingLevel": "ERROR"})),
    Break(LIMITED, "route POST /users: throttlingBurstLimit", more(http({"routeSettings.0.throttlingBurstLimit": None}))),
    Break(LIMITED, "which is no route of its API", more(http({"routeSettings.0.routeKey": "POST /gone"}))),
    Break(LIMITED, "must wait for http-post-users-route", more(not_waiting(aws.STAGE, "http-stage", "http-post-users-route"))),
    Break(ONE_WAY, "one of the two", http({"autoDeploy": None})),
    Break(ONE_WAY, "one of the two", socket({"autoDeploy": True})),
    Break(ONE_WAY, "one of the two", socket({"deploymentId": "somebodys"})),
    Break(ONE_WAY, "a deployment of another API", edited(aws.DEPLOYMENT, "socket-deployment", {"apiId": "sandpiper-dev-http"})),
    Break(HELD, "SHA-256", edited(aws.DEPLOYMENT, "socket-deployment", {"triggers": None})),
    Break(HELD, "SHA-256", edited(aws.DEPLOYMENT, "socket-deployment", {"triggers": {"version": "1"}})),
    Break(HELD, "must wait for socket-disconnect-route", not_waiting(aws.DEPLOYMENT, "socket-deployment", "socket-disconnect-route")),
    Break(HELD, "must wait for late", registered(aws.ROUTE, "late", apiId="sandpiper-dev-socket", routeKey="late")),
    Break(DECLARED, "itself; declare it", without(aws.LOG_GROUP, "socket-execution-logs")),
    Break(DECLARED, "must wait for socket-execution-logs", not_waiting(aws.STAGE, "socket-stage", "socket-execution-logs")),
    Break(SAID, "variable 're-lease' has", more(edited(aws.REST_STAGE, "api-stage", {"variables": {"re-lease": "1"}}))),
    Break(SAID, "variable 'release' has", socket({"stageVariables": {"release": '{"a": 1}'}})),
    Break(DECLARED, "must wait for foreign", registered(aws.ACCOUNT, "foreign")),
)
# fmt: on
