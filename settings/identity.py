"""What a stack file may say of the people who sign in."""

from typing import Final, Literal

from settings.fields import Model, setting
from settings.other_names import OF_A_FIXTURE

_POOL: Final = "Cognito user pools API reference, CreateUserPool"
_CLIENT: Final = "Cognito user pools API reference, CreateUserPoolClient"


class IdentitySettings(Model):
    """The user pool and its client."""

    other_names = OF_A_FIXTURE

    password_minimum_length: int = setting(
        12,
        "Least length of a password, which has letters of both cases, a digit and a symbol besides.",
        unit="characters",
        ge=8,
        le=99,
        source=_POOL,
    )
    temporary_password_validity_days: int = setting(
        7,
        "How long a password that an administrator gave can be used.",
        unit="days",
        ge=1,
        le=365,
        source=_POOL,
    )
    mfa_configuration: Literal["OFF", "OPTIONAL", "ON"] = setting(
        "OPTIONAL",
        "Whether people may (OPTIONAL) or must (ON) sign in with a code of an authenticator app besides.",
        source=_POOL,
    )
    allow_self_sign_up: bool = setting(
        default=False,
        description="Let everybody make an account; otherwise administrators do.",
        source=_POOL,
    )
    access_token_validity_minutes: int = setting(
        60, "How long an access token is valid.", unit="minutes", ge=5, le=1440, source=_CLIENT
    )
    id_token_validity_minutes: int = setting(
        60, "How long an ID token is valid.", unit="minutes", ge=5, le=1440, source=_CLIENT
    )
    refresh_token_validity_days: int = setting(
        30,
        "How long new tokens can be had without signing in again; longer than the other tokens are valid.",
        unit="days",
        ge=1,
        le=3650,
        source=_CLIENT,
    )
    user_pool_tier: Literal["LITE", "ESSENTIALS", "PLUS"] = setting(
        "ESSENTIALS", "Feature plan of the pool; each has its price per user.", source=_POOL
    )
    threat_protection: Literal["OFF", "AUDIT", "ENFORCED"] = setting(
        "OFF",
        "Watch (AUDIT) or also stop (ENFORCED) suspicious sign-ins and leaked passwords; PLUS only.",
        source=_POOL,
    )
