"""EventBridge Scheduler: points in time at which a function is started, and the role in which that happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.documents import json_text
from components.function import ServerlessFunction
from components.grants import Statement
from components.keys import DataKey
from components.messaging import Queue
from components.place import Place
from components.service_roles import ServiceRole, service_role
from settings import ScheduleSettings

WARMING_EVENT = {"warming": True}
"""What handlers answer at once, before they touch anything."""


class Scheduler:
    """A role that may start certain functions, and the schedules that do it in that role.

    EventBridge Scheduler asks no permission of a function; it acts in a role of its own.
    """

    def __init__(
        self,
        name: str,
        *,
        starts: Sequence[ServerlessFunction],
        failures: Queue,
        encryption: DataKey,
        place: Place,
        parent: pulumi.Resource,
    ) -> None:
        self._name = name
        self._failures, self._encryption, self._place = failures, encryption, place
        self._child = pulumi.ResourceOptions(parent=parent)
        acting = self._create_role(starts)
        self._role = acting.role
        self._ready = pulumi.ResourceOptions(parent=parent, depends_on=[acting.rights])

    def schedule(
        self,
        name: str,
        function: ServerlessFunction,
        *,
        settings: ScheduleSettings,
        retry_policy: aws.scheduler.ScheduleTargetRetryPolicyArgs,
        event: Mapping[str, Any] | None = None,
    ) -> aws.scheduler.Schedule:
        """Start the function as its schedule says, with `event` or else the scheduler's own."""
        window = settings.flexible_time_window_in_minutes
        return aws.scheduler.Schedule(
            name,
            aws.scheduler.ScheduleArgs(
                schedule_expression=settings.schedule_expression,
                schedule_expression_timezone=settings.schedule_expression_timezone,
                start_date=settings.start_date,
                end_date=settings.end_date,
                description=settings.description,
                action_after_completion=settings.action_after_completion,
                state="ENABLED" if settings.enabled else "DISABLED",
                kms_key_arn=self._encryption.arn,
                flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(
                    mode="FLEXIBLE" if window else "OFF", maximum_window_in_minutes=window
                ),
                target=aws.scheduler.ScheduleTargetArgs(
                    arn=function.arn,
                    role_arn=self._role.arn,
                    input=json_text(event) if event else None,
                    retry_policy=retry_policy,
                    dead_letter_config=aws.scheduler.ScheduleTargetDeadLetterConfigArgs(
                        arn=self._failures.arn
                    ),
                ),
            ),
            self._ready,
        )

    def _create_role(self, starts: Sequence[ServerlessFunction]) -> ServiceRole:
        place = self._place
        started = ", ".join(function.physical_name for function in starts)
        group = place.arn("scheduler", "schedule-group/default")
        return service_role(
            self._name,
            [
                Statement(["lambda:InvokeFunction"], [function.arn for function in starts]),
                *self._failures.receive_failures().statements,
                # The schedule's own payload. The scheduler asks KMS itself, in this role: no service stands between.
                self._encryption.open_as(
                    "Decrypt",
                    "aws:scheduler:schedule:arn",
                    place.arn("scheduler", f"schedule/default/{self._name}-*"),
                ),
            ],
            service="scheduler.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": place.account, "aws:SourceArn": group}
            },
            description=f"EventBridge Scheduler starts {started}"[:1000],
            opts=self._child,
        )


class Warming(pulumi.ComponentResource):
    """Schedules that call functions before anybody needs them, for those whose settings ask for it.

    One call keeps one execution environment; `provisioned_concurrent_executions` keeps as many as it says.
    """

    def __init__(
        self,
        name: str,
        functions: Sequence[ServerlessFunction],
        *,
        failures: Queue,
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Warming", name, None, opts)
        wanted = {f: f.settings.warming_schedule for f in functions if f.settings.warming_schedule}
        if wanted:
            scheduler = Scheduler(
                name,
                starts=list(wanted),
                failures=failures,
                encryption=encryption,
                place=place,
                parent=self,
            )
            # A call that comes late warms nothing, and the next one is on its way.
            once = aws.scheduler.ScheduleTargetRetryPolicyArgs(
                maximum_retry_attempts=0, maximum_event_age_in_seconds=60
            )
            for function, expression in wanted.items():
                scheduler.schedule(
                    f"{name}-{function.logical_name}",
                    function,
                    settings=ScheduleSettings(schedule_expression=expression),
                    retry_policy=once,
                    event=WARMING_EVENT,
                )
        self.register_outputs({})
