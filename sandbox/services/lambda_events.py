"""Lambda: what happens to asynchronous invocations, and queues and streams that invoke."""

from __future__ import annotations

import time
from typing import Any, Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.lambda_aliases import function_name
from sandbox.services.outside import is_outside
from sandbox.services.shared import REGION, dropped, remove, tags


@resource("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", ignored=REGION)
def event_invoke_config(r: Resource) -> Outputs:
    reference, qualifier = r.take("functionName"), r.take("qualifier")
    function = function_name(reference)
    r.api(
        "lambda",
        "put_function_event_invoke_config",
        "maximumEventAgeInSeconds",
        "maximumRetryAttempts",
        FunctionName=function,
        Qualifier=qualifier,
        DestinationConfig=_destinations(r) or None,
    )
    place = f"{reference}:{qualifier}" if qualifier else reference
    return {"id": place, "functionName": reference, "qualifier": qualifier}


def _destinations(r: Resource) -> dict[str, Any]:
    """Both destinations, without those that lie outside of the stack."""
    found = r.params(r.aws, "lambda", "put_function_event_invoke_config", "destinationConfig")
    places = found.get("DestinationConfig") or {}
    away = {p["Destination"] for p in places.values() if is_outside(r, p.get("Destination", ""))}
    for arn in sorted(away):
        r.note(f"{arn} is from outside: nothing is sent there")
    return {kind: p for kind, p in places.items() if p.get("Destination") not in away}


@event_invoke_config.updates
def update_event_invoke_config(r: Resource) -> Outputs:
    if r.changed & {"functionName", "qualifier"}:
        delete_event_invoke_config(r)
    return event_invoke_config.create(r)


@event_invoke_config.deletes
def delete_event_invoke_config(r: Resource) -> None:
    old = r.old or {}
    qualifier = {"Qualifier": old["qualifier"]} if old.get("qualifier") else {}
    function = function_name(old["functionName"])
    remove(r, "lambda", "delete_function_event_invoke_config", FunctionName=function, **qualifier)


_RIGHTS_SECONDS: Final = 2.0
"""How long the rights of a mapping's role are waited for."""

_SOURCE: Final = {
    "amazonManagedKafkaEventSourceConfig",
    "documentDbEventSourceConfig",
    "eventSourceArn",
    "queues",
    "selfManagedEventSource",
    "selfManagedKafkaEventSourceConfig",
    "startingPosition",
    "startingPositionTimestamp",
    "topics",
}
"""What AWS cannot change on an existing mapping."""

_SETTINGS: Final = (
    "batchSize",
    "bisectBatchOnFunctionError",
    "destinationConfig",
    "enabled",
    "filterCriteria",
    "functionName",
    "functionResponseTypes",
    "kmsKeyArn",
    "maximumBatchingWindowInSeconds",
    "maximumRecordAgeInSeconds",
    "maximumRetryAttempts",
    "metricsConfig",
    "parallelizationFactor",
    "provisionedPollerConfig",
    "scalingConfig",
    "sourceAccessConfigurations",
    "tumblingWindowInSeconds",
)
_RENAME: Final = {
    "destinationConfig.onFailure.destinationArn": "Destination",
    "sourceAccessConfigurations.uri": "URI",
}
_DEFAULTS: Final[dict[str, Any]] = {
    "bisectBatchOnFunctionError": {"BisectBatchOnFunctionError": False},
    "destinationConfig": {"DestinationConfig": {}},
    "enabled": {"Enabled": True},
    "filterCriteria": {"FilterCriteria": {}},
    "functionResponseTypes": {"FunctionResponseTypes": []},
    "maximumBatchingWindowInSeconds": {"MaximumBatchingWindowInSeconds": 0},
    "maximumRecordAgeInSeconds": {"MaximumRecordAgeInSeconds": -1},
    "maximumRetryAttempts": {"MaximumRetryAttempts": -1},
    "parallelizationFactor": {"ParallelizationFactor": 1},
    "scalingConfig": {"ScalingConfig": {}},
    "tumblingWindowInSeconds": {"TumblingWindowInSeconds": 0},
}
"""What AWS falls back to when an input is taken away."""


@resource(
    "aws:lambda/eventSourceMapping:EventSourceMapping",
    ignored={
        **REGION,
        "useResourceTimeoutForPropagation": "it steers the provider, not the mapping",
    },
)
def event_source_mapping(r: Resource) -> Outputs:
    wanted = tags(r)
    _note_differences(r)
    return _outputs(_made(r, wanted), wanted)


def _made(r: Resource, wanted: dict[str, str]) -> dict[str, Any]:
    """Make a mapping; its role's rights may come a moment later, and the provider waits for them too."""
    from botocore.exceptions import ClientError

    given = r.params(
        r.aws, "lambda", "create_event_source_mapping", *_SETTINGS, *sorted(_SOURCE), rename=_RENAME
    )
    until = time.monotonic() + _RIGHTS_SECONDS
    while True:
        try:
            return r.call("lambda", "create_event_source_mapping", **given, Tags=wanted or None)
        except ClientError as error:
            text = error.response["Error"].get("Message", "")
            late = "execution role does not have" in text or "Cannot access stream" in text
            if not late or time.monotonic() > until:
                raise
        time.sleep(0.1)


@event_source_mapping.updates
def update_event_source_mapping(r: Resource) -> Outputs:
    if r.changed & _SOURCE:
        delete_event_source_mapping(r)
        return event_source_mapping.create(r)
    old = dict(r.old or {})
    for key in _SOURCE:
        r.take(key)
    _note_differences(r)
    given = r.params(r.aws, "lambda", "update_event_source_mapping", *_SETTINGS, rename=_RENAME)
    for key in r.changed & set(_DEFAULTS):
        if r.inputs.get(key) is None:
            given |= _DEFAULTS[key]
    made = r.call("lambda", "update_event_source_mapping", UUID=old["uuid"], **given)
    wanted = tags(r)
    if extra := dropped(r, wanted):
        r.call("lambda", "untag_resource", Resource=old["arn"], TagKeys=extra)
    if wanted:
        r.call("lambda", "tag_resource", Resource=old["arn"], Tags=wanted)
    return _outputs(made, wanted)


@event_source_mapping.deletes
def delete_event_source_mapping(r: Resource) -> None:
    remove(r, "lambda", "delete_event_source_mapping", UUID=(r.old or {})["uuid"])


def _note_differences(r: Resource) -> None:
    if int(r.inputs.get("parallelizationFactor") or 1) > 1:
        r.note("its parallelization is recorded: one batch of a shard at a time is read")
    if ":dynamodb:" in str(r.inputs.get("eventSourceArn")) and r.inputs.get(
        "tumblingWindowInSeconds"
    ):
        r.note("its tumbling window is recorded: every batch is a window of its own")


def _outputs(made: dict[str, Any], wanted: dict[str, str]) -> Outputs:
    return {
        "id": made["UUID"],
        "uuid": made["UUID"],
        "arn": made["EventSourceMappingArn"],
        "functionArn": made["FunctionArn"],
        "lastModified": made["LastModified"].isoformat(),
        "lastProcessingResult": made.get("LastProcessingResult", ""),
        "state": made["State"],
        "stateTransitionReason": made.get("StateTransitionReason", ""),
        "tagsAll": wanted,
    }
