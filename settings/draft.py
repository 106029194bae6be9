"""Settings whose single values are right, before they are compared with each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings.api import ApiSettings
from settings.data import DataSettings
from settings.fronts import GraphQlSettings, LoadBalancerSettings
from settings.function import FunctionSettings
from settings.http_api import HttpApiSettings
from settings.identity import IdentitySettings
from settings.images import RepositorySettings
from settings.mistakes import Path as KeyPath
from settings.socket_api import SocketSettings
from settings.triggers import QueueSettings, ScheduleSettings, StreamSettings
from settings.whole import ObservabilitySettings, PackagingSettings


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Everything a cross-field rule may look at."""

    stack: str
    families: Mapping[str, str]
    """Function name -> runtime family of its handler; those that are switched off among them."""
    own: Mapping[str, Mapping[str, Any]]
    """Function name, or `defaults` -> what the stack file itself says."""
    functions: Mapping[str, FunctionSettings]
    """The functions that exist."""
    api: ApiSettings
    http_api: HttpApiSettings
    socket: SocketSettings
    identity: IdentitySettings
    load_balancer: LoadBalancerSettings
    graphql: GraphQlSettings
    data: DataSettings
    queues: Mapping[str, QueueSettings]
    streams: Mapping[str, StreamSettings]
    schedules: Mapping[str, ScheduleSettings]
    observability: ObservabilitySettings
    packaging: PackagingSettings
    repositories: Mapping[str, RepositorySettings]
    tags: Mapping[str, str]
    versions_to_keep: int
    region: str
    """Region the stack is deployed to; empty where the config does not say."""
    root: Path
    """Folder of the project, which paths in a stack file start from."""
    account_concurrent_executions: int
    broken: frozenset[KeyPath]
    """Values already refused, which stand at their defaults here: no rule may judge by them."""

    def origin(self, function: str, field: str) -> KeyPath:
        """Return where a function's value is written, so that its line names the key to change."""
        own = field in self.own.get(function, {})
        fallback = field in self.own["defaults"] and not own
        return ("functions", "defaults" if fallback else function, field)

    def way_out(self, function: str, field: str, instead: str = "") -> str:
        """Return what helps where a value of `defaults` does not suit one function; empty text for its own value.

        `instead` is what the function's own entry might say.
        """
        if self.origin(function, field)[1] != "defaults":
            return ""
        single = f", or functions.{function}.{field}: {instead}" if instead else ""
        return f"say it of single functions{single}"
