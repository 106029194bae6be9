"""Item changes reach every subscriber, in order; one subscriber's trouble is nobody else's."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import botocore.session
import change_publisher
import get_item
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from common import push
from tests.handlers.conftest import Context, load
from tests.handlers.fakes import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.handlers.connections_endpoint import ConnectionsEndpoint, Post

_ID = "L0SM9cOFvHcCIhw="


@pytest.fixture
def subscribers(aws: Any) -> list[str]:
    """The connections that subscribed, in the table; a test fills it."""
    ids: list[str] = []

    def query(call: dict[str, Any]) -> dict[str, Any]:
        assert call["IndexName"] == "by-topic"
        names = {"#where": "topic", "#column": "connectionId"}
        assert call["ExpressionAttributeNames"] == names
        assert call["ExpressionAttributeValues"] == {":equals": {"S": "items"}}
        after = call.get("ExclusiveStartKey", {}).get("connectionId", {}).get("S", "")
        rest = [name for name in sorted(ids) if name > after]
        rows = [{"connectionId": {"S": name}} for name in rest[:150]]
        more = {"LastEvaluatedKey": rows[-1]} if len(rest) > len(rows) else {}
        return {"Items": rows, **more}

    def delete(call: dict[str, Any]) -> dict[str, Any]:
        assert call["Key"]["topic"] == {"S": "items"}
        ids.remove(call["Key"]["connectionId"]["S"])
        return {}

    aws.on("Query", query)
    aws.on("DeleteItem", delete)
    return ids


@pytest.fixture
def publish(context: Context) -> Callable[..., dict[str, Any]]:
    """Hand the function the three changes of tests/events/dynamodb_stream.json, or others."""

    def hand(event: Any = None, context: Any = context) -> dict[str, Any]:
        return change_publisher.handler(event or load("dynamodb_stream"), context)

    return hand


_DONE = {"batchItemFailures": []}


def test_a_change_is_pushed_as_the_api_answers_the_item(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], call: Any, aws: Any
) -> None:
    subscribers.append(_ID)
    assert publish() == _DONE
    created, updated, deleted = map(json.loads, endpoint.received[_ID])
    assert {message["topic"] for message in (created, updated, deleted)} == {"items"}
    events = [message["event"] for message in (created, updated, deleted)]
    assert events == ["created", "updated", "deleted"]
    assert [m["item"]["version"] for m in (created, updated, deleted)] == [1, 2, 2]
    row = load("dynamodb_stream")["Records"][0]["dynamodb"]["NewImage"]
    aws.on("GetItem", lambda _: {"Item": row})
    assert created["item"] == call(get_item, "api_get_item")["json"]
    assert deleted["item"] == updated["item"]


def test_subscribers_are_found_page_by_page_and_each_gets_everything_in_order(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str]
) -> None:
    subscribers += [f"{number:03d}=" for number in range(200)]
    assert publish() == _DONE
    assert sorted(endpoint.received) == subscribers
    for messages in endpoint.received.values():
        assert [json.loads(message)["event"] for message in messages] == [
            *("created", "updated", "deleted")
        ]
    assert endpoint.links <= push.LINES
    assert endpoint.busiest <= push.LINES


def test_http_connections_are_kept_for_the_next_change(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str]
) -> None:
    subscribers.append(_ID)
    for _ in range(3):
        publish()
    assert endpoint.links == 1


def test_without_subscribers_nothing_is_posted(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str]
) -> None:
    assert publish() == _DONE
    assert endpoint.posts == []


def test_a_connection_that_is_gone_is_forgotten_and_gets_nothing_more(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], lines: Any
) -> None:
    subscribers += ["gone=", _ID]
    endpoint.answers["gone="] = [410]
    assert publish() == _DONE
    assert subscribers == [_ID]
    assert len(endpoint.received[_ID]) == 3
    assert "gone=" not in endpoint.received
    *_, line = lines()
    assert (line["sent"], line["gone"], line["failed"], line["left"]) == (1, 1, 0, 0)


def test_a_row_that_cannot_be_deleted_is_found_gone_again_another_time(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], aws: Any
) -> None:
    subscribers.append(_ID)
    endpoint.answers[_ID] = [410]
    aws.fail("DeleteItem", AwsError("ThrottlingException"))
    assert publish() == _DONE


def test_without_time_the_rows_of_gone_connections_are_left_too(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], aws: Any
) -> None:
    class Ending(Context):
        def get_remaining_time_in_millis(self) -> int:
            return 0 if "DeleteItem" in aws.names() else 30_000

    subscribers += ["a=", "b=", "c="]
    endpoint.answers = {name: [410] for name in subscribers}
    assert publish(context=Ending()) == _DONE
    assert len(subscribers) == 2


@pytest.mark.parametrize("trouble", [429, 500, 503, None])
def test_a_throttled_or_broken_post_is_tried_again(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], trouble: int | None
) -> None:
    subscribers.append(_ID)
    endpoint.answers[_ID] = [trouble, trouble]
    assert publish() == _DONE
    assert len(endpoint.received[_ID]) == 3
    assert len(endpoint.posts) == 5


@pytest.mark.parametrize("trouble", [429, None])
def test_after_three_attempts_a_connection_is_given_up_and_the_others_are_served(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], lines: Any, trouble: Any
) -> None:
    subscribers += ["bad=", _ID]
    endpoint.answers["bad="] = [trouble] * 9
    assert publish() == _DONE
    assert "bad=" not in endpoint.received
    tried = sum("bad" in post.path for post in endpoint.posts)
    # A thread that has served the other one breaks off an HTTP connection in use, which counts not.
    assert tried == 3 or (trouble is None and tried == 4)
    assert len(endpoint.received[_ID]) == 3
    *_, error, summary = lines()
    assert (error["message"], error["connectionId"]) == ("message not pushed", "bad=")
    assert (summary["sent"], summary["failed"]) == (1, 1)


def test_an_answer_that_does_not_come_in_time_is_asked_for_on_another_http_connection(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], monkeypatch: Any
) -> None:
    monkeypatch.setattr(push, "_SECONDS", 0.2)
    subscribers.append(_ID)
    publish()
    endpoint.before = lambda _: time.sleep(0.4 if len(endpoint.posts) == 4 else 0)
    assert publish() == _DONE
    assert len(endpoint.posts) == 3 + 4
    assert endpoint.links == 2


@pytest.mark.parametrize("status", [400, 403, 413])
def test_a_refused_post_is_logged_and_not_repeated(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], lines: Any, status: int
) -> None:
    subscribers.append(_ID)
    endpoint.answers[_ID] = [status]
    assert publish() == _DONE
    assert len(endpoint.posts) == 1
    *_, error, _ = lines()
    assert (error["level"], error["status"]) == ("ERROR", status)


def test_an_idle_http_connection_that_was_closed_is_opened_anew_at_no_cost(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], monkeypatch: Any
) -> None:
    subscribers.append(_ID)
    publish()
    endpoint.answers[_ID] = [None]
    monkeypatch.setattr(push, "ATTEMPTS", 1)
    assert publish() == _DONE
    assert len(endpoint.received[_ID]) == 6


def test_an_http_connection_that_was_idle_for_long_is_not_tried(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str]
) -> None:
    subscribers.append(_ID)
    publish()
    push._idle[0]._used -= 30
    publish()
    assert endpoint.links == 2
    push._idle[0]._used += 3600  # the clock was set back
    publish()
    assert endpoint.links == 3


@pytest.mark.parametrize("error", ["ThrottlingException", "AccessDeniedException"])
def test_without_knowing_the_subscribers_the_whole_batch_comes_again(
    publish: Any, endpoint: ConnectionsEndpoint, aws: Any, error: str
) -> None:
    aws.fail("Query", AwsError(error))
    first = load("dynamodb_stream")["Records"][0]["dynamodb"]["SequenceNumber"]
    assert publish() == {"batchItemFailures": [{"itemIdentifier": first}]}


def test_a_row_that_is_no_item_is_passed_over(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], lines: Any
) -> None:
    subscribers.append(_ID)
    event = load("dynamodb_stream")
    del event["Records"][1]["dynamodb"]["NewImage"]["price"]
    assert publish(event) == _DONE
    assert [json.loads(m)["event"] for m in endpoint.received[_ID]] == ["created", "deleted"]
    told = [line["message"] for line in lines()]
    assert told.count("change not understood") == 1


def test_changes_that_are_no_items_at_all_ask_for_no_subscribers(publish: Any, aws: Any) -> None:
    source = {"eventSource": "aws:dynamodb"}
    odd = [{"eventName": "INSERT", "dynamodb": {"Keys": {}}}, {"dynamodb": {}}]
    event = {"Records": [source | record for record in odd]}
    assert publish(event) == _DONE
    assert aws.calls == []


def test_without_time_the_rest_of_the_subscribers_is_left(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], lines: Any
) -> None:
    subscribers += [f"{number}=" for number in range(5)]
    assert publish(context=Context(then=0.5)) == _DONE
    assert endpoint.posts == []
    assert lines()[-1]["left"] == 5


def test_without_time_a_throttled_post_is_not_tried_again(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str]
) -> None:
    class Ending(Context):
        def get_remaining_time_in_millis(self) -> int:
            return 0 if endpoint.posts else 30_000

    subscribers.append(_ID)
    endpoint.answers[_ID] = [429]
    assert publish(context=Ending()) == _DONE
    assert len(endpoint.posts) == 1


def test_slow_subscribers_do_not_wait_for_each_other(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str]
) -> None:
    subscribers += [f"{number:02d}=" for number in range(push.LINES)]
    endpoint.before = lambda _: time.sleep(0.1)
    started = time.perf_counter()
    publish()
    assert time.perf_counter() - started < 0.1 * 3 * push.LINES / 2
    assert endpoint.busiest > push.LINES // 2


def test_posts_are_addressed_and_signed_as_boto3_does_it(
    endpoint: ConnectionsEndpoint, subscribers: list[str], publish: Any
) -> None:
    odd = "a+b/c=.~_-é"
    subscribers.append(odd)
    publish()
    ours = endpoint.posts[-1]
    client = botocore.session.get_session().create_client(
        "apigatewaymanagementapi", region_name="us-west-2", endpoint_url=endpoint.url
    )
    client.post_to_connection(ConnectionId=odd, Data=ours.body)
    theirs = endpoint.posts[-1]
    assert theirs is not ours
    assert theirs.path == ours.path
    token = "X-Amz-Security-Token"
    assert ours.headers[token] == theirs.headers[token] == "canary-AWS_SESSION_TOKEN"
    assert "/us-west-2/execute-api/aws4_request" in ours.headers["Authorization"]
    for post in (ours, theirs):
        assert f"Signature={_signature(client, endpoint, post)}" in post.headers["Authorization"]


def _signature(client: Any, endpoint: ConnectionsEndpoint, post: Post) -> str:
    """The signature over what arrived, as who receives it computes it."""
    request = AWSRequest("POST", endpoint.url.removesuffix("/dev") + post.path, data=post.body)
    signed = post.headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    headers = {name.lower(): value for name, value in post.headers.items()}
    for name in signed.split(";"):
        request.headers[name] = headers[name]
    request.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(client._request_signer._credentials, "execute-api", "us-west-2")
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


def test_certificates_are_read_once_and_while_lambda_initialises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    push._certificates.cache_clear()
    for endpoint, function, read in (
        ("https://x.example/dev", "", 0),
        ("http://127.0.0.1:1/dev", "f", 0),
        ("https://x.example/dev", "f", 1),
    ):
        monkeypatch.setenv("SOCKET_ENDPOINT", endpoint)
        if function:
            monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", function)
        push.prepare()
        assert push._certificates.cache_info().currsize == read
    opened: Any = [push._Line("https://x.example/dev")._opened() for _ in range(2)]
    assert opened[0]._context is opened[1]._context is push._certificates()


def test_neither_item_nor_credentials_reach_the_log(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], capsys: Any
) -> None:
    subscribers += ["bad=", _ID]
    endpoint.answers["bad="] = [403]
    publish()
    logged = capsys.readouterr().out
    assert "canary" not in logged
    assert "Binoculars" not in logged


def test_two_hundred_subscribers_are_served_well_below_a_second(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str]
) -> None:
    subscribers += [f"{number:03d}=" for number in range(200)]
    event = load("dynamodb_stream")
    event["Records"] = event["Records"][:1]
    publish(event)  # HTTP connections are open afterwards
    started = time.thread_time(), time.perf_counter()
    publish(event)
    assert time.perf_counter() - started[1] < 1
    assert len(endpoint.received) == 200


_PLAIN = st.text(st.characters(codec="utf-8"), max_size=20)


@given(_PLAIN, st.lists(_PLAIN, max_size=3), st.decimals(0, 10**9, places=2))
def test_any_item_survives_the_way_to_a_subscriber(name: str, tags: list[str], price: Any) -> None:
    record = load("dynamodb_stream")["Records"][0]
    image = record["dynamodb"]["NewImage"]
    image |= {"name": {"S": name}, "price": {"N": str(price)}}
    image["tags"] = {"L": [{"S": tag} for tag in tags]}
    message = change_publisher._message(record)
    assert message is not None
    item = json.loads(message)["item"]
    assert (item["name"], item["tags"], item["price"]) == (name, tags, f"{price:.2f}")


def test_where_nobody_listens_there_is_nothing_to_count(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], measured: Any
) -> None:
    subscribers.append("gone=")
    endpoint.answers["gone="] = [410]
    for _ in range(2):
        publish()
    assert measured() == {}


def test_each_change_is_logged_with_what_made_it_and_all_pushes_are_counted(
    publish: Any, endpoint: ConnectionsEndpoint, subscribers: list[str], lines: Any, measured: Any
) -> None:
    subscribers += [_ID, "second="]
    event = load("dynamodb_stream")
    written = (("NewImage", "first"), ("NewImage", "second"), ("OldImage", "second"))
    for record, (image, name) in zip(event["Records"], written, strict=True):
        record["dynamodb"][image]["correlationId"] = {"S": name}
    assert publish(event) == _DONE
    logged = [(line["correlation_id"], line["message"]) for line in lines()]
    told = "change to be pushed"
    assert logged[:3] == [("first", told), ("second", told), ("second", told)]
    assert logged[3] == (Context.aws_request_id, "changes pushed")
    assert measured() == {"PushesSent": 6}
    assert b"correlationId" not in b"".join(endpoint.received[_ID])
