"""Alarms that never ring or always do, that reach nobody, and pictures of nothing."""

from __future__ import annotations

from typing import Any

from policies import aws
from tests.support.breaking import Break, again, edited, not_waiting, statement, without
from tests.support.breaks.everything import more

ERRORS, DURATION, THROTTLES = (
    "health-errors-alarm",
    "health-duration-alarm",
    "health-throttles-alarm",
)
READS, DOWN, HEALTH = "api-5xx-alarm", "service-down-alarm", "service-health-alarm"
BURN, LONG, SHORT = (f"api-slo-availability-fast{part}-alarm" for part in ("", "-1h", "-5m"))
PAGE, TICKET = "page-topic", "ticket-topic"
FOREIGN = "arn:aws:sns:us-west-2:123456789012:notifications-topic-0123456"
BOOK = "Runbook: docs/runbooks/function-throttles.md"


def alarm(which: str, /, **changes: Any) -> Any:
    """Change a metric alarm; `__` stands for the dots of a path."""
    return edited(
        aws.ALARM, which, {key.replace("__", "."): value for key, value in changes.items()}
    )


def composite(which: str, /, **changes: Any) -> Any:
    """Change a composite alarm."""
    return edited(aws.COMPOSITE, which, changes)


def rate(expression: str, name: str = ERRORS) -> Any:
    """Change the expression of an alarm on a share of errors."""
    return alarm(name, metricQueries__2__expression=expression)


# fmt: off
BREAKS = (
    Break("alarm-reaches-somebody", "actionsEnabled is off", alarm(ERRORS, actionsEnabled=False)),
    Break("alarm-reaches-somebody", "alarmActions must name", alarm(ERRORS, alarmActions=[], okActions=[])),
    Break("alarm-reaches-somebody", "alarmActions must name", composite(DOWN, alarmActions=None, okActions=None)),
    Break("alarm-reaches-somebody", "alarmActions must name", alarm(ERRORS, alarmActions=[FOREIGN], okActions=[FOREIGN])),
    Break("alarm-reaches-somebody", "okActions must be", alarm(ERRORS, okActions=None)),
    Break("alarm-reaches-somebody", "admits cloudwatch", statement(aws.TOPIC_POLICY, f"{PAGE}-policy", "PublishCloudwatch")),
    Break("alarm-reaches-somebody", "must end in 'Runbook", alarm(ERRORS, alarmDescription="health raised errors")),
    Break("alarm-is-called-after-its-thing", "is not the stack's and its own", alarm(ERRORS, name="health-errors")),
    Break("alarm-is-called-after-its-thing", "is not the stack's and its own", composite(DOWN, alarmName="sandpiper-prod-service-down")),
    Break("alarm-can-fire", "treatMissingData", alarm(ERRORS, treatMissingData=None)),
    Break("alarm-can-fire", "period is 45", alarm(THROTTLES, period=45)),
    Break("alarm-can-fire", "looks back", alarm(THROTTLES, evaluationPeriods=1441)),
    Break("alarm-can-fire", "looks back", alarm(LONG, evaluationPeriods=169)),
    Break("alarm-can-fire", "datapointsToAlarm", alarm(ERRORS, datapointsToAlarm=2)),
    Break("alarm-can-fire", "comes late for 0", alarm("items-table-throttles-alarm", datapointsToAlarm=None)),
    Break("alarm-can-fire", "reads no metric", alarm(ERRORS, metricQueries=[])),
    Break("alarm-can-fire", "no statistic", alarm(THROTTLES, statistic="Total")),
    Break("alarm-can-fire", "not of this stack", alarm(THROTTLES, dimensions__FunctionName="other")),
    Break("alarm-can-fire", "not of this stack", alarm(READS, metricQueries__0__metric__dimensions__Stage="other")),
    Break("alarm-can-fire", "which AWS does not keep", alarm(THROTTLES, metricName="Throttled")),
    Break("alarm-can-fire", "which AWS does not keep", alarm(READS, metricQueries__0__metric__metricName="5xx")),
    Break("alarm-can-fire", "which AWS does not keep", alarm("http-5xx-alarm", metricQueries__0__metric__metricName="5XXError")),
    Break("alarm-can-fire", "which AWS does not keep", alarm("http-5xx-alarm", metricQueries__0__metric__metricName="IntegrationError")),
    Break("alarm-can-fire", "which nothing here writes", alarm(HEALTH, dimensions__Stack="sandpiper-other")),
    Break("alarm-has-one-form", "one of metricName and", alarm(ERRORS, metricName="Errors")),
    Break("alarm-has-one-form", "one of statistic", alarm(THROTTLES, statistic=None)),
    Break("alarm-has-one-form", "one of statistic", alarm(THROTTLES, extendedStatistic="p99")),
    Break("alarm-has-one-form", "beside metricQueries", alarm(ERRORS, period=60)),
    Break("alarm-has-one-form", "one of threshold and", alarm(ERRORS, threshold=None)),
    Break("alarm-has-one-form", "not for a threshold", alarm(ERRORS, comparisonOperator="GreaterThanUpperThreshold")),
    Break("alarm-has-one-form", "not for a band", alarm("api-traffic-alarm", comparisonOperator="GreaterThanThreshold"), stack="prod"),
    Break("alarm-queries-are-taken", "is no id", alarm(ERRORS, metricQueries__0__id="Errors")),
    Break("alarm-queries-are-taken", "one of two", alarm(ERRORS, metricQueries__0__id="invocations")),
    Break("alarm-queries-are-taken", "one of metric and", alarm(ERRORS, metricQueries__2__expression=None)),
    Break("alarm-queries-are-taken", "speaks of calls", rate("100 * errors / calls")),
    Break("alarm-queries-are-taken", "is no expression", rate("100 * errors /")),
    Break("alarm-queries-are-taken", "calls RATIO", rate("RATIO(errors, invocations)")),
    Break("alarm-queries-are-taken", "is used by none", rate("errors")),
    Break("alarm-queries-are-taken", "returnData is set for 2", alarm(ERRORS, metricQueries__0__returnData=True)),
    Break("alarm-queries-are-taken", "by periods of 60, 300", alarm(ERRORS, metricQueries__0__metric__period=60)),
    Break("alarm-queries-are-taken", "10 metrics and", alarm(ERRORS, metricQueries=[{"id": f"m{i}", "metric": {"period": 60}} for i in range(11)])),
    Break("alarm-queries-are-taken", "must be an ANOMALY", alarm("api-traffic-alarm", thresholdMetricId="other"), stack="prod"),
    Break("alarm-rings-when-all-fails", "can never ring", alarm(DURATION, threshold=10_001)),
    Break("alarm-rings-when-all-fails", "can never ring", alarm(ERRORS, threshold=101)),
    Break("alarm-rings-when-all-fails", "can never ring", alarm(LONG, threshold=1_001)),
    Break("alarm-rings-when-all-fails", "can never ring", alarm("orders-age-alarm", threshold=1_000_000)),
    Break("alarm-rings-when-all-fails", "can never ring", alarm("data-transformer-behind-alarm", threshold=90_000_000)),
    Break("alarm-rings-when-all-fails", "can never ring", alarm("api-latency-alarm", threshold=31_000)),
    Break("alarm-rings-when-all-fails", "can never ring", again(aws.ALARM, THROTTLES, metricName="ConcurrentExecutions")),
    Break("alarm-rings-when-all-fails", "can never ring", more(alarm("balancer-latency-alarm", threshold=3_000))),
    Break("alarm-rings-when-all-fails", "cannot be computed", rate("IF(errors, invocations)")),
    Break("alarm-is-quiet-when-all-is-well", "while all is well", alarm(THROTTLES, threshold=0)),
    Break("alarm-is-quiet-when-all-is-well", "while all is well", rate("100 - errors / invocations")),
    Break("alarm-is-quiet-when-all-is-well", "while all is well", alarm(HEALTH, comparisonOperator="LessThanOrEqualToThreshold")),
    Break("rate-needs-a-volume", "one failure of one request", rate("100 * errors / invocations")),
    Break("rate-needs-a-volume", "one failure in 10,000", alarm(ERRORS, threshold=0.01)),
    Break("silence-means-what-it-means", "must be breaching", alarm(HEALTH, treatMissingData="notBreaching")),
    Break("silence-means-what-it-means", "must be notBreaching", alarm(ERRORS, treatMissingData="breaching")),
    Break("composite-is-one-that-cloudwatch-takes", "cannot be read", composite(DOWN, alarmRule='ALARM("sandpiper-dev-service-health") AND')),
    Break("composite-is-one-that-cloudwatch-takes", "no blanks", composite(DOWN, alarmRule=' ALARM("sandpiper-dev-service-health")')),
    Break("composite-is-one-that-cloudwatch-takes", "asks 0 alarms", composite(DOWN, alarmRule="TRUE")),
    Break("composite-is-one-that-cloudwatch-takes", "asks 101 alarms", composite(DOWN, alarmRule=" OR ".join(f'ALARM("a{i}")' for i in range(101)))),
    Break("composite-is-one-that-cloudwatch-takes", "not of this stack", composite(DOWN, alarmRule='ALARM("sandpiper-dev-other")')),
    Break("composite-is-one-that-cloudwatch-takes", "asks itself", composite(DOWN, alarmRule='ALARM("sandpiper-dev-service-down")')),
    Break("composite-is-one-that-cloudwatch-takes", "must wait for", not_waiting(aws.COMPOSITE, DOWN, HEALTH)),
    Break("composite-follows-its-parts", "does not ring", composite(DOWN, alarmRule='NOT ALARM("sandpiper-dev-service-health")')),
    Break("composite-follows-its-parts", "rings while none", composite(DOWN, alarmRule='OK("sandpiper-dev-service-health")')),
    Break("objective-burns-in-two-windows", "windows of", alarm(LONG, metricQueries__0__metric__period=7_200)),
    Break("objective-burns-in-two-windows", "one limit", alarm(SHORT, threshold=6)),
    Break("objective-burns-in-two-windows", "ask for both", composite(BURN, alarmRule='ALARM("sandpiper-dev-api-slo-availability-fast-1h") OR ALARM("sandpiper-dev-api-slo-availability-fast-5m")')),
    Break("objective-burns-in-two-windows", "must be silent", alarm(SHORT, alarmActions=[FOREIGN])),
    Break("alarm-has-the-severity-of-its-runbook", "is a page", alarm(READS, alarmActions=["arn:aws:sns:us-west-2:123456789012:ticket-topic-0123456"])),
    Break("alarm-has-the-severity-of-its-runbook", "is a page", alarm("create-item-errors-alarm", alarmActions=["arn:aws:sns:us-west-2:123456789012:ticket-topic-0123456"])),
    Break("alarm-has-the-severity-of-its-runbook", "is a ticket", alarm("cleanup-job-errors-alarm", alarmActions=["arn:aws:sns:us-west-2:123456789012:page-topic-0123456"])),
    Break("alarm-has-the-severity-of-its-runbook", "how urgent", alarm(ERRORS, alarmDescription="health is odd. Runbook: docs/runbooks/other.md")),
    Break("people-are-told-in-secret", "there is no page-topic", without(aws.TOPIC, PAGE)),
    Break("people-are-told-in-secret", "encrypted with the data key", edited(aws.TOPIC, TICKET, {"kmsMasterKeyId": None})),
)
# fmt: on
