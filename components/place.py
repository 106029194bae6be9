"""Where a stack lives: the parts of an ARN that no resource can tell beforehand."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi_aws as aws


@dataclass(frozen=True)
class Place:
    """Partition, region and account of a stack, and the two names that its own names begin with."""

    partition: str
    region: str
    account: str
    project: str
    stack: str

    @classmethod
    def current(cls, *, project: str, stack: str) -> Place:
        """Ask the provider where it deploys to."""
        return cls(
            partition=aws.get_partition().partition,
            region=aws.get_region().region,
            account=aws.get_caller_identity().account_id,
            project=project,
            stack=stack,
        )

    @property
    def prefix(self) -> str:
        """What the few names begin with that the program chooses itself: `<project>-<stack>`."""
        return f"{self.project}-{self.stack}"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something named by us: `arn:<partition>:<service>:<region>:<account>:<resource>`."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def function_arn(self, name: str) -> str:
        """The ARN of a function of this stack (logical name), known before it is made."""
        return self.arn("lambda", f"function:{self.prefix}-{name}")

    def service(self, name: str) -> str:
        """The regional endpoint name of a service, as `kms:ViaService` spells it."""
        return f"{name}.{self.region}.amazonaws.com"
