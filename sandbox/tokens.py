"""Tokens for the program's API, signed with the secret that its export `authSecretArn` names."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from sandbox.clients import Clients
from sandbox.errors import Mistake
from sandbox.place import HOME

_EXPORT: Final = "authSecretArn"


def make(
    aws: Clients, exports: Mapping[str, Any], *, subject: str = "developer", expires: int = 3600
) -> str:
    """A token for `subject`, valid for `expires` seconds.

    Raises `Mistake` where the stack exports no signing secret.
    """
    arn = exports.get(_EXPORT)
    if not arn:
        raise Mistake(f"this stack exports no {_EXPORT}: there is nothing to sign a token with")
    secret = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    if str(HOME) not in sys.path:
        sys.path.append(str(HOME))
    return str(
        importlib.import_module("tools.token").make_token(secret, subject=subject, expires=expires)
    )
