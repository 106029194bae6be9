"""The webhook's own URL: signed by the published algorithm, checked, queued once, and done."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from sandbox.box import Box
from sandbox.web import Answer, Http
from tests.support.effects import Effects, eventually, order, unique


def signed(
    box: Box, ident: str, body: bytes, *, at: int | None = None, key: bytes | None = None
) -> dict[str, str]:
    """The headers of a delivery, as the library of Standard Webhooks makes them, of nothing of ours."""
    secret = box.client("secretsmanager").get_secret_value(SecretId=box.outputs["webhookSecretArn"])
    sender = Webhook(key or secret["SecretString"])
    moment = int(time.time()) if at is None else at
    return {
        "webhook-id": ident,
        "webhook-timestamp": str(moment),
        "webhook-signature": sender.sign(ident, datetime.fromtimestamp(moment, UTC), body.decode()),
        "content-type": "application/json",
    }


def call(box: Box, body: bytes, headers: dict[str, str]) -> Answer:
    return Http(box.outputs["webhookUrl"], lambda: "").post(
        "", body=body.decode("latin-1"), headers=headers
    )


def paid(order_id: str) -> bytes:
    return json.dumps({"type": "order.paid", "data": {"orderId": order_id}}).encode()


@pytest.fixture
def placed(box: Box, effects: Effects) -> str:
    """The id of an order that is placed."""
    wanted = unique("o")
    box.send_sqs("orders", order(wanted))
    eventually(lambda: effects.placed(wanted))
    return wanted


def row(effects: Effects, order_id: str) -> dict[str, Any]:
    return effects.row("ordersTable", orderId=order_id) or {}


def test_a_signed_event_changes_the_order_once_however_often_it_comes(
    box: Box, effects: Effects, placed: str
) -> None:
    body, ident = paid(placed), unique("msg")
    headers = signed(box, ident, body)
    first, again = call(box, body, headers), call(box, body, headers)
    assert (first.status, again.status) == (202, 200)
    assert again.json() == {"duplicate": True}
    eventually(lambda: row(effects, placed)["state"] == {"S": "paid"})
    assert call(box, body, signed(box, ident, body, at=int(time.time()) - 10)).status == 200
    assert row(effects, placed)["version"] == {"N": "2"}


def test_one_of_several_signatures_is_enough(box: Box, placed: str) -> None:
    """As while the sender changes its key."""
    body = paid(placed)
    headers = signed(box, unique("msg"), body)
    headers["webhook-signature"] = f"v1,AAAA v2,BBBB {headers['webhook-signature']}"
    assert call(box, body, headers).status == 202


WRONG: dict[str, dict[str, Any]] = {
    "another key": {"key": b"another"},
    "too old": {"at": int(time.time()) - 3600},
    "of the future": {"at": int(time.time()) + 3600},
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_not_signed_now_by_who_knows_the_key_is_401(
    box: Box, effects: Effects, placed: str, kind: str
) -> None:
    body = paid(placed)
    answer = call(box, body, signed(box, unique("msg"), body, **WRONG[kind]))
    assert answer.status == 401
    assert row(effects, placed)["state"] == {"S": "placed"}


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_without_one_of_the_headers_it_is_401(box: Box, placed: str, header: str) -> None:
    body = paid(placed)
    headers = signed(box, unique("msg"), body)
    del headers[header]
    assert call(box, body, headers).status == 401


def test_another_body_under_a_signature_is_401(box: Box, placed: str) -> None:
    headers = signed(box, unique("msg"), paid("another"))
    assert call(box, paid(placed), headers).status == 401


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"type": "order.lost", "data": {"orderId": "a"}}'])
def test_what_is_signed_and_makes_no_sense_is_400_and_queues_nothing(
    box: Box, effects: Effects, body: bytes
) -> None:
    queue = box.outputs["orderEventsQueueUrl"]
    before = effects.peek(queue)
    assert call(box, body, signed(box, unique("msg"), body)).status == 400
    # What other tests sent may be leaving meanwhile.
    assert [text for text in effects.peek(queue) if text not in before] == []


def test_an_event_whose_answer_was_lost_is_told_again_and_changes_the_order_once(
    box: Box, effects: Effects, placed: str
) -> None:
    """The environment ends between the queue and the note that the event came: the queue drops the repetition."""
    body, ident = paid(placed), unique("msg")
    headers = signed(box, ident, body)
    with box.fault("webhook", after="sqs:SendMessage", where=ident) as fault:
        assert call(box, body, headers).status >= 500
        assert fault.fired == 1
    assert call(box, body, headers).status == 202
    eventually(lambda: row(effects, placed)["state"] == {"S": "paid"})
    assert row(effects, placed)["version"] == {"N": "2"}


def test_a_changed_secret_is_fetched_again_and_the_event_taken(box: Box, placed: str) -> None:
    """Within ten seconds: as often as that, a wrong signature lets the function ask for another secret."""
    vault, arn = box.client("secretsmanager"), box.outputs["webhookSecretArn"]
    body, ident = paid(placed), unique("msg")
    assert call(box, body, signed(box, unique("msg"), body)).status == 202
    held = vault.get_secret_value(SecretId=arn)["SecretString"]
    vault.put_secret_value(SecretId=arn, SecretString="whsec_" + "freshKey" * 8)
    try:
        eventually(lambda: call(box, body, signed(box, ident, body)).status == 202)
    finally:
        vault.put_secret_value(SecretId=arn, SecretString=held)
        # A new environment knows nothing of the other secret.
        with box.fault("webhook", before="handler"):
            assert call(box, body, signed(box, unique("msg"), body)).status >= 500
