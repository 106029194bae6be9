"""The base of every settings model, and the one way to declare a field."""

import functools
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, ClassVar, Final, Literal, Union, cast, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo

from settings.text import WrongValueError, is_credential

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,15})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,15})\.[0-9]{1,15}")
_SWITCH = {"true": True, "false": False}

LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
"""Regular expression of one label of a host's name (RFC 1123)."""


def _read_only(pairs: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(pairs))


TextMap = Annotated[
    Mapping[str, str],
    AfterValidator(_read_only),
    PlainSerializer(dict, return_type=dict[str, str]),
]
"""A read-only map of text to text."""


def _as_json(pairs: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        text = json.dumps(dict(pairs), allow_nan=False)
    except ValueError:
        raise WrongValueError("must hold only what JSON can say") from None
    if is_credential(text):
        raise WrongValueError(
            "must not hold a credential", "keep it in Secrets Manager and pass its ARN"
        )
    return MappingProxyType(json.loads(text))


JsonMap = Annotated[
    Mapping[str, Any],
    AfterValidator(_as_json),
    PlainSerializer(dict, return_type=dict[str, Any]),
]
"""A map of text to anything that JSON can say."""


def _count(given: object) -> object:
    count = int(given) if isinstance(given, str) and _WHOLE.fullmatch(given) else given
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise WrongValueError("must be a whole number, 1 or more")
    return count


def _counts(pairs: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType(dict(pairs))


CountMap = Annotated[
    Mapping[str, Annotated[int, BeforeValidator(_count)]],
    AfterValidator(_counts),
    PlainSerializer(dict, return_type=dict[str, int]),
]
"""A read-only map of text to whole numbers from 1."""

LogRetention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # fmt: skip
"""Days that CloudWatch Logs can keep a group's events. "For ever" is not among them: nobody means it."""


class Model(BaseModel):
    """Frozen, and a stranger to keys that it does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    other_names: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """A key that other tools have -> what helps who wrote it here."""

    reference: ClassVar[str] = ""
    """The page that lists the keys, where they are too many for a line."""

    @field_validator("*", mode="before")
    @classmethod
    def _read_plain_text(cls, value: object, info: ValidationInfo) -> object:
        """Read `"512"` as 512 where a number is due, and `"true"` as true where a switch is due.

        `pulumi config set` stores some scalars as text. Only the canonical spelling is read: `yes`, `0512`, `1e3`
        and ` 5` stay text and are refused.
        """
        return _plain(value, kinds(cls.model_fields[info.field_name or ""].annotation))


@functools.cache
def known_keys() -> frozenset[str]:
    """Return every key of every model: what a line may show, however much it looks like a password."""

    def below(model: type[Model]) -> set[str]:
        return set(model.model_fields).union(*map(below, model.__subclasses__()))

    return frozenset(key for model in Model.__subclasses__() for key in below(model))


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a field beyond its type, limits and description."""

    unit: str = ""
    source: str = ""
    """Where its limits come from."""
    remedy: str = ""
    """What helps a user whose value was refused."""
    example: object = None
    values: str = ""
    """Words for its limits, where `ge` and `le` do not say them."""
    schema: Mapping[str, Any] | None = None
    """JSON schema keywords for what the type and limits leave open; the program may check more."""


def setting(
    default: object,
    description: str,
    *,
    unit: str = "",
    source: str = "",
    remedy: str = "",
    example: object = None,
    values: str = "",
    schema: Mapping[str, Any] | None = None,
    ge: float | None = None,
    le: float | None = None,
    gt: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
) -> Any:
    """Declare one setting: its default (`...` for none), what it does, its limits and what `Facts` holds."""
    known = Facts(
        unit=unit, source=source, remedy=remedy, example=example, values=values, schema=schema
    )
    given = {"ge": ge, "le": le, "gt": gt, "min_length": min_length, "max_length": max_length}
    limits: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if default == {}:
        limits["validate_default"] = True  # the read-only form that a given map gets too
    return Field(
        default,
        description=description,
        json_schema_extra={"facts": cast("Any", known)},
        **limits,
    )


def form(pattern: str, what: str, remedy: str = "") -> AfterValidator:
    """Return a validator that takes only texts of one form."""
    wanted = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if not wanted.fullmatch(text):
            raise WrongValueError(what, remedy)
        return text

    return AfterValidator(check)


def members(pattern: str, *, unique: bool = False) -> dict[str, object]:
    """Return the schema keywords of a list whose members have one form; `unique`: each of them once."""
    form: dict[str, object] = {"items": {"type": "string", "pattern": f"^(?:{pattern})$"}}
    return {**form, "uniqueItems": True} if unique else form


def facts(field: FieldInfo) -> Facts:
    """Return what `setting` noted beside the field."""
    extra = field.json_schema_extra
    known: object = extra.get("facts") if isinstance(extra, dict) else None
    return known if isinstance(known, Facts) else Facts()


def holds_anything(field: FieldInfo) -> bool:
    """Tell whether a map's values may be more than text."""
    return (facts(field).schema or {}).get("additionalProperties") is True


def holds_counts(field: FieldInfo) -> bool:
    """Tell whether a map's values are whole numbers."""
    return field.annotation == get_args(CountMap)[0]


def kinds(annotation: Any) -> tuple[type, ...]:
    """Return the plain types an annotation admits: `(int, NoneType)` for `int | None`, its values' types for a Literal."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return tuple(kind for part in get_args(annotation) for kind in kinds(part))
    if origin is Literal:
        return tuple({type(value) for value in get_args(annotation)})
    if origin is Annotated:
        return kinds(get_args(annotation)[0])
    return (NoneType,) if annotation in (None, NoneType) else (origin or annotation,)


def nested(annotation: Any) -> type[Model] | None:
    """Return the model of a setting that is a map of settings itself; None for any other."""
    return next((kind for kind in kinds(annotation) if issubclass(kind, Model)), None)


def entries(annotation: Any) -> type[Model] | None:
    """Return the model of each entry of a map by free names; None for what is no such map."""
    if get_origin(annotation) is Annotated:
        return entries(get_args(annotation)[0])
    if get_origin(annotation) is not Mapping:
        return None
    return nested(get_args(annotation)[1])


def distinct(members: tuple[str, ...]) -> tuple[str, ...]:
    """Return a list that names nothing twice; raise WrongValueError for another."""
    if len(set(members)) < len(members):
        raise WrongValueError("must not name one twice")
    return members


def choices(annotation: Any) -> tuple[Any, ...]:
    """Return the values of a Literal; empty for anything else."""
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _plain(value: object, wanted: tuple[type, ...]) -> object:
    if isinstance(value, str):
        return _from_text(value, wanted)
    if isinstance(value, list) and tuple in wanted:
        return tuple(cast("list[object]", value))
    if isinstance(value, float) and int in wanted and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


def _from_text(text: str, wanted: tuple[type, ...]) -> object:
    if bool in wanted:
        return _SWITCH.get(text, text)
    if str in wanted:
        return text
    if (int in wanted or float in wanted) and _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if float in wanted and _DECIMAL.fullmatch(text) else text
