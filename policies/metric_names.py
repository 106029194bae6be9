"""The metrics that there are: what AWS keeps, and what functions count, by which dimensions.

A metric that nobody writes is no error for CloudWatch: its alarm is quiet for ever.
"""

from __future__ import annotations

from collections.abc import Mapping

STACK = "Stack"
_ALONE = (STACK,)
WRITTEN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "ConnectionsCleaned",
            "Healthy",
            "ItemsCreated",
            "ItemsDeleted",
            "ItemsUpdated",
            "NotificationsSent",
            "PushesSent",
            "ReportsMade",
            "RowsImported",
            "RowsRefused",
            "ThumbnailsMade",
            "UploadsCleaned",
            "UsersRegistered",
            "WebhooksAccepted",
        ),
        _ALONE,
    ),
    "Orders": ("Stack", "State"),
}
"""What functions count, and by which dimensions."""


Known = Mapping[tuple[str, ...], frozenset[str]]
"""Names of dimensions, sorted -> the metrics that AWS keeps by them."""

_LAMBDA = frozenset(
    {
        "Invocations",
        "Errors",
        "Throttles",
        "Duration",
        "ConcurrentExecutions",
        "IteratorAge",
        "ProvisionedConcurrencySpilloverInvocations",
        "ProvisionedConcurrencyUtilization",
        "AsyncEventAge",
        "AsyncEventsDropped",
        "DeadLetterErrors",
        "DestinationDeliveryFailures",
    }
)
OF_HTTP = frozenset({"Count", "4xx", "5xx", "Latency", "IntegrationLatency", "DataProcessed"})
OF_SOCKETS = frozenset(
    {
        "ConnectCount",
        "MessageCount",
        "IntegrationError",
        "ClientError",
        "ExecutionError",
        "IntegrationLatency",
    }
)
KNOWN: Mapping[str, Known] = {
    "AWS/Lambda": {("FunctionName",): _LAMBDA, ("FunctionName", "Resource"): _LAMBDA},
    "AWS/SQS": {
        ("QueueName",): frozenset(
            {
                "ApproximateAgeOfOldestMessage",
                "ApproximateNumberOfMessagesVisible",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
                "NumberOfMessagesSent",
                "NumberOfMessagesReceived",
                "NumberOfMessagesDeleted",
            }
        )
    },
    "AWS/ApiGateway": {
        ("ApiName", "Stage"): frozenset(
            {
                "Count",
                "4XXError",
                "5XXError",
                "Latency",
                "IntegrationLatency",
                "CacheHitCount",
                "CacheMissCount",
            }
        ),
        ("ApiId", "Stage"): OF_HTTP | OF_SOCKETS,
    },
    "AWS/DynamoDB": {
        ("TableName",): frozenset(
            {
                "ReadThrottleEvents",
                "WriteThrottleEvents",
                "ConsumedReadCapacityUnits",
                "ConsumedWriteCapacityUnits",
                "ConditionalCheckFailedRequests",
                "UserErrors",
            }
        ),
        ("Operation", "TableName"): frozenset(
            {"SystemErrors", "ThrottledRequests", "SuccessfulRequestLatency", "ReturnedItemCount"}
        ),
        # An index that falls behind throttles the table that it belongs to.
        ("GlobalSecondaryIndexName", "TableName"): frozenset(
            {"ReadThrottleEvents", "WriteThrottleEvents", "OnlineIndexThrottleEvents"}
        ),
    },
    "AWS/Kinesis": {
        ("StreamName",): frozenset(
            {
                "WriteProvisionedThroughputExceeded",
                "ReadProvisionedThroughputExceeded",
                "IncomingRecords",
                "IncomingBytes",
                "GetRecords.IteratorAgeMilliseconds",
            }
        )
    },
    "AWS/ApplicationELB": {
        ("LoadBalancer",): frozenset(
            {
                "RequestCount",
                "HTTPCode_ELB_5XX_Count",
                "HTTPCode_ELB_4XX_Count",
                "HTTPCode_Target_5XX_Count",
                "HTTPCode_Target_4XX_Count",
                "LambdaUserError",
                "LambdaInternalError",
                "TargetResponseTime",
            }
        )
    },
    "AWS/AppSync": {("GraphQLAPIId",): frozenset({"4XXError", "5XXError", "Latency", "Requests"})},
    "AWS/SNS": {
        ("TopicName",): frozenset(
            {
                "NumberOfMessagesPublished",
                "NumberOfNotificationsDelivered",
                "NumberOfNotificationsFailed",
            }
        )
    },
    "AWS/Events": {
        ("EventBusName", "RuleName"): frozenset(
            {"Invocations", "FailedInvocations", "TriggeredRules", "InvocationsSentToDlq"}
        )
    },
    "CloudWatchSynthetics": {
        ("CanaryName",): frozenset({"SuccessPercent", "Duration", "Failed"}),
    },
}
"""Namespace -> what AWS keeps there (each service's list of metrics), as far as it is of use here."""
