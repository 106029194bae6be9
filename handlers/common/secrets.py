"""Values of Secrets Manager, cached by the execution environment."""

from __future__ import annotations

import time

from common import aws, logs

_MAXIMUM_AGE = 300.0  # seconds; after this a removed key is no longer honoured
_PAUSE = 10.0  # seconds between early refetches: forged key ids must not become calls and cost

_cache: dict[str, tuple[str, float]] = {}
_refetched: dict[str, float] = {}


def get(arn: str) -> str:
    """The secret's text, at most 300 seconds old.

    When Secrets Manager cannot be reached an older copy is used: signing keys outlive an outage.
    Raises what boto3 raised when there is no copy.
    """
    cached = _cache.get(arn)
    if cached is not None and _elapsed(cached[1]) < _MAXIMUM_AGE:
        return cached[0]
    try:
        return _fetch(arn)
    except Exception as error:
        if cached is None or not aws.is_temporary(error):
            raise
        logs.warning("secret not refreshed, using the cached copy", cause=aws.error_code(error))
        return cached[0]


def refetch(arn: str) -> str | None:
    """The secret's text when it has changed since it was cached, else None; asks at most every 10
    seconds.
    """
    if _elapsed(_refetched.get(arn, 0.0)) < _PAUSE:
        return None
    _refetched[arn] = time.time()
    cached = _cache.get(arn)
    fresh = _fetch(arn)
    return fresh if cached is None or fresh != cached[0] else None


def _elapsed(since: float) -> float:
    # The wall clock: a frozen execution environment's monotonic clock may stand still. A clock set
    # back counts as long ago.
    seconds = time.time() - since
    return seconds if seconds >= 0 else _MAXIMUM_AGE


def _fetch(arn: str) -> str:
    text = str(aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    logs.hide(text)
    _cache[arn] = (text, time.time())
    return text
