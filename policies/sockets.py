"""WebSocket APIs: who may connect, which routes answer, and who may push."""

from __future__ import annotations

from collections.abc import Iterator

from policies import aws, documents, gateways, links
from policies.model import Registered, Stack, rule

CONNECT = "$connect"
ALWAYS = (CONNECT, "$disconnect", "$default")
PUSH = "execute-api:ManageConnections"
ENDPOINT = "SOCKET_ENDPOINT"
"""The variable that tells a function where to push."""


@rule
def connecting_asks_the_authorizer(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A connection is judged once, when it is opened; AWS refuses an authorizer on any other route."""
    for api in gateways.apis(stack, gateways.SOCKET):
        asked = {
            a.output("id")
            for a in gateways.parts(stack, api, aws.AUTHORIZER)
            if a.get("authorizerType") == "REQUEST"
        }
        for route in gateways.parts(stack, api, aws.ROUTE):
            kind, who = route.get("authorizationType"), route.get("authorizerId")
            if route.get("routeKey") != CONNECT:
                if kind not in {None, "NONE"}:
                    yield route, f"only {CONNECT} may have an authorizer"
            elif kind != "AWS_IAM" and (kind != "CUSTOM" or who not in asked):
                yield route, "must ask a REQUEST authorizer of its API"


@rule
def socket_hears_comings_and_goings(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Without $disconnect rows of the gone stay, without $default a mistyped action is met with silence."""
    for api in gateways.apis(stack, gateways.SOCKET):
        if not str(api.get("routeSelectionExpression") or "").startswith("$request.body."):
            yield api, "routeSelectionExpression must name a field, $request.body.<field>"
        keys = {r.get("routeKey") for r in gateways.parts(stack, api, aws.ROUTE)}
        for key in ALWAYS:
            if key not in keys:
                yield api, f"has no route {key}"


@rule
def no_route_answers_by_itself(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Where a route has a response, a function that returns no body sends its client an empty message."""
    for api in gateways.apis(stack, gateways.SOCKET):
        for route in gateways.parts(stack, api, aws.ROUTE):
            if route.get("routeResponseSelectionExpression"):
                yield (
                    route,
                    "selects a response, which may be empty; let its function post what it has to say",
                )


@rule
def pushing_is_narrow(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Who is told of a socket may post to its connections, and nothing else: not read them, not close them."""
    by_endpoint = dict(_endpoints(stack))
    for function in stack.all(aws.FUNCTION):
        if links.acts_in_a_foreign_role(stack, function):
            continue
        held = links.rights(stack, links.role_of(stack, function))
        given = documents.pairs(held, service="execute-api")
        endpoint = links.environment(function).get(ENDPOINT)
        if endpoint and endpoint not in by_endpoint:
            yield function, f"{ENDPOINT} '{endpoint}' is no https address of a socket's stage"
        wanted = {(PUSH, by_endpoint[endpoint])} if endpoint in by_endpoint else set()
        for action, resource in sorted(wanted - given):
            yield function, f"is told of a socket; it needs {action} on {resource}"
        for action, resource in sorted(given - wanted):
            yield function, f"may {action} on {resource}; {ENDPOINT} does not ask for it"


def connections(stack: Stack) -> frozenset[tuple[str, str]]:
    """(action, resource) by which connections of this stack's sockets are posted to."""
    return frozenset((PUSH, resource) for _, resource in _endpoints(stack))


def _endpoints(stack: Stack) -> Iterator[tuple[str, str]]:
    """(https address, connections that are posted to) of each stage of a socket, under each of its names."""
    for api in gateways.apis(stack, gateways.SOCKET):
        own = "http" + api.output("apiEndpoint").removeprefix("ws")
        for stage in gateways.parts(stack, api, aws.STAGE):
            resource = f"{api.output('executionArn')}/{stage.get('name')}/POST/@connections/*"
            yield f"{own}/{stage.get('name')}", resource
            for mapping in stack.having(aws.API_MAPPING, stage=stage.output("id")):
                path = f"/{key}" if (key := mapping.get("apiMappingKey")) else ""
                yield f"https://{mapping.get('domainName')}{path}", resource


RULES = (
    connecting_asks_the_authorizer,
    socket_hears_comings_and_goings,
    no_route_answers_by_itself,
    pushing_is_narrow,
)
