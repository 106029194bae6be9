"""A mocked run of a REST API with N routes to one function: python -m benchmarks.many_routes N"""

from __future__ import annotations

import sys

from tests.support.program import Run
from tests.support.tiny import tiny


def run(count: int) -> Run:
    """Run it once in this process."""
    return tiny(
        lambda parts: parts.front(
            parts.function("answers"), *(f"GET /route-{number}/{{id}}" for number in range(count))
        )
    )


if __name__ == "__main__":
    print(len(run(int(sys.argv[1])).resources))
