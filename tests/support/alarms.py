"""Alarms as tests hear them ring, and what breaks a function although the stack stays as it is."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from sandbox.box import Box
from tests.support.effects import Effects, eventually

PATIENCE = 20.0
"""Seconds at most for an alarm to ring, and to be over; a tenth of it is usual."""

Told = Mapping[str, Any]


class Bell:
    """Hears the alarms of a stack: in their history, and by queues that are subscribed to its topics."""

    def __init__(self, box: Box, effects: Effects) -> None:
        self._box, self._effects = box, effects
        self._names = {arn.rpartition(":")[2]: name for name, arn in box.outputs["alarms"].items()}
        self._inboxes = {
            severity: effects.inbox(box.outputs[f"{severity}TopicArn"])
            for severity in ("page", "ticket")
        }
        self._past = 0

    def forget(self) -> None:
        """Wait until nothing rings and everybody knows it; what was, counts no more."""
        self.clears()
        self._past = len(self._history())
        for url in self._inboxes.values():
            self._box.client("sqs").purge_queue(QueueUrl=url)

    def rings(self, expected: set[str], cause: Callable[[], Any]) -> None:
        """Cause it until all of these have rung."""
        eventually(lambda: (cause(), expected <= self.rang())[1], PATIENCE)

    def clears(self, cause: Callable[[], Any] = lambda: None) -> None:
        """Wait until nothing rings any more and the topics have told so, while this goes on."""
        still: set[str] = set()

        def over() -> bool:
            cause()
            still.clear()
            still.update(self.ringing() | self._unsaid())
            return not still

        try:
            eventually(over, PATIENCE)
        except pytest.fail.Exception:
            pytest.fail(f"these still ring: {sorted(still)}")

    def ringing(self) -> set[str]:
        """The alarms that ring now and are to be heard; parts of others may look back over hours."""
        return {alarm.name for alarm in self._box.alarms() if alarm.rings and alarm.severity}

    def rang(self) -> set[str]:
        """The alarms that have rung, however shortly."""
        return {
            self._names[item["AlarmName"]]
            for item in self._history()[self._past :]
            if item["HistorySummary"].endswith(" to ALARM") and item["AlarmName"] in self._names
        }

    def told(self, severity: str) -> dict[str, list[Told]]:
        """What the topic of a severity has told, in this order, by alarm."""
        found: dict[str, list[Told]] = {}
        for text in self._effects.peek(self._inboxes[severity]):
            message = json.loads(text)
            found.setdefault(self._names[message["AlarmName"]], []).append(message)
        return found

    def _unsaid(self) -> set[str]:
        """The alarms of which the last that was told is that they ring."""
        heard = [pair for severity in self._inboxes for pair in self.told(severity).items()]
        return {name for name, said in heard if said[-1]["NewStateValue"] == "ALARM"}

    def _history(self) -> list[Told]:
        """All changes of states, oldest first."""
        pages = self._box.client("cloudwatch").get_paginator("describe_alarm_history")
        asked: dict[str, Any] = {
            "AlarmTypes": ["CompositeAlarm", "MetricAlarm"],
            "HistoryItemType": "StateUpdate",
            "ScanBy": "TimestampAscending",
        }
        return [item for page in pages.paginate(**asked) for item in page["AlarmHistoryItems"]]


@contextmanager
def deployed(box: Box, function: str, source: str) -> Generator[None]:
    """Other code, a Python module, stands behind a function's alias; mended by the version before it."""
    client, of = box.client("lambda"), {"FunctionName": box.outputs["functions"][function]["name"]}
    before = client.get_alias(**of, Name="live")["FunctionVersion"]
    module = client.get_function_configuration(**of)["Handler"].partition(".")[0]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(f"{module}.py", source)
    made = client.update_function_code(**of, ZipFile=archive.getvalue(), Publish=True)
    client.update_alias(**of, Name="live", FunctionVersion=made["Version"])
    try:
        yield
    finally:
        client.update_alias(**of, Name="live", FunctionVersion=before)


@contextmanager
def throttled(box: Box, *functions: str) -> Generator[None]:
    """No call of these functions gets an environment."""
    client, known = box.client("lambda"), box.outputs["functions"]
    for name in functions:
        client.put_function_concurrency(
            FunctionName=known[name]["name"], ReservedConcurrentExecutions=0
        )
    try:
        yield
    finally:
        for name in functions:
            client.delete_function_concurrency(FunctionName=known[name]["name"])
