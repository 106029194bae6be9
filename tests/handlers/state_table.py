"""The state table alone."""

from __future__ import annotations

from typing import Any

from tests.handlers.fake_dynamodb import Tables
from tests.handlers.fakes import Aws


class StateTable:
    """Rows by id. `before_put` may be set to something that happens ahead of the next write."""

    def __init__(self, aws: Aws) -> None:
        self.rows = Tables(aws, state="id").rows["state"]
        self.before_put: Any = lambda: None
        put = aws.answers["PutItem"]

        def putting(call: dict[str, Any]) -> dict[str, Any]:
            before, self.before_put = self.before_put, lambda: None
            before()
            return put(call)

        aws.on("PutItem", putting)
