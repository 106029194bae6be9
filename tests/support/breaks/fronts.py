"""Domains, load balancers and GraphQL APIs: weak, open, unlimited, or leading nowhere."""

from __future__ import annotations

from typing import Any

from policies import aws
from tests.support.breaking import (
    Break,
    Mutation,
    again,
    allowed,
    edited,
    not_waiting,
    registered,
    without,
)
from tests.support.breaks.everything import DATA_KEY, FUNCTIONS, more

SHARED, TLS, ONCE, LEADS, CLOSED = (
    "domain-is-one-that-apis-may-share",
    "domain-speaks-tls-as-it-should",
    "domain-is-made-once",
    "domain-leads-somewhere",
    "closed-address-leaves-another",
)
CAREFUL, LISTENS, REACHED = (
    "load-balancer-is-careful",
    "listener-speaks-tls",
    "target-is-reached-and-permitted",
)
WHO, LIMITED, LOGS, ROLES = (
    "graphql-asks-who-is-calling",
    "graphql-is-limited-and-seen",
    "graphql-logs-to-a-group-of-ours",
    "resolver-acts-in-an-exact-role",
)
PLACE = "domainNameConfiguration"
API_NAME, SHOP_NAME, LIVE_NAME = (f"domain-{d}-example-com-name" for d in ("api", "shop", "live"))
REDIRECT = "defaultActions.0.redirect"


def every(type_: str, name: str, path: str, value: Any) -> Mutation:
    return more(edited(type_, name, {path: value}))


def domain(path: str, value: Any) -> Mutation:
    return every(aws.DOMAIN, API_NAME, path, value)


def balancer(path: str, value: Any) -> Mutation:
    return every(aws.LOAD_BALANCER, "balancer-alb", path, value)


def graphql(path: str, value: Any) -> Mutation:
    return every(aws.GRAPHQL_API, "graphql-api", path, value)


# fmt: off
DOMAINS = (
    *(Break(SHARED, "make it with apigatewayv2", more(registered(type_, "old"))) for type_ in (aws.REST_DOMAIN, aws.BASE_PATH_MAPPING)),
    Break(TLS, "securityPolicy is TLS_1_0", domain(f"{PLACE}.securityPolicy", "TLS_1_0")),
    Break(TLS, "securityPolicy is None", every(aws.DOMAIN, SHOP_NAME, f"{PLACE}.securityPolicy", None)),
    Break(TLS, "must be REGIONAL", domain(f"{PLACE}.endpointType", "EDGE")),
    Break(TLS, "names no certificate", every(aws.DOMAIN, SHOP_NAME, f"{PLACE}.certificateArn", None)),
    Break(TLS, "must wait until domain-api-example-com-certificate", more(without(aws.CERTIFICATE_VALIDATION, "domain-api-example-com-validation"))),
    Break(TLS, "must wait until domain-live-example-com-certificate", more(not_waiting(aws.DOMAIN, LIVE_NAME, "domain-live-example-com-validation"))),
    Break(LEADS, "no mapping leads", more(without(aws.API_MAPPING, "api-domain-mapping"))),
    Break(LEADS, "have the path 'v1'", more(again(aws.API_MAPPING, "api-domain-mapping"))),
    Break(LEADS, "leads to no stage", every(aws.API_MAPPING, "api-domain-mapping", "stage", "other")),
    Break(LEADS, "leads to no stage", every(aws.API_MAPPING, "http-domain-mapping", "stage", "other")),
    Break(ONCE, "AWS refuses that", every(aws.API_MAPPING, "http-domain-mapping", "domainName", "live.example.com")),
    Break(ONCE, "is made 2 times", every(aws.DOMAIN, SHOP_NAME, "domainName", "api.example.com")),
    Break(CLOSED, "give it a domain", more(without(aws.API_MAPPING, "api-domain-mapping"))),
    Break(CLOSED, "give it a domain", edited(aws.API, "socket-api", {"disableExecuteApiEndpoint": True})),
)
BALANCERS = (
    Break(CAREFUL, "must be internal", balancer("internal", value=False)),
    Break(CAREFUL, "set dropInvalidHeaderFields", balancer("dropInvalidHeaderFields", None)),
    Break(CAREFUL, "desyncMitigationMode must be", balancer("desyncMitigationMode", "monitor")),
    Break(CAREFUL, "needs subnets in 2 zones", balancer("subnets", ["subnet-0123456789abcdef0"])),
    Break(CAREFUL, "needs a security group", balancer("securityGroups", None)),
    Break(CAREFUL, "set enableDeletionProtection", more(), stack="prod"),
    Break(LISTENS, "sslPolicy must be", every(aws.LISTENER, "balancer-https", "sslPolicy", "ELBSecurityPolicy-2016-08")),
    Break(LISTENS, "names no certificate", every(aws.LISTENER, "balancer-https", "certificateArn", None)),
    Break(LISTENS, "fixed response 404", every(aws.LISTENER, "balancer-https", "defaultActions.0.fixedResponse.statusCode", "200")),
    Break(LISTENS, "redirect to HTTPS", every(aws.LISTENER, "balancer-http", f"{REDIRECT}.protocol", "HTTP")),
    Break(LISTENS, "redirect to HTTPS", every(aws.LISTENER, "balancer-http", f"{REDIRECT}.statusCode", "HTTP_302")),
    Break(LISTENS, "redirect to HTTPS", every(aws.LISTENER_RULE, "balancer-health-rule", "listenerArn", "arn:aws:lb:us-west-2:123456789012:balancer-http-0123456")),
    Break(REACHED, "targetType must be lambda", every(aws.TARGET_GROUP, "balancer-health-targets", "targetType", "ip")),
    Break(REACHED, "no listener rule leads", more(without(aws.LISTENER_RULE, "balancer-health-rule"))),
    Break(REACHED, "has 0 functions attached", more(without(aws.TARGET_GROUP_ATTACHMENT, "balancer-health-attachment"))),
    Break(REACHED, "must wait for balancer-health-permission", more(not_waiting(aws.TARGET_GROUP_ATTACHMENT, "balancer-health-attachment", "balancer-health-permission"))),
    Break("everything-wired-may-invoke", "(target) may not invoke it", more(without(aws.PERMISSION, "balancer-health-permission"))),
    Break("permission-is-used", "no route, authorizer, target", every(aws.PERMISSION, "balancer-health-permission", "sourceArn", "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/x/y")),
    Break("what-is-started-exists", "(target)", every(aws.TARGET_GROUP_ATTACHMENT, "balancer-health-attachment", "targetId", "arn:aws:lambda:us-west-2:999999999999:function:elsewhere")),
)
GRAPHQL = (
    Break(WHO, "must ask a user pool", graphql("authenticationType", "API_KEY")),
    Break(WHO, "must ask a user pool", graphql("userPoolConfig.userPoolId", "us-west-2_somebodys")),
    Break(WHO, "DENY refuses", graphql("userPoolConfig.defaultAction", "DENY")),
    Break(WHO, "an API key lets everybody in", graphql("additionalAuthenticationProviders", [{"authenticationType": "API_KEY"}])),
    Break(LIMITED, "queryDepthLimit", graphql("queryDepthLimit", 0)),
    Break(LIMITED, "resolverCountLimit", graphql("resolverCountLimit", None)),
    Break(LIMITED, "set xrayEnabled", graphql("xrayEnabled", value=False)),
    Break(LIMITED, "fieldLogLevel must be", graphql("logConfig.fieldLogLevel", "NONE")),
    Break(LIMITED, "set logConfig.excludeVerboseContent", graphql("logConfig.excludeVerboseContent", value=False)),
    Break(LOGS, "itself; declare it", more(without(aws.LOG_GROUP, "graphql-logs"))),
    Break(LOGS, "must hold exactly", more(allowed("graphql-logs-policy", "logs:CreateLogGroup", on="*"))),
    Break(ROLES, "on exactly its function", every(aws.DATA_SOURCE, "graphql-get-item-source", "lambdaConfig.functionArn", f"{FUNCTIONS}-health:live")),
    Break(ROLES, "on exactly its function", more(allowed("graphql-calls-policy", "kms:Decrypt", on=DATA_KEY))),
    Break(ROLES, "must wait for graphql-calls-policy", more(not_waiting(aws.DATA_SOURCE, "graphql-get-item-source", "graphql-calls-policy"))),
    Break("function-is-called-by-its-alias", "starts get-item-function itself", every(aws.DATA_SOURCE, "graphql-get-item-source", "lambdaConfig.functionArn", f"{FUNCTIONS}-get-item")),
    Break("function-answers-before-the-gateway-gives-up", "29 s at most", every(aws.FUNCTION, "get-item-function", "timeout", 30)),
    Break("role-is-trusted-by-one-service", "appsync.amazonaws.com and nobody", every(aws.ROLE, "graphql-calls-role", "assumeRolePolicy", '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}')),
    Break("role-is-used", "nothing of this stack uses it", graphql("logConfig.cloudwatchLogsRoleArn", None)),
    Break("policy-is-well-formed", "not JSON", every(aws.ROLE_POLICY, "graphql-calls-policy", "policy", "{")),
)
# fmt: on

BREAKS = (*DOMAINS, *BALANCERS, *GRAPHQL)
