"""Cognito user pools: sign-up, sign-in and tokens are real; mails lie in the emulator's mailbox, text messages nowhere.

A pool's `endpoint` is AWS's, without a scheme; the issuer of its tokens is `https://` and that, as on AWS. JWT
authorizers of the sandbox find the keys of such an issuer in the sandbox itself.
"""

from __future__ import annotations

from typing import Any, Final

from sandbox.resources import Outputs, Resource, RestartNeeded, resource
from sandbox.services.shared import REGION, dropped, nested, physical_name, remove, tags

IDP: Final = "cognito-idp"
_FIXED: Final = ("aliasAttributes", "schemas", "usernameAttributes", "usernameConfiguration")
"""What a pool has from its start to its end."""
_OWN: Final = (
    "adminCreateUserConfig",
    "autoVerifiedAttributes",
    "deletionProtection",
    "deviceConfiguration",
    "emailConfiguration",
    "emailVerificationMessage",
    "emailVerificationSubject",
    "lambdaConfig",
    "smsAuthenticationMessage",
    "smsConfiguration",
    "smsVerificationMessage",
    "userAttributeUpdateSettings",
    "userPoolAddOns",
    "userPoolTier",
    "verificationMessageTemplate",
)
_RENAME: Final = {
    "emailConfiguration.fromEmailAddress": "From",
    "lambdaConfig.kmsKeyId": "KMSKeyID",
    "schemas": "Schema",
}
_UNCALLED: Final = {
    "customEmailSender": "custom email sender",
    "customSmsSender": "custom SMS sender",
    "postAuthentication": "post authentication",
    "preAuthentication": "pre authentication",
    "userMigration": "user migration",
}
"""Triggers that the emulator stores and never calls."""
_FACTORS: Final = {
    "emailMfaConfiguration": "EmailMfaConfiguration",
    "softwareTokenMfaConfiguration": "SoftwareTokenMfaConfiguration",
    "webAuthnConfiguration": "WebAuthnConfiguration",
}


@resource("aws:cognito/userPool:UserPool", ignored=REGION)
def user_pool(r: Resource) -> Outputs:
    name, wanted = physical_name(r, limit=128), tags(r)
    given = r.params(r.aws, IDP, "create_user_pool", *_FIXED, *_OWN, rename=_RENAME)
    given.update(_shaped(r))
    made = r.call(IDP, "create_user_pool", **given, PoolName=name, UserPoolTags=wanted or None)
    pool = made["UserPool"]
    _factors(r, pool["Id"])
    _note_pool(r)
    return _pool_outputs(r, pool, name, wanted)


@user_pool.updates
def update_user_pool(r: Resource) -> Outputs:
    """An update resets what it does not name, so it names everything, as the provider does."""
    if moved := r.changed & set(_FIXED):
        raise RestartNeeded(f"{min(moved)} of a user pool cannot change")
    old = dict(r.old or {})
    for key in _FIXED:
        r.take(key)
    name, wanted = physical_name(r, limit=128), tags(r)
    given = r.params(r.aws, IDP, "update_user_pool", *_OWN, rename=_RENAME)
    given.update(_shaped(r))
    for key in r.changed & {"lambdaConfig", "userPoolAddOns"}:
        given.setdefault(key[0].upper() + key[1:], {})
    r.call(IDP, "update_user_pool", **given, UserPoolId=old["id"])
    _factors(r, old["id"])
    _note_pool(r)
    if extra := dropped(r, wanted):
        r.call(IDP, "untag_resource", ResourceArn=old["arn"], TagKeys=extra)
    if wanted:
        r.call(IDP, "tag_resource", ResourceArn=old["arn"], Tags=wanted)
    pool = r.call(IDP, "describe_user_pool", UserPoolId=old["id"])["UserPool"]
    return _pool_outputs(r, pool, name, wanted)


@user_pool.deletes
def delete_user_pool(r: Resource) -> None:
    remove(r, IDP, "delete_user_pool", UserPoolId=(r.old or {})["id"])


def _shaped(r: Resource) -> dict[str, Any]:
    """Blocks that stand elsewhere in the API than in the provider."""
    made: dict[str, Any] = {}
    policies = {"passwordPolicy": r.take("passwordPolicy"), "signInPolicy": r.take("signInPolicy")}
    if any(policies.values()):
        made.update(nested(r, IDP, "create_user_pool", {"policies": policies}))
    recovery = [
        {"Name": b.take("name"), "Priority": int(b.take("priority"))}
        for b in r.block("accountRecoverySetting").blocks("recoveryMechanisms")
    ]
    if recovery:
        made["AccountRecoverySetting"] = {"RecoveryMechanisms": recovery}
    return made


def _factors(r: Resource, pool_id: str) -> None:
    """The second factors have a call of their own, as in the provider."""
    wanted = r.take("mfaConfiguration", "OFF")
    given = r.params(r.aws, IDP, "set_user_pool_mfa_config", *_FACTORS)
    if sms := r.inputs.get("smsConfiguration"):
        block = nested(
            r,
            IDP,
            "set_user_pool_mfa_config",
            {"smsMfaConfiguration": {"smsConfiguration": sms}},
        )
        given.update(block)
    if wanted != "OFF" or given or r.changed & {"mfaConfiguration", *_FACTORS}:
        r.call(
            IDP, "set_user_pool_mfa_config", UserPoolId=pool_id, MfaConfiguration=wanted, **given
        )


def _note_pool(r: Resource) -> None:
    triggers = r.inputs.get("lambdaConfig") or {}
    for key, name in _UNCALLED.items():
        if triggers.get(key):
            r.note(f"its {name} trigger is not called")
    if r.inputs.get("mfaConfiguration") == "ON":
        r.note("a user who has set up no second factor signs in without one")
    if r.inputs.get("smsConfiguration"):
        r.note("no text message is sent")
    if r.inputs.get("webAuthnConfiguration"):
        r.note("passkeys are recorded: nobody can sign in with one")
    mode = (r.inputs.get("userPoolAddOns") or {}).get("advancedSecurityMode", "OFF")
    if mode != "OFF":
        r.note("threat protection is recorded: no sign-in is judged")
    if r.inputs.get("deviceConfiguration"):
        r.note("devices are not remembered")


def _pool_outputs(r: Resource, pool: dict[str, Any], name: str, wanted: dict[str, str]) -> Outputs:
    return {
        "id": pool["Id"],
        "name": name,
        "arn": pool["Arn"],
        "creationDate": _date(pool["CreationDate"]),
        "lastModifiedDate": _date(pool["LastModifiedDate"]),
        "endpoint": f"cognito-idp.{r.aws.region}.amazonaws.com/{pool['Id']}",
        "domain": pool.get("Domain") or "",
        "customDomain": pool.get("CustomDomain") or "",
        "estimatedNumberOfUsers": pool.get("EstimatedNumberOfUsers", 0),
        "mfaConfiguration": r.inputs.get("mfaConfiguration", "OFF"),
        "tagsAll": wanted,
    }


def _date(moment: Any) -> str:
    return moment.isoformat() if hasattr(moment, "isoformat") else str(moment)
