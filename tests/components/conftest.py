"""Runs with another stack file than the shipped ones."""

from __future__ import annotations

import pytest

from tests.support.program import Run, run_stack

CUSTOM = {
    "sandpiper:functions": {
        "defaults": {"log_level": "DEBUG"},
        "create-item": {
            "memory_size": 1024,
            "timeout": 12,
            "architecture": "x86_64",
            "reserved_concurrent_executions": 5,
            "provisioned_concurrent_executions": 2,
            "environment": {"FEATURE_X": "on"},
        },
        "get-item": {"tracing_mode": "PassThrough"},
        "image-processor": {"maximum_retry_attempts": 1, "maximum_event_age_in_seconds": 120},
    },
    "sandpiper:api": {
        "throttle_rate_limit": 12.5,
        "throttle_burst_limit": 7,
        "cors_allow_origins": [],
        "authorizer_result_ttl_in_seconds": 0,
        "manage_account_log_role": True,
        "minimum_compression_size": 1000,
    },
    "sandpiper:data": {
        "protect": True,
        "point_in_time_recovery": True,
        "point_in_time_recovery_days": 7,
    },
    "sandpiper:triggers": {
        "queues": {
            "notifications": {
                "batch_size": 50,
                "maximum_batching_window_in_seconds": 2,
                "maximum_concurrency": 4,
                "max_receive_count": 9,
            }
        },
        "streams": {"data-transformer": {"parallelization_factor": 3, "batch_size": 7}},
        "schedules": {
            "cleanup-job": {
                "schedule_expression": "rate(2 days)",
                "schedule_expression_timezone": "Europe/Berlin",
                "enabled": False,
                "flexible_time_window_in_minutes": 15,
            }
        },
    },
    "sandpiper:observability": {
        "page": {"email": ["team@example.com"]},
        "duration_threshold_percent": 50,
        "throttle_threshold": 3,
        "period": 300,
    },
    "sandpiper:tags": {"team": "birds"},
}


@pytest.fixture(scope="session")
def custom() -> Run:
    """A stack of one's own, in which every section says something else than the default."""
    return run_stack("alice", config=CUSTOM)
