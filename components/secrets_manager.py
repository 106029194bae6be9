"""Secrets: generated at deploy time, kept in Secrets Manager, read by name at run time."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.grants import Grant, Statement, variable_name
from components.keys import DataKey
from settings import DataSettings


class Secret(pulumi.ComponentResource):
    """One Secrets Manager secret (about 0.40 USD a month), encrypted with the stack's key.

    Functions get its ARN in their environment, never its value.
    """

    def __init__(
        self,
        name: str,
        *,
        value: pulumi.Input[str],
        description: str,
        settings: DataSettings,
        encryption: DataKey,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Secret", name, None, opts)
        self._variable = variable_name(name, "SECRET_ARN")
        self._encryption = encryption
        self.secret = aws.secretsmanager.Secret(
            f"{name}-secret",
            aws.secretsmanager.SecretArgs(
                description=description,
                kms_key_id=encryption.arn,
                recovery_window_in_days=settings.secret_recovery_window_in_days,
            ),
            pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )
        self.version = aws.secretsmanager.SecretVersion(
            f"{name}-value",
            aws.secretsmanager.SecretVersionArgs(
                secret_id=self.secret.id, secret_string=pulumi.Output.secret(value)
            ),
            pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )
        self.arn = self.secret.arn
        self.register_outputs({"arn": self.arn})

    def read(self) -> Grant:
        """Read the current value."""
        return Grant(
            [
                Statement(["secretsmanager:GetSecretValue"], [self.arn]),
                self._encryption.use("secretsmanager", "Decrypt"),
            ],
            {self._variable: self.arn},
        )


def random_text(name: str, *, settings: DataSettings, length: int = 64) -> pulumi.Output[str]:
    """Random letters and digits (5.95 bits each) that stay the same until the resource `name` is replaced.

    It is protected as the secret is: nothing else could bring the value back.
    """
    kept = pulumi.ResourceOptions(protect=settings.protect)
    return random.RandomPassword(name, length=length, special=False, opts=kept).result


def webhook_key(name: str, *, settings: DataSettings) -> pulumi.Output[str]:
    """What signs webhooks, as the libraries of Standard Webhooks take it: `whsec_` and 48 random bytes in base64."""
    # Letters and digits, a multiple of four of them, are base64 as they stand.
    return pulumi.Output.concat("whsec_", random_text(name, settings=settings))


def signing_key(
    name: str, *, settings: DataSettings, issuer: str, audience: str
) -> pulumi.Output[str]:
    """What signs and checks JWTs, as JSON text: {"kid", "key", "iss", "aud"}."""
    key_id = random.RandomUuid(f"{name}-id", opts=pulumi.ResourceOptions(protect=settings.protect))
    return pulumi.Output.json_dumps(
        {
            "kid": key_id.result,
            "key": random_text(f"{name}-value", settings=settings),
            "iss": issuer,
            "aud": audience,
        }
    )
