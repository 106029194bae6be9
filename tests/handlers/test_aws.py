"""Clients, the kinds of AWS errors, and cached secrets."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import get_item
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from common import aws, logs, queues, secrets
from tests.handlers.conftest import Context
from tests.handlers.fakes import AwsError
from tests.handlers.order_world import event, failed

_ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:x"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    """The clients made, with their configuration."""
    asked: list[tuple[str, Any]] = []

    class Session:
        def create_client(self, service: str, config: Any) -> object:
            asked.append((service, config))
            return object()

    aws._session.cache_clear()
    monkeypatch.setattr(botocore.session, "get_session", Session)
    yield asked
    aws._session.cache_clear()


def _error(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "m"}}
    return ClientError({**response, "ResponseMetadata": {"HTTPStatusCode": status}}, "Query")


def test_a_client_is_made_once_and_gives_up_within_an_api_functions_timeout(
    made: list[tuple[str, Any]],
) -> None:
    assert aws.client("dynamodb") is aws.client("dynamodb")
    ((service, config),) = made
    assert service == "dynamodb"
    attempts = config.retries["total_max_attempts"]
    assert attempts * (config.connect_timeout + config.read_timeout) < 10


def test_a_client_of_large_objects_may_wait_longer(made: list[tuple[str, Any]]) -> None:
    aws.client("s3", read_timeout=10)
    assert made[0][1].read_timeout == 10


def test_clients_are_made_at_import_inside_lambda_only(
    made: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    importlib.reload(get_item)
    assert made == []
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "sandpiper-dev-get-item")
    importlib.reload(get_item)
    assert [service for service, _ in made] == ["dynamodb"]


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        (_error("ThrottlingException"), True),
        (_error("ProvisionedThroughputExceededException"), True),
        (_error("RequestLimitExceeded"), True),
        (_error("SlowDown"), True),
        (_error("InternalServerError"), True),
        (_error("ValidationException"), False),
        (_error("AccessDenied", 403), False),
        (_error("Anything", 429), True),
        (_error("Anything", 500), True),
        (_error("", 503), True),
        (_error("Anything", 499), False),
        (_error("ConditionalCheckFailedException"), False),
        (NoCredentialsError(), False),
        (ConnectionError(), False),
        (ValueError(), False),
    ],
)
def test_only_errors_that_pass_by_themselves_are_temporary(
    error: Exception, temporary: bool
) -> None:
    assert aws.is_temporary(error) is temporary


def _throttles(service: str) -> Iterator[tuple[str, int]]:
    """Code and status of each error in botocore's model of a service that says: come back later."""
    model = botocore.session.Session().get_service_model(service)
    for name in model.shape_names:
        shape = model.shape_for(name)
        if not shape.metadata.get("exception"):
            continue
        error = shape.metadata.get("error", {})
        status = error.get("httpStatusCode", 400)
        if status == 429 or status >= 500 or _LATER.search(name) or "retryable" in shape.metadata:
            yield error.get("code", name), status


_LATER = re.compile("(?i)throttl|throughput|toomanyrequests|requestlimit|internal|unavailable$")
_CALLED = sorted(
    {
        service
        for path in Path(aws.__file__).parents[1].rglob("*.py")
        for service in re.findall(r'aws\.client\(\s*"([a-z0-9-]+)"', path.read_text())
    }
)
_LATER_CODES = [(service, *error) for service in _CALLED for error in _throttles(service)]
# What S3, SES and the common errors of all services say without a model's telling.
_UNMODELLED = [
    *(("s3", code, 503) for code in ("SlowDown", "ServiceUnavailable", "503")),
    *(("s3", code, 500) for code in ("InternalError", "500", "")),
    ("s3", "RequestTimeout", 400),
    *(("ses", code, 400) for code in ("Throttling", "ServiceUnavailable", "InternalFailure")),
    *(("events", code, 400) for code in ("ThrottlingException", "InternalFailure")),
    ("sns", "Throttling", 400),
    ("lambda", "SomethingNew", 429),
    ("dynamodb", "SomethingNew", 502),
]


def test_the_services_of_the_handlers_are_found() -> None:
    assert {"dynamodb", "events", "lambda", "s3", "ses", "sns", "sqs"} <= set(_CALLED)
    found = {code for _, code, _ in _LATER_CODES}
    assert {"KMSThrottling", "KmsThrottled", "InternalException", "ServiceException"} <= found


@pytest.mark.parametrize(
    "code",
    [
        *("Throttled", "KMSThrottling", "KmsThrottled", "KMS.ThrottlingException"),
        *("InternalError", "InternalException", "InternalFailure", "ServiceException"),
        *("ServiceUnavailable", "SlowDown", "ThrottlingException", "RequestThrottled"),
    ],
)
def test_an_entry_of_a_batch_has_no_status_and_its_code_tells(code: str) -> None:
    assert aws.is_temporary(queues.EntryError(code))


@pytest.mark.parametrize(("service", "code", "status"), [*_LATER_CODES, *_UNMODELLED])
def test_a_message_that_met_a_busy_service_waits_as_long_as_its_queue_says(
    request: pytest.FixtureRequest, service: str, code: str, status: int
) -> None:
    fake = request.getfixturevalue("aws")
    response: Any = {
        "Error": {"Code": code, "Message": service},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    refusals: list[Exception] = [ClientError(response, "Publish")]
    if code in aws._THROTTLED | aws._UNAVAILABLE:
        refusals.append(queues.EntryError(code))
    for refusal in refusals:

        def refused(_: Any, refusal: Exception = refusal) -> None:
            raise refusal

        answer = queues.each(event("{}", receives=3), Context(30), refused, queue_url="https://q")
        assert failed(answer) == ["m1"]
        assert fake.names() == []


def test_what_is_not_the_services_trouble_comes_back_when_the_function_says(
    request: pytest.FixtureRequest,
) -> None:
    fake = request.getfixturevalue("aws")
    fake.on("ChangeMessageVisibilityBatch", lambda _: {"Successful": [], "Failed": []})
    for code in ("ValidationException", "AccessDenied", "KMSDisabled", "MalformedDetail"):

        def refused(_: Any, code: str = code) -> None:
            raise queues.EntryError(code)

        queues.each(event("{}"), Context(30), refused, queue_url="https://q")
    assert fake.names() == ["ChangeMessageVisibilityBatch"] * 4


@pytest.mark.parametrize("response", [None, [], {}, {"Error": None}, {"Error": {}}])
def test_an_error_with_an_odd_response_has_no_code(response: Any) -> None:
    error = ValueError()
    error.response = response  # type: ignore[attr-defined]
    assert aws.error_code(error) == ""


def test_a_row_becomes_plain_values_and_numbers_stay_text() -> None:
    row = {
        "n": {"N": "19.90"},
        "l": {"L": [{"S": "a"}, {"N": "1"}]},
        "m": {"M": {"b": {"BOOL": True}, "z": {"NULL": True}}},
    }
    assert aws.plain(row) == {"n": "19.90", "l": ["a", "1"], "m": {"b": True, "z": None}}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The wall clock's seconds, to be set."""
    now = [1_000_000.0]
    monkeypatch.setattr(secrets.time, "time", lambda: now[0])
    return now


@pytest.fixture
def held(request: pytest.FixtureRequest) -> list[str]:
    """What Secrets Manager holds."""
    fake = request.getfixturevalue("aws")
    value = ["one"]
    fake.on("GetSecretValue", lambda _: {"SecretString": value[0]})
    return value


def _calls(request: pytest.FixtureRequest) -> int:
    return len(request.getfixturevalue("aws").calls)


def test_a_secret_is_read_once_in_five_minutes(
    request: pytest.FixtureRequest, held: list[str], clock: list[float]
) -> None:
    assert secrets.get(_ARN) == "one"
    held[0] = "two"
    clock[0] += 299
    assert (secrets.get(_ARN), _calls(request)) == ("one", 1)
    clock[0] += 2
    assert (secrets.get(_ARN), _calls(request)) == ("two", 2)


def test_a_clock_set_back_reads_the_secret_again(
    request: pytest.FixtureRequest, held: list[str], clock: list[float]
) -> None:
    secrets.get(_ARN)
    clock[0] -= 5000
    secrets.get(_ARN)
    assert _calls(request) == 2


def test_an_early_refetch_answers_only_what_is_new_and_waits_between_two(
    request: pytest.FixtureRequest, held: list[str], clock: list[float]
) -> None:
    secrets.get(_ARN)
    assert secrets.refetch(_ARN) is None
    held[0] = "two"
    assert secrets.refetch(_ARN) is None
    assert _calls(request) == 2
    clock[0] += 11
    assert secrets.refetch(_ARN) == "two"
    assert secrets.get(_ARN) == "two"
    assert _calls(request) == 3


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServiceError"])
def test_an_outage_is_bridged_with_the_copy_at_hand(
    request: pytest.FixtureRequest, held: list[str], clock: list[float], lines: Any, code: str
) -> None:
    secrets.get(_ARN)
    clock[0] += 301
    request.getfixturevalue("aws").fail("GetSecretValue", AwsError(code))
    assert secrets.get(_ARN) == "one"
    assert [line["level"] for line in lines()] == ["WARN"]


def test_a_secret_that_may_no_longer_be_read_is_not_used_on(
    request: pytest.FixtureRequest, held: list[str], clock: list[float]
) -> None:
    secrets.get(_ARN)
    clock[0] += 301
    request.getfixturevalue("aws").fail("GetSecretValue", AwsError("AccessDeniedException"))
    with pytest.raises(ClientError):
        secrets.get(_ARN)


def test_the_first_read_of_a_secret_may_fail(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("aws").fail("GetSecretValue", AwsError("ThrottlingException"))
    with pytest.raises(ClientError):
        secrets.get(_ARN)


def test_a_fetched_secret_never_reaches_the_log(
    request: pytest.FixtureRequest, held: list[str], capsys: Any
) -> None:
    held[0] = "canary-value-of-a-secret"
    logs.begin(None)
    logs.info(f"oops {secrets.get(_ARN)}", also=[secrets.get(_ARN)])
    assert "canary" not in capsys.readouterr().out
