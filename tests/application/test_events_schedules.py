"""Schedules start functions with their own input, through the scheduler itself."""

from __future__ import annotations

import json
import time
from typing import Any

from sandbox.box import Box
from tests.support.effects import Effects, eventually, unique

AUTOMATIC_TRIES = 3


def test_the_cleanup_deletes_nothing_that_is_young(box: Box, effects: Effects) -> None:
    key = f"uploads/{unique()}.txt"
    box.send_s3(b"x", key=key)
    run = box.tick("cleanup-job")
    assert run.status == "success", run
    told = {line["message"]: line["deleted"] for line in run.log if "deleted" in line}
    assert told == {"connections cleaned up": 0, "uploads cleaned up": 0}
    assert effects.stored("uploadsBucket", key) == b"x"


def test_a_report_is_written_once_a_day_and_its_link_told_once(box: Box, effects: Effects) -> None:
    inbox = effects.inbox("reports")
    assert box.tick("report-generator").status == "success"
    # Other tests may have let the report of today fail before it was whole.
    written = versions(box, "reports/orders/")
    assert {key[-4:] for key, _ in written} == {".csv", ".pdf"}
    for _ in range(2):
        assert box.tick("report-generator").status == "success"
    assert versions(box, "reports/orders/") == written
    told = [json.loads(text) for text in effects.peek(inbox)]
    assert len(told) <= 1, "another test may have had the report of today"
    for message in told:
        assert sorted(message["links"]) == ["csv", "pdf"]


def versions(box: Box, prefix: str) -> set[tuple[str, str]]:
    """Key and version of everything that was ever written under a prefix."""
    listed = box.client("s3").list_object_versions(
        Bucket=box.outputs["reportsBucket"], Prefix=prefix
    )
    return {(each["Key"], each["VersionId"]) for each in listed.get("Versions", [])}


def test_the_health_checker_measures_what_it_was_given(box: Box) -> None:
    run = box.tick("health-checker")
    assert run.status == "success", run
    (measured,) = [line for line in run.log if "_aws" in line and "Down" in line]
    assert measured["Down"] == 0
    assert {"TableUp", "BucketUp", "QueueOrdersUp", "ApiUp"} <= measured.keys()


def once(box: Box, name: str, *, seconds: float = 2.0, **target: Any) -> str:
    """Make a schedule that fires once, in a moment, with the target of another one; its name."""
    scheduler = box.client("scheduler")
    every = scheduler.list_schedules()["Schedules"]
    (own,) = [each for each in every if each["Name"].startswith(f"{name}-schedule")]
    found = scheduler.get_schedule(Name=own["Name"], GroupName=own["GroupName"])
    moment = time.gmtime(time.time() + seconds)
    made = unique("once")
    scheduler.create_schedule(
        Name=made,
        GroupName=own["GroupName"],
        ScheduleExpression=time.strftime("at(%Y-%m-%dT%H:%M:%S)", moment),
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={**found["Target"], **target},
    )
    return made


def test_a_schedule_fires_by_the_clock_with_its_input_and_once(box: Box, effects: Effects) -> None:
    given = {"report_type": "items", "format": "csv"}
    name = once(box, "report-generator", Input=json.dumps(given))
    eventually(lambda: of_items(box, "csv"), seconds=20)
    scheduler = box.client("scheduler")
    eventually(lambda: all(e["Name"] != name for e in scheduler.list_schedules()["Schedules"]))
    assert len(of_items(box, "csv")) == 1


def of_items(box: Box, form: str) -> list[Any]:
    return [key for key, _ in versions(box, "reports/items/") if key.endswith(f".{form}")]


def test_a_run_that_failed_is_kept_with_its_input_and_done_after_a_redrive(
    box: Box, effects: Effects
) -> None:
    given = json.dumps({"report_type": "items", "format": "pdf"})
    with box.fault("report-generator", before="handler", where='"pdf"', times=AUTOMATIC_TRIES):
        once(box, "report-generator", seconds=0, Input=given)
        (letter,) = eventually(lambda: effects.letters("events-failures", '"pdf"'), seconds=30)
    assert (letter.kind, letter.source) == ("invocation", "report-generator")
    assert json.loads(letter.body)["requestPayload"]["format"] == "pdf"
    assert box.redrive("events-failures").moved >= 1
    eventually(lambda: of_items(box, "pdf"))
