"""The embedded AWS: runs `__main__.py` unchanged and makes each resource in MiniStack.

`python -m sandbox up` is for people, `with sandbox.running("dev") as box:` for tests. Importing this package imports
nothing else: the emulator starts before anything heavy is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.box import Box, running
    from sandbox.errors import Mistake

__all__ = ["Box", "Mistake", "running"]


def __getattr__(name: str) -> Any:
    if name in ("Box", "running"):
        from sandbox import box

        return getattr(box, name)
    if name == "Mistake":
        from sandbox.errors import Mistake

        return Mistake
    raise AttributeError(f"module 'sandbox' has no attribute {name!r}")
