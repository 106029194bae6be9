"""The daily cleanup: what is old goes, on every page, in the time there is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import cleanup_job
import pytest
from botocore.exceptions import ClientError

from common import ids
from common.records import ForeignEventError
from tests.handlers.conftest import Context
from tests.handlers.fakes import AwsError

_NOW = datetime.now(UTC)


@pytest.fixture
def connections(aws: Any, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """The connections table: when each row's connection was opened; three rows to a page."""
    monkeypatch.setenv("CONNECTIONS_TABLE", "connections")
    held: dict[tuple[str, str], str] = {}

    def scan(call: dict[str, Any]) -> dict[str, Any]:
        assert (call["TableName"], call["FilterExpression"]) == (
            "connections",
            "#connectedAt < :before",
        )
        start = call.get("ExclusiveStartKey", {})
        after = (start["connectionId"]["S"], start["topic"]["S"]) if start else ("", "")
        keys = [key for key in sorted(held) if key > after]
        before = call["ExpressionAttributeValues"][":before"]["S"]
        rows = [_key(key) for key in keys[:3] if held[key] < before]
        return {"Items": rows} | ({"LastEvaluatedKey": _key(keys[2])} if len(keys) > 3 else {})

    def delete(call: dict[str, Any]) -> dict[str, Any]:
        del held[call["Key"]["connectionId"]["S"], call["Key"]["topic"]["S"]]
        return {}

    aws.on("Scan", scan)
    aws.on("DeleteItem", delete)
    return held


def _key(key: tuple[str, str]) -> dict[str, Any]:
    return {"connectionId": {"S": key[0]}, "topic": {"S": key[1]}}


@pytest.fixture
def bucket(aws: Any, connections: Any) -> dict[str, datetime]:
    """Keys of the uploads bucket and when they were written; two to a page."""
    held: dict[str, datetime] = {}

    def page(call: dict[str, Any]) -> dict[str, Any]:
        assert call["Bucket"] == "uploads-bucket"
        assert call["Prefix"] in ("uploads/", "incoming/")
        after = call.get("ContinuationToken", "")
        keys = [key for key in sorted(held) if key > after and key.startswith(call["Prefix"])]
        shown = [{"Key": key, "LastModified": held[key]} for key in keys[:2]]
        more = len(keys) > 2
        answer: dict[str, Any] = {"IsTruncated": more, "KeyCount": len(shown)}
        return (
            answer
            | ({"Contents": shown} if shown else {})
            | ({"NextContinuationToken": keys[1]} if more else {})
        )

    def delete(call: dict[str, Any]) -> dict[str, Any]:
        for entry in call["Delete"]["Objects"]:
            del held[entry["Key"]]
        return {}

    aws.on("ListObjectsV2", page)
    aws.on("DeleteObjects", delete)
    return held


def test_uploads_older_than_the_retention_are_deleted_on_every_page(
    context: Any, aws: Any, bucket: dict[str, datetime]
) -> None:
    old, young = _NOW - timedelta(days=30, minutes=1), _NOW - timedelta(days=29, hours=23)
    bucket.update({f"uploads/{n}.png": old if n % 2 else young for n in range(7)})
    bucket["other/old.png"] = old
    assert cleanup_job.handler({}, context) == {"deleted": 3, "connections": 0}
    assert sorted(bucket) == ["other/old.png", *(f"uploads/{n}.png" for n in (0, 2, 4, 6))]
    assert set(aws.names()) == {"Scan", "ListObjectsV2", "DeleteObjects"}


def test_what_came_in_by_the_other_door_goes_as_well(context: Any, bucket: Any) -> None:
    bucket.update({f"incoming/{n}.csv": _NOW - timedelta(days=99) for n in range(3)})
    assert cleanup_job.handler({}, context)["deleted"] == 3
    assert bucket == {}


def test_connections_opened_three_hours_ago_are_forgotten_on_every_page(
    context: Any, bucket: Any, connections: dict[tuple[str, str], str]
) -> None:
    old, young = (ids.instant(time.time() - hours * 3600) for hours in (3.1, 2.9))
    for number in range(5):
        connections[f"old{number}=", "items"] = old
        connections[f"young{number}=", "connected"] = young
    assert cleanup_job.handler({}, context) == {"deleted": 0, "connections": 5}
    assert sorted(connections) == [(f"young{number}=", "connected") for number in range(5)]


def test_connections_that_cannot_be_read_fail_the_job(context: Any, aws: Any, bucket: Any) -> None:
    aws.fail("Scan", AwsError("AccessDeniedException"))
    with pytest.raises(ClientError):
        cleanup_job.handler({}, context)


def test_what_no_schedule_sends_is_refused(event: Any, context: Any, aws: Any) -> None:
    with pytest.raises(ForeignEventError):
        cleanup_job.handler(event("s3_upload"), context)
    assert aws.calls == []


def test_an_empty_bucket_is_no_deletion(context: Any, bucket: Any, event: Any) -> None:
    assert cleanup_job.handler(event("schedule"), context) == {"deleted": 0, "connections": 0}


@pytest.mark.parametrize(("days", "deleted"), [("1", 1), ("90", 0), ("", 1)])
def test_the_retention_is_the_environments(
    context: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch, days: str, deleted: int
) -> None:
    monkeypatch.setenv("UPLOAD_RETENTION_DAYS", days)
    bucket["uploads/a.png"] = _NOW - timedelta(days=60)
    assert cleanup_job.handler({}, context) == {"deleted": deleted, "connections": 0}


@pytest.mark.parametrize("days", ["0", "-5", "ten", "1.5"])
def test_a_retention_that_makes_no_sense_deletes_nothing(
    context: Any, aws: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch, days: str
) -> None:
    monkeypatch.setenv("UPLOAD_RETENTION_DAYS", days)
    with pytest.raises(ValueError, match=r"UPLOAD_RETENTION_DAYS|invalid literal"):
        cleanup_job.handler({}, context)
    assert aws.calls == []


def test_the_job_stops_before_its_deadline(aws: Any, bucket: dict[str, datetime]) -> None:
    bucket.update({f"uploads/{n}.png": _NOW - timedelta(days=99) for n in range(6)})
    assert cleanup_job.handler({}, Context(seconds=120, then=20)) == {
        "deleted": 2,
        "connections": 0,
    }
    assert aws.names().count("DeleteObjects") == 1


def test_uploads_that_cannot_be_deleted_fail_the_job_after_the_others(
    context: Any, aws: Any, bucket: dict[str, datetime], lines: Any
) -> None:
    bucket.update({f"uploads/{n}.png": _NOW - timedelta(days=99) for n in range(3)})
    refusal = {"Key": "uploads/0.png", "Code": "AccessDenied", "Message": "no"}
    answers = iter([{"Errors": [refusal]}, {}])
    aws.on("DeleteObjects", lambda _: next(answers))
    with pytest.raises(RuntimeError, match="1 uploads could not be deleted, 2 were"):
        cleanup_job.handler({}, context)
    (line,) = [line for line in lines() if line["level"] == "ERROR"]
    assert (line["key"], line["code"]) == ("uploads/0.png", "AccessDenied")


def test_keys_that_xml_cannot_hold_are_deleted_one_by_one(
    context: Any, aws: Any, bucket: dict[str, datetime]
) -> None:
    bucket["uploads/\x01.png"] = _NOW - timedelta(days=99)
    aws.fail("DeleteObjects", AwsError("MalformedXML"))
    aws.on("DeleteObject", lambda call: bucket.pop(call["Key"]) and {})
    assert cleanup_job.handler({}, context) == {"deleted": 1, "connections": 0}
    assert bucket == {}


def test_a_deletion_that_fails_whole_is_raised(context: Any, aws: Any, bucket: Any) -> None:
    bucket["uploads/a.png"] = _NOW - timedelta(days=99)
    aws.fail("DeleteObjects", AwsError("AccessDenied", status=403))
    with pytest.raises(ClientError):
        cleanup_job.handler({}, context)


def test_what_was_cleaned_up_is_counted_though_the_rest_fails(
    context: Any,
    aws: Any,
    bucket: Any,
    connections: dict[tuple[str, str], str],
    measured: Any,
) -> None:
    bucket.update({f"uploads/{n}.png": _NOW - timedelta(days=99) for n in range(4)})
    connections["old=", "items"] = ids.instant(time.time() - 86_400)
    delete, calls = aws.answers["DeleteObjects"], iter([True, False])

    def first_works(call: dict[str, Any]) -> dict[str, Any]:
        if not next(calls):
            raise AwsError("AccessDenied", status=403)
        return delete(call)

    aws.on("DeleteObjects", first_works)
    with pytest.raises(ClientError):
        cleanup_job.handler({}, context)
    assert measured() == {"UploadsCleaned": 2, "ConnectionsCleaned": 1}
