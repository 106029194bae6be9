"""The function in a container: predictions of a model that lies in a bucket."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from inference import handler

from tests.handlers.conftest import Context
from tests.handlers.fakes import AwsError

_MODEL = {"version": "7", "features": ["rooms", "area"], "weights": [2, 0.5], "intercept": 10}


class Bucket:
    """The models bucket with one model in it."""

    def __init__(self, aws: Any) -> None:
        self.aws = aws
        self.tag = '"one"'
        self.content = json.dumps(_MODEL).encode()
        self.length: int | None = None
        aws.on("GetObject", self._get)

    def put(self, content: Any, tag: str = '"two"') -> None:
        self.content, self.tag = json.dumps(content).encode(), tag

    def _get(self, call: dict[str, Any]) -> dict[str, Any]:
        assert call["Bucket"] == "models-bucket"
        if call.get("IfNoneMatch") == self.tag:
            raise AwsError("304", status=304)
        length = len(self.content) if self.length is None else self.length
        return {"Body": io.BytesIO(self.content), "ETag": self.tag, "ContentLength": length}


@pytest.fixture(autouse=True)
def bucket(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    handler._loaded.clear()
    monkeypatch.setenv("MODEL_BUCKET", "models-bucket")
    for name in ("MODEL_KEY", "BATCH_SIZE", "INFERENCE_MODE"):
        monkeypatch.delenv(name, raising=False)
    return Bucket(aws)


def _predict(*instances: Any, context: Any = None) -> dict[str, Any]:
    return handler.inference({"instances": list(instances)}, context or Context())


def test_predictions_come_in_the_order_of_the_instances_with_the_models_version() -> None:
    answer = _predict([1, 2], [0, 0], [-3, 0.5])
    assert answer == {"predictions": [13.0, 10.0, 4.25], "modelVersion": "7"}


def test_the_model_is_the_environments(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    _predict([1, 2])
    monkeypatch.setenv("MODEL_KEY", "models/prices/8.json")
    _predict([1, 2])
    keys = [call["Key"] for _, call in bucket.aws.calls]
    assert keys == ["models/linear.json", "models/prices/8.json"]


@pytest.mark.parametrize("mode", ["production", ""])
def test_in_production_a_model_is_kept(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("INFERENCE_MODE", mode)
    _predict([1, 2])
    bucket.put(_MODEL | {"version": "8"})
    assert _predict([1, 2])["modelVersion"] == "7"
    assert bucket.aws.names() == ["GetObject"]


def test_in_development_a_new_model_counts_at_once_and_an_old_one_is_not_read_again(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, lines: Any
) -> None:
    monkeypatch.setenv("INFERENCE_MODE", "development")
    assert [_predict([1, 2])["modelVersion"] for _ in range(2)] == ["7", "7"]
    bucket.put(_MODEL | {"version": "8"})
    assert _predict([1, 2])["modelVersion"] == "8"
    conditions = [call.get("IfNoneMatch") for _, call in bucket.aws.calls]
    assert conditions == [None, '"one"', '"one"']
    loaded = [line["modelVersion"] for line in lines() if line["message"] == "model loaded"]
    assert loaded == ["7", "8"]


def test_a_model_that_cannot_be_read_is_an_error_the_first_time(bucket: Bucket) -> None:
    bucket.aws.fail("GetObject", AwsError("NoSuchKey", status=404))
    with pytest.raises(ClientError):
        _predict([1, 2])


@pytest.mark.parametrize("size", ["1", "2", "1000", ""])
def test_the_size_of_a_batch_does_not_change_the_answer(
    monkeypatch: pytest.MonkeyPatch, size: str
) -> None:
    monkeypatch.setenv("BATCH_SIZE", size)
    answer = _predict(*[[number, 0] for number in range(50)])
    assert answer["predictions"] == [10.0 + 2 * number for number in range(50)]


def test_without_time_for_all_batches_it_ends_with_an_error_and_not_in_the_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BATCH_SIZE", "2")
    with pytest.raises(TimeoutError, match="2 of 5 instances were predicted"):
        _predict(*[[1, 2]] * 5, context=Context(seconds=60, then=0.5))


def test_one_batch_is_always_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCH_SIZE", "5")
    answer = _predict(*[[1, 2]] * 5, context=Context(seconds=60, then=0.5))
    assert len(answer["predictions"]) == 5


@pytest.mark.parametrize(
    "event",
    [None, [], "x", {}, {"instances": None}, {"instances": []}, {"instances": {"0": [1, 2]}}],
)
def test_an_event_without_instances_is_refused(event: Any) -> None:
    with pytest.raises(handler.InvalidInput, match="must be a list with members"):
        handler.inference(event, Context())


@pytest.mark.parametrize(
    "instance",
    [[1], [1, 2, 3], [], {"rooms": 1}, [1, "2"], [1, None], [1, True], 7, "12", [1, 10**400]],
)
def test_a_wrong_instance_is_named_by_its_position(instance: Any) -> None:
    with pytest.raises(handler.InvalidInput, match="number 1 must be a list of 2 numbers"):
        _predict([1, 2], instance)


@pytest.mark.parametrize("instance", [[1e308, 0], [1e308, -1e308], [9e307, 9e307]])
def test_a_prediction_that_json_cannot_hold_is_refused(
    bucket: Bucket, instance: list[float]
) -> None:
    bucket.put(_MODEL | {"weights": [1.9, 1.9]})
    with pytest.raises(handler.InvalidInput, match="too large"):
        _predict(instance)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "must be a JSON object"),
        ({}, "must be a JSON object"),
        (None, "must be a JSON object"),
        (_MODEL | {"version": 7}, "version must be text"),
        (_MODEL | {"features": 2}, "version must be text and features a list"),
        (_MODEL | {"weights": [1]}, "one number per feature"),
        (_MODEL | {"weights": [1, "2"]}, "one number per feature"),
        (_MODEL | {"weights": 1}, "one number per feature"),
        (_MODEL | {"intercept": None}, "intercept a number"),
        (_MODEL | {"weights": [1, 10**400]}, "one number per feature"),
        (_MODEL | {"weights": [1, float("nan")]}, "one number per feature"),
    ],
)
def test_what_is_no_model_is_refused_and_not_kept(
    bucket: Bucket, content: Any, reason: str
) -> None:
    bucket.put(content)
    with pytest.raises(handler.InvalidModel, match=reason):
        _predict([1, 2])
    bucket.put(_MODEL)
    assert _predict([1, 2])["modelVersion"] == "7"


@pytest.mark.parametrize("content", [b"\xff{", b"", b"[" * 100_000], ids=["bytes", "empty", "deep"])
def test_what_is_not_even_json_is_refused(bucket: Bucket, content: bytes) -> None:
    bucket.content = content
    with pytest.raises(handler.InvalidModel):
        _predict([1, 2])


def test_a_model_that_is_too_large_is_not_read(bucket: Bucket) -> None:
    bucket.length = 10 * 1024 * 1024 + 1
    with pytest.raises(handler.InvalidModel, match="10485761 bytes are more than 10485760"):
        _predict([1, 2])


@pytest.mark.parametrize(
    ("name", "value"),
    [("INFERENCE_MODE", "test"), ("BATCH_SIZE", "0"), ("BATCH_SIZE", "many")],
)
def test_an_environment_that_makes_no_sense_is_refused(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=rf"{name}|invalid literal"):
        _predict([1, 2])
    assert bucket.aws.calls == []


def test_an_invocation_is_logged_without_its_numbers(lines: Any) -> None:
    _predict([123456, 654321])
    line = lines()[-1]
    assert line["milliseconds"] >= 0
    assert (line["message"], line["instances"], line["modelVersion"], line["mode"]) == (
        "instances predicted",
        1,
        "7",
        "production",
    )
    assert "123456" not in json.dumps(line)


def test_a_warming_event_does_not_even_load_the_model(
    bucket: Bucket, event: Any, lines: Any
) -> None:
    assert handler.inference(event("warming"), None) == {"warmed": True}
    assert (bucket.aws.calls, lines()) == ([], [])


def test_the_image_holds_what_the_handler_imports_and_starts_what_exists() -> None:
    folder = Path(handler.__file__).parent
    said = (folder / "Dockerfile").read_text(encoding="utf-8")
    ignored = (folder / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for path in ("common", "inference/handler.py", "inference/bootstrap"):
        assert (folder.parent / path).exists()
        assert re.search(rf"^COPY .*{path} ", said, re.MULTILINE)
        assert f"!{path}" in ignored
    assert (folder / "bootstrap").stat().st_mode & 0o111
    assert 'ENTRYPOINT ["/app/bootstrap"]' in said
    assert 'CMD ["handler.inference"]' in said
    assert "USER 65534" in said
    locked = (folder / "requirements.txt").read_text(encoding="utf-8")
    assert locked.count("==") * 2 <= locked.count("--hash=")


def test_predicting_is_a_step_of_what_the_caller_says(lines: Any, daemon: Any) -> None:
    handler.inference({"instances": [[1, 2]], "correlationId": "mine"}, Context())
    assert {line["correlation_id"] for line in lines()} == {"mine"}
    annotations = {"correlation_id": "mine", "instances": 1, "model": "7"}
    assert daemon.steps()["predict"] == annotations
