"""Observability: alarms derived from what they watch, one topic for them, one dashboard."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.api import ApiFront
from components.function import ServerlessFunction
from components.keys import DataKey
from components.place import Place
from components.topics import Topic
from settings import ObservabilitySettings, StreamSettings

WIDGET_WIDTH, WIDGET_HEIGHT, COLUMNS = 8, 6, 3


class Observability(pulumi.ComponentResource):
    """Three alarms per function (errors, throttles, duration against its own timeout), one per queue of failures, one
    for the API's 5xx answers; all of them speak to `alarms_topic`. Each has a runbook, docs/runbooks/<kind>.md.

    `failure_queues` maps a logical name to the queue in which nothing should ever lie, `readers` the name of a function
    to how it reads its stream: it has an alarm for falling behind as well.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: ObservabilitySettings,
        functions: Sequence[ServerlessFunction],
        failure_queues: Mapping[str, aws.sqs.Queue],
        readers: Mapping[str, StreamSettings],
        api: ApiFront,
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Observability", name, None, opts)
        self._settings = settings
        self._place = place
        self._child = pulumi.ResourceOptions(parent=self)
        self.alarms: dict[str, aws.cloudwatch.MetricAlarm] = {}
        self.topic = Topic(
            "alarms",
            encryption=encryption,
            place=place,
            publishers=["cloudwatch.amazonaws.com"],
            email=next(iter(settings.page.email), None),
            opts=self._child,
        )
        if settings.alarms_enabled:
            for function in functions:
                self._watch_function(function)
            for queue_name, queue in failure_queues.items():
                self._watch_failures(queue_name, queue)
            for reader, reading in readers.items():
                self._watch_reader(reader, reading)
            self._watch_api(api)
        self.dashboard = self._draw(name, functions, api)
        self.register_outputs({"topic": self.topic.arn})

    def _watch_function(self, function: ServerlessFunction) -> None:
        s, name = self._settings, function.logical_name
        dimensions = {"FunctionName": function.physical_name}
        self._alarm(
            f"{name}-errors",
            f"{name} raised errors",
            ("AWS/Lambda", "Errors", "Sum"),
            dimensions,
            1,
            "function-errors",
        )
        self._alarm(
            f"{name}-throttles",
            f"{name} was throttled",
            ("AWS/Lambda", "Throttles", "Sum"),
            dimensions,
            s.throttle_threshold,
            "function-throttles",
        )
        # From the function's own timeout: a fixed number of milliseconds goes dead with the first change of it.
        limit = function.settings.timeout * 1000 * s.duration_threshold_percent / 100
        self._alarm(
            f"{name}-duration",
            f"{name} took {s.duration_threshold_percent} % of its {function.settings.timeout} s timeout",
            ("AWS/Lambda", "Duration", "Maximum"),
            dimensions,
            limit,
            "function-duration",
        )

    def _watch_reader(self, name: str, reading: StreamSettings) -> None:
        # Half of the time in which a record is still tried: there is as much left to mend it.
        seconds = reading.maximum_record_age_in_seconds // 2
        self._alarm(
            f"{name}-behind",
            f"{name} is {seconds} s behind its stream",
            ("AWS/Lambda", "IteratorAge", "Maximum"),
            {"FunctionName": f"{self._place.prefix}-{name}"},
            seconds * 1000,
            "stream-behind",
        )

    def _watch_failures(self, name: str, queue: aws.sqs.Queue) -> None:
        self._alarm(
            f"{name}-depth",
            f"messages lie in {name}",
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"),
            {"QueueName": queue.name},
            1,
            "failures-waiting",
        )

    def _watch_api(self, api: ApiFront) -> None:
        self._alarm(
            f"{api.logical_name}-5xx",
            f"{api.title} answered 5xx",
            ("AWS/ApiGateway", "5XXError", "Sum"),
            {"ApiName": api.title, "Stage": api.stage_name},
            1,
            "api-5xx",
        )

    def _alarm(
        self,
        name: str,
        description: str,
        metric: tuple[str, str, str],
        dimensions: Mapping[str, pulumi.Input[str]],
        threshold: float,
        runbook: str,
    ) -> None:
        namespace, metric_name, statistic = metric
        self.alarms[name] = aws.cloudwatch.MetricAlarm(
            f"{name}-alarm",
            aws.cloudwatch.MetricAlarmArgs(
                alarm_description=f"{description}. Runbook: docs/runbooks/{runbook}.md",
                namespace=namespace,
                metric_name=metric_name,
                statistic=statistic,
                dimensions=dimensions,
                comparison_operator="GreaterThanOrEqualToThreshold",
                threshold=threshold,
                period=self._settings.period,
                evaluation_periods=self._settings.evaluation_periods,
                # No traffic is no error.
                treat_missing_data="notBreaching",
                alarm_actions=[self.topic.arn],
                ok_actions=[self.topic.arn],
            ),
            self._child,
        )

    def _draw(
        self, name: str, functions: Sequence[ServerlessFunction], api: ApiFront
    ) -> aws.cloudwatch.Dashboard:
        region = self._place.region
        pictures = [
            _picture(
                "API",
                region,
                [
                    ["AWS/ApiGateway", kind, "ApiName", api.title, "Stage", api.stage_name]
                    for kind in ("Count", "4XXError", "5XXError")
                ],
            ),
            *(
                _picture(
                    f.logical_name,
                    region,
                    [
                        ["AWS/Lambda", kind, "FunctionName", f.physical_name]
                        for kind in ("Invocations", "Errors", "Throttles")
                    ],
                )
                for f in functions
            ),
        ]
        return aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            aws.cloudwatch.DashboardArgs(
                # CloudWatch dashboards have no auto-name in the provider.
                dashboard_name=self._place.prefix,
                dashboard_body=json.dumps({"widgets": _in_rows(pictures)}),
            ),
            self._child,
        )


def _picture(title: str, region: str, metrics: list[list[str]]) -> dict[str, Any]:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "region": region,
            "view": "timeSeries",
            "stat": "Sum",
            "period": 60,
            "metrics": metrics,
        },
    }


def _in_rows(widgets: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **widget,
            "x": (place % COLUMNS) * WIDGET_WIDTH,
            "y": (place // COLUMNS) * WIDGET_HEIGHT,
            "width": WIDGET_WIDTH,
            "height": WIDGET_HEIGHT,
        }
        for place, widget in enumerate(widgets)
    ]
