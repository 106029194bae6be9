"""Clients that fail fast, and which AWS errors are worth another try.

botocore is imported with the first client, so that a function without one (health) starts without
it. It makes the very clients that boto3 hands out; boto3 would also import resources and file
transfers, a fifteenth of a cold start.
"""

from __future__ import annotations

import functools
import logging
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Three attempts of at most 1 + 2 seconds end inside the 10 seconds of an API function, so that the
# caller gets a 503 with Retry-After instead of a timeout.
_CONNECT_SECONDS = 1
_READ_SECONDS = 2
_ATTEMPTS = 3

# As the services' own models spell them, and botocore's list of what is tried again: an entry of a
# batch call (SNS, EventBridge) has a code and no status of its own.
_THROTTLED = frozenset(
    {
        *("BandwidthLimitExceeded", "EC2ThrottledException"),
        *("KMS.ThrottlingException", "KMSThrottling", "KMSThrottlingException", "KmsThrottled"),
        *("PriorRequestNotComplete", "ProvisionedThroughputExceededException"),
        *("RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown"),
        *("Throttled", "ThrottledException", "Throttling", "ThrottlingException"),
        *("TooManyRequestsException", "TransactionInProgressException"),
    }
)
_UNAVAILABLE = frozenset(
    {
        *("InternalError", "InternalErrorException", "InternalException", "InternalFailure"),
        *("InternalFailureException", "InternalServerError", "InternalServerException"),
        *("InternalServiceError", "InternalServiceErrorException"),
        *("ReplicatedWriteConflictException", "RequestTimeout", "RequestTimeoutException"),
        *("ServiceException", "ServiceUnavailable", "ServiceUnavailableException"),
    }
)
_TOO_MANY_REQUESTS = 429
_FIRST_SERVER_ERROR = 500

CONFLICT = "TransactionConflict"
# Why a transaction was cancelled, where the same one may succeed later.
PASSING = frozenset({CONFLICT, "ThrottlingError", "ProvisionedThroughputExceeded"})

_clients: dict[str, Any] = {}


def client(service: str, *, read_timeout: int = _READ_SECONDS, signature: str | None = None) -> Any:
    """The execution environment's one client of a service; `read_timeout` in seconds and botocore's
    name of the signature (None is its own choice) count at its first use.
    """
    if service not in _clients:
        from botocore.config import Config

        # At INFO it says for each new client where credentials and endpoint came from.
        logging.getLogger("botocore").setLevel(logging.WARNING)
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=read_timeout,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
            tcp_keepalive=True,
            signature_version=signature,
            # Else links would name S3's global endpoint, which knows new buckets only after hours.
            s3={"addressing_style": "virtual"} if signature else None,
        )
        made = _session().create_client(service, config=config)
        if "AWS_XRAY_DAEMON_ADDRESS" in os.environ:
            from common import segments_aws  # Lambda sets this, tests do not

            segments_aws.record(made)
        _clients[service] = made
    return _clients[service]


@functools.cache
def _session() -> Any:
    import botocore.session

    return botocore.session.get_session()


def prepare(
    *services: str, read_timeout: int = _READ_SECONDS, signature: str | None = None
) -> None:
    """Make clients while Lambda initialises, when a function of any size has a whole processor.

    Elsewhere nothing happens: importing a handler in a test needs neither boto3 nor a region.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        for service in services:
            client(service, read_timeout=read_timeout, signature=signature)


def signed(service: str, url: str, body: bytes) -> dict[str, str]:
    """The headers that make a POST of this body a call of the function's role (Signature Version
    4).
    """
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    request = AWSRequest("POST", url, data=body)
    SigV4Auth(_session().get_credentials(), service, os.environ["AWS_REGION"]).add_auth(request)
    return dict(request.headers.items())


def error_code(error: BaseException) -> str:
    """The code AWS gave (`ConditionalCheckFailedException`), or "" for an error that is not an
    answer of AWS.
    """
    response: object = getattr(error, "response", None)
    described = response.get("Error") if isinstance(response, dict) else None
    return str(described.get("Code", "")) if isinstance(described, dict) else ""


def is_throttled(code: str) -> bool:
    """Whether AWS's code says that there were too many calls."""
    return code in _THROTTLED


def _status(error: BaseException) -> int:
    """The HTTP status that AWS answered with, 0 where there is none."""
    response: object = getattr(error, "response", None)
    metadata = response.get("ResponseMetadata") if isinstance(response, dict) else None
    status = metadata.get("HTTPStatusCode") if isinstance(metadata, dict) else None
    return status if isinstance(status, int) else 0


def cancellations(error: BaseException) -> list[dict[str, Any]]:
    """Why DynamoDB cancelled a transaction, action by action ({"Code": "None"} where it was not the
    reason); [] for any other error.
    """
    response: object = getattr(error, "response", None)
    reasons = response.get("CancellationReasons") if isinstance(response, dict) else None
    return reasons if isinstance(reasons, list) else []


def is_temporary(error: BaseException) -> bool:
    """Whether the same call may succeed later: throttled, unavailable, or the connection failed."""
    code = error_code(error)
    if reasons := cancellations(error):
        return {str(reason.get("Code")) for reason in reasons} <= {*PASSING, "None"}
    status = _status(error)
    if status == _TOO_MANY_REQUESTS or status >= _FIRST_SERVER_ERROR:
        return True
    if code:
        return code in _THROTTLED or code in _UNAVAILABLE
    kinds = {
        kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "botocore.exceptions"
    }
    return bool(kinds & {"HTTPClientError", "ConnectionError"})


def plain(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A DynamoDB item as plain values. Numbers stay the text that DynamoDB sent: none becomes a
    float.
    """
    return {name: _plain_value(value) for name, value in attributes.items()}


def _plain_value(value: Mapping[str, Any]) -> Any:
    kind, content = next(iter(value.items()))
    if kind == "L":
        return [_plain_value(member) for member in content]
    if kind == "M":
        return plain(content)
    return None if kind == "NULL" else content
