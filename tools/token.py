"""Makes a signed JWT for the API: `python tools/token.py --secret-arn ARN` prints one.

It signs with the secret that the authorizer verifies with, so it needs the right to read that
secret and nothing of the stack.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # Run as a script, this folder comes first on the path, and this file would stand in for the
    # standard library's token module.
    _here = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _here]

import argparse
import json
import time
from typing import Any

import boto3
import jwt
from botocore.exceptions import BotoCoreError, ClientError

_SECONDS = 3600


def make_token(
    secret: dict[str, Any], *, subject: str = "developer", expires: int = _SECONDS
) -> str:
    """An HS256 token of the current key, valid for `expires` seconds (negative: expired already).

    `secret` is the signing secret: {"kid", "key", "iss", "aud"}. Raises KeyError when one is
    missing.
    """
    now = int(time.time())
    claims = {
        "iss": secret["iss"],
        "aud": secret["aud"],
        "sub": subject,
        "iat": now,
        "exp": now + expires,
    }
    return jwt.encode(claims, secret["key"], algorithm="HS256", headers={"kid": secret["kid"]})


def read_secret(arn: str, region: str | None = None) -> dict[str, Any]:
    """The signing secret from Secrets Manager; the region is the ARN's unless given. Raises
    SystemExit in one line.
    """
    parts = arn.split(":")
    try:
        client = boto3.client(
            "secretsmanager", region_name=region or (parts[3] if len(parts) > 3 else None)
        )
        secret = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(
            f"token: the secret cannot be read: {' '.join(str(error).split())}"
        ) from None
    except (ValueError, KeyError):
        raise SystemExit("token: the secret is not a JSON text") from None
    missing = [
        name
        for name in ("kid", "key", "iss", "aud")
        if not isinstance(secret, dict) or name not in secret
    ]
    if missing:
        raise SystemExit(f"token: not a signing secret: {', '.join(missing)} missing")
    return secret


def main(arguments: list[str] | None = None) -> None:
    """Print a token and nothing else."""
    parser = argparse.ArgumentParser(description="Print a signed token for the API.")
    parser.add_argument("--secret-arn", required=True, help="the stack's output authSecretArn")
    parser.add_argument("--region", help="the secret's region (default: the ARN's)")
    parser.add_argument(
        "--subject", default="developer", help="who the token is for (default: %(default)s)"
    )
    parser.add_argument(
        "--expires",
        type=int,
        default=_SECONDS,
        metavar="SECONDS",
        help="how long it is valid (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    print(
        make_token(
            read_secret(options.secret_arn, options.region),
            subject=options.subject,
            expires=options.expires,
        )
    )


if __name__ == "__main__":
    main()
