"""The sections of a stack file: the one place that names them. Reading, passing on and the references go by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, get_type_hints

from settings.alarms import ObservabilitySettings
from settings.api import ApiSettings
from settings.data import DataSettings
from settings.documents import PictureSettings, ReportSettings
from settings.fields import Model
from settings.fronts import GraphQlSettings, LoadBalancerSettings
from settings.http_api import HttpApiSettings
from settings.identity import IdentitySettings
from settings.insight import CanarySettings, LogSettings, TracingSettings
from settings.messages import BusSettings, MailSettings, TelemetrySettings
from settings.outside import PartnerSettings, ProbeSettings, WebhookSettings
from settings.receivers import BudgetSettings
from settings.socket_api import SocketSettings
from settings.whole import PackagingSettings


@dataclass(frozen=True, kw_only=True)
class Fronts:
    """Sections of what callers meet; docs/api.md has a table of each."""

    api: ApiSettings
    http_api: HttpApiSettings
    socket: SocketSettings
    identity: IdentitySettings
    load_balancer: LoadBalancerSettings
    graphql: GraphQlSettings


@dataclass(frozen=True, kw_only=True)
class Work(Fronts):
    """Sections of what happens behind them, and of whoever is told of it."""

    telemetry: TelemetrySettings
    bus: BusSettings
    mail: MailSettings
    partner: PartnerSettings
    probe: ProbeSettings
    webhook: WebhookSettings
    images: PictureSettings
    reports: ReportSettings


@dataclass(frozen=True, kw_only=True)
class Sections(Work):
    """All sections: keys of a stack file whose value is one map of settings, each read as its type says."""

    data: DataSettings
    observability: ObservabilitySettings
    budget: BudgetSettings
    logs: LogSettings
    tracing: TracingSettings
    canary: CanarySettings
    packaging: PackagingSettings


FRONTS: Final[Mapping[str, type[Model]]] = MappingProxyType(get_type_hints(Fronts))
"""Key -> model of the sections that docs/api.md has."""

SECTIONS: Final[Mapping[str, type[Model]]] = MappingProxyType(
    {**FRONTS, **get_type_hints(Work), **get_type_hints(Sections)}
)
"""Key -> model of every section."""
