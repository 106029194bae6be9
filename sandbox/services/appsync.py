"""AppSync: GraphQL APIs that answer, with their sources and resolvers; JavaScript runs in Node.js."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from sandbox.resources import Outputs, Resource, RestartNeeded, resource
from sandbox.services.shared import REGION, dropped, remove, replaced, tags

APPSYNC: Final = "appsync"
_FIXED: Final = ("apiType", "visibility")
"""What an API has from its start to its end."""
_OWN: Final = (
    "additionalAuthenticationProviders",
    "authenticationType",
    "enhancedMetricsConfig",
    "introspectionConfig",
    "lambdaAuthorizerConfig",
    "logConfig",
    "mergedApiExecutionRoleArn",
    "openidConnectConfig",
    "queryDepthLimit",
    "resolverCountLimit",
    "userPoolConfig",
    "xrayEnabled",
)
_RECORDED: Final = {
    "logConfig": "its logs are not written",
    "xrayEnabled": "nothing is traced",
    "enhancedMetricsConfig": "metrics are not written",
    "queryDepthLimit": "its limit of depth is recorded: queries of any depth are answered",
    "resolverCountLimit": "its limit of resolvers is recorded: a query may start any number",
}
"""Settings that nothing here acts on, and what is said of them."""
_RUN: Final = ("NONE", "HTTP", "AMAZON_DYNAMODB", "AWS_LAMBDA")
"""Types of sources that the emulator asks."""


@resource("aws:appsync/graphQLApi:GraphQLApi", ignored=REGION)
def graphql_api(r: Resource) -> Outputs:
    name, wanted, schema = r.auto_name(), tags(r), r.take("schema")
    made = r.api(APPSYNC, "create_graphql_api", *_OWN, *_FIXED, name=name, tags=wanted or None)
    api = made["graphqlApi"]
    _define(r, api["apiId"], schema)
    _note_api(r, schema)
    return _api_outputs(r, api["apiId"], name, wanted)


@graphql_api.updates
def update_graphql_api(r: Resource) -> Outputs:
    if moved := r.changed & set(_FIXED):
        raise RestartNeeded(f"{min(moved)} of a GraphQL API cannot change")
    old, name, wanted, schema = dict(r.old or {}), r.auto_name(), tags(r), r.take("schema")
    for key in _FIXED:
        r.take(key)
    r.api(APPSYNC, "update_graphql_api", *_OWN, apiId=old["id"], name=name)
    if "schema" in r.changed:
        _define(r, old["id"], schema)
    _note_api(r, schema)
    if extra := dropped(r, wanted):
        r.call(APPSYNC, "untag_resource", resourceArn=old["arn"], tagKeys=extra)
    if wanted:
        r.call(APPSYNC, "tag_resource", resourceArn=old["arn"], tags=wanted)
    return _api_outputs(r, old["id"], name, wanted)


@graphql_api.deletes
def delete_graphql_api(r: Resource) -> None:
    remove(r, APPSYNC, "delete_graphql_api", apiId=(r.old or {})["id"])


def _define(r: Resource, api_id: str, schema: str | None) -> None:
    """Set the schema; raises ValueError where it is none."""
    if not schema:
        return
    r.call(APPSYNC, "start_schema_creation", apiId=api_id, definition=schema.encode())
    found = r.call(APPSYNC, "get_schema_creation_status", apiId=api_id)
    if found["status"] == "FAILED":
        raise ValueError(f"the schema is refused: {found['details']}")


def _note_api(r: Resource, schema: str | None) -> None:
    own, text = r.inputs, schema or ""
    others = own.get("additionalAuthenticationProviders") or []
    denies = (own.get("userPoolConfig") or {}).get("defaultAction") == "DENY"
    said = {
        "callers can read its schema all the same": own.get("introspectionConfig") == "DISABLED",
        "a sandbox has no VPC: whoever reaches this machine reaches it": own.get("visibility")
        == "PRIVATE",
        "the APIs that it merges do not run in it": own.get("apiType") == "MERGED",
        "tokens of its OpenID Connect provider are not verified": "OPENID_CONNECT"
        in [each.get("authenticationType") for each in (own, *others)],
        "rules about single fields are not applied: who may ask may ask everything": denies
        or "@aws_" in text,
        "nobody is told of changes: subscriptions do not run here": "type Subscription" in text,
    }
    said.update({text: bool(own.get(key)) for key, text in _RECORDED.items()})
    for text, is_so in said.items():
        if is_so:
            r.note(text)


def _api_outputs(r: Resource, api_id: str, name: str, wanted: dict[str, str]) -> Outputs:
    region = r.aws.region
    return {
        "id": api_id,
        "name": name,
        "arn": f"arn:aws:appsync:{region}:{r.aws.account}:apis/{api_id}",
        "uris": {
            # The path form, which needs no name resolution.
            "GRAPHQL": f"{r.aws.endpoint}/v1/apis/{api_id}/graphql",
            "REALTIME": f"wss://{api_id}.appsync-realtime-api.{region}.amazonaws.com/graphql",
        },
        "tagsAll": wanted,
    }


_SOURCE: Final = {
    "dynamodbConfig.region": "awsRegion",
    "elasticsearchConfig.region": "awsRegion",
    "lambdaConfig.functionArn": "lambdaFunctionArn",
    "opensearchserviceConfig.region": "awsRegion",
    "relationalDatabaseConfig.httpEndpointConfig.region": "awsRegion",
    "relationalDatabaseConfig.sourceType": "relationalDatabaseSourceType",
    "relationalDatabaseConfig.httpEndpointConfig": "rdsHttpEndpointConfig",
}


@resource("aws:appsync/dataSource:DataSource", ignored=REGION)
def data_source(r: Resource) -> Outputs:
    return _source(r, "create_data_source")


@data_source.updates
def update_data_source(r: Resource) -> Outputs:
    if r.changed & {"apiId", "name"}:
        return replaced(data_source.create, delete_data_source)(r)
    return _source(r, "update_data_source")


@data_source.deletes
def delete_data_source(r: Resource) -> None:
    old = r.old or {}
    remove(r, APPSYNC, "delete_data_source", apiId=old["apiId"], name=old["name"])


def _source(r: Resource, operation: str) -> Outputs:
    api_id, kind = r.take("apiId"), r.inputs["type"]
    # Names of GraphQL have no hyphens.
    name = r.auto_name().replace("-", "_")
    made = r.api(APPSYNC, operation, rename=_SOURCE, apiId=api_id, name=name)["dataSource"]
    if kind not in _RUN:
        r.note(f"sources of type {kind} do not run here")
    elif kind != "AWS_LAMBDA" and r.inputs.get("serviceRoleArn"):
        r.note("the rights of its role are not judged")
    return {
        "id": f"{api_id}-{name}",
        "apiId": api_id,
        "name": name,
        "arn": made["dataSourceArn"],
    }


_RESOLVER: Final = {
    "dataSource": "dataSourceName",
    "requestTemplate": "requestMappingTemplate",
    "responseTemplate": "responseMappingTemplate",
}


@resource("aws:appsync/resolver:Resolver", ignored=REGION)
def resolver(r: Resource) -> Outputs:
    return _resolver(r, "create_resolver")


@resolver.updates
def update_resolver(r: Resource) -> Outputs:
    if r.changed & {"apiId", "type", "field"}:
        return replaced(resolver.create, delete_resolver)(r)
    return _resolver(r, "update_resolver")


@resolver.deletes
def delete_resolver(r: Resource) -> None:
    old = r.old or {}
    where = {"apiId": old["apiId"], "typeName": old["type"], "fieldName": old["field"]}
    remove(r, APPSYNC, "delete_resolver", **where)


def _resolver(r: Resource, operation: str) -> Outputs:
    api_id, kind, field = r.take("apiId"), r.take("type"), r.take("field")
    where = {"apiId": api_id, "typeName": kind, "fieldName": field}
    made = r.api(APPSYNC, operation, rename=_RESOLVER, **where)["resolver"]
    _note_code(r, "requestTemplate", "responseTemplate")
    if r.inputs.get("cachingConfig"):
        r.note("its answers are not cached")
    return {
        "id": f"{api_id}-{kind}-{field}",
        "apiId": api_id,
        "type": kind,
        "field": field,
        "arn": made["resolverArn"],
    }


def _note_code(r: Resource, *templates: str) -> None:
    if any(r.inputs.get(key) for key in templates):
        r.note("its mapping templates do not run: JavaScript does")
    if r.inputs.get("maxBatchSize"):
        r.note("its source is asked once for each item, not in batches")
    if r.inputs.get("syncConfig"):
        r.note("conflicts of versions are not looked for")


@resource("aws:appsync/function:Function", ignored=REGION)
def function(r: Resource) -> Outputs:
    return _function(r, "create_function")


@function.updates
def update_function(r: Resource) -> Outputs:
    if "apiId" in r.changed:
        return replaced(function.create, delete_function)(r)
    return _function(r, "update_function", functionId=(r.old or {})["functionId"])


@function.deletes
def delete_function(r: Resource) -> None:
    old = r.old or {}
    remove(r, APPSYNC, "delete_function", apiId=old["apiId"], functionId=old["functionId"])


def _function(r: Resource, operation: str, **which: str) -> Outputs:
    api_id, name = r.take("apiId"), r.auto_name().replace("-", "_")
    made = r.api(
        APPSYNC,
        operation,
        rename={"dataSource": "dataSourceName"},
        apiId=api_id,
        name=name,
        **which,
    )["functionConfiguration"]
    _note_code(r, "requestMappingTemplate", "responseMappingTemplate")
    return {
        "id": f"{api_id}-{made['functionId']}",
        "apiId": api_id,
        "functionId": made["functionId"],
        "name": name,
        "arn": made["functionArn"],
    }


@resource("aws:appsync/apiKey:ApiKey", ignored=REGION)
def api_key(r: Resource) -> Outputs:
    api_id = r.take("apiId")
    return _key_outputs(api_id, r.call(APPSYNC, "create_api_key", **_key(r), apiId=api_id))


@api_key.updates
def update_api_key(r: Resource) -> Outputs:
    if "apiId" in r.changed:
        return replaced(api_key.create, delete_api_key)(r)
    which = {"apiId": r.take("apiId"), "id": (r.old or {})["apiKeyId"]}
    return _key_outputs(which["apiId"], r.call(APPSYNC, "update_api_key", **_key(r), **which))


@api_key.deletes
def delete_api_key(r: Resource) -> None:
    old = r.old or {}
    remove(r, APPSYNC, "delete_api_key", apiId=old["apiId"], id=old["apiKeyId"])


def _key(r: Resource) -> dict[str, Any]:
    moment = r.take("expires")
    r.note("it goes on after its end")
    return {
        "description": r.take("description", "Managed by Pulumi"),
        "expires": int(dt.datetime.fromisoformat(moment).timestamp()) if moment else None,
    }


def _key_outputs(api_id: str, made: dict[str, Any]) -> Outputs:
    key = made["apiKey"]
    end = dt.datetime.fromtimestamp(key["expires"], dt.UTC)
    return {
        "id": f"{api_id}:{key['id']}",
        "apiId": api_id,
        "apiKeyId": key["id"],
        "key": key["id"],
        "expires": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


@resource("aws:appsync/apiCache:ApiCache", not_simulated="every query is answered anew")
def api_cache(r: Resource) -> Outputs:
    return {"id": r.take("apiId")}
