"""Words for mistakes: what was meant, and what was given without giving away a secret."""

import difflib
import re
from collections.abc import Iterable

LONGEST = 48
"""Characters of a value or key that a line shows."""

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
_DENSE = re.compile(r"(?=[^\s]*\d)(?=[^\s]*[A-Za-z])[\w+/=.~!@#$%^&*-]{20,}")
_SECRET_NAME = re.compile(
    r"pass(?:word|wd|phrase)?(?:_|$)|pwd|secret|token|credential|api_?key|private|salt",
    re.IGNORECASE,
)


def is_credential(value: str) -> bool:
    """Tell whether a text has the form of a credential: an access key, a private key, a signed token."""
    return bool(_CREDENTIAL.search(value))


def got(value: object, key: str = "") -> str:
    """Return ` (got ...)` for a line: short, on one line, and empty of meaning where it may be a secret."""
    if isinstance(value, dict):
        return " (got a map)"
    if isinstance(value, list | tuple):
        return " (got a list)"
    if value is None:
        return " (got nothing)"
    if isinstance(value, bool):
        return f" (got {str(value).lower()})"
    text = repr(value) if isinstance(value, str) else f"{value}"
    if _SECRET_NAME.search(key) or (isinstance(value, str) and _may_be_secret(value)):
        return " (value not shown)"
    return f" (got {_short(text)})"


def shown(key: str) -> str:
    """Return a key as a line may show it: as it is when plain, else quoted and cut."""
    if _may_be_secret(key):
        return "<not shown>"
    return key if re.fullmatch(r"[\w.:/@-]{1,64}", key, re.ASCII) else _short(repr(key))


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return `; did you mean '...'?` for a near miss, whatever its case, else nothing."""
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(given[:100].casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean '{folded[near[0]]}'?" if near else ""


def _may_be_secret(text: str) -> bool:
    return is_credential(text) or any(len(part) >= 20 for part in _DENSE.findall(text))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
