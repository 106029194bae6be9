"""GraphQL APIs: who may ask, how much at once, and in which roles AppSync works."""

from __future__ import annotations

from collections.abc import Iterator

from policies import aws, documents, links
from policies.model import Registered, Stack, rule

SERVICE = "appsync.amazonaws.com"
LOGS = frozenset({"logs:CreateLogStream", "logs:PutLogEvents"})
INVOKE = "lambda:InvokeFunction"
MOST_DEPTH, MOST_RESOLVERS = 75, 10_000


@rule
def graphql_asks_who_is_calling(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A user pool of this stack, and nothing that opens without a user: no API key."""
    for api in stack.all(aws.GRAPHQL_API):
        pool = stack.answering("id", str(api.get("userPoolConfig.userPoolId")), aws.USER_POOL)
        if api.get("authenticationType") != "AMAZON_COGNITO_USER_POOLS" or pool is None:
            yield api, "must ask a user pool of this stack (AMAZON_COGNITO_USER_POOLS)"
        if api.get("userPoolConfig.defaultAction") not in {None, "ALLOW"}:
            yield api, "userPoolConfig.defaultAction must be ALLOW: DENY refuses every user"
        for other in api.get("additionalAuthenticationProviders") or []:
            kind = other.get("authenticationType")
            if kind == "API_KEY":
                yield api, "an API key lets everybody in who has read the page's source"


@rule
def graphql_is_limited_and_seen(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """One question cannot ask for everything; errors are written down without what was asked."""
    for api in stack.all(aws.GRAPHQL_API):
        if not 1 <= (api.get("queryDepthLimit") or 0) <= MOST_DEPTH:
            yield api, f"queryDepthLimit must be 1 to {MOST_DEPTH}"
        if not 1 <= (api.get("resolverCountLimit") or 0) <= MOST_RESOLVERS:
            yield api, f"resolverCountLimit must be 1 to {MOST_RESOLVERS}"
        if api.get("xrayEnabled") is not True:
            yield api, "set xrayEnabled"
        if api.get("logConfig.fieldLogLevel") not in {"ERROR", "ALL"}:
            yield api, "logConfig.fieldLogLevel must be ERROR or ALL"
        if api.get("logConfig.excludeVerboseContent") is not True:
            yield api, "set logConfig.excludeVerboseContent: it would log headers and tokens"


@rule
def graphql_logs_to_a_group_of_ours(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AppSync would make the group itself, without retention; its role writes there and nowhere else."""
    for api in stack.all(aws.GRAPHQL_API):
        wanted = f"/aws/appsync/apis/{api.output('id')}"
        groups = stack.having(aws.LOG_GROUP, name=wanted)
        if not groups:
            yield api, f"AppSync will make the log group {wanted} itself; declare it"
        role = stack.at(str(api.get("logConfig.cloudwatchLogsRoleArn")), aws.ROLE)
        if documents.pairs(links.rights(stack, role)) != {
            (a, f"{g.output('arn')}:*") for g in groups for a in LOGS
        }:
            yield api, f"its log role must hold exactly {', '.join(sorted(LOGS))} on its group"


@rule
def resolver_acts_in_an_exact_role(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AppSync invokes in the data source's role, not by permission: exactly its function's alias."""
    for source in stack.having(aws.DATA_SOURCE, type="AWS_LAMBDA"):
        arn = source.get("serviceRoleArn")
        started = {
            (INVOKE, str(s.get("lambdaConfig.functionArn")))
            for s in stack.having(aws.DATA_SOURCE, serviceRoleArn=arn)
        }
        role = stack.at(str(arn), aws.ROLE)
        if documents.pairs(links.rights(stack, role)) != started:
            yield source, f"its role must hold {INVOKE} on exactly its function"
        yield from stack.not_awaited(source, links.policies_of(stack, role))


RULES = (
    graphql_asks_who_is_calling,
    graphql_is_limited_and_seen,
    graphql_logs_to_a_group_of_ours,
    resolver_acts_in_an_exact_role,
)
