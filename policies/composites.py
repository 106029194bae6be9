"""Composite alarms: rules over other alarms, and objectives that are used up in two windows at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from policies import alarms, aws, metrics
from policies.model import Registered, Stack, rule

LONGEST = 10_240
"""Characters of a rule (CloudWatch API reference, PutCompositeAlarm)."""
MOST_CHILDREN = 100
BURN = "slo-burn"
WINDOWS = {"fast": (3_600, 300), "slow": (21_600, 1_800)}
"""Seconds of the long and of the short window (The Site Reliability Workbook, "Alerting on SLOs")."""


@rule
def composite_is_one_that_cloudwatch_takes(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A rule that can be read, over alarms that are there before it, and never over itself."""
    known = {alarms.called(alarm): alarm for alarm in alarms.every(stack)}
    for composite in stack.all(aws.COMPOSITE):
        text, asked = str(composite.get("alarmRule") or ""), alarms.asked(composite)
        if not 0 < len(text) <= LONGEST or text != text.strip():
            yield composite, f"alarmRule must have 1 to {LONGEST} characters, no blanks around them"
        if _holds(composite, ringing=True) is None:
            yield composite, f"alarmRule cannot be read: {text}"
        if not 0 < len(asked) <= MOST_CHILDREN:
            yield composite, f"asks {len(asked)} alarms; 1 to {MOST_CHILDREN} are taken"
        for name in asked:
            if name not in known:
                yield composite, f"asks the alarm '{name}', which is not of this stack"
            else:
                yield from stack.not_awaited(composite, [known[name]])
        if alarms.called(composite) in _below(asked, known):
            yield composite, "asks itself, by way of others; CloudWatch stops to look at it"


@rule
def composite_follows_its_parts(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """It rings when all of them do, and not when none does."""
    for composite in stack.all(aws.COMPOSITE):
        if _holds(composite, ringing=True) is False:
            yield composite, "does not ring while all of its parts do"
        if _holds(composite, ringing=False) is True:
            yield composite, "rings while none of its parts does"


@rule
def objective_burns_in_two_windows(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """The long window says that it matters, the short one that it is not over: one rate, one limit, silent by themselves."""
    known = {alarms.called(alarm): alarm for alarm in stack.all(aws.ALARM)}
    for composite in stack.all(aws.COMPOSITE):
        if alarms.runbook(composite) != BURN:
            continue
        children = [known[name] for name in alarms.asked(composite) if name in known]
        read = [metrics.watched(child) for child in children]
        periods = sorted((m.period for found in read for m in found[:1]), reverse=True)
        speed = "fast" if "-fast" in composite.name else "slow"
        if tuple(periods) != WINDOWS[speed]:
            yield composite, f"must look at windows of {WINDOWS[speed]} s; it looks at {periods}"
        same = {(c.get("threshold"), _without_periods(c)) for c in children}
        if len(same) != 1:
            yield composite, "its windows must read the same metrics, with one limit"
        if " OR " in str(composite.get("alarmRule")):
            yield composite, "must ask for both windows (AND)"
        for child in children:
            if child.get("alarmActions"):
                yield child, f"must be silent: {composite.name} speaks for it"


def _holds(composite: Registered, *, ringing: bool) -> bool | None:
    """What a rule comes to while all of its parts ring, or while all are OK; None where it cannot be read."""
    now = "ALARM" if ringing else "OK"
    text = alarms.NAMED.sub(
        lambda match: str(match[1] == now), str(composite.get("alarmRule") or "")
    )
    for word, plain in (("AND", "and"), ("OR", "or"), ("NOT", "not")):
        text = text.replace(f"{word} ", f"{plain} ")
    text = text.replace("TRUE", "True").replace("FALSE", "False")
    try:
        return _truth(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError):
        return None


def _truth(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=bool() as said):
            return said
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return not _truth(inner)
        case ast.BoolOp(op=op, values=parts):
            found = [_truth(part) for part in parts]
            return all(found) if isinstance(op, ast.And) else any(found)
        case _:
            raise ValueError(ast.unparse(node))


def _below(asked: list[str], known: Mapping[str, Registered]) -> set[str]:
    """Names of all alarms that a rule over these asks, directly or not."""
    found: set[str] = set()
    waiting = [*asked]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += alarms.asked(known[name]) if name in known else []
    return found


def _without_periods(alarm: Registered) -> tuple[object, ...]:
    """What an alarm computes, of what, whatever the time over which it looks."""
    return tuple(
        (
            q.id,
            q.expression,
            q.metric and (q.metric.name, q.metric.statistic, *q.metric.dimensions.items()),
        )
        for q in metrics.queries(alarm)
    )


RULES = (
    composite_is_one_that_cloudwatch_takes,
    composite_follows_its_parts,
    objective_burns_in_two_windows,
)
