"""Subsegments in X-Ray's published format, each sent as one UDP datagram to the daemon that Lambda
runs beside a function. Imported where an invocation is sampled.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import functools
import json
import os
import re
import socket
import time
import traceback
from typing import Any
from urllib.parse import urlsplit

from common import correlation, logs, tracing

_FORMAT = b'{"format": "json", "version": 1}\n'
_LARGEST = 60_000  # bytes of a document; a datagram has 65,507
_MOST_ANNOTATIONS = 50
_MOST_FRAMES = 30
_LONGEST = 1_000  # characters of an annotation, a limit of X-Ray, and of an exception's text
_LONGEST_NAME = 200
_CLIENT_ERROR, _TOO_MANY_REQUESTS, _SERVER_ERROR = 400, 429, 500
_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_ID = re.compile(r"[0-9a-f]{16}")
_NOT_IN_NAMES = re.compile(r"[^\w .:/%&#=+\\@-]")

_RECORDED = "_segments_id"  # of an exception: the id under which a subsegment told of it

Document = dict[str, Any]


class Segment:
    """A subsegment that has begun."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def annotate(self, values: dict[str, Any]) -> None:
        """Add annotations. What X-Ray would not take is left out or made fit."""
        found = self.document.setdefault("annotations", {})
        for name, value in values.items():
            if value in ("", None) or len(found) >= _MOST_ANNOTATIONS:
                continue
            plain = isinstance(value, bool | int | float)
            found[re.sub(r"[^A-Za-z0-9_]", "_", name)] = value if plain else _clean(value)

    def remote(self, method: str, url: str) -> None:
        """Make it a call of an HTTP API. Path and query are left out: webhooks' are secret."""
        try:
            parts = urlsplit(url)
            scheme, host = parts.scheme, parts.hostname or "unknown"
        except ValueError:
            scheme, host = "https", "unknown"
        request = {"method": method, "url": f"{scheme}://{host}/"}
        self.document |= {"name": _name(host), "namespace": "remote", "http": {"request": request}}

    def answered(self, status: int) -> None:
        """The HTTP status of what was called."""
        self.document.setdefault("http", {})["response"] = {"status": status}
        self.document |= flags(status)

    def header(self) -> str:
        """X-Amzn-Trace-Id that makes what a call causes part of this. What else Lambda's own has
        goes along: by Lineage it finds loops.
        """
        own = {"Root": self.document["trace_id"], "Parent": self.document["id"]}
        return ";".join(f"{name}={value}" for name, value in (tracing.given() | own).items())

    def end(self, error: BaseException | None = None) -> None:
        """Send it; after an exception with what it was. Never fails."""
        try:
            self.document["end_time"] = time.time()
            if error is not None:
                self.fail(error)
            _send(self.document)
        except Exception:  # noqa: S110 - a trace is less than the work it tells of
            pass

    def fail(self, error: BaseException) -> None:
        """Why it failed. Who asked wrongly was told so by a status below 500: that is no fault."""
        status = getattr(error, "status", None)
        self.document |= flags(status) if isinstance(status, int) else {"fault": True}
        if known := getattr(error, _RECORDED, None):
            self.document["cause"] = known  # it came up from a step below
            return
        frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
        stack = [
            {"path": frame.filename.rpartition("/")[2], "line": frame.lineno, "label": frame.name}
            for frame in reversed(frames)
        ]
        told = cause(type(error).__name__, logs.said(error), {"remote": False, "stack": stack})
        self.document |= told
        setattr(error, _RECORDED, told["cause"]["exceptions"][0]["id"])


def begin(name: str, annotations: dict[str, Any], above: Segment | None) -> Segment | None:
    """A subsegment that begins now; None where Lambda was called with a header that is none.

    It is below `above` if that belongs to the same invocation's trace, else below the invocation.
    """
    given = tracing.given()
    root, parent = given.get("Root", ""), given.get("Parent", "")
    if given.get("Sampled") != "1" or not (_ROOT.fullmatch(root) and _ID.fullmatch(parent)):
        return None
    if above and above.document["trace_id"] == root:
        parent = above.document["id"]
    made = Segment(
        {
            "type": "subsegment",
            "id": os.urandom(8).hex(),
            "trace_id": root,
            "parent_id": parent,
            "name": _name(name),
            "start_time": time.time(),
        }
    )
    made.annotate({"correlation_id": correlation.current(), **annotations})
    return made


def flags(status: int) -> Document:
    """What X-Ray calls an answer of this status: error, throttle, fault, or nothing."""
    if status >= _SERVER_ERROR:
        return {"fault": True}
    throttled = {"throttle": True} if status == _TOO_MANY_REQUESTS else {}
    return {"error": True, **throttled} if status >= _CLIENT_ERROR else {}


def cause(kind: str, text: str, more: Document) -> Document:
    """An exception as a subsegment has it."""
    told = {"id": os.urandom(8).hex(), "type": kind, "message": _clean(text), **more}
    return {"cause": {"exceptions": [told]}}


def _name(text: str) -> str:
    return _NOT_IN_NAMES.sub("", text)[:_LONGEST_NAME] or "unnamed"


def _clean(value: object) -> str:
    return logs.clean(logs.said(value)[: 4 * _LONGEST])[:_LONGEST]


def _send(document: Document) -> None:
    content = json.dumps(document).encode()
    if len(content) > _LARGEST:
        kept = {k: v for k, v in document.items() if k not in ("annotations", "cause")}
        content = json.dumps(kept).encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(0)  # sent at once, or not at all
        link.sendto(_FORMAT + content, _address(os.environ["AWS_XRAY_DAEMON_ADDRESS"]))


@functools.cache
def _address(given: str) -> tuple[str, int]:
    """Host and port of "127.0.0.1:2000" or "tcp:127.0.0.1:2000 udp:127.0.0.2:2001"."""
    places = given.split()
    place = next((each for each in places if each.startswith("udp:")), places[0])
    host, _, port = place.removeprefix("udp:").rpartition(":")
    return host, int(port)
