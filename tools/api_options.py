"""The options of all APIs with their defaults: the tables that stand in docs/api.md."""

from collections.abc import Iterator
from typing import Final

from settings.fields import Model, nested
from settings.sections import FRONTS
from tools.described import limit, plain, shown

BEGIN: Final = "<!-- options: written by `python -m tools.schema` -->"
END: Final = "<!-- end of options -->"


def with_options(text: str) -> str:
    """Return a document with the tables between its two marks written anew. Raises ValueError without marks."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    tables = "\n".join(_tables())
    return f"{before}{BEGIN}\n\n{tables}\n{END}{after}"


def _tables() -> Iterator[str]:
    for section, model in FRONTS.items():
        yield f"### sandpiper:{section}\n"
        yield "| option | default | limit | meaning |\n|---|---|---|---|"
        yield from _rows(model)
        yield ""


def _rows(model: type[Model], path: str = "") -> Iterator[str]:
    for key, field in model.model_fields.items():
        if isinstance(
            field.default, Model
        ):  # it is always there, so its own options say everything
            yield from _rows(type(field.default), f"{path}{key}.")
            continue
        default = "must be given" if field.is_required() else f"`{shown(plain(field))}`"
        yield f"| `{path}{key}` | {default} | {limit(field)} | {field.description} |"
        if (inner := nested(field.annotation)) is not None:
            yield from _rows(inner, f"{path}{key}.")
