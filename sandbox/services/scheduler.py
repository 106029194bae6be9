"""EventBridge Scheduler: schedules."""

from __future__ import annotations

from typing import Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, physical_name, remove

_GIVEN: Final = (
    "actionAfterCompletion",
    "description",
    "endDate",
    "flexibleTimeWindow",
    "kmsKeyArn",
    "scheduleExpression",
    "scheduleExpressionTimezone",
    "startDate",
    "state",
    "target",
)


@resource("aws:scheduler/schedule:Schedule", ignored=REGION)
def schedule(r: Resource) -> Outputs:
    name = physical_name(r, limit=64)
    group = r.take("groupName", "default")
    _note_differences(r)
    made = r.api("scheduler", "create_schedule", *_GIVEN, Name=name, GroupName=group)
    return {"id": f"{group}/{name}", "name": name, "groupName": group, "arn": made["ScheduleArn"]}


@schedule.updates
def update_schedule(r: Resource) -> Outputs:
    if r.changed & {"name", "namePrefix", "groupName"}:
        delete_schedule(r)
        return schedule.create(r)
    old = dict(r.old or {})
    physical_name(r, limit=64)
    r.take("groupName")
    _note_differences(r)
    r.api("scheduler", "update_schedule", *_GIVEN, Name=old["name"], GroupName=old["groupName"])
    return old


@schedule.deletes
def delete_schedule(r: Resource) -> None:
    old = r.old or {}
    remove(r, "scheduler", "delete_schedule", Name=old["name"], GroupName=old["groupName"])


def _note_differences(r: Resource) -> None:
    window = r.inputs.get("flexibleTimeWindow") or {}
    if window.get("mode") == "FLEXIBLE":
        r.note("it fires on time: the flexible window is not used")
