"""OpenAPI that is right for everybody but API Gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.gateways import AUTHTYPE, EXTENSION, GUARD
from tests.support.breaking import Break, Mutation
from tests.support.breaks.api import body, part

RULE = "api-imports-without-loss"
SCHEMA = "components schemas ItemInput"
NAME = f"{SCHEMA} properties name"
POLICY = "x-amazon-apigateway-policy"
GET, ITEM, HEALTH = "paths /items get", "paths /items/{id} get", "paths /health get"
HEALTH_INTEGRATION = f"{HEALTH} {EXTENSION}"
GET_INTEGRATION = f"{GET} {EXTENSION}"
JWT_GUARD = f"components securitySchemes jwt {GUARD}"
ANSWERS = "x-amazon-apigateway-gateway-responses"
PREFLIGHT = "paths /health options"
HEADER = "responses default responseParameters method.response.header.Vary"


def at(path: str) -> Any:
    """Copy the health route to another path."""

    def change(written: dict[str, Any]) -> None:
        copied = {**written["paths"]["/health"]["get"]}
        copied["operationId"] = f"copy_{len(written['paths'])}"
        written["paths"][path] = {"get": copied}

    return body(change)


def _renamed(written: dict[str, Any]) -> None:
    schemas = written["components"]["schemas"]
    schemas["item-input"] = schemas["ItemInput"]


def _referred_to(written: dict[str, Any]) -> None:
    """A schema that a body's schema refers to is a body's, too."""
    schemas = written["components"]["schemas"]
    schemas["Inner"] = {"nullable": True}
    schemas["ItemInput"]["properties"]["inner"] = {"$ref": "#/components/schemas/Inner"}


def _many(written: dict[str, Any]) -> None:
    written["paths"] |= {f"/r{n}": written["paths"]["/health"] for n in range(301)}


def _many_schemes(written: dict[str, Any]) -> None:
    schemes = written["components"]["securitySchemes"]
    schemes |= {f"s{n}": schemes["jwt"] for n in range(10)}


def second(
    extensions: Mapping[str, Any], *, name: str = "Authorization", asked: bool = False
) -> Mutation:
    """One more security scheme, which GET /items may ask besides its own."""

    def change(written: dict[str, Any]) -> None:
        scheme = {"type": "apiKey", "in": "header", "name": name, **extensions}
        written["components"]["securitySchemes"]["second"] = scheme
        if asked:
            written["paths"]["/items"]["get"]["security"].append({"second": []})

    return body(change)


def pool(*arns: str) -> dict[str, Any]:
    """A scheme of user pools."""
    authorizer = {"type": "cognito_user_pools", "providerARNs": list(arns)}
    return {
        AUTHTYPE: "cognito_user_pools",
        GUARD: authorizer,
    }


def request(source: str) -> dict[str, Any]:
    """A scheme whose function is given the request."""
    authorizer = {"type": "request", "authorizerUri": "arn:x", "identitySource": source}
    return {
        AUTHTYPE: "custom",
        GUARD: authorizer,
    }


def admitting(*addresses: str, action: str = "execute-api:Invoke") -> dict[str, Any]:
    """A resource policy that lets these addresses in."""
    said = {"Principal": "*", "Action": action, "Resource": "execute-api:/*"}
    kept_out = {"NotIpAddress": {"aws:SourceIp": list(addresses)}}
    denied = {"Effect": "Deny", **said, "Condition": kept_out}
    return {"Statement": [{"Effect": "Allow", **said}, denied]}


# fmt: off
DOCUMENT = (
    ("imports 3.0", part("openapi", "3.1.0")),
    ("info.version is missing", part("info version", None)),
    ("security at the root", part("security", [{"jwt": []}])),
    ("webhooks is not imported", part("webhooks", {})),
    ("without methods", part("paths", {})),
    ("components.responses is not imported", part("components responses", {"Bad": {}})),
)
PATHS = (
    ("/ping is reserved", at("/ping")),
    ("'it ems' must be", at("/it ems")),
    ("'x{id}' must be", at("/x{id}")),
    ("nothing may follow a greedy", at("/files/{proxy+}/more")),
    ("a level has one variable", at("/items/{itemId}/parts")),
    ("resources; an API has 300", body(_many)),
)
OPERATIONS = (
    ("TRACE /health: not a method", part("paths /health trace", {})),
    ("GET /health: deprecated is not imported", part(f"{HEALTH} deprecated", value=True)),
    ("operationId 'health' is taken", part(f"{GET} operationId", "health")),
    ("no security scheme 'other'", part(f"{GET} security", [{"other": []}])),
    ("'limit' stands in two places", part(f"{GET} parameters 1 name", "limit")),
    ("example is not imported", part(f"{GET} parameters 0 example", 10)),
    ("a primitive type and nothing else", part(f"{GET} parameters 0 schema", {"type": "string", "pattern": "x"})),
    ("a primitive type and nothing else", part(f"{GET} parameters 0 schema", {"type": "array"})),
    ("exactly the path's parameters", part(f"{ITEM} parameters", [])),
    ("names no response", part(f"{HEALTH} responses", {})),
    ("'ok' is no status", part(f"{HEALTH} responses ok", {"description": "fine"})),
    ("references to responses", part(f"{HEALTH} responses 400", {"$ref": "#/components/responses/Bad"})),
    ("response 200 needs a description", part(f"{HEALTH} responses 200", {"x": 1})),
    ("as application/json only", part("paths /items post requestBody content text/plain", {})),
)
INTEGRATIONS = (
    ("cannot be deployed", part(HEALTH_INTEGRATION, None)),
    ("type 'lambda' is unknown", part(f"{HEALTH_INTEGRATION} type", "lambda")),
    ("timeoutInMillis is 30000", part(f"{HEALTH_INTEGRATION} timeoutInMillis", 30_000)),
    ("passthroughBehavior", part(f"{HEALTH_INTEGRATION} passthroughBehavior", None)),
    ("httpMethod must be POST", part(f"{HEALTH_INTEGRATION} httpMethod", "GET")),
    ("uri must be a function's invoke ARN", part(f"{HEALTH_INTEGRATION} uri", "arn:aws:lambda:us-west-2:1:function:x")),
    ("a mock needs a request template", part(f"{PREFLIGHT} {EXTENSION} requestTemplates", None)),
    ("is not declared by response 204", part(f"{PREFLIGHT} responses 204 headers Vary", None)),
    ("Vary: a static value stands in single quotes", part(f"{PREFLIGHT} {EXTENSION} {HEADER}", "Origin")),
)
SCHEMES = (
    ("type apiKey in a header only", part("components securitySchemes jwt type", "http")),
    ("type token or request", part(f"{JWT_GUARD} type", "jwt")),
    ("authorizerResultTtlInSeconds", part(f"{JWT_GUARD} authorizerResultTtlInSeconds", 3601)),
    ("exactly the header", part(f"{JWT_GUARD} identitySource", "method.request.querystring.token")),
    ("authorizers; an API has 10", body(_many_schemes)),
    ("asks one authorizer, not 2", second({AUTHTYPE: "awsSigv4"}, name="Authorization", asked=True)),
    ("awsSigv4 reads the header Authorization", second({AUTHTYPE: "awsSigv4"}, name="X-Signature")),
    ("whose header is x-api-key", part("components securitySchemes api_key name", "X-Key")),
    ("cognito_user_pools with providerARNs", second(pool())),
    ("'us-west-2_x' is no user pool's ARN", second(pool("us-west-2_x"))),
    ("remembers answers for everybody alike", second(request(""))),
    ("'header.X' is no identity source", second(request("header.X"))),
)
SERVICE = f"paths /notifications post {EXTENSION}"
WHOLE = (
    ("uri must be arn:<partition>:apigateway", part(f"{SERVICE} uri", "https://sqs.us-west-2.amazonaws.com")),
    ("a service is called in a role", part(f"{SERVICE} credentials", "api-role")),
    ("httpMethod must say how", part(f"{SERVICE} httpMethod", None)),
    ("must be text; API Gateway drops it", part(f"{SERVICE} requestParameters integration.request.header.X", 1)),
    ("Cache-Control is not declared by response 202", part("paths /notifications post responses 202 headers Cache-Control", None)),
    ("contentHandling must be one of", part(f"{HEALTH_INTEGRATION} contentHandling", "TEXT")),
    ("is no parameter of the method", part(f"{GET_INTEGRATION} cacheKeyParameters", ["method.request.querystring.page"])),
    ("'image' is no media type", part("x-amazon-apigateway-binary-media-types", ["image"])),
    ("OPTIONS /health: contentHandling must be", part("x-amazon-apigateway-binary-media-types", ["*/*"])),
    ("must be HEADER or AUTHORIZER", part("x-amazon-apigateway-api-key-source", "QUERY")),
    ("has more than 8192 characters", part(POLICY, admitting(*(f"2001:db8::{n:x}/128" for n in range(600))))),
    ("about execute-api:Invoke on execute-api:/*", part(POLICY, admitting("192.0.2.0/24", action="execute-api:*"))),
    ("must allow callers, and deny", part(POLICY, {"Statement": admitting("192.0.2.0/24")["Statement"][:1]})),
    ("must allow callers, and deny", part(POLICY, {"Statement": admitting("192.0.2.0/24")["Statement"][1:]})),
)
ADDED = f"{SCHEMA} properties stars"
SCHEMAS = (
    ("letters and digits only", body(_renamed)),
    *((f"properties.name.{word} is no keyword that API Gateway takes", part(f"{NAME} {word}", "x")) for word in (
        "nullable", "example", "examples", "readOnly", "writeOnly", "default", "deprecated", "discriminator", "const",
        "if", "exclusiveMinimum", "$defs", "$schema", "dependentRequired", "patternProperties", "id",
    )),
    *((f"properties.stars.{word} must be {wanted} (got {value!r})", part(ADDED, {word: value})) for word, value, wanted in (
        ("minimum", "1", "a number"),
        ("minimum", True, "a number"),
        ("maximum", None, "a number"),
        ("exclusiveMaximum", 5, "true or false, beside maximum"),
        ("multipleOf", 0, "a number above 0"),
        ("minLength", -1, "a whole number, 0 or more"),
        ("maxLength", 1.5, "a whole number, 0 or more"),
        ("minItems", "1", "a whole number, 0 or more"),
        ("maxItems", True, "a whole number, 0 or more"),
        ("minProperties", None, "a whole number, 0 or more"),
        ("maxProperties", [], "a whole number, 0 or more"),
        ("uniqueItems", "true", "true or false"),
        ("additionalProperties", "false", "true, false or a schema"),
        ("properties", [], "an object of schemas"),
        ("items", [], "a schema"),
        ("not", True, "a schema"),
        ("allOf", {}, "a list of schemas, one at least"),
        ("anyOf", [], "a list of schemas, one at least"),
        ("oneOf", None, "a list of schemas, one at least"),
        ("title", 1, "text"),
        ("description", ["a"], "text"),
        ("$ref", 1, "text"),
    )),
    *((f"{word} must be a list", part(ADDED, {word: value})) for word, value in (
        ("required", []), ("required", ["a", "a"]), ("required", True), ("required", [1]),
        ("enum", []), ("enum", [1, 1]), ("enum", "a"),
    )),
    *((f"pattern must be a regular expression (ECMA 262, 5.1) (got {pattern!r})", part(ADDED, {"pattern": pattern})) for pattern in (
        "(", "[", "*", "\\p{L}", "(?P<a>x)", "(?<a>x)", "(?<=a)x", "(?i)x", "(?>x)", "\\Ax", "x\\Z", "a++", "a{2}+", 1,
    )),
    *(("type must be one of", part(f"{NAME} type", kind)) for kind in (["string", "null"], "null", "strng", 4000)),
    *(("format must be a format that", part(f"{NAME} format", kind)) for kind in ("int64", 64)),
    ("exclusiveMaximum says nothing without maximum", part(ADDED, {"exclusiveMaximum": True})),
    ("anyOf may not hold a reference", part(f"{NAME} anyOf", [{"$ref": "#/components/schemas/ItemInput"}])),
    ("schemas/ItemInput.json: it must be a schema", part(SCHEMA, value=True)),
    ("schemas/ItemInput.json: properties.stars must be a schema", part(ADDED, value=True)),
    ("properties.price.anyOf[0] must be a schema", part(f"{SCHEMA} properties price anyOf", ["text"])),
    ("schemas/ItemInput.json: properties.tags.items.nullable is", part(f"{SCHEMA} properties tags items nullable", value=True)),
    ("schemas/ItemInput.json: properties.price.anyOf[0].nullable is", part(f"{SCHEMA} properties price anyOf 0 nullable", value=True)),
    ("schemas/ItemInput.json: additionalProperties.nullable is", part(f"{SCHEMA} additionalProperties", {"nullable": True})),
    ("schemas/ItemInput.json: not.nullable is", part(f"{SCHEMA} not", {"nullable": True})),
    ("schemas/answers/Odd.json: nullable is", part("components schemas Odd", {"nullable": True})),
    ("schemas/Inner.json: nullable is", body(_referred_to)),
    ("name.$ref is 'other.json#/Name': only schemas of the same", part(f"{NAME} $ref", "other.json#/Name")),
    ("name.$ref is '#/components/schemas/Gone': there is no such", part(f"{NAME} $ref", "#/components/schemas/Gone")),
    ("reference '#/components/schemas/Gone': there is no", part("paths /items post requestBody content application/json schema $ref", "#/components/schemas/Gone")),
)
GATEWAY = (
    ("DEFAULT_5XX is missing", part(f"{ANSWERS} DEFAULT_5XX", None)),
    ("REQUEST_TOO_LARGE: cannot be customised", part(f"{ANSWERS} REQUEST_TOO_LARGE", {})),
    ("statusCode is text", part(f"{ANSWERS} THROTTLED statusCode", 429)),
    ("must be gatewayresponse.header", part(f"{ANSWERS} THROTTLED responseParameters Retry-After", "'1'")),
    ("a static value stands in single quotes", part(f"{ANSWERS} THROTTLED responseParameters gatewayresponse.header.Retry-After", "1")),
    ("chosen by application/json only", part(f"{ANSWERS} THROTTLED responseTemplates application/problem+json", "{}")),
    ("an empty template", part(f"{ANSWERS} THROTTLED responseTemplates application/json", "")),
    ("it is no VTL", part(f"{ANSWERS} THROTTLED responseTemplates application/json", '{"a": $util.escape("x")}')),
    ("it is no VTL", part(f"{ANSWERS} THROTTLED responseTemplates application/json", '#set($x = 1){"a": 1}')),
    ("BAD_REQUEST_BODY only", part(f"{ANSWERS} THROTTLED responseTemplates application/json", '"$context.error.validationErrorString"')),
    ("(RFC 9457)", part(f"{ANSWERS} THROTTLED responseTemplates application/json", '{"message": "slow down"}')),
    ("(RFC 9457)", part(f"{ANSWERS} THROTTLED responseTemplates application/json", '{"detail": "$context.error.messageString"')),
)
# fmt: on

_READ = tuple(
    Break(RULE, says, mutation)
    for says, mutation in (
        *DOCUMENT,
        *PATHS,
        *OPERATIONS,
        *INTEGRATIONS,
        *SCHEMES,
        *WHOLE,
        *SCHEMAS,
        *GATEWAY,
    )
)

# What the document says is importable; whom it believes is a question of its own.
SOMEBODYS = "arn:aws:cognito-idp:us-west-2:999999999999:userpool/us-west-2_somebodys"
BREAKS = (
    *_READ,
    Break(
        "method-believes-our-pool", "neither a user pool of this stack nor", second(pool(SOMEBODYS))
    ),
)
