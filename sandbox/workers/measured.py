"""Which of AWS's metrics something here measures; a metric under any other name of AWS's never has a value.

Namespaces that are not AWS's own are filled by functions and metric filters, as on AWS.
"""

from collections.abc import Collection, Mapping
from typing import Final

MEASURED: Final[Mapping[str, Collection[str]]] = {
    "AWS/ApiGateway": {
        *("Count", "4XXError", "5XXError", "4xx", "5xx", "Latency", "IntegrationLatency"),
        *("ConnectCount", "MessageCount", "ClientError", "IntegrationError", "ExecutionError"),
    },
    "AWS/AppSync": {"4XXError", "5XXError", "Latency", "Requests"},
    "AWS/ApplicationELB": {
        *("RequestCount", "TargetResponseTime", "HTTPCode_ELB_4XX_Count"),
        *("HTTPCode_ELB_5XX_Count", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_3XX_Count"),
        *("HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count"),
    },
    "AWS/DynamoDB": {
        *("ReadThrottleEvents", "WriteThrottleEvents", "ThrottledRequests", "SystemErrors"),
        *("SuccessfulRequestLatency", "ConditionalCheckFailedRequests"),
    },
    "AWS/Kinesis": {
        *("IncomingRecords", "IncomingBytes", "WriteProvisionedThroughputExceeded"),
        *("ReadProvisionedThroughputExceeded", "GetRecords.IteratorAgeMilliseconds"),
    },
    "AWS/Lambda": {
        *("Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions", "IteratorAge"),
    },
    "AWS/SNS": {
        *("NumberOfMessagesPublished", "NumberOfNotificationsDelivered"),
        "NumberOfNotificationsFailed",
    },
    "AWS/SQS": {
        *("ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"),
        *("ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"),
        *("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted"),
        "SentMessageSize",
    },
}


def is_measured(namespace: str, metric: str) -> bool:
    """Whether a metric may have values here."""
    if namespace in MEASURED:
        return metric in MEASURED[namespace]
    return not namespace.startswith("AWS/") and namespace != "CloudWatchSynthetics"
