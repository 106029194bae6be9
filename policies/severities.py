"""Two severities: a page calls somebody at any hour, a ticket waits for a working day. A topic for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies import alarms, aws, links
from policies.encryption import key_of
from policies.model import Registered, Stack, rule

PAGE, TICKET = "page", "ticket"
TOPICS = {PAGE: "page-topic", TICKET: "ticket-topic"}
"""Severity -> the topic by which people are told."""
BY_WAITING, BY_SPEED = "as long as somebody waits", "by how fast"
SEVERITIES = {
    "api-4xx": TICKET,
    "api-5xx": PAGE,
    "api-latency": TICKET,
    "api-traffic": TICKET,
    "authorizer-failures": PAGE,
    "budget": TICKET,
    "canary": PAGE,
    "failures-waiting": TICKET,
    "function-concurrency": TICKET,
    "function-duration": TICKET,
    "function-errors": BY_WAITING,
    "function-invocations": TICKET,
    "function-spillover": TICKET,
    "function-throttles": BY_WAITING,
    "queue-age": TICKET,
    "queue-depth": TICKET,
    "service-down": PAGE,
    "slo-burn": BY_SPEED,
    "socket-errors": PAGE,
    "stream-behind": TICKET,
    "stream-throttles": TICKET,
    "table-errors": PAGE,
    "table-throttles": TICKET,
}
"""Runbook -> the severity of its alarms."""
WAITS = frozenset({"api", "authorizer"})
MAY_WAIT = frozenset({"target", "resolver", "pool", "url"})
"""Starts by which a caller waits for the answer of a function; of the second ones, whether it is a page is open."""


@rule
def alarm_has_the_severity_of_its_runbook(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Who is woken for what can wait does not come for what cannot."""
    starts = _starts(stack)
    for alarm in alarms.every(stack):
        book, told = alarms.runbook(alarm), alarm.get("alarmActions") or []
        topics = {t.name for arn in told if (t := stack.at(str(arn), aws.TOPIC)) is not None}
        if not told:
            continue
        wanted = _wanted(alarm, SEVERITIES.get(book, ""), starts)
        if book not in SEVERITIES:
            yield alarm, f"say in policies/severities.py how urgent its runbook is: {book}"
        elif wanted and topics != {TOPICS[wanted]}:
            yield alarm, f"is a {wanted}: it must speak to {TOPICS[wanted]}"


@rule
def people_are_told_in_secret(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Both topics are there, encrypted with the data key: alarms name what is weak."""
    if alarms.silent(stack) or not alarms.every(stack):
        return
    found = {topic.name: topic for topic in stack.all(aws.TOPIC)}
    for name in TOPICS.values():
        topic = found.get(name)
        if topic is None:
            yield alarms.every(stack)[0], f"there is no {name} to speak to"
        elif stack.at(key_of(stack, topic), aws.KEY) is None:
            yield topic, "must be encrypted with the data key"


def _wanted(alarm: Registered, severity: str, starts: Mapping[str, set[str]]) -> str:
    """The severity that an alarm must have; empty where either will do."""
    if severity == BY_SPEED:
        return PAGE if "-fast" in alarm.name else TICKET
    if severity != BY_WAITING:
        return severity
    kinds = starts.get(alarm.name.rsplit("-", 2)[0], set())
    if kinds & WAITS:
        return PAGE
    return "" if kinds & MAY_WAIT else TICKET


def _starts(stack: Stack) -> dict[str, set[str]]:
    """Short name of each function -> the kinds of what starts it."""
    found: dict[str, set[str]] = {}
    for start in links.starts(stack):
        name = start.invoked.function.name.removesuffix("-function")
        found.setdefault(name, set()).add(start.kind)
    for url in stack.all(aws.FUNCTION_URL):
        function = links.named_function(stack, url.get("functionName"))
        if function is not None:
            found.setdefault(function.name.removesuffix("-function"), set()).add("url")
    return found


RULES = (alarm_has_the_severity_of_its_runbook, people_are_told_in_secret)
