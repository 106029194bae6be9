"""Inference in a container image: predictions of a linear model that lies in a bucket.

The model is a JSON object: `version` (text), `features` (their names), `weights` (as many numbers)
and `intercept` (a number). An event is `{"instances": [[1.5, 2], ...]}`, each instance one number
per feature.

MODEL_BUCKET    where the model lies, under MODEL_KEY (models/linear.json)
BATCH_SIZE      how many instances are predicted before the clock is looked at, 32 when unset
INFERENCE_MODE  production keeps the model as long as the execution environment lives; development
                asks at each invocation whether there is another
"""

from __future__ import annotations

import json
import math
import os
import time
from contextlib import closing
from operator import mul
from typing import TYPE_CHECKING, Any, NamedTuple

from common import aws, logs, tracing, warming
from common.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODES = ("production", "development")
_DEFAULT_BATCH = 32
_DEFAULT_KEY = "models/linear.json"
_LARGEST_MODEL = 10 * 1024 * 1024  # bytes
_READ_TIMEOUT = 10  # seconds
_BATCH_TIME = 1_000  # milliseconds that a batch may take

aws.prepare("s3", read_timeout=_READ_TIMEOUT)


class InvalidInput(Exception):
    """The event is refused; the text says which part of it, and repeats nothing."""


class InvalidModel(Exception):
    """What lies in the bucket is no model; the text says why."""


class Model(NamedTuple):
    """A linear model: intercept + sum of weight x feature."""

    version: str
    weights: tuple[float, ...]
    intercept: float

    def predict(self, instance: list[float]) -> float:
        """The prediction for one number per weight; raises InvalidInput where it is no number that
        JSON can hold.
        """
        try:
            prediction = math.fsum((self.intercept, *map(mul, self.weights, instance)))
        except (OverflowError, ValueError):  # too large, or infinity less infinity
            prediction = math.inf
        if not math.isfinite(prediction):
            raise InvalidInput("instances: a prediction is too large for a number")
        return prediction


class _Loaded(NamedTuple):
    model: Model
    tag: str  # S3's entity tag of the object it was read from


_loaded: dict[tuple[str, str], _Loaded] = {}  # by bucket and key


@warming.aware
def inference(event: Any, context: Any) -> dict[str, Any]:
    """The `predictions`, in the order of the instances, and the `modelVersion` they were made with.

    Raises InvalidInput for a wrong event, InvalidModel for a wrong model, ValueError for a wrong
    environment, and TimeoutError when the time is not enough for all instances.
    """
    logs.begin(context, event)
    started = time.perf_counter()
    mode, size = _mode(), _batch_size()
    model = _model(fresh=mode == "development")
    instances = _instances(event, len(model.weights))
    deadline = Deadline(context, slow_call=_BATCH_TIME)
    with tracing.step("predict", instances=len(instances), model=model.version):
        predictions = _predictions(model, instances, size, deadline)
    logs.info(
        "instances predicted",
        instances=len(instances),
        modelVersion=model.version,
        mode=mode,
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
    )
    return {"predictions": predictions, "modelVersion": model.version}


def _predictions(
    model: Model, instances: list[list[float]], size: int, deadline: Deadline
) -> list[float]:
    predictions: list[float] = []
    for batch in _batches(instances, size):
        if predictions and deadline.is_near():
            raise TimeoutError(f"{len(predictions)} of {len(instances)} instances were predicted")
        predictions += [model.predict(instance) for instance in batch]
    return predictions


def _mode() -> str:
    mode = os.environ.get("INFERENCE_MODE") or _MODES[0]
    if mode not in _MODES:
        raise ValueError(f"INFERENCE_MODE must be {' or '.join(_MODES)} (got {mode})")
    return mode


def _batch_size() -> int:
    size = int(os.environ.get("BATCH_SIZE") or _DEFAULT_BATCH)
    if size < 1:
        raise ValueError(f"BATCH_SIZE must be 1 or more (got {size})")
    return size


def _batches(instances: list[Any], size: int) -> Iterator[list[Any]]:
    return (instances[start : start + size] for start in range(0, len(instances), size))


def _instances(event: Any, features: int) -> list[list[float]]:
    instances = event.get("instances") if isinstance(event, dict) else None
    if not isinstance(instances, list) or not instances:
        raise InvalidInput("instances: must be a list with members")
    for position, instance in enumerate(instances):
        if not isinstance(instance, list) or not _are_numbers(instance, features):
            raise InvalidInput(f"instances: number {position} must be a list of {features} numbers")
    return instances


def _are_numbers(values: list[Any], count: int) -> bool:
    return len(values) == count and all(map(_is_number, values))


def _is_number(value: object) -> bool:
    try:
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        )
    except OverflowError:  # a whole number that no float can hold
        return False


def _model(*, fresh: bool) -> Model:
    place = os.environ["MODEL_BUCKET"], os.environ.get("MODEL_KEY") or _DEFAULT_KEY
    loaded = _loaded.get(place)
    if loaded is None or fresh:
        loaded = _loaded[place] = _load(*place, loaded)
    return loaded.model


def _load(bucket: str, key: str, known: _Loaded | None) -> _Loaded:
    """The model in the bucket; the known one when it lies there still."""
    condition = {"IfNoneMatch": known.tag} if known else {}
    client = aws.client("s3", read_timeout=_READ_TIMEOUT)
    try:
        found = client.get_object(Bucket=bucket, Key=key, **condition)
    except Exception as error:
        if known is None or aws.error_code(error) not in {"304", "NotModified"}:
            raise
        return known
    with closing(found["Body"]) as body:
        if found["ContentLength"] > _LARGEST_MODEL:
            raise InvalidModel(f"{found['ContentLength']} bytes are more than {_LARGEST_MODEL}")
        model = parse(body.read())
    logs.info("model loaded", key=key, modelVersion=model.version, features=len(model.weights))
    return _Loaded(model, found["ETag"])


def parse(text: bytes) -> Model:
    """The model that a file describes; raises InvalidModel."""
    try:
        content = json.loads(text)
        version, features = content["version"], content["features"]
        weights, intercept = content["weights"], content["intercept"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise InvalidModel(
            "must be a JSON object of version, features, weights, intercept"
        ) from None
    if not isinstance(version, str) or not isinstance(features, list):
        raise InvalidModel("version must be text and features a list")
    if not isinstance(weights, list) or not _are_numbers([*weights, intercept], len(features) + 1):
        raise InvalidModel("weights must be one number per feature, and intercept a number")
    return Model(version, tuple(map(float, weights)), float(intercept))
