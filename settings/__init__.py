"""The settings of a stack: the only reader of Pulumi's config.

`load()` turns `Pulumi.<stack>.yaml` into one frozen `Settings`, or ends the program with a line per mistake.
"""

from settings.api import ApiSettings as ApiSettings
from settings.api import RouteSettings as RouteSettings
from settings.api import UsagePlanSettings as UsagePlanSettings
from settings.data import DataSettings as DataSettings
from settings.fronts import GraphQlSettings as GraphQlSettings
from settings.fronts import LoadBalancerSettings as LoadBalancerSettings
from settings.function import FunctionSettings as FunctionSettings
from settings.function_parts import CodeSigningSettings as CodeSigningSettings
from settings.function_parts import FileSystemSettings as FileSystemSettings
from settings.function_parts import ImageSettings as ImageSettings
from settings.function_parts import ScalingSettings as ScalingSettings
from settings.function_parts import ScheduledCapacity as ScheduledCapacity
from settings.function_parts import VpcSettings as VpcSettings
from settings.function_rules import TAKEN_VARIABLE as TAKEN_VARIABLE
from settings.function_urls import FunctionUrlSettings as FunctionUrlSettings
from settings.function_urls import UrlCorsSettings as UrlCorsSettings
from settings.gates import DomainSettings as DomainSettings
from settings.gates import FirewallSettings as FirewallSettings
from settings.http_api import HttpApiSettings as HttpApiSettings
from settings.http_api import HttpRouteSettings as HttpRouteSettings
from settings.identity import IdentitySettings as IdentitySettings
from settings.images import RepositorySettings as RepositorySettings
from settings.loading import load as load
from settings.runtimes import FAMILIES as FAMILIES
from settings.runtimes import NODE_RUNTIMES as NODE_RUNTIMES
from settings.runtimes import Family as Family
from settings.socket_api import SocketSettings as SocketSettings
from settings.stack import Settings as Settings
from settings.stack import TriggerSettings as TriggerSettings
from settings.triggers import QueueSettings as QueueSettings
from settings.triggers import ScheduleSettings as ScheduleSettings
from settings.triggers import StreamSettings as StreamSettings
from settings.whole import ObservabilitySettings as ObservabilitySettings
from settings.whole import PackagingSettings as PackagingSettings
from settings.wiring import API_FUNCTIONS as API_FUNCTIONS
from settings.wiring import FUNCTION_BASELINE as FUNCTION_BASELINE
from settings.wiring import HTTP_ROUTES as HTTP_ROUTES
from settings.wiring import QUEUE_CONSUMERS as QUEUE_CONSUMERS
from settings.wiring import REST_ROUTES as REST_ROUTES
from settings.wiring import SCHEDULED as SCHEDULED
from settings.wiring import SHARED as SHARED
from settings.wiring import STREAM_BASELINE as STREAM_BASELINE
from settings.wiring import STREAM_CONSUMERS as STREAM_CONSUMERS
from settings.wiring import UPLOAD_CONSUMER as UPLOAD_CONSUMER
from settings.wiring import own_layers as own_layers
