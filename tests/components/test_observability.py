"""Alarms, whom they tell, and what else looks at the program."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from components import notices, watch
from components.observability import Observability
from components.place import Place
from settings import CanarySettings, ObservabilitySettings, ScheduleSettings
from tests.support.program import Registered, Run, run_stack
from tests.support.tiny import Parts, tiny

ALARM, DASHBOARD = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/dashboard:Dashboard"
COMPOSITE = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
FUNCTION, TOPIC = "aws:lambda/function:Function", "aws:sns/topic:Topic"
PERIODS = "fast-1h", "fast-5m", "slow-6h", "slow-30m"


def functions(run: Run) -> list[str]:
    return [f.name.removesuffix("-function") for f in run.all(FUNCTION)]


def alarms(run: Run) -> dict[str, Registered]:
    return {a.name.removesuffix("-alarm"): a for a in [*run.all(ALARM), *run.all(COMPOSITE)]}


def queries(alarm: Registered) -> dict[str, Mapping[str, Any]]:
    return {query["id"]: query for query in alarm.get("metricQueries")}


def of_objectives(api: str, *kinds: str) -> set[str]:
    parts = {f"{api}-slo-{kind}-{period}" for kind in kinds for period in PERIODS}
    return parts | {f"{api}-slo-{kind}-{speed}" for kind in kinds for speed in ("fast", "slow")}


def test_each_thing_has_the_alarms_that_follow_from_it(run: Run) -> None:
    kinds = ("errors", "throttles", "duration", "invocations")
    expected = {f"{name}-{kind}" for name in functions(run) for kind in kinds}
    queues = ("notifications", "orders", "order-events")
    for name in queues:
        expected |= {f"{name}-age", f"{name}-depth", f"{name}-dead-letter-depth"}
    for name in ("items", "audit", "users", "connections", "orders", "state"):
        expected |= {f"{name}-table-throttles", f"{name}-table-errors"}
    for name in ("api", "http"):
        expected |= {f"{name}-{kind}" for kind in ("5xx", "4xx", "latency", "authorizers")}
    expected |= {"socket-errors", "socket-authorizers", "service-health", "service-down"}
    expected |= {"events-failures-depth", "telemetry-stream-throttles"}
    expected |= {f"{n}-behind" for n in ("data-transformer", "change-publisher")}
    expected |= {"telemetry-aggregator-behind"}
    if run.stack == "dev":
        expected |= of_objectives("api", "availability")
    else:
        expected |= {f"{name}-concurrency" for name in functions(run)}
        expected |= of_objectives("api", "availability", "latency")
        expected |= of_objectives("http", "availability", "latency")
    if run.stack == "prod":
        expected |= {"api-traffic", "http-traffic", "canary-failed"}
    assert set(alarms(run)) == expected


def test_one_error_in_ten_thousand_is_quiet_and_one_in_twenty_is_not(dev: Run) -> None:
    alarm = alarms(dev)["create-item-errors"]
    held = queries(alarm)
    assert held["value"]["expression"] == "IF(invocations >= 10, 100 * (errors) / (invocations), 0)"
    assert [q["id"] for q in held.values() if q.get("returnData")] == ["value"]
    for key, name in (("errors", "Errors"), ("invocations", "Invocations")):
        assert held[key]["metric"] == {
            "namespace": "AWS/Lambda",
            "metricName": name,
            "stat": "Sum",
            "period": 300,
            "dimensions": {"FunctionName": "sandpiper-dev-create-item"},
        }
    assert (alarm.get("threshold"), alarm.get("comparisonOperator")) == (
        5,
        "GreaterThanOrEqualToThreshold",
    )
    assert "metricName" not in alarm.properties


def test_duration_alarm_follows_the_functions_own_timeout(run: Run, custom: Run) -> None:
    for stack, percent in ((run, 80), (custom, 50)):
        for function in stack.all(FUNCTION):
            alarm = stack.one(ALARM, function.name.replace("-function", "-duration-alarm"))
            assert alarm.get("threshold") == function.get("timeout") * 10 * percent
            assert alarm.get("extendedStatistic") == "p99"


def test_a_reader_rings_while_half_of_the_time_is_left(dev: Run) -> None:
    for name, age in (("data-transformer", 3600), ("change-publisher", 60)):
        alarm = dev.one(ALARM, f"{name}-behind-alarm")
        assert alarm.get("metricName") == "IteratorAge"
        assert alarm.get("threshold") == age * 500


def test_a_queue_rings_before_its_messages_are_given_up(run: Run) -> None:
    for name in ("notifications", "orders", "order-events"):
        queue = run.one("aws:sqs/queue:Queue", f"{name}-queue")
        tries = json.loads(queue.get("redrivePolicy"))["maxReceiveCount"]
        alarm = run.one(ALARM, f"{name}-age-alarm")
        assert alarm.get("threshold") == queue.get("visibilityTimeoutSeconds") * tries // 2


def test_what_a_table_refuses_is_heard_of_when_it_is_told_late(dev: Run) -> None:
    for name in ("items-table-throttles", "items-table-errors", "socket-errors"):
        alarm = alarms(dev)[name]
        period = next(q["metric"]["period"] for q in queries(alarm).values() if "metric" in q)
        assert "FILL(" in queries(alarm)["value"]["expression"]
        assert alarm.get("datapointsToAlarm") == 1
        assert alarm.get("evaluationPeriods") == 1 + 300 // period
    exact = alarms(dev)["create-item-errors"]
    assert (exact.get("evaluationPeriods"), exact.get("datapointsToAlarm")) == (1, None)


def test_periods_for_what_comes_late_stay_within_what_cloudwatch_looks_back() -> None:
    said = {"period": 60, "evaluation_periods": 1440}
    alarm = run_stack("dev", config={"sandpiper:observability": said}).one(
        ALARM, "items-table-throttles-alarm"
    )
    assert (alarm.get("evaluationPeriods"), alarm.get("datapointsToAlarm")) == (1440, 1440)


def test_what_an_index_refuses_is_counted_at_the_index(dev: Run) -> None:
    read = [
        (q["metric"]["metricName"], q["metric"]["dimensions"].get("GlobalSecondaryIndexName"))
        for q in queries(alarms(dev)["items-table-throttles"]).values()
        if "metric" in q
    ]
    kinds = ("ReadThrottleEvents", "WriteThrottleEvents")
    assert read == [(kind, index) for index in (None, "by-collection") for kind in kinds]


def test_an_alarm_reads_no_more_metrics_than_cloudwatch_lets_it(run: Run) -> None:
    for alarm in run.all(ALARM):
        assert sum("metric" in q for q in alarm.get("metricQueries") or []) <= 10


def test_one_reserved_execution_is_no_alarm_by_each_call() -> None:
    said = {"sandpiper:functions": {"cleanup-job": {"reserved_concurrent_executions": 1}}}
    assert "cleanup-job-concurrency" not in alarms(run_stack("dev", config=said))


def test_an_objective_is_judged_by_how_fast_it_is_used_up(prod: Run) -> None:
    found = alarms(prod)
    part = found["api-slo-availability-fast-1h"]
    assert (part.get("threshold"), queries(part)["value"]["expression"]) == (
        14.4,
        "(IF(requests >= 20, 100 * (errors) / (requests), 0)) / 0.1",
    )
    assert {q["metric"]["period"] for q in queries(part).values() if "metric" in q} == {3600}
    slow = queries(found["http-slo-latency-slow-30m"])
    assert slow["within"]["metric"]["stat"] == "PR(:1000)"
    assert slow["value"]["expression"] == "(IF(requests >= 20, 100 - within, 0)) / 1"
    assert found["api-slo-availability-fast"].get("alarmRule") == (
        'ALARM("sandpiper-prod-api-slo-availability-fast-1h") AND '
        'ALARM("sandpiper-prod-api-slo-availability-fast-5m")'
    )


def test_the_service_is_down_when_it_says_so_or_both_apis_fail(dev: Run) -> None:
    down = dev.one(COMPOSITE, "service-down-alarm")
    assert down.get("alarmRule") == (
        'ALARM("sandpiper-dev-service-health") OR '
        '(ALARM("sandpiper-dev-api-5xx") AND ALARM("sandpiper-dev-http-5xx"))'
    )
    health = dev.one(ALARM, "service-health-alarm")
    # A checker that says nothing is a bad sign, unlike a function that nobody calls.
    assert health.get("treatMissingData") == "breaching"
    others = [a.get("treatMissingData") for a in dev.all(ALARM) if a is not health]
    assert set(others) == {"notBreaching"}


@pytest.mark.parametrize(
    ("expression", "window", "heard"),
    [
        ("rate(1 minute)", None, (300, 3, "breaching")),
        ("rate(1 hour)", None, (3600, 3, "breaching")),
        ("rate(1 hour)", 30, (5400, 3, "breaching")),
        ("rate(2 days)", None, (300, 1, "notBreaching")),
        ("cron(0 3 * * ? *)", None, (300, 1, "notBreaching")),
    ],
)
def test_a_slow_health_checker_is_not_taken_for_a_silent_one(
    expression: str, window: int | None, heard: tuple[object, ...]
) -> None:
    schedule = ScheduleSettings(
        schedule_expression=expression, flexible_time_window_in_minutes=window
    )
    place = Place("aws", "us-west-2", "123456789012", "sandpiper", "dev")
    (alarm,) = watch.service(place, health=schedule, canary=CanarySettings()).alarms
    assert (alarm.period, alarm.evaluation_periods, alarm.missing) == heard


def test_anomalies_have_a_band_and_no_threshold(prod: Run) -> None:
    alarm = prod.one(ALARM, "api-traffic-alarm")
    assert alarm.get("threshold") is None
    assert (alarm.get("thresholdMetricId"), alarm.get("comparisonOperator")) == (
        "band",
        "LessThanLowerOrGreaterThanUpperThreshold",
    )
    held = queries(alarm)
    assert held["band"]["expression"] == "ANOMALY_DETECTION_BAND(requests, 2)"
    assert all(q["returnData"] for q in held.values())


def test_failing_authorizers_are_counted_in_the_access_log(run: Run) -> None:
    for api in ("api", "http", "socket"):
        counted = run.one(
            "aws:cloudwatch/logMetricFilter:LogMetricFilter", f"{api}-authorizers-metric"
        )
        (group,) = (
            g
            for g in run.all("aws:cloudwatch/logGroup:LogGroup")
            if g.output("name") == counted.get("logGroupName")
        )
        assert group.name == f"{api}-access-logs"
        title = f"sandpiper-{run.stack}-{api}"
        assert counted.get("metricTransformation")["dimensions"] == {"Api": "$.api"}
        assert run.one(ALARM, f"{api}-authorizers-alarm").get("dimensions") == {"Api": title}
        stages = [*run.all("aws:apigateway/stage:Stage"), *run.all("aws:apigatewayv2/stage:Stage")]
        (stage,) = (s for s in stages if s.name == f"{api}-stage")
        line = json.loads(stage.get("accessLogSettings")["format"])
        assert (line["api"], line["errorType"]) == (title, "$context.error.responseType")


def test_thresholds_come_from_the_stack_file(custom: Run) -> None:
    alarm = custom.one(ALARM, "health-throttles-alarm")
    assert (alarm.get("threshold"), alarm.get("period")) == (3, 300)


def test_callers_page_somebody_and_the_rest_waits_until_the_morning(run: Run) -> None:
    topics = {t.name.removesuffix("-topic"): t.output("arn") for t in run.all(TOPIC)}
    told = {name: alarm.get("alarmActions") for name, alarm in alarms(run).items()}
    page, ticket = [topics["page"]], [topics["ticket"]]
    for name in ("api-5xx", "create-item-errors", "authorizer-throttles", "webhook-errors"):
        assert told[name] == page
    for name in ("cleanup-job-errors", "orders-age", "events-failures-depth", "api-4xx"):
        assert told[name] == ticket
    for name, alarm in alarms(run).items():
        quiet = name.endswith(PERIODS)
        assert told[name] == alarm.get("okActions")
        assert told[name] in ((None,) if quiet else (page, ticket))


def test_an_alarm_is_called_what_its_reader_looks_for(run: Run) -> None:
    for name, alarm in alarms(run).items():
        key = "alarmName" if alarm.type == COMPOSITE else "name"
        assert alarm.get(key) == f"sandpiper-{run.stack}-{name}"
        assert re.search(
            r"\. Runbook: docs/runbooks/[a-z0-9-]+\.md$", alarm.get("alarmDescription")
        )
    assert set(run.outputs["alarms"]) == set(alarms(run))


def watching(settings: ObservabilitySettings) -> Run:
    def program(parts: Parts) -> None:
        function = parts.function("f", provisioned_concurrent_executions=2)
        Observability(
            "watch",
            settings=settings,
            watched=[watch.function(function, settings)],
            functions=[function],
            notices=notices.topics(encryption=parts.key, place=parts.place),
            place=parts.place,
        )

    return tiny(program)


def test_alarms_can_be_switched_off_and_the_dashboard_stays() -> None:
    run = watching(ObservabilitySettings(alarms_enabled=False))
    assert not alarms(run)
    assert len(run.all(DASHBOARD)) == 1


def test_what_spills_over_provisioned_environments_is_watched_at_the_alias() -> None:
    alarm = watching(ObservabilitySettings()).one(ALARM, "f-spillover-alarm")
    assert alarm.get("dimensions") == {
        "FunctionName": "sandpiper-tiny-f",
        "Resource": "sandpiper-tiny-f:live",
    }


def test_a_part_that_is_off_has_no_alarm() -> None:
    off = {
        "sandpiper:telemetry": {"enabled": False},
        "sandpiper:triggers": {"schedules": {"health-checker": {"enabled": False}}},
        "sandpiper:functions": {"checksum": {"enabled": False}},
        "sandpiper:observability": {"objectives": {}},
    }
    found = set(alarms(run_stack("dev", config=off)))
    gone = {"telemetry-stream-throttles", "telemetry-aggregator-behind", "service-health"}
    assert not found & {*gone, "checksum-errors"}
    assert "service-down" in found


def test_receivers_are_told_of_their_severity_only() -> None:
    said = {
        "page": {"email": ["oncall@example.com"], "https": ["https://oncall.example.com/a"]},
        "ticket": {"email": ["team@example.com"], "slack_channel_id": "C0123456789"},
        "slack_workspace_id": "T0123456789",
    }
    run = run_stack("dev", config={"sandpiper:observability": said})
    topics = {t.output("arn"): t.name for t in run.all(TOPIC)}
    subscribed = {
        (topics[s.get("topic")], s.get("protocol"), s.get("endpoint"))
        for s in run.all("aws:sns/topicSubscription:TopicSubscription")
        if topics[s.get("topic")] in {"page-topic", "ticket-topic"}
    }
    assert subscribed == {
        ("page-topic", "email", "oncall@example.com"),
        ("page-topic", "https", "https://oncall.example.com/a"),
        ("ticket-topic", "email", "team@example.com"),
    }
    (chat,) = run.all("aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration")
    assert [topics[arn] for arn in chat.get("snsTopicArns")] == ["ticket-topic"]
    assert "AdministratorAccess" not in str(chat.get("guardrailPolicyArns"))


def test_the_budget_tells_the_ticket_topic_before_the_month_is_over(dev: Run) -> None:
    budget = dev.one("aws:budgets/budget:Budget", "monthly-budget")
    assert (budget.get("limitAmount"), budget.get("limitUnit")) == ("50", "USD")
    (topic,) = (t.output("arn") for t in dev.all(TOPIC) if t.name == "ticket-topic")
    assert [(n["notificationType"], n["threshold"]) for n in budget.get("notifications")] == [
        ("ACTUAL", 80),
        ("ACTUAL", 100),
        ("FORECASTED", 100),
    ]
    assert all(n["subscriberSnsTopicArns"] == [topic] for n in budget.get("notifications"))


def test_saved_queries_read_every_functions_log(run: Run) -> None:
    saved = run.all("aws:cloudwatch/queryDefinition:QueryDefinition")
    groups = {f"/aws/lambda/sandpiper-{run.stack}-{name}" for name in functions(run)}
    assert sorted(q.get("name") for q in saved) == sorted(run.outputs["insightsQueries"])
    for query in saved:
        assert query.get("name").startswith(f"sandpiper-{run.stack}/")
        assert set(query.get("logGroupNames")) == groups


def test_errors_are_told_of_functions_that_could_not_tell_them_themselves(dev: Run) -> None:
    query = dev.one("aws:cloudwatch/queryDefinition:QueryDefinition", "errors-by-type-query")
    text = query.get("queryString")
    assert 'record.status = "timeout"' in text
    # Lambda's own lines have no member `function`.
    assert "by name" in text
    assert re.search(r'parse @log "[*]:/aws/lambda/[*]" as account, name\b', text)


def test_more_functions_than_one_query_reads_make_further_queries() -> None:
    def program(parts: Parts) -> None:
        Observability(
            "watch",
            settings=ObservabilitySettings(alarms_enabled=False),
            watched=[],
            functions=[parts.function(f"f{number}") for number in range(51)],
            notices=notices.topics(encryption=parts.key, place=parts.place),
            place=parts.place,
        )

    saved = tiny(program).all("aws:cloudwatch/queryDefinition:QueryDefinition")
    sizes = {q.get("name"): len(q.get("logGroupNames")) for q in saved}
    assert (sizes["sandpiper-tiny/slowest"], sizes["sandpiper-tiny/slowest-2"]) == (50, 1)


@pytest.mark.parametrize(
    ("target", "actions"),
    [
        ("arn:aws:logs:us-west-2:123456789012:destination:central", None),
        ("arn:aws:kinesis:us-west-2:123456789012:stream/central", ["kinesis:PutRecord"]),
        ("arn:aws:firehose:us-west-2:123456789012:deliverystream/central", ["firehose:PutRecord"]),
    ],
)
def test_every_functions_log_lines_go_to_the_central_destination(
    target: str, actions: list[str] | None
) -> None:
    run = run_stack("dev", config={"sandpiper:logs": {"destination_arn": target}})
    filters = [
        f
        for f in run.all("aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter")
        if f.get("destinationArn") == target
    ]
    assert len(filters) == len(functions(run))
    roles = [r for r in run.all("aws:iam/role:Role") if r.name == "central-logs-role"]
    assert {f.get("roleArn") for f in filters} == ({roles[0].output("arn")} if roles else {None})
    assert bool(roles) is bool(actions)
    if actions:
        document = json.loads(
            run.one("aws:iam/rolePolicy:RolePolicy", "central-logs-policy").get("policy")
        )
        assert [(s["Action"], s["Resource"]) for s in document["Statement"]] == [
            (actions, [target])
        ]


def test_the_canary_asks_the_health_route_in_prod(prod: Run) -> None:
    canary = prod.one("aws:synthetics/canary:Canary", "canary-canary")
    assert canary.get("name") == "sandpiper-prod-health"
    asked = canary.get("runConfig")["environmentVariables"]["HEALTH_URL"]
    assert asked == f"{prod.outputs['apiUrl']}/health"
    assert canary.get("deleteLambda") is True
    watched = prod.one(ALARM, "canary-failed-alarm")
    assert watched.get("dimensions") == {"CanaryName": "sandpiper-prod-health"}


def test_sampled_requests_get_past_lambdas_own_filter() -> None:
    run = run_stack("dev", config={"sandpiper:functions": {"health": {"log_sample_rate": 0.1}}})
    health = run.one(FUNCTION, "health-function")
    variables = health.get("environment")["variables"]
    assert (variables["LOG_LEVEL"], variables["LOG_SAMPLE_RATE"]) == ("INFO", "0.1")
    assert health.get("loggingConfig")["applicationLogLevel"] == "DEBUG"
    other = run.one(FUNCTION, "get-item-function")
    assert "LOG_SAMPLE_RATE" not in other.get("environment")["variables"]
