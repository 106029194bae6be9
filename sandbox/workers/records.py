"""Between MiniStack's records and the data plane: a function out of a record, log events into a log group."""

import logging
import os
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from sandbox.workers.addresses import localised
from sandbox.workers.functions import Function

JOURNALLED = "journal"
"""`log_source` of a result whose log events are stored already."""

logger = logging.getLogger("sandbox.workers")


def function_of(module: ModuleType, config: Mapping[str, Any], code: bytes) -> Function:
    """Return a function by its configuration in MiniStack's Lambda service `module`."""
    config = localised(config)
    declared = (config.get("Environment") or {}).get("Variables") or {}
    own = f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT', '4566')}"

    def layers() -> list[bytes]:
        found = [module._resolve_layer_zip(layer) for layer in config.get("Layers") or []]
        return [archive for archive in found if archive]

    return Function(
        config=config,
        code=code,
        endpoint=declared.get("AWS_ENDPOINT_URL", own),
        layers=layers,
        credentials=lambda: module.execution_credentials(config),
    )


def store(function: Function, stream_name: str, messages: list[str]) -> None:
    """Put a function's log events into CloudWatch Logs; a failure here never fails the invocation."""
    write(function.log_group, stream_name, messages)


def write(group_name: str, stream_name: str, messages: list[str]) -> None:
    """Put log events into a group, which is made where it is missing; what fails is only logged."""
    from ministack.services import cloudwatch_logs

    try:
        now = int(time.time() * 1000)
        names = {"logGroupName": group_name, "logStreamName": stream_name}
        if group_name not in cloudwatch_logs._log_groups:
            cloudwatch_logs._create_log_group(names)
        group = cloudwatch_logs._log_groups[group_name]
        if stream_name not in group["streams"]:
            cloudwatch_logs._create_log_stream(names)
        stored = [
            {"timestamp": now, "message": message, "ingestionTime": now} for message in messages
        ]
        cloudwatch_logs._append_log_events(group["streams"][stream_name], stored)
        cloudwatch_logs._fanout_to_subscription_filters(group_name, stream_name, stored)
        cloudwatch_logs._fanout_to_live_tail_sessions(group_name, stream_name, stored)
    except Exception:
        logger.exception("log events of %s are lost", group_name)
