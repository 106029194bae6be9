"""Objects of a bucket that start functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import pulumi
import pulumi_aws as aws

from components.buckets import Bucket
from components.function import ServerlessFunction
from components.triggers import TriggerContext


@dataclass(frozen=True)
class Upload:
    """An object created, and with `removed` one deleted, under `prefix` with one of the `suffixes` (case matters to S3).

    S3 calls the function itself. No key of a bucket may fit two of its uploads; rules of EventBridge
    (`buses.created`) may overlap.
    """

    bucket: Bucket
    function: ServerlessFunction
    prefix: str
    suffixes: Sequence[str] = ("",)
    removed: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.suffixes, str):
            raise pulumi.RunError(
                f"{self.function.logical_name}: suffixes of an upload must be a list (got {self.suffixes!r}); write "
                f"[{self.suffixes!r}]"
            )


def notify(uploads: Sequence[Upload], told: Sequence[Bucket], context: TriggerContext) -> None:
    """S3 keeps one notification configuration per bucket, so all its uploads become one resource; buckets that are
    `told` of also send their events to EventBridge. Raises pulumi.RunError for uploads that fit the same key.
    """
    for bucket in dict.fromkeys([*(upload.bucket for upload in uploads), *told]):
        mine = [upload for upload in uploads if upload.bucket is bucket]
        _check(bucket, mine)
        functions = dict.fromkeys(upload.function for upload in mine)
        permissions = [_permit(bucket, function, context) for function in functions]
        aws.s3.BucketNotification(
            f"{bucket.component}-notification",
            aws.s3.BucketNotificationArgs(
                bucket=bucket.name,
                eventbridge=True if bucket in told else None,
                lambda_functions=[f for upload in mine for f in _filters(upload)] or None,
            ),
            # S3 tries the destinations when it is told of them.
            context.after(*permissions, bucket.settled),
        )


def _permit(
    bucket: Bucket, function: ServerlessFunction, context: TriggerContext
) -> aws.lambda_.Permission:
    return context.start(
        function,
        f"{function.logical_name}-{bucket.component}",
        principal="s3.amazonaws.com",
        source_arn=bucket.arn,
        # A bucket's ARN names no account, and a deleted name may come back in another one.
        of_this_account=True,
    )


def _filters(upload: Upload) -> list[aws.s3.BucketNotificationLambdaFunctionArgs]:
    removed = ["s3:ObjectRemoved:*"] if upload.removed else []
    return [
        aws.s3.BucketNotificationLambdaFunctionArgs(
            # S3 refuses two filters with one id: a function may read several prefixes of a bucket.
            id=_words(upload.function.logical_name, upload.prefix, suffix),
            lambda_function_arn=upload.function.arn,
            events=["s3:ObjectCreated:*", *removed],
            filter_prefix=upload.prefix or None,
            filter_suffix=suffix or None,
        )
        for suffix in upload.suffixes
    ]


def _check(bucket: Bucket, uploads: Sequence[Upload]) -> None:
    filters = [(upload, suffix) for upload in uploads for suffix in upload.suffixes]
    for (one, mine), (other, its) in combinations(filters, 2):
        if _nested(one.prefix, other.prefix, str.startswith) and _nested(mine, its, str.endswith):
            raise pulumi.RunError(
                f"{bucket.component}: S3 takes no two filters that fit the same key: "
                f"{one.function.logical_name} {one.prefix}*{mine} and "
                f"{other.function.logical_name} {other.prefix}*{its}; part them by prefix or suffix, or let a rule of "
                "EventBridge start one of them"
            )


def _nested(one: str, other: str, fits: Callable[[str, str], bool]) -> bool:
    return fits(one, other) or fits(other, one)


def _words(*parts: str) -> str:
    """`image-processor-uploads-jpg` for `image-processor`, `uploads/`, `.jpg`."""
    return "-".join(word for part in parts for word in re.findall(r"[A-Za-z0-9]+", part))
