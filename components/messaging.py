"""Queues and topics, as owners of the grants to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.documents import json_text
from components.grants import Grant, Statement, policy, tls_only
from components.keys import DataKey
from components.place import Place
from settings import QueueSettings

FOURTEEN_DAYS = 1_209_600
"""The longest SQS keeps a message, in seconds."""


class Queue(pulumi.ComponentResource):
    """An encrypted SQS queue that refuses plain HTTP.

    With `settings` it is a working queue and has a dead-letter queue behind it; without, it is itself the place where
    failures wait (14 days) and has none.
    """

    def __init__(
        self,
        name: str,
        *,
        encryption: DataKey,
        settings: QueueSettings | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Queue", name, None, opts)
        self.component = name
        self._encryption = encryption
        self._variable = f"{name.upper().replace('-', '_')}_QUEUE_URL"
        self.settings = settings
        self._dead_letter: aws.sqs.Queue | None = None
        if settings is not None:
            self._dead_letter = self._create_queue(
                f"{name}-dead-letter", settings.dead_letter_retention_seconds
            )
        self.queue = self._create_main()
        self.url = self.queue.url
        self.arn = self.queue.arn
        self.register_outputs({"url": self.url, "arn": self.arn})

    @property
    def dead_letter(self) -> aws.sqs.Queue:
        """Where messages end that failed too often; a queue of failures has none (AttributeError)."""
        if self._dead_letter is None:
            raise AttributeError(f"{self.component}: no dead-letter queue")
        return self._dead_letter

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

    def _create_main(self) -> aws.sqs.Queue:
        settings, dead = self.settings, self._dead_letter
        if settings is None or dead is None:
            return self._create_queue(self.component, FOURTEEN_DAYS)
        return self._create_queue(
            self.component,
            settings.message_retention_seconds,
            visibility_timeout_seconds=settings.visibility_timeout_seconds,
            redrive_policy=json_text(
                {"deadLetterTargetArn": dead.arn, "maxReceiveCount": settings.max_receive_count}
            ),
        )

    def _create_queue(
        self,
        name: str,
        retention: int,
        *,
        visibility_timeout_seconds: int | None = None,
        redrive_policy: pulumi.Input[str] | None = None,
    ) -> aws.sqs.Queue:
        queue = aws.sqs.Queue(
            f"{name}-queue",
            aws.sqs.QueueArgs(
                # AWS's own SQS key cannot be opened for other services, so ours it is.
                kms_master_key_id=self._encryption.arn,
                message_retention_seconds=retention,
                visibility_timeout_seconds=visibility_timeout_seconds,
                redrive_policy=redrive_policy,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        aws.sqs.QueuePolicy(
            f"{name}-queue-policy",
            aws.sqs.QueuePolicyArgs(
                queue_url=queue.url, policy=policy([tls_only([queue.arn], "sqs:*")])
            ),
            pulumi.ResourceOptions(parent=self),
        )
        return queue


class Topic(pulumi.ComponentResource):
    """An encrypted SNS topic that refuses plain HTTP; `publishers` are AWS services that may publish to it."""

    def __init__(
        self,
        name: str,
        *,
        encryption: DataKey,
        place: Place,
        publishers: Sequence[str] = (),
        email: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Topic", name, None, opts)
        self._encryption = encryption
        self._variable = f"{name.upper().replace('-', '_')}_TOPIC_ARN"
        self.topic = aws.sns.Topic(
            f"{name}-topic",
            aws.sns.TopicArgs(kms_master_key_id=encryption.arn),
            pulumi.ResourceOptions(parent=self),
        )
        self.arn = self.topic.arn
        self.policy = aws.sns.TopicPolicy(
            f"{name}-topic-policy",
            aws.sns.TopicPolicyArgs(
                arn=self.arn,
                policy=policy(
                    [
                        tls_only([self.arn], "sns:Publish"),
                        *(self._may_publish(service, place) for service in publishers),
                    ]
                ),
            ),
            pulumi.ResourceOptions(parent=self),
        )
        if email is not None:
            self.subscription = self._subscribe(name, email)
        self.register_outputs({"arn": self.arn})

    def publish(self) -> Grant:
        """Publish messages."""
        return Grant(
            [
                Statement(["sns:Publish"], [self.arn]),
                self._encryption.use("sns", "GenerateDataKey", "Decrypt"),
            ],
            {self._variable: self.arn},
        )

    def _may_publish(self, service: str, place: Place) -> dict[str, Any]:
        return {
            "Sid": "Publish"
            + "".join(part.title() for part in service.split(".", maxsplit=1)[0].split("-")),
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sns:Publish",
            "Resource": [self.arn],
            "Condition": {"StringEquals": {"aws:SourceAccount": place.account}},
        }

    def _subscribe(self, name: str, email: str) -> aws.sns.TopicSubscription:
        # Stays pending until the recipient clicks the link AWS sends.
        return aws.sns.TopicSubscription(
            f"{name}-email",
            aws.sns.TopicSubscriptionArgs(topic=self.arn, protocol="email", endpoint=email),
            pulumi.ResourceOptions(parent=self),
        )
