"""WebSocket APIs: open to all, silent where they should answer, or pushed to by whom it does not concern."""

from __future__ import annotations

from policies.gateways import API, AUTHORIZER, ROUTE
from policies.links import FUNCTION, ROLE_POLICY, TABLE
from tests.support.breaking import Break, allowed, edited, statement, without

CONNECT, SUBSCRIBE = "socket-connect-route", "socket-subscribe-route"
PUBLISHER = "change-publisher-policy"
POSTS = "arn:aws:execute-api:us-west-2:123456789012:sandpiper-dev-socket/dev/POST/@connections/*"
PUSH = "execute-api:ManageConnections"
TOLD = "environment.variables.SOCKET_ENDPOINT"

# fmt: off
BREAKS = (
    Break("connecting-asks-the-authorizer", "must ask a REQUEST authorizer", edited(ROUTE, CONNECT, {"authorizationType": "NONE"})),
    Break("connecting-asks-the-authorizer", "must ask a REQUEST authorizer", edited(ROUTE, CONNECT, {"authorizerId": "cognito"})),
    Break("connecting-asks-the-authorizer", "must ask a REQUEST authorizer", without(AUTHORIZER, "socket-authorizer")),
    Break("lambda-authorizer-is-asked-in-full", "must be route.request.", edited(AUTHORIZER, "socket-authorizer", {"identitySources": ["$request.header.Authorization"]})),
    Break("connecting-asks-the-authorizer", "only $connect may have", edited(ROUTE, SUBSCRIBE, {"authorizationType": "CUSTOM"})),
    Break("socket-hears-comings-and-goings", "has no route $disconnect", without(ROUTE, "socket-disconnect-route")),
    Break("socket-hears-comings-and-goings", "has no route $default", without(ROUTE, "socket-default-route")),
    Break("socket-hears-comings-and-goings", "must name a field", edited(API, "socket-api", {"routeSelectionExpression": "${request.method} ${request.path}"})),
    Break("no-route-answers-by-itself", "may be empty", edited(ROUTE, SUBSCRIBE, {"routeResponseSelectionExpression": "$default"})),
    Break("pushing-is-narrow", "it needs execute-api:ManageConnections", statement(ROLE_POLICY, PUBLISHER, PUSH)),
    Break("pushing-is-narrow", "does not ask for it", statement(ROLE_POLICY, PUBLISHER, PUSH, Resource=[POSTS.replace("/POST/", "/*/")])),
    Break("pushing-is-narrow", "does not ask for it", statement(ROLE_POLICY, PUBLISHER, PUSH, Resource=["*"])),
    Break("pushing-is-narrow", "does not ask for it", allowed("health-policy", PUSH, on=POSTS)),
    Break("pushing-is-narrow", "is no https address", edited(FUNCTION, "change-publisher-function", {TOLD: "wss://dev.execute-api.us-west-2.amazonaws.com/dev"})),
    Break("rights-are-exact", "name the resource", statement(ROLE_POLICY, PUBLISHER, PUSH, Resource=["*"])),
    Break("rights-are-exact", "of this stack", statement(ROLE_POLICY, PUBLISHER, PUSH, Resource=[POSTS.replace("/dev/", "/*/")])),
    Break("table-forgets-connections", "set ttl", edited(TABLE, "connections-table", {"ttl": None})),
    Break("table-forgets-connections", "set ttl", edited(TABLE, "connections-table", {"ttl.enabled": False})),
)
# fmt: on
