"""Orders go to the partner once; a partner who is down is left alone by everybody."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import order_forwarder
import pytest

from common import aws as common_aws
from common import outbound, queues
from common.circuit import Circuit, OpenError
from tests.handlers.conftest import Context, load
from tests.handlers.fakes import AwsError
from tests.handlers.order_world import ENVIRONMENT, World
from tests.handlers.partner import Partner

if TYPE_CHECKING:
    from collections.abc import Iterator

_CIRCUIT = "circuit#partner"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(common_aws, "client", lambda service, **_: made.aws.client(service))
    monkeypatch.setattr(order_forwarder, "_FIRST_PAUSE", 0.001)
    own = {
        "PARTNER_PRIVATE_NETWORK": "true",
        "PARTNER_TIMEOUT_SECONDS": "1",
        "PARTNER_FAILURE_THRESHOLD": "2",
        "PARTNER_OPEN_SECONDS": "60",
    }
    for name, value in {**ENVIRONMENT, **own}.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def partner(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Partner]:
    outbound._kept.clear()
    with Partner() as running:
        monkeypatch.setenv("PARTNER_URL", running.url)
        yield running
        for kept in outbound._kept:
            kept.link.close()
        outbound._kept.clear()


def _event(order_id: str = "o-1", text: str | None = None) -> dict[str, Any]:
    placed = {"event": "OrderPlaced", "orderId": order_id, "state": "placed", "total": 40.82}
    message = json.dumps(placed) if text is None else text
    attributes = {"event": {"Type": "String", "Value": "OrderPlaced"}}
    sns = {"MessageId": "m", "Message": message, "MessageAttributes": attributes}
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns}]}


def _run(order_id: str = "o-1", seconds: float = 30) -> dict[str, int]:
    return order_forwarder.handler(_event(order_id), Context(seconds))


def _fails(order_id: str, match: str) -> None:
    with pytest.raises((order_forwarder.PartnerError, OpenError), match=match):
        _run(order_id)


def test_an_order_is_posted_with_its_id_as_the_key(world: World, partner: Partner) -> None:
    assert _run() == {"forwarded": 1}
    (post,) = partner.posts
    assert json.loads(post.body) == json.loads(_event()["Records"][0]["Sns"]["Message"])
    assert post.headers["Idempotency-Key"] == "o-1"
    assert post.headers["Content-Type"] == "application/json"
    assert world.aws.names() == ["PutItem", "GetItem", "UpdateItem"]


def test_an_order_is_posted_once_however_often_the_topic_delivers_it(
    world: World, partner: Partner
) -> None:
    for _ in range(3):
        assert _run() == {"forwarded": 1}
    _run("o-2")
    assert [post.headers["Idempotency-Key"] for post in partner.posts] == ["o-1", "o-2"]


@pytest.mark.parametrize("trouble", [500, 503, 429, 408, None])
def test_trouble_that_passes_is_waited_for(world: World, partner: Partner, trouble: Any) -> None:
    partner.answers = [trouble, trouble]
    assert _run() == {"forwarded": 1}
    assert len(partner.posts) == 3
    assert _CIRCUIT not in world.tables.rows["state"]


def test_a_wait_that_the_partner_asks_for_is_kept(world: World, partner: Partner) -> None:
    partner.answers = [(429, {"Retry-After": "1"}, b"")]
    started = time.monotonic()
    _run()
    assert time.monotonic() - started >= 1


def test_a_wait_that_is_too_long_is_left_to_lambda(world: World, partner: Partner) -> None:
    partner.answers = [(503, {"Retry-After": "60"}, b"")]
    _fails("o-1", "busy: 503")
    assert len(partner.posts) == 1


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 409, 422])
def test_a_refusal_is_a_failure_that_says_so_and_opens_nothing(
    world: World, partner: Partner, status: int
) -> None:
    partner.answers = [status] * 5
    for number in range(5):
        _fails(f"o-{number}", f"refuses the order: {status}")
    assert len(partner.posts) == 5
    assert _CIRCUIT not in world.tables.rows["state"]


def test_an_order_that_failed_is_posted_by_the_next_try(world: World, partner: Partner) -> None:
    partner.answers = [500] * 3
    _fails("o-1", "busy: 500")
    assert _run() == {"forwarded": 1}


def test_a_partner_who_is_down_is_left_alone_and_tried_by_one(
    world: World, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.answers = [500] * 6
    _fails("o-1", "busy")
    _fails("o-2", "busy")
    for number in range(3, 8):
        _fails(f"o-{number}", "left alone")
    assert len(partner.posts) == 6
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    partner.answers = [500] * 3
    _fails("o-8", "busy")  # the trial
    _fails("o-9", "left alone")
    assert len(partner.posts) == 9
    monkeypatch.setattr(time, "time", lambda: now + 130)
    assert _run("o-8") == {"forwarded": 1}
    assert _CIRCUIT not in world.tables.rows["state"]
    assert _run("o-9") == {"forwarded": 1}


def test_while_one_tries_the_others_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = Circuit("partner", threshold=1, seconds=60, trial=5)
    circuit.failed()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert circuit.enter() is True
    with pytest.raises(OpenError):
        circuit.enter()
    # The one who tried has crashed.
    monkeypatch.setattr(time, "time", lambda: now + 67)
    assert circuit.enter() is True


def test_of_two_who_would_try_one_does(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = Circuit("partner", threshold=1, seconds=60, trial=5)
    circuit.failed()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    read = world.aws.answers["GetItem"]

    def meanwhile(call: dict[str, Any]) -> dict[str, Any]:
        found = read(call)
        world.aws.on("GetItem", read)
        assert circuit.enter() is True
        return found

    world.aws.on("GetItem", meanwhile)
    with pytest.raises(OpenError):
        circuit.enter()


def test_failures_count_in_a_row_only(world: World, partner: Partner) -> None:
    for number in range(4):
        partner.answers = [500] * 3
        _fails(f"bad-{number}", "busy")
        assert _run(f"good-{number}") == {"forwarded": 1}


def test_failures_are_forgotten_after_a_day(world: World) -> None:
    Circuit("partner", threshold=5, seconds=60, trial=5).failed()
    row = world.tables.rows["state"][_CIRCUIT]
    assert abs(int(row["expiresAt"]["N"]) - time.time() - 86_400) < 5
    assert row["failures"] == {"N": "1"}


def test_nobody_listening_is_a_failure_of_the_partner(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Partner() as gone:
        monkeypatch.setenv("PARTNER_URL", gone.url)
    _fails("o-1", "no answer: ConnectionRefusedError")
    assert world.tables.rows["state"][_CIRCUIT]["failures"] == {"N": "1"}


def test_without_time_for_another_attempt_there_is_none(world: World, partner: Partner) -> None:
    partner.answers = [500] * 3
    with pytest.raises(order_forwarder.PartnerError):
        _run(seconds=5)
    assert len(partner.posts) == 1


@pytest.mark.parametrize("private", [None, "false"])
def test_a_private_address_is_called_only_where_it_is_allowed(
    world: World, partner: Partner, monkeypatch: pytest.MonkeyPatch, private: str | None
) -> None:
    monkeypatch.delenv("PARTNER_PRIVATE_NETWORK")
    if private:
        monkeypatch.setenv("PARTNER_PRIVATE_NETWORK", private)
    monkeypatch.setenv("PARTNER_URL", f"https://127.0.0.1:{partner.port}/")
    with pytest.raises(outbound.Unsafe):
        _run()
    assert partner.posts == []


def test_while_another_one_posts_the_order_it_is_not_posted_twice(
    world: World, partner: Partner
) -> None:
    class Crash(BaseException):
        pass

    read = world.aws.answers["GetItem"]

    def crash(_: dict[str, Any]) -> dict[str, Any]:
        raise Crash

    world.aws.on("GetItem", crash)
    with pytest.raises(Crash):
        _run()
    world.aws.on("GetItem", read)
    with pytest.raises(queues.Later):
        _run()
    assert partner.posts == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"orderId": 7}', '{"orderId": "a\\r\\nX: y"}']
)
def test_what_is_no_order_fails(world: World, partner: Partner, text: str) -> None:
    with pytest.raises(ValueError, match="the message"):
        order_forwarder.handler(_event(text=text), Context(30))
    assert partner.posts == []


@pytest.mark.parametrize("operation", ["PutItem", "GetItem"])
def test_without_its_table_nothing_is_posted(
    world: World, partner: Partner, operation: str
) -> None:
    world.aws.fail(operation, AwsError("ThrottlingException"))
    with pytest.raises(Exception, match="Throttling"):
        _run()
    assert partner.posts == []


def test_a_foreign_event_fails(world: World) -> None:
    with pytest.raises(ValueError, match="aws:sns"):
        order_forwarder.handler({"Records": [{"eventSource": "aws:sqs", "body": ""}]}, Context(30))


def test_a_warming_event_is_answered_at_once(world: World) -> None:
    assert order_forwarder.handler({"warming": True}, Context(30)) == {"warmed": True}


def test_a_recorded_event_is_forwarded(world: World, partner: Partner) -> None:
    assert order_forwarder.handler(load("sns_order_placed"), Context(30)) == {"forwarded": 1}
    assert json.loads(partner.posts[0].body)["total"] == 130.92


def test_an_order_is_forwarded_under_what_it_belongs_to(
    world: World, partner: Partner, lines: Any, daemon: Any
) -> None:
    named = _event()
    attribute = {"Type": "String", "Value": "mine"}
    named["Records"][0]["Sns"]["MessageAttributes"]["correlationId"] = attribute
    order_forwarder.handler(named, Context(30))
    assert {line["correlation_id"] for line in lines()} == {"mine"}
    assert daemon.steps()["forward order"] == {"correlation_id": "mine", "order": "o-1"}
    assert json.loads(partner.posts[0].body) == json.loads(named["Records"][0]["Sns"]["Message"])
