"""Functions that AWS would refuse, or that would fail without a word."""

from __future__ import annotations

from policies import aws
from tests.support.breaking import Break, allowed, edited, statement, without
from tests.support.breaks.everything import more

HEALTH, GET, AUTHORIZER = "health-function", "get-item-function", "authorizer-function"
VARIABLES = "environment.variables"
ASYNC_CONFIG = "image-processor-async"

# fmt: off
BREAKS = (
    Break("function-is-within-limits", "memorySize is 64", edited(aws.FUNCTION, HEALTH, {"memorySize": 64})),
    Break("function-is-within-limits", "timeout is None", edited(aws.FUNCTION, HEALTH, {"timeout": None})),
    Break("function-is-within-limits", "ephemeralStorage.size is 20000", edited(aws.FUNCTION, HEALTH, {"ephemeralStorage.size": 20_000})),
    Break("function-is-within-limits", "architectures", edited(aws.FUNCTION, HEALTH, {"architectures": ["arm64", "x86_64"]})),
    Break("function-is-within-limits", "tracing must be Active", edited(aws.FUNCTION, HEALTH, {"tracingConfig.mode": "PassThrough"}), stack="prod"),
    Break("function-answers-before-the-gateway-gives-up", "29 s at most", edited(aws.FUNCTION, HEALTH, {"timeout": 30})),
    Break("function-answers-before-the-gateway-gives-up", "29 s at most", edited(aws.FUNCTION, AUTHORIZER, {"timeout": 60})),
    Break("function-logs-as-json", "logFormat", edited(aws.FUNCTION, HEALTH, {"loggingConfig.logFormat": "Text"})),
    Break("function-logs-as-json", "systemLogLevel", edited(aws.FUNCTION, HEALTH, {"loggingConfig.systemLogLevel": "ERROR"})),
    Break("function-logs-as-json", "applicationLogLevel", edited(aws.FUNCTION, HEALTH, {"loggingConfig.applicationLogLevel": None})),
    Break("environment-is-acceptable", "larger than 4 KB", edited(aws.FUNCTION, HEALTH, {f"{VARIABLES}.LONG": "x" * 4096})),
    Break("environment-is-acceptable", "AWS_REGION is set by Lambda", edited(aws.FUNCTION, HEALTH, {f"{VARIABLES}.AWS_REGION": "x"})),
    Break("environment-is-acceptable", "AWS_LAMBDA_FUNCTION_NAME is set", edited(aws.FUNCTION, HEALTH, {f"{VARIABLES}.AWS_LAMBDA_FUNCTION_NAME": "x"})),
    Break("environment-is-acceptable", "send its calls elsewhere", edited(aws.FUNCTION, HEALTH, {f"{VARIABLES}.AWS_ENDPOINT_URL_S3": "http://127.0.0.1"})),
    Break("environment-is-acceptable", "_X: a variable is a letter", edited(aws.FUNCTION, HEALTH, {f"{VARIABLES}._X": "x"})),
    Break("environment-is-acceptable", "holds a secret's value", edited(aws.FUNCTION, HEALTH, {f"{VARIABLES}.KEY": "random-auth-key-value-0123456"})),
    Break("environment-and-rights-agree", "no variable names it", edited(aws.FUNCTION, GET, {f"{VARIABLES}.ITEMS_TABLE": None})),
    Break("environment-and-rights-agree", "may use health-function", edited(aws.FUNCTION, "version-cleaner-function", {f"{VARIABLES}.FUNCTION_NAMES": None})),
    Break("environment-and-rights-agree", "may use notifications-topic", allowed("health-policy", "sns:Publish", on="arn:aws:sns:us-west-2:123456789012:notifications-topic-0123456")),
    Break("environment-and-rights-agree", "may do nothing with it", edited(aws.FUNCTION, HEALTH, {f"{VARIABLES}.FUNCTION_NAMES": "sandpiper-dev-get-item"})),
    Break("environment-and-rights-agree", "may do nothing with it", statement(aws.ROLE_POLICY, "get-item-policy", "dynamodb:GetItem")),
    Break("release-moves-an-alias", "set publish", edited(aws.FUNCTION, HEALTH, {"publish": None})),
    Break("release-moves-an-alias", "give it an alias", without(aws.ALIAS, "health-live")),
    Break("release-moves-an-alias", "published version", edited(aws.ALIAS, "health-live", {"functionVersion": "$LATEST"})),
    Break("asynchronous-failures-end-somewhere", "uploads-notification starts it", without(aws.EVENT_INVOKE, ASYNC_CONFIG)),
    Break("asynchronous-failures-end-somewhere", "cleanup-job-schedule starts it", without(aws.EVENT_INVOKE, "cleanup-job-async")),
    Break("asynchronous-failures-end-somewhere", "on that alias", edited(aws.EVENT_INVOKE, ASYNC_CONFIG, {"qualifier": None})),
    Break("asynchronous-failures-end-somewhere", "qualifier must be an alias", edited(aws.EVENT_INVOKE, ASYNC_CONFIG, {"qualifier": "old"})),
    Break("asynchronous-failures-end-somewhere", "warming-get-item starts it", more(without(aws.EVENT_INVOKE, "get-item-async"))),
    Break("asynchronous-failures-end-somewhere", "get-item-async: set destinationConfig", more(edited(aws.EVENT_INVOKE, "get-item-async", {"destinationConfig.onFailure": None}))),
    Break("asynchronous-failures-end-somewhere", "maximumRetryAttempts is None", edited(aws.EVENT_INVOKE, ASYNC_CONFIG, {"maximumRetryAttempts": None})),
    Break("asynchronous-failures-end-somewhere", "maximumEventAgeInSeconds is 10", edited(aws.EVENT_INVOKE, ASYNC_CONFIG, {"maximumEventAgeInSeconds": 10})),
    Break("asynchronous-failures-end-somewhere", "failed events are lost", edited(aws.EVENT_INVOKE, ASYNC_CONFIG, {"destinationConfig": None})),
)
# fmt: on
