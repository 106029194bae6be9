"""The application asked for everything at once: each thing that a stack file may say at one of its functions, and
every way in that is off by default.

The shipped stacks ask for little of it. Rules must be content with this, and awake when a part of it is broken.
"""

from __future__ import annotations

import functools
from typing import Any

from components.repositories import Repository
from components.tags import tag_everything
from settings import RepositorySettings
from tests.support.breaking import Mutation, also
from tests.support.program import ACCOUNT, REGION, Run, run_stack
from tests.support.tiny import LOOSE, Parts, tiny

HERE = f"{REGION}:{ACCOUNT}"
FUNCTIONS = f"arn:aws:lambda:{HERE}:function:sandpiper-dev"
ROLES = f"arn:aws:iam::{ACCOUNT}:role"
DATA_KEY = f"arn:aws:kms:{HERE}:key/data-key-0123456"

ACCESS_POINT = f"arn:aws:elasticfilesystem:{HERE}:access-point/fsap-0123456789abcdef0"
FOREIGN_QUEUE = f"arn:aws:sqs:{HERE}:somebodys-failures"
FOREIGN_TOPIC = f"arn:aws:sns:{HERE}:somebodys-successes"
FOREIGN_BUCKET = "arn:aws:s3:::somebodys-failures"
CENTRAL_STREAM = f"arn:aws:kinesis:{HERE}:stream/central-logs"
FOREIGN_LAYER = f"arn:aws:lambda:{REGION}:017000801446:layer:AWSLambdaPowertoolsPythonV3:18"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/inference"

NETWORK = {
    "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "security_group_ids": ["sg-0123456789abcdef0"],
}
ASKED_FOR: dict[str, dict[str, Any]] = {
    "health": {
        "vpc_config": NETWORK,
        "file_system_config": {"arn": ACCESS_POINT, "local_mount_path": "/mnt/shared"},
        "kms_key_arn": f"arn:aws:kms:{HERE}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    },
    "get-item": {
        "dead_letter": FOREIGN_QUEUE,
        "on_success": FOREIGN_TOPIC,
        "on_failure": FOREIGN_BUCKET,
        "warming_schedule": "rate(5 minutes)",
    },
    "create-item": {
        "reserved_concurrent_executions": 5,
        "provisioned_concurrent_executions": 2,
        "provisioned_concurrency_scaling": {
            "min_capacity": 1,
            "max_capacity": 4,
            "scheduled_actions": {
                "morning": {
                    "schedule": "cron(0 8 ? * MON-FRI *)",
                    "min_capacity": 3,
                    "max_capacity": 4,
                }
            },
        },
    },
    "list-items": {
        "function_url": {
            "principals": [f"{ROLES}/caller"],
            "cors": {
                "allow_origins": ["https://app.example.com"],
                "allow_methods": ["GET"],
                "allow_credentials": True,
                "max_age": 600,
            },
        }
    },
    "delete-item": {
        "execution_role_arn": f"{ROLES}/teams/somebodys-role",
        "vpc_config": NETWORK,
        "file_system_config": {"arn": ACCESS_POINT, "local_mount_path": "/mnt/shared"},
        "dead_letter": FOREIGN_QUEUE,
        "on_failure": FOREIGN_QUEUE,
    },
    "update-item": {
        "image_uri": f"{REGISTRY}:2026-11-21",
        "image_config": {"command": ["app.handler"]},
    },
    "notification-sender": {"snap_start": True},
    "image-processor": {"warming_schedule": "rate(5 minutes)"},
    "data-transformer": {"recursive_loop": "Allow", "update_runtime_on": "FunctionUpdate"},
    "authorizer": {"layers": [FOREIGN_LAYER]},
    "network-probe": {"vpc_config": NETWORK},
    "checksum": {
        "s3_bucket": "releases",
        "s3_key": "checksum.zip",
        "code_signing": {
            "signing_profile_version_arns": [
                f"arn:aws:signer:{HERE}:/signing-profiles/release/a1B2c3D4e5"
            ]
        },
    },
}

ZONE = "Z0123456789ABCDEFGHIJ"
CERTIFICATE = f"arn:aws:acm:{HERE}:certificate/01234567-89ab-cdef-0123-456789abcdef"
PAGE = "https://app.example.com"
FRONTS: dict[str, dict[str, Any]] = {
    "sandpiper:api": {
        "manage_account_log_role": True,
        "cors_allow_origins": [PAGE],
        "cache_cluster_enabled": True,
        "routes": {
            "GET /items": {"cache_ttl_in_seconds": 10},
            "GET /items/{id}": {"cache_ttl_in_seconds": 5, "throttle_rate_limit": 50},
        },
        "client_certificate": True,
        "variables": {"release": "2026-11-21"},
        "binary_media_types": ["image/*"],
        "allow_source_ips": ["192.0.2.0/24", "2001:db8::/32"],
        "firewall": {"rate_limit": 500},
        "domain": {"domain_name": "api.example.com", "hosted_zone_id": ZONE, "base_path": "v1"},
        "disable_execute_api_endpoint": True,
    },
    "sandpiper:http_api": {
        "cors_allow_origins": [PAGE, "https://shop.example.com"],
        "cors_allow_credentials": True,
        "routes": {"POST /users": {"throttle_rate_limit": 5, "throttle_burst_limit": 10}},
        "domain": {"domain_name": "shop.example.com", "certificate_arn": CERTIFICATE},
    },
    "sandpiper:socket": {"domain": {"domain_name": "live.example.com", "hosted_zone_id": ZONE}},
    "sandpiper:telemetry": {"enabled": True, "enhanced_fan_out": True, "iot_rule_enabled": True},
    "sandpiper:mail": {
        "from_address": "orders@example.com",
        "create_identity": True,
        "configuration_set": "orders",
    },
    "sandpiper:images": {"labels": True},
    "sandpiper:partner": {"url": "https://partner.example.com/orders"},
    "sandpiper:probe": {"host": "10.0.0.5"},
    "sandpiper:triggers": {
        "topics": {
            "notifications": {
                "display_name": "Sandpiper",
                "email": ["people@example.com"],
                "https": ["https://hooks.example.com/notifications"],
                "sqs": [FOREIGN_QUEUE],
                "application": [
                    f"arn:aws:sns:{HERE}:endpoint/GCM/app/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
                ],
            }
        },
        "streams": {
            "telemetry-aggregator": {
                "starting_position": "AT_TIMESTAMP",
                "starting_position_timestamp": "2026-11-21T00:00:00Z",
                "tumbling_window_in_seconds": 60,
            }
        },
        "schedules": {
            "report-generator": {
                "schedule_expression": "rate(7 days)",
                "end_date": "2026-12-31T00:00:00Z",
                "flexible_time_window_in_minutes": 15,
            }
        },
    },
    "sandpiper:observability": {
        "page": {
            "email": ["people@example.com"],
            "https": ["https://oncall.example.com/alarms"],
            "slack_channel_id": "C0123456789",
        },
        "ticket": {"email": ["people@example.com"], "slack_channel_id": "C1234567890"},
        "slack_workspace_id": "T0123456789",
        "objectives": {
            "api": {"availability_percent": 99.9, "latency_percent": 99},
            "http": {"availability_percent": 99.9, "latency_percent": 99},
        },
        "anomaly_detection": True,
    },
    "sandpiper:budget": {"monthly_usd": 50, "email": ["people@example.com"]},
    "sandpiper:logs": {"sample_rate": 0.01, "destination_arn": CENTRAL_STREAM},
    "sandpiper:canary": {"enabled": True},
    "sandpiper:load_balancer": {"enabled": True, "certificate_arn": CERTIFICATE, **NETWORK},
    "sandpiper:graphql": {"enabled": True},
}


def _repository(parts: Parts) -> None:
    tag_everything({"Project": "sandpiper", "Environment": "dev"})
    Repository(
        "inference",
        settings=RepositorySettings(),
        data=LOOSE,
        encryption=parts.key,
        place=parts.place,
    )


@functools.cache
def asked_for() -> Run:
    """The dev stack with all of it, every way in, and a repository for images."""
    run = run_stack("dev", config={"sandpiper:functions": ASKED_FOR, **FRONTS})
    images = [r for r in tiny(_repository).resources if r.type.startswith("aws:ecr/")]
    return Run("dev", resources=[*run.resources, *images])


def more(*mutations: Mutation) -> Mutation:
    """Break something of all that, instead of the shipped stack."""
    broken = also(*mutations)
    return lambda _: broken(list(asked_for().resources))
