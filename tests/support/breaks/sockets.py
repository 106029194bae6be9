"""WebSocket APIs: open to all, silent where they should answer, or pushed to by whom it does not concern."""

from __future__ import annotations

from policies import aws
from tests.support.breaking import Break, allowed, edited, statement, without

CONNECT, SUBSCRIBE = "socket-connect-route", "socket-subscribe-route"
PUBLISHER = "change-publisher-policy"
POSTS = "arn:aws:execute-api:us-west-2:123456789012:sandpiper-dev-socket/dev/POST/@connections/*"
PUSH = "execute-api:ManageConnections"
TOLD = "environment.variables.SOCKET_ENDPOINT"

# fmt: off
BREAKS = (
    Break("connecting-asks-the-authorizer", "must ask a REQUEST authorizer", edited(aws.ROUTE, CONNECT, {"authorizationType": "NONE"})),
    Break("connecting-asks-the-authorizer", "must ask a REQUEST authorizer", edited(aws.ROUTE, CONNECT, {"authorizerId": "cognito"})),
    Break("connecting-asks-the-authorizer", "must ask a REQUEST authorizer", without(aws.AUTHORIZER, "socket-authorizer")),
    Break("lambda-authorizer-is-asked-in-full", "must be route.request.", edited(aws.AUTHORIZER, "socket-authorizer", {"identitySources": ["$request.header.Authorization"]})),
    Break("connecting-asks-the-authorizer", "only $connect may have", edited(aws.ROUTE, SUBSCRIBE, {"authorizationType": "CUSTOM"})),
    Break("socket-hears-comings-and-goings", "has no route $disconnect", without(aws.ROUTE, "socket-disconnect-route")),
    Break("socket-hears-comings-and-goings", "has no route $default", without(aws.ROUTE, "socket-default-route")),
    Break("socket-hears-comings-and-goings", "must name a field", edited(aws.API, "socket-api", {"routeSelectionExpression": "${request.method} ${request.path}"})),
    Break("no-route-answers-by-itself", "may be empty", edited(aws.ROUTE, SUBSCRIBE, {"routeResponseSelectionExpression": "$default"})),
    Break("pushing-is-narrow", "it needs execute-api:ManageConnections", statement(aws.ROLE_POLICY, PUBLISHER, PUSH)),
    Break("pushing-is-narrow", "does not ask for it", statement(aws.ROLE_POLICY, PUBLISHER, PUSH, Resource=[POSTS.replace("/POST/", "/*/")])),
    Break("pushing-is-narrow", "does not ask for it", statement(aws.ROLE_POLICY, PUBLISHER, PUSH, Resource=["*"])),
    Break("pushing-is-narrow", "does not ask for it", allowed("health-policy", PUSH, on=POSTS)),
    Break("pushing-is-narrow", "is no https address", edited(aws.FUNCTION, "change-publisher-function", {TOLD: "wss://dev.execute-api.us-west-2.amazonaws.com/dev"})),
    Break("rights-are-exact", "name the resource", statement(aws.ROLE_POLICY, PUBLISHER, PUSH, Resource=["*"])),
    Break("rights-are-exact", "of this stack", statement(aws.ROLE_POLICY, PUBLISHER, PUSH, Resource=[POSTS.replace("/dev/", "/*/")])),
    Break("table-forgets-connections", "set ttl", edited(aws.TABLE, "connections-table", {"ttl": None})),
    Break("table-forgets-connections", "set ttl", edited(aws.TABLE, "connections-table", {"ttl.enabled": False})),
)
# fmt: on
