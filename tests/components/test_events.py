"""EventTriggers: what starts which function, and where failures end."""

from __future__ import annotations

import json

from components.buckets import Bucket
from components.events import EventTriggers, Schedule, Upload
from settings import ScheduleSettings
from tests.support.program import Run
from tests.support.tiny import LOOSE, Parts, tiny

MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"
ASYNC = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
SCHEDULE = "aws:scheduler/schedule:Schedule"
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
FAILURES = "arn:aws:sqs:us-west-2:123456789012:events-failures-queue-0123456"


def test_pictures_uploaded_under_uploads_start_the_image_processor(run: Run) -> None:
    (notification,) = run.all(NOTIFICATION)
    filters = [(f["filterPrefix"], f["filterSuffix"]) for f in notification.get("lambdaFunctions")]
    assert filters == [("uploads/", suffix) for suffix in PICTURES]
    for entry in notification.get("lambdaFunctions"):
        assert entry["events"] == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
        assert entry["lambdaFunctionArn"].endswith("image-processor:live")


def test_messages_start_the_notification_sender_and_only_failed_ones_come_back(run: Run) -> None:
    mapping = run.one(MAPPING, "notification-sender-notifications-mapping")
    assert mapping.get("functionResponseTypes") == ["ReportBatchItemFailures"]
    assert str(mapping.get("eventSourceArn")).endswith("notifications-queue-0123456")
    assert str(mapping.get("functionName")).endswith("notification-sender:live")


def test_changes_of_items_start_the_data_transformer_and_give_up_in_time(run: Run) -> None:
    mapping = run.one(MAPPING, "data-transformer-items-mapping")
    assert mapping.get("startingPosition") == "TRIM_HORIZON"
    assert mapping.get("maximumRetryAttempts") == 3
    assert mapping.get("maximumRecordAgeInSeconds") == 3600
    assert mapping.get("bisectBatchOnFunctionError") is True
    assert mapping.get("destinationConfig.onFailure.destinationArn") == FAILURES


def test_cleanup_runs_every_night_with_a_role_of_the_schedules_own(run: Run) -> None:
    schedule = run.one(SCHEDULE, "cleanup-job-schedule")
    assert schedule.get("scheduleExpression") == "cron(0 3 * * ? *)"
    assert schedule.get("flexibleTimeWindow") == {"mode": "OFF"}
    assert schedule.get("state") == "ENABLED"
    assert schedule.get("target.deadLetterConfig.arn") == FAILURES
    role = run.one("aws:iam/role:Role", "cleanup-job-schedule-role")
    assert schedule.get("target.roleArn") == role.output("arn")
    conditions = json.loads(role.get("assumeRolePolicy"))["Statement"][0]["Condition"]
    assert conditions == {
        "StringEquals": {
            "aws:SourceAccount": "123456789012",
            "aws:SourceArn": "arn:aws:scheduler:us-west-2:123456789012:schedule-group/default",
        }
    }


def test_sizes_of_triggers_come_from_the_stack_file(custom: Run) -> None:
    queue = custom.one(MAPPING, "notification-sender-notifications-mapping")
    assert (queue.get("batchSize"), queue.get("maximumBatchingWindowInSeconds")) == (50, 2)
    assert queue.get("scalingConfig.maximumConcurrency") == 4
    stream = custom.one(MAPPING, "data-transformer-items-mapping")
    assert (stream.get("batchSize"), stream.get("parallelizationFactor")) == (7, 3)
    schedule = custom.one(SCHEDULE, "cleanup-job-schedule")
    assert schedule.get("state") == "DISABLED"
    assert schedule.get("scheduleExpression") == "rate(2 days)"
    assert schedule.get("scheduleExpressionTimezone") == "Europe/Berlin"
    assert schedule.get("flexibleTimeWindow") == {"mode": "FLEXIBLE", "maximumWindowInMinutes": 15}


def test_failed_asynchronous_invocations_end_in_the_failures_queue(run: Run) -> None:
    assert {config.name for config in run.all(ASYNC)} == {
        f"{name}-async"
        for name in (
            "image-processor",
            "content-router",
            "notification-pusher",
            "audit-writer",
            "error-collector",
            "cleanup-job",
            "report-generator",
            "health-checker",
            "version-cleaner",
        )
    }
    for config in run.all(ASYNC):
        assert config.get("qualifier") == "live"
        assert config.get("destinationConfig.onFailure.destination") == FAILURES


def test_retries_of_asynchronous_invocations_come_from_the_functions_settings(custom: Run) -> None:
    config = custom.one(ASYNC, "image-processor-async")
    assert config.get("maximumRetryAttempts") == 1
    assert config.get("maximumEventAgeInSeconds") == 120


def test_all_triggers_of_a_bucket_are_one_notification_and_each_function_is_permitted_once() -> (
    None
):
    def program(parts: Parts) -> None:
        bucket = Bucket("b", settings=LOOSE, place=parts.place, encryption=parts.key)
        one, two = parts.function("one"), parts.function("two")
        uploads = [Upload(bucket, one, "a/"), Upload(bucket, one, "b/"), Upload(bucket, two, "c/")]
        EventTriggers(
            "events", uploads, failures=parts.failures, encryption=parts.key, place=parts.place
        )

    run = tiny(program)
    (notification,) = run.all(NOTIFICATION)
    assert [f["filterPrefix"] for f in notification.get("lambdaFunctions")] == ["a/", "b/", "c/"]
    permissions = run.all("aws:lambda/permission:Permission")
    assert sorted(p.name for p in permissions) == ["one-b-permission", "two-b-permission"]
    assert {p.urn for p in permissions} <= notification.depends_on


def test_two_prefixes_of_one_function_have_two_filters_with_names_of_their_own() -> None:
    def program(parts: Parts) -> None:
        bucket = Bucket("b", settings=LOOSE, place=parts.place, encryption=parts.key)
        one = parts.function("one")
        uploads = [Upload(bucket, one, "a/"), Upload(bucket, one, "b/")]
        EventTriggers(
            "events", uploads, failures=parts.failures, encryption=parts.key, place=parts.place
        )

    (notification,) = tiny(program).all(NOTIFICATION)
    ids = [f["id"] for f in notification.get("lambdaFunctions")]
    assert len(set(ids)) == 2


def test_function_started_by_an_upload_and_a_schedule_catches_its_failures_once() -> None:
    def program(parts: Parts) -> None:
        bucket = Bucket("b", settings=LOOSE, place=parts.place, encryption=parts.key)
        one = parts.function("one")
        triggers = [Upload(bucket, one, "a/"), Schedule(one, ScheduleSettings())]
        EventTriggers(
            "events", triggers, failures=parts.failures, encryption=parts.key, place=parts.place
        )

    assert len(tiny(program).all(ASYNC)) == 1


def test_a_queue_runs_no_more_calls_than_its_consumer_has_reserved(prod: Run, dev: Run) -> None:
    type_ = "aws:lambda/eventSourceMapping:EventSourceMapping"
    mapping = prod.one(type_, "notification-sender-notifications-mapping")
    function = prod.one("aws:lambda/function:Function", "notification-sender-function")
    reserved = function.get("reservedConcurrentExecutions")
    assert mapping.get("scalingConfig.maximumConcurrency") == reserved > 1
    assert dev.one(type_, "notification-sender-notifications-mapping").get("scalingConfig") is None
