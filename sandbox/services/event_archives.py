"""EventBridge: archives. What passes a bus is kept, and can be replayed through it."""

from __future__ import annotations

from typing import Final

from sandbox.resources import Outputs, Resource, resource
from sandbox.services.shared import REGION, physical_name, remove

_SETTINGS: Final = ("description", "eventPattern", "kmsKeyIdentifier", "retentionDays")
_EMPTY: Final = {
    "description": {"Description": ""},
    "eventPattern": {"EventPattern": ""},
    "kmsKeyIdentifier": {"KmsKeyIdentifier": ""},
    "retentionDays": {"RetentionDays": 0},
}
"""What stands for a setting that is taken away."""


@resource("aws:cloudwatch/eventArchive:EventArchive", ignored=REGION)
def event_archive(r: Resource) -> Outputs:
    name = physical_name(r, limit=48)
    source = r.take("eventSourceArn")
    made = r.api("events", "create_archive", *_SETTINGS, ArchiveName=name, EventSourceArn=source)
    return {"id": name, "name": name, "arn": made["ArchiveArn"]}


@event_archive.updates
def update_event_archive(r: Resource) -> Outputs:
    """Another bus or name is another archive: what the old one kept goes, as on AWS."""
    if r.changed & {"name", "namePrefix", "eventSourceArn"}:
        delete_event_archive(r)
        return event_archive.create(r)
    name = physical_name(r, limit=48)
    r.take("eventSourceArn")
    given = r.params(r.aws, "events", "update_archive", *_SETTINGS)
    for key in r.changed & set(_EMPTY):
        if r.inputs.get(key) is None:
            given |= _EMPTY[key]
    r.call("events", "update_archive", ArchiveName=name, **given)
    return dict(r.old or {})


@event_archive.deletes
def delete_event_archive(r: Resource) -> None:
    remove(r, "events", "delete_archive", ArchiveName=(r.old or {})["name"])
