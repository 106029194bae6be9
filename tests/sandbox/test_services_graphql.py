"""GraphQL APIs: who may ask, sources in their roles, resolvers in JavaScript, called over HTTP."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from sandbox.resources import RestartNeeded
from tests.sandbox.functions_support import archive, execution_role
from tests.sandbox.rest_api_support import Answer, call
from tests.sandbox.services_support import ACCOUNT, REGION, Made, clients, make

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not here")

API, SOURCE = "appsync/graphQLApi:GraphQLApi", "appsync/dataSource:DataSource"
RESOLVER, FUNCTION = "appsync/resolver:Resolver", "appsync/function:Function"
POOL, CLIENT = "cognito/userPool:UserPool", "cognito/userPoolClient:UserPoolClient"
PASSWORD = "Correct-horse-7"
WORKER = """
def handler(event, context):
    if event == {"wish": "fail"}:
        raise ValueError("no luck")
    return {"seen": event, "arn": context.invoked_function_arn}
"""
SCHEMA = """
type Thing { wish: String!, arn: String }
type Query { thing(wish: String): Thing, broken: String, chained: String, forbidden: Thing }
schema { query: Query }
"""
CODE = """
import { util } from "@aws-appsync/utils";
export function request(ctx) {
  return { operation: "Invoke", payload: { wish: ctx.args.wish ?? ctx.identity.sub } };
}
export function response(ctx) {
  if (ctx.error) util.error(ctx.error.message, ctx.error.type, { half: 1 }, { more: [2] });
  return { wish: ctx.result.seen.wish, arn: ctx.result.arn };
}
"""
ASIDE = """
export function request(ctx) { return { payload: null }; }
export function response(ctx) { return BODY; }
"""
RUNTIME = {"name": "APPSYNC_JS", "runtimeVersion": "1.0.0"}


class Graph(NamedTuple):
    api: Made
    alias: Made
    source: Made
    pool: Made
    token: str

    def ask(self, query: str, token: str | None = None, **variables: Any) -> Answer:
        """Ask as the pool's user, as whoever holds `token`, or as nobody where it is empty."""
        given = self.token if token is None else token
        headers = {"Authorization": given} if given else {}
        body = {"query": query, "variables": variables}
        return call(self.api["uris"]["GRAPHQL"], "POST", body, **headers)


def acting(name: str, *allowed: str, **conditions: Any) -> Made:
    """A role that AppSync may take on, with the right to call some functions."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "appsync.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": conditions,
    }
    made = make("iam/role:Role", name, assumeRolePolicy=json.dumps({"Statement": [trust]}))
    if allowed:
        may = {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": list(allowed)}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
        make("iam/rolePolicy:RolePolicy", name, role=made["name"], policy=policy)
    return made


def people(name: str) -> tuple[Made, Made, str]:
    """A pool, a client of it and an access token of its one user."""
    pool = make(POOL, name)
    client = make(
        CLIENT, name, userPoolId=pool.id, explicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )
    idp = clients().client("cognito-idp")
    user = {"UserPoolId": pool.id, "Username": "ada"}
    idp.admin_create_user(**user, MessageAction="SUPPRESS")
    idp.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    answer = idp.admin_initiate_auth(
        UserPoolId=pool.id,
        ClientId=client.id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ada", "PASSWORD": PASSWORD},
    )
    return pool, client, answer["AuthenticationResult"]["AccessToken"]


def pool_api(name: str, pool: Made, schema: str = SCHEMA, **inputs: Any) -> Made:
    config = {"userPoolId": pool.id, "awsRegion": REGION, "defaultAction": "ALLOW"}
    kind = "AMAZON_COGNITO_USER_POOLS"
    more = {"schema": schema, "userPoolConfig": config, **inputs}
    return make(API, name, authenticationType=kind, **more)


@pytest.fixture(scope="module")
def graph() -> Iterator[Graph]:
    """An API over one function behind an alias, for people of one pool."""
    function = make(
        "lambda/function:Function",
        "graph-worker",
        code=archive(WORKER),
        role=execution_role()["arn"],
        runtime="python3.13",
        handler="main.handler",
        publish=True,
    )
    alias = make(
        "lambda/alias:Alias", "g", name="live", functionName=function["name"], functionVersion="1"
    )
    pool, _, token = people("graph")
    api = pool_api("graph", pool, tags={"a": "1"})
    ours = {"aws:SourceAccount": ACCOUNT}
    role = acting("graph", alias["arn"], StringEquals=ours, ArnLike={"aws:SourceArn": api["arn"]})
    source = worker(api, "own-worker", role, alias)
    resolver(api, "thing", source)
    yield Graph(api, alias, source, pool, token)
    api.delete()
    function.delete()
    pool.delete()


def worker(api: Made, name: str, role: Made, alias: Made) -> Made:
    return make(
        SOURCE,
        name,
        apiId=api.id,
        type="AWS_LAMBDA",
        serviceRoleArn=role["arn"],
        lambdaConfig={"functionArn": alias["arn"]},
    )


def resolver(api: Made, field: str, source: Made, code: str = CODE, **inputs: Any) -> Made:
    given = {"dataSource": source["name"], "kind": "UNIT", "runtime": RUNTIME, "code": code}
    return make(RESOLVER, field, apiId=api.id, type="Query", field=field, **{**given, **inputs})


THING = "query($wish: String) { thing(wish: $wish) { wish arn } }"


def test_field_is_answered_by_the_alias_of_its_function(graph: Graph) -> None:
    answer = graph.ask(THING, wish="tea")
    assert answer.status == 200
    assert answer.json == {"data": {"thing": {"wish": "tea", "arn": graph.alias["arn"]}}}


def test_resolver_knows_who_asks(graph: Graph) -> None:
    claims = json.loads(base64.urlsafe_b64decode(f"{graph.token.split('.')[1]}==="))
    assert graph.ask("{ thing { wish } }").json == {"data": {"thing": {"wish": claims["sub"]}}}


def test_outputs_are_those_of_the_provider(graph: Graph) -> None:
    api = graph.api
    assert api["arn"] == f"arn:aws:appsync:{REGION}:{ACCOUNT}:apis/{api.id}"
    assert api["uris"]["GRAPHQL"] == f"{clients().endpoint}/v1/apis/{api.id}/graphql"
    assert graph.source["name"].startswith("own_worker_")
    assert graph.source["arn"] == f"{api['arn']}/datasources/{graph.source['name']}"
    assert graph.source.id == f"{api.id}-{graph.source['name']}"


def text(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def test_nobody_else_may_ask(graph: Graph) -> None:
    head, body, signature = graph.token.split(".")
    _, _, foreign = people("graph-foreign")
    unsigned = f"{text({'alg': 'none', 'kid': 'x'})}.{body}."
    wrong = {
        "": "Valid authorization header not provided.",
        "rubbish": "Unable to parse JWT token.",
        "a.b.c": "Unable to parse JWT token.",
        f"Bearer {graph.token}": "Unable to parse JWT token.",
        f"{head}.{body}.{signature[:-4]}AAAA": "You are not authorized to make this call.",
        f"{head}.{text({'sub': 'root'})}.{signature}": "You are not authorized to make this call.",
        f"{head}.{text({'exp': 1})}.{signature}": "Token has expired.",
        f"{text({'alg': 'RS256', 'kid': 7})}.W10.{signature}": "You are not authorized to make this call.",
        unsigned: "You are not authorized to make this call.",
        foreign: "You are not authorized to make this call.",
    }
    for token, message in wrong.items():
        answer = graph.ask(THING, token)
        error = {"errorType": "UnauthorizedException", "message": message}
        assert (answer.status, answer.json) == (401, {"errors": [error]}), token
        assert answer.headers["x-amzn-errortype"] == "UnauthorizedException"


def test_api_takes_the_tokens_of_the_named_clients_only(graph: Graph) -> None:
    pool, client, token = people("graph-clients")
    config = {"userPoolId": pool.id, "awsRegion": REGION, "defaultAction": "ALLOW"}
    api = pool_api("graph-clients", pool, userPoolConfig={**config, "appIdClientRegex": client.id})
    narrow = graph._replace(api=api, token=token)
    assert narrow.ask("{ __typename }").status == 200
    api.update(userPoolConfig={**config, "appIdClientRegex": "another"})
    assert narrow.ask("{ __typename }").status == 401
    api.delete()


def test_key_opens_an_api_that_takes_keys_too(graph: Graph) -> None:
    api = pool_api(
        "graph-keys",
        graph.pool,
        additionalAuthenticationProviders=[{"authenticationType": "API_KEY"}],
    )
    key = make("appsync/apiKey:ApiKey", "k", apiId=api.id, expires="2027-01-01T00:00:00Z")
    assert (key["expires"], key.id) == ("2027-01-01T00:00:00Z", f"{api.id}:{key['key']}")
    url, body = api["uris"]["GRAPHQL"], {"query": "{ __typename }"}
    assert call(url, "POST", body, x_api_key=key["key"]).status == 200
    assert call(url, "POST", body, Authorization=graph.token).status == 200
    assert call(url, "POST", body, x_api_key="da2-guessed").status == 401
    key.update(description="new")
    key.delete()
    assert call(url, "POST", body, x_api_key=key["key"]).status == 401
    api.delete()


def test_failing_function_is_an_error_with_everything_the_resolver_says(graph: Graph) -> None:
    answer = graph.ask(THING, wish="fail")
    assert answer.status == 200
    assert answer.json == {
        "data": {"thing": None},
        "errors": [
            {
                "path": ["thing"],
                "data": {"half": 1},
                "errorType": "Lambda:Unhandled",
                "errorInfo": {"more": [2]},
                "locations": [{"line": 1, "column": 24, "sourceName": None}],
                "message": "no luck",
            }
        ],
    }


def test_question_that_the_schema_does_not_allow_has_no_error_type(graph: Graph) -> None:
    answer = graph.ask("{ nothing }")
    (error,) = answer.json["errors"]
    assert (answer.status, answer.json["data"], error["path"]) == (200, None, None)
    assert "errorType" not in error
    assert graph.ask("{ thing").status == 400


@pytest.mark.parametrize(
    ("name", "kind", "condition"),
    [
        ("graph-no-right", "Lambda:AccessDeniedException", {}),
        (
            "graph-foreign-account",
            "UnauthorizedException",
            {"StringEquals": {"aws:SourceAccount": "123456789012"}},
        ),
        (
            "graph-foreign-api",
            "UnauthorizedException",
            {"ArnLike": {"aws:SourceArn": "arn:aws:appsync:*:*:apis/another"}},
        ),
    ],
)
def test_function_is_called_in_a_role_that_may(
    graph: Graph, name: str, kind: str, condition: dict[str, Any]
) -> None:
    bare = graph.alias["arn"].rpartition(":")[0]
    allowed = [bare] if kind.startswith("Lambda") else [graph.alias["arn"]]
    source = worker(graph.api, name, acting(name, *allowed, **condition), graph.alias)
    field = resolver(graph.api, "forbidden", source)
    (error,) = graph.ask("{ forbidden { wish } }").json["errors"]
    assert error["errorType"] == kind
    field.delete()
    source.delete()


def test_a_source_without_a_role_calls_nothing(graph: Graph) -> None:
    config = {"functionArn": graph.alias["arn"]}
    source = make(SOURCE, "bare", apiId=graph.api.id, type="AWS_LAMBDA", lambdaConfig=config)
    field = resolver(graph.api, "forbidden", source)
    (error,) = graph.ask("{ forbidden { wish } }").json["errors"]
    assert error["errorType"] == "UnauthorizedException"
    field.delete()
    source.delete()


def test_pipeline_runs_its_functions_in_order(graph: Graph) -> None:
    nothing = make(SOURCE, "aside", apiId=graph.api.id, type="NONE")
    texts = ('"a"', 'ctx.prev.result + "b"')
    functions = [
        make(
            FUNCTION,
            f"step-{number}",
            apiId=graph.api.id,
            dataSource=nothing["name"],
            runtime=RUNTIME,
            code=ASIDE.replace("BODY", text),
        )
        for number, text in enumerate(texts)
    ]
    chained = make(
        RESOLVER,
        "chained",
        apiId=graph.api.id,
        type="Query",
        field="chained",
        kind="PIPELINE",
        runtime=RUNTIME,
        code=ASIDE.replace("BODY", 'ctx.prev.result + "c"'),
        pipelineConfig={"functions": [each["functionId"] for each in functions]},
    )
    assert graph.ask("{ chained }").json == {"data": {"chained": "abc"}}
    functions[0].update(code=ASIDE.replace("BODY", '"x"'))
    assert graph.ask("{ chained }").json == {"data": {"chained": "xbc"}}
    for each in (chained, *functions, nothing):
        each.delete()


def test_api_source_and_resolver_change_in_place(graph: Graph) -> None:
    api = pool_api("graph-changing", graph.pool, "type Query { a: String }", tags={"a": "1"})
    changing = graph._replace(api=api)
    source = make(SOURCE, "one", apiId=api.id, type="NONE", description="old")
    made = resolver(api, "a", source, ASIDE.replace("BODY", '"old"'))
    assert changing.ask("{ a }").json == {"data": {"a": "old"}}
    before = api.id
    api.update(name="renamed", tags={"b": "2"}, schema="type Query { b: String }")
    appsync = clients().client("appsync")
    found = appsync.get_graphql_api(apiId=api.id)["graphqlApi"]
    assert (api.id, found["name"], found["tags"]) == (before, "renamed", {"b": "2"})
    made.update(field="b", code=ASIDE.replace("BODY", '"new"'))
    assert changing.ask("{ b }").json == {"data": {"b": "new"}}
    made.update(code=ASIDE.replace("BODY", '"newest"'))
    assert changing.ask("{ b }").json == {"data": {"b": "newest"}}
    assert changing.ask("{ a }").json["data"] is None
    source.update(description="new")
    assert (
        appsync.get_data_source(apiId=api.id, name=source["name"])["dataSource"]["description"]
        == "new"
    )
    with pytest.raises(RestartNeeded, match="visibility"):
        api.update(visibility="PRIVATE")
    made.delete()
    source.delete()
    api.delete()
    assert changing.ask("{ b }").status == 404
    api.delete()


def test_schema_that_is_none_is_refused_when_it_is_declared(graph: Graph) -> None:
    for schema, fault in {
        "type Query { a: Absent }": "Unknown type: 'Absent'",
        "type Query {": "Syntax Error",
        "type Thing { a: String }": "Query root type must be provided",
    }.items():
        with pytest.raises(ValueError, match=f"^the schema is refused: .*{fault}"):
            pool_api("graph-broken", graph.pool, schema)


def test_notes_name_what_does_not_run(graph: Graph) -> None:
    api = make(
        API,
        "graph-noted",
        authenticationType="OPENID_CONNECT",
        openidConnectConfig={"issuer": "https://issuer.example"},
        schema="type Query { a: String @aws_oidc } type Subscription { b: String }",
        visibility="PRIVATE",
        introspectionConfig="DISABLED",
        xrayEnabled=True,
        queryDepthLimit=5,
        resolverCountLimit=10,
        logConfig={"cloudwatchLogsRoleArn": "arn:aws:iam::1:role/a", "fieldLogLevel": "ALL"},
    )
    assert api.notes == [
        "callers can read its schema all the same",
        "a sandbox has no VPC: whoever reaches this machine reaches it",
        "tokens of its OpenID Connect provider are not verified",
        "rules about single fields are not applied: who may ask may ask everything",
        "nobody is told of changes: subscriptions do not run here",
        "its logs are not written",
        "nothing is traced",
        "its limit of depth is recorded: queries of any depth are answered",
        "its limit of resolvers is recorded: a query may start any number",
    ]
    table = make(
        SOURCE,
        "table",
        apiId=api.id,
        type="AMAZON_DYNAMODB",
        serviceRoleArn="arn:aws:iam::000000000000:role/a",
        dynamodbConfig={"tableName": "t", "region": REGION},
    )
    assert table.notes == ["the rights of its role are not judged"]
    bus = make(
        SOURCE,
        "bus",
        apiId=api.id,
        type="AMAZON_EVENTBRIDGE",
        eventBridgeConfig={"eventBusArn": "arn:aws:events:us-west-2:000000000000:event-bus/a"},
    )
    assert bus.notes == ["sources of type AMAZON_EVENTBRIDGE do not run here"]
    old = make(
        RESOLVER,
        "a",
        apiId=api.id,
        type="Query",
        field="a",
        dataSource=table["name"],
        requestTemplate="{}",
        responseTemplate="{}",
        cachingConfig={"ttl": 60, "cachingKeys": ["$context.identity.sub"]},
    )
    assert old.notes == [
        "its mapping templates do not run: JavaScript does",
        "its answers are not cached",
    ]
    api.delete()
