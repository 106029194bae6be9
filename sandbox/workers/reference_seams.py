"""The sandbox's own pages in the emulator's process: see `sandbox.reference` and `sandbox.dashboard`."""

import asyncio
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from sandbox import dashboard, reference
from sandbox.workers.seams import Seam


def seams() -> list[Seam]:
    """Return the seam of the pages."""
    return [
        Seam(
            "ministack.app",
            "_handle_pre_body_request",
            ("method", "path", "headers", "query_params", "request_id"),
            "there is neither a reference page of the API nor one of the dashboard",
            _with_pages,
        )
    ]


def _with_pages(
    _module: ModuleType, original: Callable[..., Awaitable[Any]]
) -> Callable[..., Awaitable[Any]]:
    async def handle(
        method: str, path: str, headers: dict[str, str], query_params: Any, request_id: str
    ) -> Any:
        if path.startswith(reference.PATH.rstrip("/")):
            # Its token is made by calls of this very server: they must not wait for each other.
            return await asyncio.to_thread(reference.answer, path, method, headers)
        if path.startswith(dashboard.PATH.rstrip("/")):
            return await asyncio.to_thread(dashboard.answer, path, method, headers, query_params)
        return await original(method, path, headers, query_params, request_id)

    return handle
