"""Work that is done once for a key, however often it is asked for and by however many at a time:
the idempotency of Powertools for AWS Lambda, on the state table.

A key's row is put before the work and says until when somebody may still be at it, which is when
that invocation ends. It says "done" afterwards, and goes when the work fails. Only a crash between
the work and its row's last word does the work again. Functions whose work is a row of its own need
none of this: their write has a condition.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from common import aws
from common.queues import Later

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = 14 * 86_400  # seconds that a key is known, as long as a queue keeps a message
_PREFIX = "once"
_MEANWHILE = 5  # seconds until it is asked again how somebody else got on


def prepare() -> None:
    """Import the library while Lambda initialises; elsewhere nothing happens."""
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        _store()


def run(key: str, work: Callable[[], Any], *, context: Any) -> Any:
    """Do the work unless it is done for this key, and return what it returned, then or now: None,
    or what JSON can write.

    The key begins with what the work is ("mail#..."); only a hash of it is kept, in STATE_TABLE.
    Raises Later while somebody else is at it, otherwise what the work or the table raises.
    """
    from aws_lambda_powertools.utilities.idempotency import (
        IdempotencyConfig,
        exceptions,
        idempotent_function,
    )

    def named(*, key: str) -> Any:
        del key
        return work()

    # Powertools' own hash is MD5, of which two keys can be made that are one.
    config = IdempotencyConfig(expires_after_seconds=KEPT, hash_function="sha256")
    config.register_lambda_context(context)
    once = idempotent_function(
        named,
        data_keyword_argument="key",
        persistence_store=_store(),
        config=config,
        key_prefix=_PREFIX,
    )
    try:
        return once(key=key)
    except exceptions.IdempotencyAlreadyInProgressError:
        raise Later("somebody else is doing this", seconds=_MEANWHILE) from None
    except exceptions.IdempotencyPersistenceLayerError as error:
        raise error.__cause__ or error from None


@functools.cache
def _store() -> Any:
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

    return DynamoDBPersistenceLayer(
        os.environ["STATE_TABLE"],
        key_attr="id",
        expiry_attr="expiresAt",
        boto3_client=aws.client("dynamodb"),
    )
