"""Rules over what a function reaches and who reaches it: network, other resources, its URL, its tags."""

import re
from collections.abc import Iterator
from typing import Final

from settings import arns, wiring
from settings.draft import Draft
from settings.function import FunctionSettings
from settings.images import region_of
from settings.mistakes import Mistake, Path
from settings.runtimes import FAMILIES
from settings.stack_rules import MOST_TAGS, OWN_TAGS, TAGS, wrong_tag
from settings.text import refused

_OWN_QUEUE: Final = re.compile(
    rf"(?:{'|'.join((wiring.FAILURES_QUEUE, *wiring.QUEUE_CONSUMERS))})(?:-dead-letter)?-queue-[0-9a-f]{{7}}"
)
"""The name that Pulumi gives a queue of the program: its logical name, a dash and 7 hexadecimal digits."""

_REGIONAL: Final = (
    "kms_key_arn",
    "code_signing_config_arn",
    "dead_letter",
    "on_success",
    "on_failure",
)


def everything_is_in_the_stacks_region(draft: Draft) -> Iterator[Mistake]:
    """Lambda takes keys, layers, targets and images of its own region only."""
    for name, function in draft.functions.items() if draft.region else ():
        for path, region, given in _placed(draft, name, function):
            if region and region != draft.region:
                what = f"must be in {draft.region}, the stack's region"
                yield Mistake(path, refused(what, region), because=(("aws:region",), path, given))


def _placed(
    draft: Draft, name: str, function: FunctionSettings
) -> Iterator[tuple[Path, str, Path]]:
    """Yield each name that holds a region: the key, the region, the key of the function it belongs to."""

    def named(text: str) -> str:
        found = arns.parsed(text)
        return found.region if found else ""

    for key in _REGIONAL:
        if (text := getattr(function, key)) is not None:
            path = draft.origin(name, key)
            yield path, named(text), path
    layers = draft.origin(name, "layers")
    for index, layer in enumerate(function.layers):
        yield (*layers, str(index)), named(layer), layers
    if function.file_system_config is not None:
        path = draft.origin(name, "file_system_config")
        yield (*path, "arn"), named(function.file_system_config.arn), path
    if function.image_uri is not None:
        path = draft.origin(name, "image_uri")
        yield path, region_of(function.image_uri), path


def file_systems_have_a_network(draft: Draft) -> Iterator[Mistake]:
    """EFS is reached through a VPC."""
    for name, function in draft.functions.items():
        if function.file_system_config is not None and function.vpc_config is None:
            path = draft.origin(name, "file_system_config")
            what = "must stand beside vpc_config: a file system is reached through a network"
            yield Mistake(path, what, because=(draft.origin(name, "vpc_config"),))


def destinations_are_somewhere_else(draft: Draft) -> Iterator[Mistake]:
    """AWS refuses a function as its own destination."""
    for name, function in draft.functions.items():
        itself = f"function:{wiring.PROJECT}-{draft.stack}-{name}"
        for key in ("on_success", "on_failure"):
            target = arns.parsed(getattr(function, key) or "")
            resource = target.resource if target and target.service == "lambda" else ""
            if resource == itself or resource.startswith(f"{itself}:"):
                what = f"must be another function than {name} itself"
                yield Mistake(draft.origin(name, key), what)


def destinations_are_outside_the_program(draft: Draft) -> Iterator[Mistake]:
    """The program's queues have readers and keys of their own; its failures go to one of them without being sent there.

    AWS adds nothing to a queue's name that tells the stack, so a queue of another stack of this program counts as well.
    """
    for name, function in draft.functions.items():
        for key in ("dead_letter", "on_success", "on_failure"):
            given = getattr(function, key) or ""
            target = arns.parsed(given)
            queue = target.resource if target and target.service == "sqs" else ""
            if not _OWN_QUEUE.fullmatch(queue):
                continue
            for_failures = queue.startswith(wiring.FAILURES_QUEUE) and key != "on_success"
            remedy = "leave it out: failures go there by themselves" if for_failures else ""
            line = refused("must be a queue outside the program", given, remedy)
            yield Mistake(draft.origin(name, key), line)


def urls_are_for_whom_they_say(draft: Draft) -> Iterator[Mistake]:
    """An open URL is a decision of the program; streaming one of the runtime."""
    for name, function in draft.functions.items():
        url, path = function.function_url, draft.origin(name, "function_url")
        if url is None:
            continue
        if url.authorization_type == "NONE" and name not in wiring.PUBLIC_URLS:
            what = f"must be AWS_IAM for {name}: settings/wiring.py names no reason why everybody may call it"
            yield Mistake((*path, "authorization_type"), refused(what, "NONE"))
        elif url.authorization_type == "NONE" and url.principals:
            what = "must be empty where authorization_type is NONE, which lets everybody call"
            yield Mistake((*path, "principals"), refused(what, url.principals))
        family = FAMILIES[draft.families[name]]
        buffered = not family.streams and function.image_uri is None
        if url.invoke_mode == "RESPONSE_STREAM" and buffered:
            what = f"must be BUFFERED for {name}: Lambda cannot stream from {family.language}"
            yield Mistake((*path, "invoke_mode"), refused(what, url.invoke_mode))
        if url.cors and url.cors.allow_credentials and "*" in url.cors.allow_origins:
            what = "must be false where allow_origins is *, for no browser would heed it"
            yield Mistake((*path, "cors", "allow_credentials"), refused(what, given=True))


def tags_are_takable(draft: Draft) -> Iterator[Mistake]:
    """AWS's rules for tags; a function carries the stack's and the program's own besides."""
    for owner, own in draft.own.items():
        for key, value in own.get("tags", {}).items():
            if problem := _wrong_tag(key, value):
                yield Mistake(("functions", owner, "tags", key), problem)
    most = TAGS - len(OWN_TAGS)
    for name, function in draft.functions.items():
        count = len({*draft.tags, *function.tags})
        # Too many tags of the stack are that rule's matter, not every function's.
        if count > most and len(draft.tags) <= MOST_TAGS:
            what = (
                f"must be at most {most} tags for {name}, the stack's among them: AWS allows {TAGS}, the rest are the "
                "program's own"
            )
            yield Mistake(draft.origin(name, "tags"), refused(what, count))


def _wrong_tag(key: str, value: str) -> str:
    if key.casefold() in {own.casefold() for own in OWN_TAGS}:
        return "must not be a tag that the program sets; choose another key"
    return wrong_tag(key, value)


RULES: Final = (
    everything_is_in_the_stacks_region,
    file_systems_have_a_network,
    destinations_are_somewhere_else,
    destinations_are_outside_the_program,
    urls_are_for_whom_they_say,
    tags_are_takable,
)
