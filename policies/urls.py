"""Function URLs: addresses of their own, past the API and its authorizer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from policies import aws, links, runtimes
from policies.model import Registered, Stack, rule

INVOKE, INVOKE_URL = "lambda:InvokeFunction", "lambda:InvokeFunctionUrl"

PUBLIC: Mapping[str, str] = {
    "webhook": "partners sign each delivery with a shared secret, which the function checks; they have no IAM identity"
}
"""Functions (logical names) whose URL may be called by anybody, and why."""

METHODS = frozenset({"GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"})
"""What CORS of a URL may allow: Lambda takes six letters at most, and answers OPTIONS itself."""
MOST_METHODS, LONGEST_AGE = 6, 86_400

_CALLER = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:root|(?:role|user)/[\w+=,.@/-]+)", re.ASCII)
"""An account goes by the ARN of its root: AWS keeps 12 digits in that form, and the provider would see a difference."""


@rule
def url_belongs_to_an_alias(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Without the alias it would serve what was not released; AWS takes one URL for each."""
    seen: set[tuple[object, object]] = set()
    for url in stack.all(aws.FUNCTION_URL):
        place = url.get("functionName"), url.get("qualifier")
        if not stack.having(aws.ALIAS, functionName=place[0], name=place[1]):
            yield url, "qualifier must be an alias of a function of this stack"
        if place in seen:
            yield url, "its alias already has a URL"
        seen.add(place)
        function = links.named_function(stack, place[0])
        mode = url.get("invokeMode")
        if mode not in {None, "BUFFERED", "RESPONSE_STREAM"}:
            yield url, f"invokeMode is {mode}; say BUFFERED or RESPONSE_STREAM"
        family = runtimes.family(function.get("runtime")) if function else ""
        if mode == "RESPONSE_STREAM" and family in runtimes.BUFFERED_ONLY:
            yield url, f"the {family} runtimes cannot stream; invokeMode must be BUFFERED"


@rule
def url_asks_who_is_calling(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Signed requests only; a URL for everybody is named here, with its reason."""
    for url in stack.all(aws.FUNCTION_URL):
        function = links.named_function(stack, url.get("functionName"))
        name = function.name.removesuffix("-function") if function else ""
        if url.get("authorizationType") != "AWS_IAM" and name not in PUBLIC:
            yield url, "authorizationType must be AWS_IAM: it is not on the list of public URLs"
        yield from ((url, text) for text in _careless(url.get("cors") or {}))


@rule
def url_is_called_by_named_callers(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """A caller of a URL needs two rights on the alias that has it; each is given to one account, role or user.

    To a URL for everybody the provider gives both by itself; who writes them down as well writes down both.
    """
    kinds = {
        (u.get("functionName"), u.get("qualifier")): u.get("authorizationType")
        for u in stack.all(aws.FUNCTION_URL)
    }
    given: dict[tuple[object, ...], dict[object, Registered]] = defaultdict(dict)
    for permission in stack.all(aws.PERMISSION):
        if not is_for_a_url(permission):
            continue
        place = permission.get("function"), permission.get("qualifier")
        who = str(permission.get("principal"))
        kind = kinds.get(place)
        if kind == "NONE" and who != "*":
            yield permission, f"principal '{who}' of a URL for everybody must be '*'"
        if kind != "NONE" and not _CALLER.fullmatch(who):
            yield permission, f"principal '{who}' must be one account, IAM role or user"
        if kind is None:
            yield permission, "belongs to no URL of this stack; remove it"
        yield from ((permission, text) for text in _misspelt(permission, kind or "AWS_IAM"))
        given[(*place, who)][permission.get("action")] = permission
    for (*_, who), by_action in given.items():
        for action in {INVOKE, INVOKE_URL} - by_action.keys():
            first = next(iter(by_action.values()))
            yield first, f"is half of what {who} needs; give {action} on the same alias too"


@rule
def url_for_everybody_is_bounded(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Nothing stands in front of it, neither throttle nor firewall: what it may cost is the function's reservation."""
    for url in stack.having(aws.FUNCTION_URL, authorizationType="NONE"):
        function = links.named_function(stack, url.get("functionName"))
        reserved = function.get("reservedConcurrentExecutions") if function else None
        if stack.rehearsal and (not isinstance(reserved, int) or reserved < 1):
            yield url, "set reservedConcurrentExecutions of its function: nothing else bounds it"


def is_for_a_url(permission: Registered) -> bool:
    """It lets somebody call a URL: these name a caller, not a source."""
    return (
        permission.get("action") == INVOKE_URL
        or permission.get("functionUrlAuthType") is not None
        or permission.get("invokedViaFunctionUrl") is not None
    )


def _misspelt(permission: Registered, wanted: str) -> Iterator[str]:
    """AWS refuses each of the two with the other one's condition."""
    kind, through = permission.get("functionUrlAuthType"), permission.get("invokedViaFunctionUrl")
    match permission.get("action"):
        case "lambda:InvokeFunctionUrl":
            if kind != wanted or through is not None:
                yield f"needs functionUrlAuthType {wanted}, and no invokedViaFunctionUrl"
        case "lambda:InvokeFunction":
            if through is not True or kind is not None:
                yield "needs invokedViaFunctionUrl, and no functionUrlAuthType"
        case other:
            yield f"allows {other}; allow {INVOKE_URL} and {INVOKE} only"


def _careless(cors: Mapping[str, Any]) -> Iterator[str]:
    if cors.get("allowCredentials") and "*" in (cors.get("allowOrigins") or ()):
        yield "CORS with credentials must name its origins"
    methods = list(cors.get("allowMethods") or ())
    if not set(methods) <= METHODS or len(methods) > MOST_METHODS:
        yield f"allowMethods may be {MOST_METHODS} of {', '.join(sorted(METHODS))}"
    age = cors.get("maxAge") or 0
    if not 0 <= age <= LONGEST_AGE:
        yield f"maxAge is {age}; it must be 0 to {LONGEST_AGE}"


RULES = (
    url_belongs_to_an_alias,
    url_asks_who_is_calling,
    url_is_called_by_named_callers,
    url_for_everybody_is_bounded,
)
