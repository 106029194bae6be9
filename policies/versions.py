"""Old versions of functions: who removes them, and that nobody can remove a function."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from policies import aws, documents, links
from policies.model import Registered, Stack, rule

DELETE = "lambda:DeleteFunction"
LIST = ("lambda:ListVersionsByFunction", "lambda:ListAliases")
CLEANS = "FUNCTION_NAMES"
"""The variable that tells a function whose versions to remove, names joined by commas."""


@rule
def nobody_may_delete_a_function(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Deleting a version and deleting a function are one action; only the version's ARN, `<function>:*`, is safe to grant."""
    versions = {f"{function.output('arn')}:*" for function in stack.all(aws.FUNCTION)}
    for policy in stack.all(aws.ROLE_POLICY):
        for statement in documents.of(policy.get("policy")):
            # IAM reads actions without regard to case.
            deletes = any(fnmatchcase(DELETE.lower(), a.lower()) for a in statement.actions)
            for resource in statement.resources if statement.allows and deletes else ():
                if resource not in versions:
                    yield (
                        policy,
                        f"may delete {resource}; name versions only, as <a function of this stack>:*",
                    )


@rule
def cleaner_may_remove_versions(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Exactly what removing versions takes, for exactly the functions that it is told of."""
    for function in stack.all(aws.FUNCTION):
        if links.acts_in_a_foreign_role(stack, function):
            continue
        held = links.rights(stack, links.role_of(stack, function))
        given = {pair for pair in documents.pairs(held) if pair[0] in {DELETE, *LIST}}
        wanted = set[tuple[str, str]]()
        for name in told_of(function):
            named = links.named_function(stack, name)
            if named is None:
                yield function, f"{CLEANS} names '{name}', which is no function of this stack"
            else:
                arn = named.output("arn")
                wanted |= {(DELETE, f"{arn}:*"), *((action, arn) for action in LIST)}
        for action, resource in sorted(wanted - given):
            yield function, f"is to remove old versions; it needs {action} on {resource}"
        for action, resource in sorted(given - wanted):
            yield function, f"may {action} on {resource}, but {CLEANS} does not name it"


@rule
def cleaner_knows_every_function(stack: Stack) -> Iterator[tuple[Registered, str]]:
    """Every release leaves a version behind; of a function that nobody cleans, 75 GB of code are full one day."""
    cleaners = [f for f in stack.all(aws.FUNCTION) if told_of(f)]
    told = {name for cleaner in cleaners for name in told_of(cleaner)}
    for function in stack.all(aws.FUNCTION) if cleaners else ():
        if function.get("name") not in told:
            yield function, f"{cleaners[0].name} is not told of it, and its old versions stay"


def told_of(function: Registered) -> list[str]:
    """Physical names of the functions whose versions a function is to remove."""
    return [name for name in links.environment(function).get(CLEANS, "").split(",") if name]


RULES = (
    nobody_may_delete_a_function,
    cleaner_may_remove_versions,
    cleaner_knows_every_function,
)
