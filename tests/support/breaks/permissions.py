"""Lambda permissions that are missing, too wide or beside the point."""

from __future__ import annotations

from typing import Any

from policies import aws
from policies.gateways import EXTENSION
from policies.model import Registered
from tests.support.breaking import Break, Resources, document, edited, without

API = "health-api-permission"
UPLOAD = "image-processor-uploads-permission"
ELSEWHERE = "arn:aws:lambda:us-west-2:999999999999:function:elsewhere"
PATH = "arn:aws:apigateway:us-west-2:lambda:path/2015-03-31/functions"
INVOKED = f"{PATH}/arn:aws:lambda:us-west-2:123456789012"
ENTRY = "lambdaFunctions.0.lambdaFunctionArn"


def _every_route_calls_the_bare_function(body: dict[str, Any]) -> None:
    integration = body["paths"]["/health"]["get"][EXTENSION]
    integration["uri"] = integration["uri"].replace(":live/", "/")


def _a_route_calls_somebody_else(body: dict[str, Any]) -> None:
    integration = body["paths"]["/health"]["get"][EXTENSION]
    integration["uri"] = (
        f"arn:aws:apigateway:us-west-2:lambda:path/2015-03-31/functions/{ELSEWHERE}/invocations"
    )


def _one_permission_per_route(resources: Resources) -> Resources:
    one = next(r for r in resources if r.type == aws.PERMISSION and r.name == API)
    copies = [Registered(aws.PERMISSION, f"p{n}", f"urn:p{n}", one.properties) for n in range(20)]
    return [*resources, *copies]


# fmt: off
BREAKS = (
    Break("permission-names-its-source", "sourceArn is missing", edited(aws.PERMISSION, API, {"sourceArn": None})),
    Break("permission-names-its-source", "names everything", edited(aws.PERMISSION, API, {"sourceArn": "*"})),
    Break("permission-names-its-source", "set sourceAccount", edited(aws.PERMISSION, UPLOAD, {"sourceAccount": None})),
    Break("permission-names-its-source", "allows lambda:*", edited(aws.PERMISSION, API, {"action": "lambda:*"})),
    Break("everything-wired-may-invoke", "api-rest (api) may not invoke it", without(aws.PERMISSION, API)),
    Break(
        "everything-wired-may-invoke",
        "api-rest (authorizer) may not invoke it",
        without(aws.PERMISSION, "authorizer-api-permission"),
    ),
    Break("everything-wired-may-invoke", "uploads-notification (upload) may not", without(aws.PERMISSION, UPLOAD)),
    Break("everything-wired-may-invoke", "on alias 'live'", edited(aws.PERMISSION, API, {"qualifier": None})),
    Break("everything-wired-may-invoke", "for apigateway", edited(aws.PERMISSION, API, {"principal": "events.amazonaws.com"})),
    Break("everything-wired-may-invoke", "for s3", edited(aws.PERMISSION, UPLOAD, {"sourceAccount": "999999999999"})),
    Break("everything-wired-may-invoke", "http-api (api) may not invoke it", without(aws.PERMISSION, "create-user-http-permission")),
    Break("everything-wired-may-invoke", "socket-api (api) may not invoke it", without(aws.PERMISSION, "subscriptions-socket-permission")),
    Break(
        "everything-wired-may-invoke",
        "socket-api (authorizer) may not invoke it",
        without(aws.PERMISSION, "authorizer-socket-permission"),
    ),
    Break("permission-is-used", "no route, authorizer", edited(aws.PERMISSION, API, {"qualifier": "old"})),
    Break("permissions-fit-their-function", "21 permissions", _one_permission_per_route),
    Break(
        "function-is-called-by-its-alias",
        "starts health-function itself",
        document(aws.REST_API, "api-rest", _every_route_calls_the_bare_function, key="body"),
    ),
    Break(
        "function-is-called-by-its-alias",
        "starts cleanup-job-function itself",
        edited(aws.SCHEDULE, "cleanup-job-schedule", {"target.arn": "arn:aws:lambda:us-west-2:123456789012:function:sandpiper-dev-cleanup-job"}),
    ),
    Break(
        "what-is-started-exists",
        "(api), which is no function",
        document(aws.REST_API, "api-rest", _a_route_calls_somebody_else, key="body"),
    ),
    Break(
        "function-is-called-by-its-alias",
        "http-api: starts create-user-function itself",
        edited(aws.INTEGRATION, "http-create-user-integration", {"integrationUri": f"{INVOKED}:function:sandpiper-dev-create-user/invocations"}),
    ),
    Break(
        "what-is-started-exists",
        "http-api: starts 'arn:aws:lambda:us-west-2:999999999999:function:elsewhere' (api)",
        edited(aws.INTEGRATION, "http-create-user-integration", {"integrationUri": f"{PATH}/{ELSEWHERE}/invocations"}),
    ),
    Break(
        "what-is-started-exists",
        "socket-api: starts '' (authorizer)",
        edited(aws.AUTHORIZER, "socket-authorizer", {"authorizerUri": None}),
    ),
    Break("what-is-started-exists", "(upload)", edited(aws.BUCKET_NOTIFICATION, "uploads-notification", {ENTRY: ELSEWHERE})),
    Break("what-is-started-exists", "(queue)", edited(aws.EVENT_SOURCE_MAPPING, "notification-sender-notifications-mapping", {"functionName": ELSEWHERE})),
    Break("what-is-started-exists", "(stream)", edited(aws.EVENT_SOURCE_MAPPING, "data-transformer-items-mapping", {"functionName": ELSEWHERE})),
    Break("what-is-started-exists", "(schedule)", edited(aws.SCHEDULE, "cleanup-job-schedule", {"target.arn": ELSEWHERE})),
)
# fmt: on
