"""What is declared for watching and does not run here, objects that the program puts, and traces of requests."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from botocore.exceptions import ClientError

from tests.sandbox.services_support import ACCOUNT, REGION, make


@pytest.mark.parametrize(
    ("kind", "inputs", "arn"),
    [
        (
            "xray/samplingRule:SamplingRule",
            {"ruleName": "shop-dev"},
            f"arn:aws:xray:{REGION}:{ACCOUNT}:sampling-rule/shop-dev",
        ),
        (
            "xray/group:Group",
            {"groupName": "slow"},
            f"arn:aws:xray:{REGION}:{ACCOUNT}:group/slow",
        ),
        (
            "budgets/budget:Budget",
            {"name": "monthly"},
            f"arn:aws:budgets::{ACCOUNT}:budget/monthly",
        ),
        (
            "synthetics/canary:Canary",
            {"name": "health"},
            f"arn:aws:synthetics:{REGION}:{ACCOUNT}:canary:health",
        ),
    ],
)
def test_what_is_only_declared_has_the_outputs_that_aws_gives(
    kind: str, inputs: dict[str, Any], arn: str
) -> None:
    made = make(kind, "n", tags={"a": "1"}, **inputs)
    assert made["arn"] == arn
    assert made["tagsAll"] == {"a": "1"}


def test_chat_channels_have_plausible_outputs() -> None:
    for kind, place in (("slack", "slack-channel"), ("teams", "microsoft-teams-channel")):
        made = make(
            f"chatbot/{kind}ChannelConfiguration:{kind.title()}ChannelConfiguration",
            "chat",
            configurationName="page",
        )
        arn = f"arn:aws:chatbot::{ACCOUNT}:chat-configuration/{place}/page"
        assert (made.id, made["chatConfigurationArn"]) == (arn, arn)


def test_object_of_the_program_lies_in_its_bucket(aws: Any) -> None:
    s3 = aws("s3")
    make("s3/bucket:Bucket", "code", bucket="code-of-traces", forceDestroy=True)
    made = make(
        "s3/bucketObject:BucketObject",
        "page",
        bucket="code-of-traces",
        key="page.txt",
        content="one",
        contentType="text/plain",
        metadata={"by": "us"},
        tags={"a": "1"},
    )

    def there(key: str) -> Any:
        return s3.get_object(Bucket="code-of-traces", Key=key)

    answer = there("page.txt")
    assert (answer["Body"].read(), answer["ContentType"], answer["Metadata"]) == (
        b"one",
        "text/plain",
        {"by": "us"},
    )
    assert f'"{made["etag"]}"' == answer["ETag"]
    made.update(content=None, source=pulumi.StringAsset("two"), key="other.txt")
    assert there("other.txt")["Body"].read() == b"two"
    with pytest.raises(ClientError, match="NoSuchKey"):
        there("page.txt")
    archive = pulumi.AssetArchive({"index.py": pulumi.StringAsset("pass")})
    packed = make(
        "s3/bucketObjectv2:BucketObjectv2",
        "canary.zip",
        bucket="code-of-traces",
        source=archive,
        sourceHash="x",
    )
    assert there("canary.zip")["Body"].read().startswith(b"PK")
    for each in (packed, made):
        each.delete()
    assert "Contents" not in s3.list_objects_v2(Bucket="code-of-traces")
