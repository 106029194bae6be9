"""Clients, the kinds of AWS errors, and cached secrets."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import botocore.session
import get_item
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from common import aws, logs, secrets
from tests.handlers.fakes import AwsError

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


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "Query")


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
