"""Queries of CloudWatch Logs Insights that are there before they are needed, in a folder of the stack's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import pulumi
import pulumi_aws as aws

from components.function import ServerlessFunction
from components.place import Place

MOST_GROUPS: Final = 50
"""Log groups that one query may read (CloudWatch Logs API reference, PutQueryDefinition)."""

_REPORTS = 'filter type = "platform.report"\n| '
_FUNCTION = 'parse @log "*:/aws/lambda/*" as account, function\n| '

QUERIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "slowest": _REPORTS
        + _FUNCTION
        + "fields @timestamp, function, record.requestId, record.metrics.durationMs, record.metrics.initDurationMs, "
        "record.metrics.maxMemoryUsedMB\n| sort record.metrics.durationMs desc\n| limit 50",
        # What was not caught, and what ran out of time, is told by Lambda's own lines; they name no function.
        "errors-by-type": 'filter (level = "ERROR" and not ispresent(_aws.Timestamp)) or ispresent(errorType) '
        'or (type = "platform.report" and record.status = "timeout")\n| '
        'parse @log "*:/aws/lambda/*" as account, name\n| '
        "stats count(*) as errors, latest(@timestamp) as last "
        "by name, coalesce(error.type, errorType, record.status) as kind\n| sort errors desc",
        "cold-starts": _REPORTS
        + _FUNCTION
        + "stats count(record.metrics.initDurationMs) as cold, count(*) as calls, "
        "100 * count(record.metrics.initDurationMs) / count(*) as percent, "
        "avg(record.metrics.initDurationMs) as mean, max(record.metrics.initDurationMs) as longest "
        "by function\n| sort cold desc",
        "memory-headroom": _REPORTS
        + _FUNCTION
        + "stats max(record.metrics.maxMemoryUsedMB) as used, max(record.metrics.memorySizeMB) as size, "
        "100 - 100 * max(record.metrics.maxMemoryUsedMB) / max(record.metrics.memorySizeMB) as free "
        "by function\n| sort free asc",
        # GB-seconds are what Lambda bills; requests come on top.
        "most-expensive": _REPORTS
        + _FUNCTION
        + "stats sum(record.metrics.billedDurationMs * record.metrics.memorySizeMB / 1024000) as gbSeconds, "
        "count(*) as calls by function\n| sort gbSeconds desc",
        "one-request": 'filter correlation_id = "put the correlation id here"\n| '
        "fields @timestamp, function, level, message, requestId, xray_trace_id\n| sort @timestamp asc\n| limit 1000",
        "log-volume": "stats sum(strlen(@message)) / 1048576 as MiB, count(*) as lines by @log\n| sort MiB desc",
    }
)
"""Query by name. Lambda's own lines (`platform.report`) have what each call took; see docs/monitoring-guide.md."""


def save(
    functions: Sequence[ServerlessFunction], place: Place, opts: pulumi.ResourceOptions
) -> list[str]:
    """Save every query over the logs of all functions, `<prefix>/<name>`; more functions than one query takes make
    further ones, `<prefix>/<name>-2`. Returns their names.
    """
    groups = [function.log_group.name for function in functions]
    names: list[str] = []
    for first in range(0, len(groups), MOST_GROUPS):
        more = f"-{first // MOST_GROUPS + 1}" if first else ""
        for name, query in QUERIES.items():
            names.append(f"{place.prefix}/{name}{more}")
            aws.cloudwatch.QueryDefinition(
                f"{name}{more}-query",
                aws.cloudwatch.QueryDefinitionArgs(
                    name=names[-1],
                    query_string=query,
                    log_group_names=groups[first : first + MOST_GROUPS],
                ),
                opts,
            )
    return names
