"""What every kind of trigger implements, and what it is given to connect with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pulumi
import pulumi_aws as aws

from components.function import ServerlessFunction
from components.keys import DataKey
from components.messaging import Queue, Sender
from components.place import Place


@dataclass(frozen=True)
class TriggerContext:
    """Where failures end, with which key things are encrypted, and who owns the resources."""

    failures: Queue
    encryption: DataKey
    place: Place
    parent: pulumi.Resource

    def after(self, *first: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a resource that AWS refuses, or that does nothing, before these are there."""
        return pulumi.ResourceOptions(parent=self.parent, depends_on=list(first))

    def start(
        self,
        function: ServerlessFunction,
        name: str,
        *,
        principal: str,
        source_arn: pulumi.Input[str],
        of_this_account: bool = False,
    ) -> aws.lambda_.Permission:
        """Let a service start a function asynchronously: the permission, and a place for events that fail for good.

        `of_this_account` where the source's ARN alone does not say so.
        """
        function.catch_failures()
        return function.allow(
            f"{name}-permission",
            principal=principal,
            source_arn=source_arn,
            source_account=self.place.account if of_this_account else None,
            parent=self.parent,
        )

    def undelivered(self, sender: Sender) -> Queue:
        """The failures queue, for what a sender cannot deliver. Raises pulumi.RunError where it takes nothing from it."""
        if sender not in self.failures.senders:
            raise pulumi.RunError(
                f"{self.failures.component}: what {sender.component} cannot deliver would be lost; name it in the "
                "queue's senders, or in its admit(...)"
            )
        return self.failures


class Trigger(Protocol):
    """Something that starts a function by itself."""

    def connect(self, context: TriggerContext) -> None:
        """Make the resources: permission or consume rights first, then what uses them."""
