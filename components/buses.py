"""EventBridge: buses, rules that listen on them, and the functions that a rule starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import patterns
from components.buckets import Bucket
from components.documents import json_text
from components.function import ServerlessFunction
from components.grants import Grant, Statement, variable_name
from components.keys import DataKey
from components.messaging import Queue
from components.patterns import Pattern
from components.triggers import TriggerContext
from settings import BusSettings, RuleSettings


class Bus(pulumi.ComponentResource):
    """A bus for the application's own events, encrypted, with an archive from which they can be sent again.

    `failures` takes events that cannot be encrypted or read; the queue must admit the bus.
    Raw children: `bus`, and `archive` where settings ask for one.
    """

    service = "events.amazonaws.com"

    def __init__(
        self,
        name: str,
        *,
        settings: BusSettings,
        failures: Queue,
        encryption: DataKey,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Bus", name, None, opts)
        self.component = name
        self._variable = variable_name(name, "BUS_NAME")
        child = pulumi.ResourceOptions(parent=self)
        self.bus = aws.cloudwatch.EventBus(
            f"{name}-bus",
            aws.cloudwatch.EventBusArgs(
                kms_key_identifier=encryption.arn,
                dead_letter_config=aws.cloudwatch.EventBusDeadLetterConfigArgs(arn=failures.arn),
            ),
            child,
        )
        self.name = self.bus.name
        self.arn = self.bus.arn
        self.archive = None
        if settings.archive_enabled:
            self.archive = aws.cloudwatch.EventArchive(
                f"{name}-archive",
                aws.cloudwatch.EventArchiveArgs(
                    event_source_arn=self.arn,
                    retention_days=settings.archive_retention_days,
                    kms_key_identifier=encryption.arn,
                ),
                child,
            )
        self.register_outputs({"name": self.name, "arn": self.arn})

    def put(self, source: str) -> Grant:
        """Put events in, in the name of one source and no other."""
        only = {"StringEquals": {"events:source": source}}
        return Grant(
            [Statement(["events:PutEvents"], [self.arn], only)], {self._variable: self.name}
        )


class Rule(pulumi.ComponentResource):
    """What to listen for on a bus; without one, on the account's own, where AWS services tell of themselves.

    `bucket` is the one whose events the rule waits for: it must send them. Raises pulumi.RunError for a pattern
    that EventBridge does not take.
    """

    service = "events.amazonaws.com"

    def __init__(
        self,
        name: str,
        pattern: Pattern,
        *,
        settings: RuleSettings,
        bus: Bus | None = None,
        bucket: Bucket | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("sandpiper:components:Rule", name, None, opts)
        patterns.check(f"rule {name}", pattern)
        self.component = name
        self.settings = settings
        self.bucket = bucket
        self.rule = aws.cloudwatch.EventRule(
            f"{name}-rule",
            aws.cloudwatch.EventRuleArgs(
                event_bus_name=bus.name if bus else None,
                event_pattern=json_text(pattern),
                description=settings.description,
                state="ENABLED" if settings.enabled else "DISABLED",
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.arn = self.rule.arn
        self.register_outputs({"arn": self.arn})


def created(name: str, bucket: Bucket, prefix: str, *, settings: RuleSettings) -> Rule:
    """A rule for objects created under a prefix; S3 tells only the account's own bus."""
    pattern: Pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket.name]}, "object": {"key": [{"prefix": prefix}]}},
    }
    return Rule(name, pattern, settings=settings, bucket=bucket)


@dataclass(frozen=True)
class Template:
    """What a function gets instead of the event: names for parts of it (`{"id": "$.id"}`), and JSON text with them in
    angle brackets (`{"id": <id>}`).
    """

    paths: Mapping[str, str]
    text: str


def parts(*names: str, **renamed: str) -> Template:
    """Parts of an event by their own names, or as `renamed` says: `parts("id", type="detail-type")`."""
    paths = {name: f"$.{name}" for name in names} | {
        name: f"$.{path}" for name, path in renamed.items()
    }
    return Template(paths, "{" + ", ".join(f'"{name}": <{name}>' for name in paths) + "}")


@dataclass(frozen=True)
class Event:
    """An event that a rule lets through starts a function, with itself, parts of it, or always the same `constant`."""

    rule: Rule
    function: ServerlessFunction
    template: Template | None = None
    constant: Mapping[str, Any] | None = None

    def connect(self, context: TriggerContext) -> None:
        """Permission, target with retries, and where an event goes that cannot be delivered. Raises pulumi.RunError for a
        template and a constant at once.
        """
        rule, function, s = self.rule, self.function, self.rule.settings
        name = f"{function.logical_name}-{rule.component}"
        if self.template is not None and self.constant is not None:
            raise pulumi.RunError(f"{name}: EventBridge takes a template or a constant, not both")
        permission = context.start(function, name, principal=rule.service, source_arn=rule.arn)
        target = aws.cloudwatch
        target.EventTarget(
            f"{name}-target",
            target.EventTargetArgs(
                rule=rule.rule.name,
                event_bus_name=rule.rule.event_bus_name,
                arn=function.arn,
                input=json_text(self.constant) if self.constant is not None else None,
                input_transformer=self._transformed(),
                retry_policy=target.EventTargetRetryPolicyArgs(
                    maximum_retry_attempts=s.maximum_retry_attempts,
                    maximum_event_age_in_seconds=s.maximum_event_age_in_seconds,
                ),
                dead_letter_config=target.EventTargetDeadLetterConfigArgs(
                    arn=context.undelivered(rule).arn
                ),
            ),
            context.after(permission, context.failures.policy),
        )

    def _transformed(self) -> aws.cloudwatch.EventTargetInputTransformerArgs | None:
        if self.template is None:
            return None
        return aws.cloudwatch.EventTargetInputTransformerArgs(
            input_paths=self.template.paths, input_template=self.template.text
        )
