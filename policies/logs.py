"""Logs: kept, encrypted, counted by filters, and asked by queries that are saved."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from policies import aws, documents, metrics
from policies.encryption import key_of
from policies.model import Registered, Stack, rule

RETENTIONS = frozenset(
    (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827)
) | {2192, 2557, 2922, 3288, 3653}
"""Days that CloudWatch Logs takes (PutRetentionPolicy); 0, for ever, is never meant."""
YEAR = 365
MOST_FILTERS, MOST_DIMENSIONS, LONGEST_PATTERN = 100, 3, 1_024
"""Metric filters of a log group, dimensions of one, characters of its pattern (CloudWatch Logs quotas)."""
MOST_GROUPS, LONGEST_QUERY = 50, 10_000
"""Log groups that one query asks, and its characters (CloudWatch Logs API reference, PutQueryDefinition)."""
COMMANDS = frozenset(
    {"fields", "filter", "stats", "sort", "limit", "parse", "display", "dedup", "unnest", "pattern"}
)
"""What a line of a query may begin with (CloudWatch Logs Insights, as far as it is used)."""

_JSON_PATTERN = re.compile(r"\{\s*\S.*\S\s*\}", re.DOTALL)
_SELECTOR = re.compile(r"\$\.([A-Za-z_][A-Za-z0-9_]*)")


@rule
def logs_end_and_are_encrypted(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A retention that CloudWatch takes (a year or more in production), and the data key."""
    for group in stack.all(aws.LOG_GROUP):
        days = group.get("retentionInDays")
        if days not in RETENTIONS or (stack.production and days < YEAR):
            yield (
                group,
                f"retentionInDays is {days}; name a value that CloudWatch takes, a year in production",
            )
        if stack.at(key_of(stack, group), aws.KEY) is None:
            yield group, "kmsKeyId must be the data key's ARN"


@rule
def metric_filter_is_one_that_logs_take(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A group of this stack, a pattern of its lines, a metric in our own namespace, few dimensions or a default."""
    counted = Counter(str(f.get("logGroupName")) for f in stack.all(aws.METRIC_FILTER))
    for one in stack.all(aws.METRIC_FILTER):
        group = stack.answering("name", str(one.get("logGroupName")), aws.LOG_GROUP)
        pattern = str(one.get("pattern") or "")
        if group is None:
            yield one, "its log group is not of this stack"
        elif counted[group.output("name")] > MOST_FILTERS:
            yield one, f"is one of too many; {MOST_FILTERS} are taken for each log group"
        if not _JSON_PATTERN.fullmatch(pattern) or len(pattern) > LONGEST_PATTERN:
            yield (
                one,
                f"its pattern must be one of JSON lines, {{ $... }}, {LONGEST_PATTERN} at most",
            )
        for name in sorted(set(_SELECTOR.findall(pattern)) - _members(stack, group, pattern)):
            yield one, f"asks for $.{name}, which no line of its log has"
        yield from ((one, text) for text in _untaken(one.get("metricTransformation") or {}))


@rule
def metric_filter_has_a_reader(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A metric is paid for by the month; one that no alarm reads is for nobody."""
    for one in stack.all(aws.METRIC_FILTER) if stack.all(aws.ALARM) else ():
        made = one.get("metricTransformation") or {}
        if not metrics.reading(stack, str(made.get("namespace")), str(made.get("name"))):
            yield one, f"no alarm reads {made.get('name')}"


@rule
def query_asks_logs_of_this_stack(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Saved in the stack's folder, over groups that there are, in the language of Logs Insights."""
    seen: set[str] = set()
    for query in stack.all(aws.QUERY_DEFINITION):
        name, groups = str(query.get("name") or ""), query.get("logGroupNames") or []
        if "/" not in name or name in seen:
            yield query, "its name must be its own, in a folder: <project>-<stack>/<what it finds>"
        seen.add(name)
        if not 0 < len(groups) <= MOST_GROUPS:
            yield query, f"asks {len(groups)} log groups; 1 to {MOST_GROUPS} are taken"
        for group in groups:
            if stack.answering("name", str(group), aws.LOG_GROUP) is None:
                yield query, f"asks the log group '{group}', which is not of this stack"
        yield from ((query, text) for text in _unasked(str(query.get("queryString") or "")))


@rule
def one_query_follows_a_request(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A request goes through any of the functions: some query asks the logs of all of them."""
    wanted = {str(f.get("loggingConfig.logGroup")): f.name for f in stack.all(aws.FUNCTION)}
    asked = [set(q.get("logGroupNames") or ()) for q in stack.all(aws.QUERY_DEFINITION)]
    if asked and not any(found >= wanted.keys() for found in asked):
        best = max(asked, key=lambda found: len(found & wanted.keys()))
        lacking = sorted(wanted[group] for group in wanted.keys() - best)
        query = stack.all(aws.QUERY_DEFINITION)[asked.index(best)]
        yield query, f"no query asks the logs of all functions; this one lacks {', '.join(lacking)}"


def _unasked(text: str) -> Iterator[str]:
    """What Logs Insights refuses of a query."""
    if not 0 < len(text) <= LONGEST_QUERY:
        yield f"queryString must have 1 to {LONGEST_QUERY} characters"
    for command in re.split(r"\n\s*\||\|\s|\n", text):
        words = command.strip(" |").split(None, 1)
        if words and words[0] not in COMMANDS and not words[0].startswith("#"):
            yield f"'{words[0]}' is no command of Logs Insights that is known here"


def _untaken(made: Mapping[str, Any]) -> Iterator[str]:
    """What CloudWatch refuses of a metric that a filter makes."""
    dimensions = made.get("dimensions") or {}
    if made.get("namespace") != metrics.OURS:
        yield f"its metric must be in the namespace {metrics.OURS}"
    if not made.get("name") or not made.get("value"):
        yield "its metric needs a name and a value"
    if dimensions and made.get("defaultValue") is not None:
        yield "has both dimensions and a defaultValue, of which CloudWatch takes one"
    if len(dimensions) > MOST_DIMENSIONS:
        yield f"has {len(dimensions)} dimensions; {MOST_DIMENSIONS} are taken"
    if not all(_SELECTOR.fullmatch(str(said)) for said in dimensions.values()):
        yield "a dimension is read from the line, $.<member>"


def _members(stack: Stack, group: Registered | None, pattern: str) -> set[str]:
    """Members of the lines in an access log; of other logs, whatever is asked for."""
    for stage in stack.all(aws.REST_STAGE, aws.STAGE):
        if group and stage.get("accessLogSettings.destinationArn") == group.output("arn"):
            return set(documents.json_object(stage.get("accessLogSettings.format")) or {})
    return set(_SELECTOR.findall(pattern))


RULES = (
    logs_end_and_are_encrypted,
    metric_filter_is_one_that_logs_take,
    metric_filter_has_a_reader,
    query_asks_logs_of_this_stack,
    one_query_follows_a_request,
)
