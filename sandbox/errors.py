"""The one kind of error a user sees: a line that names the place, the limit and the remedy."""

from __future__ import annotations


class Mistake(Exception):
    """Something the user can put right; the text is complete and is printed without a traceback.

    `code` is the exit code: 1 for a failed command, 2 for a wrong call of it.
    """

    def __init__(self, text: str, *, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def similar(word: str, known: object) -> str:
    """`; did you mean 'x'?` where one of `known` comes near, else nothing."""
    import difflib

    near = difflib.get_close_matches(word, [str(k) for k in known], n=1, cutoff=0.6)  # type: ignore[attr-defined]
    return f"; did you mean '{near[0]}'?" if near else ""


def choice(word: str, known: object) -> str:
    """`; did you mean 'x'?` where one of `known` comes near, else `; there are: x, y`."""
    there = ", ".join(sorted(str(k) for k in known)) or "none"  # type: ignore[attr-defined]
    return similar(word, known) or f"; there are: {there}"
