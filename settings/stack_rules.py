"""Rules over the whole stack: its name, its functions' names, origins and tags."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from settings import wiring
from settings.api import ORIGIN
from settings.draft import Draft
from settings.mistakes import Mistake
from settings.text import refused

NAME_LENGTH: Final = 64
"""Characters that Lambda allows a function's name, and IAM a role's."""

AUTO_NAME: Final = 8
"""Characters that Pulumi adds to a logical name: a dash and 7 hexadecimal digits."""

CHILD_NAME: Final = 16
"""Characters that the program may add to a function's name for its role, alarms and destinations."""

TAGS: Final = 50
"""Tags that AWS allows a resource."""

OWN_TAGS: Final = ("Project", "Environment", "Name", "Service", "Runtime", "HasLayers")
"""Keys of the tags that the program itself sets, the last four on functions."""

MOST_TAGS: Final = 40
"""Tags a stack file may set for the whole stack: the rest of the 50 is for the program and for single functions."""

FUNCTION_NAME: Final = NAME_LENGTH - AUTO_NAME - CHILD_NAME
"""Characters that a function's own name may have."""

TAG: Final = r"[\w\s.:/=+@-]*"
"""Regular expression of what a tag may hold."""


def stack_name(draft: Draft) -> Iterator[Mistake]:
    """The stack's name is part of every function's name."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", draft.stack):
        what = "must be letters, digits, - and _ only, because functions carry the stack's name"
        yield Mistake(("stack",), refused(what, draft.stack, "choose another name for the stack"))
        return
    longest = max(draft.functions, key=len)
    room = NAME_LENGTH - len(f"{wiring.PROJECT}--{longest}")
    if len(draft.stack) > room:
        full = f"{wiring.PROJECT}-<stack>-{longest}"
        what = f"must be 1 to {room} characters, because {full} may have {NAME_LENGTH}"
        yield Mistake(
            ("stack",), refused(what, len(draft.stack), "choose a shorter name for the stack")
        )


def function_names(draft: Draft) -> Iterator[Mistake]:
    """A function's role and alarms carry its name, and Pulumi's seven digits."""
    for name in draft.functions:
        if len(name) > FUNCTION_NAME:
            what = f"must be 1 to {FUNCTION_NAME} characters, because its role's name may have {NAME_LENGTH}"
            yield Mistake(("functions", name), refused(what, len(name), "rename its handler"))


def cors_origins(draft: Draft) -> Iterator[Mistake]:
    """Browsers compare an origin character by character, and a REST API's own answers (preflight, errors) can name
    only a fixed one.
    """
    origins = draft.api.cors_allow_origins
    yield from _wrong_origins("api", origins)
    yield from _wrong_origins("http_api", draft.http_api.cors_allow_origins)
    if len(origins) > 1:
        what = "must be at most 1 origin: what the gateway answers by itself names a fixed one"
        yield Mistake(("api", "cors_allow_origins"), refused(what, len(origins)))


def _wrong_origins(section: str, origins: Sequence[str]) -> Iterator[Mistake]:
    for index, origin in enumerate(origins):
        if problem := _wrong_origin(origin):
            yield Mistake((section, "cors_allow_origins", str(index)), refused(problem, origin))


def _wrong_origin(origin: str) -> str:
    if "*" in origin:
        return "must name one origin: with * any page could call the API"
    match = re.fullmatch(ORIGIN, origin)
    if not match or ".." in origin or int(match[3] or 0) > 65535:
        return "must be https://host or https://host:port, in lower case and without a path"
    if (match[1], match[3]) in {("http", "80"), ("https", "443")}:
        return "must leave out the port that the scheme implies, as browsers do"
    return ""


def tag_names(draft: Draft) -> Iterator[Mistake]:
    """AWS's rules for tags; IAM moreover takes two keys that differ by case for one."""
    seen = {own.casefold(): own for own in OWN_TAGS}
    for key, value in draft.tags.items():
        twin = seen.setdefault(key.casefold(), key)
        if problem := wrong_tag(key, value):
            yield Mistake(("tags", key), problem)
        elif twin in OWN_TAGS:
            yield Mistake(
                ("tags", key), "must not be a tag that the program sets; choose another key"
            )
        elif twin != key:
            yield Mistake(("tags", key), f"must differ from '{twin}' by more than case, for IAM")
    if len(draft.tags) > MOST_TAGS:
        what = f"must be at most {MOST_TAGS} tags: AWS allows {TAGS}, the rest is for functions and the program"
        yield Mistake(("tags",), refused(what, len(draft.tags)))


def wrong_tag(key: str, value: str) -> str:
    """Return what AWS refuses about a tag, or nothing."""
    if key.casefold().startswith("aws:"):
        return "must not start with aws:, which AWS keeps for itself"
    if not 1 <= len(key) <= 128:
        return refused("must be a key of 1 to 128 characters", len(key))
    if len(value) > 256:
        return refused("must be a value of at most 256 characters", len(value))
    if not (re.fullmatch(TAG, key) and re.fullmatch(TAG, value)):
        return "must be letters, digits, spaces and . : / = + - @ _ only, key and value"
    return ""


def images_outlive_versions(draft: Draft) -> Iterator[Mistake]:
    """A version runs its image for as long as it is called; one that has expired stops it."""
    for name, repository in draft.repositories.items():
        if repository.keep_images <= draft.versions_to_keep:
            what = f"must be more than versions_to_keep, {draft.versions_to_keep}: a version stops without its image"
            path = ("repositories", name, "keep_images")
            line = refused(what, repository.keep_images)
            yield Mistake(path, line, because=(("versions_to_keep",),))


RULES: Final = (
    stack_name,
    function_names,
    images_outlive_versions,
    cors_origins,
    tag_names,
)
