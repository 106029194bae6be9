"""Rules over the whole stack: its name, tags, origins and alarms."""

import re
from collections.abc import Iterator

from settings import wiring
from settings.draft import Draft
from settings.mistakes import Mistake
from settings.text import got

NAME_LENGTH = 64
"""Characters that Lambda allows a function's name and IAM a role's."""

AUTO_NAME = 8
"""Characters that Pulumi adds to a logical name: a dash and 7 hexadecimal digits."""

CHILD_NAME = 16
"""Characters that the program adds to a function's name for its role, policy and alarms."""

TAGS = 50
"""Tags that AWS allows a resource."""

OWN_TAGS = 5
"""Tags of these that the program keeps for its own."""

_ORIGIN = re.compile(r"(https?)://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::([1-9]\d{0,4}))?")
_TAG = re.compile(r"[\w\s.:/=+@-]*")


def stack_name(draft: Draft) -> Iterator[Mistake]:
    """The stack's name is part of every function's name."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", draft.stack, re.ASCII):
        yield Mistake(
            (),
            "a stack's name is part of its functions' names, which take only letters, digits, - and _; "
            "choose another name for the stack",
        )
    longest = max(draft.functions, key=len)
    room = NAME_LENGTH - len(f"{wiring.PROJECT}--{longest}")
    if len(draft.stack) > room:
        yield Mistake(
            (),
            f"a stack's name may have {room} characters, because '{wiring.PROJECT}-<stack>-{longest}' may have "
            f"{NAME_LENGTH} (got {len(draft.stack)}); choose a shorter name for the stack",
        )


def function_names(draft: Draft) -> Iterator[Mistake]:
    """A function's role and alarms carry its name, and Pulumi's seven digits."""
    room = NAME_LENGTH - AUTO_NAME - CHILD_NAME
    for name in draft.functions:
        if len(name) > room:
            yield Mistake(
                ("functions", name),
                f"a function's name may have {room} characters, because its role's may have {NAME_LENGTH} "
                f"(got {len(name)}); rename its handler",
            )


def cors_origins(draft: Draft) -> Iterator[Mistake]:
    """Browsers compare an origin character by character."""
    path = ("api", "cors_allow_origins")
    origins = draft.api.cors_allow_origins
    for origin in origins:
        problem = _wrong_origin(origin)
        if problem:
            yield Mistake(path, problem + got(origin))
    for origin in sorted({origin for origin in origins if origins.count(origin) > 1}):
        yield Mistake(path, f"names an origin twice{got(origin)}")


def _wrong_origin(origin: str) -> str:
    if "*" in origin:
        return "must name each origin: a wildcard would let any page call the API"
    match = _ORIGIN.fullmatch(origin)
    if not match or ".." in origin or int(match[3] or 0) > 65535:
        return "must be http(s)://host or http(s)://host:port in lower case, without a path or a slash at the end"
    if (match[1], match[3]) in {("http", "80"), ("https", "443")}:
        return "must leave out the scheme's own port, as browsers do"
    return ""


def tag_names(draft: Draft) -> Iterator[Mistake]:
    """AWS's rules for tags; IAM moreover takes two keys that differ by case for one."""
    seen: dict[str, str] = {}
    for key, value in draft.tags.items():
        problem = _wrong_tag(key, value)
        twin = seen.setdefault(key.casefold(), key)
        if problem:
            yield Mistake(("tags", key), problem)
        elif twin != key:
            yield Mistake(("tags", key), f"differs only by case from '{twin}', which IAM refuses")
    if len(draft.tags) > TAGS - OWN_TAGS:
        yield Mistake(
            ("tags",),
            f"must be at most {TAGS - OWN_TAGS} tags: AWS allows {TAGS} and {OWN_TAGS} are the program's own "
            f"(got {len(draft.tags)})",
        )


def _wrong_tag(key: str, value: str) -> str:
    if key.casefold().startswith("aws:"):
        return "a tag's key may not start with aws:"
    if not 1 <= len(key) <= 128:
        return f"a tag's key has 1 to 128 characters (got {len(key)})"
    if len(value) > 256:
        return f"a tag's value has at most 256 characters (got {len(value)})"
    if not (_TAG.fullmatch(key) and _TAG.fullmatch(value)):
        return "tags take letters, digits, spaces and . : / = + - @ _ only"
    return ""


def alarm_window(draft: Draft) -> Iterator[Mistake]:
    """CloudWatch looks back one day at most, or a week with periods of an hour and more."""
    alarm = draft.observability
    limit = 86400 if alarm.period < 3600 else 604800
    if alarm.period * alarm.evaluation_periods > limit:
        yield Mistake(
            ("observability", "evaluation_periods"),
            f"must be 1 to {limit // alarm.period} with a period of {alarm.period} seconds: an alarm looks back at most "
            f"{limit} seconds{got(alarm.evaluation_periods)}",
            because=(("observability", "period"),),
        )


def alarm_address(draft: Draft) -> Iterator[Mistake]:
    """SNS takes one address per subscription."""
    address = draft.observability.alarm_email
    if address is not None and not re.fullmatch(
        r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}",
        address,
    ):
        yield Mistake(
            ("observability", "alarm_email"),
            f"must be one e-mail address, as in team@example.com{got(address)}",
        )


RULES = (stack_name, function_names, cors_origins, tag_names, alarm_window, alarm_address)
