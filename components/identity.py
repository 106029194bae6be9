"""Who people are: a Cognito user pool and the client by which they sign in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.authorizers import CognitoAuthorizer
from components.function import ServerlessFunction
from components.http_authorizers import JwtAuthorizer
from settings import DataSettings, IdentitySettings

Moment = Literal[
    "create_auth_challenge",
    "custom_message",
    "define_auth_challenge",
    "post_authentication",
    "post_confirmation",
    "pre_authentication",
    "pre_sign_up",
    "pre_token_generation",
    "user_migration",
    "verify_auth_challenge_response",
]
"""When the pool calls a function and waits for its answer, five seconds at most."""

_UNITS = {"access_token": "minutes", "id_token": "minutes", "refresh_token": "days"}


class Identity(pulumi.ComponentResource):
    """A user pool whose users sign in by e-mail address, and one public client (no secret: nothing could keep it).

    Neither sign-in nor recovery tells whether somebody has an account. Raw children: `pool`, `client`. `issuer` is who
    the pool's tokens say they are from. `triggers` are functions that the pool asks at certain moments.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: IdentitySettings,
        data: DataSettings,
        triggers: Mapping[Moment, ServerlessFunction] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Identity", name, None, opts)
        self._name, self._settings = name, settings
        self._triggers = triggers or {}
        self.pool = self._create_pool(protect=data.protect)
        self._permit()
        self.client = self._create_client()
        self.issuer = pulumi.Output.concat("https://", self.pool.endpoint)
        self.register_outputs({"userPoolId": self.pool.id, "userPoolClientId": self.client.id})

    def jwt(self) -> JwtAuthorizer:
        """What an HTTP API asks to let this pool's users in."""
        return JwtAuthorizer("cognito", issuer=self.issuer, audience=[self.client.id])

    def authorizer(self) -> CognitoAuthorizer:
        """What a REST API asks to let this pool's users in: access tokens, as the HTTP API takes them."""
        return CognitoAuthorizer(self.pool.arn)

    def _create_pool(self, *, protect: bool) -> aws.cognito.UserPool:
        s = self._settings
        cognito = aws.cognito
        return cognito.UserPool(
            f"{self._name}-user-pool",
            cognito.UserPoolArgs(
                username_attributes=["email"],
                # Two spellings of an address are one person.
                username_configuration=cognito.UserPoolUsernameConfigurationArgs(
                    case_sensitive=False
                ),
                auto_verified_attributes=["email"],
                # A changed address counts once its owner has confirmed it.
                user_attribute_update_settings=cognito.UserPoolUserAttributeUpdateSettingsArgs(
                    attributes_require_verification_before_updates=["email"]
                ),
                password_policy=_passwords(s),
                mfa_configuration=s.mfa_configuration,
                software_token_mfa_configuration=cognito.UserPoolSoftwareTokenMfaConfigurationArgs(
                    enabled=True
                )
                if s.mfa_configuration != "OFF"
                else None,
                account_recovery_setting=_by_mail(),
                admin_create_user_config=cognito.UserPoolAdminCreateUserConfigArgs(
                    allow_admin_create_user_only=not s.allow_self_sign_up
                ),
                lambda_config=self._calls(),
                user_pool_tier=s.user_pool_tier,
                user_pool_add_ons=_watch(s),
                deletion_protection="ACTIVE" if protect else "INACTIVE",
            ),
            pulumi.ResourceOptions(parent=self, protect=protect),
        )

    def _calls(self) -> aws.cognito.UserPoolLambdaConfigArgs | None:
        if not self._triggers:
            return None
        calls = aws.cognito.UserPoolLambdaConfigArgs()
        for moment, function in self._triggers.items():
            setattr(calls, moment, function.arn)
        return calls

    def _permit(self) -> None:
        # Without it the pool is made all the same, and people cannot sign in.
        for function in dict.fromkeys(self._triggers.values()):
            function.allow(
                f"{function.logical_name}-{self._name}-permission",
                principal="cognito-idp.amazonaws.com",
                source_arn=self.pool.arn,
                parent=self,
            )

    def _create_client(self) -> aws.cognito.UserPoolClient:
        s = self._settings
        return aws.cognito.UserPoolClient(
            f"{self._name}-user-pool-client",
            aws.cognito.UserPoolClientArgs(
                user_pool_id=self.pool.id,
                generate_secret=False,
                explicit_auth_flows=[
                    # The password never leaves the user's machine.
                    "ALLOW_USER_SRP_AUTH",
                    "ALLOW_REFRESH_TOKEN_AUTH",
                    # For who may call Cognito with AWS credentials: tests and `token --cognito`.
                    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
                ],
                prevent_user_existence_errors="ENABLED",
                enable_token_revocation=True,
                access_token_validity=s.access_token_validity_minutes,
                id_token_validity=s.id_token_validity_minutes,
                refresh_token_validity=s.refresh_token_validity_days,
                token_validity_units=aws.cognito.UserPoolClientTokenValidityUnitsArgs(**_UNITS),
            ),
            pulumi.ResourceOptions(parent=self),
        )


def _passwords(settings: IdentitySettings) -> aws.cognito.UserPoolPasswordPolicyArgs:
    return aws.cognito.UserPoolPasswordPolicyArgs(
        minimum_length=settings.password_minimum_length,
        require_lowercase=True,
        require_uppercase=True,
        require_numbers=True,
        require_symbols=True,
        temporary_password_validity_days=settings.temporary_password_validity_days,
    )


def _watch(settings: IdentitySettings) -> aws.cognito.UserPoolUserPoolAddOnsArgs | None:
    mode = settings.threat_protection
    if mode == "OFF":
        return None
    return aws.cognito.UserPoolUserPoolAddOnsArgs(advanced_security_mode=mode)


def _by_mail() -> aws.cognito.UserPoolAccountRecoverySettingArgs:
    way = aws.cognito.UserPoolAccountRecoverySettingRecoveryMechanismArgs(
        name="verified_email", priority=1
    )
    return aws.cognito.UserPoolAccountRecoverySettingArgs(recovery_mechanisms=[way])
