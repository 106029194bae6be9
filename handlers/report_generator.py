"""Weekly: a report as CSV and PDF in the reports bucket, and a link to it by the reports topic.

There is one of a kind and day, however often the schedule asks: its day is the one it is where
TIMEZONE is.
"""

from __future__ import annotations

import functools
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from common import (
    aws,
    correlation,
    ids,
    logs,
    metrics,
    once,
    records,
    reports,
    tracing,
    warming,
)
from common.deadline import Deadline

_FORMATS = {"csv": ("csv",), "pdf": ("pdf",), "both": ("csv", "pdf")}
_TYPES = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}
_DAYS = 7
_READ_TIMEOUT = 20  # seconds; a report may be megabytes
_V4 = "s3v4"  # botocore signs links the old way unless told, which S3 refuses for encrypted objects

aws.prepare("dynamodb", "sns")
aws.prepare("s3", read_timeout=_READ_TIMEOUT, signature=_V4)
once.prepare()


class Wanted(NamedTuple):
    """What the schedule's input asks for, and the day it is."""

    report_type: str
    format: str
    day: datetime  # its beginning, where TIMEZONE is

    @property
    def date(self) -> str:
        """2026-01-31."""
        return f"{self.day:%Y-%m-%d}"


@warming.aware
def handler(event: object, context: Any) -> dict[str, Any]:
    """{"report_type", "date", "rows", "keys"} of the report, which may have been written before.

    Raises ValueError for an input that asks for no report, TimeoutError for a table that is too
    large, and what AWS raised: the schedule then tries again.
    """
    logs.begin(context, event)
    wanted = read(records.of_schedule(event, "report_type", "format"))
    key = f"report#{wanted.report_type}#{wanted.date}#{wanted.format}"
    work = functools.partial(_generate, wanted, Deadline(context))
    return once.run(key, work, context=context)


def read(given: Any) -> Wanted:
    """The report that an input asks for, today."""
    report_type, format_ = given.get("report_type"), given.get("format", "both")
    if report_type not in reports.KINDS:
        raise ValueError(f"report_type must be one of: {', '.join(reports.KINDS)}")
    if format_ not in _FORMATS:
        raise ValueError(f"format must be one of: {', '.join(_FORMATS)}")
    from zoneinfo import ZoneInfo

    now = datetime.now(ZoneInfo(os.environ["TIMEZONE"]))
    return Wanted(report_type, format_, now.replace(hour=0, minute=0, second=0, microsecond=0))


def _generate(wanted: Wanted, deadline: Deadline) -> dict[str, Any]:
    """Write the files, then tell of them."""
    kind = reports.KINDS[wanted.report_type]
    since = (wanted.day - timedelta(days=_DAYS)).astimezone(UTC)
    with tracing.step("read rows"):
        found = reports.rows(kind, ids.instant(since.timestamp()), deadline)
        tracing.annotate(rows=len(found))
    keys: dict[str, str] = {}
    for suffix in _FORMATS[wanted.format]:
        with tracing.step("render report", kind=wanted.report_type, format=suffix):
            content = _content(suffix, kind, found, wanted.date)
        keys[suffix] = f"reports/{wanted.report_type}/{wanted.date}.{suffix}"
        _client().put_object(
            Bucket=os.environ["REPORTS_BUCKET"],
            Key=keys[suffix],
            Body=content,
            ContentType=_TYPES[suffix],
        )
    _tell(wanted, keys, len(found))
    metrics.count("ReportsMade")
    logs.info("report written", kind=wanted.report_type, date=wanted.date, rows=len(found))
    return {
        "report_type": wanted.report_type,
        "date": wanted.date,
        "rows": len(found),
        "keys": sorted(keys.values()),
    }


def _content(suffix: str, kind: reports.Kind, found: list[reports.Row], date: str) -> bytes:
    if suffix == "csv":
        return reports.as_csv(kind, found)
    return reports.as_pdf(kind, found, date)


def _tell(wanted: Wanted, keys: dict[str, str], rows: int) -> None:
    """Publish links to the files. A link works as long as the credentials that signed it, too."""
    seconds = int(os.environ["LINK_SECONDS"])
    links = {suffix: _link(key, seconds) for suffix, key in keys.items()}
    message = {
        "event": "ReportReady",
        "reportType": wanted.report_type,
        "date": wanted.date,
        "rows": rows,
        "links": links,
        "linkSeconds": seconds,
    }
    aws.client("sns").publish(
        TopicArn=os.environ["REPORTS_TOPIC_ARN"],
        Subject=f"Report {wanted.report_type} {wanted.date}",
        Message=json.dumps(message),
        MessageAttributes={
            "event": {"DataType": "String", "StringValue": "ReportReady"},
            **correlation.attributes(),
        },
    )


def _link(key: str, seconds: int) -> str:
    place = {"Bucket": os.environ["REPORTS_BUCKET"], "Key": key}
    return _client().generate_presigned_url("get_object", Params=place, ExpiresIn=seconds)


def _client() -> Any:
    return aws.client("s3", read_timeout=_READ_TIMEOUT, signature=_V4)
