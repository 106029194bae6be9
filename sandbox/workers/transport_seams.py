"""Loopback counts as TLS: policies that refuse plain HTTP can then stay whole.

The sandbox speaks plain HTTP on 127.0.0.1, where nobody listens in. A statement that denies
`aws:SecureTransport = false` would otherwise refuse every call of every function.
"""

from collections.abc import Callable
from types import ModuleType

from sandbox.workers.seams import Seam

_SECURE = (True,)


def seams() -> list[Seam]:
    """Return the seam of the transport."""
    return [
        Seam(
            "ministack.core.iam_evaluator",
            "pin_request_origin",
            ("source_ip", "secure_transport"),
            "TLS-only policies refuse every call",
            _secure,
        )
    ]


def _secure(_module: ModuleType, original: Callable[..., None]) -> Callable[..., None]:
    def pin(source_ip: str, secure_transport: object) -> None:
        del secure_transport
        original(source_ip, *_SECURE)

    return pin
