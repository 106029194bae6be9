"""From what pydantic refuses to one line per mistake."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from settings.fields import (
    Model,
    choices,
    entries,
    facts,
    holds_anything,
    holds_counts,
    kinds,
    known_keys,
    nested,
)
from settings.text import WrongValueError, did_you_mean, refused, shown, unknown

Path = tuple[str, ...]
AnyModel = TypeVar("AnyModel", bound=Model)

_READ_AS: Final = {True: ("on", "yes", "y", "true"), False: ("off", "no", "n", "false")}
"""Switch -> words that YAML 1.1 reads as it, where they stand without quotes."""

_TOO: Final = frozenset({"too_short", "too_long", "string_too_short", "string_too_long"})


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in a stack file: where, and what would be right."""

    path: Path
    text: str
    because: tuple[Path, ...] = ()
    """Other values it was judged by: where one of those is refused itself, this one is not judged."""

    def line(self, stack: str) -> str:
        """Return the line that the user reads."""
        known = known_keys()
        where = ".".join(key if key in known else shown(key) for key in self.path)
        return ": ".join(part for part in (f"Pulumi.{shown(stack)}.yaml", where, self.text) if part)


def checked(
    model: type[AnyModel], given: dict[str, Any], path: Path, mistakes: list[Mistake]
) -> AnyModel:
    """Return `given` as a model; what is wrong in it goes to `mistakes` and stands at its default in the result."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = _found(model, error)
        mistakes.extend(Mistake((*path, *where), text) for where, text in found.items())
        return model.model_validate(_without(model, given, set(found)))


def _found(model: type[Model], error: ValidationError) -> dict[Path, str]:
    """Return what is wrong where, less what only follows from it."""
    found: dict[Path, str] = {}
    missing: list[Path] = []
    for detail in error.errors(include_url=False):
        # Pydantic marks a map's key that is wrong itself.
        where = tuple(str(part) for part in detail["loc"] if part != "[key]")
        found[where] = _text(model, where, detail)
        missing += [where] if detail["type"] == "missing" else []
    # A list whose member is wrong counts as too short besides.
    above = {where[:end] for where in found for end in range(1, len(where))}
    meant = {
        where
        for where in missing
        for other, text in found.items()
        if other[:-1] == where[:-1] and text.endswith(f"did you mean '{where[-1]}'?")
    }
    return {where: text for where, text in found.items() if where not in above | meant}


def _without(model: type[Model], given: dict[str, Any], wrong: set[Path]) -> dict[str, Any]:
    """Return a map less its wrong values; of a map of texts only the wrong members go, so that the others are judged."""
    rest: dict[str, Any] = {}
    for key, value in given.items():
        whole = (key,) in wrong or key not in {where[0] for where in wrong}
        if not whole and Mapping in kinds(model.model_fields[key].annotation):
            members = cast("dict[str, Any]", value)
            within = {where[:2] for where in wrong}
            rest[key] = {name: part for name, part in members.items() if (key, name) not in within}
        elif whole and (key,) not in wrong:
            rest[key] = value
    return rest


def _text(model: type[Model], where: Path, detail: Any) -> str:
    if where[0] not in model.model_fields:
        helping = model.other_names.get(where[0], "")
        listed = unknown("key", where[0], sorted(model.model_fields), model.reference)
        return f"no such key; {helping}" if helping else listed
    field, below = model.model_fields[where[0]], where[1:]
    if below and (inner := nested(field.annotation)):
        return _text(inner, below, detail)
    if below[1:] and (inner := entries(field.annotation)):
        return _text(inner, below[1:], detail)
    return _of_field(where[0], field, detail, member=bool(below))


def _of_field(name: str, field: FieldInfo, detail: Any, *, member: bool) -> str:
    given, error = detail["input"], detail.get("ctx", {}).get("error")
    if isinstance(error, WrongValueError):
        return refused(error.what, given, error.remedy)
    if detail["type"] == "missing":
        return _missing(field)
    if detail["type"] == "model_type":
        return refused("must be a map of keys", given)
    if member:
        return _wrong_member(name, detail["loc"][-1], given)
    if detail["type"] in _TOO:
        # An empty text is shown: nobody looks for a 0 in the stack file.
        return refused(_expected(field, given), "" if given == "" else len(given))
    remedy = _quoted(field, given) or facts(field).remedy or _meant(field, given)
    return refused(_expected(field, given), given, remedy)


def _quoted(field: FieldInfo, given: object) -> str:
    """Return what helps where YAML has read a word such as ON as a switch."""
    words = {str(word).casefold(): word for word in choices(field.annotation)}
    if not isinstance(given, bool):
        return ""
    meant = next((words[word] for word in _READ_AS[given] if word in words), "")
    return f'write "{meant}" in quotes' if meant else ""


def _missing(field: FieldInfo) -> str:
    example = facts(field).example
    if isinstance(example, str):
        return f"must be given, as in {example}"
    return _expected(field, None).replace("must be", "must be given,", 1)


def _wrong_member(field: str, member: object, given: object) -> str:
    what = "must be text"
    remedy = "write it in quotes" if isinstance(given, bool | int | float) else ""
    if (field, member) == ("environment", "variables") and isinstance(given, dict):
        remedy = "write the variables right below environment"
    # A variable's value may be a PIN or a password, and no form tells.
    return (
        f"{what}{remedy and '; ' + remedy}"
        if field == "environment"
        else refused(what, given, remedy)
    )


def _expected(field: FieldInfo, given: object) -> str:
    wanted, known, unit = kinds(field.annotation), choices(field.annotation), facts(field).unit
    if known:
        return f"must be one of {', '.join(map(str, known))}{unit and ' ' + unit}"
    if bool in wanted:
        return "must be true or false"
    if int in wanted or float in wanted:
        whole = "a whole number, " if int in wanted and isinstance(given, float) else ""
        return f"must be {whole}{limits(field)}{unit and ' ' + unit}"
    if str in wanted:
        limited = length(field) and isinstance(given, str)
        return f"must be {length(field)} characters" if limited else "must be text"
    if tuple in wanted:
        return f"must be a list of {length(field)} {unit}" if unit else "must be a list of text"
    if holds_anything(field):
        return "must be a map of keys"
    if holds_counts(field):
        return "must be a map of text to whole numbers"
    return "must be a map of maps" if entries(field.annotation) else "must be a map of text to text"


def length(field: FieldInfo) -> str:
    """Return the words for the length of a text or list: `1 to 16`, `at most 5`; nothing where it has no limit."""
    low = next((rule.min_length for rule in field.metadata if isinstance(rule, MinLen)), 0)
    high = next((rule.max_length for rule in field.metadata if isinstance(rule, MaxLen)), None)
    if high is None:
        return ""
    return f"{low} to {high}" if low else f"at most {high}"


def limits(field: FieldInfo) -> str:
    """Return the words for a number's limits: `128 to 10240`, `1 or more`, `more than 0`."""
    low = next((rule.ge for rule in field.metadata if isinstance(rule, Ge)), None)
    high = next((rule.le for rule in field.metadata if isinstance(rule, Le)), None)
    above = next((rule.gt for rule in field.metadata if isinstance(rule, Gt)), None)
    if facts(field).values:
        return facts(field).values
    if above is not None:
        return f"more than {above}"
    return f"{low} or more" if high is None else f"{low} to {high}"


def _meant(field: FieldInfo, given: object) -> str:
    return did_you_mean(
        given, [name for name in choices(field.annotation) if isinstance(name, str)]
    )
