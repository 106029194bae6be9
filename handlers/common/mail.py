"""E-mail by SES. MAIL_FROM_ADDRESS is the sender, MAIL_CONFIGURATION_SET optional; where there is no
sender, the stack sends none.

Version 1 of SES's API: botocore makes its client in a quarter of the time of version 2's, and one
plain message to one address is all that is sent.
"""

from __future__ import annotations

import os
import re
from typing import Any

from common import aws, correlation

# One plain address. With a comma, a quoted name or spaces SES would read more into it than one.
_ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\]+")
_REFUSED = frozenset({"InvalidParameterValue", "MessageRejected"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_IDENTITY = re.compile(r":identity/([^\s'\"`]+)")


# What SES takes as the value of a tag, by which its own events tell what a bounce was caused by.
_TAG = re.compile(r"[A-Za-z0-9_-]{1,128}")


class Refused(Exception):
    """SES will never send this to this address; the text says why."""


def is_on() -> bool:
    """Whether the stack sends e-mail."""
    return bool(os.environ.get("MAIL_FROM_ADDRESS"))


def prepare() -> None:
    """Make the client while Lambda initialises, where e-mail is sent."""
    if is_on():
        aws.prepare("ses")


def send(address: str, *, subject: str, text: str) -> None:
    """Send a text to one address. Raises Refused when that will never work, and what botocore
    raises for trouble that may pass, or that is the sender's: an unverified sender can be verified.
    """
    if not _ADDRESS.fullmatch(address) or not address.isascii():
        raise Refused("not an e-mail address")
    sender = os.environ["MAIL_FROM_ADDRESS"]
    options: dict[str, Any] = {}
    if _TAG.fullmatch(correlation.current()):
        options["Tags"] = [{"Name": correlation.NAME, "Value": correlation.current()}]
    if configuration_set := os.environ.get("MAIL_CONFIGURATION_SET"):
        options["ConfigurationSetName"] = configuration_set
    try:
        aws.client("ses").send_email(
            Source=sender,
            Destination={"ToAddresses": [address]},
            Message={
                "Subject": {"Data": subject, "Charset": "UTF-8"},
                "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
            },
            **options,
        )
    except Exception as error:
        if _names_recipient(error, address, sender):
            raise Refused("in SES's sandbox, and no right to the address's own identity") from None
        if aws.error_code(error) not in _REFUSED or sender in str(error):
            raise
        raise Refused(_reason(error, address)) from None


def _names_recipient(error: Exception, address: str, sender: str) -> bool:
    """Whether a right is missing on the recipient's identity: in its sandbox SES asks for one, as
    for the sender's, where the recipient is an address or domain that this account has verified.
    """
    if aws.error_code(error) not in _DENIED:
        return False
    named = {name.lower() for name in _IDENTITY.findall(str(error))}
    return bool(named & _identities(address)) and not named & _identities(sender)


def _identities(address: str) -> set[str]:
    """What SES may know an address by. A sender may have a name before it: Shop <a@example.com>."""
    plain = address.rpartition("<")[2].rstrip("> ").lower()
    return {plain, plain.rpartition("@")[2]}


def _reason(error: Exception, address: str) -> str:
    """SES's own words without the address, which may be put into a log."""
    response: dict[str, dict[str, str]] = getattr(error, "response", {})
    text = response["Error"].get("Message", "").replace(address, "the address")
    return f"{aws.error_code(error)}: {text}"[:200]
