"""HttpApi: routes, who may call them, and what its stage lets through."""

from __future__ import annotations

import json

import pulumi

from components.api import ApiFront, Route
from components.authorizers import TokenAuthorizer
from components.http_api import HttpApi, HttpRoute
from components.http_authorizers import HttpAuthorizer, JwtAuthorizer, LambdaAuthorizer
from components.schemas import Schemas
from policies.http_apis import PUBLIC
from settings import ApiSettings, DomainSettings, HttpApiSettings, HttpRouteSettings, wiring
from tests.support.program import Run
from tests.support.tiny import Parts, tiny

V2 = "aws:apigatewayv2"
API, STAGE, ROUTE = f"{V2}/api:Api", f"{V2}/stage:Stage", f"{V2}/route:Route"
AUTHORIZER, INTEGRATION = f"{V2}/authorizer:Authorizer", f"{V2}/integration:Integration"
USERS = JwtAuthorizer("users", issuer="https://issuer.example.com", audience=["client"])


def http(
    parts: Parts,
    *routes: HttpRoute,
    settings: HttpApiSettings | None = None,
    authorizer: HttpAuthorizer = USERS,
) -> HttpApi:
    """An HTTP API with these routes."""
    return HttpApi(
        "web",
        settings=settings or HttpApiSettings(),
        routes=routes,
        authorizer=authorizer,
        domains=parts.domains,
        encryption=parts.key,
        place=parts.place,
    )


def test_every_route_but_the_public_ones_asks_who_is_calling(run: Run) -> None:
    made = {str(r.get("routeKey")): r for r in run.all(ROUTE) if r.name.startswith("http-")}
    # The API answers preflights by itself.
    routes = {key: r for key, r in made.items() if not key.startswith("OPTIONS ")}
    assert routes.keys() == wiring.HTTP_ROUTES.keys(), (
        "another route? HTTP_ROUTES in settings/wiring.py"
    )
    guards = {a.output("id") for a in run.all(AUTHORIZER)}
    open_ = {key for key, r in routes.items() if r.get("authorizerId") not in guards}
    assert open_ == set(PUBLIC), "another public route? PUBLIC in policies/http_apis.py"


def test_shipped_routes_ask_for_a_token_of_the_pool(run: Run) -> None:
    routes = {r.get("routeKey"): r for r in run.all(ROUTE) if r.name.startswith("http-")}
    guard = run.one(AUTHORIZER, "http-cognito-authorizer")
    for key in ("GET /products", "POST /orders", "POST /users"):
        assert routes[key].get("authorizationType") == "JWT"
        assert routes[key].get("authorizerId") == guard.output("id")
    assert guard.get("identitySources") == ["$request.header.Authorization"]
    client = run.one("aws:cognito/userPoolClient:UserPoolClient", "identity-user-pool-client")
    pool = run.one("aws:cognito/userPool:UserPool", "identity-user-pool")
    assert guard.get("jwtConfiguration") == {
        "issuer": f"https://{pool.output('endpoint')}",
        "audiences": [client.output("id")],
    }


def test_functions_get_payload_two_of_their_alias(run: Run) -> None:
    integrations = [i for i in run.all(INTEGRATION) if i.name.startswith("http-")]
    assert {i.name for i in integrations} == {
        f"http-{function}-integration" for function in wiring.HTTP_ROUTES.values()
    }
    for integration in integrations:
        assert integration.get("payloadFormatVersion") == "2.0"
        assert str(integration.get("integrationUri")).endswith(":live/invocations")


def test_stage_is_limited_logged_and_deploys_by_itself(run: Run) -> None:
    stage = run.one(STAGE, "http-stage")
    assert (stage.get("name"), stage.get("autoDeploy")) == ("$default", True)
    assert stage.get("defaultRouteSettings.throttlingRateLimit") == 1000
    assert stage.get("defaultRouteSettings.throttlingBurstLimit") == 500
    line = json.loads(str(stage.get("accessLogSettings.format")))
    assert line["requestId"] == "$context.requestId"
    group = run.one("aws:cloudwatch/logGroup:LogGroup", "http-access-logs")
    assert stage.get("accessLogSettings.destinationArn") == group.output("arn")
    assert str(group.get("name")).startswith("/aws/vendedlogs/")
    assert run.outputs["httpApiUrl"].startswith("https://")
    assert not run.outputs["httpApiUrl"].endswith("/")


def test_route_of_its_own_size_waits_for_the_route() -> None:
    settings = HttpApiSettings(routes={"GET /a": HttpRouteSettings(throttle_rate_limit=3)})
    run = tiny(
        lambda parts: http(parts, HttpRoute("GET /a", parts.function("a")), settings=settings)
    )
    (stage,) = run.all(STAGE)
    assert stage.get("routeSettings") == [
        {
            "routeKey": "GET /a",
            "throttlingRateLimit": 3,
            "throttlingBurstLimit": 500,
            "detailedMetricsEnabled": True,
        }
    ]
    assert {route.urn for route in run.all(ROUTE)} <= stage.depends_on


def test_several_origins_may_be_named_and_none_is_by_default() -> None:
    origins = ("https://a.example.com", "https://b.example.com")
    settings = HttpApiSettings(cors_allow_origins=origins, cors_allow_credentials=True)
    run = tiny(
        lambda parts: http(parts, HttpRoute("GET /a", parts.function("a")), settings=settings)
    )
    (api,) = run.all(API)
    assert api.get("corsConfiguration.allowOrigins") == list(origins)
    assert api.get("corsConfiguration.allowCredentials") is True
    plain = tiny(lambda parts: http(parts, HttpRoute("GET /a", parts.function("a"))))
    assert plain.all(API)[0].get("corsConfiguration") is None


def test_function_may_authorize_a_route_of_its_own() -> None:
    def program(parts: Parts) -> None:
        gate = LambdaAuthorizer("gate", parts.function("gatekeeper"), ttl=9)
        function = parts.function("a")
        http(
            parts,
            HttpRoute("GET /a", function, scopes=["things.read"]),
            HttpRoute("GET /b", function, authorizer=gate),
        )

    run = tiny(program)
    guard = run.one(AUTHORIZER, "web-gate-authorizer")
    assert (guard.get("authorizerType"), guard.get("authorizerPayloadFormatVersion")) == (
        "REQUEST",
        "2.0",
    )
    assert (guard.get("enableSimpleResponses"), guard.get("authorizerResultTtlInSeconds")) == (
        True,
        9,
    )
    kinds = {r.get("routeKey"): r.get("authorizationType") for r in run.all(ROUTE)}
    assert kinds == {"GET /a": "JWT", "GET /b": "CUSTOM"}
    assert run.one(ROUTE, "web-get-a-route").get("authorizationScopes") == ["things.read"]
    sources = {
        p.name: str(p.get("sourceArn")).rsplit(":", 1)[-1]
        for p in run.all("aws:lambda/permission:Permission")
    }
    assert sources["a-web-permission"].endswith("/*/*")
    assert sources["gatekeeper-web-permission"].endswith("/authorizers/*")


def test_two_apis_share_a_domain_that_is_made_once() -> None:
    certificate = (
        "arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
    )

    def domain(path: str) -> DomainSettings:
        return DomainSettings(
            domain_name="api.example.com", certificate_arn=certificate, base_path=path
        )

    def program(parts: Parts) -> None:
        function = parts.function("a")
        rest = ApiFront(
            "front",
            settings=ApiSettings(domain=domain("rest"), disable_execute_api_endpoint=True),
            routes=[Route("GET /a", function)],
            authorizer=TokenAuthorizer(parts.function("gate")),
            schemas=Schemas(),
            stage_name="tiny",
            domains=parts.domains,
            encryption=parts.key,
            place=parts.place,
        )
        HttpApi(
            "web",
            settings=HttpApiSettings(domain=domain("web")),
            routes=[HttpRoute("GET /a", function)],
            authorizer=USERS,
            domains=parts.domains,
            encryption=parts.key,
            place=parts.place,
        )
        pulumi.export("rest", rest.url)

    run = tiny(program)
    assert len(run.all(f"{V2}/domainName:DomainName")) == 1
    mapped = {
        m.get("apiMappingKey"): m.get("stage") for m in run.all(f"{V2}/apiMapping:ApiMapping")
    }
    assert mapped == {"rest": "tiny", "web": "$default"}
    # Its own address is switched off, so it is the domain's.
    assert run.outputs["rest"] == "https://api.example.com/rest"


def test_preflights_of_routes_for_any_method_are_open_where_browsers_may_call() -> None:
    def program(parts: Parts, origins: tuple[str, ...]) -> None:
        function = parts.function("a")
        routes = [HttpRoute("$default", function), HttpRoute("ANY /shop/{proxy+}", function)]
        http(parts, *routes, settings=HttpApiSettings(cors_allow_origins=origins))

    run = tiny(lambda parts: program(parts, ("https://a.example.com",)))
    kinds = {r.get("routeKey"): r.get("authorizationType") for r in run.all(ROUTE)}
    assert kinds == {
        "$default": "JWT",
        "ANY /shop/{proxy+}": "JWT",
        "OPTIONS /{proxy+}": "NONE",
        "OPTIONS /shop/{proxy+}": "NONE",
    }
    assert len(tiny(lambda parts: program(parts, ())).all(ROUTE)) == 2
