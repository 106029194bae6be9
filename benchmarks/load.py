"""A bounded load on one loopback URL, from a process of its own: python -m benchmarks.load URL TOKEN CALLERS REQUESTS

Prints JSON: requests per second, errors, and latencies in milliseconds (p50, p99).
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import threading
import time
from urllib.parse import urlsplit


def main(url: str, token: str, callers: str, requests: str) -> None:
    """Each caller keeps one connection and sends its share, one request after the other."""
    parts = urlsplit(url)
    if parts.hostname != "127.0.0.1":
        sys.exit("loads go to 127.0.0.1 only")
    each = int(requests) // int(callers)
    times: list[float] = []
    errors: list[int] = []

    def caller() -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        for _ in range(each):
            start = time.perf_counter()
            connection.request("GET", parts.path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            times.append((time.perf_counter() - start) * 1000)
            if answer.status != 200:
                errors.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=caller) for _ in range(int(callers))]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - start
    p99 = statistics.quantiles(times, n=100)[98]
    print(
        json.dumps(
            {
                "per_second": len(times) / wall,
                "errors": len(errors),
                "p50": statistics.median(times),
                "p99": p99,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:5])
