"""The stack's one data key: everything at rest is encrypted with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.grants import Statement, policy
from components.place import Place
from settings import DataSettings


class DataKey(pulumi.ComponentResource):
    """A customer managed KMS key (about 1 USD a month) that AWS services may use on the stack's behalf.

    The policy names services and ARN patterns only. Naming a role or a resource of this stack would tie a knot
    (key -> log group -> key), and a role that does not exist yet makes KMS refuse the policy.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: DataSettings,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:DataKey", name, None, opts)
        self._place = place
        self.key = aws.kms.Key(
            f"{name}-key",
            aws.kms.KeyArgs(
                description=f"Data at rest of {place.prefix}",
                enable_key_rotation=True,
                deletion_window_in_days=settings.key_deletion_window_in_days,
                policy=policy(self._statements()),
            ),
            pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )
        self.alias = aws.kms.Alias(
            f"{name}-alias",
            aws.kms.AliasArgs(name=f"alias/{place.prefix}", target_key_id=self.key.key_id),
            pulumi.ResourceOptions(parent=self),
        )
        self.arn = self.key.arn
        self.register_outputs({"arn": self.arn})

    def use(self, service: str, *actions: str) -> Statement:
        """Let a role use the key, but only through one service (`sqs`, `dynamodb`, ...) in this region."""
        return Statement(
            [f"kms:{action}" for action in actions],
            [self.arn],
            {"StringEquals": {"kms:ViaService": self._place.service(service)}},
        )

    def open_as(self, action: str, context: str, arn: str) -> Statement:
        """Let a role use the key for what is encrypted in the context of one ARN (a pattern: the name is generated)."""
        return Statement(
            [f"kms:{action}"], [self.arn], {"ArnLike": {f"kms:EncryptionContext:{context}": arn}}
        )

    def _statements(self) -> Sequence[dict[str, Any]]:
        place = self._place
        here = {"StringEquals": {"aws:SourceAccount": place.account}}
        return [
            _allow("Root", {"AWS": f"arn:{place.partition}:iam::{place.account}:root"}, "kms:*"),
            _allow(
                "Logs",
                {"Service": place.service("logs")},
                [
                    "kms:Encrypt*",
                    "kms:Decrypt*",
                    "kms:ReEncrypt*",
                    "kms:GenerateDataKey*",
                    "kms:Describe*",
                ],
                {
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": place.arn("logs", "log-group:*")
                    }
                },
            ),
            _allow(
                "Alarms",
                {"Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]},
                ["kms:Decrypt", "kms:GenerateDataKey*"],
                here,
            ),
            # Topics and rules put messages into queues, buses and archives keep events. Without conditions, as in AWS's
            # samples: not every such call names its source. The queues' own policies do.
            _allow(
                "Senders",
                {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]},
                ["kms:Decrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey"],
            ),
        ]


def _allow(
    sid: str,
    principal: Mapping[str, str | Sequence[str]],
    action: str | list[str],
    condition: dict[str, Any] | None = None,
) -> dict[str, Any]:
    # In a key policy "*" means this key; KMS knows no other resource there.
    statement: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": action,
        "Resource": "*",
    }
    return {**statement, "Condition": condition} if condition else statement
