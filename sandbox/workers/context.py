"""The second argument of a handler.

Attributes and types follow AWS's Python runtime (Lambda developer guide, "Using the Lambda context
object to retrieve Python function information"); `memory_limit_in_mb` is text there too.
"""

import os
import sys
import time
from typing import Any


class CognitoIdentity:
    """The caller's Cognito identity; both ids are None unless a mobile SDK called."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self) -> None:
        self.cognito_identity_id: str | None = None
        self.cognito_identity_pool_id: str | None = None


class LambdaContext:
    """What a handler may ask about its own invocation."""

    def __init__(self, *, request_id: str, function_arn: str, deadline: float) -> None:
        environ = os.environ
        self.aws_request_id = request_id
        self.invoked_function_arn = function_arn
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = CognitoIdentity()
        self.client_context: Any = None
        self.tenant_id: str | None = None
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left until the function's timeout, never below 0."""
        return max(0, int((self._deadline - time.time()) * 1000))

    def log(self, message: object) -> None:
        """Write a line to the function's log, outside `logging`."""
        sys.stdout.write(f"{message}\n")

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name}={value!r}" for name, value in vars(self).items() if name[0] != "_"
        )
        return f"LambdaContext({shown})"
