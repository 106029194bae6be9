"""AppSync: GraphQL APIs with their sources, functions and resolvers. No query is answered here."""

from __future__ import annotations

import hashlib
from typing import Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import tags

_WHY: Final = "the sandbox answers no GraphQL query"


def _mark(r: Resource) -> str:
    return hashlib.sha256(r.urn.encode()).hexdigest()[:26]


def _arn(r: Resource, api_id: str, *more: str) -> str:
    return "/".join([f"arn:aws:appsync:{r.aws.region}:{r.aws.account}:apis", api_id, *more])


@resource("aws:appsync/graphQLApi:GraphQLApi", not_simulated=_WHY)
def graphql_api(r: Resource) -> Outputs:
    own = _mark(r)
    return {
        "id": own,
        "name": r.auto_name(),
        "arn": _arn(r, own),
        "uris": {
            "GRAPHQL": f"https://{own}.appsync-api.{r.aws.region}.amazonaws.com/graphql",
            "REALTIME": f"wss://{own}.appsync-realtime-api.{r.aws.region}.amazonaws.com/graphql",
        },
        "tagsAll": tags(r),
    }


@resource("aws:appsync/dataSource:DataSource", not_simulated=_WHY)
def data_source(r: Resource) -> Outputs:
    api_id, name = r.take("apiId"), r.auto_name().replace("-", "_")
    return {"id": f"{api_id}-{name}", "name": name, "arn": _arn(r, api_id, "datasources", name)}


@resource("aws:appsync/resolver:Resolver", not_simulated=_WHY)
def resolver(r: Resource) -> Outputs:
    api_id, kind, field = r.take("apiId"), r.take("type"), r.take("field")
    return {
        "id": f"{api_id}-{kind}-{field}",
        "arn": _arn(r, api_id, "types", kind, "resolvers", field),
    }


@resource("aws:appsync/function:Function", not_simulated=_WHY)
def function(r: Resource) -> Outputs:
    api_id, own = r.take("apiId"), _mark(r)
    return {
        "id": f"{api_id}-{own}",
        "functionId": own,
        "name": r.auto_name(),
        "arn": _arn(r, api_id, "functions", own),
    }


@resource("aws:appsync/apiKey:ApiKey", not_simulated=_WHY)
def api_key(r: Resource) -> Outputs:
    api_id, own = r.take("apiId"), f"da2-{_mark(r)}"
    return {"id": f"{api_id}:{own}", "apiKeyId": own, "key": own}


@resource("aws:appsync/apiCache:ApiCache", not_simulated=_WHY)
def api_cache(r: Resource) -> Outputs:
    return {"id": r.take("apiId")}
