"""Traces out of documents, as X-Ray shows them: whole segments, and a summary of each trace.

Source: X-Ray API reference, "BatchGetTraces" and "GetTraceSummaries". X-Ray also infers segments of the services that were
called; here a call is what its caller recorded of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sandbox.workers import traces
from sandbox.workers.traces import Document


def segments(trace: str) -> list[Document]:
    """The segments of a trace with their subsegments inside, by their beginning.

    A subsegment whose segment was not recorded (yet) is left out.
    """
    found = traces.store.documents(trace)
    whole = [each for each in found if each.get("type") != "subsegment"]
    loose = [each for each in found if each.get("type") == "subsegment"]
    places = {str(each["id"]): each for top in whole for each in walk(top)}
    places |= {str(each["id"]): each for top in loose for each in walk(top)}
    for each in loose:
        holder = places.get(str(each.get("parent_id", "")))
        if holder is not None and holder is not each:
            holder.setdefault("subsegments", []).append(each)
    for each in places.values():
        if "subsegments" in each:
            each["subsegments"].sort(key=lambda one: one["start_time"])
    return sorted(whole, key=lambda one: one["start_time"])


def walk(document: Document) -> Iterator[Document]:
    """A document and all that lies in it."""
    yield document
    for inner in document.get("subsegments") or []:
        yield from walk(inner)


def trace(name: str) -> Document | None:
    """A trace as BatchGetTraces answers it; None where nothing is known of it."""
    found = segments(name)
    if not found:
        return None
    return {
        "Id": name,
        "Duration": _end(found) - found[0]["start_time"],
        "LimitExceeded": False,
        "Segments": [{"Id": each["id"], "Document": json.dumps(each)} for each in found],
    }


def summary(name: str) -> Document | None:
    """A trace as GetTraceSummaries answers it."""
    found = segments(name)
    if not found:
        return None
    ids = {str(each["id"]) for top in found for each in walk(top)}
    root = next((each for each in found if each.get("parent_id") not in ids), found[0])
    ended = _end(found)
    made: Document = {
        "Id": name,
        "StartTime": root["start_time"],
        "MatchedEventTime": root["start_time"],
        "Duration": ended - found[0]["start_time"],
        "ResponseTime": root.get("end_time", ended) - root["start_time"],
        "IsPartial": any(each.get("in_progress") for top in found for each in walk(top)),
        "Http": _http(root),
        "Annotations": _annotations(found),
        "EntryPoint": _service(root),
        "ServiceIds": _services(found),
        "ResourceARNs": [{"ARN": arn} for arn in sorted(_resources(found))],
    }
    for flag, name_of in (
        ("fault", "HasFault"),
        ("error", "HasError"),
        ("throttle", "HasThrottle"),
    ):
        made[name_of] = any(bool(each.get(flag)) for each in found)
    return made


def _end(found: list[Document]) -> float:
    return max(each.get("end_time", each["start_time"]) for top in found for each in walk(top))


def _http(root: Document) -> Document:
    told = root.get("http") or {}
    request, response = told.get("request") or {}, told.get("response") or {}
    values = {
        "HttpURL": request.get("url"),
        "HttpStatus": response.get("status"),
        "HttpMethod": request.get("method"),
        "UserAgent": request.get("user_agent"),
        "ClientIp": request.get("client_ip"),
    }
    return {name: value for name, value in values.items() if value is not None}


def _service(segment: Document) -> Document:
    return {
        "Name": segment["name"],
        "Names": [segment["name"]],
        "Type": segment.get("origin", "client"),
    }


def _services(found: list[Document]) -> list[Document]:
    named = {(each["name"], each.get("origin")): _service(each) for each in found}
    return list(named.values())


def _resources(found: list[Document]) -> set[str]:
    return {str(each["resource_arn"]) for each in found if each.get("resource_arn")}


def _annotations(found: list[Document]) -> Document:
    """Each annotation with its values and the services that made it."""
    made: dict[str, list[Document]] = {}
    for top in found:
        for each in walk(top):
            for name, value in (each.get("annotations") or {}).items():
                told = {"AnnotationValue": _typed(value), "ServiceIds": [_service(top)]}
                if told not in made.setdefault(name, []):
                    made[name].append(told)
    return made


def _typed(value: Any) -> Document:
    if isinstance(value, bool):
        return {"BooleanValue": value}
    if isinstance(value, int | float):
        return {"NumberValue": value}
    return {"StringValue": str(value)}
