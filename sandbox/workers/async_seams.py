"""Asynchronous calls: attempts, their age, and what becomes of the result.

MiniStack retries too, but drops a success, sends the same count of attempts with every failure, sends what is left to
either the dead-letter queue or the destination, and knows neither event buses nor buckets. Sources: Lambda developer
guide, "Capturing records of Lambda asynchronous invocations", "How Lambda handles errors and retries".
"""

import contextvars
import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from types import ModuleType
from typing import Any

from sandbox.workers import destinations
from sandbox.workers.lambda_seams import LAMBDA, REQUEST_ID, qualifier_of
from sandbox.workers.seams import Seam

logger = logging.getLogger("sandbox.workers")
Record = dict[str, Any]

_RETRIES = 2
_AGE_SECONDS = 21_600
_AT_ONCE = 16
"""Events of one function that run side by side; Lambda too keeps the others in its queue and adds workers as it goes.

A burst of a thousand events would else start a thousand processes on this machine.
"""
_semaphores: dict[str, threading.Semaphore] = {}
_ERROR_TEXT = 1024
"""Bytes of an error message that a dead letter carries as an attribute."""


def seams() -> list[Seam]:
    """Return the seam of asynchronous calls."""
    return [
        Seam(
            LAMBDA,
            "invoke_async_with_retry",
            ("func", "event"),
            "asynchronous calls through an alias lack its settings, and successes reach no destination",
            _invoke,
            needs=(
                "_functions",
                "_execute_function",
                "_event_invoke_config",
                "_get_func_record_for_ref",
                "_account_region_from_function_config",
                "_request_account_id",
                "_request_region",
                "_LAMBDA_ASYNC_RETRY_BASE_SECONDS",
                "_LAMBDA_ASYNC_RETRY_MAX_SECONDS",
            ),
        )
    ]


def _invoke(module: ModuleType, _original: Callable[..., None]) -> Callable[..., None]:
    def invoke(func: Record, event: Any) -> None:
        call = _Call(module, func, event)
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(call.run,), daemon=True).start()

    return invoke


class _Call:
    """One event on its way through the attempts that its function's settings allow."""

    def __init__(self, module: ModuleType, func: Record, event: Any) -> None:
        self._module, self._func, self._event = module, func, event
        self._config: Record = func.get("config") or func
        self._id = str(uuid.uuid4())
        self._attempts = 0

    def run(self) -> None:
        """Try, try again, and tell the destinations how it ended; what the emulator fails at is only logged."""
        try:
            self._run()
        except Exception:
            arn = self._config.get("FunctionArn")
            logger.exception("%s: event %s is lost", arn, self._id)

    def _run(self) -> None:
        module = self._module
        account, region = module._account_region_from_function_config(self._config)
        module._request_account_id.set(account)
        module._request_region.set(region)
        settings = self._settings()
        # Every attempt has the request id of the event, as on AWS; what the destinations start has its own.
        event = REQUEST_ID.set(self._id)
        try:
            result, condition = self._attempt(settings)
        finally:
            REQUEST_ID.reset(event)
        places = settings.get("DestinationConfig") or {}
        kind = "OnSuccess" if condition == "Success" else "OnFailure"
        if target := (places.get(kind) or {}).get("Destination"):
            destinations.send(module, target, self._record(result, condition))
        letters = (self._config.get("DeadLetterConfig") or {}).get("TargetArn")
        if letters and condition != "Success":
            destinations.send(module, letters, self._event, self._postmark(result))

    def _settings(self) -> Record:
        """What is set for the alias or version that was called; a bare function's own settings cover only itself."""
        base = self._module._functions.get(self._config["FunctionName"]) or self._func
        qualifier = qualifier_of(self._config["FunctionArn"])
        plain = qualifier in ("", "$LATEST")
        found = self._module._event_invoke_config(base, None if plain else qualifier)
        return (
            found or (self._module._event_invoke_config(base, "$LATEST") if plain else None) or {}
        )

    def _attempt(self, settings: Record) -> tuple[Record, str]:
        """The last result, and how the event ended: Success, RetriesExhausted or EventAgeExceeded."""
        retries = settings.get("MaximumRetryAttempts")
        left = _RETRIES if retries is None else int(retries)
        until = time.time() + int(settings.get("MaximumEventAgeInSeconds") or _AGE_SECONDS)
        pause = float(self._module._LAMBDA_ASYNC_RETRY_BASE_SECONDS)
        while True:
            with _turns(self._config["FunctionArn"]):
                result = self._module._execute_function(self._func, self._event)
            throttled = bool(result.get("throttle"))
            self._attempts += not throttled
            if not result.get("error"):
                return result, "Success"
            if not throttled:  # A throttled event has not run: it only ages.
                if left == 0:
                    return result, "RetriesExhausted"
                left -= 1
            if time.time() + pause > until:
                return result, "EventAgeExceeded"
            time.sleep(pause)
            pause = min(pause * 2, float(self._module._LAMBDA_ASYNC_RETRY_MAX_SECONDS))

    def _record(self, result: Record, condition: str) -> Record:
        version = str(self._config.get("Version") or "$LATEST")
        arn = ":".join(self._config["FunctionArn"].split(":")[:7])
        response = {"statusCode": 200, "executedVersion": version}
        if condition != "Success":
            response["functionError"] = result.get("function_error") or "Unhandled"
        return {
            "version": "1.0",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
            + f".{int(time.time() % 1 * 1000):03d}Z",
            "requestContext": {
                "requestId": self._id,
                "functionArn": f"{arn}:{qualifier_of(self._config['FunctionArn']) or '$LATEST'}",
                "condition": condition,
                "approximateInvokeCount": self._attempts,
            },
            "requestPayload": self._event,
            "responseContext": response,
            "responsePayload": _plain(result.get("body")),
        }

    def _postmark(self, result: Record) -> dict[str, tuple[str, str]]:
        """The attributes of a dead letter; its body is the event itself."""
        body = result.get("body")
        message = body.get("errorMessage", "") if isinstance(body, dict) else str(body)
        return {
            "RequestID": ("String", self._id),
            "ErrorCode": ("Number", "429" if result.get("throttle") else "200"),
            "ErrorMessage": ("String", str(message)[:_ERROR_TEXT] or "-"),
        }


def _turns(function_arn: str) -> threading.Semaphore:
    # Setting a default is one step: two threads get the same one.
    return _semaphores.setdefault(function_arn, threading.Semaphore(_AT_ONCE))


def _plain(body: Any) -> Any:
    """A custom runtime may answer bytes or text that is JSON."""
    if isinstance(body, bytes):
        body = body.decode("utf-8", "replace")
        try:
            return json.loads(body)
        except ValueError:
            return body
    return body
