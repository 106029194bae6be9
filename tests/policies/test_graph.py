"""The graph of what starts what: a loop is told once, and only what a trigger listens to goes around it."""

from __future__ import annotations

from policies import Finding, Stack, aws, graph
from tests.support.breaking import Mutation, allowed, edited
from tests.support.breaks.wired import HERE, cut

INCOMING = "arn:aws:s3:::uploads-bucket-0123456/incoming/*"
CREATED, REMOVED = "s3:ObjectCreated:*", "s3:ObjectRemoved:*"


def told(*mutations: Mutation) -> list[str]:
    found: list[Finding] = list(graph.nothing_starts_itself(Stack(cut(*mutations)([]))))
    return [str(finding) for finding in found]


def listening(*events: str) -> Mutation:
    """The forwarder, which may do nothing with objects so far, is started by two kinds of them."""
    arn = f"arn:aws:lambda:{HERE}:function:sandpiper-tiny-order-forwarder:live"
    filters = [
        {
            "id": suffix,
            "lambdaFunctionArn": arn,
            "events": list(events),
            "filterPrefix": "incoming/",
            "filterSuffix": suffix,
        }
        for suffix in (".jpg", ".png")
    ]
    return edited(aws.BUCKET_NOTIFICATION, "uploads-notification", {"lambdaFunctions": filters})


def forwarder(action: str) -> Mutation:
    return allowed("order-forwarder-policy", action, on=INCOMING)


AROUND = "order-forwarder-function -> uploads-notification (incoming/) -> order-forwarder-function"
LOOP = [f"order-forwarder-function: starts itself: {AROUND} (nothing-starts-itself)"]


def test_loop_through_a_bucket_is_one_line_that_names_function_and_trigger() -> None:
    assert told(listening(CREATED), forwarder("s3:PutObject")) == LOOP


def test_deleting_starts_only_what_listens_to_removals() -> None:
    assert told(listening(CREATED), forwarder("s3:DeleteObject")) == []
    assert told(listening(CREATED, REMOVED), forwarder("s3:DeleteObject")) == LOOP


def test_writing_starts_only_what_listens_to_creations() -> None:
    assert told(listening(REMOVED), forwarder("s3:PutObject")) == []
    assert told(listening("s3:ObjectCreated:Put"), forwarder("s3:PutObject")) == LOOP


def test_deleting_starts_a_rule_only_that_asks_for_it() -> None:
    def router(action: str) -> Mutation:
        return allowed("content-router-policy", action, on=INCOMING)

    assert told(router("s3:DeleteObject")) == []
    assert len(told(router("s3:PutObject"))) == 1
    every = '{"source": ["aws.s3"], "detail": {"bucket": {"name": ["uploads-bucket-0123456"]}}}'
    heard = edited(aws.EVENT_RULE, "content-router-rule", {"eventPattern": every})
    assert len(told(router("s3:DeleteObject"), heard)) == 1
