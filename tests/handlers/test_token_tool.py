"""tools/token.py: prints a token and nothing else, or one line of what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import jwt
import pytest

from tests.handlers.fakes import AwsError
from tools import token

_SCRIPT = Path(__file__).parents[2] / "tools" / "token.py"
_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:auth-AbCdEf"
_SECRET = {"kid": "k1", "key": "0123456789abcdef" * 4, "iss": "issuer", "aud": "audience"}


@pytest.fixture
def regions(aws: Any, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The regions that clients were made for."""
    asked: list[str | None] = []
    client = aws.client("secretsmanager")

    def make(_: str, region_name: str | None = None) -> Any:
        asked.append(region_name)
        return client

    monkeypatch.setattr(boto3, "client", make)
    aws.on("GetSecretValue", lambda _: {"SecretString": json.dumps(_SECRET)})
    return asked


def test_a_token_carries_the_claims_the_authorizer_asks_for() -> None:
    made = token.make_token(_SECRET, subject="ada", expires=60)
    assert jwt.get_unverified_header(made) == {"alg": "HS256", "typ": "JWT", "kid": "k1"}
    claims = jwt.decode(made, _SECRET["key"], ["HS256"], audience="audience", issuer="issuer")
    assert claims["sub"] == "ada"
    assert claims["exp"] - claims["iat"] == 60
    assert abs(claims["iat"] - time.time()) < 5


def test_it_prints_the_token_alone_and_asks_the_arns_own_region(
    regions: list[str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    token.main(["--secret-arn", _ARN, "--subject", "ops", "--expires", "5"])
    printed = capsys.readouterr().out
    claims = jwt.decode(printed.strip(), _SECRET["key"], ["HS256"], audience="audience")
    assert (claims["sub"], claims["exp"] - claims["iat"]) == ("ops", 5)
    assert printed.count("\n") == 1
    assert regions == ["eu-west-1"]


def test_a_region_that_is_given_counts(regions: list[str | None]) -> None:
    token.main(["--secret-arn", _ARN, "--region", "us-east-2"])
    assert regions == ["us-east-2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "token: the secret is not a JSON text"),
        ("[]", "token: not a signing secret: kid, key, iss, aud missing"),
        ('{"kid": "a", "iss": "b", "aud": "c"}', "token: not a signing secret: key missing"),
    ],
)
def test_a_secret_that_cannot_sign_is_one_line(
    aws: Any, regions: list[str | None], text: str, said: str
) -> None:
    aws.on("GetSecretValue", lambda _: {"SecretString": text})
    with pytest.raises(SystemExit, match=f"^{said}$"):
        token.main(["--secret-arn", _ARN])


def test_a_secret_that_cannot_be_read_is_one_line(aws: Any, regions: list[str | None]) -> None:
    aws.fail("GetSecretValue", AwsError("ResourceNotFoundException"))
    with pytest.raises(SystemExit, match="ResourceNotFoundException") as raised:
        token.main(["--secret-arn", _ARN])
    assert "\n" not in str(raised.value)


def test_as_a_script_it_does_not_stand_in_for_the_standard_librarys_token_module() -> None:
    done = subprocess.run(
        [sys.executable, _SCRIPT, "--help"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--secret-arn" in done.stdout
