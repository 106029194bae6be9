"""What a function says while it runs: numbers that are found by the stack's name, and samples that get through."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies import aws, links
from policies.metric_names import STACK
from policies.model import Registered, Stack, rule

NAME, RATE = STACK.upper(), "LOG_SAMPLE_RATE"
"""Variables of a function: what the stack is called, and the share of its invocations that log everything."""
EVERYTHING = frozenset({"TRACE", "DEBUG"})

_SHARE = re.compile(r"0(?:\.\d+)?|1(?:\.0+)?|\d(?:\.\d+)?e-\d+")


@rule
def function_counts_for_its_stack(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Two stacks share an account and a namespace: what they count is told apart by the stack's name alone."""
    for function in stack.all(aws.FUNCTION):
        short = f"-{function.name.removesuffix('-function')}"
        called = str(function.get("name"))
        if links.environment(function).get(NAME) != called.removesuffix(short):
            yield function, f"its variable {NAME} must be {called.removesuffix(short)}"


@rule
def samples_reach_the_log(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Lambda drops lines below its own level: an invocation that logs everything needs that to be the lowest."""
    for function in stack.all(aws.FUNCTION):
        rate = links.environment(function).get(RATE)
        if rate is None:
            continue
        if not _SHARE.fullmatch(rate):
            yield function, f"its variable {RATE} is '{rate}'; say 0 to 1"
        elif float(rate) and function.get("loggingConfig.applicationLogLevel") not in EVERYTHING:
            yield function, "logs samples; loggingConfig.applicationLogLevel must be DEBUG"


RULES = (function_counts_for_its_stack, samples_reach_the_log)
