"""Load balancers call functions; WAF and AppSync answer as the provider would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from sandbox.resources import REGISTRY
from tests.sandbox.rest_api_support import call
from tests.sandbox.services_support import Made, clients, make

FUNCTION = """
import json
def handler(event, context):
    if event["path"] == "/fails":
        raise ValueError("secret")
    return {
        "statusCode": 200,
        "statusDescription": "200 OK",
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(event),
    }
"""


class Balancer(NamedTuple):
    balancer: Made
    listener: Made
    group: Made
    attachment: Made

    @property
    def url(self) -> str:
        return f"http://{self.balancer['dnsName']}"


@pytest.fixture
def balancer(function: Callable[..., Made]) -> Iterator[Balancer]:
    target = function("behind", FUNCTION)
    made = make(
        "lb/loadBalancer:LoadBalancer",
        "front",
        subnets=["subnet-1", "subnet-2"],
        securityGroups=["sg-1"],
        dropInvalidHeaderFields=True,
        idleTimeout=30,
        tags={"a": "1"},
    )
    group = make("lb/targetGroup:TargetGroup", "own", targetType="lambda")
    attachment = make(
        "lb/targetGroupAttachment:TargetGroupAttachment",
        "own",
        targetGroupArn=group["arn"],
        targetId=target["arn"],
    )
    listener = make(
        "lb/listener:Listener",
        "http",
        loadBalancerArn=made["arn"],
        port=80,
        protocol="HTTP",
        defaultActions=[
            {
                "type": "fixed-response",
                "fixedResponse": {
                    "contentType": "text/plain",
                    "messageBody": "nothing",
                    "statusCode": "404",
                },
            }
        ],
    )
    yield Balancer(made, listener, group, attachment)
    for each in (listener, attachment, group, made):
        each.delete()


def _rule(balancer: Balancer, name: str, **inputs: Any) -> Made:
    forward = [{"type": "forward", "targetGroupArn": balancer.group["arn"]}]
    given = {"listenerArn": balancer.listener["arn"], "actions": forward, **inputs}
    return make("lb/listenerRule:ListenerRule", name, **given)


def test_rule_leads_to_the_function(balancer: Balancer) -> None:
    rule = _rule(
        balancer, "items", conditions=[{"pathPattern": {"values": ["/items*"]}}], priority=5
    )
    answer = call(f"{balancer.url}/items?page=2", "POST", {"a": 1})
    event = answer.json
    assert answer.status == 200
    assert (event["httpMethod"], event["path"]) == ("POST", "/items")
    assert event["requestContext"] == {"elb": {"targetGroupArn": balancer.group["arn"]}}
    assert event["queryStringParameters"] == {"page": "2"}
    assert (call(balancer.url + "/other").status, call(balancer.url + "/other").text) == (
        404,
        "nothing",
    )
    rule.delete()
    assert call(f"{balancer.url}/items").status == 404


def test_rules_ask_for_method_header_and_query(balancer: Balancer) -> None:
    rules = [
        _rule(balancer, "method", conditions=[{"httpRequestMethod": {"values": ["DELETE"]}}]),
        _rule(
            balancer,
            "header",
            conditions=[{"httpHeader": {"httpHeaderName": "X-Own", "values": ["yes*"]}}],
        ),
        _rule(balancer, "query", conditions=[{"queryStrings": [{"key": "own", "value": "1"}]}]),
    ]
    assert [each["priority"] for each in rules] == [1, 2, 3]
    assert call(f"{balancer.url}/x").status == 404
    assert call(f"{balancer.url}/x", "DELETE").status == 200
    assert call(f"{balancer.url}/x", X_Own="yes!").status == 200
    assert call(f"{balancer.url}/x?own=1").status == 200


def test_rule_and_listener_change_in_place(balancer: Balancer) -> None:
    rule = _rule(balancer, "moving", conditions=[{"pathPattern": {"values": ["/a"]}}], priority=1)
    before = rule.id
    rule.update(conditions=[{"pathPattern": {"values": ["/b"]}}], priority=9)
    assert rule.id == before
    assert (call(f"{balancer.url}/a").status, call(f"{balancer.url}/b").status) == (404, 200)
    balancer.listener.update(
        defaultActions=[
            {"type": "redirect", "redirect": {"statusCode": "HTTP_302", "path": "/b", "port": "80"}}
        ],
        routingHttpResponseServerEnabled=False,
    )
    found = clients().client("elbv2").describe_listeners(ListenerArns=[balancer.listener["arn"]])
    assert found["Listeners"][0]["DefaultActions"][0]["RedirectConfig"]["Path"] == "/b"


def test_failed_function_is_a_bad_gateway(balancer: Balancer) -> None:
    _rule(balancer, "all", conditions=[{"pathPattern": {"values": ["/*"]}}])
    answer = call(f"{balancer.url}/fails")
    assert answer.status == 502
    assert "secret" not in answer.text


def test_balancer_and_group_keep_their_place(balancer: Balancer) -> None:
    lb, group = balancer.balancer, balancer.group
    elb = clients().client("elbv2")
    before = lb["arn"], group["arn"]
    lb.update(idleTimeout=90, tags={"b": "2"})
    group.update(
        lambdaMultiValueHeadersEnabled=True, healthCheck={"enabled": True, "path": "/health"}
    )
    assert (lb["arn"], group["arn"]) == before
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=lb["arn"])["Attributes"]
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "90"} in attributes
    assert elb.describe_tags(ResourceArns=[lb["arn"]])["TagDescriptions"][0]["Tags"] == [
        {"Key": "b", "Value": "2"}
    ]
    assert group.notes == ["its targets are not probed"]
    assert lb["arnSuffix"].startswith("app/")
    assert group["arnSuffix"].startswith("targetgroup/")
    _rule(balancer, "all", conditions=[{"pathPattern": {"values": ["/*"]}}])
    assert call(f"{balancer.url}/m?a=1&a=2").json["multiValueQueryStringParameters"] == {
        "a": ["1", "2"]
    }
    assert lb["dnsName"] == f"{clients().endpoint.removeprefix('http://')}/_alb/{lb['name']}"


def test_notes_name_what_does_not_run(balancer: Balancer) -> None:
    secure = make(
        "lb/listener:Listener",
        "https",
        loadBalancerArn=balancer.balancer["arn"],
        port=443,
        protocol="HTTPS",
        certificateArn="arn:aws:acm:us-west-2:000000000000:certificate/a",
        sslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        defaultActions=[
            {
                "type": "forward",
                "forward": {
                    "targetGroups": [{"arn": balancer.group["arn"], "weight": 1}, {"arn": "b"}]
                },
            }
        ],
    )
    assert secure["protocol"] == "HTTP"
    assert secure.notes == [
        "it speaks plain HTTP here",
        "only its first target group gets requests",
    ]
    balancer.balancer.update(accessLogs={"bucket": "logs", "enabled": True})
    assert balancer.balancer.notes == ["access logs are not written"]
    assert secure.update(sslPolicy="ELBSecurityPolicy-TLS13-1-3-2021-06")["protocol"] == "HTTP"
    secure.delete()


@pytest.mark.parametrize("scope", ["REGIONAL", "CLOUDFRONT"])
def test_firewall_has_plausible_outputs(scope: str) -> None:
    rule = {"name": "r", "priority": 1}
    acl = make("wafv2/webAcl:WebAcl", "wall", scope=scope, rules=[rule], tags={"a": "1"})
    place = {
        "REGIONAL": "us-west-2:000000000000:regional",
        "CLOUDFRONT": "us-east-1:000000000000:global",
    }
    assert acl["arn"] == f"arn:aws:wafv2:{place[scope]}/webacl/{acl['name']}/{acl.id}"
    assert acl["capacity"] == 1
    before = acl.id
    acl.update(tags={"b": "2"})
    assert acl.id == before
    association = make(
        "wafv2/webAclAssociation:WebAclAssociation", "w", webAclArn=acl["arn"], resourceArn="arn:x"
    )
    assert association.id == f"{acl['arn']},arn:x"
    logging = make(
        "wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
        "w",
        resourceArn=acl["arn"],
        logDestinationConfigs=["arn:aws:logs:us-west-2:000000000000:log-group:aws-waf-logs-x"],
    )
    assert logging.id == acl["arn"]


def test_what_does_nothing_says_so() -> None:
    reasons = {each.not_simulated for token, each in REGISTRY.items() if "aws:wafv2/" in token}
    assert len(reasons) == 1
    assert None not in reasons
