"""Socket: its routes, who may connect, and when it is deployed anew."""

from __future__ import annotations

import json
from collections.abc import Sequence

from components.socket_api import Socket, SocketRoutes
from settings import DomainSettings, SocketSettings
from tests.support.program import Run
from tests.support.tiny import Parts, source, tiny

V2 = "aws:apigatewayv2"
STAGE, ROUTE, DEPLOYMENT = f"{V2}/stage:Stage", f"{V2}/route:Route", f"{V2}/deployment:Deployment"
GROUP = "aws:cloudwatch/logGroup:LogGroup"
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"


def socket(
    parts: Parts,
    routes: Sequence[str] = ("$connect", "$default"),
    *,
    settings: SocketSettings | None = None,
    code: str = "1",
) -> SocketRoutes:
    """A WebSocket API with one function behind these routes."""
    made = Socket(
        "live", settings=settings or SocketSettings(), stage_name="tiny", place=parts.place
    )
    function = parts.function("a", made.push(), code=source(code))
    return SocketRoutes(
        "live-routes",
        made,
        routes=dict.fromkeys(routes, function),
        authorizer=parts.function("gate"),
        domains=parts.domains,
        encryption=parts.key,
    )


def test_connecting_asks_the_authorizer_and_nothing_else_does(run: Run) -> None:
    routes = {r.get("routeKey"): r for r in run.all(ROUTE) if r.name.startswith("socket-")}
    assert routes.keys() == {"$connect", "$disconnect", "$default", "subscribe", "unsubscribe"}
    kinds = {key: r.get("authorizationType") for key, r in routes.items()}
    assert kinds.pop("$connect") == "CUSTOM"
    assert set(kinds.values()) == {"NONE"}
    guard = run.one(f"{V2}/authorizer:Authorizer", "socket-authorizer")
    assert guard.get("authorizerType") == "REQUEST"
    assert not guard.get("identitySources")


def test_no_route_answers_by_itself(run: Run) -> None:
    """An empty response would reach the client as an empty message."""
    assert not run.all(f"{V2}/routeResponse:RouteResponse")
    assert not [r for r in run.all(ROUTE) if r.get("routeResponseSelectionExpression")]


def test_stage_is_named_limited_and_logged_without_messages(run: Run) -> None:
    stage = run.one(STAGE, "socket-stage")
    assert stage.get("name") == run.stack
    own = stage.get("defaultRouteSettings")
    assert (own["throttlingRateLimit"], own["throttlingBurstLimit"]) == (1000, 500)
    assert (own["dataTraceEnabled"], own["loggingLevel"]) == (False, "ERROR")
    assert "connectionId" in json.loads(str(stage.get("accessLogSettings.format")))
    group = run.one(GROUP, "socket-execution-logs")
    assert group.urn in stage.depends_on
    assert str(group.get("name")).endswith(f"/{run.stack}")
    assert run.outputs["socketUrl"].startswith("wss://")


def test_log_role_of_the_account_comes_before_the_stage(custom: Run) -> None:
    (account,) = custom.all("aws:apigateway/account:Account")
    assert account.urn in custom.one(STAGE, "socket-stage").depends_on


def test_new_route_is_deployed_and_new_code_is_not() -> None:
    def triggers(run: Run) -> object:
        (deployment,) = run.all(DEPLOYMENT)
        assert {r.urn for r in run.all(ROUTE)} <= deployment.depends_on
        return deployment.get("triggers")

    first = triggers(tiny(socket))
    assert triggers(tiny(lambda parts: socket(parts, code="2"))) == first
    assert triggers(tiny(lambda parts: socket(parts, ["$connect", "$default", "hello"]))) != first
    closed = SocketSettings(
        disable_execute_api_endpoint=True,
        domain=DomainSettings(domain_name="live.example.com", certificate_arn=CERTIFICATE),
    )
    assert triggers(tiny(lambda parts: socket(parts, settings=closed))) != first


def test_logs_can_be_switched_off() -> None:
    off = SocketSettings(access_log_enabled=False, logging_level="OFF")
    run = tiny(lambda parts: socket(parts, settings=off))
    assert {g.name for g in run.all(GROUP)} == {"a-logs", "gate-logs"}
    assert run.all(STAGE)[0].get("accessLogSettings") is None


def test_each_function_is_permitted_once() -> None:
    permissions = tiny(socket).all("aws:lambda/permission:Permission")
    assert {p.name: str(p.get("sourceArn")).rsplit(":", 1)[-1] for p in permissions} == {
        "a-live-permission": "sandpiper-tiny-live/*/*",
        "gate-live-permission": "sandpiper-tiny-live/authorizers/*",
    }
