"""The sandbox's seed: a random number that lives in the emulator's memory alone, and proves that it is ours.

Passwords of the random provider derive from it, digests of inputs are keyed with it. It is kept as a secret of an
account that no program uses, under the emulator's id: an emulator that does not hold it was reset, or is another one.
"""

from __future__ import annotations

from typing import Any, Final

from sandbox.clients import Clients
from sandbox.emulator import Emulator
from sandbox.faults import is_missing

BYTES: Final = 32
_ACCOUNT: Final = "999999999999"
"""MiniStack takes an access key of twelve digits for the account's number."""


def plant(emulator: Emulator, seed: bytes) -> None:
    """Give a fresh emulator its seed."""
    _vault(emulator).create_secret(Name=emulator.id, SecretBinary=seed)


def find(emulator: Emulator) -> bytes | None:
    """The seed of a running emulator; None where it does not hold ours."""
    try:
        return bytes(_vault(emulator).get_secret_value(SecretId=emulator.id)["SecretBinary"])
    except Exception as error:
        if is_missing(error):
            return None
        raise


def _vault(emulator: Emulator) -> Any:
    return Clients(emulator.endpoint, emulator.region, key=_ACCOUNT).client("secretsmanager")
