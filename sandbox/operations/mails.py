"""Mails that functions sent: SES keeps none on AWS, the emulator delivers none."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.clients import Clients
from sandbox.operations import peeking


@dataclass(frozen=True)
class Mail:
    """One mail. `to`: all that it goes to, copies and blind copies too. `text`: its HTML's text where it has no other.

    `time`: when it was sent, in seconds since the epoch.
    """

    id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    time: float

    @property
    def when(self) -> str:
        """When it was sent, in UTC: `2025-11-21T20:02:38Z`."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.time))


def read(aws: Clients) -> list[Mail]:
    """All mails that were sent, oldest first."""
    found = peeking.messages(aws.endpoint, "ses")
    mails = [_mail(each) for sent in found.values() for each in sent]
    return sorted(mails, key=lambda mail: mail.time)


def _mail(told: Mapping[str, Any]) -> Mail:
    to = [address for kind in ("To", "CC", "BCC") for address in told.get(kind) or []]
    text = told.get("BodyText") or told.get("RenderedBodyText") or ""
    marked = told.get("BodyHtml") or told.get("RenderedBodyHtml") or ""
    return Mail(
        id=str(told.get("MessageId", "")),
        sender=str(told.get("Source", "")),
        to=tuple(to),
        subject=str(told.get("Subject") or told.get("RenderedSubject") or ""),
        text=str(text) or html.unescape(re.sub(r"<[^>]*>", "", str(marked))),
        time=float(told.get("Timestamp") or 0),
    )
