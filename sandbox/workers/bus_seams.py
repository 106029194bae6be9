"""EventBridge: how an event reaches its targets, and where it goes when one cannot be reached; what S3 tells the bus.

MiniStack calls a function once, asks no permission, and drops what it cannot deliver. Sources: EventBridge user guide,
"Using dead-letter queues to process undelivered events" (the event as it came and six attributes; what a retry cannot mend
goes there at once), "Using resource-based policies for Amazon EventBridge"; S3 user guide, "EventBridge event message
structure" (an object of a versioned bucket has its version, a removed one no size).
"""

import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from sandbox.workers import deliveries
from sandbox.workers.deliveries import Undeliverable
from sandbox.workers.seams import Seam

BUS: Final = "ministack.services.eventbridge"
S3: Final = "ministack.services.s3"
_SERVICE: Final = "events.amazonaws.com"
_LOST: Final = "what a target refuses of a bus is dropped, and its permission is not asked"
Record = dict[str, Any]
Deliver = Callable[..., None]


@dataclass(frozen=True)
class _Delivery:
    """One event on its way to one target of a rule."""

    target: Record
    rule: Record
    event: Record
    """As it came, before a transformer."""

    @property
    def source(self) -> str:
        return str(self.rule.get("Arn", ""))


_delivery: ContextVar[_Delivery | None] = ContextVar("_delivery", default=None)
_version: ContextVar[str | None] = ContextVar("_version", default=None)
"""The version of the object that S3 tells of."""


def seams() -> list[Seam]:
    """Return the seams of buses and of what buckets tell."""
    return [
        Seam(
            BUS,
            "_invoke_target",
            ("target", "event", "rule", "view"),
            _LOST,
            _to_target,
            needs=("_pattern_event_view",),
        ),
        Seam(BUS, "_dispatch_to_lambda", ("arn", "payload"), _LOST, _to_function),
        Seam(BUS, "_dispatch_to_sqs", ("spec", "payload", "sqs_parameters"), _LOST, _to_queue),
        Seam(BUS, "_dispatch_to_sns", ("arn", "payload"), _LOST, _to_topic),
        Seam(BUS, "_dispatch_event", ("event", "view"), _BARE, _of_objects),
        Seam(S3, "_fire_s3_event", _FIRE, _BARE, _with_version),
        Seam(
            S3,
            "_deliver_event_to_lambda",
            ("arn", "event_payload", "bucket_region"),
            "a bucket starts functions that no longer let it",
            _from_bucket,
        ),
    ]


_BARE: Final = "objects on the bus lack their version"
_FIRE: Final = (
    *("bucket_name", "key", "event_name", "size", "etag", "deletion_type", "restore_event_data"),
    *("version_id", "sequencer", "object_extra", "record_extra"),
)


def _to_target(module: ModuleType, original: Deliver) -> Deliver:
    def deliver(target: Record, event: Record, rule: Record, view: Any = None) -> None:
        view = view or module._pattern_event_view(event)
        whole = dict(view.event_with_detail())
        token = _delivery.set(_Delivery(target, rule, whole))
        try:
            original(target, event, rule, view)
        finally:
            _delivery.reset(token)

    return deliver


def _guarded(deliver: Callable[..., None]) -> Deliver:
    """What cannot be delivered goes to the target's dead-letter queue, as it came."""

    def guarded(*given: Any) -> None:
        try:
            deliver(*given)
        except Undeliverable as error:
            current = _delivery.get()
            if current is not None:
                _bury(current, error)

    return guarded


def _to_function(_module: ModuleType, original: Deliver) -> Deliver:
    def deliver(arn: str, payload: str) -> None:
        current = _delivery.get()
        if current is None:
            return original(arn, payload)
        try:
            event = json.loads(payload)
        except ValueError:
            raise Undeliverable("INVALID_JSON", f"{arn} takes JSON only: {payload[:200]}") from None
        return deliveries.start(arn, event, _SERVICE, current.source)

    return _guarded(deliver)


def _to_queue(_module: ModuleType, original: Deliver) -> Deliver:
    def deliver(spec: Any, payload: str, sqs_parameters: Record | None = None) -> None:
        if current := _delivery.get():
            deliveries.check_queue(str(spec), _SERVICE, current.source)
        original(spec, payload, sqs_parameters)

    return _guarded(deliver)


def _to_topic(_module: ModuleType, original: Deliver) -> Deliver:
    def deliver(arn: str, payload: str) -> None:
        if current := _delivery.get():
            deliveries.check_topic(arn, _SERVICE, current.source)
        original(arn, payload)

    return _guarded(deliver)


def _bury(delivery: _Delivery, error: Undeliverable) -> None:
    attributes = {
        "RULE_ARN": delivery.source,
        "TARGET_ARN": str(delivery.target.get("Arn", "")),
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": str(error),
        # None of these errors is one that a retry mends.
        "RETRY_ATTEMPTS": "0",
    }
    letters = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
    body = json.dumps(delivery.event)
    deliveries.bury(letters, body, attributes, service=_SERVICE, source=delivery.source)


def _with_version(_module: ModuleType, original: Deliver) -> Deliver:
    def fire(*given: Any, version_id: str | None = None, **more: Any) -> None:
        token = _version.set(version_id)
        try:
            original(*given, version_id=version_id, **more)
        finally:
            _version.reset(token)

    return fire


def _of_objects(_module: ModuleType, original: Deliver) -> Deliver:
    def dispatch(event: Record, view: Any = None) -> None:
        version = _version.get()
        if event.get("Source") != "aws.s3":
            return original(event, view)
        detail = json.loads(event["Detail"])
        told = detail["object"]
        if version:
            told["version-id"] = version
        if event["DetailType"] == "Object Deleted":
            told.pop("size", None)
            if not told.get("etag"):
                told.pop("etag", None)
        return original({**event, "Detail": json.dumps(detail)})

    return dispatch


def _from_bucket(module: ModuleType, _original: Deliver) -> Deliver:
    def deliver(arn: str, event_payload: Record, *_rest: Any) -> None:
        bucket = event_payload["Records"][0]["s3"]["bucket"]["arn"]
        for record in event_payload["Records"]:
            _trim(record)
        try:
            deliveries.start(arn, event_payload, "s3.amazonaws.com", bucket)
        except Undeliverable as error:
            module.logger.warning("%s: an event of S3 is lost: %s", bucket, error)

    return deliver


def _trim(record: Record) -> None:
    """What is removed has no size, and an entity tag only where a marker takes its place."""
    if record["eventName"].startswith("ObjectRemoved:"):
        told = dict(record["s3"]["object"])
        told.pop("size", None)
        if not told.get("eTag"):
            told.pop("eTag", None)
        record["s3"] = {**record["s3"], "object": told}
