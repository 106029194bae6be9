"""Topics, as owners of the grants to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.grants import Grant, Statement, policy, tls_only, variable_name
from components.keys import DataKey
from components.place import Place
from settings import TopicSettings


class Topic(pulumi.ComponentResource):
    """An encrypted SNS topic that refuses plain HTTP; `publishers` are AWS services that may publish to it.

    `settings` are those of a topic that a stack file may say something of; its subscribers are `subscriptions.Subscribers`.
    """

    service = "sns.amazonaws.com"

    def __init__(
        self,
        name: str,
        *,
        encryption: DataKey,
        place: Place,
        settings: TopicSettings | None = None,
        publishers: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Topic", name, None, opts)
        self.component = name
        self._encryption = encryption
        self._variable = variable_name(name, "TOPIC_ARN")
        said = settings or TopicSettings()
        self.topic = aws.sns.Topic(
            f"{name}-topic",
            aws.sns.TopicArgs(
                kms_master_key_id=encryption.arn,
                display_name=said.display_name,
                signature_version=int(said.signature_version),
                tracing_config=said.tracing_mode,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.arn = self.topic.arn
        self.policy = self._refuse_others(publishers, place)
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

    def _refuse_others(self, publishers: Sequence[str], place: Place) -> aws.sns.TopicPolicy:
        statements = [
            tls_only([self.arn], "sns:Publish"),
            *(self._may_publish(service, place) for service in publishers),
        ]
        return aws.sns.TopicPolicy(
            f"{self.component}-topic-policy",
            aws.sns.TopicPolicyArgs(arn=self.arn, policy=policy(statements)),
            pulumi.ResourceOptions(parent=self),
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
