"""S3: buckets and their notifications."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sandbox.faults import is_missing
from sandbox.resources import AGAIN, Block, Outputs, Resource, RestartNeeded, resource
from sandbox.services.permissions import may_invoke
from sandbox.services.shared import REGION, dropped, pairs, physical_name, remove, tags

_MOVED: Final = {"bucket", "bucketPrefix", "objectLockEnabled"}


@resource(
    "aws:s3/bucket:Bucket",
    ignored={**REGION, "bucketNamespace": "a sandbox has one account, so every name in it is free"},
)
def bucket(r: Resource) -> Outputs:
    name = _name(r)
    wanted = tags(r)
    place: dict[str, Any] = {"Tags": pairs(wanted)} if wanted else {}
    if r.aws.region != "us-east-1":
        place["LocationConstraint"] = r.aws.region
    r.call(
        "s3",
        "create_bucket",
        Bucket=name,
        ObjectLockEnabledForBucket=r.take("objectLockEnabled"),
        CreateBucketConfiguration=place or None,
    )
    return _outputs(r, name, wanted)


@bucket.updates
def update_bucket(r: Resource) -> Outputs:
    if moved := r.changed & _MOVED:
        raise RestartNeeded(f"{min(moved)} of a bucket cannot change and keep its objects")
    name = _name(r)
    r.take("objectLockEnabled")
    wanted = tags(r)
    if wanted:
        r.call("s3", "put_bucket_tagging", Bucket=name, Tagging={"TagSet": pairs(wanted)})
    elif dropped(r, wanted):
        r.call("s3", "delete_bucket_tagging", Bucket=name)
    return _outputs(r, name, wanted)


@bucket.deletes
def delete_bucket(r: Resource) -> None:
    """As on AWS, a bucket with objects goes only where `forceDestroy` was set when it was last brought up."""
    from botocore.exceptions import ClientError

    old = r.old or {}
    try:
        if old.get("forceDestroy"):
            _empty(r, old["bucket"])
        r.call("s3", "delete_bucket", Bucket=old["bucket"])
    except ClientError as error:
        if not is_missing(error):
            raise


def _name(r: Resource) -> str:
    name = physical_name(r, "bucket", limit=63)
    return name if r.inputs.get("bucket") else name.lower()


def _outputs(r: Resource, name: str, wanted: dict[str, str]) -> Outputs:
    return {
        "id": name,
        "bucket": name,
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{r.aws.region}.amazonaws.com",
        "bucketRegion": r.aws.region,
        "forceDestroy": bool(r.take("forceDestroy")),
        "tagsAll": wanted,
    }


def _empty(r: Resource, name: str) -> None:
    """Remove every version of every object, and every delete marker."""
    batch = list(_versions(r, name))
    while batch:
        r.call("s3", "delete_objects", Bucket=name, Delete={"Objects": batch[:1000], "Quiet": True})
        batch = batch[1000:]


def _versions(r: Resource, name: str) -> Iterator[dict[str, str]]:
    for page in r.aws.client("s3").get_paginator("list_object_versions").paginate(Bucket=name):
        for found in page.get("Versions", []) + page.get("DeleteMarkers", []):
            yield {"Key": found["Key"], "VersionId": found["VersionId"]}


@resource("aws:s3/bucketNotification:BucketNotification", update=AGAIN, ignored=REGION)
def notification(r: Resource) -> Outputs:
    name = r.take("bucket")
    functions = [
        _target(b, "lambdaFunctionArn", "LambdaFunctionArn") for b in r.blocks("lambdaFunctions")
    ]
    for target in functions:
        _must_be_invocable(r, target["LambdaFunctionArn"], name)
    configuration: dict[str, Any] = {
        "LambdaFunctionConfigurations": functions,
        "QueueConfigurations": [_target(b, "queueArn", "QueueArn") for b in r.blocks("queues")],
        "TopicConfigurations": [_target(b, "topicArn", "TopicArn") for b in r.blocks("topics")],
    }
    _must_be_apart(
        [*functions, *configuration["QueueConfigurations"], *configuration["TopicConfigurations"]]
    )
    if r.take("eventbridge"):
        configuration["EventBridgeConfiguration"] = {}
    r.call(
        "s3",
        "put_bucket_notification_configuration",
        Bucket=name,
        NotificationConfiguration=configuration,
    )
    return {"id": name, "bucket": name}


@notification.deletes
def delete_notification(r: Resource) -> None:
    name = (r.old or {})["bucket"]
    remove(
        r, "s3", "put_bucket_notification_configuration", Bucket=name, NotificationConfiguration={}
    )


def _target(b: Block, key: str, name: str) -> dict[str, Any]:
    made = {name: b.take(key), "Events": b.take("events")}
    if given := b.take("id"):
        made["Id"] = given
    rules = [
        {"Name": rule, "Value": value}
        for rule, value in (("prefix", b.take("filterPrefix")), ("suffix", b.take("filterSuffix")))
        if value
    ]
    return made | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


def _must_be_invocable(r: Resource, arn: str, bucket_name: str) -> None:
    """Refuse a function without a permission for S3, as AWS does; the emulator would take it.

    A permission counts only for the very ARN that the notification names: with its alias or without.
    """
    source = f"arn:aws:s3:::{bucket_name}"
    if not may_invoke(r, arn, ("s3.amazonaws.com",), source):
        raise ValueError(
            f"Unable to validate the following destination configurations: {arn} has no permission for "
            f"s3.amazonaws.com with the source {source}"
        )


def _must_be_apart(targets: Sequence[Mapping[str, Any]]) -> None:
    """Refuse two targets that one object could start both by the same event, as AWS does."""
    for one, other in itertools.combinations(targets, 2):
        kinds = itertools.product(one["Events"], other["Events"])
        shared = any(_covers(a, b) or _covers(b, a) for a, b in kinds)
        if shared and all(_overlap(one, other, rule) for rule in ("prefix", "suffix")):
            raise ValueError(
                "Configurations overlap. Configurations on the same bucket cannot share a common event type: two "
                f"targets ask for {', '.join(one['Events'])} of the same objects"
            )


def _covers(pattern: str, event: str) -> bool:
    return pattern == event or (pattern.endswith("*") and event.startswith(pattern[:-1]))


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any], rule: str) -> bool:
    """Whether a key may satisfy both targets' prefixes (or suffixes)."""
    a, b = (_value(each, rule) for each in (one, other))
    if rule == "prefix":
        return a.startswith(b) or b.startswith(a)
    return a.endswith(b) or b.endswith(a)


def _value(target: Mapping[str, Any], rule: str) -> str:
    rules = target.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return next((each["Value"] for each in rules if each["Name"] == rule), "")
