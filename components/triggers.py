"""What every kind of trigger implements, and what it is given to connect with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pulumi

from components.keys import DataKey
from components.messaging import Queue, Sender
from components.place import Place


@dataclass(frozen=True)
class Wires:
    """Where failures end, with which key things are encrypted, and who owns the resources."""

    failures: Queue
    encryption: DataKey
    place: Place
    parent: pulumi.Resource

    def after(self, *first: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a resource that AWS refuses, or that does nothing, before these are there."""
        return pulumi.ResourceOptions(parent=self.parent, depends_on=list(first))

    def undelivered(self, sender: Sender) -> Queue:
        """The failures queue, for what a sender cannot deliver. Raises pulumi.RunError where it takes nothing from it."""
        if sender not in self.failures.senders:
            raise pulumi.RunError(
                f"{self.failures.component}: what {sender.component} cannot deliver would be lost; add it to the "
                "queue's `senders`"
            )
        return self.failures


class Trigger(Protocol):
    """Something that starts a function by itself."""

    def connect(self, wires: Wires) -> None:
        """Make the resources: permission or consume rights first, then what uses them."""
