"""A program in the provider's own words brings up every kind of front, strictly, and changes it in place."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from sandbox import program
from sandbox.apply import Engine
from sandbox.stack import Stack
from sandbox.state import State
from tests.sandbox.functions_support import execution_role
from tests.sandbox.rest_api_support import call
from tests.sandbox.services_support import clients
from tests.sandbox.socket_support import Socket

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

code = pulumi.AssetArchive({"main.py": pulumi.StringAsset(
    "def handler(event, context):\\n    return {'statusCode': 200, 'body': 'MARK'}\\n"
)})
function = aws.lambda_.Function(
    "fronted", code=code, role="ROLE", runtime="python3.13", handler="main.handler", publish=True,
)
alias = aws.lambda_.Alias(
    "live", name="live", function_name=function.name, function_version=function.version,
)
pool = aws.cognito.UserPool(
    "people",
    password_policy=aws.cognito.UserPoolPasswordPolicyArgs(
        minimum_length=12, require_lowercase=True, temporary_password_validity_days=1,
    ),
    account_recovery_setting=aws.cognito.UserPoolAccountRecoverySettingArgs(
        recovery_mechanisms=[aws.cognito.UserPoolAccountRecoverySettingRecoveryMechanismArgs(
            name="verified_email", priority=1,
        )],
    ),
    admin_create_user_config=aws.cognito.UserPoolAdminCreateUserConfigArgs(
        allow_admin_create_user_only=True,
    ),
    user_pool_add_ons=aws.cognito.UserPoolUserPoolAddOnsArgs(advanced_security_mode="OFF"),
    mfa_configuration="OPTIONAL",
    software_token_mfa_configuration=aws.cognito.UserPoolSoftwareTokenMfaConfigurationArgs(enabled=True),
    username_configuration=aws.cognito.UserPoolUsernameConfigurationArgs(case_sensitive=False),
    deletion_protection="INACTIVE",
    tags={"a": "1"},
)
client = aws.cognito.UserPoolClient(
    "web",
    user_pool_id=pool.id,
    explicit_auth_flows=["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH"],
    prevent_user_existence_errors="ENABLED",
    enable_token_revocation=True,
    generate_secret=True,
    access_token_validity=60,
    token_validity_units=aws.cognito.UserPoolClientTokenValidityUnitsArgs(access_token="minutes"),
)
http = aws.apigatewayv2.Api(
    "http",
    protocol_type="HTTP",
    cors_configuration=aws.apigatewayv2.ApiCorsConfigurationArgs(
        allow_origins=["https://app.example"], allow_methods=["GET"], max_age=300,
    ),
)
own = aws.apigatewayv2.Integration(
    "http",
    api_id=http.id,
    integration_type="AWS_PROXY",
    integration_uri=alias.invoke_arn,
    integration_method="POST",
    payload_format_version="2.0",
    timeout_milliseconds=10000,
)
gate = aws.apigatewayv2.Authorizer(
    "http",
    api_id=http.id,
    authorizer_type="JWT",
    identity_sources=["$request.header.Authorization"],
    jwt_configuration=aws.apigatewayv2.AuthorizerJwtConfigurationArgs(
        audiences=[client.id], issuer=pool.endpoint.apply(lambda text: f"https://{text}"),
    ),
)
target = own.id.apply(lambda text: f"integrations/{text}")
open_route = aws.apigatewayv2.Route("open", api_id=http.id, route_key="GET /open", target=target)
aws.apigatewayv2.Route(
    "closed", api_id=http.id, route_key="GET /closed", target=target,
    authorization_type="JWT", authorizer_id=gate.id,
)
stage = aws.apigatewayv2.Stage(
    "http",
    api_id=http.id,
    name="$default",
    auto_deploy=True,
    default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
        throttling_burst_limit=50, throttling_rate_limit=25.5, detailed_metrics_enabled=True,
    ),
    route_settings=[aws.apigatewayv2.StageRouteSettingArgs(
        route_key=open_route.route_key, throttling_burst_limit=5, throttling_rate_limit=5,
    )],
    access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
        destination_arn="arn:aws:logs:us-west-2:000000000000:log-group:a",
        format=json.dumps({"id": "$context.requestId"}),
    ),
)
socket = aws.apigatewayv2.Api(
    "socket", protocol_type="WEBSOCKET", route_selection_expression="$request.body.action",
)
answers = aws.apigatewayv2.Integration(
    "socket", api_id=socket.id, integration_type="AWS_PROXY", integration_uri=alias.invoke_arn,
    integration_method="POST",
)
route = aws.apigatewayv2.Route(
    "ask",
    api_id=socket.id,
    route_key="ask",
    target=answers.id.apply(lambda text: f"integrations/{text}"),
    route_response_selection_expression="$default",
)
aws.apigatewayv2.RouteResponse(
    "ask", api_id=socket.id, route_id=route.id, route_response_key="$default",
)
deployment = aws.apigatewayv2.Deployment(
    "socket", api_id=socket.id, triggers={"sha": "MARK"}, opts=pulumi.ResourceOptions(depends_on=[route]),
)
place = aws.apigatewayv2.Stage("socket", api_id=socket.id, name="dev", deployment_id=deployment.id)
key = aws.apigateway.ApiKey("partner", description="MARK")
plan = aws.apigateway.UsagePlan(
    "partner",
    quota_settings=aws.apigateway.UsagePlanQuotaSettingsArgs(limit=1000, period="DAY"),
    throttle_settings=aws.apigateway.UsagePlanThrottleSettingsArgs(burst_limit=5, rate_limit=2.5),
)
aws.apigateway.UsagePlanKey("partner", key_id=key.id, key_type="API_KEY", usage_plan_id=plan.id)
balancer = aws.lb.LoadBalancer("front", internal=True, subnets=["subnet-1", "subnet-2"])
group = aws.lb.TargetGroup("front", target_type="lambda")
aws.lb.TargetGroupAttachment("front", target_group_arn=group.arn, target_id=alias.arn)
listener = aws.lb.Listener(
    "front",
    load_balancer_arn=balancer.arn,
    port=80,
    default_actions=[aws.lb.ListenerDefaultActionArgs(
        type="fixed-response",
        fixed_response=aws.lb.ListenerDefaultActionFixedResponseArgs(
            content_type="text/plain", message_body="none", status_code="404",
        ),
    )],
)
aws.lb.ListenerRule(
    "front",
    listener_arn=listener.arn,
    priority=10,
    conditions=[aws.lb.ListenerRuleConditionArgs(
        path_pattern=aws.lb.ListenerRuleConditionPathPatternArgs(values=["/own*"]),
    )],
    actions=[aws.lb.ListenerRuleActionArgs(type="forward", target_group_arn=group.arn)],
)
wall = aws.wafv2.WebAcl(
    "wall",
    scope="REGIONAL",
    default_action=aws.wafv2.WebAclDefaultActionArgs(allow=aws.wafv2.WebAclDefaultActionAllowArgs()),
    visibility_config=aws.wafv2.WebAclVisibilityConfigArgs(
        cloudwatch_metrics_enabled=True, metric_name="wall", sampled_requests_enabled=True,
    ),
)
pulumi.export("http", stage.invoke_url)
pulumi.export("socket", place.invoke_url)
pulumi.export("balancer", balancer.dns_name.apply(lambda name: f"http://{name}"))
pulumi.export("wall", wall.arn)
pulumi.export("pool", pool.id)
"""


class Runner:
    """Runs the program on the one emulator, with what an earlier run has left."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = State("lab")

    def run(self, mark: str) -> dict[str, Any]:
        text = PROGRAM.replace("MARK", mark).replace("ROLE", execution_role()["arn"])
        (self.root / "__main__.py").write_text(textwrap.dedent(text))
        engine = Engine(clients(), self.state, strict=True)
        stack = Stack("lab", "dev", {"aws:region": clients().region})
        made = program.run(self.root, stack, engine, lambda _line: None)
        assert not made.faults
        assert not engine.failures
        assert engine.restart is None
        engine.finish()
        return dict(made.exports)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_every_front_answers_and_changes_in_place(runner: Runner) -> None:
    first = runner.run("one")
    assert call(f"{first['http']}open").text == "one"
    assert call(f"{first['http']}closed").status == 401
    assert call(f"{first['balancer']}/own").text == "one"
    assert call(f"{first['balancer']}/other").status == 404
    second = runner.run("two")
    assert second == first
    assert call(f"{first['http']}open").text == "two"
    with Socket(first["socket"]) as socket:
        socket.send({"action": "ask"})
        assert socket.receive() == "two"
