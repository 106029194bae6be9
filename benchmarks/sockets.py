"""How soon subscribers hear of a change, and what routes cost to declare."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from benchmarks.scratch import ROOT, Row, Scratch, running, spread, verdict

LONGEST_WAIT = 30.0  # seconds


def pushes(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """From the moment POST /items is sent to the moment the last of 1 and of 200 subscribers has the push."""
    with running(scratch) as (_, token):
        outputs = scratch.outputs()
        for clients in (1, 200):
            times = asyncio.run(_rounds(outputs, token, clients, rounds))
            middle = statistics.median(times)
            yield (
                f"change heard by {clients} subscriber{'s' * (clients > 1)}, last one",
                f"{middle:.0f} ms ({spread(times, 0)})",
                "<= 1000 ms",
                verdict(middle <= 1000),
            )


async def _rounds(outputs: dict[str, Any], token: str, clients: int, rounds: int) -> list[float]:
    async with AsyncExitStack() as open_ones:
        listening = [
            await open_ones.enter_async_context(
                connect(f"{outputs['socketUrl']}?token={token}", proxy=None)
            )
            for _ in range(clients)
        ]
        for client in listening:
            message = {"action": "subscribe", "topic": "items", "requestId": "1"}
            await client.send(json.dumps(message))
            await asyncio.wait_for(client.recv(), LONGEST_WAIT)
        # The first makes the publisher's connections.
        return [await _once(outputs, token, listening) for _ in range(rounds + 1)][1:]


async def _once(outputs: dict[str, Any], token: str, listening: list[ClientConnection]) -> float:
    heard = [asyncio.ensure_future(asyncio.wait_for(c.recv(), LONGEST_WAIT)) for c in listening]
    begin = time.perf_counter()
    await asyncio.to_thread(_write, str(outputs["apiUrl"]), token)
    await asyncio.gather(*heard)
    return (time.perf_counter() - begin) * 1000


def _write(url: str, token: str) -> None:
    request = urllib.request.Request(
        f"{url}/items",
        data=b'{"name": "bench", "price": "1.00"}',
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def routes(scratch: Scratch, rounds: int) -> Iterator[Row]:
    """A whole process that runs an API of 10, 50, 200 routes on mocks."""
    for count in (10, 50, 200):
        times, resources = [], ""
        for _ in range(rounds):
            begin = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.many_routes", str(count)],
                cwd=ROOT,
                env=scratch.environment,
                check=True,
                capture_output=True,
                text=True,
            )
            times.append(time.perf_counter() - begin)
            resources = done.stdout.strip()
        middle = statistics.median(times)
        yield (
            f"mocked run, {count} routes",
            f"{middle:.2f} s ({spread(times, 2)}), {resources} resources",
            "",
            "",
        )
