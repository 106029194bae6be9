"""Words for mistakes: what was meant, and what was given without giving away a secret."""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Final

LONGEST: Final = 60
"""Characters of a value or key that a line shows."""

LONGEST_NAME: Final = 200
"""Characters of an ARN that a line shows: what is wrong with one stands at its end."""

_CREDENTIAL = re.compile(
    r"(?:AKIA|ASIA)[0-9A-Z]{12,}"  # AWS access keys
    r"|-----BEGIN"  # PEM
    r"|eyJ[\w-]{8,}\."  # JWT
    r"|gh[opsur]_\w{16,}|github_pat_\w+"
    r"|xox[abprs]-"
    r"|sk[-_](?:live|test|proj|ant)[-_]\w+"
    r"|v1:[\w+/=]{8,}:"  # ciphertext of a stack file
    r"|://[^/\s:@]+:[^/\s@]+@"  # password in a URL
)
_DENSE = re.compile(r"[A-Za-z0-9+/=_~!@#$%^&*-]{20,}")
_NAMED_BY_AWS: Final = ("arn:", "subnet-", "sg-", "fs-", "vpc-", "syn-", "ELBSecurityPolicy-")
_PLAIN_KEY = re.compile(r"[\w.:/@<>-]{1,64}", re.ASCII)


class WrongValueError(ValueError):
    """What is wrong with one value, and what helps."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def is_credential(value: str) -> bool:
    """Tell whether a text has the form of a credential: an access key, a private key, a signed token."""
    return bool(_CREDENTIAL.search(value))


def refused(what: str, given: object, remedy: str = "") -> str:
    """Return a line's text: the limit, the value given, the remedy."""
    return f"{what} (got {_value(given)}){remedy and '; ' + remedy}"


def shown(key: str) -> str:
    """Return a key as a line may show it: as it is when plain, else quoted and cut."""
    if _may_be_secret(key):
        return "<not shown>"
    return key if _PLAIN_KEY.fullmatch(key) else _short(repr(key))


def did_you_mean(given: object, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return `did you mean '...'?` for a near miss, whatever its case, else nothing; with a `cutoff` of 1 none is near."""
    if not isinstance(given, str):
        return ""
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(given[:100].casefold(), folded, n=1, cutoff=cutoff)
    return f"did you mean '{folded[near[0]]}'?" if near else ""


def unknown(kind: str, given: str, known: Iterable[str], reference: str = "") -> str:
    """Return the text for a name that does not exist: the near miss, else what there is or the page that lists it."""
    names = list(known)
    rest = f"see {reference}" if reference else f"known: {', '.join(names)}"
    return f"no such {kind}; {did_you_mean(given, names) or rest}"


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them: `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _value(given: object) -> str:
    if isinstance(given, dict):
        return "a map"
    if isinstance(given, list | tuple):
        return "a list"
    if given is None:
        return "nothing"
    if isinstance(given, str):
        longest = LONGEST_NAME if given.startswith(_NAMED_BY_AWS) else LONGEST
        return "a value not shown here" if _may_be_secret(given) else _short(repr(given), longest)
    return _short(str(given).lower() if isinstance(given, bool) else _number(given))


def _number(given: object) -> str:
    try:
        return str(given)
    except ValueError:  # Python refuses to print integers of thousands of digits
        return "a number too long to print"


def _may_be_secret(text: str) -> bool:
    """Tell whether a text is a credential by its form, or as dense as a generated password.

    The identifiers that AWS gives are as dense, and nobody finds a slip of the pen in one that is not shown.
    """
    if text.startswith(_NAMED_BY_AWS):
        return is_credential(text)
    dense = (
        run for run in _DENSE.findall(text) if re.search(r"\d", run) and re.search(r"[A-Za-z]", run)
    )
    return is_credential(text) or any(dense)


def _short(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
