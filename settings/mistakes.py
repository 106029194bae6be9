"""From what pydantic refuses to one line per mistake."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from annotated_types import Ge, Gt, Le
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from settings.fields import Model, choices, kinds
from settings.text import did_you_mean, got, shown

Path = tuple[str, ...]
AnyModel = TypeVar("AnyModel", bound=Model)

NOT_A_MAP = "must be a map of keys"


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in a stack file: where, and what would be right."""

    path: Path
    text: str
    because: tuple[Path, ...] = ()
    """Other values it was judged by: when one of those is refused itself, this one is not judged."""

    def line(self, stack: str) -> str:
        """Return the line that the user reads."""
        where = ".".join(map(shown, self.path))
        return ": ".join(part for part in (f"Pulumi.{shown(stack)}.yaml", where, self.text) if part)


def checked(model: type[AnyModel], given: object, path: Path, mistakes: list[Mistake]) -> AnyModel:
    """Return `given` as a model; what is wrong in it goes to `mistakes` and is left out of the result."""
    if not isinstance(given, dict):
        mistakes.append(Mistake(path, NOT_A_MAP + got(given, path[-1])))
        return model()
    try:
        return model.model_validate(given)
    except ValidationError as refused:
        rest: dict[str, Any] = copy.deepcopy(given)
        for error in refused.errors(include_url=False, include_context=True):
            where = tuple(part for part in error["loc"] if part != "[key]")
            mistakes.append(Mistake((*path, *_names(where)), _text(model, where, error)))
            rest.pop(str(where[0]), None)
        return model.model_validate(rest)


def unknown(kind: str, given: str, known: Sequence[str]) -> str:
    """Return the text for a name that does not exist: the near miss, else what there is."""
    near = did_you_mean(given, known)
    return f"no such {kind}{near}" if near else f"no such {kind}; there {_are(known)}"


def _are(known: Sequence[str]) -> str:
    return f"{'is' if len(known) == 1 else 'are'} {', '.join(known)}"


def _names(where: tuple[int | str, ...]) -> Path:
    return tuple(str(part) for part in where)


def _text(model: type[Model], where: tuple[int | str, ...], error: Any) -> str:
    name = str(where[0])
    if error["type"] == "extra_forbidden":
        return unknown("key", name, sorted(model.model_fields))
    field = model.model_fields[name]
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    remedy = f"; {extra['x-remedy']}" if "x-remedy" in extra else ""
    given = error["input"]
    if error["type"] == "value_error":
        return str(error["ctx"]["error"]) + remedy + got(given, name)
    if len(where) > 1:
        return "must be text" + (", in quotes" if isinstance(given, bool | int | float) else "")
    return (
        _expected(field, str(extra.get("x-unit", "")), given)
        + remedy
        + _meant(field, given)
        + got(given, name)
    )


def _expected(field: FieldInfo, unit: str, given: object) -> str:
    wanted, known = kinds(field.annotation), choices(field.annotation)
    if known:
        return f"must be one of {', '.join(map(str, known))}{unit and ' ' + unit}"
    if bool in wanted:
        return "must be true or false"
    if int in wanted or float in wanted:
        whole = int in wanted and isinstance(given, float)
        return f"must be {'a whole number, ' if whole else ''}{_limits(field)}{unit and ' ' + unit}"
    if str in wanted:
        return "must be text, in quotes" if isinstance(given, int | float) else "must be text"
    return "must be a list of text" if tuple in wanted else "must be a map of text to text"


def _limits(field: FieldInfo) -> str:
    """Return the words for a field's limits: `128 to 10240`, `at least 1`, `more than 0`."""
    low = next((rule.ge for rule in field.metadata if isinstance(rule, Ge)), None)
    high = next((rule.le for rule in field.metadata if isinstance(rule, Le)), None)
    above = next((rule.gt for rule in field.metadata if isinstance(rule, Gt)), None)
    if above is not None:
        return f"more than {above}"
    return f"at least {low}" if high is None else f"{low} to {high}"


def _meant(field: FieldInfo, given: object) -> str:
    known = [choice for choice in choices(field.annotation) if isinstance(choice, str)]
    return did_you_mean(given, known) if isinstance(given, str) else ""
