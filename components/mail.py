"""E-mail by SES, from one address."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.grants import NOTHING, Grant, Statement
from components.place import Place
from settings import MailSettings


class Mail(pulumi.ComponentResource):
    """The address mail is sent from; without one nobody may send, and handlers send none.

    SES knows an address or a domain once per account and region, so the identity is usually there already; with
    `create_identity` it is made here, and its owner confirms it by the link that SES sends.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: MailSettings,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Mail", name, None, opts)
        self._settings, self._place = settings, place
        if settings.from_address and settings.create_identity:
            self.identity = aws.sesv2.EmailIdentity(
                f"{name}-identity",
                aws.sesv2.EmailIdentityArgs(
                    email_identity=settings.from_address,
                    configuration_set_name=settings.configuration_set,
                ),
                pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})

    def send(self) -> Grant:
        """Send mail in the name of that address."""
        s = self._settings
        if s.from_address is None:
            return NOTHING
        # SES judges by the identity it finds: the address itself, or else its domain.
        names = [s.from_address, s.from_address.rpartition("@")[2]]
        resources = [self._place.arn("ses", f"identity/{name}") for name in names]
        environment = {"MAIL_FROM_ADDRESS": s.from_address}
        if s.configuration_set:
            resources.append(self._place.arn("ses", f"configuration-set/{s.configuration_set}"))
            environment["MAIL_CONFIGURATION_SET"] = s.configuration_set
        only = {"StringEquals": {"ses:FromAddress": s.from_address}}
        return Grant([Statement(["ses:SendEmail"], resources, only)], environment)
