"""What rules let pass on purpose at the gates: other ways to ask who is calling, and other shapes of the same care."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import policies
from policies import Finding, api, aws, http_apis, identity, load_balancers
from policies.gateways import ANY_METHOD, AUTHTYPE, EXTENSION, GUARD
from tests.support.breaking import Mutation, Resources, again, also, document, edited, without
from tests.support.breaks.everything import more
from tests.support.breaks.http_apis import GATE, asked

Body = dict[str, Any]


def described(change: Callable[[Body], object]) -> Mutation:
    """Change the REST API's description, and deploy it anew."""

    def deployed(resources: Resources) -> Resources:
        body = next(str(r.properties["body"]) for r in resources if r.type == aws.REST_API)
        digest = hashlib.sha256(body.encode()).hexdigest()
        return [
            replace(r, properties={**r.properties, "triggers": {"description": digest}})
            if r.type == aws.REST_DEPLOYMENT
            else r
            for r in resources
        ]

    def done(body: Body) -> None:
        change(body)

    return also(document(aws.REST_API, "api-rest", done, key="body"), deployed)


def asking(scheme: Body, scopes: tuple[str, ...] = ()) -> Mutation:
    """GET /items asks another scheme than the others."""

    def change(body: Body) -> None:
        name = {"type": "apiKey", "in": "header", "name": "Authorization"}
        body["components"]["securitySchemes"]["other"] = {**name, **scheme}
        body["paths"]["/items"]["get"]["security"] = [{"other": list(scopes)}]

    return described(change)


def _our_pool(resources: Resources) -> Resources:
    pool = next(r for r in resources if r.type == aws.USER_POOL)
    guard = {"type": "cognito_user_pools", "providerARNs": [pool.output("arn")]}
    scheme = {AUTHTYPE: "cognito_user_pools", GUARD: guard}
    return asking(scheme, ("aws.cognito.signin.user.admin",))(resources)


def _in_patterns(body: Body) -> None:
    written = body["paths"]["/notifications"]["post"][EXTENSION]["responses"]
    refused = written.pop("default")
    written |= {"4\\d{2}": refused, "5\\d{2}": refused}


def _everything_under_a_path(body: Body) -> None:
    passed_on = json.loads(json.dumps(body["paths"]["/items/{id}"]["get"]))
    passed_on["operationId"] = "files"
    passed_on["parameters"] = [
        {"name": "proxy", "in": "path", "required": True, "schema": {"type": "string"}}
    ]
    del passed_on[EXTENSION]["cacheKeyParameters"]
    body["paths"]["/files/{proxy+}"] = {ANY_METHOD: passed_on}


def _without_a_body(body: Body) -> None:
    del body["paths"]["/items"]["post"]["requestBody"]


def _believing(arn: str) -> Mutation:
    guard = {"type": "cognito_user_pools", "providerARNs": [arn]}
    return asking({AUTHTYPE: "cognito_user_pools", GUARD: guard}, ("items",))


def _caught(key: str, preflight: str) -> Mutation:
    """A route that takes every method, and one beside it that answers its preflights."""
    products = "http-get-products-route"
    return also(
        edited(aws.ROUTE, products, {"routeKey": key}),
        again(aws.ROUTE, products, routeKey=preflight, authorizationType="NONE", authorizerId=None),
    )


def _asked_together(body: Body) -> None:
    body["paths"]["/notifications"]["post"]["security"] = [{"jwt": [], "api_key": []}]


TOLERATED = {
    "access tokens of a user pool": _our_pool,
    "signed requests": asking({AUTHTYPE: "awsSigv4"}),
    "a function that is given the whole request": asking(
        {
            AUTHTYPE: "custom",
            GUARD: {
                "type": "request",
                "authorizerUri": GATE,
                "identitySource": "method.request.header.X-Tenant, context.identity.sourceIp",
            },
        }
    ),
    "every method and path below a path": described(_everything_under_a_path),
    "a key and a token asked in one breath": described(_asked_together),
    "errors of a service by their patterns": described(_in_patterns),
    "a method with settings of its own that keeps nothing": edited(
        aws.METHOD_SETTINGS, "api-get-items-id-method-settings", {"settings.cachingEnabled": False}
    ),
    "a signed route of an HTTP API": edited(
        aws.ROUTE,
        "http-post-users-route",
        {"authorizationType": "AWS_IAM", "authorizerId": None},
    ),
    "a socket that is opened by a signed request": also(
        edited(
            aws.ROUTE,
            "socket-connect-route",
            {"authorizationType": "AWS_IAM", "authorizerId": None},
        ),
        without(aws.AUTHORIZER, "socket-authorizer"),
        without(aws.PERMISSION, "authorizer-socket-permission"),
    ),
    "an HTTP API without browsers": edited(aws.API, "http-api", {"corsConfiguration": None}),
    "a domain that a REST and an HTTP API share": also(
        without(aws.DOMAIN, "domain-shop-example-com-name"),
        edited(aws.API_MAPPING, "http-domain-mapping", {"domainName": "api.example.com"}),
    ),
    "a rate by the address that a proxy names": edited(
        aws.WEB_ACL,
        "api-firewall-acl",
        {"rules.0.statement.rateBasedStatement.aggregateKeyType": "FORWARDED_IP"},
    ),
    "TLS 1.3 only": edited(
        aws.LISTENER, "balancer-https", {"sslPolicy": "ELBSecurityPolicy-TLS13-1-3-2021-06"}
    ),
    "whatever no other route of an HTTP API takes": _caught("$default", "OPTIONS /{proxy+}"),
    "every method of an HTTP API's path": _caught("ANY /products", "OPTIONS /products"),
    "every method below a path of an HTTP API": _caught(
        "ANY /shop/{proxy+}", "OPTIONS /shop/{proxy+}"
    ),
    "every method of an HTTP API without browsers": also(
        edited(aws.API, "http-api", {"corsConfiguration": None}),
        edited(aws.ROUTE, "http-get-products-route", {"routeKey": "$default"}),
    ),
    "a stage without limits for single routes": edited(
        aws.STAGE, "http-stage", {"routeSettings": None}
    ),
}


def findings(mutation: Mutation) -> list[Finding]:
    return policies.check(more(mutation)([]), stack="dev")


@pytest.mark.parametrize("what", TOLERATED)
def test_rules_let_pass_at_the_gates(what: str) -> None:
    assert [str(finding) for finding in findings(TOLERATED[what])] == []


@pytest.mark.parametrize("seconds", [0, 300])
def test_lambda_authorizer_of_an_http_api_needs_sources_only_where_it_remembers(
    seconds: int,
) -> None:
    sources = ["$request.header.Authorization"] if seconds else None
    right = asked(authorizerResultTtlInSeconds=seconds, identitySources=sources)
    said = [f for f in findings(right) if f.rule == "lambda-authorizer-is-asked-in-full"]
    assert said == []


def test_route_on_the_list_of_public_ones_may_be_called_by_anybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_apis, "PUBLIC", {"GET /products": "the shop's window"})
    opened = edited(
        aws.ROUTE, "http-get-products-route", {"authorizationType": "NONE", "authorizerId": None}
    )
    assert findings(opened) == []


def test_load_balancer_on_the_list_of_public_ones_may_face_the_internet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load_balancers, "PUBLIC", {"balancer-alb": "the way in from outside"})
    assert findings(edited(aws.LOAD_BALANCER, "balancer-alb", {"internal": False})) == []


def test_issuer_on_the_list_may_be_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = "https://accounts.example.com"
    monkeypatch.setattr(identity, "ISSUERS", {issuer: "the company's own sign-in"})
    changes = {"jwtConfiguration.issuer": issuer, "jwtConfiguration.audiences": ["sandpiper"]}
    assert findings(edited(aws.AUTHORIZER, "http-cognito-authorizer", changes)) == []
    for audiences in ([], None):
        open_to_all = {**changes, "jwtConfiguration.audiences": audiences}
        (said,) = findings(edited(aws.AUTHORIZER, "http-cognito-authorizer", open_to_all))
        assert "its audiences must be named" in said.text


def test_user_pool_of_another_stack_may_be_believed_by_its_issuer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arn = "arn:aws:cognito-idp:us-west-2:999999999999:userpool/us-west-2_theirs"
    issuer = "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_theirs"
    assert [f.rule for f in findings(_believing(arn))] == ["method-believes-our-pool"]
    monkeypatch.setattr(identity, "ISSUERS", {issuer: "people sign in with another stack"})
    assert findings(_believing(arn)) == []


def test_method_on_the_list_of_undescribed_ones_needs_no_schema(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api, "UNDESCRIBED", {"POST /items": "starts a job and takes no body"})
    assert findings(described(_without_a_body)) == []


def test_lists_of_exceptions_are_short_and_say_why() -> None:
    lists = (api.PUBLIC, api.UNDESCRIBED, http_apis.PUBLIC, load_balancers.PUBLIC, identity.ISSUERS)
    for reasons in lists:
        assert len(reasons) <= 3
        assert all(len(reason.split()) > 3 for reason in reasons.values())
