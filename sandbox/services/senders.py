"""What a function sends mail with: an address and a set of options that lie in the account, outside of the stack."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Final

from sandbox.resources import Resource

_ADDRESS: Final = "MAIL_FROM_ADDRESS"
_SET: Final = "MAIL_CONFIGURATION_SET"
"""The variables that name them."""


def permit(r: Resource) -> None:
    """Count the sender in a function's environment as verified; the account behind it is not known here."""
    from botocore.exceptions import ClientError

    variables = (r.inputs.get("environment") or {}).get("variables") or {}
    sender = parseaddr(str(variables.get(_ADDRESS) or ""))[1]
    if sender:
        r.call("ses", "verify_email_identity", EmailAddress=sender)
        r.note(f"{sender} counts as a verified sender, and no e-mail leaves the sandbox")
    if options := variables.get(_SET):
        try:
            r.call("sesv2", "create_configuration_set", ConfigurationSetName=options)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise
