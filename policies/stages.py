"""Stages of HTTP and WebSocket APIs: logged, limited, counted, and deployed in one way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies import aws, documents, gateways
from policies.encryption import key_of
from policies.model import Registered, Stack, rule

VENDED = "/aws/vendedlogs/"
"""Where log groups begin that AWS's log delivery may write without a line for each in a policy of 5,120 characters."""

_VARIABLE = re.compile(r"\w+", re.ASCII)
_VALUE = re.compile(r"[A-Za-z0-9._~:/?#&=,-]+")
_HASH = re.compile(r"[0-9a-f]{64}")


@rule
def api_stage_writes_an_access_log(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """One line of JSON per request in an encrypted group of ours."""
    for stage in stack.all(aws.STAGE):
        group = stack.at(str(stage.get("accessLogSettings.destinationArn")), aws.LOG_GROUP)
        if group is None or not key_of(stack, group):
            yield stage, "needs an access log in an encrypted log group of this stack"
        elif not str(group.get("name")).startswith(VENDED):
            yield group, f"its name must begin with {VENDED}: log delivery writes there"
        line = str(stage.get("accessLogSettings.format") or "")
        if "\n" in line or "$context.requestId" not in line or documents.json_object(line) is None:
            yield stage, "the access log's format must be one line of JSON with $context.requestId"


@rule
def api_stage_limits_and_counts(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Limits that are left out are 0 for AWS: every call is 429. A route with settings of its own inherits nothing."""
    for stage in stack.all(aws.STAGE):
        api = gateways.api_of(stack, stage)
        socket = api is not None and api.get("protocolType") == gateways.SOCKET
        own = {str(s.get("routeKey")): s for s in stage.get("routeSettings") or []}
        for key, written in {"": stage.get("defaultRouteSettings") or {}, **own}.items():
            where = f"route {key}: " if key else ""
            yield from ((stage, where + text) for text in _unlimited(written, socket=socket))
        yield from _of_its_routes(stack, stage, own)


@rule
def api_stage_is_deployed_one_way(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """By itself with each change, or with a deployment that follows the routes: with both, the last one wins."""
    for stage in stack.all(aws.STAGE):
        deployment = stack.answering("id", str(stage.get("deploymentId")), aws.DEPLOYMENT)
        if (stage.get("autoDeploy") is True) == (deployment is not None):
            yield stage, "needs autoDeploy or a deployment of this stack, one of the two"
        if deployment is not None and deployment.get("apiId") != stage.get("apiId"):
            yield stage, f"serves {deployment.name}, a deployment of another API"


@rule
def api_deployment_holds_every_route(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A deployment is a copy of what is there when it is made: it waits for all of it, and changes with it."""
    for deployment in stack.all(aws.DEPLOYMENT):
        digests = (deployment.get("triggers") or {}).values()
        if not any(_HASH.fullmatch(str(digest)) for digest in digests):
            yield deployment, "triggers must hold the SHA-256 of what it deploys"
        for type_ in (aws.ROUTE, aws.INTEGRATION):
            parts = stack.having(type_, apiId=deployment.get("apiId"))
            yield from stack.not_awaited(deployment, parts)


@rule
def socket_execution_log_is_declared(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """API Gateway makes the group itself with the first frame, without retention; and needs the account's role to log."""
    for api in gateways.apis(stack, gateways.SOCKET):
        for stage in gateways.parts(stack, api, aws.STAGE):
            if stage.get("defaultRouteSettings.loggingLevel") not in {"ERROR", "INFO"}:
                continue
            wanted = f"/aws/apigateway/{api.output('id')}/{stage.get('name')}"
            groups = stack.having(aws.LOG_GROUP, name=wanted)
            if not groups:
                yield stage, f"API Gateway will make the log group {wanted} itself; declare it"
            yield from stack.not_awaited(stage, [*groups, *stack.all(aws.ACCOUNT)])


@rule
def stage_variables_can_be_said(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Names of letters, digits and underscores; values that could stand in an address (CreateStage)."""
    for stage in stack.all(aws.REST_STAGE, aws.STAGE):
        written = stage.get("variables") or stage.get("stageVariables") or {}
        for name, value in written.items():
            if not _VARIABLE.fullmatch(name) or not _VALUE.fullmatch(str(value)):
                yield stage, f"variable '{name}' has a name or a value that AWS refuses"


def _unlimited(written: Mapping[str, Any], *, socket: bool) -> Iterator[str]:
    for limit in ("throttlingRateLimit", "throttlingBurstLimit"):
        if not (written.get(limit) or 0) > 0:
            yield f"{limit} must be a number above 0"
    if written.get("detailedMetricsEnabled") is not True:
        yield "set detailedMetricsEnabled"
    if socket:
        if written.get("dataTraceEnabled") is not False:
            yield "set dataTraceEnabled to false: it would log frames and tokens"
        if written.get("loggingLevel") not in {"ERROR", "INFO"}:
            yield "loggingLevel must be ERROR or INFO"
    elif written.get("dataTraceEnabled") or written.get("loggingLevel"):
        yield "dataTraceEnabled and loggingLevel are for WebSocket APIs; AWS refuses them here"


def _of_its_routes(
    stack: Stack, stage: Registered, own: Mapping[str, Any]
) -> Iterator[tuple[Registered, str]]:
    routes = {str(r.get("routeKey")): r for r in stack.having(aws.ROUTE, apiId=stage.get("apiId"))}
    for key in own:
        if key not in routes:
            yield stage, f"has settings for {key}, which is no route of its API"
        else:
            yield from stack.not_awaited(stage, [routes[key]])


RULES = (
    api_stage_writes_an_access_log,
    api_stage_limits_and_counts,
    api_stage_is_deployed_one_way,
    api_deployment_holds_every_route,
    socket_execution_log_is_declared,
    stage_variables_can_be_said,
)
