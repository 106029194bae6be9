"""The subsegments are what AWS's own SDK writes of the same work (aws-xray-sdk, which takes too long
to start to be in the functions).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import botocore.client
import botocore.endpoint
import pytest
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.emitters import udp_emitter
from aws_xray_sdk.core.lambda_launcher import LambdaContext
from aws_xray_sdk.ext.botocore.patch import patch
from botocore.exceptions import ClientError

from common import segments, segments_aws, tracing
from tests.handlers.test_tracing import Daemon, _refusal, client_of, daemon, server

__all__ = ["daemon", "server"]  # fixtures

xray_recorder.emitter._socket.close()  # it makes one when it is imported

Documents = list[dict[str, Any]]

# What differs each time, or only one of the two tells: our annotation is the correlation id, the
# SDK says of what is complete that it is not in progress.
_LEFT_OUT = {"annotations", "in_progress", "subsegments", "id", "start_time", "end_time"}


class Emitter:
    """Keeps what the SDK would send."""

    def __init__(self) -> None:
        self.sent: Documents = []

    def send_entity(self, entity: Any) -> None:
        self.sent.append(json.loads(entity.serialize()))


def _by_the_sdk(work: Callable[[Any], None], client: Any) -> Documents:
    """What AWS's recorder tells of this work within a step, as it does in a function."""
    emitter = Emitter()
    with pytest.MonkeyPatch.context() as patched:
        # What the SDK replaces is put back afterwards.
        for owner, name in (
            (botocore.client.BaseClient, "_make_api_call"),
            (botocore.endpoint.Endpoint, "prepare_request"),
        ):
            patched.setattr(owner, name, getattr(owner, name))
        patched.setattr(botocore.client, "_xray_enabled", True, raising=False)
        del botocore.client._xray_enabled
        xray_recorder.configure(context=LambdaContext(), streaming_threshold=0)
        patched.setattr(xray_recorder, "_emitter", emitter)
        patch()
        with xray_recorder.in_subsegment("order"):
            work(client)
    return _flat(emitter.sent)


def _by_us(work: Callable[[Any], None], client: Any, daemon: Daemon) -> Documents:
    segments_aws.record(client)
    with tracing.step("order"):
        work(client)
    return daemon.received()


def _flat(documents: Documents) -> Documents:
    """Inner ones first, each by itself: the SDK sends what is complete within its parent."""
    found: Documents = []
    for document in documents:
        for each in document.get("subsegments", []):
            found += _flat([{**each, "parent_id": document["id"], "type": "subsegment"}])
        found.append(document)
    return found


def _comparable(documents: Documents) -> Documents:
    """Without what differs each time; a parent by its name."""
    names = {document["id"]: document["name"] for document in documents}
    found: Documents = []
    for document in documents:
        assert len(document["id"]) == 16
        assert document["start_time"] <= document["end_time"]
        told = {name: value for name, value in document.items() if name not in _LEFT_OUT}
        told["parent_id"] = names.get(document["parent_id"], document["parent_id"])
        told["trace_id"] = document.get("trace_id", documents[-1]["trace_id"])
        if isinstance(told.get("cause"), dict):
            told["cause"] = [(each["type"], each["remote"]) for each in told["cause"]["exceptions"]]
        elif "cause" in told:
            told["cause"] = "the one below"
        told.get("aws", {}).pop("retries", None)  # the SDK does not count attempts
        if told.get("namespace") == "local":  # the format knows "aws" and "remote"
            del told["namespace"]
        if told.get("http", {}).get("response", {}).get("status", 500) < 500:
            # To the SDK every exception is a fault; the format calls a 4xx an error, and a 5xx that.
            told.pop("fault", None)
        found.append(told)
    return found


def _get(client: Any) -> None:
    client.get_item(TableName="items", Key={"id": {"S": "1"}})


def _refused(client: Any) -> None:
    with pytest.raises(ClientError):
        _get(client)


WORK: dict[str, tuple[list[tuple[int, bytes]], Callable[[Any], None]]] = {
    "answered": ([(200, b"{}")], _get),
    "answered at last": ([(500, _refusal("InternalServerError")), (200, b"{}")], _get),
    "refused": ([(400, _refusal("ConditionalCheckFailedException"))], _refused),
}


@pytest.mark.parametrize("kind", WORK)
def test_a_call_within_a_step_is_told_as_the_sdk_tells_it(
    daemon: Daemon, server: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    answers, work = WORK[kind]
    url = f"http://127.0.0.1:{server.server_port}"
    server.answers = [*answers, *answers]
    theirs = _by_the_sdk(work, client_of(url))
    their_header = server.asked[-1]["X-Amzn-Trace-Id"]
    ours = _by_us(work, client_of(url), daemon)
    our_header = server.asked[-1]["X-Amzn-Trace-Id"]
    assert _comparable(ours) == _comparable(theirs)
    assert our_header.replace(ours[0]["id"], "X") == their_header.replace(theirs[0]["id"], "X")


def test_the_datagram_begins_as_the_sdks_does() -> None:
    begun = (udp_emitter.PROTOCOL_HEADER + udp_emitter.PROTOCOL_DELIMITER).encode()
    assert json.loads(segments._FORMAT) == json.loads(begun)
    assert segments._FORMAT.endswith(b"\n")
