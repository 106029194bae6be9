"""GraphQl: the items functions asked in GraphQL; its resolvers' code is run by Node.js here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from common.http import Request
from components.graphql import GraphQl
from settings import GraphQlSettings
from tests.support.program import ACCOUNT, REGION, ROOT, Answers, Run, run_program
from tests.support.tiny import Parts

API, SOURCE = "aws:appsync/graphQLApi:GraphQLApi", "aws:appsync/dataSource:DataSource"
RESOLVER, ROLE = "aws:appsync/resolver:Resolver", "aws:iam/role:Role"
SCHEMA = ROOT / "graphql" / "schema.graphql"
FIELDS = {
    "Query.item": "get-item",
    "Query.items": "list-items",
    "Mutation.createItem": "create-item",
    "Mutation.updateItem": "update-item",
    "Mutation.deleteItem": "delete-item",
}
POOL = "us-west-2_Pool"


class Uris(Answers):
    """AppSync says where its API is."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[str, Any]]:
        made, outputs = super().new_resource(args)
        if args.typ == API:
            outputs["uris"] = {"GRAPHQL": "https://x.appsync-api.us-west-2.amazonaws.com/graphql"}
        return made, outputs


def asked(**settings: Any) -> Run:
    def program() -> None:
        parts = Parts()
        made = GraphQl(
            "graphql",
            settings=GraphQlSettings(**settings),
            schema=SCHEMA,
            resolvers={field: parts.function(name) for field, name in FIELDS.items()},
            user_pool_id=POOL,
            encryption=parts.key,
            place=parts.place,
        )
        pulumi.export("url", made.url)

    return run_program(program, config={}, stack="tiny", answers=Uris())


@pytest.fixture(scope="module")
def run() -> Run:
    return asked(enabled=True, log_retention_in_days=90)


def statements(run: Run, name: str) -> list[dict[str, Any]]:
    policy = run.one("aws:iam/rolePolicy:RolePolicy", name).get("policy")
    found: list[dict[str, Any]] = json.loads(str(policy))["Statement"]
    return found


def test_graphql_api_that_is_off_makes_nothing() -> None:
    run = asked()
    assert {r.name for r in run.resources if r.name.startswith("graphql")} == {"graphql"}
    assert run.outputs["url"] == ""


def test_only_people_of_the_user_pool_may_ask(run: Run) -> None:
    api = run.one(API, "graphql-api")
    assert api.get("authenticationType") == "AMAZON_COGNITO_USER_POOLS"
    assert api.get("additionalAuthenticationProviders") is None
    assert api.get("userPoolConfig") == {
        "userPoolId": POOL,
        "awsRegion": REGION,
        "defaultAction": "ALLOW",
    }
    assert run.outputs["url"] == "https://x.appsync-api.us-west-2.amazonaws.com/graphql"


def test_questions_are_limited_as_settings_say() -> None:
    keys = ("queryDepthLimit", "resolverCountLimit", "introspectionConfig")
    usual = asked(enabled=True).one(API, "graphql-api")
    assert [usual.get(key) for key in keys] == [5, 100, "ENABLED"]
    own = asked(
        enabled=True,
        query_depth_limit=3,
        resolver_count_limit=7,
        introspection_enabled=False,
        field_log_level="ALL",
    ).one(API, "graphql-api")
    assert [own.get(key) for key in keys] == [3, 7, "DISABLED"]
    assert own.get("logConfig.fieldLogLevel") == "ALL"


def test_logs_are_kept_encrypted_in_a_declared_group_without_what_was_asked(run: Run) -> None:
    api = run.one(API, "graphql-api")
    group = run.one("aws:cloudwatch/logGroup:LogGroup", "graphql-logs")
    assert group.get("name") == f"/aws/appsync/apis/{api.outputs['id']}"
    assert group.get("retentionInDays") == 90
    assert group.get("kmsKeyId") == run.one("aws:kms/key:Key", "data-key").outputs["arn"]
    role = run.one(ROLE, "graphql-logs-role")
    assert api.get("logConfig") == {
        "cloudwatchLogsRoleArn": role.outputs["arn"],
        "fieldLogLevel": "ERROR",
        "excludeVerboseContent": True,
    }
    assert api.get("xrayEnabled") is True
    (statement,) = statements(run, "graphql-logs-policy")
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == [f"{group.outputs['arn']}:*"]


def test_appsync_may_call_exactly_the_functions_of_the_fields(run: Run) -> None:
    role = run.one(ROLE, "graphql-calls-role")
    trusted = json.loads(str(role.get("assumeRolePolicy")))["Statement"][0]
    assert trusted["Principal"] == {"Service": "appsync.amazonaws.com"}
    assert trusted["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": run.one(API, "graphql-api").outputs["arn"]},
    }
    (statement,) = statements(run, "graphql-calls-policy")
    assert statement["Action"] == ["lambda:InvokeFunction"]
    aliases = {
        name: run.one("aws:lambda/alias:Alias", f"{name}-live").outputs["arn"]
        for name in FIELDS.values()
    }
    assert statement["Resource"] == list(aliases.values())
    rights = run.one("aws:iam/rolePolicy:RolePolicy", "graphql-calls-policy")
    for name, alias in aliases.items():
        source = run.one(SOURCE, f"graphql-{name}-source")
        assert source.get("serviceRoleArn") == role.outputs["arn"]
        assert source.get("lambdaConfig.functionArn") == alias
        assert rights.urn in source.depends_on
        assert re.fullmatch("[_A-Za-z][_0-9A-Za-z]*", str(source.get("name")))


def test_every_field_of_the_schema_has_its_function(run: Run) -> None:
    text = SCHEMA.read_text(encoding="utf-8")
    declared = {
        f"{kind}.{field}"
        for kind in ("Query", "Mutation")
        for field in re.findall(
            r"^  (\w+)\(", text.split(f"type {kind} {{")[1].split("}")[0], re.MULTILINE
        )
    }
    resolvers = {f"{r.get('type')}.{r.get('field')}": r for r in run.all(RESOLVER)}
    assert set(resolvers) == declared == set(FIELDS)
    for field, resolver in resolvers.items():
        assert resolver.get("dataSource") == FIELDS[field].replace("-", "_")
        assert resolver.get("runtime") == {"name": "APPSYNC_JS", "runtimeVersion": "1.0.0"}
        assert resolver.get("kind") == "UNIT"
        code = str(resolver.get("code"))
        assert code == SCHEMA.with_name("resolvers.js").read_text(encoding="utf-8")
        assert len(code) < 32_000, "AppSync takes 32,000 characters of code"
    names = {resolver.name for resolver in resolvers.values()}
    assert "graphql-mutation-create-item-resolver" in names


STUB = """
export const util = {
  autoId: () => "made-up",
  urlEncode: encodeURIComponent,
  error: (message, errorType, data, errorInfo) => {
    throw Object.assign(new Error(message), { shown: { message, errorType, data, errorInfo } });
  },
};
"""
RUN = """
import { request, response } from "./resolvers.mjs";
const { what, ctx } = JSON.parse(process.argv[2]);
try {
  const made = what === "request" ? request(ctx) : response(ctx);
  console.log(JSON.stringify({ made }));
} catch (error) {
  if (!error.shown) throw error;
  console.log(JSON.stringify({ error: error.shown }));
}
"""

Resolve = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def resolve(tmp_path_factory: pytest.TempPathFactory) -> Resolve:
    """Runs `request` or `response` of the resolvers' code; AppSync's own library is stood in for."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not here")
    home = tmp_path_factory.mktemp("resolvers")
    library = home / "node_modules" / "@aws-appsync" / "utils"
    library.mkdir(parents=True)
    (library / "package.json").write_text('{"type": "module", "exports": "./index.js"}')
    (library / "index.js").write_text(STUB)
    shutil.copy(SCHEMA.with_name("resolvers.js"), home / "resolvers.mjs")
    (home / "run.mjs").write_text(RUN)

    def run(what: str, field: str, **ctx: Any) -> dict[str, Any]:
        asked_with = {"args": {}, "request": {"headers": {"x-correlation-id": "c-1"}}}
        context = {**asked_with, **ctx, "info": {"fieldName": field}}
        asked = json.dumps({"what": what, "ctx": context})
        command = [node, "run.mjs", asked]
        done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


LAMP = {"name": "lamp", "price": "19.90", "description": None, "tags": ["a"]}


@pytest.mark.parametrize(
    ("field", "args", "method", "route"),
    [
        ("item", {"id": "a b/ä"}, "GET", "/items/{id}"),
        ("items", {"limit": 5, "cursor": "xyz"}, "GET", "/items"),
        ("createItem", {"input": LAMP}, "POST", "/items"),
        ("updateItem", {"id": "i1", "version": 3, "input": LAMP}, "PUT", "/items/{id}"),
        ("deleteItem", {"id": "i1"}, "DELETE", "/items/{id}"),
    ],
)
def test_functions_get_the_request_they_know_from_the_rest_api(
    resolve: Resolve, field: str, args: dict[str, Any], method: str, route: str
) -> None:
    made = resolve("request", field, args=args)["made"]
    assert made["operation"] == "Invoke"
    request = Request(made["payload"])
    assert (request.method, request.route, request.id) == (method, route, "made-up")
    assert request.path_parameter("id") == args.get("id", "")
    assert request.header("x-correlation-id") == "c-1"
    assert request.header("if-match") == ('"3"' if "version" in args else None)
    assert request.query("limit") == ("5" if "limit" in args else None)
    assert request.query("cursor") == args.get("cursor")
    sent = json.loads(request.body()) if "input" in args else None
    assert sent == ({"name": "lamp", "price": "19.90", "tags": ["a"]} if sent else None)


def test_version_zero_and_limit_zero_are_asked_and_not_dropped(resolve: Resolve) -> None:
    args = {"id": "i1", "version": 0, "input": LAMP}
    payload = resolve("request", "updateItem", args=args)["made"]["payload"]
    assert payload["headers"]["If-Match"] == '"0"'
    payload = resolve("request", "items", args={"limit": 0, "cursor": None})["made"]["payload"]
    assert payload["queryStringParameters"] == {"limit": "0"}


def answered(status: int, body: Any) -> dict[str, Any]:
    return {"statusCode": status, "body": json.dumps(body) if body is not None else ""}


def test_answers_become_values(resolve: Resolve) -> None:
    item = {"id": "i1", "version": 1}
    assert resolve("response", "createItem", result=answered(201, item)) == {"made": item}
    page = {"items": [item], "nextCursor": None}
    assert resolve("response", "items", result=answered(200, page)) == {"made": page}
    gone = resolve("response", "deleteItem", args={"id": "i1"}, result=answered(204, None))
    assert gone == {"made": "i1"}


def problem(status: int, **more: Any) -> dict[str, Any]:
    body = {"title": "x", "status": status, "detail": "why", "requestId": "made-up", **more}
    return answered(status, body)


def test_an_item_that_is_not_there_is_null_where_it_is_read_and_an_error_where_it_is_changed(
    resolve: Resolve,
) -> None:
    assert resolve("response", "item", result=problem(404)) == {"made": None}
    error = resolve("response", "updateItem", result=problem(404))["error"]
    assert error["errorType"] == "NotFound"


def test_problems_become_errors_that_name_the_refused_members(resolve: Resolve) -> None:
    errors = [{"pointer": "/price", "detail": "must be a number"}]
    error = resolve("response", "createItem", result=problem(400, errors=errors))["error"]
    assert error == {
        "message": "why",
        "errorType": "BadRequest",
        "data": None,
        "errorInfo": {"status": 400, "requestId": "made-up", "errors": errors},
    }
    stale = resolve("response", "updateItem", result=problem(412))["error"]
    assert (stale["errorType"], stale["errorInfo"]["errors"]) == ("PreconditionFailed", [])
    assert resolve("response", "items", result=problem(500))["error"]["errorType"] == (
        "InternalServerError"
    )


@pytest.mark.parametrize(
    "ctx",
    [
        {"error": {"message": "secret", "type": "Lambda:Unhandled"}, "result": None},
        {"error": {"message": "secret"}, "result": {"statusCode": 200, "body": "{}"}},
        {"result": None},
        {"result": {"errorMessage": "secret"}},
    ],
)
def test_a_function_that_fails_tells_nothing_of_itself(
    resolve: Resolve, ctx: dict[str, Any]
) -> None:
    answer = resolve("response", "items", **ctx)
    assert answer["error"]["message"] == "Something went wrong on our side."
    assert "secret" not in json.dumps(answer)


def test_resolvers_use_nothing_that_appsync_has_not() -> None:
    """The runtime's manual: no exceptions, no plain loops, no classes, no regular expressions, no ++ and no await."""
    text = SCHEMA.with_name("resolvers.js").read_text(encoding="utf-8")
    code = re.sub(r"/\*.*?\*/|//[^\n]*|\"[^\"\n]*\"", "", text, flags=re.DOTALL)
    words = {"try", "throw", "class", "this", "async", "await", "while", "do", "continue", "yield"}
    assert not words & set(re.findall(r"\b[a-z]+\b", code))
    assert not re.search(r"\+\+|--|~|for \([^)]*;|instanceof|RegExp", code)
