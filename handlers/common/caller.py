"""Who asks, whichever API and authorizer found it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.http import member

if TYPE_CHECKING:
    from collections.abc import Mapping


def of(context: Mapping[str, Any]) -> str:
    """The subject of a token, or who signed; "" when nobody was asked. `context` is an
    event's requestContext.

    Every API and authorizer has its own place for it:

    | asked by | REST API, WebSocket | HTTP API (payload format 2.0), function URL |
    |---|---|---|
    | Lambda authorizer | `authorizer.sub`, `.principalId` | `authorizer.lambda.sub`, `.principalId` |
    | Cognito, JWT | `authorizer.claims.sub` | `authorizer.jwt.claims.sub` |
    | IAM: the signer's ARN | `identity.userArn` | `authorizer.iam.userArn` |
    | IAM with an identity pool | `identity.cognitoIdentityId` | `authorizer.iam.cognitoIdentity.identityId` |

    All users of an identity pool sign as one role: there its ARN names nobody. Nor does a load
    balancer: what it passes on are headers, which anybody can send.
    """
    named = member(context, "authorizer")
    function, jwt = member(named, "lambda"), member(named, "jwt")
    signer = member(named, "iam") or member(context, "identity")
    who = (
        named.get("sub")
        or named.get("principalId")
        or function.get("sub")
        or function.get("principalId")
        or member(named, "claims").get("sub")
        or member(jwt, "claims").get("sub")
        or signer.get("cognitoIdentityId")
        or member(signer, "cognitoIdentity").get("identityId")
        or signer.get("userArn")
    )
    return str(who or "")
