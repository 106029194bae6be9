"""Roles, their policies, and what mends the emulator's false denials."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.functions_support import role
from tests.sandbox.services_support import ACCOUNT, REGION, make


def test_role_and_its_policies(aws: Any) -> None:
    iam = aws("iam")
    made = role(
        "readable", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    )
    there = iam.get_role(RoleName=made["name"])["Role"]
    assert made["arn"] == there["Arn"]
    assert made["uniqueId"] == there["RoleId"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "scheduler.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    made.update(
        assumeRolePolicy=json.dumps(trust),
        description="d",
        maxSessionDuration=7200,
        tags={"a": "1"},
    )
    there = iam.get_role(RoleName=made["name"])["Role"]
    assert (
        there["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        == "scheduler.amazonaws.com"
    )
    assert (there["Description"], there["MaxSessionDuration"]) == ("d", 7200)
    assert there["Tags"] == [{"Key": "a", "Value": "1"}]
    made.update(
        inlinePolicies=[
            {
                "name": "own",
                "policy": json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}
                        ],
                    }
                ),
            }
        ]
    )
    assert iam.list_role_policies(RoleName=made["name"])["PolicyNames"] == ["own"]
    made.delete()
    made.delete()


def test_role_policy_moves_and_goes(aws: Any) -> None:
    first, second = role("first"), role("second")
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}],
    }
    policy = make("iam/rolePolicy:RolePolicy", "p", role=first["name"], policy=json.dumps(document))
    assert policy.id == f"{first['name']}:{policy['name']}"
    policy.update(role=second["name"])
    names = [
        aws("iam").list_role_policies(RoleName=r["name"])["PolicyNames"] for r in (first, second)
    ]
    assert names == [[], [policy["name"]]]
    policy.delete()
    assert aws("iam").list_role_policies(RoleName=second["name"])["PolicyNames"] == []


def test_false_denials_are_mended_and_reported(aws: Any) -> None:
    made = role("mailer")
    statement = {
        "Effect": "Allow",
        "Action": "ses:SendEmail",
        "Resource": f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/a",
    }
    policy = make(
        "iam/rolePolicy:RolePolicy",
        "mailer",
        role=made["name"],
        policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    assert policy.compat == [
        "SES sending on `*`: the emulator does not judge it by the sender's identity"
    ]
    there = aws("iam").get_role_policy(RoleName=made["name"], PolicyName="sandbox-compat")[
        "PolicyDocument"
    ]
    assert there["Statement"] == [{"Effect": "Allow", "Action": ["ses:SendEmail"], "Resource": "*"}]
    policy.update(
        policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{**statement, "Action": "sns:Publish", "Resource": "*"}],
            }
        )
    )
    assert policy.compat == []
    assert aws("iam").list_role_policies(RoleName=made["name"])["PolicyNames"] == [policy["name"]]
    made.delete()


def test_role_of_a_service_needs_no_mending(aws: Any) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = make("iam/role:Role", "scheduler", assumeRolePolicy=document)
    target = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f:live"
    statement = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": target}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy = make("iam/rolePolicy:RolePolicy", "scheduler", role=made["name"], policy=document)
    assert policy.compat == []
    names = aws("iam").list_role_policies(RoleName=made["name"])["PolicyNames"]
    assert names == [policy["name"]]
    made.delete()


@pytest.mark.parametrize(
    ("statement", "asked"),
    [
        (
            {"Action": ["ssm:GetParametersByPath"], "Resource": "arn:aws:ssm:r:a:parameter/app/*"},
            ["ssm:GetParametersByPath"],
        ),
        (
            {"Action": "dynamodb:PartiQLSelect", "Resource": "t"},
            [
                "dynamodb:BatchExecuteStatement",
                "dynamodb:ExecuteStatement",
                "dynamodb:ExecuteTransaction",
            ],
        ),
        (
            {"Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:r:0:function:f:live"},
            None,
        ),
        ({"Action": "s3:GetObject", "Resource": "*"}, None),
        ({"Action": "ses:SendEmail", "Resource": "*"}, None),
    ],
)
def test_only_known_false_denials_get_an_addition(statement: dict[str, Any], asked: Any) -> None:
    from sandbox.services.iam_compat import additions

    made, reasons = additions([{"Statement": {"Effect": "Allow", **statement}}])
    assert [each["Action"] for each in made] == ([asked] if asked else [])
    assert len(reasons) == len(made)
