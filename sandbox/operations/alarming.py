"""The alarms of a running stack: their state, and whom they tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.clients import Clients

_RUNBOOK: Final = re.compile(r"Runbook: (\S+?)\.?$")
_TOPICS: Final = {"pageTopicArn": "page", "ticketTopicArn": "ticket"}
_RINGING: Final = "ALARM"
_ORDER: Final = (_RINGING, "INSUFFICIENT_DATA", "OK")
_SEVERITIES: Final = ("page", "ticket", "")


@dataclass(frozen=True)
class Alarm:
    """One alarm. `name`: as the export `alarms` has it, else its own. `since`: seconds since the epoch.

    `state`: OK, ALARM or INSUFFICIENT_DATA, `reason` says why. `severity`: page, ticket, or empty where it tells nobody by
    itself. `runbook`: a path of the checkout, or empty.
    """

    name: str
    state: str
    since: float
    reason: str
    runbook: str
    severity: str
    description: str
    arn: str

    @property
    def rings(self) -> bool:
        """Whether it is in the state ALARM."""
        return self.state == _RINGING


def read(aws: Clients, exports: Mapping[str, Any]) -> list[Alarm]:
    """All alarms: those that ring first, pages before tickets, then by name."""
    client, more = aws.client("cloudwatch"), dict[str, Any]()
    found: list[Alarm] = []
    while True:
        page = client.describe_alarms(AlarmTypes=["CompositeAlarm", "MetricAlarm"], **more)
        told = [*page.get("CompositeAlarms", []), *page.get("MetricAlarms", [])]
        found += [_alarm(each, exports) for each in told]
        if not page.get("NextToken"):
            return sorted(found, key=_place)
        more = {"NextToken": page["NextToken"]}


def _place(alarm: Alarm) -> tuple[int, int, str]:
    return _ORDER.index(alarm.state), _SEVERITIES.index(alarm.severity), alarm.name


def _alarm(told: Mapping[str, Any], exports: Mapping[str, Any]) -> Alarm:
    arn, description = str(told["AlarmArn"]), str(told.get("AlarmDescription") or "")
    runbook = _RUNBOOK.search(description)
    names = exports.get("alarms")
    known = {str(v): str(k) for k, v in names.items()} if isinstance(names, Mapping) else {}
    since = told.get("StateTransitionedTimestamp") or told.get("StateUpdatedTimestamp")
    return Alarm(
        name=known.get(arn, str(told["AlarmName"])),
        state=str(told["StateValue"]),
        since=since.timestamp() if since else 0.0,
        reason=str(told.get("StateReason") or ""),
        runbook=runbook[1] if runbook else "",
        severity=_severity(told.get("AlarmActions") or [], exports),
        description=description,
        arn=arn,
    )


def _severity(actions: list[str], exports: Mapping[str, Any]) -> str:
    of_topics = {str(exports[name]): word for name, word in _TOPICS.items() if exports.get(name)}
    return next((of_topics[arn] for arn in actions if arn in of_topics), "")
