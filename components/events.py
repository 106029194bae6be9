"""EventTriggers: what starts which function. A trigger brings its permission, its consume rights and its failure path.

The kinds are re-exported here, so that a program says `events.Upload`, `events.Message`:

Upload             an object of a bucket, created or removed (uploads)
Message            messages of a queue (mappings)
Change             changes of a table (mappings)
StreamRecord       records of a data stream (mappings)
TopicMessage       a message of a topic (subscriptions)
QueueSubscription  the same, put into a queue
Subscribers        the same, sent to whom a stack file names
Event              an event that a rule of EventBridge lets through (buses)
LogLines           what another function logs (subscriptions)
Schedule           a point in time, again and again
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.buses import Event
from components.function import ServerlessFunction
from components.keys import DataKey
from components.mappings import Change, Message, StreamRecord
from components.messaging import Queue
from components.place import Place
from components.schedules import Scheduler
from components.subscriptions import LogLines, QueueSubscription, Subscribers, TopicMessage
from components.triggers import Trigger, TriggerContext
from components.uploads import Upload, notify
from settings import ScheduleSettings

__all__ = [
    "Change",
    "Event",
    "EventTriggers",
    "LogLines",
    "Message",
    "QueueSubscription",
    "Schedule",
    "StreamRecord",
    "Subscribers",
    "TopicMessage",
    "Trigger",
    "Upload",
]


@dataclass(frozen=True)
class Schedule:
    """A point in time, again and again or once, with what its settings give as input."""

    function: ServerlessFunction
    settings: ScheduleSettings

    def connect(self, context: TriggerContext) -> None:
        """The schedule, and the role in which EventBridge Scheduler starts the function."""
        function, s = self.function, self.settings
        function.catch_failures()
        name = f"{function.logical_name}-schedule"
        scheduler = Scheduler(
            name,
            starts=[function],
            failures=context.failures,
            encryption=context.encryption,
            place=context.place,
            parent=context.parent,
        )
        scheduler.schedule(
            name,
            function,
            settings=s,
            retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(
                maximum_retry_attempts=s.maximum_retry_attempts,
                maximum_event_age_in_seconds=s.maximum_event_age_in_seconds,
            ),
            event=s.input,
        )


class EventTriggers(pulumi.ComponentResource):
    """All event sources of a stack, given as data.

    `failures` is the queue in which everything ends that no function could do: failed asynchronous invocations, stream
    records out of retries, what a topic, a rule or a schedule could not deliver. Messages of a queue end in that queue's
    own dead-letter queue. Raises pulumi.RunError for triggers that AWS would refuse, or that would lose something.
    """

    def __init__(
        self,
        name: str,
        triggers: Sequence[Upload | Trigger],
        *,
        failures: Queue,
        encryption: DataKey,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:EventTriggers", name, None, opts)
        context = TriggerContext(failures, encryption, place, self)
        uploads = [trigger for trigger in triggers if isinstance(trigger, Upload)]
        rules = [trigger.rule for trigger in triggers if isinstance(trigger, Event)]
        notify(uploads, [rule.bucket for rule in rules if rule.bucket], context)
        _check(triggers)
        for trigger in triggers:
            if not isinstance(trigger, Upload):
                trigger.connect(context)
        self.register_outputs({})


def _check(triggers: Sequence[Upload | Trigger]) -> None:
    """A queue's message goes to one reader only: a second one would take those of the first."""
    readers: dict[Queue, ServerlessFunction] = {}
    for trigger in triggers:
        if isinstance(trigger, Message):
            first = readers.setdefault(trigger.queue, trigger.function)
            if first is not trigger.function:
                raise pulumi.RunError(
                    f"{trigger.queue.component}: {first.logical_name} and {trigger.function.logical_name} would each get "
                    "a part of its messages; give each a queue of its own, and a topic before both"
                )
