"""Names, descriptions and tags: within AWS's limits, and on everything that can carry them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policies.model import Registered, Stack, rule

AUTO_NAME = 8
"""What Pulumi adds to a logical name: a hyphen and seven hexadecimal digits."""

NAMED_BY_US = {
    "aws:lambda/function:Function": "its log group's name derives from it",
    "aws:lambda/alias:Alias": "callers name it",
    "aws:lambda/layerVersion:LayerVersion": "versions of one layer share its name",
    "aws:cloudwatch/logGroup:LogGroup": "AWS looks for it by name",
    "aws:cloudwatch/dashboard:Dashboard": "the provider has no automatic name for it",
    "aws:apigateway/restApi:RestApi": "the description's title overwrites it",
    "aws:kms/alias:Alias": "people look for it by name",
    "aws:apigatewayv2/api:Api": "metrics and log groups are found by it, and it need not be unique",
    "aws:apigatewayv2/authorizer:Authorizer": "it is unique within its API only",
    "aws:apigatewayv2/stage:Stage": "it stands in the address, or is $default",
}
"""Types with a name of our own, and why. Everything else is named by Pulumi: a fixed name makes replacement delete first."""

NAME_LIMITS = {
    "aws:lambda/function:Function": 64,
    "aws:lambda/alias:Alias": 128,
    "aws:lambda/layerVersion:LayerVersion": 140,
    "aws:iam/role:Role": 64,
    "aws:iam/rolePolicy:RolePolicy": 128,
    "aws:cloudwatch/logGroup:LogGroup": 512,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 255,
    "aws:cloudwatch/dashboard:Dashboard": 255,
    "aws:dynamodb/table:Table": 255,
    "aws:s3/bucket:Bucket": 63,
    "aws:sqs/queue:Queue": 80,
    "aws:sns/topic:Topic": 256,
    "aws:secretsmanager/secret:Secret": 512,
    "aws:scheduler/schedule:Schedule": 64,
    "aws:kms/alias:Alias": 256,
    "aws:apigateway/restApi:RestApi": 1024,
    "aws:apigatewayv2/api:Api": 128,
    "aws:apigatewayv2/authorizer:Authorizer": 128,
    "aws:apigatewayv2/stage:Stage": 128,
    "aws:cognito/userPool:UserPool": 128,
    "aws:cognito/userPoolClient:UserPoolClient": 128,
    "aws:lb/loadBalancer:LoadBalancer": 32,
    "aws:wafv2/webAcl:WebAcl": 128,
    "aws:lambda/permission:Permission": 100,
    "aws:appautoscaling/policy:Policy": 256,
    "aws:appautoscaling/scheduledAction:ScheduledAction": 256,
    "aws:ecr/repository:Repository": 256,
}
DESCRIPTION_LIMITS = {
    "aws:lambda/function:Function": 256,
    "aws:lambda/layerVersion:LayerVersion": 256,
    "aws:lambda/codeSigningConfig:CodeSigningConfig": 256,
    "aws:iam/role:Role": 1000,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 1024,
    "aws:kms/key:Key": 8192,
    "aws:secretsmanager/secret:Secret": 2048,
    "aws:apigatewayv2/api:Api": 1024,
    "aws:apigatewayv2/stage:Stage": 1024,
    "aws:wafv2/webAcl:WebAcl": 256,
}
NAME_KEYS = ("name", "layerName", "dashboardName", "bucket")

TAGGABLE = frozenset(
    {
        "aws:acm/certificate:Certificate",
        "aws:apigateway/apiKey:ApiKey",
        "aws:apigateway/clientCertificate:ClientCertificate",
        "aws:apigateway/domainName:DomainName",
        "aws:apigateway/restApi:RestApi",
        "aws:apigateway/stage:Stage",
        "aws:apigateway/usagePlan:UsagePlan",
        "aws:apigatewayv2/api:Api",
        "aws:apigatewayv2/domainName:DomainName",
        "aws:apigatewayv2/stage:Stage",
        "aws:appautoscaling/target:Target",
        "aws:appsync/graphQLApi:GraphQLApi",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws:cognito/userPool:UserPool",
        "aws:dynamodb/table:Table",
        "aws:ecr/repository:Repository",
        "aws:iam/role:Role",
        "aws:kms/key:Key",
        "aws:lambda/codeSigningConfig:CodeSigningConfig",
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        "aws:lambda/function:Function",
        "aws:lb/listener:Listener",
        "aws:lb/listenerRule:ListenerRule",
        "aws:lb/loadBalancer:LoadBalancer",
        "aws:lb/targetGroup:TargetGroup",
        "aws:route53/zone:Zone",
        "aws:s3/bucket:Bucket",
        "aws:secretsmanager/secret:Secret",
        "aws:sns/topic:Topic",
        "aws:sqs/queue:Queue",
        "aws:wafv2/webAcl:WebAcl",
    }
)
UNTAGGABLE = frozenset(
    {
        "aws:acm/certificateValidation:CertificateValidation",
        "aws:apigateway/account:Account",
        "aws:apigateway/basePathMapping:BasePathMapping",
        "aws:apigateway/deployment:Deployment",
        "aws:apigateway/methodSettings:MethodSettings",
        "aws:apigateway/usagePlanKey:UsagePlanKey",
        "aws:apigatewayv2/apiMapping:ApiMapping",
        "aws:apigatewayv2/authorizer:Authorizer",
        "aws:apigatewayv2/deployment:Deployment",
        "aws:apigatewayv2/integration:Integration",
        "aws:apigatewayv2/route:Route",
        "aws:apigatewayv2/routeResponse:RouteResponse",
        "aws:appautoscaling/policy:Policy",
        "aws:appautoscaling/scheduledAction:ScheduledAction",
        "aws:appsync/dataSource:DataSource",
        "aws:appsync/function:Function",
        "aws:appsync/resolver:Resolver",
        "aws:cloudwatch/dashboard:Dashboard",
        "aws:cognito/userPoolClient:UserPoolClient",
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:kms/alias:Alias",
        "aws:lambda/alias:Alias",
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "aws:lambda/functionRecursionConfig:FunctionRecursionConfig",
        "aws:lambda/functionUrl:FunctionUrl",
        "aws:lambda/layerVersion:LayerVersion",
        "aws:lambda/permission:Permission",
        "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
        "aws:lambda/runtimeManagementConfig:RuntimeManagementConfig",
        "aws:lb/targetGroupAttachment:TargetGroupAttachment",
        "aws:route53/record:Record",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketLogging:BucketLogging",
        "aws:s3/bucketNotification:BucketNotification",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
        "aws:scheduler/schedule:Schedule",
        "aws:secretsmanager/secretVersion:SecretVersion",
        "aws:sns/topicPolicy:TopicPolicy",
        "aws:sns/topicSubscription:TopicSubscription",
        "aws:sqs/queuePolicy:QueuePolicy",
        "aws:wafv2/webAclAssociation:WebAclAssociation",
        "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
    }
)
MOST_TAGS = 50

_TAG_TEXT = re.compile(r"[\w .:/=+@-]*")


@rule
def name_fits(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A name that is too long is refused by Pulumi or AWS half-way through an update."""
    for resource in stack.resources:
        limit = NAME_LIMITS.get(resource.type)
        given = _given_name(resource)
        length = len(given) if given else len(resource.name) + AUTO_NAME
        if limit is not None and length > limit:
            yield resource, f"its name has {length} characters; {limit} are taken"


@rule
def name_is_left_to_pulumi(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A fixed name makes a replacement delete first: an outage, and for data a loss."""
    for resource in stack.resources:
        free = resource.type in NAME_LIMITS and resource.type not in NAMED_BY_US
        if free and (name := _given_name(resource)):
            yield resource, f"is named '{name}'; leave the name to Pulumi"


@rule
def description_fits(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """AWS refuses long descriptions, and empty ones."""
    for resource in stack.resources:
        limit = DESCRIPTION_LIMITS.get(resource.type)
        for key in ("description", "alarmDescription"):
            text = resource.get(key)
            if limit is not None and isinstance(text, str) and not 0 < len(text) <= limit:
                yield resource, f"its {key} has {len(text)} characters; 1 to {limit} are taken"


@rule
def everything_is_tagged(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Whatever can carry tags says whose it is and of which stage."""
    for resource in stack.resources:
        if not resource.type.startswith("aws:"):
            continue
        if resource.type in TAGGABLE:
            yield from _tags(stack, resource, resource.get("tags") or {})
        elif resource.type not in UNTAGGABLE:
            yield resource, f"say in policies/names.py whether {resource.type} can carry tags"


def _given_name(resource: Registered) -> str:
    if resource.type == "aws:lambda/permission:Permission":
        return str(resource.get("statementId") or "")
    return next((str(n) for key in NAME_KEYS if (n := resource.get(key))), "")


def _tags(
    stack: Stack, resource: Registered, tags: dict[str, Any]
) -> Iterator[tuple[Registered, str]]:
    if not tags.get("Project") or not tags.get("Environment"):
        yield resource, "needs the tags Project and Environment"
    elif stack.name and tags["Environment"] != stack.name:
        yield resource, f"is tagged Environment={tags['Environment']} in stack {stack.name}"
    if len(tags) > MOST_TAGS:
        yield resource, f"has {len(tags)} tags; {MOST_TAGS} are taken"
    for key, value in tags.items():
        if (
            key.lower().startswith("aws:")
            or not 0 < len(key) <= 128
            or not _TAG_TEXT.fullmatch(key)
        ):
            yield resource, f"tag '{key}' has a key that AWS refuses"
        if not isinstance(value, str) or len(value) > 256 or not _TAG_TEXT.fullmatch(value):
            yield resource, f"tag '{key}' has a value that AWS refuses"


RULES = (name_fits, name_is_left_to_pulumi, description_fits, everything_is_tagged)
