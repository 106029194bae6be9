"""Secrets and personal data, blotted out of whatever is logged or traced.

Found by the name of a member (password, e-mail), by what a value looks like (a token, a card's
number), and where a value was said to be secret, in texts, nested members, JSON inside of texts and
base64. A person's name or a national telephone number looks like any other text: what is not to be
in the logs is not logged; this is the net below.

The cost is bounded: long texts and large values are cut.
"""

from __future__ import annotations

import binascii
import functools
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

HIDDEN = "***"
LONGEST_TEXT = 16_384  # characters that are kept of one text
MOST_TEXT = 65_536  # characters that are kept of one line
_MOST_VALUES = 2_000  # of one line
_DEEPEST = 12  # nested members
_DEEPEST_BASE64 = 3
_OVERLAP = 2_048  # characters beyond the cut: half a secret is not recognised
_SHORTEST = 6  # characters; what is shorter is no secret that could be told from a word

_WORDS = (
    "password|passwd|passphrase|pwd|secret|token|authori[sz]ation|cookie|credentials?|signature"
    "|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|signing[_-]?key|client[_-]?secret"
    "|e[_-]?mail|phone|mobile|telephone|card[_-]?number|credit[_-]?card|iban|cvv|cvc|ssn|birth[_-]?date"
)
_NAMES = (
    *("password", "passwd", "passphrase", "secret", "token", "cookie", "credential", "signature"),
    *("authorization", "authorisation", "apikey", "accesskey", "privatekey", "signingkey"),
    *("email", "phone", "mobile", "cardnumber", "creditcard", "birthdate"),
)
_SHORT_NAMES = frozenset(
    {
        "pwd",
        "pass",
        "pin",
        "otp",
        "sid",
        "passcode",
        "sessionid",
        "iban",
        "cvv",
        "cvc",
        "ssn",
        "auth",
    }
)
# Without one of these, in small letters, no name of a secret is in a text; most lines have none.
_HINTS = (
    *("passw", "passphrase", "pwd", "secret", "token", "authori", "cookie", "credential", "cvv"),
    *("signature", "key", "mail", "phone", "mobile", "card", "iban", "cvc", "ssn", "birth"),
)
# `password=x`, `"password": "x y"`, `Authorization: Bearer x`, also within JSON inside of a text.
_NAMED = (
    rf"(?:{_WORDS})"
    r"""(?:[\w-]{0,24}(?:\\*["']\s{0,9}[:=]\s{0,9}|\s{0,9}=\s{0,9})|(?:[_-]?number)?:\s{1,9})"""
    # A text that was cut has no closing quote.
    r"""((?P<quote>\\*["']).{0,1024}?(?:(?P=quote)|\Z)"""
    r"""|(?:\\*["'])?(?:(?:bearer|basic|digest)\s+)?[^\s"'&,;)}\]]+)"""
)
# Each of the shapes below has one of these.
_SIGNS = ("@", "eyJ", "KIA", "SIA", "BIA", "CCA", "earer", "PRIVATE", "+")
_SHAPES = (
    r"(?<![A-Za-z0-9])eyJ[\w-]{5,}(?:\.[\w-]*){1,4}"  # a signed or encrypted token
    r"|(?<![A-Za-z0-9])A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}"  # the id of an access key
    r"|[Bb]earer\s+[\w.~+/=-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----)){0,8192}(?:-----END [A-Z ]*KEY-----)?"
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"  # user and password of a URL
    r"|(?<![\w.+-])[\w.+-]{1,64}@\w[\w-]*(?:\.[\w-]+)*\.[^\W\d_]{2,24}"  # an e-mail address
    r"|(?<!\w)\+\d(?:[ ().-]{0,2}\d){7,14}(?!\w)"  # an international telephone number
)
_SECRET_KEY = re.compile(r"(?<![\w/+])[A-Za-z\d/+]{40}(?![\w/+=])")
_CARD = re.compile(r"(?<![\w.])[2-6](?:[ -]?\d){12,24}(?![\w.])")
_ISSUERS = {"4": (13, 16, 19), "5": (16,), "2": (16,), "3": (14, 15, 16), "6": (16, 17, 18, 19)}
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_BYTE = r"(?:\\+x|%(?:25)*)([0-9a-fA-F]{2})"  # %2520 is a %20 that was quoted once more
_ESCAPED = (
    rf"(?P<bytes>(?:{_BYTE})+)"
    r"|\\+(?:u(?P<code>[0-9a-fA-F]{4})|(?P<blank>[nrt])|)"
)
_PLAIN = re.compile(r"[0-9a-f-]*|[A-Z_]*|[a-z/_-]*")  # hexadecimal, or words
_URL_SAFE = str.maketrans("-_", "+/")


def is_secret_name(name: str) -> bool:
    """Whether a member of this name is blotted out, whatever it holds."""
    return _named_secret(name[:128])


@functools.lru_cache(maxsize=512)
def _named_secret(name: str) -> bool:
    plain = "".join(filter(str.isalnum, name)).lower()
    return plain in _SHORT_NAMES or any(each in plain for each in _NAMES)


def clean_text(text: str, secrets: Collection[str] = ()) -> str:
    """A text without secrets, the given ones among them."""
    return Cleaner(secrets).text(text)


class Cleaner:
    """Makes one line clean, and keeps its budget."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = secrets
        self._characters = MOST_TEXT
        self._values = _MOST_VALUES

    def value(self, value: object, depth: int = 0) -> object:
        """A value as JSON knows it."""
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            return HIDDEN if _is_card(str(value)) else value
        if isinstance(value, str):
            return self.text(value)
        if depth >= _DEEPEST:
            return "(cut)"
        if isinstance(value, dict):
            return self.object(value, depth)
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(member, depth + 1) for member in self._affordable(value)]
        return self.text(said(value))

    def object(self, value: dict[Any, Any], depth: int = 0) -> dict[str, Any]:
        """An object's members, those of secret names hidden."""
        found: dict[str, Any] = {}
        # {"Name": "phone_number", "Value": ...}, as AWS writes attributes, parameters and headers.
        called = value.get("name", value.get("Name"))
        pair = isinstance(called, str) and is_secret_name(called)
        for key in self._affordable(value):
            name, member = str(key), value[key]
            hidden = is_secret_name(name) or (pair and name in {"value", "Value"})
            if hidden and not (member is None or isinstance(member, bool)):
                found[self.text(name)] = HIDDEN
            else:
                found[self.text(name)] = self.value(member, depth + 1)
        return found

    def _affordable(self, values: Collection[object]) -> Iterator[object]:
        for value in values:
            self._values -= 1
            if self._values < 0:
                return
            yield value

    def text(self, text: str) -> str:
        """A text, cut where it is too long."""
        if len(text) < _SHORTEST:
            return text
        room = max(0, min(LONGEST_TEXT, self._characters))
        length = len(text)
        cleaned = _cleaned(text[: room + _OVERLAP], self._secrets, 0)
        if length > room:
            cleaned = f"{cleaned[:room]}... ({length} characters)"
        self._characters -= min(length, room)
        return cleaned


def _cleaned(text: str, secrets: Collection[str], depth: int) -> str:
    text = _without_secrets(text, secrets, depth)
    if "\\" not in text and "%" not in text:
        return text
    # What is quoted in it (an exception's repr, JSON in JSON, a URL) is looked at as it was before.
    plain = unescaped(text)
    found = _without_secrets(plain, secrets, depth)
    return text if found == plain else found


def _without_secrets(text: str, secrets: Collection[str], depth: int) -> str:
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, HIDDEN)
    # The two large patterns are compiled when they are needed first: that takes as long as all else.
    lowered = text.lower()
    if any(hint in lowered for hint in _HINTS):
        text = re.sub(_NAMED, _without_value, text, flags=re.IGNORECASE | re.DOTALL)
    if any(sign in text for sign in _SIGNS):
        text = re.sub(_SHAPES, HIDDEN, text, flags=re.DOTALL)
    text = _SECRET_KEY.sub(_without_key, text)
    text = _CARD.sub(_without_card, text)
    if depth < _DEEPEST_BASE64:
        return _BASE64.sub(functools.partial(_without_hidden, secrets=secrets, depth=depth), text)
    return text


def unescaped(text: str) -> str:
    """A text without the escapes of JSON, Python and URLs, however often it was quoted."""
    return re.sub(_ESCAPED, _plain, text)


def _plain(found: re.Match[str]) -> str:
    if found["bytes"]:
        digits = re.findall(_BYTE, found["bytes"])
        return bytes.fromhex("".join(digits)).decode("utf-8", "replace").replace("\\", "")
    if found["code"]:
        return chr(int(found["code"], 16))
    return " " if found["blank"] else ""


def _without_value(found: re.Match[str]) -> str:
    quote = found["quote"] or ""
    name = found[0][: found.start(1) - found.start()]
    return f"{name}{quote}{HIDDEN}{quote}"


def _without_key(found: re.Match[str]) -> str:
    """The secret of an access key has letters of both kinds and digits; a hash or a path has not."""
    run = found[0]
    mixed = run.upper() != run != run.lower() and any(map(str.isdigit, run))
    return HIDDEN if mixed else run


def _without_card(found: re.Match[str]) -> str:
    # Other numbers may stand beside it.
    groups = re.split("[ -]", found[0])
    ends = range(1, len(groups) + 1)
    runs = ("".join(groups[start:end]) for end in ends for start in range(end))
    return HIDDEN if any(map(_is_card, runs)) else found[0]


def _is_card(digits: str) -> bool:
    """Whether these digits are a payment card's: an issuer's, with the right check digit."""
    if len(digits) not in _ISSUERS.get(digits[:1], ()):
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _without_hidden(found: re.Match[str], *, secrets: Collection[str], depth: int) -> str:
    """The text, or `***` where it is base64 of something that has to be blotted out."""
    run = found[0]
    if _PLAIN.fullmatch(run):
        return run
    body = run.rstrip("=").translate(_URL_SAFE)
    # What stands before it without a space (a folder, a name) shifts the groups of four.
    starts = range(4) if "/" in body or "+" in body else range(1)
    for start in starts:
        inner = _decoded(body[start:])
        if inner and _cleaned(inner, secrets, depth + 1) != inner:
            return HIDDEN
    return run


def _decoded(body: str) -> str:
    """The text in base64, "" where there is hardly any."""
    whole = body[: len(body) - (len(body) % 4 == 1)]
    content = binascii.a2b_base64(whole + "=" * (-len(whole) % 4))
    return content.decode("utf-8", "ignore")


def said(value: object) -> str:
    """A value as text, whatever its own method does."""
    try:
        return str(value)
    except Exception as error:
        return f"({type(error).__name__})"
