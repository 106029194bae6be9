"""LoadBalancer: functions behind an application load balancer, inside a network of one's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.buckets import BALANCER_LOGS, Bucket
from components.function import ServerlessFunction
from components.place import Place
from settings import LoadBalancerSettings

STRICT_TRANSPORT = "max-age=31536000"
"""A year in which browsers ask this name by HTTPS only."""

NAME_PREFIX = 6
"""Characters that a target group's name may begin with before the provider makes it unique (pulumi_aws, TargetGroup)."""


@dataclass(frozen=True)
class Target:
    """A path and the function that answers there; `*` and `?` in the path stand for any text and any character."""

    path: str
    function: ServerlessFunction

    @property
    def slug(self) -> str:
        """The path as part of a resource's name: `items-any` for `/items/*`."""
        words = re.findall(r"[A-Za-z0-9]+", self.path.replace("*", "-any").replace("?", "-one"))
        return "-".join(words) or "root"


class LoadBalancer(pulumi.ComponentResource):
    """Routes by path to functions, over HTTPS; plain HTTP is sent there, and what nobody answers is 404.

    The first target whose path fits answers. Requests and answers may be 1 MB long (AWS Lambda developer guide,
    Application Load Balancer). `url` is the balancer's own address without a slash at its end, "" where settings do not
    enable it; callers use a name of the certificate, which points there. `logs` receives a line of each request; it is a
    bucket made with `balancer_logs`.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: LoadBalancerSettings,
        targets: Sequence[Target],
        place: Place,
        logs: Bucket | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:LoadBalancer", name, None, opts)
        self._name, self._settings, self._place = name, settings, place
        self._child = pulumi.ResourceOptions(parent=self)
        # Not on the class: Pulumi reads its annotations, and would load the provider's part where it is off.
        self.balancer: aws.lb.LoadBalancer | None = None
        self.https: aws.lb.Listener | None = None
        self.http: aws.lb.Listener | None = None
        self.rules: dict[str, aws.lb.ListenerRule] = {}
        self.url = pulumi.Output.from_input("")
        if settings.enabled:
            self.balancer = balancer = self._create_balancer(logs)
            self.https = self._listen(balancer)
            self.http = self._redirect(balancer, self.https)
            self._route(targets, self.https)
            # As the listener speaks it: HTTPS, but for the sandbox, which has no certificate.
            scheme = self.https.protocol.apply(lambda protocol: protocol.lower())
            self.url = pulumi.Output.concat(scheme, "://", balancer.dns_name)
        self.register_outputs({"url": self.url})

    def _create_balancer(self, logs: Bucket | None) -> aws.lb.LoadBalancer:
        s = self._settings
        if logs is not None and not logs.takes_balancer_logs:
            raise ValueError(f"the bucket {logs.component} takes no logs of load balancers")
        return aws.lb.LoadBalancer(
            f"{self._name}-alb",
            aws.lb.LoadBalancerArgs(
                load_balancer_type="application",
                internal=s.internal,
                subnets=list(s.subnet_ids),
                security_groups=list(s.security_group_ids),
                idle_timeout=s.idle_timeout_seconds,
                enable_deletion_protection=s.deletion_protection,
                # What is no header by the standard would reach the function as one.
                drop_invalid_header_fields=True,
                access_logs=aws.lb.LoadBalancerAccessLogsArgs(
                    bucket=logs.name, prefix=BALANCER_LOGS, enabled=True
                )
                if logs is not None
                else None,
            ),
            # The balancer tries whether it may write when it is told to.
            pulumi.ResourceOptions(
                parent=self,
                protect=s.deletion_protection,
                depends_on=[logs.settled] if logs is not None else None,
            ),
        )

    def _listen(self, balancer: aws.lb.LoadBalancer) -> aws.lb.Listener:
        return aws.lb.Listener(
            f"{self._name}-https",
            aws.lb.ListenerArgs(
                load_balancer_arn=balancer.arn,
                port=443,
                protocol="HTTPS",
                ssl_policy=self._settings.ssl_policy,
                certificate_arn=self._settings.certificate_arn,
                routing_http_response_server_enabled=False,
                routing_http_response_strict_transport_security_header_value=STRICT_TRANSPORT,
                default_actions=[
                    aws.lb.ListenerDefaultActionArgs(
                        type="fixed-response",
                        fixed_response=aws.lb.ListenerDefaultActionFixedResponseArgs(
                            status_code="404",
                            content_type="application/json",
                            message_body='{"type": "about:blank", "title": "Not Found", "status": 404}',
                        ),
                    )
                ],
            ),
            self._child,
        )

    def _redirect(self, balancer: aws.lb.LoadBalancer, https: aws.lb.Listener) -> aws.lb.Listener:
        return aws.lb.Listener(
            f"{self._name}-http",
            aws.lb.ListenerArgs(
                load_balancer_arn=balancer.arn,
                port=80,
                protocol="HTTP",
                routing_http_response_server_enabled=False,
                default_actions=[
                    aws.lb.ListenerDefaultActionArgs(
                        type="redirect",
                        redirect=aws.lb.ListenerDefaultActionRedirectArgs(
                            protocol="HTTPS", port="443", status_code="HTTP_301"
                        ),
                    )
                ],
            ),
            # Nobody is sent to a listener that is not there yet.
            pulumi.ResourceOptions(parent=self, depends_on=[https]),
        )

    def _route(self, targets: Sequence[Target], listener: aws.lb.Listener) -> None:
        functions = dict.fromkeys(target.function for target in targets)
        attached = {function: self._attach(function) for function in functions}
        for priority, target in enumerate(targets, 1):
            self.rules[target.path] = aws.lb.ListenerRule(
                f"{self._name}-{target.slug}-rule",
                aws.lb.ListenerRuleArgs(
                    listener_arn=listener.arn,
                    priority=priority,
                    conditions=[
                        aws.lb.ListenerRuleConditionArgs(
                            path_pattern=aws.lb.ListenerRuleConditionPathPatternArgs(
                                values=[target.path]
                            )
                        )
                    ],
                    actions=[
                        aws.lb.ListenerRuleActionArgs(
                            type="forward",
                            # From the attachment: until a group has its target, it answers 503.
                            target_group_arn=attached[target.function].target_group_arn,
                        )
                    ],
                ),
                self._child,
            )

    def _attach(self, function: ServerlessFunction) -> aws.lb.TargetGroupAttachment:
        """A target group with the function's alias as its one target, which the group may call."""
        name = f"{self._name}-{function.logical_name}"
        group = aws.lb.TargetGroup(
            f"{name}-targets",
            aws.lb.TargetGroupArgs(
                # A whole name may be 32 characters long, which a function's own may exceed.
                name_prefix=f"{function.logical_name[: NAME_PREFIX - 1].rstrip('-')}-",
                target_type="lambda",
            ),
            self._child,
        )
        permission = function.allow(
            f"{name}-permission",
            principal="elasticloadbalancing.amazonaws.com",
            source_arn=group.arn,
            source_account=self._place.account,
            parent=self,
        )
        return aws.lb.TargetGroupAttachment(
            f"{name}-attachment",
            aws.lb.TargetGroupAttachmentArgs(target_group_arn=group.arn, target_id=function.arn),
            # The balancer tries whether it may call the function when it is told of it.
            pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )
