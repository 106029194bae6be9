"""APIs as data: what their descriptions, routes and targets say, and which functions they start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies import aws, documents
from policies.model import Registered, Stack

HTTP, SOCKET = "HTTP", "WEBSOCKET"
"""The two protocols of an `apigatewayv2` API."""
EXTENSION = "x-amazon-apigateway-integration"
AUTHTYPE, GUARD = "x-amazon-apigateway-authtype", "x-amazon-apigateway-authorizer"
"""What an operation and a security scheme of OpenAPI say to API Gateway besides."""
ANY_METHOD = "x-amazon-apigateway-any-method"
KEY_HEADER = "x-api-key"
READS_A_FUNCTION = frozenset({"token", "request"})
"""Types of REST authorizers that are functions; others are user pools, or AWS itself."""


def started(stack: Stack) -> Iterator[tuple[str, Registered, str]]:
    """(kind, who says so, ARN) of each function that an API, a load balancer or a data source starts.

    `api` and `authorizer` are said by the API itself, since permissions name it.
    """
    yield from _of_rest_apis(stack)
    for integration in stack.all(aws.INTEGRATION):
        if integration.get("integrationType") == "AWS_PROXY":
            arn = arn_in_uri(integration.get("integrationUri"))
            yield "api", api_of(stack, integration) or integration, arn
    for authorizer in stack.having(aws.AUTHORIZER, authorizerType="REQUEST"):
        arn = arn_in_uri(authorizer.get("authorizerUri"))
        yield "authorizer", api_of(stack, authorizer) or authorizer, arn
    for attachment in stack.all(aws.TARGET_GROUP_ATTACHMENT):
        yield "target", attachment, str(attachment.get("targetId"))
    for source in stack.having(aws.DATA_SOURCE, type="AWS_LAMBDA"):
        yield "resolver", source, str(source.get("lambdaConfig.functionArn"))


def _of_rest_apis(stack: Stack) -> Iterator[tuple[str, Registered, str]]:
    for api in stack.all(aws.REST_API):
        for _, operation in operations(api):
            integration = operation.get(EXTENSION, {})
            if integration.get("type") == "aws_proxy":
                yield "api", api, arn_in_uri(integration.get("uri"))
        for scheme in schemes(api).values():
            authorizer = scheme.get(GUARD, {})
            if authorizer.get("type") in READS_A_FUNCTION:
                yield "authorizer", api, arn_in_uri(authorizer.get("authorizerUri"))


def description(api: Registered) -> Mapping[str, Any]:
    """The OpenAPI document of a REST API as data; empty where it is no JSON object."""
    return documents.json_object(api.get("body")) or {}


def operations(api: Registered) -> Iterator[tuple[str, dict[str, Any]]]:
    """(`GET /items`, the operation) for every method of a REST API; `ANY` stands for all methods."""
    for path, methods in description(api).get("paths", {}).items():
        for method, operation in methods.items():
            word = "ANY" if method == ANY_METHOD else method.upper()
            yield f"{word} {path}", operation


def schemes(api: Registered) -> Mapping[str, dict[str, Any]]:
    """The security schemes of a REST API by name."""
    return description(api).get("components", {}).get("securitySchemes", {})


def asked(api: Registered, operation: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Names of the schemes that a method asks: those that say who is calling, and API keys, which do not."""
    known = schemes(api)
    named = {name for requirement in operation.get("security") or () for name in requirement}
    keys = {name for name in named if is_key(known.get(name, {}))}
    return named - keys, keys


def is_key(scheme: Mapping[str, Any]) -> bool:
    """A security scheme that is an API key and nothing else."""
    return scheme.get("name") == KEY_HEADER and AUTHTYPE not in scheme


def arn_in_uri(uri: object) -> str:
    """The function's or alias's ARN inside an integration URI of API Gateway; empty where there is none."""
    parts = str(uri or "").split("/functions/")
    return parts[1].removesuffix("/invocations") if len(parts) == 2 else ""


def api_of(stack: Stack, part: Registered) -> Registered | None:
    """The HTTP or WebSocket API that a route, an authorizer, a stage ... belongs to."""
    return stack.answering("id", str(part.get("apiId")), aws.API)


def apis(stack: Stack, protocol: str) -> list[Registered]:
    """The APIs of a protocol, HTTP or WEBSOCKET."""
    return stack.having(aws.API, protocolType=protocol)


def parts(stack: Stack, api: Registered, type_: str) -> list[Registered]:
    """The routes, stages ... of an API."""
    return stack.having(type_, apiId=api.output("id"))


def rest_stages(stack: Stack, api: Registered) -> list[Registered]:
    """The stages of a REST API."""
    return stack.having(aws.REST_STAGE, restApi=api.output("id"))


def method_settings(stack: Stack, stage: Registered) -> list[Registered]:
    """The method settings of a REST stage."""
    return stack.having(
        aws.METHOD_SETTINGS, restApi=stage.get("restApi"), stageName=stage.get("stageName")
    )


def method_path(endpoint: str) -> str:
    """How method settings name `GET /items/{id}`: `~1items~1{id}/GET`, a step of a JSON pointer and the method."""
    method, path = endpoint.split(" ", 1)
    return f"{path.replace('/', '~1')}/{method}"
