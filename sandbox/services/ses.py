"""SES: identities that may send and sets of sending options. No mail leaves the sandbox."""

from __future__ import annotations

from typing import Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, pairs, physical_name, remove, tags


@resource("aws:sesv2/emailIdentity:EmailIdentity", ignored=REGION)
def email_identity(r: Resource) -> Outputs:
    """An identity is verified at once: there is no mailbox here that could be asked."""
    identity, wanted = r.take("emailIdentity"), tags(r)
    signing = r.params(r.aws, "sesv2", "create_email_identity", "dkimSigningAttributes")
    made = r.call(
        "sesv2",
        "create_email_identity",
        EmailIdentity=identity,
        ConfigurationSetName=r.take("configurationSetName"),
        Tags=pairs(wanted),
        **signing,
    )
    r.note("it counts as verified at once, and no e-mail leaves the sandbox")
    return {
        "id": identity,
        "emailIdentity": identity,
        "arn": f"arn:aws:ses:{r.aws.region}:{r.aws.account}:identity/{identity}",
        "identityType": made["IdentityType"],
        "verificationStatus": "SUCCESS",
        "verifiedForSendingStatus": True,
        "tagsAll": wanted,
    }


@email_identity.updates
def update_email_identity(r: Resource) -> Outputs:
    """Made anew: nothing of an identity is lost by that here."""
    delete_email_identity(r)
    return email_identity.create(r)


@email_identity.deletes
def delete_email_identity(r: Resource) -> None:
    remove(r, "sesv2", "delete_email_identity", EmailIdentity=(r.old or {})["emailIdentity"])


_OPTIONS: Final = (
    "deliveryOptions",
    "reputationOptions",
    "sendingOptions",
    "suppressionOptions",
    "trackingOptions",
    "vdmOptions",
)


@resource("aws:sesv2/configurationSet:ConfigurationSet", ignored=REGION)
def configuration_set(r: Resource) -> Outputs:
    name, wanted = physical_name(r, "configurationSetName", limit=64), tags(r)
    r.api(
        "sesv2",
        "create_configuration_set",
        *_OPTIONS,
        ConfigurationSetName=name,
        Tags=pairs(wanted),
    )
    arn = f"arn:aws:ses:{r.aws.region}:{r.aws.account}:configuration-set/{name}"
    return {"id": name, "configurationSetName": name, "arn": arn, "tagsAll": wanted}


@configuration_set.updates
def update_configuration_set(r: Resource) -> Outputs:
    delete_configuration_set(r)
    return configuration_set.create(r)


@configuration_set.deletes
def delete_configuration_set(r: Resource) -> None:
    name = (r.old or {})["configurationSetName"]
    remove(r, "sesv2", "delete_configuration_set", ConfigurationSetName=name)
