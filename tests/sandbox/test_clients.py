"""Clients that are asked for while the emulator still starts."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from sandbox.clients import Clients


def test_all_threads_wait_for_the_start_and_get_the_same_seed() -> None:
    answers = threading.Event()

    def booting() -> bytes:
        answers.wait(10)
        return b"seed"

    clients = Clients("http://127.0.0.1:1", "us-west-2", booting=booting)
    with ThreadPoolExecutor(16) as pool:
        seeds = [pool.submit(lambda: clients.seed) for _ in range(64)]
        time.sleep(0.05)
        assert not any(seed.done() for seed in seeds)
        answers.set()
        assert {seed.result() for seed in seeds} == {b"seed"}
