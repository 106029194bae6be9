"""Routes of the REST API beyond the shipped ones: methods, authorizers, keys, caches, and what stands behind them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.api import ApiFront, Enqueue, Fixed, Route
from components.authorizers import (
    Authorizer,
    CognitoAuthorizer,
    IamAuthorizer,
    RequestAuthorizer,
    TokenAuthorizer,
)
from components.messaging import Queue
from components.schemas import Schemas
from settings import ApiSettings, DomainSettings, RouteSettings
from tests.support.program import Run
from tests.support.tiny import Parts, tiny

INTEGRATION = "x-amazon-apigateway-integration"
METHOD_SETTINGS = "aws:apigateway/methodSettings:MethodSettings"
SCHEMAS = Schemas({"Thing": {"type": "object"}})
POOL = "arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_a"


def front(
    parts: Parts,
    *routes: Route,
    settings: ApiSettings | None = None,
    authorizer: Authorizer | None = None,
    schemas: Schemas = SCHEMAS,
) -> ApiFront:
    """A REST API with these routes."""
    return ApiFront(
        "front",
        settings=settings or ApiSettings(),
        routes=routes,
        authorizer=authorizer or TokenAuthorizer(parts.function("gate"), 60),
        schemas=schemas,
        stage_name="tiny",
        domains=parts.domains,
        encryption=parts.key,
        place=parts.place,
    )


def described(run: Run) -> dict[str, Any]:
    """The API's description."""
    (api,) = run.all("aws:apigateway/restApi:RestApi")
    body = json.loads(str(api.get("body")))
    assert isinstance(body, dict)
    (deployment,) = run.all("aws:apigateway/deployment:Deployment")
    digest = hashlib.sha256(str(api.get("body")).encode()).hexdigest()
    assert deployment.get("triggers") == {"description": digest}
    return body


def routed(*routes: Callable[[Parts], Route], **more: Any) -> dict[str, Any]:
    """The description of an API with these routes."""
    return described(tiny(lambda parts: front(parts, *(route(parts) for route in routes), **more)))


def test_any_method_of_a_greedy_path_goes_to_one_function() -> None:
    paths = routed(
        lambda parts: Route("ANY /shop/{proxy+}", parts.function("shop")),
        settings=ApiSettings(cors_allow_origins=("https://a.example.com",)),
    )["paths"]["/shop/{proxy+}"]
    assert paths.keys() == {"x-amazon-apigateway-any-method", "options"}
    (parameter,) = paths["x-amazon-apigateway-any-method"]["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("proxy", "path", True)
    answer = paths["options"][INTEGRATION]["responses"]["default"]["responseParameters"]
    allowed = answer["method.response.header.Access-Control-Allow-Methods"]
    assert allowed == "'DELETE,GET,HEAD,PATCH,POST,PUT,OPTIONS'"


def test_query_and_header_are_asked_for_where_the_route_requires_them() -> None:
    operation = routed(
        lambda parts: Route(
            "GET /a",
            parts.function("a"),
            query=["page", "tenant"],
            headers=["X-Trace"],
            required=["tenant", "X-Trace"],
        )
    )["paths"]["/a"]["get"]
    asked = {p["name"]: (p["in"], p["required"]) for p in operation["parameters"]}
    assert asked == {
        "page": ("query", False),
        "tenant": ("query", True),
        "X-Trace": ("header", True),
    }


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        (["GET /a", "GET /a"], "'GET /a': is there twice"),
        (["GET /a/{id}", "GET /a/id"], r"'GET /a/\{id\}': is there twice"),
    ],
)
def test_route_that_is_there_twice_is_refused(routes: list[str], told: str) -> None:
    with pytest.raises(pulumi.RunError, match=told):
        tiny(lambda parts: parts.front(parts.function("a"), *routes))


def test_required_parameter_must_be_one_of_the_route() -> None:
    with pytest.raises(
        pulumi.RunError, match="'GET /a': requires tenant, which is no parameter of it"
    ):
        routed(lambda parts: Route("GET /a", parts.function("a"), required=["tenant"]))


def test_each_route_meets_its_own_authorizer() -> None:
    def program(parts: Parts) -> None:
        gate = parts.function("gate")
        asks = RequestAuthorizer(gate, ["header.X-Tenant", "context.stage"], ttl=9)
        front(
            parts,
            Route("GET /token", parts.function("a")),
            Route("GET /request", parts.function("b"), authorizer=asks),
            Route("GET /users", parts.function("c"), authorizer=CognitoAuthorizer(POOL)),
            Route("GET /signed", parts.function("d"), authorizer=IamAuthorizer()),
            Route("GET /open", parts.function("e"), public=True),
            authorizer=TokenAuthorizer(gate, 7),
        )

    run = tiny(program)
    body = described(run)
    security = {path: methods["get"].get("security") for path, methods in body["paths"].items()}
    assert security == {
        "/token": [{"jwt": []}],
        "/request": [{"request": []}],
        "/users": [{"cognito": ["aws.cognito.signin.user.admin"]}],
        "/signed": [{"sigv4": []}],
        "/open": None,
    }
    schemes = body["components"]["securitySchemes"]
    assert schemes.keys() == {"jwt", "request", "cognito", "sigv4"}
    assert {s["type"] for s in schemes.values()} == {"apiKey"}
    asked = schemes["request"]["x-amazon-apigateway-authorizer"]
    assert asked["identitySource"] == "method.request.header.X-Tenant, context.stage"
    assert asked["authorizerResultTtlInSeconds"] == 9
    assert schemes["jwt"]["x-amazon-apigateway-authorizer"]["authorizerResultTtlInSeconds"] == 7
    assert schemes["cognito"]["x-amazon-apigateway-authorizer"]["providerARNs"] == [POOL]
    assert schemes["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    gates = [p for p in run.all("aws:lambda/permission:Permission") if p.name.startswith("gate")]
    assert [str(p.get("sourceArn")).rsplit(":", 1)[-1] for p in gates] == [
        "sandpiper-tiny-front/authorizers/*"
    ]


def test_function_that_authorizes_and_answers_is_permitted_both() -> None:
    def program(parts: Parts) -> None:
        both = parts.function("both")
        front(parts, Route("GET /a", both), authorizer=TokenAuthorizer(both))

    permissions = tiny(program).all("aws:lambda/permission:Permission")
    assert sorted(str(p.get("sourceArn")).rsplit(":", 1)[-1] for p in permissions) == [
        "sandpiper-tiny-front/*/*",
        "sandpiper-tiny-front/authorizers/*",
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: Route("GET /b", parts.function("a")),
        lambda parts: Route("GET /a", parts.function("a"), query=["page"]),
        lambda parts: Route("GET /a", parts.function("a"), body="Thing"),
        lambda parts: Route("GET /a", parts.function("a"), authorizer=IamAuthorizer()),
        lambda parts: Route("GET /a", parts.function("a"), api_key=True),
        lambda parts: Route("GET /a", parts.function("a"), public=True),
    ],
    ids=["path", "parameter", "model", "authorizer", "key", "public"],
)
def test_changed_route_is_deployed(change: Callable[[Parts], Route]) -> None:
    plain = routed(lambda parts: Route("GET /a", parts.function("a")))
    assert routed(change) != plain


def test_changed_model_or_time_of_an_authorizer_is_deployed() -> None:
    def with_body(parts: Parts) -> Route:
        return Route("POST /a", parts.function("a"), body="Thing")

    first = routed(with_body)
    assert (
        routed(with_body, schemas=Schemas({"Thing": {"type": "object", "required": ["a"]}}))
        != first
    )
    longer = tiny(
        lambda parts: front(
            parts, with_body(parts), authorizer=TokenAuthorizer(parts.function("gate"), 61)
        )
    )
    assert described(longer) != first


# Keys.


def test_plan_and_key_are_there_where_a_route_asks_for_one() -> None:
    keyed = tiny(lambda parts: front(parts, Route("GET /a", parts.function("a"), api_key=True)))
    (plan,) = keyed.all("aws:apigateway/usagePlan:UsagePlan")
    assert plan.get("quotaSettings") == {"limit": 10000, "offset": 0, "period": "DAY"}
    assert plan.get("throttleSettings") == {"rateLimit": 10, "burstLimit": 20}
    (stage,) = plan.get("apiStages")
    assert stage == {
        "apiId": keyed.all("aws:apigateway/stage:Stage")[0].get("restApi"),
        "stage": "tiny",
    }
    (key,) = keyed.all("aws:apigateway/apiKey:ApiKey")
    assert key.get("value") is None
    scheme = described(keyed)["components"]["securitySchemes"]["api_key"]
    assert scheme == {"type": "apiKey", "name": "x-api-key", "in": "header"}
    plain = tiny(lambda parts: parts.front(parts.function("a"), "GET /a"))
    assert not plain.all("aws:apigateway/usagePlan:UsagePlan")


# Sizes of single routes.


def test_route_of_its_own_size_repeats_everything_else() -> None:
    settings = ApiSettings(
        cache_cluster_enabled=True,
        cors_allow_origins=("https://a.example.com",),
        routes={
            "GET /a/{id}": RouteSettings(cache_ttl_in_seconds=30),
            "POST /a": RouteSettings(throttle_rate_limit=5, throttle_burst_limit=2),
        },
    )
    run = tiny(
        lambda parts: front(
            parts,
            Route("GET /a/{id}", parts.function("a"), query=["page"], headers=["X-Lang"]),
            Route("POST /a", parts.function("b")),
            settings=settings,
        )
    )
    found = {str(s.get("methodPath")): s.get("settings") for s in run.all(METHOD_SETTINGS)}
    assert found.keys() == {"*/*", "~1a~1{id}/GET", "~1a/POST"}
    assert {frozenset(each) for each in found.values()} == {frozenset(found["*/*"])}
    kept = {path: each["cacheTtlInSeconds"] for path, each in found.items()}
    assert kept == {"*/*": 0, "~1a~1{id}/GET": 30, "~1a/POST": 0}
    assert all(each["cacheDataEncrypted"] and each["cachingEnabled"] for each in found.values())
    assert all(each["requireAuthorizationForCacheControl"] for each in found.values())
    assert found["~1a/POST"]["throttlingRateLimit"] == 5
    assert found["*/*"]["throttlingRateLimit"] == 1000
    every, *others = run.all(METHOD_SETTINGS)
    assert every.get("methodPath") == "*/*"
    assert all(every.urn in other.depends_on for other in others)
    operation = described(run)["paths"]["/a/{id}"]["get"]
    assert operation[INTEGRATION]["cacheKeyParameters"] == [
        "method.request.path.id",
        "method.request.querystring.page",
        "method.request.header.X-Lang",
        # An answer names the origin that may read it.
        "method.request.header.Origin",
    ]
    declared = {f"{p['in']}.{p['name']}" for p in operation["parameters"]}
    assert "header.Origin" in declared
    assert "cacheKeyParameters" not in described(run)["paths"]["/a"]["post"][INTEGRATION]


# Who may come, and with what.


def test_only_named_addresses_may_come() -> None:
    settings = ApiSettings(allow_source_ips=("203.0.113.0/24",))
    policy = routed(lambda parts: Route("GET /a", parts.function("a")), settings=settings)[
        "x-amazon-apigateway-policy"
    ]
    allow, deny = policy["Statement"]
    assert (allow["Effect"], allow["Resource"], "Condition" in allow) == (
        "Allow",
        "execute-api:/*",
        False,
    )
    assert (deny["Effect"], deny["Condition"]) == (
        "Deny",
        {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}},
    )


def test_binary_media_types_are_part_of_the_description() -> None:
    settings = ApiSettings(binary_media_types=("image/png",))
    body = routed(lambda parts: Route("GET /a", parts.function("a")), settings=settings)
    assert body["x-amazon-apigateway-binary-media-types"] == ["image/png"]


@pytest.mark.parametrize("kinds", [("image/png",), ()])
def test_binary_media_types_are_said_to_the_provider_even_when_there_are_none(
    kinds: tuple[str, ...],
) -> None:
    settings = ApiSettings(binary_media_types=kinds)
    run = tiny(lambda parts: front(parts, Route("GET /a", parts.function("a")), settings=settings))
    (api,) = run.all("aws:apigateway/restApi:RestApi")
    assert api.get("binaryMediaTypes") == list(kinds)


def test_api_is_deployed_anew_when_its_own_address_is_switched_off() -> None:
    domain = DomainSettings(
        domain_name="api.example.com",
        certificate_arn="arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef",
    )

    def triggers(*, disabled: bool) -> dict[str, str]:
        settings = ApiSettings(domain=domain, disable_execute_api_endpoint=disabled)
        run = tiny(
            lambda parts: front(parts, Route("GET /a", parts.function("a")), settings=settings)
        )
        (deployment,) = run.all("aws:apigateway/deployment:Deployment")
        return dict(deployment.get("triggers"))

    assert triggers(disabled=True) != triggers(disabled=False)


# Without a function.


def test_body_goes_straight_onto_a_queue_in_a_role_that_may_do_nothing_else() -> None:
    def program(parts: Parts) -> None:
        queue = Queue("jobs", encryption=parts.key)
        front(parts, Route("POST /jobs", Enqueue(queue), body="Thing"))

    run = tiny(program)
    integration = described(run)["paths"]["/jobs"]["post"][INTEGRATION]
    assert (integration["type"], integration["passthroughBehavior"]) == ("aws", "never")
    role = run.one("aws:iam/role:Role", "front-post-jobs-role")
    assert integration["credentials"] == role.output("arn")
    trusted = json.loads(str(role.get("assumeRolePolicy")))["Statement"]
    assert [s["Principal"] for s in trusted] == [{"Service": "apigateway.amazonaws.com"}]
    policy = run.one("aws:iam/rolePolicy:RolePolicy", "front-post-jobs-policy")
    statements = json.loads(str(policy.get("policy")))["Statement"]
    assert [s["Action"] for s in statements] == [
        ["sqs:SendMessage"],
        ["kms:GenerateDataKey", "kms:Decrypt"],
    ]
    (deployment,) = run.all("aws:apigateway/deployment:Deployment")
    assert policy.urn in deployment.depends_on
    statuses = {key: r["statusCode"] for key, r in integration["responses"].items()}
    assert statuses == {"2\\d{2}": "202", "default": "502"}
    assert not [p for p in run.all("aws:lambda/permission:Permission") if "jobs" in p.name]


def test_fixed_answer_asks_nobody() -> None:
    route = Route("GET /about", Fixed(200, {"name": "a"}, headers={"X-Robots-Tag": "none"}))
    operation = routed(lambda _: route)["paths"]["/about"]["get"]
    answer = operation[INTEGRATION]["responses"]["default"]
    assert operation[INTEGRATION]["type"] == "mock"
    assert (answer["statusCode"], answer["responseTemplates"]) == (
        "200",
        {"application/json": '{"name":"a"}'},
    )
    assert answer["responseParameters"]["method.response.header.X-Robots-Tag"] == "'none'"
    # A header that the operation does not declare is dropped at import.
    assert {f"method.response.header.{h}" for h in operation["responses"]["200"]["headers"]} == set(
        answer["responseParameters"]
    )


def test_routes_do_not_grow_the_stack() -> None:
    def resources(count: int) -> int:
        run = tiny(
            lambda parts: parts.front(parts.function("a"), *(f"GET /r{n}" for n in range(count)))
        )
        return len(run.resources)

    assert resources(10) == resources(200)


def test_functions_keep_their_names_as_operations_unless_they_serve_many() -> None:
    def program(parts: Parts) -> None:
        many = parts.function("many")
        front(
            parts,
            Route("GET /one", parts.function("get-one")),
            Route("GET /a", many),
            Route("POST /a/{id}", many),
        )

    paths = described(tiny(program))["paths"]
    ids = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert ids == ["get_a", "post_a_id", "get_one"]


# What API Gateway would refuse is refused here, in one line.


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"endpoint": "FETCH /a"}, "must begin with one of GET, HEAD"),
        ({"endpoint": "GET a"}, "the path must begin with /"),
        ({"endpoint": "GET /ping"}, "is API Gateway's own"),
        ({"endpoint": "GET /a{id}"}, "one whole variable"),
        ({"endpoint": "GET /a/{proxy+}/b"}, "stands last"),
        ({"endpoint": "GET /{id}/b/{id}"}, "a variable is there twice"),
        ({"query": "page"}, r'query must be a list, \["page"\]'),
        ({"query": ["la ng"]}, "no parameter can be called 'la ng'"),
        ({"answers": {999: ""}}, "answers with 999"),
        ({"target": "a"}, r"must go to a function, Enqueue\(queue\) or Fixed"),
        ({"authorizer": "jwt"}, "authorizer must be one of components/authorizers.py"),
    ],
)
def test_route_that_the_gateway_would_refuse_is_refused(more: dict[str, Any], told: str) -> None:
    with pytest.raises(pulumi.RunError, match=told) as refused:
        Route(**{"endpoint": "GET /a", "target": Fixed(200), **more})
    assert "\n" not in str(refused.value)


def test_greedy_root_and_dots_are_paths() -> None:
    for path in ("/", "/{proxy+}", "/v1.2/a-b_c/{id}/x"):
        assert Route(f"GET {path}", Fixed(200)).path == path


def test_body_without_a_schema_is_refused_with_the_nearest_one() -> None:
    told = r"route 'POST /a': there is no schemas/Thnig.json; did you mean 'Thing'\?"
    with pytest.raises(pulumi.RunError, match=told):
        routed(lambda parts: Route("POST /a", parts.function("a"), body="Thnig"))


def test_two_authorizers_of_one_name_are_refused() -> None:
    """One of them would guard the other's routes."""

    def program(parts: Parts) -> None:
        other = TokenAuthorizer(parts.function("other"), 60)
        front(
            parts,
            Route("GET /a", parts.function("a")),
            Route("GET /b", parts.function("b"), authorizer=other),
        )

    with pytest.raises(
        pulumi.RunError, match="'GET /b': another authorizer is called 'jwt' already"
    ):
        tiny(program)


def test_time_that_the_gateway_does_not_keep_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match="ttl must be 0 to 3600 seconds"):
        tiny(lambda parts: TokenAuthorizer(parts.function("gate"), 3601) and None)


# What a client may count on.


def test_answers_are_models_of_the_gateway() -> None:
    answers = {
        "Page": {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": {"type": "array", "items": {"$ref": "#/components/schemas/One"}},
                "next": {"type": ["string", "null"], "examples": ["x"]},
            },
        },
        "One": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}},
    }
    body = routed(
        lambda parts: Route("GET /a", parts.function("a"), answers={200: "Page", 404: ""}),
        schemas=Schemas({}, answers),
    )
    responses = body["paths"]["/a"]["get"]["responses"]
    assert responses["200"]["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/Page"}}
    }
    assert responses["404"].keys() == {"description"}
    models = body["components"]["schemas"]
    assert models["Page"]["properties"]["next"] == {"type": "string"}
    # A member that may be null is one that the model does not promise.
    assert models["Page"]["required"] == ["items"]
    assert models["One"]["properties"]["at"] == {"type": "string"}
