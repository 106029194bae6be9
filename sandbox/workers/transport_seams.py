"""Loopback counts as TLS: policies that refuse plain HTTP can then stay whole.

The sandbox speaks plain HTTP on 127.0.0.1, where nobody listens in. A statement that denies
`aws:SecureTransport = false` would otherwise refuse every call of every function. What a service does by itself, outside of
any request (an alarm that tells its topic), counts so too.
"""

import contextvars
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
            ("_request_origin",),
        )
    ]


def _secure(module: ModuleType, original: Callable[..., None]) -> Callable[..., None]:
    address, _ = module._request_origin.get()
    module._request_origin = contextvars.ContextVar("origin", default=(address, *_SECURE))

    def pin(source_ip: str, secure_transport: object) -> None:
        del secure_transport
        original(source_ip, *_SECURE)

    return pin
