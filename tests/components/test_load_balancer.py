"""LoadBalancer: functions behind HTTPS inside a network of one's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.buckets import Bucket
from components.load_balancer import LoadBalancer, Target
from settings import LoadBalancerSettings
from tests.support.program import ACCOUNT, Run
from tests.support.tiny import LOOSE, Parts, tiny

BALANCER, LISTENER = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener"
RULE, GROUP = "aws:lb/listenerRule:ListenerRule", "aws:lb/targetGroup:TargetGroup"
ATTACHMENT = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
PERMISSION = "aws:lambda/permission:Permission"
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
NETWORK: dict[str, Any] = {
    "enabled": True,
    "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "security_group_ids": ["sg-0123456789abcdef0"],
    "certificate_arn": CERTIFICATE,
}


def balanced(**settings: Any) -> Run:
    def program(parts: Parts) -> None:
        health = parts.function("health")
        targets = [
            Target("/health", health),
            Target("/items/*", parts.function("notification-sender")),
            Target("/", health),
        ]
        LoadBalancer(
            "balancer",
            settings=LoadBalancerSettings(**settings),
            targets=targets,
            place=parts.place,
        )

    return tiny(program)


@pytest.fixture(scope="module")
def run() -> Run:
    return balanced(**NETWORK)


def made(run: Run) -> set[str]:
    return {r.name for r in run.resources if r.name.startswith("balancer")}


def test_load_balancer_that_is_off_makes_nothing() -> None:
    assert made(balanced()) == {"balancer"}


def test_balancer_stands_in_the_network_that_settings_name(run: Run) -> None:
    balancer = run.one(BALANCER, "balancer-alb")
    assert balancer.properties == {
        "loadBalancerType": "application",
        "internal": True,
        "subnets": NETWORK["subnet_ids"],
        "securityGroups": NETWORK["security_group_ids"],
        "idleTimeout": 60,
        "enableDeletionProtection": False,
        "dropInvalidHeaderFields": True,
    }
    assert not balancer.protect


def test_balancer_says_of_itself_what_settings_say() -> None:
    run = balanced(
        **NETWORK,
        internal=False,
        idle_timeout_seconds=30,
        deletion_protection=True,
        ssl_policy="ELBSecurityPolicy-TLS13-1-3-2021-06",
    )
    balancer = run.one(BALANCER, "balancer-alb")
    said = [balancer.get(key) for key in ("internal", "idleTimeout", "enableDeletionProtection")]
    assert said == [False, 30, True]
    assert balancer.protect
    policy = run.one(LISTENER, "balancer-https").get("sslPolicy")
    assert policy == "ELBSecurityPolicy-TLS13-1-3-2021-06"


def logged(*, ready: bool = True, enabled: bool = True) -> Run:
    def program(parts: Parts) -> None:
        LoadBalancer(
            "balancer",
            settings=LoadBalancerSettings(**{**NETWORK, "enabled": enabled}),
            targets=[],
            place=parts.place,
            logs=Bucket(
                "records", settings=LOOSE, place=parts.place, encryption=None, balancer_logs=ready
            ),
        )

    return tiny(program)


def statements(run: Run) -> list[dict[str, Any]]:
    policy = run.one("aws:s3/bucketPolicy:BucketPolicy", "records-policy").get("policy")
    found: list[dict[str, Any]] = json.loads(str(policy))["Statement"]
    return found


def test_balancer_writes_its_access_logs_where_only_balancers_of_this_account_may() -> None:
    run = logged()
    bucket = run.one("aws:s3/bucket:Bucket", "records-bucket").outputs
    balancer = run.one(BALANCER, "balancer-alb")
    assert balancer.get("accessLogs") == {
        "bucket": bucket["bucket"],
        "prefix": "load-balancers",
        "enabled": True,
    }
    assert statements(run)[-1] == {
        "Sid": "LoadBalancerLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": [f"{bucket['arn']}/load-balancers/AWSLogs/{ACCOUNT}/*"],
    }
    policy = run.one("aws:s3/bucketPolicy:BucketPolicy", "records-policy")
    assert policy.urn in balancer.depends_on, "it tries whether it may write when it is told to"


def test_bucket_that_no_balancer_asks_for_admits_none() -> None:
    assert [s["Sid"] for s in statements(logged(ready=False, enabled=False))] == [
        "TlsOnly",
        "AccessLogs",
    ]


def test_balancer_is_not_sent_to_a_bucket_that_would_refuse_it() -> None:
    with pytest.raises(ValueError, match="the bucket records takes no logs of load balancers"):
        logged(ready=False)


def test_bucket_with_a_key_of_ours_cannot_take_logs_of_balancers() -> None:
    def program(parts: Parts) -> None:
        Bucket(
            "records",
            settings=LOOSE,
            place=parts.place,
            encryption=parts.key,
            balancer_logs=True,
        )

    with pytest.raises(ValueError, match="with S3's own keys only"):
        tiny(program)


def test_https_answers_404_where_no_function_does(run: Run) -> None:
    listener = run.one(LISTENER, "balancer-https")
    assert (listener.get("port"), listener.get("protocol")) == (443, "HTTPS")
    assert listener.get("certificateArn") == CERTIFICATE
    assert listener.get("sslPolicy") == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    (action,) = listener.properties["defaultActions"]
    assert action["type"] == "fixed-response"
    assert action["fixedResponse"]["statusCode"] == "404"
    assert listener.get("routingHttpResponseServerEnabled") is False
    assert listener.get("routingHttpResponseStrictTransportSecurityHeaderValue") == (
        "max-age=31536000"
    )


def test_plain_http_only_says_where_https_is(run: Run) -> None:
    listener = run.one(LISTENER, "balancer-http")
    (action,) = listener.properties["defaultActions"]
    assert (listener.get("port"), action["type"]) == (80, "redirect")
    assert action["redirect"] == {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}
    assert run.one(LISTENER, "balancer-https").urn in listener.depends_on
    https = run.one(LISTENER, "balancer-https").outputs["arn"]
    assert all(rule.get("listenerArn") == https for rule in run.all(RULE))


def test_the_first_target_whose_path_fits_answers(run: Run) -> None:
    rules = sorted(run.all(RULE), key=lambda rule: int(str(rule.get("priority"))))
    assert [rule.get("priority") for rule in rules] == [1, 2, 3]
    assert [rule.name for rule in rules] == [
        f"balancer-{path}-rule" for path in ("health", "items-any", "root")
    ]
    paths = [rule.properties["conditions"][0]["pathPattern"]["values"] for rule in rules]
    assert paths == [["/health"], ["/items/*"], ["/"]]
    groups = {r.outputs["arn"]: r.name for r in run.all(GROUP)}
    forwarded = [groups[rule.properties["actions"][0]["targetGroupArn"]] for rule in rules]
    assert forwarded == [
        "balancer-health-targets",
        "balancer-notification-sender-targets",
        "balancer-health-targets",
    ]


def test_each_function_has_one_group_whose_name_has_room_for_what_makes_it_unique(run: Run) -> None:
    prefixes = {group.name: group.get("namePrefix") for group in run.all(GROUP)}
    assert prefixes == {
        "balancer-health-targets": "healt-",
        "balancer-notification-sender-targets": "notif-",
    }
    assert {group.get("targetType") for group in run.all(GROUP)} == {"lambda"}


def test_group_may_call_the_alias_before_it_is_told_of_it(run: Run) -> None:
    for function in ("health", "notification-sender"):
        group = run.one(GROUP, f"balancer-{function}-targets").outputs["arn"]
        permission = run.one(PERMISSION, f"balancer-{function}-permission")
        assert permission.get("principal") == "elasticloadbalancing.amazonaws.com"
        assert permission.get("sourceArn") == group
        assert permission.get("sourceAccount") == ACCOUNT
        assert permission.get("qualifier") == "live"
        attachment = run.one(ATTACHMENT, f"balancer-{function}-attachment")
        assert attachment.get("targetGroupArn") == group
        assert str(attachment.get("targetId")).endswith(f"{function}:live")
        assert permission.urn in attachment.depends_on
        rules = [r for r in run.all(RULE) if attachment.urn in r.depends_on]
        assert rules, "a rule leads to a group that has its target"
