"""CloudWatch's three protocols in one form: what was asked as an object, what is answered in the caller's own."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any
from xml.sax.saxutils import escape

Record = dict[str, Any]


def given(params: Mapping[str, Any], data: Record, as_object: bool) -> Record:  # noqa: FBT001 what the caller knows it as
    """What was asked; the Query protocol's `Metrics.member.1.Id=m1` becomes lists and objects."""
    if as_object:
        return data
    tree: Record = {}
    for name, value in params.items():
        text = value[0] if isinstance(value, list) else value
        place, *steps = [name] if "." not in name else name.split(".")
        node = tree
        for step in steps:
            node = node.setdefault(place, {})
            place = step
        node[place] = text
    return {name: _plain(value) for name, value in tree.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"member"}:
            members: Record = value["member"]
            return [_plain(members[number]) for number in sorted(members, key=int)]
        return {name: _plain(each) for name, each in value.items()}
    return {"true": True, "false": False}.get(value, value)


def answered(
    module: ModuleType, operation: str, result: Record, *, is_cbor: bool, is_json: bool
) -> Any:
    """An answer in the protocol of the question. Moments are seconds under names that end so."""
    if is_cbor:
        return module._cbor_ok(_moments(result, module._cbor_timestamp))
    if is_json:
        return module._json_ok(_moments(result, int))
    whole = _moments(result, module._ts_iso)
    inner = "".join(_element(name, each) for name, each in whole.items())
    return module._xml(
        200, f"{operation}Response", f"<{operation}Result>{inner}</{operation}Result>"
    )


def _moments(value: Any, form: Any) -> Any:
    if isinstance(value, list):
        return [_moments(each, form) for each in value]
    if not isinstance(value, dict):
        return value
    made: Record = {}
    for name, each in value.items():
        if name.endswith("Timestamp"):
            made[name] = each if each is None else form(each)
        elif name == "Timestamps":
            made[name] = [form(moment) for moment in each]
        else:
            made[name] = _moments(each, form)
    return made


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return f"<{name}>{''.join(_element('member', each) for each in value)}</{name}>"
    if isinstance(value, dict) and name == "ExtendedStatistics":
        # A map: entries with a key and a value.
        entries = [f"<entry><key>{k}</key><value>{v}</value></entry>" for k, v in value.items()]
        return f"<{name}>{''.join(entries)}</{name}>"
    if isinstance(value, dict):
        return f"<{name}>{''.join(_element(k, v) for k, v in value.items())}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"
