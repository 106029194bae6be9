"""The REST API around its description: authorizers, validation, deployment, stage, logs and throttling."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from policies import aws, dialect, documents, gateways, identity
from policies.encryption import key_of
from policies.model import Registered, Stack, rule

PUBLIC = {
    "GET /health": "monitors and load balancers ask it before they have a token; it says nothing about the stack's data",
}
"""Methods of REST APIs without an authorizer, and why. A preflight (OPTIONS, answered by the gateway itself) is always open."""

UNDESCRIBED: Mapping[str, str] = {}
"""Methods (POST, PUT, PATCH) whose bodies no schema describes, and why: they have none, or one that is no JSON."""

EVERY_METHOD = "*/*"


@rule
def api_imports_without_loss(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """What API Gateway does not understand it drops in silence, unless it is told to fail."""
    for api in stack.all(aws.REST_API):
        text, body = api.get("body"), documents.json_object(api.get("body"))
        if api.get("failOnWarnings") is not True:
            yield api, "set failOnWarnings, or parts of the description are dropped in silence"
        if body is None:
            yield api, "its body must be a JSON object"
            continue
        for problem in dialect.problems(str(text)):
            yield api, problem
        if body.get("info", {}).get("title") != api.get("name"):
            yield api, "info.title overwrites the name; make both the same"
        size = api.get("minimumCompressionSize")
        if size is not None and not (isinstance(size, str) and size.lstrip("-").isdigit()):
            yield api, "minimumCompressionSize must be a number as text"


@rule
def method_asks_the_authorizer(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Every method but the named public ones asks who is calling; an API key says who pays."""
    for api in stack.all(aws.REST_API):
        for endpoint, operation in gateways.operations(api):
            callers, _ = gateways.asked(api, operation)
            open_to_all = not callers or not all(operation["security"])
            preflight = endpoint.startswith("OPTIONS ") and _type(operation) == "mock"
            if open_to_all and not preflight and endpoint not in PUBLIC:
                yield api, f"{endpoint} has no authorizer and is not on the list of public methods"


@rule
def method_believes_our_pool(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Tokens of somebody else's user pool let in whoever that somebody registers."""
    for api in stack.all(aws.REST_API):
        for name, scheme in gateways.schemes(api).items():
            for arn in scheme.get(gateways.GUARD, {}).get("providerARNs") or ():
                if not identity.is_believed(stack, str(arn)):
                    yield (
                        api,
                        f"security scheme '{name}' believes {arn}, which is neither a user pool of this stack nor one of ISSUERS (policies/identity.py)",
                    )


@rule
def request_is_validated(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Body and parameters of every method are checked before a function is paid for.

    What takes any method may take any body: its function checks it.
    """
    for api in stack.all(aws.REST_API):
        body = gateways.description(api)
        validators = body.get("x-amazon-apigateway-request-validators", {})
        default = body.get("x-amazon-apigateway-request-validator")
        for endpoint, operation in gateways.operations(api):
            chosen = validators.get(
                operation.get("x-amazon-apigateway-request-validator", default), {}
            )
            if not (chosen.get("validateRequestBody") and chosen.get("validateRequestParameters")):
                yield api, f"{endpoint} has no validator for body and parameters"
            takes = endpoint.startswith(("POST ", "PUT ", "PATCH ")) and endpoint not in UNDESCRIBED
            if takes and not operation.get("requestBody"):
                yield (
                    api,
                    f"{endpoint} takes a body but names no schema for it and is none of UNDESCRIBED (policies/api.py)",
                )


@rule
def deployment_follows_the_description(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Without the description's hash among the triggers, a stage serves the old API for ever."""
    for deployment in stack.all(aws.REST_DEPLOYMENT):
        api = stack.answering("id", str(deployment.get("restApi")), aws.REST_API)
        body = str(api.get("body")) if api else ""
        if (
            hashlib.sha256(body.encode()).hexdigest()
            not in (deployment.get("triggers") or {}).values()
        ):
            yield deployment, "triggers must hold the SHA-256 of the API's body"


@rule
def stage_is_logged_and_traced(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """One line per request in an encrypted group of ours, and X-Ray."""
    for stage in stack.all(aws.REST_STAGE):
        group = stack.at(str(stage.get("accessLogSettings.destinationArn")), aws.LOG_GROUP)
        if group is None or not key_of(stack, group):
            yield stage, "needs an access log in an encrypted log group of this stack"
        line = str(stage.get("accessLogSettings.format") or "")
        if "\n" in line or "$context.requestId" not in line or documents.json_object(line) is None:
            yield stage, "the access log's format must be one line of JSON with $context.requestId"
        if stage.get("xrayTracingEnabled") is not True:
            yield stage, "set xrayTracingEnabled"


@rule
def stage_is_throttled_and_measured(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Limits are explicit, methods are counted, and bodies never reach the logs.

    A method with settings of its own inherits nothing: what they leave out is AWS's default, not that of all methods.
    """
    for stage in stack.all(aws.REST_STAGE):
        found = gateways.method_settings(stack, stage)
        if EVERY_METHOD not in {s.get("methodPath") for s in found}:
            yield stage, f"needs method settings for {EVERY_METHOD}"
        for settings in found:
            yield from _unmeasured(settings, settings.get("settings") or {})


@rule
def method_settings_name_a_method(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """`~1items~1{id}/GET`: a path with bare slashes is refused, or said and never read again."""
    for api in stack.all(aws.REST_API):
        known = {gateways.method_path(endpoint) for endpoint, _ in gateways.operations(api)}
        for stage in gateways.rest_stages(stack, api):
            for settings in gateways.method_settings(stack, stage):
                path = str(settings.get("methodPath"))
                if path not in known | {EVERY_METHOD}:
                    yield settings, f"methodPath {path} is no method of the API; say ~1path/METHOD"


def _unmeasured(settings: Registered, written: dict[str, Any]) -> Iterator[tuple[Registered, str]]:
    for limit in ("throttlingRateLimit", "throttlingBurstLimit"):
        if not (written.get(limit) or 0) > 0:
            yield settings, f"{limit} must be a number above 0"
    if written.get("metricsEnabled") is not True:
        yield settings, "set metricsEnabled"
    if written.get("dataTraceEnabled") is not False:
        yield settings, "set dataTraceEnabled to false: it would log bodies and tokens"
    if written.get("loggingLevel") not in {"ERROR", "INFO"}:
        yield settings, "loggingLevel must be ERROR or INFO"


def _type(operation: dict[str, Any]) -> object:
    return operation.get(gateways.EXTENSION, {}).get("type")


RULES = (
    api_imports_without_loss,
    method_asks_the_authorizer,
    method_believes_our_pool,
    request_is_validated,
    deployment_follows_the_description,
    stage_is_logged_and_traced,
    stage_is_throttled_and_measured,
    method_settings_name_a_method,
)
