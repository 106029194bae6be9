"""Queues, as owners of the grants to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pulumi
import pulumi_aws as aws

from components.documents import json_text
from components.grants import Grant, Statement, policy, tls_only, variable_name
from components.keys import DataKey
from settings import QueueSettings

FOURTEEN_DAYS = 1_209_600
"""The longest SQS keeps a message, in seconds."""


class Sender(Protocol):
    """What puts messages into a queue by itself: a topic, or a rule of an event bus."""

    component: str
    service: str
    """Who AWS says is calling, e.g. `sns.amazonaws.com`."""
    arn: pulumi.Output[str]


class Queue(pulumi.ComponentResource):
    """An encrypted SQS queue that refuses plain HTTP and takes messages of `senders` as well as those of roles.

    `senders` are None where some of them must know the queue first: `admit` then names them, once all are there.
    With `settings` it is a working queue and has a dead-letter queue behind it; without, it is itself the place where
    failures wait (14 days) and has none. `fifo` keeps the order within a message group and drops what is sent twice
    within five minutes; SQS cannot change the kind of a queue, and its dead-letter queue is of the same kind.
    """

    def __init__(
        self,
        name: str,
        *,
        encryption: DataKey,
        settings: QueueSettings | None = None,
        senders: Sequence[Sender] | None = (),
        fifo: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Queue", name, None, opts)
        self.component = name
        self.senders: tuple[Sender, ...] = ()
        self._encryption = encryption
        self._fifo = fifo
        self._variable = variable_name(name, "QUEUE_URL")
        self.settings = settings
        self._dead_letter: aws.sqs.Queue | None = None
        if settings is not None:
            self._dead_letter = self._create_queue(
                f"{name}-dead-letter",
                aws.sqs.QueueArgs(message_retention_seconds=settings.dead_letter_retention_seconds),
            )
            self._refuse_others(f"{name}-dead-letter", self._dead_letter, ())
        self.queue = self._create_queue(name, self._sizes())
        self.url = self.queue.url
        self.arn = self.queue.arn
        if senders is not None:
            self.admit(*senders)
        self.register_outputs({"url": self.url, "arn": self.arn})

    @property
    def dead_letter(self) -> aws.sqs.Queue:
        """Where messages end that failed too often; a queue of failures has none (AttributeError)."""
        if self._dead_letter is None:
            raise AttributeError(f"{self.component}: no dead-letter queue")
        return self._dead_letter

    def admit(self, *senders: Sender) -> None:
        """Let these send, and nobody else: the queue's one policy."""
        self.senders = senders
        self.policy = self._refuse_others(self.component, self.queue, senders)

    def send(self) -> Grant:
        """Put messages in."""
        return Grant(
            [
                Statement(["sqs:SendMessage"], [self.arn]),
                self._encryption.use("sqs", "GenerateDataKey", "Decrypt"),
            ],
            {self._variable: self.url},
        )

    def receive_failures(self) -> Grant:
        """Let AWS put what a function could not do in here, with that function's role; handlers see nothing of it."""
        return Grant(self.send().statements)

    def consume(self) -> Grant:
        """Take messages out, as an event source mapping does with its function's role."""
        return Grant(
            [
                Statement(
                    [
                        "sqs:ReceiveMessage",
                        "sqs:DeleteMessage",
                        "sqs:GetQueueAttributes",
                        "sqs:ChangeMessageVisibility",
                    ],
                    [self.arn],
                ),
                self._encryption.use("sqs", "Decrypt"),
            ]
        )

    def postpone(self) -> Grant:
        """Say when a message that failed comes back."""
        return Grant(
            [Statement(["sqs:ChangeMessageVisibility"], [self.arn])], {self._variable: self.url}
        )

    def depth(self) -> Grant:
        """Ask how many messages wait."""
        return Grant(
            [Statement(["sqs:GetQueueAttributes"], [self.arn])], {self._variable: self.url}
        )

    def _sizes(self) -> aws.sqs.QueueArgs:
        s = self.settings
        if s is None:
            return aws.sqs.QueueArgs(message_retention_seconds=FOURTEEN_DAYS)
        return aws.sqs.QueueArgs(
            message_retention_seconds=s.message_retention_seconds,
            visibility_timeout_seconds=s.visibility_timeout_seconds,
            delay_seconds=s.delay_seconds,
            receive_wait_time_seconds=s.receive_wait_time_seconds,
            max_message_size=s.max_message_size,
            kms_data_key_reuse_period_seconds=s.kms_data_key_reuse_period_seconds,
            # SQS knows these on FIFO queues only, and refuses even their defaults on others.
            deduplication_scope=s.deduplication_scope if self._fifo else None,
            fifo_throughput_limit=s.fifo_throughput_limit if self._fifo else None,
            redrive_policy=json_text(
                {
                    "deadLetterTargetArn": self.dead_letter.arn,
                    "maxReceiveCount": s.max_receive_count,
                }
            ),
        )

    def _create_queue(self, name: str, args: aws.sqs.QueueArgs) -> aws.sqs.Queue:
        # AWS's own SQS key cannot be opened for other services, so ours it is.
        args.kms_master_key_id = self._encryption.arn
        args.fifo_queue = True if self._fifo else None
        return aws.sqs.Queue(f"{name}-queue", args, pulumi.ResourceOptions(parent=self))

    def _refuse_others(
        self, name: str, queue: aws.sqs.Queue, senders: Sequence[Sender]
    ) -> aws.sqs.QueuePolicy:
        statements = [
            tls_only([queue.arn], "sqs:*"),
            *(_takes_from(queue, sender) for sender in senders),
        ]
        return aws.sqs.QueuePolicy(
            f"{name}-queue-policy",
            aws.sqs.QueuePolicyArgs(queue_url=queue.url, policy=policy(statements)),
            pulumi.ResourceOptions(parent=self),
        )


def _takes_from(queue: aws.sqs.Queue, sender: Sender) -> dict[str, Any]:
    # A topic and a rule may have the same name.
    words = [sender.service.split(".", maxsplit=1)[0], *sender.component.split("-")]
    return {
        "Sid": "From" + "".join(word.title() for word in words),
        "Effect": "Allow",
        "Principal": {"Service": sender.service},
        "Action": "sqs:SendMessage",
        "Resource": [queue.arn],
        "Condition": {"ArnEquals": {"aws:SourceArn": sender.arn}},
    }
