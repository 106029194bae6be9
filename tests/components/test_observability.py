"""Alarms and the dashboard."""

from __future__ import annotations

import json

from components.observability import Observability
from settings import ObservabilitySettings, StreamSettings
from tests.support.program import Run
from tests.support.tiny import Parts, tiny

ALARM, DASHBOARD = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/dashboard:Dashboard"
FUNCTION = "aws:lambda/function:Function"


def functions(run: Run) -> list[str]:
    return [f.name.removesuffix("-function") for f in run.all(FUNCTION)]


def test_every_function_queue_of_failures_and_the_api_have_their_alarms(run: Run) -> None:
    kinds = ("errors", "throttles", "duration")
    expected = {f"{name}-{kind}-alarm" for name in functions(run) for kind in kinds}
    others = {
        "notifications-dead-letter-depth-alarm",
        "orders-dead-letter-depth-alarm",
        "order-events-dead-letter-depth-alarm",
        "events-failures-depth-alarm",
        "api-5xx-alarm",
        "data-transformer-behind-alarm",
        "change-publisher-behind-alarm",
        "telemetry-aggregator-behind-alarm",
    }
    assert {alarm.name for alarm in run.all(ALARM)} == expected | others


def test_duration_alarm_follows_the_functions_own_timeout(run: Run, custom: Run) -> None:
    for stack, percent in ((run, 80), (custom, 50)):
        for function in stack.all(FUNCTION):
            alarm = stack.one(ALARM, function.name.replace("-function", "-duration-alarm"))
            assert alarm.get("threshold") == function.get("timeout") * 10 * percent


def test_a_reader_rings_while_half_of_the_time_is_left(dev: Run) -> None:
    for name, age in (("data-transformer", 3600), ("change-publisher", 60)):
        alarm = dev.one(ALARM, f"{name}-behind-alarm")
        assert alarm.get("metricName") == "IteratorAge"
        assert alarm.get("threshold") == age * 500


def test_thresholds_come_from_the_stack_file(custom: Run) -> None:
    alarm = custom.one(ALARM, "health-errors-alarm")
    assert (alarm.get("threshold"), alarm.get("period")) == (3, 300)


def test_alarm_speaks_when_it_rings_and_when_it_is_over(run: Run) -> None:
    (topic,) = (t for t in run.all("aws:sns/topic:Topic") if t.name == "alarms-topic")
    for alarm in run.all(ALARM):
        assert alarm.get("alarmActions") == alarm.get("okActions") == [topic.output("arn")]


def test_alarms_can_be_switched_off_and_the_dashboard_stays() -> None:
    def program(parts: Parts) -> None:
        function = parts.function("f")
        Observability(
            "watch",
            settings=ObservabilitySettings(alarms_enabled=False),
            functions=[function],
            failure_queues={"failures": parts.failures.queue},
            readers={"f": StreamSettings()},
            api=parts.front(function, "GET /a"),
            encryption=parts.key,
            place=parts.place,
        )

    run = tiny(program)
    assert run.all(ALARM) == []
    assert len(run.all(DASHBOARD)) == 1


def test_dashboard_shows_the_api_and_every_function_side_by_side(run: Run) -> None:
    (dashboard,) = run.all(DASHBOARD)
    widgets = json.loads(dashboard.get("dashboardBody"))["widgets"]
    titles = [w["properties"]["title"] for w in widgets]
    assert titles[0] == "API"
    assert sorted(titles[1:]) == sorted(functions(run))
    places = [(w["x"], w["y"]) for w in widgets]
    assert len(set(places)) == len(places)
    assert places[:4] == [(0, 0), (8, 0), (16, 0), (0, 6)]
