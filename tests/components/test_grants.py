"""Grants are values: they add up, and they say in IAM's words what they mean."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from components.grants import NOTHING, Grant, Statement, policy, tls_only, together, trust

READ = Grant([Statement(["s3:GetObject"], ["arn:a"])], {"A": "a"})
LIST = Grant(
    [Statement(["s3:ListBucket"], ["arn:b"], {"StringLike": {"s3:prefix": "x"}})], {"B": "b"}
)


def test_grants_add_up_statements_and_variables() -> None:
    both = READ + LIST
    assert [s.actions for s in both.statements] == [["s3:GetObject"], ["s3:ListBucket"]]
    assert both.environment == {"A": "a", "B": "b"}


def test_nothing_adds_nothing() -> None:
    assert together([]) == NOTHING
    assert together([NOTHING, READ, NOTHING]).environment == READ.environment
    assert list(NOTHING.statements) == []


def test_policy_is_written_as_iam_reads_it() -> None:
    document = asyncio.run(_document())
    assert document == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:a"]},
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": ["arn:b"],
                "Condition": {"StringLike": {"s3:prefix": "x"}},
            },
        ],
    }


async def _document() -> Any:
    return json.loads(str(await policy((READ + LIST).statements).future()))


def test_trust_names_one_service_and_its_conditions() -> None:
    async def both() -> tuple[Any, Any]:
        plain = await trust("lambda.amazonaws.com").future()
        narrow = await trust("scheduler.amazonaws.com", {"StringEquals": {"k": "v"}}).future()
        return json.loads(str(plain)), json.loads(str(narrow))

    plain, narrow = asyncio.run(both())
    assert plain["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]
    assert narrow["Statement"][0]["Condition"] == {"StringEquals": {"k": "v"}}


def test_plain_http_is_denied_to_everybody() -> None:
    assert tls_only(["arn:a"], "sqs:*") == {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": ["arn:a"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
