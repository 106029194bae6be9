"""The base of every settings model, and the one way to declare a field."""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
)

_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,15})")
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,15})\.\d{1,15}")
_SWITCH = {"true": True, "false": False}

TextMap = Annotated[
    Mapping[str, str],
    AfterValidator(lambda pairs: MappingProxyType(dict(pairs))),
    PlainSerializer(dict, return_type=dict[str, str]),
]
"""A read-only map of text to text."""


class Model(BaseModel):
    """Frozen, and a stranger to keys that it does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _read_plain_text(cls, value: object, info: ValidationInfo) -> object:
        """Read `"512"` as 512 where a number is due, and `"true"` as true where a switch is due.

        `pulumi config set` stores some scalars as text. Only the canonical spelling is read: `yes`, `0512`, `1e3`
        and ` 5` stay text and are refused.
        """
        return _plain(value, kinds(cls.model_fields[info.field_name or ""].annotation))


def setting(  # noqa: PLR0913 - one keyword per fact about the field; a call names the few it needs
    default: object,
    description: str,
    *,
    unit: str = "",
    source: str = "",
    remedy: str = "",
    example: object = None,
    ge: float | None = None,
    le: float | None = None,
    gt: float | None = None,
) -> Any:
    """Declare one setting: its default, what it does, its unit, where its limits come from, and what helps when refused."""
    extra = {"unit": unit, "source": source, "remedy": remedy, "example": example}
    limits: dict[str, Any] = {"ge": ge, "le": le, "gt": gt}
    return Field(
        default,
        description=description,
        json_schema_extra={f"x-{key}": value for key, value in extra.items() if value},
        **{key: value for key, value in limits.items() if value is not None},
    )


def kinds(annotation: Any) -> tuple[type, ...]:
    """Return the plain types an annotation admits, `int | None` giving `(int, NoneType)` and a Literal its values' types."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return tuple(kind for part in get_args(annotation) for kind in kinds(part))
    if origin is Literal:
        return tuple({type(value) for value in get_args(annotation)})
    if origin is Annotated:
        return kinds(get_args(annotation)[0])
    return (NoneType,) if annotation in (None, NoneType) else (origin or annotation,)


def choices(annotation: Any) -> tuple[Any, ...]:
    """Return the values of a Literal, also of one inside an optional; empty for anything else."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(value for part in get_args(annotation) for value in choices(part))


def _plain(value: object, wanted: tuple[type, ...]) -> object:
    if isinstance(value, str):
        return _from_text(value, wanted)
    if isinstance(value, list) and tuple in wanted:
        return tuple(value)  # pyright: ignore[reportUnknownArgumentType] - its members are checked next
    if isinstance(value, float) and int in wanted and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


def _from_text(text: str, wanted: tuple[type, ...]) -> object:
    if bool in wanted:
        return _SWITCH.get(text, text)
    if str in wanted:
        return text
    if int in wanted or float in wanted:
        if _WHOLE.fullmatch(text):
            return int(text)
        if float in wanted and _DECIMAL.fullmatch(text):
            return float(text)
    return text
