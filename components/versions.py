"""Old versions of functions: who may remove them, and how many stay."""

from __future__ import annotations

from collections.abc import Iterable

from components.grants import Grant, Statement
from components.place import Place


def prune(functions: Iterable[str], *, keep: int, place: Place) -> Grant:
    """Remove versions of these functions (logical names), all but the newest `keep` of each.

    The right to delete names versions only: a deletion of the function itself asks for its bare ARN, which is not here.
    """
    known = sorted(functions)
    arns = [place.function_arn(function) for function in known]
    names = [f"{place.prefix}-{function}" for function in known]
    return Grant(
        [
            Statement(["lambda:ListVersionsByFunction", "lambda:ListAliases"], arns),
            Statement(["lambda:DeleteFunction"], [f"{arn}:*" for arn in arns]),
        ],
        {"FUNCTION_NAMES": ",".join(names), "VERSIONS_TO_KEEP": str(keep)},
    )
